"""What an operator can say of working hours, carriers and customers; and what happens when it is wrong."""

from datetime import date, time
from pathlib import Path

import pytest

from gateway.configuration import Misconfigured, load
from gateway.domain.delivery import US_CARRIERS, Carrier, Destination, HalfDay, Schedule, Shift, Terms
from gateway.domain.locations import LocationKind
from gateway.settings import Settings

NEEDED = """[sources.stores]
connector = "square"
access_token = "env:SQUARE"

[[sources.stores.locations]]
id = "L1"
schedule = "downtown"

[[tokens]]
name = "king"
role = "OPERATOR"
secret = "env:KING"

"""
SECRETS = {"SQUARE": "sq0", "KING": "crown"}

WHOLE = """[[delivery.schedules]]
name = "downtown"
kinds = ["STORE"]
holidays = ["us-carriers", "US-NY"]
closed = [2026-12-26]
worked = [2026-02-12]
half_days = [{on = 2026-12-24, closes = 13:00:00, cutoff = 11:00:00}]
processing_minutes = 90
pickup_minutes = 60

[[delivery.schedules.shifts]]
weekdays = [0, 1, 2, 3, 4]
opens = 09:00:00
closes = 18:00:00
cutoff = 14:00:00

[[delivery.schedules.shifts]]
weekdays = [5]
opens = 10:00:00
closes = 14:00:00

[[delivery.carriers]]
name = "US parcel carrier"
service = "Ground"
early_days = 1
on_time = 0.94

[[delivery.destinations]]
areas = ["US:967", "US:968"]
time_zone = "Pacific/Honolulu"
weekdays = [0, 1, 2, 3, 4]
"""


def loaded(folder: Path, text: str) -> Settings:
    file = folder / "dom.toml"
    file.write_text(NEEDED + text)
    return load(file, SECRETS)


def test_hours_carriers_and_customers_are_read_as_they_are_written(tmp_path: Path) -> None:
    settings = loaded(tmp_path, WHOLE)
    assert settings.delivery == Terms(
        schedules=(
            Schedule(
                name="downtown",
                kinds=frozenset({LocationKind.STORE}),
                shifts=(
                    Shift(opens=time(9), closes=time(18), cutoff=time(14)),
                    Shift(weekdays=frozenset({5}), opens=time(10), closes=time(14)),
                ),
                holidays=(US_CARRIERS, "US-NY"),
                closed=frozenset({date(2026, 12, 26)}),
                worked=frozenset({date(2026, 2, 12)}),
                half_days=(HalfDay(on=date(2026, 12, 24), closes=time(13), cutoff=time(11)),),
                processing_minutes=90,
                pickup_minutes=60,
            ),
        ),
        carriers=(Carrier(name="US parcel carrier", service="Ground", early_days=1, on_time=0.94),),
        destinations=(Destination(areas=("US:967", "US:968"), time_zone="Pacific/Honolulu", weekdays=frozenset(range(5))),),
    )
    (corrections,) = (source.corrections for source in settings.sources)
    assert [each.schedule for each in corrections.values()] == ["downtown"]


@pytest.mark.parametrize(
    ("written", "instead", "key", "told"),
    [
        ('name = "downtown"', 'name = "uptown"', "sources.stores.locations.0.schedule", "there is uptown"),
        ('"US-NY"', '"US-ZZ"', "delivery.schedules.0", "not 'US-ZZ'"),
        ("cutoff = 14:00:00", "cutoff = 19:00:00", "delivery.schedules.0.shifts.0", "between 09:00 and 18:00"),
        ("weekdays = [5]", "weekdays = [7]", "delivery.schedules.0.shifts.1", "0 (Monday) and 6"),
        ("on_time = 0.94", "on_time = 94", "delivery.carriers.0", "a share between 0 and 1"),
        ("Pacific/Honolulu", "Pacific/Atlantis", "delivery.destinations.0", "IANA"),
        ("opens = 09:00:00", 'opens = "nine"', "delivery.schedules.0.shifts.0.opens", "Invalid"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, written: str, instead: str, key: str, told: str) -> None:
    assert written in WHOLE
    with pytest.raises(Misconfigured) as found:
        loaded(tmp_path, WHOLE.replace(written, instead, 1))
    about = {mistake.key: mistake.problem for mistake in found.value.mistakes}
    assert told in about[key]
    assert all(mistake.line for mistake in found.value.mistakes)
