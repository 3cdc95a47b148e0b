"""From Square's locations to ours."""

from collections.abc import Mapping
from datetime import time
from typing import Final

from connectors.contract import Address, ContractBroken, Method, OpeningHours, RemoteLocation, RemoteLocationId
from connectors.square.wire import LocationRow, Period

_WEEKDAYS: Final[Mapping[str, int]] = {"MON": 0, "TUE": 1, "WED": 2, "THU": 3, "FRI": 4, "SAT": 5, "SUN": 6}
_STORE_METHODS: Final = frozenset({Method.SHIP, Method.PICKUP})


def parse_location(row: LocationRow) -> RemoteLocation:
    """One store.

    Raises:
        ContractBroken: Its opening hours cannot be read.
    """
    periods = (row.business_hours.periods if row.business_hours else None) or ()
    return RemoteLocation(
        id=RemoteLocationId(row.id),
        name=row.name or row.id,
        address=_address(row),
        time_zone=row.timezone or None,
        methods=_STORE_METHODS,
        hours=tuple(_opening(each) for each in periods),
        active=row.status == "ACTIVE",
    )


def _address(row: LocationRow) -> Address | None:
    if row.address is None or not row.address.country:
        return None
    lines = (row.address.address_line_1, row.address.address_line_2, row.address.address_line_3)
    return Address(
        lines=tuple(line for line in lines if line),
        city=row.address.locality or "",
        region=row.address.administrative_district_level_1,
        postal_code=row.address.postal_code or "",
        country_code=row.address.country,
        latitude=row.coordinates.latitude if row.coordinates else None,
        longitude=row.coordinates.longitude if row.coordinates else None,
    )


def _opening(period: Period) -> OpeningHours:
    weekday = _WEEKDAYS.get(period.day_of_week or "")
    if weekday is None:
        raise ContractBroken(f"{period.day_of_week!r} is not a day of the week")
    return OpeningHours(
        weekday=weekday,
        opens_at=_local_time(period.start_local_time),
        closes_at=_local_time(period.end_local_time),
    )


def _local_time(text: str | None) -> time:
    # The specification's own example is "8:30:00": ISO 8601 but for the missing zero.
    try:
        return time.fromisoformat((text or "").zfill(8))
    except ValueError:
        raise ContractBroken(f"{text!r} is not a time of day") from None
