"""What no promise may break, whatever the hours, the clocks and the queue."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.delivery import LATE, NEVER, US_CARRIERS, Booked, HalfDay, Promise, Schedule, Shift, arrivals, days_late
from gateway.domain.identity import LocationId
from tests.domain.delivery.places import COURIER, EVERYWHERE, PARCEL, ZONES, asked, board, place, seen

FEW = settings(max_examples=25, deadline=None)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds UTC
QUARTERS = st.integers(0, 95).map(lambda quarter: time(quarter // 4, 15 * (quarter % 4)))
WEEKDAYS = st.frozensets(st.integers(0, 6), min_size=1)
HERE = place().id


@st.composite
def shifts(draw: st.DrawFn) -> Shift:
    opens, closes = draw(QUARTERS), draw(QUARTERS)
    length = (closes.hour * 60 + closes.minute - opens.hour * 60 - opens.minute - 1) % 1440 + 1
    after = draw(st.integers(0, length))
    cutoff = (datetime.combine(date(2026, 1, 1), opens) + timedelta(minutes=after)).time()
    return Shift(weekdays=draw(WEEKDAYS), opens=opens, closes=closes, cutoff=None if after == length else cutoff)


DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
HALF_DAYS = st.lists(st.builds(HalfDay, on=DAYS, closes=QUARTERS), max_size=60, unique_by=lambda half: half.on)
SCHEDULES = st.builds(
    Schedule,
    name=st.just("workshop"),
    shifts=st.lists(shifts(), min_size=1, max_size=3).map(tuple),
    holidays=st.sampled_from([(), (US_CARRIERS,), ("DE-BE",)]),
    half_days=HALF_DAYS.map(tuple),
    closed=st.frozensets(DAYS, max_size=60),
    processing_days=st.integers(0, 3),
    processing_minutes=st.integers(0, 2_000),
    pickup_minutes=st.integers(0, 500),
)
PLACES = st.sampled_from(ZONES).map(place)


def promised(at: datetime, schedule: Schedule, zone: str) -> Promise | None:
    known = board(at, schedule, place(zone))
    return asked(at, known, zone=zone).shipped(HERE, 0, 1)


def soon(promise: Promise | None) -> tuple[datetime, datetime]:
    """When it leaves and arrives, as instants that compare; what never does, at the end of all days."""
    never = datetime.max.replace(tzinfo=UTC)
    if promise is None:
        return never, never
    return promise.ship_by.astimezone(UTC), promise.deliver_by.astimezone(UTC)


@FEW
@given(at=INSTANTS, schedule=SCHEDULES, zone=st.sampled_from(ZONES))
def test_everything_happens_after_the_order_and_in_the_order_told(at: datetime, schedule: Schedule, zone: str) -> None:
    found = promised(at, schedule, zone)
    if found is not None:
        told = [part.at.astimezone(UTC) for part in found.parts]
        assert told[0] == at
        assert all(one <= other for one, other in pairwise(told))
        assert at <= found.ship_by.astimezone(UTC) <= found.earliest.astimezone(UTC) <= found.deliver_by.astimezone(UTC)
    known = board(at, schedule, place(zone))
    ready = asked(at, known, pickup=True).picked_up(HERE)
    assert ready is None or ready.ship_by.astimezone(UTC) >= at


@FEW
@given(at=INSTANTS, schedule=SCHEDULES, zone=st.sampled_from(ZONES), later=st.timedeltas(timedelta(0), timedelta(days=9)))
def test_who_orders_later_is_never_served_sooner(at: datetime, schedule: Schedule, zone: str, later: timedelta) -> None:
    one, other = soon(promised(at, schedule, zone)), soon(promised(at + later, schedule, zone))
    assert one[0] <= other[0]
    assert one[1] <= other[1]


@FEW
@given(at=INSTANTS, schedule=SCHEDULES, zone=st.sampled_from(ZONES))
def test_a_later_cutoff_less_work_and_fewer_holidays_never_promise_later(at: datetime, schedule: Schedule, zone: str) -> None:
    usual = soon(promised(at, schedule, zone))
    for better in (
        replace(schedule, shifts=tuple(replace(shift, cutoff=None) for shift in schedule.shifts)),
        replace(schedule, processing_minutes=schedule.processing_minutes // 2),
        replace(schedule, processing_days=0),
        replace(schedule, holidays=(), closed=frozenset()),
    ):
        assert soon(promised(at, better, zone)) <= usual
    # On a half day the carrier comes earlier, so that what is in time for it leaves sooner than usual, but it arrives no sooner.
    assert soon(promised(at, replace(schedule, half_days=()), zone))[1] <= usual[1]


@FEW
@given(at=INSTANTS, schedule=SCHEDULES, zone=st.sampled_from(ZONES))
def test_a_promise_holds_until_its_cutoff_and_not_a_minute_longer(at: datetime, schedule: Schedule, zone: str) -> None:
    found = promised(at, schedule, zone)
    if found is None:
        return
    until = found.cutoff_at.astimezone(UTC)
    assert until >= at
    assert soon(promised(until, schedule, zone)) == soon(found)
    assert soon(promised(until + timedelta(minutes=1), schedule, zone))[0] > soon(found)[0]


@FEW
@given(
    at=INSTANTS,
    limit=st.integers(0, 9),
    booked=st.dictionaries(st.integers(0, 8), st.integers(1, 20)),
    units=st.integers(1, 12),
)
def test_who_waits_behind_others_is_served_on_the_day_that_a_queue_says(
    at: datetime, limit: int, booked: dict[int, int], units: int
) -> None:
    shop = place("Asia/Kolkata", units_per_day=limit)
    schedule = Schedule(name="workshop", shifts=(Shift(weekdays=frozenset(range(6)), opens=time(8), closes=time(18)),), holidays=())
    known = board(at, schedule, shop)
    waiting: Booked = {(shop.id, known.first + timedelta(days=day)): count for day, count in booked.items()}
    found = known.departures(at, units=units, booked=waiting)
    begins = found.begins[0]

    unlimited = board(at, schedule, replace(shop, units_per_day=None))
    alone = seen(unlimited.departures(at).begins[0]) + timedelta(hours=5, minutes=30)
    queue, mine, today = 0, units, known.first
    while mine and today < known.first + timedelta(days=100):
        queue += waiting.get((shop.id, today), 0)
        if today.weekday() != 6:
            room = max(limit - queue, 0)
            queue = max(queue - limit, 0)
            mine -= min(room, mine) if today >= alone.date() else 0
        today += timedelta(days=1)
    if mine:
        assert begins >= NEVER
    else:
        assert (seen(begins) + timedelta(hours=5, minutes=30)).date() == today - timedelta(days=1)


@FEW
@given(at=INSTANTS, schedule=SCHEDULES, zone=st.sampled_from(ZONES))
def test_what_is_in_time_for_the_last_cutoff_leaves_as_if_it_was_ordered_then(at: datetime, schedule: Schedule, zone: str) -> None:
    known, here = board(at, schedule, place(zone)), ZoneInfo(zone)
    cutoffs = [datetime.fromtimestamp(minute * 60, here) for minute in known.spells[0].cutoff.tolist()]
    passed = [each for each in cutoffs if each < at and each.date() == at.astimezone(here).date()]
    as_if = known.departures(max(passed, default=at))
    in_time = known.departures(at, in_time=True)
    assert [in_time.begins.tolist(), in_time.leaves.tolist()] == [as_if.begins.tolist(), as_if.leaves.tolist()]
    if passed:
        assert known.cutoff(0, at) == max(passed).time()


@FEW
@given(at=INSTANTS, schedule=SCHEDULES, zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=6), postal=st.integers(1, 2))
def test_arrays_say_what_promises_say(at: datetime, schedule: Schedule, zones: list[str], postal: int) -> None:
    shops = [replace(place(zone), id=LocationId(f"{number}")) for number, zone in enumerate(zones)]
    known = board(at, schedule, *shops, services=(PARCEL, COURIER))
    read = asked(at, known, zone=zones[0])
    days = arrivals(known, read.departures, np.full(len(shops), postal), EVERYWHERE.calendar)
    assert days.shape == (len(shops), 2)
    late = days_late(days, at.date())
    for place_index, shop in enumerate(shops):
        found = read.shipped(shop.id, 0, postal)
        day = days[place_index, 0]
        if found is None:
            assert np.isnat(day)
            assert late[place_index, 0] == LATE
        else:
            assert day.astype(date) == found.deliver_on
            assert late[place_index, 0] == max((found.deliver_on - at.date()).days, 0)


def test_days_late_are_counted_from_the_promised_day_on() -> None:
    days = np.array([["2026-03-02", "2026-03-04"], ["2026-03-09", "NaT"]], dtype="datetime64[D]")
    assert days_late(days, date(2026, 3, 4)).tolist() == [[0, 0], [5, LATE]]
