"""GreaterWMS's wire: a list of stock in Django REST framework's envelope. Every answer is HTTP 200, its failures too."""

import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.sandbox.http.hall import Document, Hall, Shelf, naive

SERVER_ZONE: Final = ZoneInfo("Asia/Shanghai")
PAGE_DEFAULT: Final = 100
PAGE_MAX: Final = 1_000


class _Failed(Exception):
    """It cannot; the status that was meant stands in the body."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.body = {"detail": detail, "status_code": status}


class GreaterWms:
    """The stock of one warehouse. ``ignores_filters``: even those that it knows; ``repeats_pages``: the next page is the first."""

    def __init__(self, hall: Hall, *, token: str) -> None:
        self.ignores_filters = False
        self.repeats_pages = False
        self._hall = hall
        self._token = token

    def routes(self) -> list[BaseRoute]:
        """What may be listed."""
        return [Route("/stock/list/", self._stock)]

    async def _stock(self, request: Request) -> Response:
        try:
            self._check(request.headers.get("token"))
            return _json(self._page(request))
        except _Failed as failure:
            return _json(failure.body)

    def _check(self, given: str | None) -> None:
        if not given:
            raise _Failed(500, "Please Add Token To Your Request Headers")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise _Failed(500, "User Does Not Exists")

    def _page(self, request: Request) -> Document:
        query = request.query_params
        rows = [_row(number, shelf) for number, shelf in enumerate(self._hall.shelves.values(), start=1)]
        wanted = None if self.ignores_filters else query.get("goods_code")  # ``goods_code__in`` is ignored always
        found = [row for row in rows if wanted is None or row["goods_code"] == wanted]
        size = min(PAGE_MAX, _number(query, "max_page", PAGE_DEFAULT))
        number = _number(query, "page", 1)
        start = (number - 1) * size
        if start and start >= len(found):
            raise _Failed(404, "Invalid page.")
        following = f"{request.url.replace(query='')}?{urlencode({**query, 'page': number + 1})}"
        return {
            "count": len(found),
            "next": following if start + size < len(found) else None,
            "previous": None,
            "results": found[:size] if self.repeats_pages else found[start : start + size],
        }


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    given = query.get(name, str(default))
    if not given.isdecimal() or int(given) < 1:
        raise _Failed(404, "Invalid page.")
    return int(given)


def _row(number: int, shelf: Shelf) -> Document:
    return {
        "id": number,
        "goods_code": shelf.product.sku,
        "goods_desc": shelf.product.name,
        "goods_qty": shelf.units,
        "onhand_stock": shelf.units,
        "can_order_stock": shelf.units - shelf.reserved,
        "ordered_stock": shelf.reserved,
        "hold_stock": 0,
        "damage_stock": 0,
        "asn_stock": 0,
        "create_time": naive(shelf.counted_at, SERVER_ZONE),
        "update_time": naive(shelf.counted_at, SERVER_ZONE),
    }


def _json(content: Document) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")
