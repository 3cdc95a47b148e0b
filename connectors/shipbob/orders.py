"""From our requests to ShipBob's orders, and back."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from connectors.contract import (
    Address,
    FulfillmentRequest,
    Method,
    Rejected,
    RemoteFulfillment,
    RemotePackage,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Sku,
    Unsupported,
)
from connectors.shipbob.wire import OrderRow, ShipmentRow, ShippedProduct, Tracking

ID_DIGITS_MAX: Final = 18

_STATES: Final[Mapping[str, RemoteState]] = {
    "ImportReview": RemoteState.REQUESTED,
    "Processing": RemoteState.ACCEPTED,
    "Exception": RemoteState.ACCEPTED,
    "PartiallyFulfilled": RemoteState.ACCEPTED,
    "Fulfilled": RemoteState.SHIPPED,
    "Cancelled": RemoteState.CANCELED,
}
_LEFT: Final = frozenset({"Completed", "LabeledCreated"})


# ---------------------------------------------------------------------------------------------- to ShipBob
def order_body(request: FulfillmentRequest, *, shipping_method: str, name_of: Callable[[Sku], str]) -> dict[str, object]:
    """The body of ``create-order``.

    Raises:
        Unsupported: A pickup; nobody collects from a fulfillment center.
        Rejected: The location is not one of ShipBob's.
    """
    if request.method is not Method.SHIP:
        raise Unsupported("ShipBob ships only")
    if not _is_id(request.location):
        raise Rejected(f"{request.location!r} is not a fulfillment center", reason="UNKNOWN_LOCATION", field="location_id")
    return {
        "type": "DTC",
        "reference_id": request.key,
        "order_number": request.order_number,
        "location_id": int(request.location),
        "shipping_method": shipping_method,
        "recipient": _recipient(request.recipient),
        "products": [
            {"reference_id": line.sku, "sku": line.sku, "name": name_of(line.sku), "quantity": line.units} for line in request.lines
        ],
    }


def known_ids(refs: Iterable[RemoteRef]) -> list[RemoteRef]:
    """Those of the references that can be ShipBob's: its ids are numbers."""
    return [ref for ref in refs if _is_id(ref)]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= ID_DIGITS_MAX


def _recipient(address: Address) -> dict[str, object]:
    first, *rest = (*address.lines, "")
    where = {
        "address1": first,
        "address2": ", ".join(line for line in rest if line) or None,
        "city": address.city,
        "state": address.region,
        "zip_code": address.postal_code,
        "country": address.country_code,
    }
    said = {"name": address.name or "Customer", "email": address.email, "phone_number": address.phone, "address": where}
    return {name: value for name, value in said.items() if value}


# ---------------------------------------------------------------------------------------------- from ShipBob
def parse_order(order: OrderRow) -> RemoteFulfillment:
    """How far an order is. ``short`` holds the products that an exception blames, with all units ordered of them."""
    shipments = [each for each in order.shipments or () if each.status != "Cancelled"]
    left = [each for each in shipments if each.status in _LEFT]
    return RemoteFulfillment(
        ref=RemoteRef(str(order.id)),
        key=RequestKey(order.reference_id) if order.reference_id else None,
        state=_STATES.get(order.status, RemoteState.REQUESTED),
        packages=tuple(_package(each, alone=len(shipments) == 1) for each in left),
        short=_short(order),
        reason=next((reason for each in order.shipments or () if (reason := _reason(each))), None),
    )


def _short(order: OrderRow) -> tuple[RequestLine, ...]:
    stuck = [each for each in order.shipments or () if each.status == "Exception"]
    blamed = {detail.inventory_id for each in stuck for detail in each.status_details or ()} - {None}
    missing = {
        sku
        for each in stuck
        for product in each.products or ()
        if (sku := _sku(product)) and any(item.id in blamed for item in product.inventory_items or ())
    }
    ordered: Counter[str] = Counter()
    for product in order.products or ():
        ordered[product.reference_id or product.sku or ""] += product.quantity
    return tuple(RequestLine(sku=Sku(sku), units=ordered[sku]) for sku in sorted(missing) if sku in ordered)


def _reason(shipment: ShipmentRow) -> str | None:
    said = (detail.description or detail.name for detail in shipment.status_details or ())
    match shipment.status:
        case "Cancelled":
            return next((each for each in said if each), None)
        case "Exception" | "OnHold" | "ImportReview":
            return next((each for each in said if each), shipment.status)
        case _:
            return None


def _package(shipment: ShipmentRow, *, alone: bool) -> RemotePackage:
    tracking = shipment.tracking or Tracking()
    return RemotePackage(
        carrier=tracking.carrier,
        tracking_number=tracking.tracking_number,
        tracking_url=tracking.tracking_url,
        shipped_at=tracking.shipping_date or shipment.actual_fulfillment_date,
        lines=() if alone else _packed(shipment.products or ()),
    )


def _packed(products: Iterable[ShippedProduct]) -> tuple[RequestLine, ...]:
    return tuple(
        RequestLine(sku=Sku(sku), units=units) for product in products if (sku := _sku(product)) and (units := _units(product)) > 0
    )


def _units(product: ShippedProduct) -> int:
    """Whole products: an item may come in several lots, a bundle is of several items."""
    items: Counter[int] = Counter()
    for item in product.inventory_items or ():
        items[item.id] += item.quantity
    return min(items.values(), default=0)


def _sku(product: ShippedProduct) -> str | None:
    return product.reference_id or product.sku
