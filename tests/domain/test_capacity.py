from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import OpeningHours
from gateway.domain.capacity import (
    bookings,
    day_named,
    day_of,
    is_made_up,
    limit_at,
    local_day,
    slot_beginning,
    slot_named,
    slot_of,
    slots_on,
)
from gateway.domain.fulfillments import Units
from gateway.domain.locations import Location
from tests.samples import MUG, PLACES

ZONES = ("UTC", "America/New_York", "Pacific/Auckland", "Pacific/Honolulu", "Australia/Lord_Howe", "Asia/Kathmandu")
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds UTC
NEW_YORK = ZoneInfo("America/New_York")


def shop(zone: str = "America/New_York", *hours: tuple[int, str, str], minutes: int | None = 60) -> Location:
    opening = tuple(
        OpeningHours(weekday=day, opens_at=time.fromisoformat(opens), closes_at=time.fromisoformat(closes))
        for day, opens, closes in hours
    )
    return replace(PLACES[0], time_zone=zone, hours=opening, slot_minutes=minutes, units_per_day=9, pickups_per_slot=2)


def starts(location: Location, on: date) -> list[str]:
    """When its slots begin, as the clock on its wall shows it."""
    return [f"{slot.start.astimezone(ZoneInfo(location.time_zone)):%H:%M}" for slot in slots_on(location, on)]


@pytest.mark.parametrize(
    ("at", "auckland", "honolulu"),
    [
        ("2026-03-02T09:59:59+00:00", "2026-03-02", "2026-03-01"),
        ("2026-03-02T10:00:00+00:00", "2026-03-02", "2026-03-02"),
        ("2026-03-02T10:59:59+00:00", "2026-03-02", "2026-03-02"),
        ("2026-03-02T11:00:00+00:00", "2026-03-03", "2026-03-02"),
    ],
)
def test_each_place_has_a_day_of_its_own(at: str, auckland: str, honolulu: str) -> None:
    instant = datetime.fromisoformat(at)
    assert local_day(shop("Pacific/Auckland"), instant).isoformat() == auckland
    assert local_day(shop("Pacific/Honolulu"), instant).isoformat() == honolulu


@given(at=INSTANTS, zone=st.sampled_from(ZONES), minutes=st.integers(20, 720))
def test_slots_are_of_equal_length_do_not_overlap_and_begin_on_their_day(at: datetime, zone: str, minutes: int) -> None:
    place = shop(zone, minutes=minutes)
    on = local_day(place, at)
    slots = slots_on(place, on)
    assert {slot.end - slot.start for slot in slots} <= {timedelta(minutes=minutes)}
    assert all(one.end <= other.start for one, other in pairwise(slots))
    assert {local_day(place, slot.start) for slot in slots} <= {on}
    for slot in slots[:: max(len(slots) // 3, 1)]:
        assert slot_beginning(place, slot.start) == slot
        assert slot_beginning(place, slot.start + timedelta(seconds=1)) is None
        assert slot_named(slot_of(slot.start)) == slot.start


@given(at=INSTANTS, zone=st.sampled_from(ZONES))
def test_no_two_slots_and_no_two_days_share_a_shelf(at: datetime, zone: str) -> None:
    place = shop(zone, minutes=30)
    days = [local_day(place, at) + timedelta(days=each) for each in range(-1, 2)]
    shelves = [slot_of(slot.start) for day in days for slot in slots_on(place, day)] + [day_of(day) for day in days]
    assert len(set(shelves)) == len(shelves)
    assert all(is_made_up(sku) for sku in shelves)
    assert not is_made_up(MUG)
    assert [day_named(sku) for sku in shelves[-3:]] == days


def test_a_shop_hands_over_while_it_is_open_and_a_slot_that_would_end_after_closing_is_none() -> None:
    place = shop("America/New_York", (0, "09:00", "12:30"), (0, "14:00", "16:00"))
    assert starts(place, date(2026, 3, 2)) == ["09:00", "10:00", "11:00", "14:00", "15:00"]
    assert starts(place, date(2026, 3, 3)) == []
    assert slots_on(place, date(2026, 3, 2))[0].start == datetime(2026, 3, 2, 14, tzinfo=UTC)


def test_a_shop_that_closes_after_midnight_has_slots_of_two_days() -> None:
    place = shop("America/New_York", (0, "22:00", "02:00"))
    assert starts(place, date(2026, 3, 2)) == ["22:00", "23:00"]
    assert starts(place, date(2026, 3, 3)) == ["00:00", "01:00"]
    assert starts(shop("UTC", (0, "22:00", "00:00")), date(2026, 3, 2)) == ["22:00", "23:00"]


def test_a_place_without_hours_hands_over_around_the_clock_and_one_without_slots_never_in_slots() -> None:
    assert len(slots_on(shop("UTC"), date(2026, 3, 2))) == 24
    assert slots_on(shop("UTC", minutes=None), date(2026, 3, 2)) == ()


def test_on_the_days_on_which_clocks_change_there_are_as_many_slots_as_hours() -> None:
    place = shop()
    spring, autumn = date(2026, 3, 8), date(2026, 11, 1)
    assert len(slots_on(place, spring)) == 23
    assert starts(place, spring)[:4] == ["00:00", "01:00", "03:00", "04:00"]
    assert len(slots_on(place, autumn)) == 25
    assert starts(place, autumn)[:4] == ["00:00", "01:00", "01:00", "02:00"]
    assert starts(shop("America/New_York", (6, "09:00", "11:00")), spring) == ["09:00", "10:00"]


def test_the_two_one_oclocks_of_an_autumn_night_are_two_slots() -> None:
    place = shop()
    first = datetime(2026, 11, 1, 1, tzinfo=NEW_YORK)
    second = first.replace(fold=1)
    slots = [slot_beginning(place, each.astimezone(UTC)) for each in (first, second)]
    assert None not in slots
    assert len({slot_of(each) for each in (first, second)}) == 2


def test_only_what_has_a_limit_is_counted() -> None:
    place, day, slot = shop(), day_of(date(2026, 3, 2)), datetime(2026, 3, 2, 15, tzinfo=UTC)
    assert bookings(place, 5, day=day, slot=slot) == (Units(sku=day, units=5), Units(sku=slot_of(slot), units=1))
    assert bookings(place, 5, day=day, slot=None) == (Units(sku=day, units=5),)
    assert bookings(replace(place, pickups_per_slot=None), 5, day=day, slot=slot) == (Units(sku=day, units=5),)
    assert bookings(replace(place, units_per_day=None), 5, day=day, slot=slot) == (Units(sku=slot_of(slot), units=1),)
    assert (limit_at(place, day), limit_at(place, slot_of(slot))) == (9, 2)
