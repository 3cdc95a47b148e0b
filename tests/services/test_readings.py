"""What a reading claims to contain, and what can still be shown when our own books cannot be read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cachetools import LRUCache
from sqlalchemy import event

from connectors.contract import (
    ConnectorInfo,
    Health,
    Idempotency,
    Method,
    RemoteLevel,
    RemoteLocation,
    RemoteLocationId,
    Sku,
    SourceKind,
    StockBatch,
    StockDrop,
)
from gateway.domain.books import Books
from gateway.domain.fulfillments import FulfillmentOrder
from gateway.domain.geography import Centroids
from gateway.domain.identity import FulfillmentOrderId, LocationId, SourceName
from gateway.domain.stock import Reading
from gateway.ports import Clock, Source, Tier
from gateway.services.changes import Changes
from gateway.services.demand import Demand
from gateway.services.inventory import Inventory, Item, current_readings
from gateway.services.network import Network
from gateway.services.promises import Promises
from gateway.services.readings import MOVED, Freshness, Readings, SourceStatus
from gateway.services.readings import Desk as StockDesk
from tests.harness import run
from tests.samples import MUG, Command, Desk, HandClock, desk, hold, units

SHOP = SourceName("shop")
COUNTER = LocationId("shop:counter")
DELAY_S = 8.0
FRESH_S = 5.0


@dataclass
class Till:
    """A source with one place, which says what it is told to."""

    info: ConnectorInfo
    available: int = 10
    reads: int = 0
    meanwhile: Callable[[], None] = lambda: None

    async def aclose(self) -> None:
        pass

    async def health(self) -> Health:
        return Health(ok=True)

    async def locations(self) -> tuple[RemoteLocation, ...]:
        return (RemoteLocation(id=RemoteLocationId("counter"), name="Counter"),)

    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        self.reads += 1
        self.meanwhile()
        counter = RemoteLocationId("counter")
        return StockBatch(levels=tuple(RemoteLevel(sku=sku, location=counter, available=self.available) for sku in skus))


@dataclass
class WrongClock:
    """A gateway's clock whose hands somebody moves: what it counts goes on as before."""

    right: HandClock
    wrong: timedelta = timedelta(0)

    def now(self) -> datetime:
        return self.right.now() + self.wrong

    def monotonic(self) -> float:
        return self.right.monotonic()


@dataclass
class Gateway:
    """One of several in front of the same source and the same books."""

    readings: Readings
    inventory: Inventory

    async def read(self) -> Reading:
        """What may be promised on."""
        return current_readings(await self.readings.read([MUG], deadline_s=1))[MUG, COUNTER]

    async def item(self) -> Item:
        (item,) = await self.inventory.look([MUG])
        return item


@dataclass
class Counter:
    """The source, the books, and the gateways between them; ``cut`` off, the books cannot be read."""

    on: Desk
    till: Till
    source: Source
    network: Network
    cut: bool = False

    def gateway(self, clock: Clock | None = None) -> Gateway:
        stock = StockDesk(
            source=self.source,
            reader=self.till,
            network=self.network,
            store=self.on.store,
            clock=clock or self.on.clock,
            cache=LRUCache(99),
            stale_for_s=60,
            changed=lambda _: None,
        )
        readings = Readings(desks={SHOP: stock}, store=self.on.store, demand=Demand(skus_max=99))
        inventory = Inventory(
            readings=readings,
            promises=Promises(store=self.on.store),
            store=self.on.store,
            network=self.network,
            sources={SHOP: self.source},
            deadline_s=1,
        )
        return Gateway(readings, inventory)

    async def sell(self, count: int) -> FulfillmentOrder:
        """Bind mugs to the counter."""
        work = bound(count)
        await self.write(lambda books: books.commit(work))
        return work

    async def acknowledge(self, work: FulfillmentOrder) -> None:
        await self.write(lambda books: books.acknowledge(work, work.lines))

    async def sell_on(self, reading: Reading) -> None:
        """Bind one mug more, on that reading: which takes off what it contains."""

        def sold(books: Books) -> None:
            books.commit(bound(1))
            books.settle({(MUG, COUNTER): reading})

        await self.write(sold)

    async def write(self, does: Any) -> None:
        touches = hold(1, of=1).touches
        await self.on.writer.submit(Command(does=does, touches=touches), returns=type(None))


def test_what_moved_while_it_was_being_read_is_not_promised_on_and_says_so_instead_of_blaming_the_source(tmp_path: Path) -> None:
    async def story() -> None:
        async with counter(tmp_path) as shop:
            gateway = shop.gateway()
            shop.till.meanwhile = lambda: gateway.readings.doubt(SHOP, [MUG])
            (said,) = (await gateway.readings.read([MUG], deadline_s=1))[MUG]
            assert (said.freshness, said.status, said.reason) == (Freshness.STALE, SourceStatus.OK, MOVED)
            assert not said.is_current

            shop.till.meanwhile = lambda: None
            (said,) = (await gateway.readings.read([MUG], deadline_s=1))[MUG]
            assert (said.freshness, said.status, said.reason) == (Freshness.LIVE, SourceStatus.OK, None)

    run(story)


def bound(count: int) -> FulfillmentOrder:
    """So many mugs, to be sent from the counter."""
    work = FulfillmentOrderId(f"w{count}")
    return FulfillmentOrder(id=work, location=COUNTER, source=SHOP, method=Method.SHIP, lines=units((MUG, count)))


@asynccontextmanager
async def counter(folder: Path, *, delay_s: float = 0.0) -> AsyncIterator[Counter]:
    info = ConnectorInfo(
        kind=SourceKind.STORE_POS,
        connector="till",
        stock_drop=StockDrop.ON_ACCEPT,
        visibility_delay_s=delay_s,
        idempotency=Idempotency.KEY,
        batch_skus_max=9,
        fresh_for_s=FRESH_S,
    )
    till = Till(info)
    source = Source(name=SHOP, label="Shop", kind=SourceKind.STORE_POS, connector=till)
    async with desk(folder) as on:
        network = Network(
            sources={SHOP: source},
            store=on.store,
            upkeep=on.upkeep,
            centroids=Centroids(points={}),
            corrections={},
            refresh_s=60,
            retry_s=1,
            deadline_s=1,
        )
        await network.load()
        made = Counter(on, till, source, network)

        @event.listens_for(on.database.reading.sync_engine, "before_cursor_execute")
        def fail(*_: object) -> None:
            if made.cut:
                raise OSError("the disk is gone")

        yield made


def test_a_reading_contains_an_acknowledgment_at_once_or_only_when_the_sources_delay_is_over(tmp_path: Path) -> None:
    async def story() -> None:
        for delay_s in (0.0, DELAY_S):
            folder = tmp_path / str(delay_s)
            folder.mkdir()
            async with counter(folder, delay_s=delay_s) as shop:
                gateway = shop.gateway()
                await shop.acknowledge(await shop.sell(4))
                assert (await gateway.read()).epoch == (0 if delay_s else 1)
                shop.on.clock.wait(DELAY_S - 0.5)
                assert (await gateway.read()).epoch == (0 if delay_s else 1)
                shop.on.clock.wait(FRESH_S + 0.5)
                assert (await gateway.read()).epoch == 1

    run(story)


def test_a_gateway_reads_again_once_where_another_has_promised_on_something_newer(tmp_path: Path) -> None:
    async def story() -> None:
        async with counter(tmp_path, delay_s=DELAY_S) as shop:
            one, other = shop.gateway(), shop.gateway()
            await shop.acknowledge(await shop.sell(4))
            await one.read()
            shop.on.clock.wait(DELAY_S)
            shop.till.available = 6
            assert (await other.read()).epoch == 0, "it sees the acknowledgment only now"
            await shop.sell_on(await one.read())
            assert (await one.item()).levels[0].available_to_promise == 5

            reads = shop.till.reads
            await other.readings.renew([MUG])
            newest = await other.read()
            assert (newest.epoch, newest.available) == (1, 6)
            await other.readings.renew([MUG])
            assert (await other.item()).levels[0].available_to_promise == 5
            assert shop.till.reads == reads + 1

    run(story)


def test_a_query_that_finds_its_own_readings_outdated_reads_them_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with counter(tmp_path) as shop:
            one, other = shop.gateway(), shop.gateway()
            await other.read()
            await shop.acknowledge(await shop.sell(4))
            shop.till.available = 6
            await shop.sell_on(await one.read())
            level = (await other.item()).levels[0]
            assert (level.available, level.available_to_promise) == (6, 5)

    run(story)


def test_a_clock_that_is_set_back_does_not_keep_an_old_number_alive(tmp_path: Path) -> None:
    async def story() -> None:
        async with counter(tmp_path) as shop:
            clock = WrongClock(shop.on.clock)
            gateway = shop.gateway(clock)
            assert (await gateway.read()).available == 10
            clock.wrong = timedelta(hours=-1)
            shop.on.clock.wait(FRESH_S + 1)
            shop.till.available = 3
            assert (await gateway.item()).available == 3

    run(story)


def test_while_our_books_cannot_be_read_the_sources_numbers_are_shown_and_nothing_is_made_up(tmp_path: Path) -> None:
    async def story() -> None:
        async with counter(tmp_path) as shop:
            gateway = shop.gateway()
            await shop.sell(4)
            before = await gateway.item()
            assert (before.available_to_promise, before.reserved, before.allocated, before.notice) == (6, 0, 4, None)
            assert before.complete

            shop.cut = True
            shop.on.clock.wait(FRESH_S + 1)
            shop.till.available = 9
            away = await gateway.item()
            assert (away.available, away.levels[0].available) == (9, 9)
            assert (away.available_to_promise, away.reserved, away.allocated, away.complete) == (None, None, None, False)
            level = away.levels[0]
            assert (level.available_to_promise, level.reserved, level.allocated) == (None, None, None)
            assert away.notice == "What we have promised cannot be read now: the disk is gone."

            shop.cut = False
            back = await gateway.item()
            assert (back.available_to_promise, back.allocated, back.complete, back.notice) == (5, 4, True, None)

    run(story)


def test_what_was_read_while_our_books_were_away_claims_no_more_than_was_seen_before(tmp_path: Path) -> None:
    async def story() -> None:
        async with counter(tmp_path) as shop:
            gateway = shop.gateway()
            await gateway.read()
            await shop.acknowledge(await shop.sell(4))
            shop.cut = True
            shop.on.clock.wait(FRESH_S + 1)
            assert (await gateway.read()).epoch == 0
            shop.cut = False
            assert (await gateway.item()).available_to_promise == 6, "the sale counts against a number that may not contain it"

    run(story)


def test_books_that_do_not_answer_in_time_hold_nobody_up(tmp_path: Path) -> None:
    async def story() -> None:
        async with counter(tmp_path) as shop:
            gateway = shop.gateway()
            connections = [await shop.on.database.reading.connect() for _ in range(4)]  # all there are
            item = await gateway.item()
            assert (item.available, item.reserved, item.complete) == (10, None, False)
            assert item.notice == "What we have promised cannot be read now: no answer in time."
            await asyncio.gather(*(each.close() for each in connections))

    run(story)


def test_whoever_follows_stock_is_told_that_our_books_are_away_and_goes_on_when_they_are_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with counter(tmp_path) as shop:
            gateway, changes = shop.gateway(), Changes(reread_s=60)
            following = changes.follow(gateway.inventory, [MUG], wanted=lambda _: True, interval_s=0.001)

            async def told() -> tuple[int | None, int | None]:
                async with asyncio.timeout(60):
                    (level,) = await anext(following)
                return level.available, level.available_to_promise

            assert await told() == (10, 10)
            shop.cut = True
            changes.touch([MUG])
            assert await told() == (10, None)
            shop.on.clock.wait(FRESH_S + 1)
            shop.till.available = 8
            changes.touch([MUG])
            assert await told() == (8, None)
            shop.cut = False
            changes.touch([MUG])
            assert await told() == (8, 8)
            await following.aclose()  # type: ignore[attr-defined]  # it is an asynchronous generator

    run(story)


def test_the_tier_of_a_source_is_what_its_operator_says_of_its_stock(tmp_path: Path) -> None:
    async def story() -> None:
        async with counter(tmp_path) as shop:
            ours = Source(name=SHOP, label="Shop", kind=SourceKind.STORE_POS, connector=shop.till, exclusive=True)
            assert (ours.tier, shop.source.tier) == (Tier.EXCLUSIVE_POOL, Tier.SNAPSHOT_ONLY)

    run(story)
