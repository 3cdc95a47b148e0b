"""The seller behind the Square sandbox: stores, catalog, counts and orders, by Square's rules."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from connectors.contract import Sku
from connectors.sandbox.network import Network, Place, Product
from connectors.sandbox.square.wire import CreateOrder, Document, FulfillmentChange, LineItem, NewFulfillment, Refused, UpdateOrder

REFERENCE_LENGTH_MAX: Final = 40

# Where a fulfillment may go from where it is; what is missing has ended.
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    "PROPOSED": frozenset({"RESERVED", "PREPARED", "COMPLETED", "CANCELED", "FAILED"}),
    "RESERVED": frozenset({"PREPARED", "COMPLETED", "CANCELED", "FAILED"}),
    "PREPARED": frozenset({"COMPLETED", "CANCELED", "FAILED"}),
}
_DETAILS: Final[Mapping[str, str]] = {"PICKUP": "pickup_details", "SHIPMENT": "shipment_details"}
_INSTANTS: Final[Mapping[tuple[str, str], str]] = {
    ("PICKUP", "RESERVED"): "accepted_at",
    ("PICKUP", "PREPARED"): "ready_at",
    ("PICKUP", "COMPLETED"): "picked_up_at",
    ("PICKUP", "CANCELED"): "canceled_at",
    ("PICKUP", "FAILED"): "rejected_at",
    ("SHIPMENT", "RESERVED"): "in_progress_at",
    ("SHIPMENT", "PREPARED"): "packaged_at",
    ("SHIPMENT", "COMPLETED"): "shipped_at",
    ("SHIPMENT", "CANCELED"): "canceled_at",
    ("SHIPMENT", "FAILED"): "failed_at",
}


def instant() -> str:
    """Now, as Square writes it."""
    now = datetime.now(UTC)  # noqa: TID251  a stand-in for a remote system has a clock of its own
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Shop:
    """One seller. ``counts`` holds (units, calculated_at) by location and variation; absent was never counted."""

    def __init__(self, network: Network) -> None:
        self.stores: dict[str, Place] = {f"L{place.key.upper().replace('-', '')}": place for place in network.places_of("square")}
        self.products: dict[str, Product] = {}
        self.counts: dict[tuple[str, str], tuple[int, str]] = {}
        self.orders: dict[str, Document] = {}
        self._done: dict[str, tuple[str, str]] = {}  # idempotency key -> fingerprint of the body, order id
        counted_at = instant()
        products = {product.sku: product for product in network.products}
        for location, place in self.stores.items():
            for sku, units in network.carried_at(place.key).items():
                self.products[variation_of(sku)] = products[sku]
                self.counts[location, variation_of(sku)] = (units, counted_at)
        self._carried = frozenset(self.counts)

    def stores_with(self, variation: str) -> list[str]:
        """The locations that sell a variation, counted or not."""
        return [location for location in self.stores if (location, variation) in self._carried]

    def location_of(self, place_key: str) -> str:
        """The location of a place.

        Raises:
            LookupError: It is no store.
        """
        for location, place in self.stores.items():
            if place.key == place_key:
                return location
        raise LookupError(f"there is no store {place_key!r}")

    def count(self, location: str, variation: str, units: int) -> None:
        """Somebody counted.

        Raises:
            LookupError: The store does not sell it.
        """
        if (location, variation) not in self._carried:
            raise LookupError(f"{location} does not sell {variation}")
        self.counts[location, variation] = (units, instant())

    # ------------------------------------------------------------------------------------------ orders
    def create(self, new: CreateOrder) -> Document:
        """The order of that idempotency key: the same one for the same body."""
        if (known := self._replayed(new.idempotency_key, new)) is not None:
            return known
        wanted = new.order
        self._check(new)
        number = len(self.orders) + 1
        now = instant()
        order: Document = {
            "id": f"ORDER{number:06d}",
            "location_id": wanted.location_id,
            **({"reference_id": wanted.reference_id} if wanted.reference_id else {}),
            "line_items": [self._line(each, place) for place, each in enumerate(wanted.line_items)],
            "fulfillments": [_proposed(each, number, now) for each in wanted.fulfillments],
            "state": "OPEN",
            "version": 1,
            "created_at": now,
            "updated_at": now,
        }
        self.orders[order["id"]] = order
        self._remember(new.idempotency_key, new, order["id"])
        return order

    def _check(self, new: CreateOrder) -> None:
        order = new.order
        if order.location_id not in self.stores:
            raise Refused(404, "NOT_FOUND", "There is no such location.", field="order.location_id")
        if len(order.reference_id or "") > REFERENCE_LENGTH_MAX:
            raise Refused(400, "VALUE_TOO_LONG", "Field must not be greater than 40 in length.", field="order.reference_id")
        if not order.line_items:
            raise Refused(400, "ARRAY_EMPTY", "An order needs a line item.", field="order.line_items")
        if len(order.fulfillments) > 1:
            raise Refused(400, "ARRAY_LENGTH_TOO_LONG", "At most one fulfillment.", field="order.fulfillments")
        for line in order.line_items:
            self._check_line(order.location_id, line)
        for fulfillment in order.fulfillments:
            _check_fulfillment(fulfillment)

    def _check_line(self, location: str, line: LineItem) -> None:
        if (location, line.catalog_object_id) not in self._carried:
            raise Refused(404, "NOT_FOUND", "The location does not sell that.", field="order.line_items.catalog_object_id")
        try:
            units = Decimal(line.quantity)
        except InvalidOperation:
            units = Decimal(0)
        if units <= 0 or units != units.to_integral_value():
            raise Refused(400, "INVALID_VALUE", "Not a number of things.", field="order.line_items.quantity")

    def _line(self, line: LineItem, place: int) -> Document:
        product = self.products[line.catalog_object_id]
        return {
            "uid": f"line-{place}",
            "catalog_object_id": line.catalog_object_id,
            "name": product.name,
            "quantity": line.quantity,
            "base_price_money": {"amount": product.price_cents, "currency": "USD"},
        }

    def update(self, ref: str, change: UpdateOrder) -> Document:
        """The order after a sparse update, which has to name the version it was made for."""
        order = self.order(ref)
        if (known := self._replayed(change.idempotency_key, change)) is not None:
            return known
        if change.order.version is None:
            raise Refused(400, "BAD_REQUEST", "Missing required parameter.", field="order.version")
        if change.order.version != order["version"]:
            detail = (
                f"Supplied version {change.order.version} does not match the current version {order['version']} of order {ref}."
            )
            raise Refused(400, "VERSION_MISMATCH", detail, field="order.version")
        for each in change.order.fulfillments:
            self.move(ref, each)
        self._remember(change.idempotency_key, change, ref)
        return order

    def order(self, ref: str) -> Document:
        """One order.

        Raises:
            Refused: There is none.
        """
        if ref not in self.orders:
            raise Refused(404, "NOT_FOUND", f"Order not found for id {ref}.", field="order_id")
        return self.orders[ref]

    def move(self, ref: str, change: FulfillmentChange) -> None:
        """Bring a fulfillment further; one that completes takes its units out of stock.

        Raises:
            Refused: There is no such fulfillment, or it may not go there.
        """
        order = self.order(ref)
        row = next((each for each in order["fulfillments"] if each["uid"] == change.uid), None)
        if row is None:
            raise Refused(400, "NOT_FOUND", "There is no such fulfillment.", field="order.fulfillments.uid")
        details = _DETAILS[row["type"]]
        row[details] |= getattr(change, details) or {}
        if change.state is not None:
            if change.state not in TRANSITIONS.get(row["state"], ()):
                detail = f"A fulfillment cannot go from {row['state']} to {change.state}."
                raise Refused(400, "BAD_REQUEST", detail, field="order.fulfillments.state")
            row["state"] = change.state
            row[details][_INSTANTS[row["type"], change.state]] = instant()
            if change.state == "COMPLETED":
                self._complete(order)
        order["version"] += 1
        order["updated_at"] = instant()

    def _complete(self, order: Document) -> None:
        order["state"] = "COMPLETED"
        order["closed_at"] = instant()
        for line in order["line_items"]:
            shelf = (order["location_id"], line["catalog_object_id"])
            units, _ = self.counts.get(shelf, (0, ""))
            self.counts[shelf] = (units - int(line["quantity"]), instant())  # Square lets a count go below zero

    # ------------------------------------------------------------------------------------------ idempotency
    def _replayed(self, key: str | None, body: CreateOrder | UpdateOrder) -> Document | None:
        if key is None or key not in self._done:
            return None
        fingerprint, ref = self._done[key]
        if fingerprint != _fingerprint(body):
            raise Refused(400, "IDEMPOTENCY_KEY_REUSED", "The key was used with another body.", field="idempotency_key")
        return self.orders[ref]

    def _remember(self, key: str | None, body: CreateOrder | UpdateOrder, ref: str) -> None:
        if key is not None:
            self._done[key] = (_fingerprint(body), ref)


def variation_of(sku: Sku) -> str:
    """The id of the variation that stands for a SKU."""
    return f"VARIATION{sku.replace('-', '')}"


def _check_fulfillment(new: NewFulfillment) -> None:
    if new.type not in _DETAILS or new.state != "PROPOSED":
        raise Refused(400, "INVALID_ENUM_VALUE", "A new fulfillment is a proposed pickup or shipment.", field="order.fulfillments")
    details = getattr(new, _DETAILS[new.type]) or {}
    if not details.get("recipient", {}).get("display_name"):
        field = f"order.fulfillments.{_DETAILS[new.type]}.recipient.display_name"
        raise Refused(400, "MISSING_REQUIRED_PARAMETER", "Who is it for?", field=field)


def _proposed(new: NewFulfillment, number: int, now: str) -> Document:
    details = _DETAILS[new.type]
    return {
        "uid": f"fulfillment-{number}",
        "type": new.type,
        "state": "PROPOSED",
        details: {**(getattr(new, details) or {}), "placed_at": now},
    }


def _fingerprint(body: CreateOrder | UpdateOrder) -> str:
    return hashlib.sha256(msgspec.json.encode(body)).hexdigest()
