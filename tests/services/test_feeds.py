"""What sources say has moved, what is read again ahead of time, and what is found by comparing everything."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cachetools import LRUCache

from connectors.contract import (
    ConnectorInfo,
    Cursor,
    Health,
    Idempotency,
    RemoteLevel,
    RemoteLocation,
    RemoteLocationId,
    Sku,
    SkuPage,
    SourceKind,
    StockBatch,
    StockChanges,
    StockDrop,
    Transient,
)
from gateway.domain.geography import Centroids
from gateway.domain.identity import SourceName
from gateway.ports import Source
from gateway.services.demand import Demand
from gateway.services.feeds import Feeds
from gateway.services.network import Network
from gateway.services.readings import Desk, Freshness, Readings
from gateway.services.reconciliation import Reconciliation
from tests.harness import run
from tests.samples import HandClock, desk

DEPOT = SourceName("depot")
DOCK = RemoteLocationId("dock")
A, B, C = Sku("A"), Sku("B"), Sku("C")
PAGE = 2
FRESH_S = 10.0


@dataclass
class Depot:
    """A source that keeps a journal of what moved, two entries to a page, and lists its SKUs two at a time."""

    info: ConnectorInfo
    units: dict[Sku, int] = field(default_factory=lambda: {A: 5, B: 6, C: 7})
    journal: list[Sku] = field(default_factory=list)
    reads: list[tuple[Sku, ...]] = field(default_factory=list)
    silent: bool = False
    in_circles: bool = False

    async def aclose(self) -> None:
        pass

    async def health(self) -> Health:
        return Health(ok=True)

    async def locations(self) -> tuple[RemoteLocation, ...]:
        return (RemoteLocation(id=DOCK, name="Dock"),)

    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        self.reads.append(tuple(skus))
        known = [sku for sku in skus if sku in self.units]
        levels = tuple(RemoteLevel(sku=sku, location=DOCK, available=self.units[sku]) for sku in known)
        return StockBatch(levels=levels, unknown=frozenset(skus) - set(known))

    async def skus(self, after: Cursor | None) -> SkuPage:
        begin = 0 if after is None or self.in_circles else int(after)
        page = sorted(self.units)[begin : begin + PAGE]
        return SkuPage(skus=tuple(page), next=Cursor(str(begin + PAGE)) if begin + PAGE < len(self.units) else None)

    async def stock_changes(self, cursor: Cursor | None) -> StockChanges:
        if self.silent:
            raise Transient("gone fishing")
        begin = len(self.journal) if cursor is None else int(cursor)
        end = min(begin + PAGE, len(self.journal))
        return StockChanges(skus=frozenset(self.journal[begin:end]), cursor=Cursor(str(end)), more=end < len(self.journal))

    def count(self, sku: Sku, units: int, *, tell: bool = True) -> None:
        """Somebody counts, and may write it down."""
        self.units[sku] = units
        if tell:
            self.journal.append(sku)


@dataclass
class Yard:
    depot: Depot
    clock: HandClock
    desk: Desk
    readings: Readings
    feeds: Feeds
    reconciliation: Reconciliation
    moved: list[Sku] = field(default_factory=list)

    async def ask(self, *skus: Sku) -> list[tuple[Freshness, int | None]]:
        answers = await self.readings.read(skus, deadline_s=1)
        said = [answers[sku][0] for sku in skus]
        return [(each.freshness, each.kept.readings[0].available if each.kept and each.kept.readings else None) for each in said]


@asynccontextmanager
async def yard(folder: Path) -> AsyncIterator[Yard]:
    info = ConnectorInfo(
        kind=SourceKind.WAREHOUSE,
        connector="depot",
        stock_drop=StockDrop.ON_ACCEPT,
        visibility_delay_s=0,
        idempotency=Idempotency.KEY,
        batch_skus_max=PAGE,
        fresh_for_s=FRESH_S,
    )
    depot = Depot(info)
    source = Source(name=DEPOT, label="Depot", kind=SourceKind.WAREHOUSE, connector=depot)
    async with desk(folder) as on:
        network = Network(
            sources={DEPOT: source},
            store=on.store,
            upkeep=on.upkeep,
            centroids=Centroids(points={}),
            corrections={},
            refresh_s=60,
            retry_s=1,
            deadline_s=1,
        )
        await network.load()
        stock = Desk(
            source=source,
            reader=depot,
            network=network,
            store=on.store,
            clock=on.clock,
            cache=LRUCache(99),
            stale_for_s=3_600,
            changed=lambda _: None,
        )
        demand = Demand(skus_max=99)
        readings = Readings(desks={DEPOT: stock}, store=on.store, demand=demand)
        moved: list[Sku] = []

        def told(name: SourceName, skus: object) -> None:
            assert isinstance(skus, frozenset)
            readings.doubt(name, skus)
            moved.extend(sorted(skus))

        feeds = Feeds(
            desks=readings.desks,
            demand=demand,
            clock=on.clock,
            spread=lambda: 1.0,
            moved=told,
            hear_s=5,
            renew_skus_max=2,
            deadline_s=1,
        )
        compare = Reconciliation(desks=readings.desks, clock=on.clock, spread=lambda: 1.0, every_s=60, deadline_s=1)
        yield Yard(depot, on.clock, stock, readings, feeds, compare, moved)
        await readings.aclose()


def test_what_a_source_says_has_moved_is_read_again_before_anybody_asks(tmp_path: Path) -> None:
    async def story() -> None:
        async with yard(tmp_path) as on:
            assert await on.ask(A, B) == [(Freshness.LIVE, 5), (Freshness.LIVE, 6)]
            await on.feeds.hear(on.desk)  # from now on
            on.depot.count(A, 1)
            on.depot.count(B, 2)
            on.depot.count(A, 3)
            assert await on.ask(A) == [(Freshness.CACHED, 5)], "nobody has told us yet"
            await on.feeds.hear(on.desk)
            assert on.moved == [A, B, A], "two pages"
            asked = len(on.depot.reads)
            await on.feeds.renew(on.desk)
            assert await on.ask(A, B) == [(Freshness.CACHED, 3), (Freshness.CACHED, 2)]
            assert len(on.depot.reads) == asked + 1, "the question cost no request"

    run(story)


def test_what_many_ask_for_is_read_again_before_it_is_too_old_and_what_nobody_asks_for_is_not(tmp_path: Path) -> None:
    async def story() -> None:
        async with yard(tmp_path) as on:
            for skus in ((A, B, C), (B, C), (C,)):
                await on.ask(*skus)
            on.clock.wait(FRESH_S / 2 - 1)
            await on.feeds.renew(on.desk)
            assert on.depot.reads == [(A, B, C)], "young enough"
            on.clock.wait(2)
            await on.feeds.renew(on.desk)
            assert on.depot.reads[1:] == [(C, B)], "the two that are asked for most, most first"
            on.clock.wait(FRESH_S / 2)
            assert [freshness for freshness, _ in await on.ask(A, B, C)] == [Freshness.LIVE, Freshness.CACHED, Freshness.CACHED]
            for _ in range(10):
                on.feeds.demand.fade()
            on.clock.wait(FRESH_S)
            read = len(on.depot.reads)
            await on.feeds.renew(on.desk)
            assert len(on.depot.reads) == read, "nobody has asked for long"

    run(story)


def test_a_feed_that_fails_goes_on_where_it_was_and_says_why(tmp_path: Path) -> None:
    async def story() -> None:
        async with yard(tmp_path) as on:
            await on.feeds.hear(on.desk)
            on.depot.count(A, 1)
            on.depot.silent = True
            await on.feeds.hear(on.desk)
            feed = on.feeds.feeds[DEPOT]
            assert (feed.failure, feed.failures, on.moved) == ("TRANSIENT: gone fishing", 1, [])
            on.depot.silent = False
            await on.feeds.hear(on.desk)
            assert (feed.failure, feed.failures, feed.heard, on.moved) == (None, 0, 1, [A])

    run(story)


def test_comparing_everything_finds_and_mends_what_a_source_forgot_to_tell(tmp_path: Path) -> None:
    async def story() -> None:
        async with yard(tmp_path) as on:
            await on.ask(A, B)
            await on.feeds.hear(on.desk)
            on.depot.count(A, 1, tell=False)
            on.depot.count(B, 60)
            await on.feeds.hear(on.desk)  # B is known to have moved
            on.clock.wait(1)
            found = await on.reconciliation.reconcile(on.desk)
            assert (found.skus, found.levels, found.drifted_levels, found.drifted_units) == (3, 1, 1, 4)
            assert found.finished_at is not None
            assert found.failure is None
            assert await on.ask(A, B, C) == [(Freshness.CACHED, 1), (Freshness.CACHED, 60), (Freshness.CACHED, 7)]
            on.clock.wait(1)
            again = await on.reconciliation.reconcile(on.desk)
            assert (again.levels, again.drifted_levels) == (3, 0)

    run(story)


def test_a_list_of_skus_without_an_end_ends_the_comparison_with_a_reason(tmp_path: Path) -> None:
    async def story() -> None:
        async with yard(tmp_path) as on:
            on.depot.in_circles = True
            found = await on.reconciliation.reconcile(on.desk)
            assert found.failure == "CONTRACT_BROKEN: its list of SKUs comes back to where it was"
            assert on.reconciliation.done[DEPOT] is found

    run(story)
