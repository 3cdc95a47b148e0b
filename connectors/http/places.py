"""The locations of a source: as configured, or as it lists them."""

from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from connectors.contract import ContractBroken, RemoteLocation
from connectors.described import Place
from connectors.http.plans import PlacesPlan


def configured(places: Iterable[Place]) -> tuple[RemoteLocation, ...]:
    """What a person wrote down."""
    return tuple(place.location() for place in places)


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
            found.setdefault(place.id, place.location(active=active))
    return tuple(found.values())


def _place(said: Mapping[str, str | None]) -> Place:
    country = (said.get("country_code") or "").upper()
    return Place(
        id=said.get("id") or "",
        name=said.get("name"),
        street=said.get("street"),
        city=said.get("city"),
        region=said.get("region"),
        postal_code=said.get("postal_code"),
        country_code=country if len(country) == 2 else None,
        latitude=_degrees(said.get("latitude")),
        longitude=_degrees(said.get("longitude")),
        time_zone=_known_zone(said.get("time_zone")),
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
