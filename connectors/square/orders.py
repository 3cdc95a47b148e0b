"""From our requests to Square's orders, and back."""

from collections.abc import Mapping, Sequence
from typing import Final

from connectors.contract import (
    Address,
    FulfillmentRequest,
    Method,
    Rejected,
    RemoteFulfillment,
    RemoteLocationId,
    RemotePackage,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
)
from connectors.square.catalog import Variations
from connectors.square.wire import Details, FulfillmentRow, OrderRow

CANCEL_REASON: Final = "Canceled by the order management system"

# Least advanced first; ``_state`` reads the order of this table.
_STATES: Final[Mapping[str, RemoteState]] = {
    "PROPOSED": RemoteState.REQUESTED,
    "RESERVED": RemoteState.ACCEPTED,
    "PREPARED": RemoteState.ACCEPTED,
    "COMPLETED": RemoteState.SHIPPED,
    "FAILED": RemoteState.REJECTED,
    "CANCELED": RemoteState.CANCELED,
}
_UNDER_WAY: Final = frozenset({"PROPOSED", "RESERVED", "PREPARED"})
_ADVANCE: Final = tuple(dict.fromkeys(_STATES.values()))
_ORDER_STATES: Final[Mapping[str | None, RemoteState]] = {
    "COMPLETED": RemoteState.SHIPPED,
    "CANCELED": RemoteState.CANCELED,
}


# ---------------------------------------------------------------------------------------------- to Square
def order_body(request: FulfillmentRequest, *, variations: Variations, preparation_minutes: int) -> dict[str, object]:
    """The body of ``CreateOrder``: the same bytes for every attempt, as the idempotency key demands.

    Raises:
        Rejected: The store does not sell one of the SKUs.
    """
    return {
        "idempotency_key": request.key,
        "order": {
            "location_id": request.location,
            "reference_id": request.key,
            "line_items": [_line_item(line, request.location, variations) for line in request.lines],
            "fulfillments": [_fulfillment(request, preparation_minutes)],
        },
    }


def cancellation_body(order: OrderRow) -> dict[str, object]:
    """The body of ``UpdateOrder`` that cancels whatever of this version has not ended."""
    return {
        "idempotency_key": f"cancel-{order.id}-{order.version}",
        "order": {
            "location_id": order.location_id,
            "version": order.version,
            "fulfillments": [_canceled(each) for each in order.fulfillments or () if each.state in _UNDER_WAY],
        },
    }


def _canceled(row: FulfillmentRow) -> dict[str, object]:
    details = "pickup_details" if row.type == "PICKUP" else "shipment_details"
    return {"uid": row.uid, "state": "CANCELED", details: {"cancel_reason": CANCEL_REASON}}


def _line_item(line: RequestLine, location: RemoteLocationId, variations: Variations) -> dict[str, str]:
    for variation in variations.get(line.sku, ()):
        if variation.is_carried_at(location):
            return {"catalog_object_id": variation.id, "quantity": str(line.units)}
    raise Rejected(f"location {location} does not sell {line.sku}", reason="SKU_NOT_CARRIED", field=line.sku)


def _fulfillment(request: FulfillmentRequest, preparation_minutes: int) -> dict[str, object]:
    recipient = _recipient(request.recipient)
    note = f"Order {request.order_number}"
    if request.method is Method.SHIP:
        return {"type": "SHIPMENT", "state": "PROPOSED", "shipment_details": {"recipient": recipient, "shipping_note": note}}
    pickup = {"recipient": recipient, "schedule_type": "ASAP", "prep_time_duration": f"PT{preparation_minutes}M", "note": note}
    return {"type": "PICKUP", "state": "PROPOSED", "pickup_details": pickup}


def _recipient(address: Address) -> dict[str, object]:
    # Lengths are Square's; a phone number cut short would be a wrong one, so a long one is left out.
    phone = "".join(sign for sign in address.phone or "" if sign.isdecimal() or sign == "+")
    said = {
        "display_name": (address.name or "Customer")[:255],
        "email_address": address.email if address.email and len(address.email) <= 255 else None,
        "phone_number": phone if len(phone) <= 17 else None,
    }
    return {**{name: value for name, value in said.items() if value}, "address": _address(address)}


def _address(address: Address) -> dict[str, str]:
    first, second, *rest = (*address.lines, "", "")
    said = {
        "address_line_1": first,
        "address_line_2": second,
        "address_line_3": ", ".join(line for line in rest if line),
        "locality": address.city,
        "administrative_district_level_1": address.region,
        "postal_code": address.postal_code,
        "country": address.country_code,
    }
    return {name: value for name, value in said.items() if value}


def search_body(locations: Sequence[RemoteLocationId], *, orders_max: int) -> dict[str, object]:
    """The body of ``SearchOrders`` that sees every order with a fulfillment, newest first."""
    query = {
        "filter": {"fulfillment_filter": {"fulfillment_types": ["PICKUP", "SHIPMENT"]}},
        "sort": {"sort_field": "CREATED_AT", "sort_order": "DESC"},
    }
    return {"location_ids": locations, "query": query, "limit": orders_max}


# ---------------------------------------------------------------------------------------------- from Square
def parse_order(order: OrderRow) -> RemoteFulfillment:
    """How far an order is."""
    rows = order.fulfillments or ()
    state = _state(order)
    reasons = (reason for each in rows if (reason := _reason(each)))
    return RemoteFulfillment(
        ref=RemoteRef(order.id),
        key=RequestKey(order.reference_id) if order.reference_id else None,
        state=state,
        packages=tuple(_package(each) for each in rows if each.state == "COMPLETED"),
        reason=next(reasons, None),
    )


def _state(order: OrderRow) -> RemoteState:
    """The least advanced part decides; parts that came to nothing do so only where nothing else is left."""
    states = {_STATES.get(each.state, RemoteState.REQUESTED) for each in order.fulfillments or ()}
    return next((state for state in _ADVANCE if state in states), _ORDER_STATES.get(order.state, RemoteState.REQUESTED))


def _details(row: FulfillmentRow) -> Details:
    return row.shipment_details or row.pickup_details or Details()


def _reason(row: FulfillmentRow) -> str | None:
    return _details(row).failure_reason or _details(row).cancel_reason


def _package(row: FulfillmentRow) -> RemotePackage:
    details = _details(row)
    return RemotePackage(
        carrier=details.carrier,
        tracking_number=details.tracking_number,
        tracking_url=details.tracking_url,
        shipped_at=details.shipped_at or details.picked_up_at,
    )
