"""From Amazon's inventory summaries to stock levels."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import floor
from typing import Final

from connectors.amazon_mcf.wire import Details, Summary, instant
from connectors.contract import ContractBroken, RemoteLevel, RemoteLocationId, Sku, StockBatch

UNITS_MAX: Final = 10**12


def parse_summaries(rows: Iterable[Summary], *, asked: Sequence[Sku], location: RemoteLocationId) -> StockBatch:
    """What these summaries say of the SKUs asked for; a SKU without one is not known to Amazon.

    ``totalQuantity`` is left alone: it counts what is still on its way. Several rows of one SKU add up.

    Raises:
        ContractBroken: A quantity is missing, or no number of things.
    """
    wanted = frozenset(asked)
    found: dict[Sku, list[Summary]] = defaultdict(list)
    for row in rows:
        if (sku := Sku(row.seller_sku)) in wanted:
            found[sku].append(row)
    return StockBatch(
        levels=tuple(_level(sku, several, location) for sku, several in found.items()),
        unknown=wanted - found.keys(),
        names={sku: name for sku, several in found.items() if (name := several[0].product_name)},
    )


def _level(sku: Sku, rows: Sequence[Summary], location: RemoteLocationId) -> RemoteLevel:
    details = [_details(row) for row in rows]
    return RemoteLevel(
        sku=sku,
        location=location,
        available=_sum(sku, (each.fulfillable_quantity for each in details)),
        committed=_sum(sku, (each.reserved_quantity.pending_customer_order_quantity for each in details if each.reserved_quantity)),
        incoming=_sum(sku, (units for each in details for units in _inbound(each))),
        as_of=min((at for row in rows if (at := instant(row.last_updated_time))), default=None),
    )


def _details(row: Summary) -> Details:
    if row.inventory_details is None:
        raise ContractBroken(f"a summary of {row.seller_sku} without the details that were asked for")
    return row.inventory_details


def _inbound(details: Details) -> tuple[Decimal | None, ...]:
    return details.inbound_working_quantity, details.inbound_shipped_quantity, details.inbound_receiving_quantity


def _sum(sku: Sku, quantities: Iterable[Decimal | None]) -> int | None:
    """Whole units; None where nothing is said at all."""
    said = [quantity for quantity in quantities if quantity is not None]
    if any(not quantity.is_finite() or abs(quantity) > UNITS_MAX for quantity in said):
        raise ContractBroken(f"a quantity of {sku} is not a number of things")
    return floor(sum(said, Decimal(0))) if said else None
