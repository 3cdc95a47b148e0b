"""From the rows of a merchant's database to levels, places and SKUs."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.contract import ContractBroken, RemoteLevel, RemoteLocation, RemoteLocationId, Sku, StockBatch
from connectors.described import NoRow, Place
from connectors.sql.database import Table
from connectors.sql.settings import SqlSettings

UNITS_MAX: Final = 10**12

Shelf = tuple[Sku, RemoteLocationId]
Record = Mapping[str, Any]


def parse_stock(table: Table, *, asked: Sequence[Sku], places: Sequence[RemoteLocationId], settings: SqlSettings) -> StockBatch:
    """What these rows say of the SKUs asked for, at the places we know.

    Raises:
        ContractBroken: A column is missing, a number is none, or a SKU has two rows at a place.
    """
    _check_columns(table.columns, places)
    wanted, known = frozenset(asked), frozenset(places)
    names: dict[Sku, str] = {}
    found: dict[Shelf, RemoteLevel] = {}
    for record in table.records():
        level = _level(record, places, settings)
        if level.sku not in wanted or level.location not in known:
            continue
        if (level.sku, level.location) in found:
            raise ContractBroken(f"two rows for {level.sku} at {level.location}: let the statement add them up")
        found[level.sku, level.location] = level
        if record.get("name"):
            names[level.sku] = str(record["name"])
    if settings.no_row is NoRow.ZERO:
        found = {**_empty(asked, places), **found}
    carried = {sku for sku, _ in found}
    return StockBatch(levels=tuple(found.values()), unknown=wanted - carried, names=names)


def _check_columns(columns: Sequence[str], places: Sequence[RemoteLocationId]) -> None:
    there = set(columns)
    if "sku" not in there or not ("available" in there or {"on_hand", "committed"} <= there):
        raise ContractBroken(f"sku, and available or on_hand and committed, are needed; there is {', '.join(columns)}")
    if len(there) < len(columns):
        raise ContractBroken(f"two columns have one name: {', '.join(columns)}")
    if "location" not in there and len(places) != 1:
        raise ContractBroken("without a column called location there can be only one place")


def _empty(asked: Iterable[Sku], places: Iterable[RemoteLocationId]) -> dict[Shelf, RemoteLevel]:
    here = tuple(places)
    return {(sku, place): RemoteLevel(sku=sku, location=place, on_hand=0, available=0) for sku in asked for place in here}


def _level(record: Record, places: Sequence[RemoteLocationId], settings: SqlSettings) -> RemoteLevel:
    on_hand, committed = _units(record, "on_hand"), _units(record, "committed")
    if "available" in record:
        available = _units(record, "available")
    else:
        available = None if on_hand is None or committed is None else on_hand - committed
    location = record["location"] if "location" in record else places[0]
    return RemoteLevel(
        sku=Sku(str(record["sku"])),
        location=RemoteLocationId(str(location)),
        on_hand=on_hand,
        available=available,
        committed=committed,
        incoming=_units(record, "incoming"),
        as_of=_instant(record.get("as_of"), settings),
    )


def _units(record: Record, column: str) -> int | None:
    """Whole units; None where there is no such column, or it holds NULL."""
    value = record.get(column)
    if value is None:
        return None
    try:
        quantity = Decimal("NaN") if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        quantity = Decimal("NaN")
    if not quantity.is_finite() or abs(quantity) > UNITS_MAX:
        raise ContractBroken(f"{column} of {record['sku']} is {str(value)[:40]!r}, not a number of things")
    return math.floor(quantity)


def _instant(value: object, settings: SqlSettings) -> datetime | None:
    """A time with an offset. SQLite has no type for it: there it is text."""
    if value is None:
        return None
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise ContractBroken(f"as_of is {str(value)[:40]!r}, not a time") from None
    return time.replace(tzinfo=ZoneInfo(settings.time_zone)) if time.tzinfo is None else time


def parse_skus(table: Table) -> tuple[Sku, ...]:
    """The SKUs of these rows, each once, in their order.

    Raises:
        ContractBroken: There is no such column.
    """
    if "sku" not in table.columns:
        raise ContractBroken(f"there is no column called sku, but {', '.join(table.columns)}")
    place = table.columns.index("sku")
    return tuple(dict.fromkeys(Sku(str(row[place])) for row in table.rows if row[place] is not None))


def parse_places(table: Table) -> tuple[RemoteLocation, ...]:
    """The places of these rows.

    Raises:
        ContractBroken: There are none, two with one id, or one without.
    """
    if "id" not in table.columns:
        raise ContractBroken(f"there is no column called id, but {', '.join(table.columns)}")
    found = {place.id: place for place in map(_place, table.records())}
    if not found or len(found) < len(table.rows):
        raise ContractBroken("no places, or two with one id")
    return tuple(place.location() for place in found.values())


def _place(record: Record) -> Place:
    if record["id"] is None:
        raise ContractBroken("a place without an id")
    words = {name: None if value is None else str(value) for name, value in record.items()}
    return Place(
        id=str(record["id"]),
        latitude=_degrees(record.get("latitude")),
        longitude=_degrees(record.get("longitude")),
        **{name: words.get(name) for name in ("name", "street", "city", "region", "postal_code", "country_code", "time_zone")},
    )


def _degrees(value: Any) -> float | None:
    try:
        degrees = None if value is None else float(value)
    except (TypeError, ValueError):
        degrees = math.nan
    if degrees is not None and not math.isfinite(degrees):
        raise ContractBroken(f"{str(value)[:40]!r} is no latitude or longitude")
    return degrees
