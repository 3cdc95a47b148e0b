"""The locations of a source: as configured, or as it lists them."""

from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from connectors.contract import Address, ContractBroken, RemoteLocation, RemoteLocationId
from connectors.http.plans import PlacesPlan
from connectors.http.tables import PlaceTable


def configured(places: Iterable[PlaceTable]) -> tuple[RemoteLocation, ...]:
    """What a person wrote down."""
    return tuple(_location(place) for place in places)


def parse_places(rows: Iterable[tuple[Any, Any]], plan: PlacesPlan) -> tuple[RemoteLocation, ...]:
    """What the source lists. One that is there twice is the first of them.

    Raises:
        ContractBroken: A field is missing or cannot be read.
    """
    found: dict[str, RemoteLocation] = {}
    for row, around in rows:
        active = plan.active_if is None or plan.active_if.holds(row)
        place = _place({name: field.text_of(row, around) for name, field in plan.fields.items()})
        if place.id:
            found.setdefault(place.id, _location(place, active=active))
    return tuple(found.values())


def _place(said: Mapping[str, str | None]) -> PlaceTable:
    country = (said.get("country_code") or "").upper()
    return PlaceTable(
        id=said.get("id") or "",
        name=said.get("name"),
        street=said.get("street") or "",
        city=said.get("city") or "",
        region=said.get("region"),
        postal_code=said.get("postal_code") or "",
        country_code=country if len(country) == 2 else None,
        latitude=_degrees(said.get("latitude")),
        longitude=_degrees(said.get("longitude")),
        time_zone=_known_zone(said.get("time_zone")),
    )


def _location(place: PlaceTable, *, active: bool = True) -> RemoteLocation:
    address = None
    if place.country_code:
        address = Address(
            lines=(place.street,) if place.street else (),
            city=place.city,
            region=place.region,
            postal_code=place.postal_code,
            country_code=place.country_code.upper(),
            latitude=place.latitude,
            longitude=place.longitude,
        )
    return RemoteLocation(
        id=RemoteLocationId(place.id), name=place.name or place.id, address=address, time_zone=place.time_zone, active=active
    )


def _degrees(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise ContractBroken(f"{text[:40] if text else ''!r} is not a latitude or longitude") from None


def _known_zone(name: str | None) -> str | None:
    try:
        return ZoneInfo(name).key if name else None
    except (LookupError, ValueError, OSError):
        return None  # a source that writes CET+1 still has stock
