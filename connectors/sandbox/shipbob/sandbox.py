"""ShipBob's endpoints over the merchant, and the strings that a demo or a test pulls."""

import base64
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from standardwebhooks import Webhook
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.contract import RawRequest
from connectors.sandbox.controls import SandboxLine, SandboxOrder, SandboxPackage
from connectors.sandbox.network import Network, Place
from connectors.sandbox.shipbob.estimates import NewEstimate, estimated
from connectors.sandbox.shipbob.merchant import Document, Merchant, NewOrder, Order, Unprocessable, instant, order_document

TOKEN: Final = "shipbob-sandbox-token"
CHANNEL_ID: Final = "1001"
WEBHOOK_SECRET: Final = "whsec_" + base64.b64encode(b"shipbob-sandbox-webhooks").decode()
PAGE_SIZE: Final = 50
PAGE_SIZE_MAX: Final = 250

Answer = Callable[[Request, bytes], tuple[int, object]]


class ShipBobSandbox:
    """One ShipBob merchant in memory."""

    system = "shipbob"

    def __init__(
        self, network: Network, *, token: str = TOKEN, channel_id: str = CHANNEL_ID, webhook_secret: str = WEBHOOK_SECRET
    ) -> None:
        self.merchant = Merchant(network)
        self._token = token
        self._channel_id = channel_id
        self._webhook_secret = webhook_secret

    # ------------------------------------------------------------------------------------------ the wire
    def routes(self) -> list[BaseRoute]:
        """The endpoints that the connector uses."""
        return [
            self._route("GET", "/2026-01/location", self._locations),
            self._route("GET", "/2026-01/inventory", self._inventory),
            self._route("GET", "/2026-01/inventory-level/locations", self._levels),
            self._route("GET", "/2026-01/order", self._find_orders),
            self._route("POST", "/2026-01/order", self._create_order),
            self._route("POST", "/2026-01/order/{ref}:cancel", self._cancel_order),
            self._route("POST", "/2026-01/order:estimate", self._estimate),
        ]

    def _route(self, method: str, path: str, answer: Answer) -> Route:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            given = request.headers.get("authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
                return _json({"message": "Unauthorized"}, status=401)
            try:
                status, content = answer(request, body)
            except Unprocessable as refusal:
                return _json(refusal.errors, status=422)
            except LookupError:
                return _json({"message": "Not found"}, status=404)
            return _json(content, status=status)

        return Route(path, endpoint, methods=[method])

    def _locations(self, _request: Request, _body: bytes) -> tuple[int, object]:
        return 200, [_location(center, place) for center, place in self.merchant.centers.items()]

    def _inventory(self, request: Request, _body: bytes) -> tuple[int, object]:
        rows = [self._item(item) for item in self._asked_for(request.query_params)]
        return 200, _page(request, rows)

    def _item(self, item: int) -> Document:
        product = self.merchant.items[item]
        return {"inventory_id": item, "sku": product.sku, "name": product.name, "is_lot": False}

    def _levels(self, request: Request, _body: bytes) -> tuple[int, object]:
        rows = [self._level(item) for item in self._asked_for(request.query_params)]
        return 200, _page(request, rows)

    def _level(self, item: int) -> Document:
        product = self.merchant.items[item]
        centers = [
            {
                "location_id": center,
                "name": self.merchant.centers[center].name,
                "on_hand_quantity": shelf.on_hand,
                "committed_quantity": shelf.committed,
                "fulfillable_quantity": shelf.fulfillable,
                "awaiting_quantity": 0,
                "internal_transfer_quantity": 0,
            }
            for center in self.merchant.centers
            if (shelf := self.merchant.shelves.get((center, item)))
        ]
        return {"inventory_id": item, "sku": product.sku, "name": product.name, "locations": centers}

    def _asked_for(self, query: QueryParams) -> list[int]:
        """The items of ``InventoryIds`` that ``SearchBy`` matches: its exact id, or any part of its SKU or name."""
        items = self.merchant.items
        ids = [int(each) for each in query.get("InventoryIds", "").split(",") if each.isdecimal()] or list(items)
        part = query.get("SearchBy", "").lower()
        return [
            item
            for item in dict.fromkeys(ids)
            if item in items and (part == str(item) or part in items[item].sku.lower() or part in items[item].name.lower())
        ]

    # ------------------------------------------------------------------------------------------ orders on the wire
    def _create_order(self, request: Request, body: bytes) -> tuple[int, object]:
        if request.headers.get("shipbob_channel_id") != self._channel_id:
            raise Unprocessable("shipbob_channel_id", "The channel is missing, or not one with write scopes.")
        try:
            new = msgspec.json.decode(body, type=NewOrder)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unprocessable("$", str(error)) from error
        return 201, self._document(self.merchant.create(new))

    def _estimate(self, request: Request, body: bytes) -> tuple[int, object]:
        if request.headers.get("shipbob_channel_id") != self._channel_id:
            raise Unprocessable("shipbob_channel_id", "The channel is missing, or not one with write scopes.")
        try:
            asked = msgspec.json.decode(body, type=NewEstimate)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unprocessable("$", str(error)) from error
        return 200, estimated(self.merchant, asked)

    def _find_orders(self, request: Request, _body: bytes) -> tuple[int, object]:
        query = request.query_params
        found = [order for order in self.merchant.orders.values() if _matches(query, order)]
        limit = min(_number(query, "Limit", PAGE_SIZE), PAGE_SIZE_MAX)
        start = limit * (_number(query, "Page", 1) - 1)
        return 200, [self._document(order) for order in found[start : start + limit]]

    def _cancel_order(self, request: Request, _body: bytes) -> tuple[int, object]:
        order = self._order(request.path_params["ref"])
        if order.status == "Cancelled":
            raise Unprocessable("order", "The order is cancelled already.")
        if left := order.status == "Fulfilled":
            result: Document = {"is_success": False, "reason": "The shipment has left."}
        else:
            self.merchant.cancel(order)
            result = {"is_success": True, "reason": None}
        shipment = {"action": "Cancel", "shipment_id": order.id + 1_000_000, **result}
        status = "Failure" if left else "Success"
        return 200, {
            "order_id": order.id,
            "status": status,
            "order": self._document(order),
            "canceled_shipment_results": [shipment],
        }

    def _document(self, order: Order) -> Document:
        return order_document(
            order,
            item_of=self.merchant.item_of,
            channel_id=int(self._channel_id),
            center_name=self.merchant.centers[order.center].name,
        )

    # ------------------------------------------------------------------------------------------ the strings
    def _order(self, ref: str) -> Order:
        order = self.merchant.orders.get(int(ref)) if ref.isdecimal() else None
        if order is None:
            raise LookupError(f"there is no order {ref!r}")
        return order

    def orders(self) -> list[SandboxOrder]:
        """What has arrived, oldest first."""
        return [
            SandboxOrder(
                ref=str(order.id),
                key=order.new.reference_id,
                place=self.merchant.centers[order.center].key,
                state=order.status,
                lines=[SandboxLine(sku=each.reference_id, units=each.quantity) for each in order.new.products],
                packages=_packages(order),
            )
            for order in self.merchant.orders.values()
        ]

    def accept(self, ref: str) -> None:
        """Nothing changes: ShipBob takes on what it can fill at once."""
        self._under_way(ref)

    def reject(self, ref: str, reason: str) -> None:
        """ShipBob cancels the order and gives the units back."""
        self.merchant.cancel(self._under_way(ref), because=reason)

    def ship(self, ref: str, *, carrier: str, tracking_number: str) -> None:
        """The parcel leaves the center."""
        order = self._under_way(ref)
        if order.status != "Processing":
            raise ValueError(f"order {ref} is {order.status} and cannot be shipped")
        self.merchant.ship(order, carrier=carrier, tracking_number=tracking_number)

    def _under_way(self, ref: str) -> Order:
        order = self._order(ref)
        if order.status not in {"Processing", "Exception"}:
            raise ValueError(f"order {ref} is {order.status}")
        return order

    def set_stock(self, place: str, sku: str, units: int) -> None:
        """The center counted: so many are on hand, committed ones included."""
        shelf = self.merchant.shelves.get((self.merchant.center_of(place), self.merchant.item_of(sku)))
        if shelf is None:
            raise LookupError(f"{place} does not carry {sku}")
        shelf.on_hand = units

    def stock(self, sku: str) -> Mapping[str, int]:
        """Units on hand by place key, where the SKU is carried."""
        return {
            self.merchant.centers[center].key: shelf.on_hand
            for (center, item), shelf in self.merchant.shelves.items()
            if self.merchant.items[item].sku == sku
        }

    def order_webhook(self, ref: str, *, topic: str = "order.shipped") -> RawRequest:
        """What ShipBob posts when something happens to this order: the order, or under a shipment's topic its shipment."""
        document = self._document(self._order(ref))
        resource = document["shipments"][0] if topic.startswith("order.shipment.") else document
        body = msgspec.json.encode(resource)
        event_id, sent_at = f"msg_{ref}_{topic}", datetime.fromisoformat(instant())
        headers = {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": Webhook(self._webhook_secret).sign(event_id, sent_at, body.decode()),
            "x-webhook-topic": topic,
        }
        return RawRequest(headers=headers, body=body)


def _json(content: object, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")


def _number(query: QueryParams, name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal():
        raise Unprocessable(name, "The value is not a number.")
    return int(text)


def _page(request: Request, rows: Sequence[Any]) -> Document:
    """One page of rows; ``next`` is a path with its parameters, the cursor among them."""
    query = request.query_params
    size = min(_number(query, "PageSize", PAGE_SIZE), PAGE_SIZE_MAX)
    start = _number(query, "Cursor", 0)
    more = request.url.include_query_params(Cursor=start + size)
    return {
        "items": rows[start : start + size],
        "first": None,
        "last": None,
        "prev": None,
        "next": f"{more.path}?{more.query}" if len(rows) > start + size else None,
    }


def _matches(query: QueryParams, order: Order) -> bool:
    ids = query.get("IDs")
    references = query.get("ReferenceIds")
    return (ids is None or str(order.id) in ids.split(",")) and (
        references is None or order.new.reference_id in references.split(",")
    )


def _packages(order: Order) -> list[SandboxPackage]:
    tracking = order.tracking
    if tracking is None:
        return []
    return [SandboxPackage(carrier=tracking["carrier"], tracking_number=tracking["tracking_number"])]


def _location(center: int, place: Place) -> Document:
    address = {
        "address1": place.address.lines[0],
        "city": place.address.city,
        "state": place.address.region,
        "zip_code": place.address.postal_code,
        "country": place.address.country_code,
    }
    return {
        "id": center,
        "name": place.name,
        "timezone": place.time_zone,
        "is_active": True,
        "is_shipping_enabled": True,
        "is_receiving_enabled": True,
        "access_granted": True,
        "services": [{"service_type": "Receiving", "enabled": True, "address": address}],
    }
