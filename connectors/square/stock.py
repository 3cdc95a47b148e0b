"""From Square's counts to stock levels."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from math import floor
from typing import Final

from connectors.contract import ContractBroken, RemoteLevel, RemoteLocationId, Sku, StockBatch
from connectors.square.catalog import Variations
from connectors.square.wire import CountRow

UNITS_MAX: Final = 10**12

Shelf = tuple[Sku, RemoteLocationId]


def parse_counts(
    rows: Iterable[CountRow], *, asked: Sequence[Sku], variations: Variations, stores: Iterable[RemoteLocationId]
) -> StockBatch:
    """What these counts say of the SKUs asked for.

    Counts of variations that share a SKU add up. A store that carries the SKU and has no count is unknown there, and so is
    nothing else: a count of a variation that was not asked for, or of a store that does not carry it, is dropped.

    Raises:
        ContractBroken: A quantity is not a number.
    """
    by_id = {each.id: each for several in variations.values() for each in several}
    levels: dict[Shelf, RemoteLevel] = {
        (sku, store): RemoteLevel(sku=sku, location=store)
        for sku, several in variations.items()
        for store in stores
        if any(each.is_carried_at(store) for each in several)
    }
    counted: dict[Shelf, list[CountRow]] = defaultdict(list)
    for row in rows:
        variation = by_id.get(row.catalog_object_id or "")
        store = RemoteLocationId(row.location_id or "")
        if variation and row.state == "IN_STOCK" and row.quantity is not None and variation.is_carried_at(store):
            counted[variation.sku, store].append(row)
    levels |= {shelf: _level(shelf, each) for shelf, each in counted.items()}
    carried = {sku for sku, _ in levels}
    return StockBatch(
        levels=tuple(levels.values()),
        unknown=frozenset(asked) - carried,
        names={sku: several[0].name for sku, several in variations.items()},
    )


def _level(shelf: Shelf, rows: Sequence[CountRow]) -> RemoteLevel:
    units = floor(sum((_quantity(row) for row in rows), Decimal(0)))
    return RemoteLevel(sku=shelf[0], location=shelf[1], on_hand=units, available=units, as_of=_oldest(rows))


def _oldest(rows: Iterable[CountRow]) -> datetime | None:
    return min((row.calculated_at for row in rows if row.calculated_at), default=None)


def _quantity(row: CountRow) -> Decimal:
    try:
        quantity = Decimal(row.quantity or "")
    except InvalidOperation:
        raise ContractBroken(f"a count of {row.catalog_object_id} is {row.quantity!r}, not a number") from None
    if not quantity.is_finite() or abs(quantity) > UNITS_MAX:
        raise ContractBroken(f"a count of {row.catalog_object_id} is {row.quantity!r}, not a number of things")
    return quantity
