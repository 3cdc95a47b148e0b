"""From Medusa's items to stock levels."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import floor
from typing import Final

from connectors.contract import ContractBroken, RemoteLevel, RemoteLocationId, Sku, StockBatch
from connectors.medusa.wire import ItemRow, LevelRow

UNITS_MAX: Final = 10**12


def parse_items(rows: Iterable[ItemRow], *, asked: Sequence[Sku]) -> StockBatch:
    """What these items say of the SKUs asked for.

    A location without a level does not stock the item. An item that no location stocks is unknown, as one that does not exist.

    Raises:
        ContractBroken: A quantity is not a number of things.
    """
    wanted = frozenset(asked)
    items = {Sku(row.sku): row for row in rows if row.sku and row.sku in wanted}
    levels = tuple(_level(sku, level) for sku, row in items.items() for level in row.location_levels)
    return StockBatch(
        levels=levels,
        unknown=wanted - {level.sku for level in levels},
        names={sku: row.title for sku, row in items.items() if row.title},
    )


def _level(sku: Sku, row: LevelRow) -> RemoteLevel:
    return RemoteLevel(
        sku=sku,
        location=RemoteLocationId(row.location_id),
        on_hand=whole_units(row.stocked_quantity),
        available=whole_units(row.available_quantity),
        committed=whole_units(row.reserved_quantity),
        incoming=whole_units(row.incoming_quantity),
        as_of=row.updated_at,
    )


def whole_units(quantity: Decimal | None) -> int | None:
    """A quantity rounded down, so that no fraction is promised. None stays unknown.

    Raises:
        ContractBroken: It is no number, or none of things.
    """
    if quantity is None:
        return None
    if not quantity.is_finite() or abs(quantity) > UNITS_MAX:
        raise ContractBroken(f"a quantity of {quantity}")
    return floor(quantity)
