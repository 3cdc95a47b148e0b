"""Fulfillment Outbound 2020-07-01: its orders and previews, and what they mean in our words."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from connectors.amazon_mcf.orders import Packed, Parcel, Shipment, address_body, fulfillment, whole_units
from connectors.amazon_mcf.quotes import Price, latest, total
from connectors.amazon_mcf.settings import AmazonMcfSettings
from connectors.amazon_mcf.wire import instant, written
from connectors.contract import (
    FulfillmentRequest,
    Quote,
    QuoteRequest,
    RemoteFulfillment,
    RemoteLocationId,
    RemoteState,
    RequestKey,
    RequestLine,
    Sku,
)


# ---------------------------------------------------------------------------------------------- to Amazon
def order_body(request: FulfillmentRequest, *, settings: AmazonMcfSettings, at: datetime) -> dict[str, object]:
    """The body of ``createFulfillmentOrder``."""
    origin = {"shipFromCountryCode": settings.origin_country} if settings.origin_country else {}
    return {
        "marketplaceId": settings.marketplace_id,
        "sellerFulfillmentOrderId": request.key,
        "displayableOrderId": _printable(request.order_number) or request.key,
        "displayableOrderDate": written(at),
        "displayableOrderComment": settings.packing_slip_comment[:750],
        "shippingSpeedCategory": settings.shipping_speed,
        "destinationAddress": address_body(request.recipient),
        "fulfillmentAction": "Ship",
        "fulfillmentPolicy": "FillOrKill",
        **origin,
        "items": _items(request.lines),
    }


def preview_body(request: QuoteRequest, *, settings: AmazonMcfSettings) -> dict[str, object]:
    """The body of ``getFulfillmentPreview``."""
    return {
        "marketplaceId": settings.marketplace_id,
        "address": address_body(request.recipient),
        "items": _items(request.lines),
        "shippingSpeedCategories": settings.quoted_speeds,
    }


def _items(lines: Iterable[RequestLine]) -> list[dict[str, object]]:
    return [
        {"sellerSku": line.sku, "sellerFulfillmentOrderItemId": str(number), "quantity": line.units}
        for number, line in enumerate(lines, 1)
    ]


def _printable(order_number: str) -> str:
    """As it may stand on a packing slip: ISO 8859-1, at most 40 characters, never two spaces in a row."""
    return " ".join(order_number.encode("latin-1", "replace").decode("latin-1").split())[:40].strip()


# ---------------------------------------------------------------------------------------------- from Amazon: orders
class Created(Struct, frozen=True):
    """``createFulfillmentOrder`` answers with an empty object."""


class OrderRow(Struct, frozen=True, rename="camel"):
    """The order as a whole."""

    seller_fulfillment_order_id: str
    fulfillment_order_status: str


class ItemRow(Struct, frozen=True, rename="camel"):
    """One line of it."""

    seller_sku: str
    cancelled_quantity: Decimal
    unfulfillable_quantity: Decimal


class ShippedRow(Struct, frozen=True, rename="camel"):
    """Units in a shipment."""

    seller_sku: str
    quantity: Decimal
    package_number: int | None = None


class PackageRow(Struct, frozen=True, rename="camel"):
    """A package of a shipment."""

    package_number: int
    carrier_code: str | None = None
    tracking_number: str | None = None
    amazon_fulfillment_tracking_number: str | None = None


class ShipmentRow(Struct, frozen=True, rename="camel"):
    """What one center sends, or is about to."""

    fulfillment_shipment_status: str
    fulfillment_shipment_item: tuple[ShippedRow, ...]
    shipping_date: str | None = None
    fulfillment_shipment_package: tuple[PackageRow, ...] | None = None


class OrderResult(Struct, frozen=True, rename="camel"):
    """An order with all that belongs to it."""

    fulfillment_order: OrderRow
    fulfillment_order_items: tuple[ItemRow, ...]
    fulfillment_shipments: tuple[ShipmentRow, ...] | None = None


class OrderReply(Struct, frozen=True):
    """``getFulfillmentOrder``."""

    payload: OrderResult


def parse_created(_created: Created, key: RequestKey) -> RemoteFulfillment:
    """Amazon has it, and has said no more."""
    return RemoteFulfillment(ref=fulfillment(key, None).ref, key=key, state=RemoteState.REQUESTED)


def parse_order(reply: OrderReply) -> RemoteFulfillment:
    """How far an order is."""
    order = reply.payload.fulfillment_order
    shipments = reply.payload.fulfillment_shipments or ()
    missing = (
        (each.seller_sku, each.cancelled_quantity + each.unfulfillable_quantity) for each in reply.payload.fulfillment_order_items
    )
    return fulfillment(
        order.seller_fulfillment_order_id,
        order.fulfillment_order_status,
        shipments=[_shipment(each) for each in shipments if each.fulfillment_shipment_status.casefold() == "shipped"],
        short=[RequestLine(sku=Sku(sku), units=whole_units(units)) for sku, units in missing if units],
    )


def _shipment(row: ShipmentRow) -> Shipment:
    return Shipment(
        parcels=[_parcel(each) for each in row.fulfillment_shipment_package or ()],
        packed=[
            Packed(sku=each.seller_sku, units=whole_units(each.quantity), parcel=_parcel_id(each.package_number))
            for each in row.fulfillment_shipment_item
        ],
        shipped_at=instant(row.shipping_date),
    )


def _parcel(row: PackageRow) -> Parcel:
    return Parcel(
        id=str(row.package_number),
        carrier=row.carrier_code or None,
        tracking_number=row.tracking_number or row.amazon_fulfillment_tracking_number or None,
    )


def _parcel_id(number: int | None) -> str | None:
    return None if number is None else str(number)


# ---------------------------------------------------------------------------------------------- from Amazon: previews
class Money(Struct, frozen=True, rename="camel"):
    """An amount in units of its currency."""

    currency_code: str
    value: Decimal


class Fee(Struct, frozen=True):
    """A part of the price."""

    amount: Money


class PlannedShipment(Struct, frozen=True, rename="camel"):
    """What would leave together, at the latest."""

    latest_ship_date: str | None = None
    latest_arrival_date: str | None = None


class Preview(Struct, frozen=True, rename="camel"):
    """What one speed would come to."""

    shipping_speed_category: str
    is_fulfillable: bool
    estimated_fees: tuple[Fee, ...] | None = None
    fulfillment_preview_shipments: tuple[PlannedShipment, ...] | None = None


class Previews(Struct, frozen=True, rename="camel"):
    """One preview for each speed."""

    fulfillment_previews: tuple[Preview, ...] | None = None


class PreviewReply(Struct, frozen=True):
    """``getFulfillmentPreview``."""

    payload: Previews


def parse_quotes(reply: PreviewReply, _request: QuoteRequest, location: RemoteLocationId) -> list[Quote]:
    """The speeds at which all of it would be shipped, by Amazon's own word."""
    return [_quote(each, location) for each in reply.payload.fulfillment_previews or () if each.is_fulfillable]


def _quote(preview: Preview, location: RemoteLocationId) -> Quote:
    fees = [Price(amount=fee.amount.value, currency=fee.amount.currency_code) for fee in preview.estimated_fees or ()]
    shipments = preview.fulfillment_preview_shipments or ()
    price = total(fees)
    return Quote(
        service=preview.shipping_speed_category,
        amount=price.amount,
        currency=price.currency,
        ships_by=latest(each.latest_ship_date for each in shipments),
        arrives_by=latest(each.latest_arrival_date for each in shipments),
        location=location,
    )
