"""Days off: by rule, by list, and by what the operator knows better."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, time, timedelta

import pytest

from connectors.contract import Address
from gateway.domain.delivery import MONDAY_TO_FRIDAY, US_CARRIERS, Calendar, Carrier, Destination, HalfDay, Schedule, Shift, Terms
from gateway.domain.delivery.calendars import days_off, usual_holidays
from gateway.domain.delivery.schedules import hours_of
from gateway.domain.geography import PostalArea
from gateway.domain.locations import LocationKind
from tests.domain.delivery.places import PARCEL, place


def off(calendar: Calendar, year: int) -> list[str]:
    """The days of a year on which it does not work, as month and day."""
    first, days = date(year, 1, 1), 366
    mask = calendar.over(first, days).tolist()
    found = [first + timedelta(days=number) for number in range(days) if not mask[number]]
    return [f"{day:%m-%d}" for day in found if day.year == year]


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2026, ["01-01", "05-25", "07-04", "09-07", "11-26", "12-25"]),
        (2027, ["01-01", "05-31", "07-05", "09-06", "11-25", "12-25"]),
        (2028, ["01-01", "05-29", "07-04", "09-04", "11-23", "12-25"]),
        (2033, ["01-01", "05-30", "07-04", "09-05", "11-24", "12-26"]),
        (2034, ["01-02", "05-29", "07-04", "09-04", "11-23", "12-25"]),
    ],
)
def test_carriers_of_the_united_states_keep_six_days(year: int, days: list[str]) -> None:
    assert off(Calendar(holidays=(US_CARRIERS,)), year) == days


def test_public_holidays_are_another_list_and_each_part_of_a_country_has_its_own() -> None:
    assert {date(2026, 6, 19), date(2026, 11, 11)} <= days_off("US", 2026) - days_off(US_CARRIERS, 2026)
    assert date(2026, 3, 8) in days_off("DE-BE", 2026) - days_off("DE", 2026)


def test_the_operator_has_the_last_word() -> None:
    calendar = Calendar(
        weekdays=MONDAY_TO_FRIDAY,
        holidays=(US_CARRIERS,),
        closed=frozenset({date(2026, 12, 24)}),
        worked=frozenset({date(2026, 12, 25), date(2026, 12, 26), date(2026, 12, 24)}),
    )
    found = dict(zip(range(21, 28), calendar.over(date(2026, 12, 21), 7).tolist(), strict=True))
    assert found == {21: True, 22: True, 23: True, 24: True, 25: True, 26: True, 27: False}


def test_a_calendar_goes_on_into_the_next_year() -> None:
    assert Calendar(holidays=(US_CARRIERS,)).over(date(2026, 12, 30), 3).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("country", "region", "lists"),
    [
        ("US", "NY", (US_CARRIERS,)),
        ("", "", (US_CARRIERS,)),
        ("DE", "BE", ("DE-BE",)),
        ("DE", "Nowhere", ("DE",)),
        ("ZZ", "", (US_CARRIERS,)),
    ],
)
def test_without_a_word_of_the_operator_a_place_keeps_what_is_usual_there(
    country: str, region: str, lists: tuple[str, ...]
) -> None:
    assert usual_holidays(country, region) == lists
    address = Address(lines=(), city="", postal_code="", country_code=country, region=region)
    assert hours_of(place(address=address), Schedule()).schedule.holidays == lists
    assert hours_of(place(address=address), Schedule(holidays=())).schedule.holidays == ()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Calendar(weekdays=frozenset()),
        lambda: Calendar(weekdays=frozenset({7})),
        lambda: Calendar(holidays=("Utopia",)),
        lambda: Calendar(holidays=("US-ZZ",)),
        lambda: Calendar(closed=frozenset(date(2026, 1, 1) + timedelta(days=day) for day in range(1_001))),
        lambda: Shift(opens=time(9), closes=time(17), cutoff=time(18)),
        lambda: Shift(opens=time(9), closes=time(17).replace(tzinfo=UTC)),
        lambda: HalfDay(on=date(2026, 12, 24), closes=time(13), cutoff=time(14)),
        lambda: Schedule(half_days=(HalfDay(on=date(2026, 12, 24), closes=time(13)),) * 2),
        lambda: Schedule(processing_days=31),
        lambda: Schedule(processing_minutes=-1),
        lambda: Schedule(holidays=("XX",)),
        lambda: Carrier(on_time=1.5),
        lambda: Carrier(early_days=-1),
        lambda: Destination(areas=("nowhere",)),
        lambda: Destination(time_zone="Mars/Olympus"),
        lambda: Terms(schedules=(Schedule(name="a"), Schedule(name="a"))),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError):
        wrong()


def test_the_first_that_speaks_of_something_counts() -> None:
    shops, others = Schedule(name="shops", kinds=frozenset({LocationKind.WAREHOUSE})), Schedule(name="others")
    terms = Terms(
        schedules=(others, shops),
        carriers=(Carrier(name="Bike"), Carrier(name="Post", service="Letter"), Carrier(on_time=0.5)),
        destinations=(Destination(areas=("CA",), time_zone="America/Toronto"), Destination(time_zone="America/Chicago")),
    )
    here = place()
    assert terms.schedule_of(here).name == "", "it names another, which there is not"
    assert terms.schedule_of(replace(here, schedule=None)).name == "shops", "by its kind"
    assert terms.schedule_of(replace(here, schedule="others")).name == "others"
    assert terms.carrier_of(PARCEL).on_time == 0.5
    assert terms.destination_of(PostalArea("CA:M5V")).time_zone == "America/Toronto"
    assert terms.destination_of(PostalArea("US:60601")).time_zone == "America/Chicago"
