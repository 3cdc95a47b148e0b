"""Fulfillment Outbound 2020-07-01 over the seller."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from starlette.requests import Request

from connectors.sandbox.amazon_mcf.prices import CURRENCY, TARIFFS, Tariff, after
from connectors.sandbox.amazon_mcf.seller import Document, Line, Order, Parcel, Refused, Seller, instant, now
from connectors.sandbox.amazon_mcf.wire import decoded

SPEEDS: Final = ("Standard", "Expedited", "Priority", "ScheduledDelivery")
POLICIES: Final = (None, "FillOrKill", "FillAll", "FillAllAvailable")


class NewItem(Struct, rename="camel"):
    """``CreateFulfillmentOrderItem``."""

    seller_sku: str
    seller_fulfillment_order_item_id: str
    quantity: int


class NewOrder(Struct, rename="camel"):
    """``CreateFulfillmentOrderRequest``, with everything that is required there."""

    seller_fulfillment_order_id: str
    displayable_order_id: str
    displayable_order_date: str
    displayable_order_comment: str
    shipping_speed_category: str
    destination_address: dict[str, str]
    items: list[NewItem]
    marketplace_id: str | None = None
    fulfillment_action: str = "Ship"
    fulfillment_policy: str = "FillOrKill"


class NewPreview(Struct, rename="camel"):
    """``GetFulfillmentPreviewRequest``."""

    address: dict[str, str]
    items: list[NewItem]
    marketplace_id: str | None = None
    shipping_speed_categories: list[str] | None = None


class Outbound2020:
    """The endpoints of this version."""

    def __init__(self, seller: Seller, *, marketplace_id: str) -> None:
        self._seller = seller
        self._marketplace_id = marketplace_id

    def create(self, _request: Request, body: bytes) -> tuple[int, object]:
        """``createFulfillmentOrder``: what becomes of it is seen later."""
        new: NewOrder = decoded(body, NewOrder)
        if new.shipping_speed_category not in SPEEDS or new.fulfillment_policy not in POLICIES:
            raise Refused("Value for parameter shippingSpeedCategory or fulfillmentPolicy is invalid. Reason: InvalidValue.")
        if new.marketplace_id not in {None, self._marketplace_id}:
            raise Refused("Value for parameter marketplaceId is invalid. Reason: InvalidValue.")
        if not 0 < len(new.displayable_order_id) <= 40 or "  " in new.displayable_order_id:
            raise Refused("Value for parameter displayableOrderId is invalid. Reason: InvalidValue.")
        order = Order(
            id=new.seller_fulfillment_order_id,
            lines=_lines(new.items),
            address=new.destination_address,
            about={
                "displayableOrderId": new.displayable_order_id,
                "displayableOrderDate": new.displayable_order_date,
                "displayableOrderComment": new.displayable_order_comment,
                "shippingSpeedCategory": new.shipping_speed_category,
                "fulfillmentAction": new.fulfillment_action,
                "fulfillmentPolicy": new.fulfillment_policy,
            },
            received_at=now(),
        )
        self._seller.create(order)
        return 200, {}

    def find(self, request: Request, _body: bytes) -> tuple[int, object]:
        """``getFulfillmentOrder``."""
        return 200, {"payload": self._document(self._seller.order(request.path_params["key"]))}

    def cancel(self, request: Request, _body: bytes) -> tuple[int, object]:
        """``cancelFulfillmentOrder``."""
        self._seller.stop(self._seller.order(request.path_params["key"]), later=False)
        return 200, {}

    def preview(self, _request: Request, body: bytes) -> tuple[int, object]:
        """``getFulfillmentPreview``: for each speed that was asked about."""
        asked: NewPreview = decoded(body, NewPreview)
        lines = _lines(asked.items)
        self._seller.check(lines)
        speeds = asked.shipping_speed_categories or SPEEDS[:3]
        return 200, {"payload": {"fulfillmentPreviews": [self._preview(speed, lines) for speed in speeds]}}

    def _document(self, order: Order) -> Document:
        whole = {
            "sellerFulfillmentOrderId": order.id,
            "marketplaceId": self._marketplace_id,
            **order.about,
            "destinationAddress": order.address,
            "receivedDate": instant(order.received_at),
            "fulfillmentOrderStatus": order.status,
            "statusUpdatedDate": instant(order.updated_at),
        }
        return {
            "fulfillmentOrder": whole,
            "fulfillmentOrderItems": [_item(line, order) for line in order.lines],
            "fulfillmentShipments": _shipments(order),
            "returnItems": [],
            "returnAuthorizations": [],
        }

    def _preview(self, speed: str, lines: Sequence[Line]) -> Document:
        tariff = TARIFFS.get(speed)
        is_fulfillable = tariff is not None and self._seller.is_enough_for(lines)
        about = {
            "shippingSpeedCategory": speed,
            "isFulfillable": is_fulfillable,
            "isCODCapable": False,
            "marketplaceId": self._marketplace_id,
        }
        if tariff is None or not is_fulfillable:
            return {**about, "orderUnfulfillableReasons": ["NO_OFFER" if tariff is None else "NO_INVENTORY"]}
        return {**about, "estimatedFees": _fees(tariff, lines), "fulfillmentPreviewShipments": [_planned(tariff, lines)]}


def _lines(items: Sequence[NewItem]) -> list[Line]:
    return [Line(id=each.seller_fulfillment_order_item_id, sku=each.seller_sku, units=each.quantity) for each in items]


def _item(line: Line, order: Order) -> Document:
    return {
        "sellerSku": line.sku,
        "sellerFulfillmentOrderItemId": line.id,
        "quantity": line.units,
        "cancelledQuantity": line.units if order.status == "Cancelled" else 0,
        "unfulfillableQuantity": order.missing.get(line.id, 0),
    }


def _shipments(order: Order) -> list[Document]:
    if order.status == "Processing":
        return [_shipment(order.lines, "PENDING")]
    return [_shipment(parcel.lines, "SHIPPED", parcel) for parcel in order.parcels]


def _shipment(lines: Sequence[Line], status: str, parcel: Parcel | None = None) -> Document:
    packed = {"packageNumber": 1} if parcel else {}
    items = [{"sellerSku": line.sku, "sellerFulfillmentOrderItemId": line.id, "quantity": line.units, **packed} for line in lines]
    document = {
        "amazonShipmentId": "Dsandbox",
        "fulfillmentCenterId": "RNO1",
        "fulfillmentShipmentStatus": status,
        "fulfillmentShipmentItem": items,
    }
    if parcel is None:
        return document
    package = {"packageNumber": 1, "carrierCode": parcel.carrier, "trackingNumber": parcel.tracking_number}
    return {**document, "shippingDate": instant(parcel.shipped_at), "fulfillmentShipmentPackage": [package]}


def _fees(tariff: Tariff, lines: Sequence[Line]) -> list[Document]:
    fees = {"FBAPerOrderFulfillmentFee": tariff.per_order, "FBAPerUnitFulfillmentFee": tariff.fee_per_unit(lines)}
    return [{"name": name, "amount": {"currencyCode": CURRENCY, "value": str(value)}} for name, value in fees.items()]


def _planned(tariff: Tariff, lines: Sequence[Line]) -> Document:
    at = now()
    earliest_ship, latest_ship = (instant(after(at, days)) for days in tariff.ship_days)
    earliest_arrival, latest_arrival = (instant(after(at, days)) for days in tariff.arrive_days)
    return {
        "earliestShipDate": earliest_ship,
        "latestShipDate": latest_ship,
        "earliestArrivalDate": earliest_arrival,
        "latestArrivalDate": latest_arrival,
        "fulfillmentPreviewItems": [
            {"sellerSku": line.sku, "sellerFulfillmentOrderItemId": line.id, "quantity": line.units} for line in lines
        ],
    }
