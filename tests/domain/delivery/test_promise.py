"""What a customer is told, in six time zones, when clocks change, at midnight, on half days and at the end of the year."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.contract import OpeningHours
from gateway.domain.delivery import Carrier, Destination, HalfDay, Promise, Schedule, Shift
from gateway.storage.documents import document, read
from tests.domain.delivery.places import (
    BERLIN,
    COURIER,
    EVERY_DAY,
    KOLKATA,
    LORD_HOWE,
    LOS_ANGELES,
    NEW_YORK,
    NIGHT_AND_DAY,
    PARCEL,
    PHOENIX,
    WORKSHOP,
    ZONES,
    asked,
    board,
    on_the_wall,
    place,
    sent,
    wall,
)

CLOCKS_CHANGE = {  # Fridays and Mondays around it, and by how much UTC moves meanwhile
    NEW_YORK: [("2026-03-06", "2026-03-09", -60), ("2026-10-30", "2026-11-02", 60)],
    LOS_ANGELES: [("2026-03-06", "2026-03-09", -60), ("2026-10-30", "2026-11-02", 60)],
    PHOENIX: [("2026-03-06", "2026-03-09", 0), ("2026-10-30", "2026-11-02", 0)],
    BERLIN: [("2026-03-27", "2026-03-30", -60), ("2026-10-23", "2026-10-26", 60)],
    LORD_HOWE: [("2026-04-03", "2026-04-06", 30), ("2026-10-02", "2026-10-05", -30)],
    KOLKATA: [("2026-03-27", "2026-03-30", 0), ("2026-10-23", "2026-10-26", 0)],
}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("ordered", "leaves", "arrives"),
    [
        ("2026-03-03 13:59", "2026-03-03 17:00", "2026-03-04"),
        ("2026-03-03 14:00", "2026-03-03 17:00", "2026-03-04"),
        ("2026-03-03 14:01", "2026-03-04 17:00", "2026-03-05"),
        ("2026-03-03 23:59", "2026-03-04 17:00", "2026-03-05"),
        ("2026-03-04 00:00", "2026-03-04 17:00", "2026-03-05"),
        ("2026-03-06 14:01", "2026-03-09 17:00", "2026-03-10"),  # a Friday
        ("2026-03-08 02:30", "2026-03-09 17:00", "2026-03-10"),  # a Sunday on which that hour is left out in some places
        ("2026-11-01 01:30", "2026-11-02 17:00", "2026-11-03"),  # and one on which it comes twice
        ("2026-11-25 14:01", "2026-11-27 17:00", "2026-11-30"),  # the day before Thanksgiving
        ("2026-12-24 13:00", "2026-12-24 17:00", "2026-12-28"),
        ("2026-12-24 14:01", "2026-12-28 17:00", "2026-12-29"),
        ("2026-12-31 14:00", "2026-12-31 17:00", "2027-01-04"),
        ("2026-12-31 14:01", "2027-01-04 17:00", "2027-01-05"),
        ("2027-07-02 14:01", "2027-07-06 17:00", "2027-07-07"),  # Independence Day is a Sunday, and kept on Monday
    ],
)
def test_the_wall_of_the_place_says_what_is_in_time(zone: str, ordered: str, leaves: str, arrives: str) -> None:
    found = sent(on_the_wall(ordered, zone), where=place(zone))
    assert wall(found.ship_by) == leaves
    assert wall(found.deliver_by) == f"{arrives} 23:59"
    assert found.deliver_on == date.fromisoformat(arrives)
    assert [part.name for part in found.parts] == ["order", "cutoff", "collection", "transit", "delivery"]


def test_half_a_minute_after_the_cutoff_is_late() -> None:
    at = on_the_wall("2026-03-03 14:00", NEW_YORK)
    assert sent(at).ship_by < sent(at + timedelta(seconds=30)).ship_by


@pytest.mark.parametrize("zone", ZONES)
def test_a_cutoff_stays_where_it_is_on_the_wall_when_clocks_change(zone: str) -> None:
    for friday, monday, minutes in CLOCKS_CHANGE[zone]:
        before = sent(on_the_wall(f"{friday} 09:00", zone), where=place(zone)).cutoff_at
        after = sent(on_the_wall(f"{monday} 09:00", zone), where=place(zone)).cutoff_at
        assert (wall(before), wall(after)) == (f"{friday} 14:00", f"{monday} 14:00")
        moved = after.astimezone(UTC) - before.astimezone(UTC) - timedelta(days=3)
        assert moved == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("zone", "ordered", "ready"),
    [
        (NEW_YORK, "2026-03-08T06:30Z", "2026-03-08T04:30-04:00"),  # half past one; two to three is left out
        (NEW_YORK, "2026-11-01T04:30Z", "2026-11-01T01:30-05:00"),  # half past midnight; one to two comes twice
        (NEW_YORK, "2026-11-01T05:30Z", "2026-11-01T02:30-05:00"),  # the first half past one
        (NEW_YORK, "2026-11-01T06:30Z", "2026-11-01T03:30-05:00"),  # the second
        (PHOENIX, "2026-03-08T08:30Z", "2026-03-08T03:30-07:00"),
        (BERLIN, "2026-03-29T00:30Z", "2026-03-29T04:30+02:00"),
        (LORD_HOWE, "2026-04-04T14:30Z", "2026-04-05T03:00+10:30"),  # half an hour comes twice
        (LORD_HOWE, "2026-10-03T15:00Z", "2026-10-04T04:00+11:00"),  # half an hour is left out
        (KOLKATA, "2026-12-31T18:00Z", "2027-01-01T01:30+05:30"),
    ],
)
def test_two_hours_of_work_in_the_night_in_which_clocks_change_are_two_hours(zone: str, ordered: str, ready: str) -> None:
    at = datetime.fromisoformat(ordered)
    found = sent(at, Schedule(name="workshop", shifts=(NIGHT_AND_DAY,), holidays=(), processing_minutes=120), where=place(zone))
    (processing,) = (part for part in found.parts if part.name == "processing")
    assert processing.at.astimezone(UTC) == at + timedelta(hours=2)
    assert processing.at.isoformat(timespec="minutes") == ready, "on the clock of the place"


def test_on_half_days_less_is_in_time_and_the_carrier_comes_before_the_place_closes() -> None:
    half = replace(WORKSHOP, half_days=(HalfDay(on=date(2026, 12, 24), closes=time(13), cutoff=time(11)),))
    early, late = (sent(on_the_wall(f"2026-12-24 {at}", NEW_YORK), half) for at in ("11:00", "11:01"))
    assert (wall(early.ship_by), wall(late.ship_by)) == ("2026-12-24 13:00", "2026-12-28 17:00")
    assert early.parts[1].why == "in time for the cutoff Thu 24 Dec 11:00, a half day"
    assert late.parts[1].why == "after the cutoff Thu 24 Dec 11:00: taken up Mon 28 Dec 08:00, the next day of work"
    until_it_closes = replace(half, half_days=(HalfDay(on=date(2026, 12, 24), closes=time(13)),))
    assert wall(sent(on_the_wall("2026-12-24 13:00", NEW_YORK), until_it_closes).ship_by) == "2026-12-24 13:00"


def test_what_takes_work_is_ready_when_the_work_is_done_on_whatever_day_that_is() -> None:
    seven_hours = replace(WORKSHOP, processing_minutes=7 * 60)
    story = {"2026-03-05 08:00": "2026-03-05 17:00", "2026-03-05 13:00": "2026-03-06 17:00", "2026-03-06 13:00": "2026-03-09 17:00"}
    assert {ordered: wall(sent(on_the_wall(ordered, NEW_YORK), seven_hours).ship_by) for ordered in story} == story
    two_days = replace(WORKSHOP, processing_days=2)
    story = {"2026-03-05 08:00": "2026-03-09 17:00", "2026-12-30 15:00": "2027-01-05 17:00"}
    assert {ordered: wall(sent(on_the_wall(ordered, NEW_YORK), two_days).ship_by) for ordered in story} == story


def test_a_lunch_break_is_no_work_and_the_second_shift_has_a_cutoff_of_its_own() -> None:
    shifts = (Shift(opens=time(8), closes=time(12), cutoff=time(10)), Shift(opens=time(13), closes=time(17), cutoff=time(13, 30)))
    bakery = replace(WORKSHOP, shifts=shifts, processing_minutes=150)
    found = {at: sent(on_the_wall(f"2026-03-03 {at}", NEW_YORK), bakery).parts[2].at for at in ("10:00", "10:01", "13:30", "13:31")}
    assert {at: wall(ready) for at, ready in found.items()} == {
        "10:00": "2026-03-03 13:30",
        "10:01": "2026-03-03 15:30",
        "13:30": "2026-03-03 16:00",
        "13:31": "2026-03-04 10:30",
    }


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    night = Schedule(
        name="workshop", shifts=(Shift(weekdays=EVERY_DAY, opens=time(22), closes=time(6), cutoff=time(2)),), holidays=()
    )
    story = {"2026-03-03 01:59": "2026-03-03 17:00", "2026-03-03 02:01": "2026-03-04 17:00", "2026-03-03 23:00": "2026-03-04 17:00"}
    later = replace(night, processing_minutes=120)
    assert {ordered: wall(sent(on_the_wall(ordered, NEW_YORK), later).ship_by) for ordered in story} == story


def test_a_promise_says_until_when_it_holds_and_it_does() -> None:
    slow = replace(WORKSHOP, processing_minutes=180)
    for schedule, ordered in ((WORKSHOP, "2026-03-06 15:00"), (slow, "2026-03-06 09:00"), (slow, "2026-03-06 14:00")):
        found = sent(on_the_wall(ordered, NEW_YORK), schedule)
        then = found.cutoff_at.astimezone(UTC)
        assert then >= on_the_wall(ordered, NEW_YORK)
        assert sent(then, schedule).ship_by == found.ship_by
        assert sent(then + timedelta(minutes=1), schedule).ship_by > found.ship_by
    saturdays = replace(WORKSHOP, shifts=(Shift(weekdays=frozenset(range(6)), opens=time(8), closes=time(18), cutoff=time(14)),))
    found = sent(on_the_wall("2026-03-07 09:00", NEW_YORK), saturdays)
    assert wall(found.cutoff_at) == "2026-03-09 14:00", "the carrier comes on Monday, whoever orders on Saturday"


def test_the_customer_has_days_and_clocks_of_its_own() -> None:
    at = on_the_wall("2026-03-06 09:00", LOS_ANGELES)
    there = Destination(weekdays=frozenset({1, 2}), ends=time(20))
    known = board(at, WORKSHOP, place(LOS_ANGELES))
    found = asked(at, known, to=there, zone=NEW_YORK).shipped(place().id, 0, 1)
    assert found is not None
    assert (wall(found.ship_by), wall(found.deliver_by)) == ("2026-03-06 17:00", "2026-03-10 20:00")
    assert found.deliver_by.tzinfo == ZoneInfo(NEW_YORK)
    assert found.parts[-1].why == (
        "handed over by Tue 10 Mar 20:00 by the customer's clock (America/New_York), as nobody delivers Mon 9 Mar"
    )


def test_a_carrier_may_be_early_and_how_often_it_is_on_time_is_unknown_until_somebody_counts() -> None:
    at = on_the_wall("2026-03-03 09:00", NEW_YORK)
    assert sent(at).confidence is None
    counted = (Carrier(name="Post", service="Parcel", on_time=0.93, early_days=2),)
    known = board(at, WORKSHOP, carriers=counted)
    found = asked(at, known).shipped(place().id, 0, 2)
    assert found is not None
    assert (found.confidence, wall(found.earliest), wall(found.deliver_by)) == (0.93, "2026-03-04 08:00", "2026-03-06 23:59")


def test_a_courier_of_the_same_day_does_not_arrive_before_it_has_left() -> None:
    at = on_the_wall("2026-03-03 09:00", NEW_YORK)
    found = asked(at, board(at, services=(PARCEL, COURIER)), to=Destination(ends=time(17, 30))).shipped(place().id, 1, 1)
    assert found is not None
    assert wall(found.ship_by) == "2026-03-03 18:00", "the place closes at six, the courier comes at seven"
    assert found.ship_by == found.earliest == found.deliver_by


def test_what_is_never_worked_on_is_not_promised() -> None:
    at = on_the_wall("2026-03-03 09:00", NEW_YORK)
    closed = replace(WORKSHOP, closed=frozenset(date(2026, 2, 1) + timedelta(days=day) for day in range(200)))
    assert asked(at, board(at, closed)).shipped(place().id, 0, 1) is None
    assert asked(at, board(at, closed), pickup=True).picked_up(place().id) is None
    sundays = replace(PARCEL, working_days=frozenset({6}))
    assert asked(at, board(at, services=(sundays,))).shipped(place().id, 0, 1) is None, "it comes only when nobody is there"


def test_a_pickup_is_ready_while_the_shop_is_open() -> None:
    open_late = tuple(OpeningHours(weekday=day, opens_at=time(10), closes_at=time(20)) for day in range(7))
    shop = place(hours=open_late)
    story = {
        "2026-03-03 05:00": "2026-03-03 10:00",  # worked on from eight, handed over from ten
        "2026-03-03 08:30": "2026-03-03 10:30",
        "2026-03-03 13:59": "2026-03-03 15:59",
        "2026-03-03 14:01": "2026-03-04 10:00",
        "2026-03-06 18:00": "2026-03-09 10:00",
    }
    for ordered, ready in story.items():
        at = on_the_wall(ordered, NEW_YORK)
        found = asked(at, board(at, replace(WORKSHOP, pickup_minutes=120), shop), pickup=True).picked_up(shop.id)
        assert found is not None
        assert (wall(found.ship_by), found.service) == (ready, None), ordered
        assert found.ship_by == found.deliver_by == found.earliest


def test_where_nobody_said_anything_a_place_works_while_it_is_open_and_takes_what_carriers_still_take() -> None:
    at = on_the_wall("2026-03-03 16:59", NEW_YORK)
    found = sent(at, Schedule(name="other"), where=place(NEW_YORK))
    assert (wall(found.ship_by), wall(found.cutoff_at)) == ("2026-03-03 17:00", "2026-03-03 17:00")
    hours = tuple(OpeningHours(weekday=day, opens_at=time(9), closes_at=time(15)) for day in range(2))
    found = sent(at, Schedule(name="other"), where=place(NEW_YORK, hours=hours))
    assert wall(found.ship_by) == "2026-03-09 15:00", "closed from Wednesday to Sunday"


@pytest.mark.parametrize("zone", ZONES)
def test_a_promise_that_was_kept_reads_as_it_was_made(zone: str) -> None:
    made = sent(on_the_wall("2026-10-30 15:00", zone), where=place(zone))
    kept = read(document(made), Promise)
    assert (kept.deliver_on, kept.worked_on, kept.time_zone, kept.location) == (
        made.deliver_on,
        made.worked_on,
        zone,
        made.location,
    )
    assert [part.why for part in kept.parts] == [part.why for part in made.parts]
    instants = (kept.ship_by, kept.earliest, kept.deliver_by, kept.cutoff_at)
    assert instants == (made.ship_by, made.earliest, made.deliver_by, made.cutoff_at)
    assert read(document(kept), Promise) == kept
