"""What ShipBob estimates an order to cost. It says nothing of when it would arrive."""

from decimal import Decimal
from typing import Final

from msgspec import Struct

from connectors.contract import Address, ContractBroken, Quote, QuoteRequest, RemoteLocationId

CURRENCY: Final = "USD"
"""Of estimates that name none: the specification says \"in dollars\"."""


class Center(Struct, frozen=True):
    """The fulfillment center that it would leave from."""

    id: int | None = None


class EstimateRow(Struct, frozen=True):
    """One shipping method."""

    shipping_method: str | None = None
    estimated_price: Decimal | None = None
    estimated_currency_code: str | None = None
    fulfillment_center: Center | None = None


class EstimateReply(Struct, frozen=True):
    """``POST /order:estimate``."""

    estimates: tuple[EstimateRow, ...] | None


def estimate_body(request: QuoteRequest) -> dict[str, object]:
    """The body of ``estimate-fulfillment-cost-for-order``: all shipping methods, and nobody's name."""
    return {
        "address": _address(request.recipient),
        "products": [{"reference_id": line.sku, "quantity": line.units} for line in request.lines],
    }


def _address(address: Address) -> dict[str, str]:
    said = {
        "address1": address.lines[0] if address.lines else "",
        "address2": ", ".join(line for line in address.lines[1:] if line),
        "city": address.city,
        "state": address.region or "",
        "zip_code": address.postal_code,
        "country": address.country_code,
    }
    return {name: value for name, value in said.items() if value}


def parse_quotes(reply: EstimateReply, *, location: RemoteLocationId | None) -> tuple[Quote, ...]:
    """The estimates, cheapest first; those from other centers than ``location`` are left out, unless it is None.

    Raises:
        ContractBroken: A price is below zero.
    """
    quotes = [_quote(row) for row in reply.estimates or () if row.shipping_method]
    wanted = [quote for quote in quotes if location in {None, quote.location}]
    return tuple(sorted(wanted, key=lambda quote: (quote.amount is None, quote.amount or Decimal(0), quote.service)))


def _quote(row: EstimateRow) -> Quote:
    price, center = row.estimated_price, row.fulfillment_center
    if price is not None and not (price.is_finite() and price >= 0):
        raise ContractBroken(f"{row.shipping_method} costs {price}")
    return Quote(
        service=row.shipping_method or "",
        amount=price,
        currency=(row.estimated_currency_code or CURRENCY).upper(),
        location=None if center is None or center.id is None else RemoteLocationId(str(center.id)),
    )
