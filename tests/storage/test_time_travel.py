"""How it was: orders by their events, promises by the ledger."""

from datetime import datetime, timedelta

import pytest

from connectors.contract import Sku
from gateway.domain.identity import LocationId, OrderId
from gateway.domain.orders import Order
from gateway.domain.refusals import NoLongerKnown
from gateway.domain.reservations import Reservation
from gateway.services.orders import Cancel
from gateway.services.reservations import End, Extend, Release
from tests.harness import run
from tests.samples import CUP, EAST, MUG, START, Desk, desk, hold, place
from tests.storages import Storage

Promised = dict[tuple[Sku, LocationId], tuple[int, int]]


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


async def placed(on: Desk, wanted: int = 1) -> Order:
    return await on.writer.submit(place(wanted, of=100), returns=Order)


async def canceled(on: Desk, order: OrderId) -> Order:
    command = Cancel(order=order, expected_version=None, reason_code="CUSTOMER", by="agent")
    return await on.writer.submit(command, returns=Order)


def test_an_order_is_as_its_newest_event_by_then_left_it(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            order = await placed(on)
            on.clock.wait(60)
            over = await canceled(on, order.id)
            assert await on.store.order_as_of(order.id, after(-0.000001)) is None
            assert await on.store.order_as_of(order.id, START) == order
            assert await on.store.order_as_of(order.id, after(59.999999)) == order
            assert await on.store.order_as_of(order.id, after(60)) == over == await on.store.order(order.id)
            assert over.version > order.version
            assert await on.store.order_as_of(OrderId("nobody's"), after(60)) is None

    run(story)


def test_what_is_older_than_events_are_kept_is_refused_with_the_oldest_instant_that_is_not(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            resting, changed = await placed(on), await placed(on)
            on.clock.wait(100)
            newer = await placed(on)
            on.clock.wait(100)
            over = await canceled(on, changed.id)
            while await on.upkeep.sequence_events(limit=99):
                pass
            await on.upkeep.forget(events_before=after(100), requests_before=START)

            assert await on.store.order_as_of(changed.id, after(200)) == over
            assert await on.store.order_as_of(newer.id, after(100)) == newer
            assert await on.store.order_as_of(resting.id, after(100)) == resting, "nothing happened to it since"
            for order, oldest_at in ((changed, after(200)), (resting, after(100))):
                with pytest.raises(NoLongerKnown) as refused:
                    await on.store.order_as_of(order.id, after(99))
                assert refused.value.oldest_at == oldest_at
            assert await on.store.order_as_of(changed.id, after(-1)) is None

    run(story)


async def promised(on: Desk, at: datetime | None = None) -> Promised:
    """Held and committed units, as they are now or were then."""
    skus = (MUG, CUP)
    shelves = await on.store.shelves(skus) if at is None else await on.store.promises_as_of(skus, at)
    return {key: (each.held_units, each.committed_units) for key, each in shelves.items()}


def test_promises_were_then_what_they_are_seen_to_be_at_every_step(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            seen: list[tuple[datetime, Promised]] = []

            async def later(seconds: float) -> None:
                seen.append((on.clock.now(), await promised(on)))
                on.clock.wait(seconds)

            assert await promised(on, START) == {}
            brief = await on.writer.submit(hold(2, of=9, ttl_s=60), returns=Reservation)
            there = await on.writer.submit(hold(3, of=9, ttl_s=90, at=EAST), returns=Reservation)
            await later(10)
            order = await placed(on, 4)
            await later(10)
            await on.writer.submit(Extend(reservation=there.id, ttl=timedelta(seconds=300)), returns=Reservation)
            await later(10)
            await canceled(on, order.id)
            await later(50)  # the first hold runs out, and nobody sweeps
            await later(10)
            await on.writer.submit(Release(reservation=there.id), returns=Reservation)
            await later(10)
            for ended in (False, True):
                for at, then in seen:
                    assert await promised(on, at) == then, (at, ended)
                await on.writer.submit(End(reservations=frozenset({brief.id})), returns=type(None))
            assert {units for _, then in seen for units in then.values()} >= {(2, 0), (0, 0), (3, 4), (3, 0)}

    run(story)
