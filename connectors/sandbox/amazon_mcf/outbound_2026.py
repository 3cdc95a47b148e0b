"""Fulfillment Outbound 2026-07-04 over the same seller."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct
from starlette.requests import Request

from connectors.sandbox.amazon_mcf.prices import CURRENCY, TARIFFS, Tariff, after
from connectors.sandbox.amazon_mcf.seller import Document, Line, Order, Parcel, Refused, Seller, instant, now
from connectors.sandbox.amazon_mcf.wire import decoded

TIERS: Final = {speed.upper(): tariff for speed, tariff in TARIFFS.items()}
# This version has one word for all that is under way.
STATUSES: Final[Mapping[str, str]] = {
    "Complete": "COMPLETE",
    "CompletePartialled": "COMPLETE_PARTIAL",
    "Cancelled": "CANCELLED",
    "Unfulfillable": "UNFULFILLABLE",
    "Invalid": "INVALID",
}


class Identifier(Struct, rename="camel"):
    """``ProductIdentifier``."""

    amazon_sku: str


class Product(Struct, rename="camel"):
    """``OrderProduct``."""

    product_identifier: Identifier


class Amount(Struct):
    """``Amount``."""

    value: Decimal


class NewLine(Struct, rename="camel"):
    """``CreateOrderLineItem`` and ``PreviewLineItem``, which has no id."""

    product: Product
    amount: Amount
    line_item_id: str = ""


class Destination(Struct, rename="camel"):
    """``OrderDestination``."""

    delivery_address: dict[str, str]


class ServiceLevel(Struct, rename="camel"):
    """``ServiceLevel``."""

    service_tiers: list[str] = []


class Configuration(Struct, rename="camel"):
    """``OrderFulfillmentConfiguration``."""

    service_level: ServiceLevel | None = None
    action: str = "SHIP"
    policy: str = "FILL_OR_KILL"


class NewOrder(Struct, rename="camel"):
    """``CreateOrderRequest``."""

    order_id: str
    line_items: list[NewLine]
    destination: Destination
    fulfillment_configuration: Configuration | None = None


class NewPreview(Struct, rename="camel"):
    """``GetOrderPreviewRequest``."""

    line_items: list[NewLine]
    destination: Destination
    fulfillment_configuration: Configuration | None = None


class Outbound2026:
    """The endpoints of this version.

    The strings: ``creates_later``: orders are answered 202 and validated when somebody comes to it; ``cancels_later``: so are
    cancellations.
    """

    def __init__(self, seller: Seller) -> None:
        self.creates_later = False
        self.cancels_later = False
        self._seller = seller

    def create(self, _request: Request, body: bytes) -> tuple[int, object]:
        """``createOrder``."""
        new: NewOrder = decoded(body, NewOrder)
        tiers = _tiers(new.fulfillment_configuration)
        if tiers[0] not in TIERS:
            raise Refused(f"{tiers[0]} is not available.")
        order = Order(
            id=new.order_id,
            lines=_lines(new.line_items),
            address=new.destination.delivery_address,
            about={
                "displayableOrderId": new.order_id,
                "displayableOrderDate": instant(now()),
                "displayableOrderComment": "",
                "shippingSpeedCategory": tiers[0].capitalize(),
            },
            received_at=now(),
        )
        self._seller.create(order)
        if self.creates_later:
            return 202, {"orderId": order.id, "status": _status(order)}
        self._seller.validate(order)
        return 200, {"order": _document(order)}

    def find(self, request: Request, _body: bytes) -> tuple[int, object]:
        """``getOrder``."""
        return 200, {"order": _document(self._seller.order(request.path_params["key"]))}

    def cancel(self, request: Request, _body: bytes) -> tuple[int, object]:
        """``cancelOrder``: always answered as something that is yet to happen."""
        self._seller.stop(self._seller.order(request.path_params["key"]), later=self.cancels_later)
        return 202, {}

    def preview(self, _request: Request, body: bytes) -> tuple[int, object]:
        """``getOrderPreview``: what there is not enough of is left out of the planned shipment."""
        asked: NewPreview = decoded(body, NewPreview)
        lines = _lines(asked.line_items)
        self._seller.check(lines)
        found = [line for line in lines if self._seller.is_enough_for([line])]
        constraints = [_constraint(line) for line in lines if line not in found]
        tiers = [tier for tier in _tiers(asked.fulfillment_configuration) if tier in TIERS]
        return 200, {"plannedShipments": [_planned(tiers, found)] if found else [], "constraints": constraints}


def _tiers(configuration: Configuration | None) -> Sequence[str]:
    level = configuration.service_level if configuration else None
    return (level.service_tiers if level else None) or ["STANDARD"]


def _lines(items: Sequence[NewLine]) -> list[Line]:
    if any(each.amount.value != int(each.amount.value) for each in items):
        raise Refused("An amount in EACHES is whole.")
    return [
        Line(id=each.line_item_id, sku=each.product.product_identifier.amazon_sku, units=int(each.amount.value)) for each in items
    ]


def _status(order: Order) -> str:
    return STATUSES.get(order.status, "PROCESSING")


def _amount(units: int) -> Document:
    return {"unit": "EACHES", "value": f"{units}.0"}


def _document(order: Order) -> Document:
    return {
        "orderId": order.id,
        "receiveTime": instant(order.received_at),
        "status": _status(order),
        "statusUpdateTime": instant(order.updated_at),
        "destination": {"deliveryAddress": order.address},
        "lineItems": [
            {
                "lineItemId": line.id,
                "product": {"productIdentifier": {"amazonSku": line.sku}},
                "amount": _amount(line.units),
                "cancelledAmount": _amount(line.units if order.status == "Cancelled" else 0),
                "unfulfillableAmount": _amount(order.missing.get(line.id, 0)),
            }
            for line in order.lines
        ],
        "shipments": [_shipment(parcel) for parcel in order.parcels],
    }


def _shipment(parcel: Parcel) -> Document:
    carrier = {"carrierCode": parcel.carrier, "trackingNumber": parcel.tracking_number}
    return {
        "amazonShipmentId": "Dsandbox",
        "amazonFacility": {"facilityId": "RNO1"},
        "status": "SHIPPED",
        "shipTime": instant(parcel.shipped_at),
        "items": [
            {
                "shipmentItemId": f"item-{line.id}",
                "productIdentifier": {"amazonSku": line.sku},
                "lineItemId": line.id,
                "amount": _amount(line.units),
            }
            for line in parcel.lines
        ],
        "packages": [
            {
                "packageId": "PKG-1",
                "status": "IN_TRANSIT",
                "shipmentItemIds": [f"item-{line.id}" for line in parcel.lines],
                "tracking": {"carrier": carrier},
            }
        ],
    }


def _planned(tiers: Sequence[str], lines: Sequence[Line]) -> Document:
    items = [{"productIdentifier": {"amazonSku": line.sku}, "amount": _amount(line.units)} for line in lines]
    return {"items": items, "offers": [_offer(tier, TIERS[tier], lines) for tier in tiers]}


def _offer(tier: str, tariff: Tariff, lines: Sequence[Line]) -> Document:
    at = now()
    prices = {"MCFPerOrderFee": tariff.per_order, "MCFPerUnitFee": tariff.fee_per_unit(lines)}
    ship_from, ship_to = (instant(after(at, days)) for days in tariff.ship_days)
    arrive_from, arrive_to = (instant(after(at, days)) for days in tariff.arrive_days)
    level = {
        "serviceTier": tier,
        "shipInterval": {"startTime": ship_from, "endTime": ship_to},
        "deliveryInterval": {"startTime": arrive_from, "endTime": arrive_to},
    }
    return {
        "fulfillmentConfiguration": {"serviceLevel": level},
        "estimatedPrice": {
            "rollupPrices": [{"type": name, "value": _money(value)} for name, value in prices.items()],
            "totalPrice": _money(sum(prices.values(), Decimal(0))),
        },
    }


def _money(value: Decimal) -> Document:
    return {"currencyCode": CURRENCY, "amount": str(value)}


def _constraint(line: Line) -> Document:
    message = f"There is not enough quantity of item {line.sku}."
    return {"message": message, "type": "ValidationError", "code": "ItemQuantityNotAvailable"}
