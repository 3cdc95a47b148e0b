"""ERPNext's wire: lists of documents, as far as stock goes."""

import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.sandbox.http.hall import Document, Hall, Shelf, naive
from connectors.sandbox.network import Place

SITE_ZONE: Final = ZoneInfo("America/New_York")
PAGE_DEFAULT: Final = 20
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "in": lambda value, wanted: value in wanted,
    "=": lambda value, wanted: bool(value == wanted),
}


class _Refused(Exception):
    """Frappe says no: the name of an exception of its own."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"exception": f"frappe.exceptions.{kind}: {message}", "exc_type": kind}


class ErpNext:
    """The doctypes Bin, Item and Warehouse over one hall."""

    def __init__(self, hall: Hall, *, credential: str) -> None:
        self._hall = hall
        self._credential = credential

    def routes(self) -> list[BaseRoute]:
        """What may be listed."""
        return [
            Route("/api/resource/Bin", self._answering(self._bins)),
            Route("/api/resource/Item", self._answering(self._items)),
            Route("/api/resource/Warehouse", self._answering(self._warehouses)),
        ]

    def _answering(self, documents: Callable[[], list[Document]]) -> Any:
        async def endpoint(request: Request) -> Response:
            try:
                self._check(request.headers.get("authorization"))
                return _json({"data": _listed(documents(), request.query_params)})
            except _Refused as refusal:
                return _json(refusal.body, status=refusal.status)

        return endpoint

    def _check(self, given: str | None) -> None:
        if given is None:
            raise _Refused(403, "PermissionError", "Guest may not read this")
        if not hmac.compare_digest(given.encode(), f"token {self._credential}".encode()):
            raise _Refused(401, "AuthenticationError", "")

    def _bins(self) -> list[Document]:
        return [_bin(self._hall.places[key], shelf) for (key, _), shelf in self._hall.shelves.items()]

    def _items(self) -> list[Document]:
        carried = {shelf.product.sku: shelf.product for shelf in self._hall.shelves.values()}
        return [
            {"name": sku, "item_code": sku, "item_name": product.name, "is_stock_item": 1, "disabled": 0}
            for sku, product in carried.items()
        ]

    def _warehouses(self) -> list[Document]:
        group = {"name": "All Warehouses - D", "warehouse_name": "All Warehouses", "is_group": 1, "disabled": 0}
        return [group, *(_warehouse(place) for place in self._hall.places.values())]


def warehouse_of(place: Place) -> str:
    """The name of a place's warehouse, which is its key."""
    return f"{place.name} - D"


def _bin(place: Place, shelf: Shelf) -> Document:
    return {
        "name": f"bin-{place.key}-{shelf.product.sku}",
        "item_code": shelf.product.sku,
        "warehouse": warehouse_of(place),
        "actual_qty": float(shelf.units),
        "reserved_qty": float(shelf.reserved),
        "ordered_qty": 0.0,
        "projected_qty": float(shelf.units - shelf.reserved),
        "modified": naive(shelf.counted_at, SITE_ZONE) + ".000000",
    }


def _warehouse(place: Place) -> Document:
    return {
        "name": warehouse_of(place),
        "warehouse_name": place.name,
        "is_group": 0,
        "disabled": 0,
        "address_line_1": place.address.lines[0],
        "city": place.address.city,
        "state": place.address.region,
        "pin": place.address.postal_code,
    }


def _listed(documents: list[Document], query: Mapping[str, str]) -> list[Document]:
    fields: list[str] = _read(query, "fields", '["name"]', list[str])
    filters: list[tuple[str, str, Any]] = _read(query, "filters", "[]", list[tuple[str, str, Any]])
    for name in [*fields, *(field for field, _, _ in filters)]:
        if not any(name in document for document in documents):
            raise _Refused(417, "DataError", f"Field not permitted in query: {name}")
    found = [row for row in documents if all(_COMPARE[sign](row.get(field), wanted) for field, sign, wanted in filters)]
    ordered = sorted(found, key=lambda row: str(row["name"]))
    start, length = int(query.get("limit_start", "0")), int(query.get("limit_page_length", str(PAGE_DEFAULT)))
    page = ordered[start : start + length] if length else ordered[start:]  # 0 is without a limit
    return [{name: row.get(name) for name in fields} for row in page]


def _read(query: Mapping[str, str], name: str, default: str, returns: Any) -> Any:
    try:
        return msgspec.json.decode(query.get(name, default), type=returns)
    except msgspec.DecodeError as error:
        raise _Refused(417, "ValidationError", f"{name}: {error}") from error


def _json(content: Document, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")
