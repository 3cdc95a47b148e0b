from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from gateway.domain.identity import FulfillmentOrderId
from gateway.domain.stock import (
    NETWORK,
    Acknowledged,
    Reading,
    Shelf,
    available_to_promise,
    contained_in,
    network_available_to_promise,
    outdated,
    outstanding_units,
)
from tests.samples import EAST, MUG, reading

COUNT, EPOCH = st.integers(0, 1000), st.integers(0, 6)
READINGS = st.builds(lambda available, epoch: reading(MUG, EAST, available, epoch=epoch), COUNT, EPOCH)


@st.composite
def shelves(draw: st.DrawFn) -> Shelf:
    """Promises of which the source has taken some into its books, all after the newest settlement."""
    settled = draw(EPOCH)
    taken = draw(st.lists(st.tuples(st.integers(1, 50), st.integers(settled + 1, 8)), max_size=5))
    noted = tuple(
        Acknowledged(work=FulfillmentOrderId(str(place)), units=units, epoch=epoch) for place, (units, epoch) in enumerate(taken)
    )
    return Shelf(
        sku=MUG,
        location=EAST,
        held_units=draw(COUNT),
        committed_units=sum(each.units for each in noted) + draw(COUNT),
        settled_epoch=settled,
        acknowledged=noted,
    )


@given(READINGS, shelves(), COUNT)
def test_what_may_be_promised_is_what_the_source_has_less_all_that_is_promised(said: Reading, shelf: Shelf, safety: int) -> None:
    units = available_to_promise(said, shelf, safety_units=safety)
    assert said.available is not None
    if said.epoch < shelf.settled_epoch:
        assert units is None
        assert outdated(said, shelf)
    else:
        known = sum(each.units for each in shelf.acknowledged if each.epoch <= said.epoch)
        free = said.available - shelf.held_units - (shelf.committed_units - known)
        assert units == (free - safety if free >= safety else min(free, 0))


@given(READINGS, shelves(), st.integers(1, 50))
def test_one_more_held_bound_or_safe_is_one_fewer_to_promise(said: Reading, shelf: Shelf, more: int) -> None:
    before = available_to_promise(said, shelf)
    expected = None if before is None else before - more
    assert available_to_promise(said, replace(shelf, held_units=shelf.held_units + more)) == expected
    assert available_to_promise(said, replace(shelf, committed_units=shelf.committed_units + more)) == expected
    assert available_to_promise(said, shelf, safety_units=more) == (None if before is None else max(before - more, min(before, 0)))


@given(READINGS, shelves())
def test_a_commitment_stops_counting_with_the_first_reading_of_its_epoch_and_not_before(said: Reading, shelf: Shelf) -> None:
    contained = contained_in(said, shelf)
    for each in shelf.acknowledged:
        assert (each in contained) is (each.epoch <= said.epoch)
    newest = structs.replace(said, epoch=99)
    assert outstanding_units(newest, shelf) == shelf.committed_units - sum(each.units for each in shelf.acknowledged)


@given(READINGS, shelves())
def test_a_later_reading_of_the_same_number_never_promises_less(said: Reading, shelf: Shelf) -> None:
    now, later = available_to_promise(said, shelf), available_to_promise(structs.replace(said, epoch=said.epoch + 1), shelf)
    assert now is None or (later is not None and later >= now)


@given(shelves())
def test_unknown_is_not_zero(shelf: Shelf) -> None:
    assert available_to_promise(None, shelf) is None
    assert available_to_promise(reading(MUG, EAST, None, epoch=99), shelf) is None


@given(st.lists(st.none() | st.integers(-50, 50)), COUNT, COUNT)
def test_the_network_promises_what_is_known_less_what_has_no_location_yet(
    at_locations: list[int | None], held: int, unrouted: int
) -> None:
    network = Shelf(sku=MUG, location=NETWORK, held_units=held, committed_units=unrouted)
    known = [each for each in at_locations if each is not None]
    expected = sum(known) - held - unrouted if known else None
    assert network_available_to_promise(at_locations, network) == expected
