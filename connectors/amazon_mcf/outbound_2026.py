"""Fulfillment Outbound 2026-07-04: its orders and previews, and what they mean in our words."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from connectors.amazon_mcf.orders import Packed, Parcel, Shipment, address_body, fulfillment, whole_units
from connectors.amazon_mcf.quotes import Price, latest, total
from connectors.amazon_mcf.settings import AmazonMcfSettings
from connectors.amazon_mcf.wire import instant
from connectors.contract import (
    ContractBroken,
    FulfillmentRequest,
    Quote,
    QuoteRequest,
    RemoteFulfillment,
    RemoteLocationId,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Sku,
)


# ---------------------------------------------------------------------------------------------- to Amazon
def order_body(request: FulfillmentRequest, *, settings: AmazonMcfSettings, at: datetime) -> dict[str, object]:
    """The body of ``createOrder``. It has no place for the number or the time of the order."""
    del at
    configuration = {
        "serviceLevel": {"serviceTiers": [settings.shipping_speed.upper()]},
        "action": "SHIP",
        "policy": "FILL_OR_KILL",
    }
    line_items = [{"lineItemId": str(number), **_line_item(line)} for number, line in enumerate(request.lines, 1)]
    return {
        "orderId": request.key,
        "fulfillmentConfiguration": configuration,
        **_origin(settings),
        "destination": {"deliveryAddress": address_body(request.recipient)},
        "lineItems": line_items,
    }


def preview_body(request: QuoteRequest, *, settings: AmazonMcfSettings) -> dict[str, object]:
    """The body of ``getOrderPreview``."""
    tiers = [speed.upper() for speed in settings.quoted_speeds]
    return {
        "fulfillmentConfiguration": {"serviceLevel": {"serviceTiers": tiers}},
        **_origin(settings),
        "destination": {"deliveryAddress": address_body(request.recipient)},
        "lineItems": [_line_item(line) for line in request.lines],
    }


def _origin(settings: AmazonMcfSettings) -> dict[str, object]:
    return {"origin": {"countryCode": settings.origin_country}} if settings.origin_country else {}


def _line_item(line: RequestLine) -> dict[str, object]:
    return {"product": {"productIdentifier": {"amazonSku": line.sku}}, "amount": {"unit": "EACHES", "value": str(line.units)}}


# ---------------------------------------------------------------------------------------------- from Amazon: orders
class Amount(Struct, frozen=True):
    """A decimal string, such as ``1.0``."""

    value: Decimal


class Identifier(Struct, frozen=True, rename="camel"):
    """Which product."""

    amazon_sku: str


class Product(Struct, frozen=True, rename="camel"):
    """A product of a line."""

    product_identifier: Identifier


class LineRow(Struct, frozen=True, rename="camel"):
    """One line of an order."""

    product: Product
    cancelled_amount: Amount | None = None
    unfulfillable_amount: Amount | None = None


class ShippedRow(Struct, frozen=True, rename="camel"):
    """Units in a shipment."""

    product_identifier: Identifier
    amount: Amount
    package_id: str | None = None
    shipment_item_id: str | None = None


class TrackingRow(Struct, frozen=True, rename="camel"):
    """How a carrier, or Amazon, follows a package."""

    carrier_code: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


class Tracking(Struct, frozen=True):
    """Both at once, as far as there are both."""

    carrier: TrackingRow | None = None
    amazon: TrackingRow | None = None


class PackageRow(Struct, frozen=True, rename="camel"):
    """A package of a shipment."""

    package_id: str
    tracking: Tracking | None = None
    shipment_item_ids: tuple[str, ...] | None = None


class ShipmentRow(Struct, frozen=True, rename="camel"):
    """What one facility sends, or is about to."""

    status: str
    items: tuple[ShippedRow, ...]
    ship_time: str | None = None
    packages: tuple[PackageRow, ...] | None = None


class OrderRow(Struct, frozen=True, rename="camel"):
    """One order."""

    order_id: str
    line_items: tuple[LineRow, ...]
    status: str | None = None
    shipments: tuple[ShipmentRow, ...] | None = None


class OrderReply(Struct, frozen=True):
    """``getOrder``."""

    order: OrderRow


class Created(Struct, frozen=True, rename="camel"):
    """``createOrder``: the order (200), or only its id and status where Amazon goes on with it later (202)."""

    order: OrderRow | None = None
    order_id: str | None = None


def parse_created(created: Created, key: RequestKey) -> RemoteFulfillment:
    """The order as Amazon has it by now.

    Raises:
        ContractBroken: It is not this one, or none.
    """
    if created.order is not None:
        return _order(created.order)
    if created.order_id != key:
        raise ContractBroken("an answer to an order that does not name it")
    return RemoteFulfillment(ref=RemoteRef(key), key=key, state=RemoteState.REQUESTED)


def parse_order(reply: OrderReply) -> RemoteFulfillment:
    """How far an order is."""
    return _order(reply.order)


def _order(order: OrderRow) -> RemoteFulfillment:
    missing = ((line.product.product_identifier.amazon_sku, _missing(line)) for line in order.line_items)
    return fulfillment(
        order.order_id,
        order.status,
        shipments=[_shipment(each) for each in order.shipments or () if each.status.casefold() == "shipped"],
        short=[RequestLine(sku=Sku(sku), units=units) for sku, units in missing if units],
    )


def _missing(line: LineRow) -> int:
    return sum(whole_units(amount.value) for amount in (line.cancelled_amount, line.unfulfillable_amount) if amount)


def _shipment(row: ShipmentRow) -> Shipment:
    packages = row.packages or ()
    package_of = {item: package.package_id for package in packages for item in package.shipment_item_ids or ()}
    return Shipment(
        parcels=[_parcel(each) for each in packages],
        packed=[_packed(each, package_of) for each in row.items],
        shipped_at=instant(row.ship_time),
    )


def _packed(row: ShippedRow, package_of: Mapping[str, str]) -> Packed:
    parcel = row.package_id or package_of.get(row.shipment_item_id or "")
    return Packed(sku=row.product_identifier.amazon_sku, units=whole_units(row.amount.value), parcel=parcel)


def _parcel(row: PackageRow) -> Parcel:
    tracking = row.tracking or Tracking()
    told = [each for each in (tracking.carrier, tracking.amazon) if each]
    return Parcel(
        id=row.package_id,
        carrier=next((each.carrier_code for each in told if each.carrier_code), None),
        tracking_number=next((each.tracking_number for each in told if each.tracking_number), None),
        tracking_url=next((each.tracking_url for each in told if each.tracking_url), None),
    )


# ---------------------------------------------------------------------------------------------- from Amazon: previews
class Money(Struct, frozen=True, rename="camel"):
    """An amount in units of its currency."""

    currency_code: str
    amount: Decimal


class Estimate(Struct, frozen=True, rename="camel"):
    """What one offer costs."""

    total_price: Money


class Interval(Struct, frozen=True, rename="camel"):
    """From when to when."""

    end_time: str | None = None


class ServiceLevel(Struct, frozen=True, rename="camel"):
    """A speed and its dates."""

    service_tier: str | None = None
    ship_interval: Interval | None = None
    delivery_interval: Interval | None = None


class OfferedConfiguration(Struct, frozen=True, rename="camel"):
    """What an offer consists of."""

    service_level: ServiceLevel | None = None


class Offer(Struct, frozen=True, rename="camel"):
    """One way to ship a group of items."""

    estimated_price: Estimate | None = None
    fulfillment_configuration: OfferedConfiguration | None = None

    @property
    def level(self) -> ServiceLevel:
        """Its speed and dates, as far as they are told."""
        return (self.fulfillment_configuration and self.fulfillment_configuration.service_level) or ServiceLevel()

    @property
    def price(self) -> Price:
        """What it costs."""
        if self.estimated_price is None:
            return Price()
        return Price(amount=self.estimated_price.total_price.amount, currency=self.estimated_price.total_price.currency_code)


class PlannedItem(Struct, frozen=True, rename="camel"):
    """Units in a group."""

    product_identifier: Identifier
    amount: Amount


class PlannedShipment(Struct, frozen=True):
    """A group of items that would be delivered together."""

    items: tuple[PlannedItem, ...]
    offers: tuple[Offer, ...] | None = None


class PreviewReply(Struct, frozen=True, rename="camel"):
    """``getOrderPreview``."""

    planned_shipments: tuple[PlannedShipment, ...]


def parse_quotes(reply: PreviewReply, request: QuoteRequest, location: RemoteLocationId) -> list[Quote]:
    """The speeds that are offered for every group of items; none where the groups leave something out."""
    shipments = reply.planned_shipments
    planned: Counter[str] = Counter()
    for item in (each for shipment in shipments for each in shipment.items):
        planned[item.product_identifier.amazon_sku] += whole_units(item.amount.value)
    wanted: Counter[str] = Counter()
    for line in request.lines:
        wanted[line.sku] += line.units
    if not wanted <= planned:
        return []
    offered = [_by_tier(each.offers or ()) for each in shipments]
    tiers = [tier for tier in offered[0] if all(tier in each for each in offered)] if offered else []
    return [_quote(tier, [each[tier] for each in offered], location) for tier in tiers]


def _by_tier(offers: Iterable[Offer]) -> dict[str, Offer]:
    """The cheapest offer of each speed."""
    found: dict[str, Offer] = {}
    for offer in offers:
        tier = offer.level.service_tier
        if tier and (tier not in found or _dearness(offer) < _dearness(found[tier])):
            found[tier] = offer
    return found


def _dearness(offer: Offer) -> tuple[bool, Decimal]:
    amount = total([offer.price]).amount
    return amount is None, amount or Decimal(0)


def _quote(tier: str, offers: list[Offer], location: RemoteLocationId) -> Quote:
    price = total([offer.price for offer in offers])
    levels = [offer.level for offer in offers]
    return Quote(
        service=tier,
        amount=price.amount,
        currency=price.currency,
        ships_by=latest(each.ship_interval.end_time if each.ship_interval else None for each in levels),
        arrives_by=latest(each.delivery_interval.end_time if each.delivery_interval else None for each in levels),
        location=location,
    )
