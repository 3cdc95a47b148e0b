"""What one customer can be promised, from everywhere at once."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from connectors.contract import Address, Method
from gateway.domain.delivery import LATE, NEVER, Destination, Prospect, Schedule, Terms
from gateway.domain.geography import GeoPoint
from gateway.domain.identity import LocationId
from gateway.domain.rates import ZoneRule, ZoneTable
from tests.domain.delivery.places import COURIER, LOS_ANGELES, NEW_YORK, PARCEL, WORKSHOP, board, on_the_wall, place
from tests.samples import HOME

TWO_ZONES = ZoneTable(miles_max=(300,))
EAST, WEST, SOMEWHERE = LocationId("east"), LocationId("west"), LocationId("somewhere")
CUSTOMER = GeoPoint(latitude=40.0, longitude=-75.0)
PLACES = (
    place(NEW_YORK, location=EAST, position=GeoPoint(latitude=40.7, longitude=-74.0)),
    place(LOS_ANGELES, location=WEST, position=GeoPoint(latitude=34.0, longitude=-118.2), units_per_day=5),
    place("Europe/Berlin", location=SOMEWHERE),
)
MORNING = on_the_wall("2026-03-03 09:00", NEW_YORK)


def prospect(at: datetime = MORNING, schedule: Schedule = WORKSHOP, **more: Any) -> Prospect:
    known = board(at, schedule, *PLACES, services=(PARCEL, COURIER))
    terms = Terms(schedules=(schedule,))
    return replace(Prospect(board=known, terms=terms, zones=TWO_ZONES, to=HOME, there=CUSTOMER, now=at), **more)


def test_the_closest_place_says_what_the_customers_clock_shows_unless_somebody_else_does() -> None:
    told = prospect().by(WEST, "Post", "Parcel", 1)
    assert told is not None
    assert (told.time_zone, told.deliver_by.tzinfo) == (NEW_YORK, ZoneInfo(NEW_YORK))
    chicago = Terms(schedules=(WORKSHOP,), destinations=(Destination(areas=("US:606",), time_zone="America/Chicago"),))
    told = prospect(terms=chicago).by(WEST, "Post", "Parcel", 1)
    assert told is not None
    assert told.time_zone == "America/Chicago"


def test_places_rank_by_arrival_then_by_departure() -> None:
    found = prospect()
    assert found.lanes.tolist() == [1, 2, 2]
    rank, service = found.fastest()
    # By courier: today from the east, tomorrow from the west; in Berlin it is past two already.
    assert (rank.tolist(), service.tolist()) == ([0, 1, 2], [1, 1, 1])
    assert found.arrivals().astype(str).tolist() == [
        ["2026-03-04", "2026-03-03"],
        ["2026-03-06", "2026-03-04"],
        ["2026-03-09", "2026-03-05"],
    ]
    assert found.days_late(date(2026, 3, 4)).tolist() == [[0, 0], [2, 0], [5, 1]]
    later = prospect(on_the_wall("2026-03-03 15:00", NEW_YORK)).fastest()[0]
    assert later.tolist() == [1, 0, 2], "from both tomorrow, but the west still sends today"


def test_of_places_that_are_late_those_are_told_that_would_not_be_had_their_cutoff_not_passed() -> None:
    def missed(at: str, by: str, units: int = 1, **more: Any) -> dict[LocationId, str]:
        found, day = prospect(on_the_wall(at, NEW_YORK), **more), date.fromisoformat(by)
        cutoffs = found.missed(day, found.days_late(day, units), units)
        return {location: f"{cutoff:%H:%M}" for location, cutoff in cutoffs.items()}

    assert missed("2026-03-03 15:00", "2026-03-03") == {EAST: "14:00"}, "by courier; in the west it is noon, and too far"
    assert missed("2026-03-03 17:30", "2026-03-04") == {WEST: "14:00", SOMEWHERE: "14:00"}, "from the east tomorrow is soon enough"
    assert missed("2026-03-03 18:00", "2026-03-04") == {WEST: "14:00"}, "in Berlin it is tomorrow"
    assert missed("2026-03-03 13:00", "2026-03-03") == {}, "the east is in time, the others would not be"
    assert missed("2026-03-07 15:00", "2026-03-07") == {}, "nobody works on a Saturday"
    assert missed("2026-03-03 17:30", "2026-03-04", 5) == {WEST: "14:00", SOMEWHERE: "14:00"}
    busy = {(WEST, date(2026, 3, 3)): 3}
    assert missed("2026-03-03 17:30", "2026-03-04", 3, booked=busy) == {SOMEWHERE: "14:00"}, "the west has no room today"


def test_an_order_too_large_for_a_day_takes_several_and_what_can_never_be_done_is_never_promised() -> None:
    assert prospect().arrivals(11)[1].astype(str).tolist() == ["2026-03-10", "2026-03-06"], "two days more"
    assert prospect().arrivals(11)[0].astype(str).tolist() == ["2026-03-04", "2026-03-03"], "no limit there"
    assert prospect().days_late(date(2026, 3, 3), 10_000)[1].tolist() == [LATE, LATE]
    assert prospect().by(WEST, "Post", "Parcel", 10_000) is None
    assert prospect().fastest(10_000)[0][1] == NEVER


def test_a_promise_says_of_which_day_of_the_place_it_takes_its_units() -> None:
    days = {units: prospect().by(WEST, "Post", "Parcel", units) for units in (5, 6, 11)}
    assert {units: told.worked_on.isoformat() for units, told in days.items() if told is not None} == {
        5: "2026-03-03",
        6: "2026-03-04",
        11: "2026-03-05",
    }
    busy = prospect(booked={(WEST, date(2026, 3, 3)): 3, (EAST, date(2026, 3, 3)): 999, (LocationId("gone"), date(2026, 3, 3)): 1})
    told = busy.by(WEST, "Post", "Parcel", 3)
    assert told is not None
    assert (told.worked_on, told.parts[2].name) == (date(2026, 3, 4), "backlog")
    east = busy.by(EAST, "Post", "Parcel", 3)
    assert east is not None
    assert east.worked_on == date(2026, 3, 3), "what has no limit is not counted"


def test_a_pickup_is_where_it_is_closest_and_a_package_of_what_is_gone_has_no_date() -> None:
    found = prospect(method=Method.PICKUP)
    rank, _ = found.fastest()
    assert rank.tolist() == [0, 1, 2]
    told = found.by(EAST, None, None, 1)
    assert told is not None
    assert told.deliver_by == told.ship_by
    assert prospect().by(LocationId("gone"), "Post", "Parcel", 1) is None
    assert prospect().by(EAST, "Post", "Letter", 1) is None
    assert prospect().by(EAST, None, None, 1) is None


@pytest.mark.parametrize(("rules", "lost"), [((), True), ((ZoneRule(zone=1, destinations=("US",)),), False)])
def test_where_nobody_knows_where_it_goes_only_a_rule_of_zones_helps(rules: tuple[ZoneRule, ...], *, lost: bool) -> None:
    found = prospect(there=None, zones=replace(TWO_ZONES, rules=rules))
    assert found.is_lost is lost
    assert found.lanes.tolist() == ([2, 2, 2] if lost else [1, 1, 1])
    abroad = Address(lines=(), city="Wien", postal_code="1010", country_code="AT")
    assert prospect(there=None, to=abroad, method=Method.PICKUP).is_lost is False


def test_a_network_without_places_promises_nothing() -> None:
    empty = prospect(board=board(MORNING).of((), (PARCEL,), Terms(), MORNING))
    assert empty.arrivals().shape == (0, 1)
    assert all(np.size(each) == 0 for each in empty.fastest())
    assert empty.by(EAST, "Post", "Parcel", 1) is None


def test_what_is_ordered_when_nobody_works_takes_its_units_of_the_next_day_of_work() -> None:
    friday, saturday = on_the_wall("2026-03-06 09:00", NEW_YORK), on_the_wall("2026-03-07 09:00", NEW_YORK)
    days = [prospect(at).board.worked_on(at).tolist()[0] for at in (friday, saturday)]
    assert days == [date(2026, 3, 6), date(2026, 3, 9)]
    told = prospect(saturday).by(EAST, "Post", "Parcel", 1)
    assert told is not None
    assert told.worked_on == days[1]
