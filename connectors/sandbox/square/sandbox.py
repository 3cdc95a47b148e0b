"""Square's endpoints over the shop, and the strings that a demo or a test pulls."""

import base64
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.contract import RawRequest, Sku
from connectors.sandbox.controls import SandboxLine, SandboxOrder, SandboxPackage
from connectors.sandbox.network import Network, Place
from connectors.sandbox.square.shop import TRANSITIONS, Shop, instant, variation_of
from connectors.sandbox.square.wire import (
    CatalogSearch,
    Counts,
    CreateOrder,
    Document,
    FulfillmentChange,
    Refused,
    RetrieveCatalog,
    RetrieveOrders,
    SearchOrders,
    UpdateOrder,
    page,
    read,
)

ACCESS_TOKEN: Final = "square-sandbox-token"
SIGNATURE_KEY: Final = "square-sandbox-signature"
COUNTS_PER_PAGE_MAX: Final = 1000
CATALOG_PER_PAGE: Final = 1000
SKUS_PER_QUERY_MAX: Final = 250
LOCATIONS_PER_SEARCH_MAX: Final = 10
ORDERS_PER_RETRIEVE_MAX: Final = 100
_WEEKDAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")

Answer = Callable[[Request, bytes], Document]


class SquareSandbox:
    """One Square seller in memory."""

    system = "square"

    def __init__(self, network: Network, *, access_token: str = ACCESS_TOKEN, signature_key: str = SIGNATURE_KEY) -> None:
        self.shop = Shop(network)
        self._access_token = access_token
        self._signature_key = signature_key

    # ------------------------------------------------------------------------------------------ the wire
    def routes(self) -> list[BaseRoute]:
        """The endpoints that the connector uses."""
        return [
            self._route("GET", "/v2/locations", self._locations),
            self._route("POST", "/v2/catalog/search", self._search_catalog),
            self._route("POST", "/v2/catalog/batch-retrieve", self._retrieve_catalog),
            self._route("POST", "/v2/inventory/counts/batch-retrieve", self._counts),
            self._route("POST", "/v2/orders", lambda _, body: {"order": self.shop.create(read(body, CreateOrder))}),
            self._route("POST", "/v2/orders/search", self._search_orders),
            self._route("POST", "/v2/orders/batch-retrieve", self._retrieve_orders),
            self._route("GET", "/v2/orders/{ref}", lambda request, _: {"order": self.shop.order(request.path_params["ref"])}),
            self._route("PUT", "/v2/orders/{ref}", self._update_order),
        ]

    def _route(self, method: str, path: str, answer: Answer) -> Route:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                self._check_token(request)
                return _json(answer(request, body))
            except Refused as refusal:
                return _json({"errors": [refusal.error]}, status=refusal.status)

        return Route(path, endpoint, methods=[method])

    def _check_token(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._access_token}".encode()):
            raise Refused(401, "UNAUTHORIZED", "This request could not be authorized.", category="AUTHENTICATION_ERROR")

    def _locations(self, _request: Request, _body: bytes) -> Document:
        return {"locations": [_location(location, place) for location, place in self.shop.stores.items()]}

    def _search_catalog(self, _request: Request, body: bytes) -> Document:
        asked: CatalogSearch = read(body, CatalogSearch)
        found = list(self.shop.products)
        if asked.query and (wanted := asked.query.set_query):
            if len(wanted.attribute_values) > SKUS_PER_QUERY_MAX or wanted.attribute_name != "sku":
                raise Refused(400, "INVALID_VALUE", "At most 250 values of one attribute.", field="query.set_query")
            skus = {value.lower() for value in wanted.attribute_values}
            found = [each for each in found if self.shop.products[each].sku.lower() in skus]
        limit = asked.limit if asked.limit and 0 < asked.limit <= CATALOG_PER_PAGE else CATALOG_PER_PAGE
        answer = page("objects", found, cursor=asked.cursor, limit=limit)
        variations = answer.get("objects", [])
        if variations:
            answer["objects"] = [self._variation(each) for each in variations]
            if asked.include_related_objects:
                answer["related_objects"] = [self._item(each) for each in variations]
        return answer

    def _retrieve_catalog(self, _request: Request, body: bytes) -> Document:
        ids = read(body, RetrieveCatalog).object_ids
        if len(ids) > CATALOG_PER_PAGE:
            raise Refused(400, "ARRAY_LENGTH_TOO_LONG", "At most 1000 objects.", field="object_ids")
        found = [self._variation(each) for each in dict.fromkeys(ids) if each in self.shop.products]
        return {"objects": found} if found else {}

    def _variation(self, variation: str) -> Document:
        product = self.shop.products[variation]
        stores = self.shop.stores_with(variation)
        everywhere = len(stores) == len(self.shop.stores)
        return {
            "type": "ITEM_VARIATION",
            "id": variation,
            "version": 1,
            "is_deleted": False,
            "present_at_all_locations": everywhere,
            **({} if everywhere else {"present_at_location_ids": stores}),
            "item_variation_data": {
                "item_id": f"ITEM{variation}",
                "name": "Regular",
                "sku": product.sku,
                "pricing_type": "FIXED_PRICING",
                "price_money": {"amount": product.price_cents, "currency": "USD"},
                "track_inventory": True,
            },
        }

    def _item(self, variation: str) -> Document:
        name = self.shop.products[variation].name
        return {"type": "ITEM", "id": f"ITEM{variation}", "version": 1, "item_data": {"name": name}}

    def _counts(self, _request: Request, body: bytes) -> Document:
        asked: Counts = read(body, Counts)
        if asked.limit is not None and not 1 <= asked.limit <= COUNTS_PER_PAGE_MAX:
            raise Refused(400, "VALUE_TOO_HIGH", "The limit is 1 to 1000.", field="limit")
        counts = self.shop.counts if not asked.states or "IN_STOCK" in asked.states else {}
        after = _instant(asked.updated_after or "1970-01-01T00:00:00Z")
        rows = [
            _count(*shelf, *counts[shelf])
            for variation in dict.fromkeys(asked.catalog_object_ids or self.shop.products)
            for location in asked.location_ids or self.shop.stores
            if (shelf := (location, variation)) in counts and _instant(counts[shelf][1]) > after
        ]
        rows.sort(key=lambda row: _instant(row["calculated_at"]), reverse=True)
        return page("counts", rows, cursor=asked.cursor, limit=asked.limit or 100)

    def _search_orders(self, _request: Request, body: bytes) -> Document:
        asked: SearchOrders = read(body, SearchOrders)
        if not 1 <= len(asked.location_ids) <= LOCATIONS_PER_SEARCH_MAX:
            raise Refused(400, "INVALID_VALUE", "One to ten locations.", field="location_ids")
        narrowed = asked.query.filter.fulfillment_filter if asked.query and asked.query.filter else None
        types = frozenset((narrowed.fulfillment_types if narrowed else None) or ("PICKUP", "SHIPMENT"))
        rows = [
            order
            for order in reversed(self.shop.orders.values())
            if order["location_id"] in asked.location_ids and any(each["type"] in types for each in order["fulfillments"])
        ]
        return page("orders", rows, cursor=asked.cursor, limit=asked.limit or 500)

    def _retrieve_orders(self, _request: Request, body: bytes) -> Document:
        refs = read(body, RetrieveOrders).order_ids
        if len(refs) > ORDERS_PER_RETRIEVE_MAX:
            raise Refused(400, "ARRAY_LENGTH_TOO_LONG", "At most 100 orders.", field="order_ids")
        found = [self.shop.orders[ref] for ref in refs if ref in self.shop.orders]
        return {"orders": found} if found else {}

    def _update_order(self, request: Request, body: bytes) -> Document:
        return {"order": self.shop.update(request.path_params["ref"], read(body, UpdateOrder))}

    # ------------------------------------------------------------------------------------------ the strings
    def orders(self) -> list[SandboxOrder]:
        """What has arrived, oldest first."""
        return [self._order(order) for order in self.shop.orders.values()]

    def _order(self, order: Document) -> SandboxOrder:
        shipments = [each.get("shipment_details", {}) for each in order["fulfillments"]]
        return SandboxOrder(
            ref=order["id"],
            key=order.get("reference_id"),
            place=self.shop.stores[order["location_id"]].key,
            state=order["fulfillments"][0]["state"] if order["fulfillments"] else order["state"],
            lines=[
                SandboxLine(sku=self.shop.products[line["catalog_object_id"]].sku, units=int(line["quantity"]))
                for line in order["line_items"]
            ],
            packages=[
                SandboxPackage(carrier=each["carrier"], tracking_number=each["tracking_number"])
                for each in shipments
                if "tracking_number" in each
            ],
        )

    def accept(self, ref: str) -> None:
        """The store takes the order on."""
        self._move(ref, "RESERVED", {})

    def reject(self, ref: str, reason: str) -> None:
        """The store turns the order down."""
        # Square's pickup details have no field for a failure's reason, its shipment details have.
        self._move(ref, "FAILED", {"failure_reason": reason[:100]}, pickup={"cancel_reason": reason[:100]})

    def ship(self, ref: str, *, carrier: str, tracking_number: str) -> None:
        """The parcel leaves, or the customer collects: only now does the count go down."""
        self._move(ref, "COMPLETED", {"carrier": carrier, "tracking_number": tracking_number}, pickup={})

    def _move(self, ref: str, state: str, shipment: Document, *, pickup: Document | None = None) -> None:
        if ref not in self.shop.orders:
            raise LookupError(f"there is no order {ref!r}")
        row = self.shop.orders[ref]["fulfillments"][0]
        if state not in TRANSITIONS.get(row["state"], ()):
            raise ValueError(f"order {ref} is {row['state']} and cannot become {state}")
        change = FulfillmentChange(uid=row["uid"], state=state, shipment_details=shipment, pickup_details=pickup)
        self.shop.move(ref, change)

    def set_stock(self, place: str, sku: str, units: int) -> None:
        """The store counted."""
        self.shop.count(self.shop.location_of(place), variation_of(Sku(sku)), units)

    def stock(self, sku: str) -> Mapping[str, int]:
        """Units in stock by place key, where they were ever counted."""
        variation = variation_of(Sku(sku))
        return {
            self.shop.stores[location].key: units for (location, each), (units, _) in self.shop.counts.items() if each == variation
        }

    def stock_webhook(self, sku: str, *, url: str) -> RawRequest:
        """What Square posts to ``url`` when a count of this SKU changes."""
        variation = variation_of(Sku(sku))
        rows = [_count(*shelf, *counted) for shelf, counted in self.shop.counts.items() if shelf[1] == variation]
        content = {"type": "inventory_counts", "id": variation, "object": {"inventory_counts": rows}}
        return self._signed(url, {"type": "inventory.count.updated", "event_id": f"count-{variation}", "data": content})

    def order_webhook(self, ref: str, *, url: str) -> RawRequest:
        """What Square posts to ``url`` when a fulfillment of this order changes."""
        order = self.shop.orders[ref]
        updates = [{"fulfillment_uid": each["uid"], "new_state": each["state"]} for each in order["fulfillments"]]
        said = {"order_id": ref, "version": order["version"], "location_id": order["location_id"], "fulfillment_update": updates}
        content = {"type": "order_fulfillment_updated", "id": ref, "object": {"order_fulfillment_updated": said}}
        event_id = f"order-{ref}-{order['version']}"
        return self._signed(url, {"type": "order.fulfillment.updated", "event_id": event_id, "data": content})

    def _signed(self, url: str, event: Document) -> RawRequest:
        body = msgspec.json.encode({"merchant_id": "SANDBOX", "created_at": instant(), **event})
        digest = hmac.digest(self._signature_key.encode(), url.encode() + body, "sha256")
        return RawRequest(headers={"x-square-hmacsha256-signature": base64.b64encode(digest).decode()}, body=body)


def _json(content: Document, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(400, "INVALID_TIME", "Not an RFC 3339 timestamp.", field="updated_after") from error


def _count(location: str, variation: str, units: int, counted_at: str) -> Document:
    return {
        "catalog_object_id": variation,
        "catalog_object_type": "ITEM_VARIATION",
        "state": "IN_STOCK",
        "location_id": location,
        "quantity": str(units),
        "calculated_at": counted_at,
        "is_estimated": False,
    }


def _location(location: str, place: Place) -> Document:
    return {
        "id": location,
        "name": place.name,
        "address": {
            "address_line_1": place.address.lines[0],
            "locality": place.address.city,
            "administrative_district_level_1": place.address.region,
            "postal_code": place.address.postal_code,
            "country": place.address.country_code,
        },
        "timezone": place.time_zone,
        "status": "ACTIVE",
        "country": place.address.country_code,
        "currency": "USD",
        "type": "PHYSICAL",
        "coordinates": {"latitude": place.address.latitude, "longitude": place.address.longitude},
        "business_hours": {
            "periods": [
                {
                    "day_of_week": _WEEKDAYS[each.weekday],
                    "start_local_time": each.opens_at.isoformat(),
                    "end_local_time": each.closes_at.isoformat(),
                }
                for each in place.hours
            ]
        },
    }
