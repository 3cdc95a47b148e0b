from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.identity import OrderId
from gateway.domain.orders import Order, OrderStatus
from gateway.domain.refusals import DuplicateExternalId, ReservationExpired
from gateway.domain.reservations import Reservation, ReservationState
from gateway.domain.stock import NETWORK
from gateway.ports import OrderFilter, PageRequest
from gateway.services.orders import Cancel
from gateway.services.reservations import End, Extend, Release
from tests.harness import run
from tests.samples import CUP, EAST, MUG, START, WEST, Desk, desk, hold, place
from tests.storages import NewStorage, Storage


async def held(on: Desk) -> int:
    return sum(shelf.held_units for shelf in (await on.store.shelves([MUG])).values())


def test_a_hold_that_ran_out_counts_no_more_for_readers_and_writers_though_nobody_swept(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await on.writer.submit(hold(5, of=5, ttl_s=60), returns=Reservation)
            on.clock.wait(59.999999)
            assert await held(on) == 5
            on.clock.wait(0.000001)
            assert await held(on) == 0
            assert isinstance(await on.writer.submit(place(5, of=5), returns=Order), Order)
            assert await held(on) == 0

    run(story)


def test_what_ran_out_is_recorded_as_expired_by_whoever_comes_next(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            first = await on.writer.submit(hold(2, of=5, ttl_s=60), returns=Reservation)
            second = await on.writer.submit(hold(2, of=5, ttl_s=120), returns=Reservation)
            on.clock.wait(60)
            with pytest.raises(ReservationExpired):
                await on.writer.submit(Extend(reservation=first.id, ttl=timedelta(seconds=60)), returns=Reservation)
            with pytest.raises(ReservationExpired):
                await on.writer.submit(Release(reservation=first.id), returns=Reservation)
            found = [await on.store.reservation(each.id) for each in (first, second)]
            assert [each and each.state for each in found] == [ReservationState.EXPIRED, ReservationState.ACTIVE]
            await on.writer.submit(Extend(reservation=second.id, ttl=timedelta(seconds=600)), returns=Reservation)
            on.clock.wait(599)
            assert await held(on) == 2
            await on.writer.submit(Release(reservation=second.id), returns=Reservation)
            assert {key: each.held_units for key, each in (await on.store.shelves([MUG])).items()} == {(MUG, NETWORK): 0}

    run(story)


def test_holds_that_nobody_comes_back_for_are_swept_and_the_others_are_not(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            over = [await on.writer.submit(hold(1, of=5, ttl_s=60), returns=Reservation) for _ in range(3)]
            kept = await on.writer.submit(hold(1, of=5, ttl_s=120), returns=Reservation)
            assert await on.store.due_reservations(limit=10) == frozenset()
            on.clock.wait(60)
            assert len(await on.store.due_reservations(limit=2)) == 2
            due = await on.store.due_reservations(limit=10)
            assert due == {each.id for each in over}
            await on.writer.submit(End(reservations=due), returns=type(None))
            assert await on.store.due_reservations(limit=10) == frozenset()
            found = [await on.store.reservation(each.id) for each in (*over, kept)]
            assert [each and each.state for each in found] == [ReservationState.EXPIRED] * 3 + [ReservationState.ACTIVE]
            assert await held(on) == 1

    run(story)


def test_a_hold_becomes_an_order_without_a_gap_and_only_once(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            kept = await on.writer.submit(hold(5, of=5), returns=Reservation)
            await on.writer.submit(place(5, of=5, reservation=kept.id), returns=Order)
            with pytest.raises(ReservationExpired) as refused:
                await on.writer.submit(place(1, of=50, reservation=kept.id), returns=Order)
            assert refused.value.state == ReservationState.COMMITTED
            shelves = await on.store.shelves([MUG, CUP])
            assert {key: (each.held_units, each.committed_units) for key, each in shelves.items()} == {
                (MUG, EAST): (0, 5),
                (MUG, NETWORK): (0, 0),
            }

    run(story)


def test_an_order_is_found_by_every_name_it_has_and_no_channel_sends_it_twice(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            placed = await on.writer.submit(place(1, of=9, external_id="W-1"), returns=Order)
            assert await on.store.order(placed.id) == placed
            assert await on.store.find_order(number=placed.number) == placed.id
            assert await on.store.find_order(external=("web", "W-1")) == placed.id
            assert await on.store.find_order(external=("till", "W-1")) is None
            assert await on.store.order_of_work(placed.fulfillment_orders[0].id) == placed.id
            assert await on.store.order(OrderId("nobody's")) is None
            with pytest.raises(DuplicateExternalId) as refused:
                await on.writer.submit(place(1, of=9, external_id="W-1"), returns=Order)
            assert refused.value.number == placed.number

    run(story)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps=st.lists(st.integers(0, 2), max_size=7), size=st.integers(1, 4), newest_first=st.booleans(), backward=st.booleans())
def test_paging_shows_every_order_once_in_order_either_way(
    new_storage: NewStorage, gaps: list[int], size: int, newest_first: bool, backward: bool
) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            placed = []
            for gap in gaps:
                on.clock.wait(gap)
                placed.append(await on.writer.submit(place(1, of=99), returns=Order))
            expected = [each.id for each in (reversed(placed) if newest_first else placed)]
            found: list[OrderId] = []
            position = None
            for _ in range(len(gaps) + 1):
                asked = PageRequest(size=size, newest_first=newest_first, position=position, backward=backward)
                page = await on.store.page(OrderFilter(), asked)
                ids = [each.id for each in page.orders]
                found = [*ids, *found] if backward else [*found, *ids]
                if not (page.has_previous if backward else page.has_next):
                    break
                edge = page.orders[0] if backward else page.orders[-1]
                position = edge.placed_at, edge.id
            assert found == expected

    with new_storage() as storage:
        run(story)


def test_orders_are_narrowed_by_everything_that_is_asked(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            first = await on.writer.submit(place(1, of=9), returns=Order)
            on.clock.wait(60)
            second = await on.writer.submit(place(1, of=9), returns=Order)
            cancel = Cancel(order=second.id, expected_version=second.version, reason_code="C", by="agent")
            await on.writer.submit(cancel, returns=Order)
            minute = START + timedelta(seconds=60)

            async def found(which: OrderFilter) -> set[OrderId]:
                page = await on.store.page(which, PageRequest(size=10))
                assert await on.store.count(which, at_most=10) == len(page.orders)
                return {each.id for each in page.orders}

            both = {first.id, second.id}
            assert await found(OrderFilter(placed_from=minute)) == {second.id}
            assert await found(OrderFilter(placed_to=minute)) == {first.id}
            assert await found(OrderFilter(sku=frozenset({MUG, CUP}), location=frozenset({EAST}))) == both
            assert await found(OrderFilter(sku=frozenset({CUP}))) == set()
            assert await found(OrderFilter(location=frozenset({WEST}))) == set()
            assert await found(OrderFilter(status=frozenset({OrderStatus.ROUTED}), channel=frozenset({"web"}))) == both
            assert await found(OrderFilter(channel=frozenset({"till"}))) == set()
            assert await on.store.count(OrderFilter(), at_most=1) == 1

    run(story)
