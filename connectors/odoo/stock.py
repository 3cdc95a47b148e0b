"""From ``stock.quant`` to stock levels."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from connectors.contract import RemoteLevel, RemoteLocationId, Sku
from connectors.odoo.values import ManyToOne, Text, id_of, time_of, units_of
from connectors.odoo.wire import Wire

_FIELDS: Final = ("product_id", "warehouse_id", "quantity", "reserved_quantity", "available_quantity", "write_date")


class Quant(msgspec.Struct):
    """A row of ``stock.quant``: one product at one shelf, lot or package."""

    product_id: ManyToOne
    warehouse_id: ManyToOne
    quantity: float
    reserved_quantity: float
    available_quantity: float
    write_date: Text = False


async def read_quants(wire: Wire, product_ids: Sequence[int]) -> list[Quant]:
    """All rows of these products at internal locations, in one request."""
    domain = [["location_id.usage", "=", "internal"], ["product_id", "in", product_ids]]
    return await wire.execute("stock.quant", "search_read", returns=list[Quant], domain=domain, fields=_FIELDS)


def parse_levels(
    quants: Iterable[Quant], *, skus: Mapping[int, Sku], warehouses: Iterable[RemoteLocationId]
) -> tuple[RemoteLevel, ...]:
    """Sum quants by SKU and warehouse. ``skus`` says what was asked for, by product id.

    Odoo keeps no row for nothing: each SKU is zero at each of ``warehouses`` that has none. Rows of other products, and of
    shelves that belong to no warehouse, are dropped.
    """
    shelves: dict[tuple[Sku, RemoteLocationId], list[Quant]] = {
        (sku, warehouse): [] for warehouse in warehouses for sku in dict.fromkeys(skus.values())
    }
    by_place = defaultdict(list, shelves)
    for quant in quants:
        product_id, warehouse_id = id_of(quant.product_id), id_of(quant.warehouse_id)
        if product_id is not None and product_id in skus and warehouse_id is not None:
            by_place[skus[product_id], RemoteLocationId(str(warehouse_id))].append(quant)
    return tuple(_level(sku, warehouse, rows) for (sku, warehouse), rows in by_place.items())


def _level(sku: Sku, warehouse: RemoteLocationId, rows: Sequence[Quant]) -> RemoteLevel:
    if not rows:
        return RemoteLevel(sku=sku, location=warehouse, on_hand=0, available=0, committed=0)
    return RemoteLevel(
        sku=sku,
        location=warehouse,
        on_hand=units_of(row.quantity for row in rows),
        available=units_of(row.available_quantity for row in rows),
        committed=units_of(row.reserved_quantity for row in rows),
        as_of=max((instant for row in rows if (instant := time_of(row.write_date))), default=None),
    )
