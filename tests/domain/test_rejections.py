"""How often locations turn work down, and what that is worth."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.identity import LocationId
from gateway.domain.locations import LocationKind
from gateway.domain.rejections import LOCATIONS_MAX, PickRecord, RejectionTerms
from tests.samples import EAST, START, WEST

STORE, WAREHOUSE = LocationKind.STORE, LocationKind.WAREHOUSE


def record(location: LocationId, *outcomes: bool, on: PickRecord | None = None, kind: LocationKind = STORE) -> PickRecord:
    """What these outcomes teach; true is turned down."""
    on = on or PickRecord(terms=RejectionTerms(prior_picks=20, half_life_days=30))
    for turned_down in outcomes:
        on.note(location, kind, START, turned_down=turned_down)
    return on


def test_where_nothing_is_known_nothing_is_expected_to_be_turned_down() -> None:
    assert record(EAST).success(EAST, STORE, START).probability == 1
    done = record(EAST, False, False).success(EAST, STORE, START)
    assert (done.probability, done.picks) == (1, 2)


def test_few_outcomes_say_little_and_many_say_all() -> None:
    once = record(EAST, True).success(EAST, STORE, START)
    assert 0.9 < once.probability < 0.95
    often = record(EAST, *[True] * 300).success(EAST, STORE, START)
    assert often.probability < 0.01


def test_a_location_that_nothing_is_known_of_is_as_good_as_others_of_its_kind() -> None:
    learned = record(EAST, *[True, False] * 40)
    assert learned.success(WEST, STORE, START).probability == pytest.approx(1 - 40 / 100)
    assert learned.success(WEST, WAREHOUSE, START).probability == 1


def test_its_own_record_counts_for_more_than_that_of_its_kind() -> None:
    learned = record(WEST, *[False] * 60, on=record(EAST, *[True] * 60))
    assert learned.success(EAST, STORE, START).probability < 0.2
    assert learned.success(WEST, STORE, START).probability > 0.8


def test_what_is_a_half_life_ago_counts_half() -> None:
    learned = record(EAST, *[True] * 8)
    later = START + timedelta(days=30)
    assert learned.success(EAST, STORE, later).picks == 4
    learned.note(EAST, STORE, later, turned_down=False)
    assert learned.success(EAST, STORE, later).picks == 5
    assert learned.success(EAST, STORE, later).probability > learned.success(EAST, STORE, START).probability - 0.01
    assert learned.success(EAST, STORE, START + timedelta(days=3_000)).probability == pytest.approx(1)


def test_clocks_that_differ_bring_nothing_back() -> None:
    learned = record(EAST, True)
    learned.note(EAST, STORE, START - timedelta(days=300), turned_down=True)
    assert learned.success(EAST, STORE, START - timedelta(days=900)).picks == 2


@given(st.lists(st.booleans(), max_size=40), st.lists(st.booleans(), max_size=40))
def test_it_is_always_a_probability_and_one_more_rejection_never_raises_it(here: list[bool], there: list[bool]) -> None:
    learned = record(WEST, *there, on=record(EAST, *here))
    before = learned.success(EAST, STORE, START).probability
    assert 0 < before <= 1
    assert record(EAST, True, on=learned).success(EAST, STORE, START).probability < before


def test_of_more_locations_than_can_be_known_the_rest_is_known_by_kind() -> None:
    learned = PickRecord(terms=RejectionTerms())
    for number in range(LOCATIONS_MAX + 1):
        learned.note(LocationId(f"{number}"), STORE, START, turned_down=True)
    assert learned.success(LocationId("0"), STORE, START).picks == 1
    beyond = learned.success(LocationId(f"{LOCATIONS_MAX}"), STORE, START)
    assert beyond.picks == 0
    assert beyond.probability < 0.1


@pytest.mark.parametrize("wrong", [{"reroute_cents": -1}, {"prior_picks": 0}, {"half_life_days": 0}])
def test_terms_that_make_no_sense_cannot_be_made(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RejectionTerms(**wrong)
