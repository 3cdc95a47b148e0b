"""Amazon's endpoints over the seller, and the strings that a demo or a test pulls."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.sandbox.amazon_mcf.inventory import Inventory
from connectors.sandbox.amazon_mcf.login import Login
from connectors.sandbox.amazon_mcf.outbound_2020 import Outbound2020
from connectors.sandbox.amazon_mcf.outbound_2026 import Outbound2026
from connectors.sandbox.amazon_mcf.seller import UNDER_WAY, Order, Refused, Seller
from connectors.sandbox.controls import SandboxLine, SandboxOrder, SandboxPackage
from connectors.sandbox.network import Network

MARKETPLACE_ID: Final = "ATVPDKIKX0DER"
TOKEN_LIVES_S: Final = 3_600.0
ORDERS_2020: Final = "/fba/outbound/2020-07-01/fulfillmentOrders"
ORDERS_2026: Final = "/fulfillment/outbound/2026-07-04/orders"
PREVIEWS_2026: Final = "/fulfillment/outbound/2026-07-04/previews"
HEADERS: Final = {"x-amzn-RateLimit-Limit": "2.0", "x-amzn-RequestId": "sandbox"}

Answer = Callable[[Request, bytes], tuple[int, object]]


class AmazonMcfSandbox:
    """One seller in one marketplace, in memory. ``throttled``: so many requests are still to be answered 429."""

    system = "amazon_mcf"

    def __init__(self, network: Network, *, token_lives_s: float = TOKEN_LIVES_S) -> None:
        self.seller = Seller(network)
        self.login = Login(token_lives_s=token_lives_s)
        self.inventory = Inventory(self.seller, marketplace_id=MARKETPLACE_ID)
        self.outbound_2020 = Outbound2020(self.seller, marketplace_id=MARKETPLACE_ID)
        self.outbound_2026 = Outbound2026(self.seller)
        self.throttled = 0

    # ------------------------------------------------------------------------------------------ the wire
    def routes(self) -> list[BaseRoute]:
        """The endpoints that the connector uses. Login with Amazon is another host in truth."""
        old, new = self.outbound_2020, self.outbound_2026
        return [
            Route("/auth/o2/token", self.login.endpoint, methods=["POST"]),
            self._route("GET", "/fba/inventory/v1/summaries", self.inventory.answer),
            self._route("POST", f"{ORDERS_2020}/preview", old.preview),
            self._route("POST", ORDERS_2020, old.create),
            self._route("GET", f"{ORDERS_2020}/{{key}}", old.find),
            self._route("PUT", f"{ORDERS_2020}/{{key}}/cancel", old.cancel),
            self._route("POST", PREVIEWS_2026, new.preview),
            self._route("POST", ORDERS_2026, new.create),
            self._route("GET", f"{ORDERS_2026}/{{key}}", new.find),
            self._route("PUT", f"{ORDERS_2026}/{{key}}/cancel", new.cancel),
        ]

    def _route(self, method: str, path: str, answer: Answer) -> Route:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                self._admit(request)
                status, content = answer(request, body)
            except Refused as refusal:
                status, content = refusal.status, {"errors": [refusal.error]}
            return Response(msgspec.json.encode(content), status_code=status, headers=HEADERS, media_type="application/json")

        return Route(path, endpoint, methods=[method])

    def _admit(self, request: Request) -> None:
        if not self.login.takes(request.headers.get("x-amz-access-token", "")):
            raise Refused("Access to requested resource is denied.", code="Unauthorized", status=403)
        if self.throttled:
            self.throttled -= 1
            raise Refused("You exceeded your quota for the requested resource.", code="QuotaExceeded", status=429)

    # ------------------------------------------------------------------------------------------ the strings
    def orders(self) -> list[SandboxOrder]:
        """What has arrived, oldest first."""
        return [self._shown(order) for order in self.seller.orders.values()]

    def _shown(self, order: Order) -> SandboxOrder:
        return SandboxOrder(
            ref=order.id,
            key=order.id,
            place=self.seller.place.key,
            state=order.status,
            lines=[SandboxLine(sku=line.sku, units=line.units) for line in order.lines],
            packages=[SandboxPackage(carrier=each.carrier, tracking_number=each.tracking_number) for each in order.parcels],
        )

    def accept(self, ref: str) -> None:
        """Amazon validates the order: it is planned and its units reserved, or it is invalid. Stops it, where that was asked."""
        order = self._under_way(ref)
        self.seller.validate(order)
        if order.is_stopping:
            self.seller.release(order, "Cancelled")

    def pick(self, ref: str) -> None:
        """Picking begins: from now on it cannot be canceled."""
        order = self._under_way(ref)
        self.seller.validate(order)
        if order.status == "Planning":
            order.become("Processing")

    def reject(self, ref: str, reason: str) -> None:
        """Nobody finds the goods. Amazon has no field for a ``reason``."""
        del reason
        self.seller.release(self._under_way(ref), "Unfulfillable")

    def ship(self, ref: str, *, carrier: str, tracking_number: str) -> None:
        """All of it leaves."""
        self.ship_without(ref, {}, carrier=carrier, tracking_number=tracking_number)

    def ship_without(self, ref: str, missing: Mapping[str, int], *, carrier: str, tracking_number: str) -> None:
        """It leaves, but for so many units of these SKUs: nobody found them once picking had begun."""
        self.pick(ref)
        order = self._under_way(ref)
        by_line = {line.id: missing[line.sku] for line in order.lines if missing.get(line.sku)}
        self.seller.leave(order, carrier=carrier, tracking_number=tracking_number, missing=by_line)

    def _under_way(self, ref: str) -> Order:
        if ref not in self.seller.orders:
            raise LookupError(f"there is no order {ref!r}")
        order = self.seller.orders[ref]
        if order.status not in UNDER_WAY:
            raise ValueError(f"order {ref} is {order.status}")
        return order

    def set_stock(self, place: str, sku: str, units: int) -> None:
        """Amazon counted: so many units stand there, what is reserved included."""
        if place != self.seller.place.key or sku not in self.seller.shelves:
            raise LookupError(f"there is no {sku!r} at {place!r}")
        shelf = self.seller.shelves[sku]
        shelf.move(on_hand=units - shelf.on_hand)

    def stock(self, sku: str) -> Mapping[str, int]:
        """Units on hand by place key, where the SKU is carried."""
        return {self.seller.place.key: self.seller.shelves[sku].on_hand} if sku in self.seller.shelves else {}
