"""Days and slots fill up like shelves, whatever is asked in whatever order, and everything comes back that is not used."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import CancelOutcome
from gateway.domain.books import Books
from gateway.domain.capacity import day_of, is_made_up, limit_at, slot_of
from gateway.domain.fulfillments import FulfillmentOrder, FulfillmentStep, Package, RequestStatus, Units, tally
from gateway.domain.identity import LocationId, ReservationId
from gateway.domain.orders import Order
from gateway.domain.refusals import CapacityFull, InsufficientStock, Invalid, Refusal, Refusals, SlotFull
from gateway.domain.reservations import Reservation, ReservationState
from gateway.services.fulfillments import Ship, Stopped
from gateway.services.orders import Cancel
from gateway.services.reservations import Extend, Move, Release
from gateway.services.routing import Landscape
from tests.harness import run
from tests.samples import EAST, MUG, START, WEST, all_of, desk, units
from tests.services.limited import AT_THREE, TODAY, booked, books, hold, place, places, planned, refused, world

# ---------------------------------------------------------------------------------------------- the laws
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("hold", "move", "extend", "release", "place", "plan", "pick up", "cancel", "ship", "wait", "tomorrow")),
        st.integers(1, 4),
        st.sampled_from((None, EAST, WEST)),
        st.booleans(),
        st.integers(0, 9),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_no_limit_is_ever_passed_and_nothing_is_kept_that_nobody_wants(steps: list[Any]) -> None:
    on = books()
    limits = places(east=7, west=5, pickups=2)
    for step, count, at, in_slot, number in steps:
        seen = world(at=on.now, east=7, west=5, pickups=2)
        slot = on.now.replace(minute=0, second=0) + timedelta(hours=1) if in_slot else None
        with suppress(Refusal, Refusals), on.attempt():
            do(step, on, seen, count=count, at=at, slot=slot, number=number)
        on.expire_due()
        kept = [each for each in on.reservations.values() if each.state is ReservationState.ACTIVE]
        works = [work for order in on.orders.values() for work in order.fulfillment_orders if work.is_open or work.shipments]
        for (sku, where), shelf in on.shelves.items():
            assert shelf.held_units == sum(
                line.units for each in kept for line in each.lines if (line.sku, line.location) == (sku, where)
            )
            if is_made_up(sku):
                limit = limit_at(next(each for each in limits if each.id == where), sku)
                assert limit is not None
                assert shelf.held_units + shelf.committed_units <= limit
                assert shelf.committed_units == sum(tally(work.booked).get(sku, 0) for work in works if work.location == where)


def do(step: str, on: Books, seen: Landscape, *, count: int, at: LocationId | None, slot: datetime | None, number: int) -> None:
    """That step, as far as it is possible now."""
    kept = list(on.reservations)[number % len(on.reservations)] if on.reservations else None
    open_work = [(order, work) for order in on.orders.values() for work in order.fulfillment_orders if work.is_open]
    match step:
        case "wait":
            on.now += timedelta(seconds=40)
        case "tomorrow":
            on.now += timedelta(days=1)
        case "cancel" | "ship":
            if open_work:
                use(step, on, *open_work[number % len(open_work)])
        case "move" | "extend" | "release":
            if kept is not None:
                change(step, on, seen, kept, at=at, slot=slot)
        case _:
            ask(step, on, seen, kept if number % 2 else None, count=count, at=at, slot=slot)


def use(step: str, on: Books, order: Order, work: FulfillmentOrder) -> None:
    if step == "ship":
        packages = (Package(lines=(Units(sku=work.remaining[0].sku, units=1),)),)
        asked = work.after(FulfillmentStep.SUBMIT) if work.request_status is RequestStatus.UNSUBMITTED else work
        on.record(order.with_work(asked), event="-", actor="-")
        Ship(order=order.id, work=work.id, expected_version=None, packages=packages, by="packer").decide(on)
    else:
        Cancel(order=order.id, expected_version=None, reason_code="C", by="agent").decide(on)
        Stopped(order=order.id, work=work.id, outcome=CancelOutcome.CANCELED, by="source").decide(on)


def change(step: str, on: Books, seen: Landscape, kept: ReservationId, *, at: LocationId | None, slot: datetime | None) -> None:
    match step:
        case "move":
            Move(reservation=kept, to=at, slot=slot if at else None, landscape=seen).decide(on)
        case "extend":
            Extend(reservation=kept, ttl=timedelta(seconds=90)).decide(on)
        case _:
            Release(reservation=kept).decide(on)


def ask(
    step: str,
    on: Books,
    seen: Landscape,
    kept: ReservationId | None,
    *,
    count: int,
    at: LocationId | None,
    slot: datetime | None,
) -> None:
    match step:
        case "hold":
            hold(count, seen, at=at, slot=slot if at else None).decide(on)
        case "pick up":
            place(count, seen, kept=kept, at=at or WEST, slot=slot).decide(on)
        case "plan":
            place(count, seen, kept=kept, plan=planned(count, seen)).decide(on)
        case _:
            place(count, seen, kept=kept).decide(on)


# ---------------------------------------------------------------------------------------------- days
def test_a_hold_keeps_the_day_with_the_stock_and_its_end_gives_both_back_at_that_instant() -> None:
    on, seen = books(), world(east=5)
    kept = hold(3, seen).decide(on)
    assert booked(on) == (3, 0)
    (full,) = refused(on, hold(3, seen))
    assert isinstance(full, CapacityFull)
    assert (full.location, full.day, full.wanted_units, full.available_units) == ("east", START.date(), 3, 2)
    on.now = kept.expires_at + timedelta(minutes=5)
    on.expire_due()
    assert booked(on) == (0, 0)
    ends = [entry for entry in on.entries if entry.units < 0]
    assert [(entry.sku, entry.units, entry.at) for entry in ends] == [(MUG, -3, kept.expires_at), (TODAY, -3, kept.expires_at)]


def test_a_hold_without_a_location_takes_nobodys_capacity() -> None:
    on = books()
    hold(5, world(east=1, west=1), at=None).decide(on)
    assert [key for key in on.shelves if is_made_up(key[0])] == []


def test_an_order_takes_over_what_its_hold_kept_though_the_day_is_full() -> None:
    on, seen = books(), world(east=3, where=(EAST,))
    kept = hold(3, seen).decide(on)
    order = place(3, seen, kept=kept.id).decide(on)
    assert booked(on) == (0, 3)
    assert order.fulfillment_orders[0].booked == (Units(sku=TODAY, units=3),)


def test_an_order_of_the_next_day_keeps_the_day_that_its_hold_was_promised_for() -> None:
    late, early = START.replace(hour=23, minute=59), START + timedelta(hours=12, minutes=1)
    on = books(late)
    kept = hold(3, world(east=3, where=(EAST,), at=late), ttl_s=600).decide(on)
    on.now = early
    tomorrow = day_of(early.date())
    place(3, world(east=3, where=(EAST,), at=early)).decide(on)
    assert (booked(on), booked(on, tomorrow)) == ((3, 0), (0, 3)), "tomorrow is full, but not with what was held today"
    place(3, world(east=3, where=(EAST,), at=early), kept=kept.id).decide(on)
    assert (booked(on), booked(on, tomorrow)) == ((0, 3), (0, 3))


def test_each_location_counts_on_the_day_that_it_has() -> None:
    at = datetime(2026, 3, 2, 11, tzinfo=UTC)  # one in the morning on Tuesday the third, or on Monday the second
    seen = world(at=at, east=9, west=9, zones=("Pacific/Auckland", "Pacific/Honolulu"))
    on = books(at)
    for where in (EAST, WEST):
        hold(2, seen, at=where).decide(on)
    made_up = sorted((sku, location) for sku, location in on.shelves if is_made_up(sku))
    assert made_up == [("~day:2026-03-02", WEST), ("~day:2026-03-03", EAST)]


def test_a_full_location_is_passed_over_and_says_why() -> None:
    on, seen = books(), world(east=3, west=9)
    hold(3, seen).decide(on)
    order = place(4, seen).decide(on)
    assert [work.location for work in order.fulfillment_orders] == [WEST]
    considered = {each.location: each.excluded_because for each in on.decisions[-1].decision.considered}
    assert str(considered[EAST]) == "CAPACITY: needs room for 4, has it for 0"


def test_what_one_day_has_no_room_for_comes_from_two_locations() -> None:
    on, seen = books(), world(east=3, west=3)
    order = place(5, seen).decide(on)
    assert sorted(tally(work.booked)[TODAY] for work in order.fulfillment_orders) == [2, 3]


def test_when_all_are_full_it_is_the_days_that_are_blamed_and_not_the_stock() -> None:
    on, seen = books(), world(east=3, west=3)
    full = refused(on, place(7, seen))
    assert [(type(each), each.location) for each in full if isinstance(each, CapacityFull)] == [
        (CapacityFull, "east"),
        (CapacityFull, "west"),
    ]
    (short,) = refused(on, place(7, world(of=2, east=3, west=3)))
    assert isinstance(short, InsufficientStock)


def test_what_is_canceled_before_anything_left_gives_its_day_back_and_what_began_to_leave_keeps_it() -> None:
    on, seen = books(), world(east=9, where=(EAST,))
    first, second = (place(2, seen).decide(on) for _ in range(2))
    assert booked(on) == (0, 4)
    one = (Package(lines=units((MUG, 1))),)
    works = [order.fulfillment_orders[0] for order in (first, second)]
    on.record(first.with_work(works[0].after(FulfillmentStep.SUBMIT)), event="-", actor="-")
    Ship(order=first.id, work=works[0].id, expected_version=None, packages=one, by="packer").decide(on)
    for order, work in zip((first, second), works, strict=True):
        Cancel(order=order.id, expected_version=None, reason_code="C", by="agent").decide(on)
        Stopped(order=order.id, work=work.id, outcome=CancelOutcome.CANCELED, by="source").decide(on)
        Stopped(order=order.id, work=work.id, outcome=CancelOutcome.CANCELED, by="source").decide(on)
    assert booked(on) == (0, 2)


# ---------------------------------------------------------------------------------------------- slots
def test_a_slot_serves_so_many_customers_and_not_one_more() -> None:
    on, seen = books(), world(pickups=2)
    hold(1, seen, at=WEST, slot=AT_THREE).decide(on)
    place(4, seen, at=WEST, slot=AT_THREE).decide(on)
    for command in (hold(1, seen, at=WEST, slot=AT_THREE), place(1, seen, at=WEST, slot=AT_THREE)):
        (full,) = refused(on, command)
        assert isinstance(full, SlotFull)
        assert (full.location, full.slot) == ("west", AT_THREE)
    assert booked(on, slot_of(AT_THREE), WEST) == (1, 1)
    place(1, seen, at=EAST, slot=AT_THREE).decide(on)


def test_a_pickup_takes_over_the_slot_of_its_hold_unless_it_names_another() -> None:
    later = AT_THREE + timedelta(hours=1)
    on, seen = books(), world(pickups=1)
    first, second = (hold(1, seen, at=WEST, slot=slot).decide(on) for slot in (AT_THREE, later))
    assert place(1, seen, at=WEST, kept=first.id).decide(on).pickup_slot == AT_THREE
    assert place(1, seen, at=WEST, kept=second.id, slot=later + timedelta(hours=1)).decide(on).pickup_slot != later
    assert booked(on, slot_of(AT_THREE), WEST) == (0, 1)
    assert booked(on, slot_of(later), WEST) == (0, 0)


def test_a_pickup_takes_the_capacity_of_the_day_of_its_slot() -> None:
    tomorrow = AT_THREE + timedelta(days=1)
    on = books()
    place(2, world(west=2, pickups=1), at=WEST, slot=tomorrow).decide(on)
    assert booked(on, day_of(tomorrow.date()), WEST) == (0, 2)
    assert booked(on, TODAY, WEST) == (0, 0)


@pytest.mark.parametrize("minutes", [-180, 0, 30])
def test_only_a_slot_that_there_is_and_that_has_not_begun_can_be_named(minutes: int) -> None:
    """Three hours ago, now, and in the middle of one."""
    on, slot = books(), START + timedelta(minutes=minutes)
    for command in (hold(1, world(pickups=1), at=WEST, slot=slot), place(1, world(pickups=1), at=WEST, slot=slot)):
        (wrong,) = refused(on, command)
        assert isinstance(wrong, Invalid)
        assert wrong.path == ("input", "pickupSlot")


# ---------------------------------------------------------------------------------------------- on disk
def test_capacity_that_is_held_moved_and_used_is_on_disk_and_one_of_many_gets_the_last_slot(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            seen = world(east=4, pickups=1, where=(EAST,))

            async def counted() -> set[tuple[int, int]]:
                """What is held and what is committed of the day and the slot."""
                found = await on.store.shelves([TODAY, slot_of(AT_THREE)])
                return {(each.held_units, each.committed_units) for (_, where), each in found.items() if where == EAST}

            kept = await on.writer.submit(hold(3, seen), returns=Reservation)
            await on.writer.submit(Move(reservation=kept.id, to=None, landscape=seen), returns=Reservation)
            assert await counted() == {(0, 0)}
            await on.writer.submit(Move(reservation=kept.id, to=EAST, slot=AT_THREE, landscape=seen), returns=Reservation)
            again = await on.store.reservation(kept.id)
            assert again is not None
            assert (again.pickup_slot, again.day) == (AT_THREE, TODAY)
            assert await counted() == {(3, 0), (1, 0)}
            on.clock.wait(60)
            assert await counted() == {(0, 0)}
            asked = [place(1, seen, at=EAST, slot=AT_THREE) for _ in range(5)]
            outcomes = await all_of(*(on.writer.submit(each, returns=Order) for each in asked))
            assert sorted(type(each).__name__ for each in outcomes) == ["Order", "Refusals", "Refusals", "Refusals", "Refusals"]
            assert await counted() == {(0, 1)}

    run(story)


def test_what_is_canceled_gives_its_day_back_on_disk_too(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            order = await on.writer.submit(place(2, world(east=2, where=(EAST,))), returns=Order)
            cancel = Cancel(order=order.id, expected_version=None, reason_code="C", by="agent")
            await on.writer.submit(cancel, returns=Order)
            (work,) = order.fulfillment_orders
            stop = Stopped(order=order.id, work=work.id, outcome=CancelOutcome.CANCELED, by="source")
            await on.writer.submit(stop, returns=Order)
            assert (await on.store.shelves([TODAY]))[TODAY, EAST].committed_units == 0
            await on.writer.submit(place(2, world(east=2, where=(EAST,))), returns=Order)

    run(story)
