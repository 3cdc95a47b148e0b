"""From records of any shape to stock levels."""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from connectors.contract import ContractBroken, RemoteLevel, RemoteLocationId, Sku, StockBatch
from connectors.http.plans import StockPlan
from connectors.http.tables import NoRow
from connectors.http.words import Field

UNITS_MAX: Final = 10**12

Shelf = tuple[Sku, RemoteLocationId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one request said of the SKUs it asked for. ``foreign``: it said something of others, too."""

    levels: dict[Shelf, RemoteLevel]
    names: dict[Sku, str]
    foreign: bool


def parse_rows(rows: Iterable[tuple[Any, Any]], *, plan: StockPlan, asked: Collection[Sku], places: Collection[str]) -> Told:
    """What these records say. Those of other SKUs are dropped, as are those of other locations than ``places``, if there are any.

    Raises:
        ContractBroken: A field is missing or cannot be read, or a shelf is there twice.
    """
    levels: dict[Shelf, RemoteLevel] = {}
    names: dict[Sku, str] = {}
    foreign = False
    for row, around in rows:
        sku, location = Sku(plan.sku.text_of(row, around) or ""), RemoteLocationId(plan.location.text_of(row, around) or "")
        if sku not in asked:
            foreign = True
        elif not places or location in places:
            level = _level(plan, row, around, sku, location)
            before = levels.get((sku, location))
            levels[sku, location] = level if before is None else _both(plan, before, level)
            if plan.name is not None and (name := plan.name.text_of(row, around)):
                names[sku] = name
    return Told(levels=levels, names=names, foreign=foreign)


def batch_of(told: Iterable[Told], *, plan: StockPlan, asked: Sequence[Sku], locations: Iterable[RemoteLocationId]) -> StockBatch:
    """The levels of all requests; where silence means zero, a level for each of ``locations`` that was not spoken of.

    A source that speaks of what it was not asked for does not know our filter, and may have cut its list: of what is missing
    there, nothing is known.
    """
    levels: dict[Shelf, RemoteLevel] = {}
    names: dict[Sku, str] = {}
    cut = False
    for each in told:
        levels |= each.levels
        names |= each.names
        cut = cut or each.foreign
    if plan.no_row is NoRow.ZERO and not cut:
        silent = {(sku, place): _empty(plan, sku, place) for sku in asked for place in locations}
        levels = silent | levels
    unknown = frozenset(asked) - {sku for sku, _ in levels}
    return StockBatch(levels=tuple(levels.values()), unknown=unknown, names=names)


def _level(plan: StockPlan, row: Any, around: Any, sku: Sku, location: RemoteLocationId) -> RemoteLevel:
    on_hand = _quantity("on_hand", plan.on_hand, row, around)
    committed = _quantity("committed", plan.committed, row, around)
    available = _quantity("available", plan.available, row, around)
    if plan.available is None and on_hand is not None and committed is not None:
        available = on_hand - committed
    return RemoteLevel(
        sku=sku,
        location=location,
        on_hand=_floor(on_hand),
        available=_floor(available),
        committed=_floor(committed),
        incoming=_floor(_quantity("incoming", plan.incoming, row, around)),
        as_of=_instant(plan, row, around),
    )


def _both(plan: StockPlan, one: RemoteLevel, other: RemoteLevel) -> RemoteLevel:
    if not plan.rows_add_up:
        raise ContractBroken(f"{one.sku} at {one.location} is there twice; if that adds up, set stock.rows_add_up = true")
    return replace(
        one,
        on_hand=_sum(one.on_hand, other.on_hand),
        available=_sum(one.available, other.available),
        committed=_sum(one.committed, other.committed),
        incoming=_sum(one.incoming, other.incoming),
        as_of=min(filter(None, (one.as_of, other.as_of)), default=None),
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _empty(plan: StockPlan, sku: Sku, location: RemoteLocationId) -> RemoteLevel:
    return RemoteLevel(sku=sku, location=location, on_hand=0 if plan.on_hand else None, available=0)


# ---------------------------------------------------------------------------------------------- values
def _quantity(key: str, field: Field | None, row: Any, around: Any) -> Decimal | None:
    value = None if field is None else field.of(row, around)
    if value is None:
        return None
    try:
        quantity = Decimal(str(value)) if isinstance(value, int | float | str) and not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        quantity = Decimal("NaN")
    if not quantity.is_finite() or abs(quantity) > UNITS_MAX:
        raise ContractBroken(f"stock.{key} is {str(value)[:40]!r}, not a number of things")
    return quantity


def _floor(quantity: Decimal | None) -> int | None:
    return None if quantity is None else math.floor(quantity)


def _instant(plan: StockPlan, row: Any, around: Any) -> datetime | None:
    value = None if plan.as_of is None else plan.as_of.of(row, around)
    if value is None or value == "":
        return None
    try:
        at = _read_instant(value, plan.as_of_format)
    except (ValueError, OverflowError, OSError, TypeError):
        raise ContractBroken(f"stock.as_of is {str(value)[:40]!r}; stock.as_of_format says how it is written") from None
    if at.tzinfo is not None:
        return at
    return at.replace(tzinfo=plan.time_zone) if plan.time_zone is not None else None


def _read_instant(value: Any, written: str | None) -> datetime:
    match written:
        case None:
            return datetime.fromisoformat(value)
        case "unix":
            return datetime.fromtimestamp(float(value), UTC)
        case "unix_ms":
            return datetime.fromtimestamp(float(value) / 1000, UTC)
        case _:
            return datetime.strptime(value, written)  # noqa: DTZ007  the zone is the caller's to add
