"""From our requests to Shopify's orders, and back."""

from collections.abc import Mapping, Sequence
from typing import Final

from connectors.contract import (
    Address,
    FulfillmentRequest,
    Method,
    RemoteFulfillment,
    RemoteLocationId,
    RemotePackage,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Sku,
)
from connectors.shopify.catalog import Item
from connectors.shopify.rows import FulfillmentRow, OrderRow, UndoneOrder, WorkRow
from connectors.shopify.stock import Stocks, units_of
from connectors.shopify.wire import number_of

PLACE: Final = "dom_location"
"""The custom attribute of an order that names the location it was meant for, by its number."""

# What a fulfillment service has said; at a location of the merchant's own nobody is asked, so all of it is taken on at once.
_SERVICE_STATES: Final[Mapping[str, RemoteState]] = {
    "UNSUBMITTED": RemoteState.REQUESTED,
    "SUBMITTED": RemoteState.REQUESTED,
    "ACCEPTED": RemoteState.ACCEPTED,
    "CANCELLATION_REQUESTED": RemoteState.ACCEPTED,
    "CANCELLATION_REJECTED": RemoteState.ACCEPTED,
    "CANCELLATION_ACCEPTED": RemoteState.CANCELED,
    "REJECTED": RemoteState.REJECTED,
    "CLOSED": RemoteState.REJECTED,  # given up without being completed
}
_ENDED: Final[Mapping[str, RemoteState]] = {
    "CLOSED": RemoteState.SHIPPED,  # if anything left at all: work that was moved or taken back is closed, too
    "CANCELLED": RemoteState.CANCELED,
    "INCOMPLETE": RemoteState.REJECTED,
}
_MOVABLE: Final = frozenset({"OPEN", "SCHEDULED", "ON_HOLD"})
_WITH_A_SERVICE: Final = frozenset({"SUBMITTED", "ACCEPTED", "CANCELLATION_REQUESTED", "CANCELLATION_REJECTED"})
# Least advanced first.
_ADVANCE: Final = (RemoteState.REQUESTED, RemoteState.ACCEPTED, RemoteState.SHIPPED)
# Reasons for which the people at the shop turn an order down; other cancellations are somebody's wish.
_REFUSALS: Final = frozenset({"INVENTORY", "DECLINED"})
_LOST: Final = frozenset({"CANCELLED", "ERROR", "FAILURE"})


# ---------------------------------------------------------------------------------------------- to Shopify
def order_input(request: FulfillmentRequest, line_items: Sequence[Mapping[str, object]], *, paid: str) -> dict[str, object]:
    """``OrderCreateOrderInput``. The key becomes the ``sourceIdentifier``, which Shopify can look for."""
    is_pickup = request.method is Method.PICKUP
    address = _address(request.recipient)
    return {
        "sourceIdentifier": request.key,
        "note": f"Order {request.order_number}" + (", the customer comes for it" if is_pickup else ""),
        "tags": ["pickup"] if is_pickup else [],
        "customAttributes": [{"key": PLACE, "value": request.location}],
        "email": request.recipient.email,
        "financialStatus": paid,
        "lineItems": line_items,
        "billingAddress" if is_pickup else "shippingAddress": address,
    }


def line_inputs(line: RequestLine, items: Sequence[Item], *, location: RemoteLocationId, stocks: Stocks) -> list[dict[str, object]]:
    """``OrderCreateLineItemInput``: of items that share a SKU, as much of each as the location has, roomiest first."""
    available = {item: _available(item, location, stocks) for item in items}
    ranked = sorted(items, key=lambda item: available[item], reverse=True)
    units, left = dict.fromkeys(ranked, 0), line.units
    for item in ranked:
        units[item] = min(left, max(available[item], 0))
        left -= units[item]
    units[ranked[0]] += left
    return [{"variantId": item.variant_id, "quantity": count, "requiresShipping": True} for item, count in units.items() if count]


def _available(item: Item, location: RemoteLocationId, stocks: Stocks) -> int:
    levels = stocks[item.id].levels if item.id in stocks else ()
    return sum(units_of(level, "available") for level in levels if number_of(level.location.id) == location)


def _address(address: Address) -> dict[str, object]:
    first_name, _, last_name = (address.name or "Customer").rpartition(" ")
    first, second, *rest = (*address.lines, "", "")
    said = {
        "firstName": first_name,
        "lastName": last_name,
        "address1": first,
        "address2": ", ".join(line for line in (second, *rest) if line),
        "city": address.city,
        "provinceCode": address.region,
        "zip": address.postal_code,
        "countryCode": address.country_code,
        "phone": address.phone,
    }
    return {name: value for name, value in said.items() if value}


# ---------------------------------------------------------------------------------------------- from Shopify
def parse_order(order: OrderRow) -> RemoteFulfillment:
    """How far an order is."""
    state = _state(order)
    note = order.cancellation.staff_note if order.cancellation else None
    return RemoteFulfillment(
        ref=RemoteRef(number_of(order.id)),
        key=RequestKey(order.source_identifier) if order.source_identifier else None,
        state=state,
        packages=tuple(_package(each) for each in _shipments(order)),
        reason=(note or order.cancel_reason) if order.cancelled_at else _trouble(order, state),
    )


def works_of(order: OrderRow) -> tuple[WorkRow, ...]:
    """The parts of its work that are not over."""
    return tuple(work for work in order.fulfillment_orders.nodes if work.status not in _ENDED)


def misplaced(order: OrderRow) -> WorkRow | None:
    """A part of the work that waits at another location than the one it was meant for, and may still be moved."""
    wanted = meant_for(order)
    for work in works_of(order):
        if work.status in _MOVABLE and work.request_status not in _WITH_A_SERVICE and _is_elsewhere(work, wanted):
            return work
    return None


def unasked(order: OrderRow) -> tuple[WorkRow, ...]:
    """The parts of the work that a fulfillment service has not been asked for."""
    return tuple(work for work in works_of(order) if _is_serviced(work) and work.request_status == "UNSUBMITTED")


def remaining(order: UndoneOrder) -> tuple[RequestLine, ...]:
    """What has not left."""
    units: dict[Sku, int] = {}
    undone = (work for work in order.fulfillment_orders.nodes if work.status not in {"CLOSED", "CANCELLED"})
    for line in (line for work in undone for line in work.line_items.nodes):
        if line.sku and line.remaining_quantity > 0:
            units[Sku(line.sku)] = units.get(Sku(line.sku), 0) + line.remaining_quantity
    return tuple(RequestLine(sku=sku, units=count) for sku, count in units.items())


def _state(order: OrderRow) -> RemoteState:
    """The least advanced part decides; what was turned down, or stopped, decides where it is so of any, or of all."""
    if order.cancelled_at:
        return RemoteState.REJECTED if order.cancel_reason in _REFUSALS else RemoteState.CANCELED
    wanted = meant_for(order)
    states = {_state_of(work, wanted) for work in order.fulfillment_orders.nodes}
    if not _shipments(order):
        states.discard(RemoteState.SHIPPED)
    if RemoteState.REJECTED in states:
        return RemoteState.REJECTED
    # A service that has let go of its part leaves it canceled beside a new one that takes its place.
    least = next((state for state in _ADVANCE if state in states), None)
    if least is None:  # without any part, Shopify has not decided yet who is to do it
        return RemoteState.CANCELED if order.fulfillment_orders.nodes else RemoteState.REQUESTED
    return least


def _shipments(order: OrderRow) -> tuple[FulfillmentRow, ...]:
    return tuple(each for each in order.fulfillments if each.status not in _LOST)


def _state_of(work: WorkRow, wanted: str | None) -> RemoteState:
    if ended := _ENDED.get(work.status):
        return ended
    if work.status in _MOVABLE and work.request_status not in _WITH_A_SERVICE and _is_elsewhere(work, wanted):
        return RemoteState.REQUESTED
    if _is_serviced(work):
        return _SERVICE_STATES.get(work.request_status, RemoteState.REQUESTED)
    return RemoteState.ACCEPTED


def meant_for(order: OrderRow) -> str | None:
    """The number of the location that was asked; None for orders that are not ours."""
    return next((each.value for each in order.custom_attributes if each.key == PLACE), None)


def _is_elsewhere(work: WorkRow, wanted: str | None) -> bool:
    location = work.assigned_location.location
    return wanted is not None and (location is None or number_of(location.id) != wanted)


def _is_serviced(work: WorkRow) -> bool:
    location = work.assigned_location.location
    return location is not None and location.is_fulfillment_service


def _trouble(order: OrderRow, state: RemoteState) -> str | None:
    if state is not RemoteState.REJECTED:
        return None
    troubled = (work for work in order.fulfillment_orders.nodes if _state_of(work, None) is RemoteState.REJECTED)
    return next((f"{work.status}, {work.request_status}" for work in troubled), None)


def _package(row: FulfillmentRow) -> RemotePackage:
    tracking = row.tracking_info[0] if row.tracking_info else None
    lines = ((each.line_item.sku, each.quantity) for each in row.fulfillment_line_items.nodes)
    return RemotePackage(
        carrier=tracking.company if tracking else None,
        tracking_number=tracking.number if tracking else None,
        tracking_url=tracking.url if tracking else None,
        shipped_at=row.created_at,
        lines=tuple(RequestLine(sku=Sku(sku), units=units) for sku, units in lines if sku and units),
    )
