"""Shopify's endpoints over the shop, and the strings that a demo or a test pulls."""

import base64
import hmac
import time
from collections.abc import Collection, Mapping
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from graphql import DocumentNode, GraphQLError, execute_sync, parse, validate
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.contract import RawRequest
from connectors.sandbox.controls import SandboxLine, SandboxOrder, SandboxPackage
from connectors.sandbox.network import Network
from connectors.sandbox.shopify.costs import COST_MAX, Bucket, cost_of
from connectors.sandbox.shopify.graph import Document, Graph, Switches
from connectors.sandbox.shopify.schema import SCHEMA
from connectors.sandbox.shopify.shop import Order, Refused, Shop, Work, instant
from connectors.sandbox.shopify.subscriptions import Subscriptions

ACCESS_TOKEN: Final = "shopify-sandbox-token"
CLIENT_ID: Final = "shopify-sandbox-app"
CLIENT_SECRET: Final = "shopify-sandbox-secret"
VERSIONS: Final = ("2025-10", "2026-01", "2026-04", "2026-07", "2026-10")
TOKEN_LIFE_S: Final = 86_399

# The largest plan's, so that nothing but a test comes to its end.
_MOST: Final = 20_000.0
_RESTORE_PER_S: Final = 1_000.0


class _Ask(msgspec.Struct):
    query: str
    variables: Document | None = None


class ShopifySandbox:
    """One Shopify shop in memory, with an app of ours. ``switches`` turn on what Shopify is not always at its best in.

    ``services`` are the keys of places that fulfillment services run. ``bucket`` is what queries are paid from; None: a large one.
    """

    system = "shopify"

    def __init__(
        self,
        network: Network,
        *,
        access_token: str = ACCESS_TOKEN,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        services: Collection[str] = (),
        bucket: Bucket | None = None,
    ) -> None:
        self.shop = Shop(network, services=services)
        self.subscriptions = Subscriptions()
        self.switches = Switches()
        self.bucket = bucket or Bucket(most=_MOST, restore_per_s=_RESTORE_PER_S, monotonic=time.monotonic)
        self.tokens = {access_token}
        """Those that are taken. Emptied: they have been revoked."""
        self.throttle = False
        """Refuse everything as if somebody else had spent all points."""
        self._app = (client_id, client_secret)
        self._granted = 0
        self._events = 0
        self._graph = Graph(self.shop, self.subscriptions, self.switches, VERSIONS)

    # ------------------------------------------------------------------------------------------ the wire
    def routes(self) -> list[BaseRoute]:
        """The two endpoints."""
        return [
            Route("/admin/api/{version}/graphql.json", self._asked, methods=["POST"]),
            Route("/admin/oauth/access_token", self._grant, methods=["POST"]),
        ]

    async def _asked(self, request: Request) -> Response:
        body = await request.body()
        if request.headers.get("x-shopify-access-token", "") not in self.tokens:
            return _json({"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, status=401)
        version = served_version(request.path_params["version"])
        if version is None:
            return _json({"errors": "Not Found"}, status=404)
        try:
            asked = msgspec.json.decode(body, type=_Ask)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _json({"errors": {"query": "Required parameter missing or invalid"}}, status=400)
        return _json(self._answer(asked), version=version)

    async def _grant(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        given = (form.get("client_id"), form.get("client_secret"))
        if form.get("grant_type") != "client_credentials" or given != self._app:
            return _json({"error": "invalid_client", "error_description": "The client is not known."}, status=400)
        self._granted += 1
        token = f"shopify-sandbox-grant-{self._granted}"
        self.tokens.add(token)
        return _json({"access_token": token, "scope": "write_orders,read_inventory", "expires_in": TOKEN_LIFE_S})

    def _answer(self, asked: _Ask) -> Document:
        document, errors = _checked(asked.query)
        if document is None or errors:
            return {"errors": [_invalid(error) for error in errors]}
        variables = asked.variables or {}
        cost = cost_of(SCHEMA, document, variables)
        if cost > COST_MAX:
            message = f"Query cost is {cost}, which exceeds the single query max cost limit ({COST_MAX})."
            extensions = {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": COST_MAX}
            return {"errors": [{"message": message, "extensions": extensions}]}
        if self.throttle or not self.bucket.spend(cost):
            extensions = {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"}
            return {"errors": [{"message": "Throttled", "extensions": extensions}], **self._spent(cost, None)}
        result = execute_sync(SCHEMA, document, self._graph.root(), variable_values=variables)
        if result.errors:
            return {"errors": [_failed(error) for error in result.errors], **self._spent(cost, cost)}
        return {"data": result.data, **self._spent(cost, cost)}

    def _spent(self, requested: int, actual: int | None) -> Document:
        status = {
            "maximumAvailable": self.bucket.most,
            "currentlyAvailable": 0 if self.throttle else self.bucket.left,
            "restoreRate": self.bucket.restore_per_s,
        }
        return {"extensions": {"cost": {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}}}

    # ------------------------------------------------------------------------------------------ the strings
    def orders(self) -> list[SandboxOrder]:
        """What has arrived, oldest first."""
        return [self._order(order) for order in self.shop.orders.values()]

    def _order(self, order: Order) -> SandboxOrder:
        last = (order.open_works or order.works)[-1]
        lines = [line for work in order.works for line in work.lines]
        return SandboxOrder(
            ref=order.number,
            key=order.key,
            place=self.shop.locations[last.location].key,
            state="CANCELLED" if order.canceled_at else f"{last.status}/{last.request_status}",
            lines=[SandboxLine(sku=line.item.sku, units=line.total) for line in lines],
            packages=[SandboxPackage(carrier=each.carrier, tracking_number=each.tracking_number) for each in order.shipments],
        )

    def accept(self, ref: str) -> None:
        """The store begins, or the fulfillment service takes the request on."""
        for work in self._open(ref):
            if work.location in self.shop.services:
                _expect(work, "SUBMITTED")
                work.request_status = "ACCEPTED"
            work.status = "IN_PROGRESS"

    def reject(self, ref: str, reason: str) -> None:
        """The people at the store cancel the order, or the fulfillment service turns the request down."""
        works = self._open(ref)
        if any(work.location in self.shop.services for work in works):
            for work in works:
                _expect(work, "SUBMITTED")
                work.request_status = "REJECTED"
            return
        try:
            self.shop.cancel(self.shop.orders[ref], reason="INVENTORY", note=reason)
        except Refused as refusal:
            raise ValueError(str(refusal)) from refusal
        self.shop.settle()

    def ship(self, ref: str, *, carrier: str, tracking_number: str) -> None:
        """The parcel leaves; what was committed is no longer on hand."""
        for work in self._open(ref):
            if work.location in self.shop.services:
                _expect(work, "ACCEPTED")
            self.shop.ship(work, carrier=carrier, tracking_number=tracking_number)

    def answer_cancellation(self, ref: str, *, accepted: bool) -> None:
        """The fulfillment service answers whether it lets go of what it was asked to stop."""
        for work in self._open(ref):
            _expect(work, "CANCELLATION_REQUESTED")
            if accepted:
                self.shop.let_go(work)
            else:
                work.request_status = "CANCELLATION_REJECTED"

    def _open(self, ref: str) -> list[Work]:
        if ref not in self.shop.orders:
            raise LookupError(f"there is no order {ref!r}")
        if not (works := self.shop.orders[ref].open_works):
            raise ValueError(f"order {ref} is over")
        return works

    def set_stock(self, place: str, sku: str, units: int) -> None:
        """Somebody counted: of several items with that SKU, the first is all there is."""
        location = self.shop.location_of(place)
        stocked = [level for item in self.shop.items_of(sku) if (level := self.shop.levels.get((location, item.number)))]
        if not stocked:
            raise LookupError(f"{place} does not stock {sku}")
        for index, level in enumerate(stocked):
            level.change(available=(0 if index else units) - level.on_hand)

    def stock(self, sku: str) -> Mapping[str, int]:
        """Units on hand by place key, where it is stocked."""
        found: dict[str, int] = {}
        for item in self.shop.items_of(sku):
            for location, level in self.shop.levels_of(item):
                key = self.shop.locations[location].key
                found[key] = found.get(key, 0) + level.on_hand
        return found

    # ------------------------------------------------------------------------------------------ webhooks
    def stock_webhook(self, place: str, sku: str) -> RawRequest:
        """What Shopify posts when a level changes."""
        location, item = self.shop.location_of(place), self.shop.items_of(sku)[0]
        available = self.shop.levels[location, item.number].available
        said = {"inventory_item_id": int(item.number), "location_id": int(location), "available": available}
        return self._posted("inventory_levels/update", said)

    def shipment_webhook(self, ref: str) -> RawRequest:
        """What Shopify posts when something of an order leaves."""
        shipment = self.shop.orders[ref].shipments[-1]
        return self._posted("fulfillments/create", {"id": int(shipment.number), "order_id": int(ref), "status": "success"})

    def work_webhook(self, ref: str) -> RawRequest:
        """What Shopify posts when a fulfillment order changes: it does not name the order."""
        work = self.shop.orders[ref].works[-1]
        said = {"id": f"gid://shopify/FulfillmentOrder/{work.number}", "status": work.status.lower()}
        return self._posted("fulfillment_orders/fulfillment_request_accepted", {"fulfillment_order": said, "message": None})

    def _posted(self, topic: str, said: Document) -> RawRequest:
        body = msgspec.json.encode(said)
        self._events += 1
        digest = hmac.digest(self._app[1].encode(), body, "sha256")
        headers = {
            "x-shopify-topic": topic,
            "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
            "x-shopify-webhook-id": f"event-{self._events}",
            "x-shopify-api-version": VERSIONS[-1],
        }
        return RawRequest(headers=headers, body=body)


def served_version(asked: str) -> str | None:
    """What version is answered: the oldest for one that has gone, none for one that never was."""
    if asked in VERSIONS:
        return asked
    return VERSIONS[0] if asked < VERSIONS[0] and asked[:2] == "20" else None


def _expect(work: Work, request_status: str) -> None:
    if work.request_status != request_status:
        raise ValueError(f"the request is {work.request_status}, not {request_status}")


@lru_cache(maxsize=64)
def _checked(query: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
    """The document, and what is wrong with it."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, (error,)
    return document, tuple(validate(SCHEMA, document))


def _invalid(error: GraphQLError) -> Document:
    code = "undefinedField" if error.message.startswith("Cannot query field") else "invalidDocument"
    return {"message": error.message, "extensions": {"code": code}}


def _failed(error: GraphQLError) -> Document:
    code = (error.extensions or {}).get("code", "INVALID_VARIABLE" if error.message.startswith("Variable") else None)
    return {"message": error.message, "path": error.path, "extensions": {"code": code} if code else {}}


def _json(content: Any, *, status: int = 200, version: str | None = None) -> Response:
    headers = {"date": format_datetime(instant(), usegmt=True)} | ({"x-shopify-api-version": version} if version else {})
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json", headers=headers)
