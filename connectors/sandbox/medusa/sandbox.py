"""Medusa's endpoints over the store, and the strings that a demo or a test pulls."""

import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.contract import Sku
from connectors.sandbox.controls import SandboxOrder
from connectors.sandbox.medusa.store import Document, Level, Refused, Reservation, Store
from connectors.sandbox.medusa.wire import page_of, read, refuse_unknown, values_of
from connectors.sandbox.network import Network, Place, Product

API_KEY: Final = "sk_medusa_sandbox"
ITEM_DEFAULTS: Final = ("sku", "title", "created_at", "updated_at", "location_levels")
LOCATION_DEFAULTS: Final = ("name", "address")
RESERVATION_DEFAULTS: Final = (
    "location_id", "inventory_item_id", "quantity", "line_item_id", "description", "metadata", "created_at", "updated_at",
)  # fmt: skip

Answer = Callable[[Request, bytes], Document]


class MedusaSandbox:
    """One Medusa server in memory. ``repeats_pages``: it forgets that an offset was asked for."""

    system = "medusa"

    def __init__(self, network: Network, *, api_key: str = API_KEY) -> None:
        self.store = Store(network)
        self.repeats_pages = False
        self._api_key = api_key

    # ------------------------------------------------------------------------------------------ the wire
    def routes(self) -> list[BaseRoute]:
        """The endpoints that the connector uses."""
        return [
            self._route("GET", "/admin/inventory-items", self._items),
            self._route("GET", "/admin/stock-locations", self._locations),
            self._route("GET", "/admin/reservations", self._reservations),
            self._route("POST", "/admin/reservations", self._reserve),
            self._route("DELETE", "/admin/reservations/{ref}", self._give_back),
        ]

    def _route(self, method: str, path: str, answer: Answer) -> Route:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                self._check_key(request)
                return _json(answer(request, body))
            except Refused as refusal:
                return _json(refusal.body, status=refusal.status)

        return Route(path, endpoint, methods=[method])

    def _check_key(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        right = f"Basic {b64encode(f'{self._api_key}:'.encode()).decode()}"
        if not hmac.compare_digest(given.encode(), right.encode()):
            raise Refused(401, "unauthorized", "Unauthorized")

    def _items(self, request: Request, _body: bytes) -> Document:
        refuse_unknown(request.query_params, {"id", "sku", "location_levels"})
        ids, skus = (values_of(request.query_params, name) for name in ("id", "sku"))
        rows = [
            self._item(item, product)
            for item, product in self.store.items.items()
            if (ids is None or item in ids) and (skus is None or product.sku in skus)
        ]
        return self._page("inventory_items", rows, request, ITEM_DEFAULTS)

    def _item(self, item: str, product: Product) -> Document:
        levels = self.store.levels_of(item)
        return {
            "id": item,
            "sku": product.sku,
            "title": product.name,
            "created_at": "2025-01-01T00:00:00.000Z",
            "updated_at": "2025-01-01T00:00:00.000Z",  # it stays when a level moves
            "location_levels": [_level(item, location, level) for location, level in levels.items()],
        }

    def _locations(self, request: Request, _body: bytes) -> Document:
        rows = [_location(location, place) for location, place in self.store.locations.items()]
        return self._page("stock_locations", rows, request, LOCATION_DEFAULTS)

    def _reservations(self, request: Request, _body: bytes) -> Document:
        # This list is not strict: a filter that it does not know is ignored, and everything is returned.
        wanted = values_of(request.query_params, "line_item_id")
        rows = [row for row in self.store.reservations.values() if wanted is None or row["line_item_id"] in wanted]
        return self._page("reservations", rows, request, RESERVATION_DEFAULTS)

    def _page(self, name: str, rows: list[Document], request: Request, defaults: tuple[str, ...]) -> Document:
        query = request.query_params
        if self.repeats_pages:
            query = type(query)([(key, value) for key, value in query.multi_items() if key != "offset"])
        return page_of(name, rows, query, defaults=defaults)

    def _reserve(self, _request: Request, body: bytes) -> Document:
        return {"reservation": self.store.reserve(read(body, Reservation))}  # ``Idempotency-Key`` is ignored

    def _give_back(self, request: Request, _body: bytes) -> Document:
        ref = request.path_params["ref"]
        self.store.give_back(ref)
        return {"id": ref, "object": "reservation", "deleted": True}

    # ------------------------------------------------------------------------------------------ the strings
    def orders(self) -> list[SandboxOrder]:
        """None: it is not asked to ship."""
        return []

    def accept(self, ref: str) -> None:
        """There is no order to take on."""
        raise LookupError(f"there is no order {ref!r}")

    def reject(self, ref: str, reason: str) -> None:
        """There is no order to turn down."""
        raise LookupError(f"there is no order {ref!r} to reject ({reason})")

    def ship(self, ref: str, *, carrier: str, tracking_number: str) -> None:
        """There is no order to ship."""
        raise LookupError(f"there is no order {ref!r} to ship by {carrier} {tracking_number}")

    def set_stock(self, place: str, sku: str, units: int) -> None:
        """Somebody counted."""
        self.store.count(self.store.location_of(place), Sku(sku), units)

    def stock(self, sku: str) -> Mapping[str, int]:
        """Units on hand by place key, reserved ones included."""
        item = next((item for item, product in self.store.items.items() if product.sku == sku), "")
        return {self.store.locations[at].key: level.stocked for at, level in self.store.levels_of(item).items()}


def _json(content: Document, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")


def _level(item: str, location: str, level: Level) -> Document:
    return {
        "id": f"ilev_{item}_{location}",
        "inventory_item_id": item,
        "location_id": location,
        "stocked_quantity": level.stocked,
        "reserved_quantity": level.reserved,
        "incoming_quantity": 0,
        "available_quantity": level.stocked - level.reserved,
        "updated_at": level.updated_at,
    }


def _location(location: str, place: Place) -> Document:
    return {
        "id": location,
        "name": place.name,
        "address": {
            "id": f"laddr_{location}",
            "address_1": place.address.lines[0],
            "address_2": None,
            "city": place.address.city,
            "country_code": place.address.country_code.lower(),
            "phone": place.address.phone,
            "province": place.address.region,
            "postal_code": place.address.postal_code,
        },
    }
