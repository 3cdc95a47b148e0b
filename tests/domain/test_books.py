from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Method, Sku
from gateway.domain.books import Books, Bucket
from gateway.domain.fulfillments import FulfillmentOrder, Units
from gateway.domain.identity import FulfillmentOrderId, LocationId, OrderId, ReservationId
from gateway.domain.refusals import Invalid, NotFound, ReadingOutdated, ReservationExpired
from gateway.domain.reservations import HeldLine, Reservation, ReservationState, ReservationStep
from gateway.domain.stock import NETWORK, available_to_promise
from tests.samples import CUP, EAST, MUG, SOURCE_OF, START, WEST, numbered, picture, place, reading, units

SHELVES = st.sampled_from([(sku, at) for sku in (MUG, CUP) for at in (EAST, WEST, NETWORK)])


def books() -> Books:
    return Books(now=START, new_id=numbered())


def work(wanted: int, *, at: LocationId = EAST, name: str = "w1") -> FulfillmentOrder:
    lines = units((MUG, wanted))
    return FulfillmentOrder(id=FulfillmentOrderId(name), location=at, source=SOURCE_OF[at], method=Method.SHIP, lines=lines)


def held(name: str, *lines: tuple[Sku, LocationId, int]) -> Reservation:
    kept = tuple(HeldLine(sku=sku, location=at, units=count) for sku, at, count in lines)
    return Reservation(id=ReservationId(name), lines=kept, created_at=START, expires_at=START)


def write(on: Books, verb: str, sku: Sku, at: LocationId, count: int) -> None:
    """One change of any kind, as far as it is possible now."""
    some = replace(work(count, at=at if at in SOURCE_OF else EAST, name=f"w{count}"), lines=units((sku, count)))
    match verb:
        case "hold":
            on.hold(held(f"h{count}", (sku, at, count)))
        case "end" if any(each.state is ReservationState.ACTIVE for each in on.reservations.values()):
            active = next(each for each in on.reservations.values() if each.state is ReservationState.ACTIVE)
            on.end(active, ReservationStep.RELEASE)
        case "commit":
            on.commit(some)
            on.submit(some)
        case "acknowledge":
            on.acknowledge(some, some.lines)
        case "uncommit":
            on.uncommit(replace(some, in_source_books=True), "REJECTED")
        case "demand":
            on.demand(OrderId("o1"), units((sku, count)), routed=False)
            on.reroute(OrderId("o1"))
        case "settle":
            on.settle({(sku, at): reading(sku, at, 10, epoch=count)})
        case _:
            pass  # there is no hold to end


WRITES = st.lists(
    st.tuples(
        st.sampled_from(("hold", "end", "commit", "acknowledge", "uncommit", "demand", "settle")), SHELVES, st.integers(1, 5)
    ),
    max_size=12,
)


@given(before=WRITES, inside=WRITES, after=WRITES)
def test_whatever_a_refused_command_wrote_is_taken_back(before: Any, inside: Any, after: Any) -> None:
    with_it, without_it = books(), books()
    for on in (with_it, without_it):
        with on.attempt():
            for verb, (sku, at), count in before:
                write(on, verb, sku, at, count)
    until_then = picture(with_it)
    with suppress(Invalid), with_it.attempt():
        for verb, (sku, at), count in inside:
            write(with_it, verb, sku, at, count)
        raise Invalid(problem="no")
    assert picture(with_it) == until_then
    for on in (with_it, without_it):
        with on.attempt():
            for verb, (sku, at), count in after:
                write(on, verb, sku, at, count)
    assert picture(with_it) == picture(without_it)


def test_what_one_command_did_stands_when_the_next_is_refused() -> None:
    on = books()
    with on.attempt():
        on.hold(held("first", (MUG, EAST, 2)))
    with suppress(NotFound), on.attempt():
        on.hold(held("second", (MUG, EAST, 3)))
        on.order(OrderId("nobody's"))
    assert on.shelf(MUG, EAST).held_units == 2
    assert [entry.subject for entry in on.entries] == ["first"]


def test_only_a_reading_that_began_after_the_acknowledgment_takes_a_commitment_off() -> None:
    on = books()
    on.commit(work(4))
    on.acknowledge(work(4), units((MUG, 4)))
    on.settle({(MUG, EAST): reading(MUG, EAST, 10, epoch=0)})
    assert on.shelf(MUG, EAST).committed_units == 4
    on.settle({(MUG, EAST): reading(MUG, EAST, None, epoch=1)})
    assert on.shelf(MUG, EAST).committed_units == 4, "an unknown number contains nothing"
    on.settle({(MUG, EAST): reading(MUG, EAST, 6, epoch=1)})
    shelf = on.shelf(MUG, EAST)
    assert (shelf.committed_units, shelf.acknowledged, shelf.settled_epoch) == (0, (), 1)
    assert on.entries[-1].reason == "IN_SOURCE_NUMBER"


def test_nothing_is_sold_on_a_reading_that_is_older_than_what_was_taken_off_since() -> None:
    on = books()
    first = place(4, of=5).decide(on).fulfillment_orders[0]
    on.acknowledge(first, first.lines)
    place(1, of=1, epoch=1).decide(on)  # takes off what this reading contains
    assert on.shelf(MUG, EAST).committed_units == 1
    with pytest.raises(ReadingOutdated):
        place(4, of=5, epoch=0).decide(on)


def test_settling_changes_nothing_that_may_be_promised() -> None:
    on = books()
    on.commit(work(4))
    on.acknowledge(work(4), units((MUG, 4)))
    on.commit(work(2, name="w2"))
    newest = reading(MUG, EAST, 6, epoch=1)
    before = available_to_promise(newest, on.shelf(MUG, EAST))
    on.settle({(MUG, EAST): newest})
    assert available_to_promise(newest, on.shelf(MUG, EAST)) == before == 4


def test_units_that_left_stay_subtracted_from_an_older_reading_when_the_rest_is_given_up() -> None:
    on, asked = books(), work(5)
    on.commit(asked)
    on.acknowledge(asked, asked.lines)
    shipped = replace(asked, in_source_books=True, lines=units((MUG, 2)))  # 3 of the 5 left, 2 remain
    older = reading(MUG, EAST, 10, epoch=0)
    on.uncommit(shipped, "REJECTED")
    assert available_to_promise(older, on.shelf(MUG, EAST)) == 7


def test_what_the_source_contains_already_is_not_taken_off_again_when_it_is_given_up() -> None:
    on, asked = books(), work(5)
    on.commit(asked)
    on.acknowledge(asked, asked.lines)
    on.settle({(MUG, EAST): reading(MUG, EAST, 5, epoch=1)})
    on.uncommit(replace(asked, in_source_books=True), "REJECTED")
    assert on.shelf(MUG, EAST).committed_units == 0
    assert sum(entry.units for entry in on.entries if entry.bucket is Bucket.COMMITTED) == 0


def test_a_hold_that_is_over_cannot_give_its_units_back_twice() -> None:
    on = books()
    hold = on.hold(held("h", (MUG, EAST, 2), (CUP, NETWORK, 1)))
    over = on.end(hold, ReservationStep.RELEASE)
    with pytest.raises(ReservationExpired):
        on.end(over, ReservationStep.EXPIRE)
    assert [(shelf.held_units, shelf.version) for shelf in on.shelves.values()] == [(0, 0), (0, 0)]


def test_holds_end_at_the_instant_they_run_out_and_not_before() -> None:
    on = books()
    due, kept = held("due", (MUG, EAST, 2)), held("kept", (MUG, EAST, 3))
    on.hold(due)
    on.hold(replace(kept, expires_at=START.replace(minute=1)))
    on.expire_due()
    assert on.shelf(MUG, EAST).held_units == 3
    assert on.reservation(due.id).state is ReservationState.EXPIRED
    assert on.reservation(kept.id).state is ReservationState.ACTIVE


def test_two_sources_count_their_acknowledgments_apart() -> None:
    on = books()
    on.acknowledge(work(1), units((MUG, 1)))
    on.acknowledge(work(1, at=WEST), units((MUG, 1)))
    on.acknowledge(work(1), units((MUG, 1), (CUP, 2)))
    assert on.epochs == {SOURCE_OF[EAST]: 2, SOURCE_OF[WEST]: 1}
    assert on.shelf(CUP, EAST).acknowledged[0].epoch == 2


def test_demand_that_finds_a_location_stops_counting_everywhere() -> None:
    on = books()
    waiting = (Units(sku=MUG, units=3),)
    on.demand(OrderId("o"), waiting, routed=False)
    on.demand(OrderId("o"), waiting, routed=True)
    assert on.shelf(MUG, NETWORK).committed_units == 0
    assert [(entry.units, entry.reason) for entry in on.entries] == [(3, "UNROUTED"), (-3, "ROUTED")]
