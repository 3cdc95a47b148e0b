"""Every way to ask and to turn a page, against a small source that is made for each."""

import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.contract import AuthFailed, ContractBroken, NotFound, Secret, Sku
from connectors.described import Place
from connectors.http import HttpSettings, open_http
from connectors.http.connector import Http, ListingHttp
from connectors.http.tables import Auth, AuthType, CatalogTable, Paging, PagingType, StockTable
from connectors.registry import Tools
from connectors.sandbox.servers import serving
from tests.harness import run

TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic)
ROWS = [{"code": f"S{number}", "free": number} for number in range(7)]
READ: dict[str, Any] = {"sku": "code", "location": "=L1", "available": "free"}

BASIC = "Basic " + b64encode(b"ada:s3cret").decode()

Answer = Callable[[Request, Any], Any]


@asynccontextmanager
async def source(
    answer: Answer, *, below: str = "", tools: Tools = TOOLS, **settings: Any
) -> AsyncIterator[tuple[Http, list[Request]]]:
    """A connector to a source that answers so, and what it was asked."""
    asked: list[Request] = []

    async def endpoint(request: Request) -> Response:
        asked.append(request)
        body = await request.body()
        told = answer(request, msgspec.json.decode(body) if body else None)
        return told if isinstance(told, Response) else Response(msgspec.json.encode(told), media_type="application/json")

    app = Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST"])])
    async with serving(app) as url:
        connector = open_http(HttpSettings(url=url + below, **settings), tools)
        try:
            yield connector, asked
        finally:
            await connector.aclose()


def stock(paging: Paging | None = None, **more: Any) -> StockTable:
    defaults = {**READ, "path": "stock", "params": {"codes": "{skus|csv}"}, "paging": paging}
    return StockTable(**{**defaults, **more})


async def read(connector: Http, skus: Sequence[str] = ("S0", "S6", "S9")) -> dict[str, int | None]:
    return {level.sku: level.available for level in (await connector.read_stock([Sku(sku) for sku in skus])).levels}


# ---------------------------------------------------------------------------------------------- what is asked
@pytest.mark.parametrize(
    ("table", "target", "batch"),
    [
        (stock(), "/api/stock?codes=S0%2CS%2F1", 50),
        (stock(params={"codes": "{skus|json}"}, batch=2), "/api/stock?codes=%5B%22S0%22%2C%22S%2F1%22%5D", 2),
        (stock(params={"code": "{skus}", "all": "1"}), "/api/stock?code=S0&code=S%2F1&all=1", 50),
        (stock(path="/items/{skus|csv}/stock", params={}), "/api/items/S0,S%2F1/stock", 50),
        (stock(params={}, batch=900), "/api/stock", 900),
    ],
)
def test_skus_are_written_as_the_source_wants_them(table: StockTable, target: str, batch: int) -> None:
    async def story() -> None:
        async with source(lambda *_: ROWS, below="/api", stock=table) as (connector, asked):
            assert connector.info.batch_skus_max == batch
            assert await read(connector, ["S0", "S/1"]) == {"S0": 0}
            (request,) = asked
            path = request.scope["raw_path"].decode()
            query = request.scope["query_string"].decode()
            assert path + (f"?{query}" if query else "") == target

    run(story)


def test_a_sku_with_an_address_of_its_own_is_unknown_where_there_is_none() -> None:
    def answer(request: Request, _: Any) -> Any:
        code = request.path_params["path"].rpartition("/")[2]
        found = [row for row in ROWS if row["code"] == code]
        return found or Response(b'{"error":"no such item"}', status_code=404)

    async def story() -> None:
        async with source(answer, stock=stock(path="items/{sku}", params={})) as (connector, asked):
            assert await read(connector) == {"S0": 0, "S6": 6}
            assert len(asked) == 3
            assert (await connector.health()).ok
        async with source(lambda *_: Response(b"{}", status_code=404), stock=stock()) as (connector, _):
            with pytest.raises(NotFound):
                await read(connector)

    run(story)


def test_a_body_is_filled_in_wherever_it_holds_text_and_rows_may_lie_within_records() -> None:
    heard: list[Any] = []

    def answer(request: Request, asked: Any) -> Any:
        heard.append((request.method, asked))
        return {"found": [{"item": {"code": 7, "stock": [{"at": "L1", "free": "3.9"}, {"at": "L2", "free": None}]}}]}

    async def story() -> None:
        table = StockTable(
            path="search",
            body={"where": {"codes": "{skus}", "like": ["{skus|csv}"], "limit": 5}},
            records="found",
            inner="item.stock",
            sku="^item.code",
            location="at",
            available="free",
        )
        async with source(answer, stock=table, places=(Place(id="L1"), Place(id="L2"))) as (connector, _):
            batch = await connector.read_stock([Sku("7"), Sku("8")])
            assert {(level.sku, level.location, level.available) for level in batch.levels} == {("7", "L1", 3), ("7", "L2", None)}
            assert heard == [("POST", {"where": {"codes": ["7", "8"], "like": ["7,8"], "limit": 5}})]

    run(story)


@pytest.mark.parametrize(
    ("auth", "header", "query"),
    [
        (Auth(type=AuthType.HEADER, name="X-Key", value=Secret("s3cret"), prefix="k "), ("x-key", "k s3cret"), ""),
        (Auth(type=AuthType.BEARER, value=Secret("s3cret")), ("authorization", "Bearer s3cret"), ""),
        (Auth(type=AuthType.BASIC, user="ada", value=Secret("s3cret")), ("authorization", BASIC), ""),
        (Auth(type=AuthType.QUERY, name="key", value=Secret("s3cret")), None, "s3cret"),
    ],
)
def test_the_credential_stands_where_the_source_looks_for_it(auth: Auth, header: tuple[str, str] | None, query: str) -> None:
    async def story() -> None:
        async with source(lambda *_: ROWS, auth=auth, stock=stock()) as (connector, asked):
            await read(connector)
            (request,) = asked
            assert header is None or request.headers[header[0]] == header[1]
            assert request.query_params.get("key", "") == query

    run(story)


# ---------------------------------------------------------------------------------------------- pages
def numbered(request: Request, size: int) -> list[Any]:
    start = (int(request.query_params["page"]) - 1) * size
    return ROWS[start : start + size]


def from_offset(request: Request, size: int) -> list[Any]:
    start = int(request.query_params["from"])
    return ROWS[start : start + size]


def linked(request: Request, size: int) -> Any:
    start = int(request.query_params.get("from", "0"))
    following = f"https://{request.url.hostname}/stock?from={start + size}&key=echoed" if start + size < len(ROWS) else None
    return {"rows": ROWS[start : start + size], "links": {"next": following}}


def in_header(request: Request, size: int) -> Response:
    start = int(request.query_params.get("from", "0"))
    links = ['</stock?from=0>; rel="first"', f'<?from={start + size}>; title="on"; rel="next"']
    header = ", ".join(links if start + size < len(ROWS) else links[:1])
    return Response(msgspec.json.encode(ROWS[start : start + size]), headers={"link": header})


def with_word(request: Request, size: int) -> Any:
    start = int(request.query_params.get("after", "0"))
    return {"rows": ROWS[start : start + size], "after": start + size if start + size < len(ROWS) else None}


WAYS: dict[str, tuple[Callable[[Request, int], Any], StockTable, int]] = {
    "page": (numbered, stock(Paging(type=PagingType.PAGE, parameter="page", size=3)), 3),
    "offset": (from_offset, stock(Paging(type=PagingType.OFFSET, parameter="from", size=3, size_parameter="n")), 3),
    "next": (linked, stock(Paging(type=PagingType.NEXT, at="links.next"), records="rows"), 3),
    "link": (in_header, stock(Paging(type=PagingType.LINK)), 3),
    "cursor": (with_word, stock(Paging(type=PagingType.CURSOR, at="after", parameter="after"), records="rows"), 3),
}


@pytest.mark.parametrize("way", WAYS)
def test_pages_are_turned_to_the_last(way: str) -> None:
    answer, table, pages = WAYS[way]

    async def story() -> None:
        key = Auth(type=AuthType.QUERY, name="key", value=Secret("s3cret"))
        async with source(lambda request, _: answer(request, 3), stock=table, auth=key) as (connector, asked):
            assert await read(connector) == {"S0": 0, "S6": 6}
            assert len(asked) == pages
            assert [request.query_params.getlist("key") for request in asked] == [["s3cret"]] * pages

    run(story)


def test_what_was_asked_is_shown_without_the_credential_in_it() -> None:
    async def story() -> None:
        shown: list[str] = []
        tools = replace(TOOLS, witness=lambda asked, answered: shown.append(asked))
        key = Auth(type=AuthType.QUERY, name="key", value=Secret("s3cret"))
        answer, table, _ = WAYS["next"]
        async with source(lambda request, _: answer(request, 3), stock=table, auth=key, tools=tools) as (connector, _asked):
            await read(connector)
            assert len(shown) == 3
            assert "s3cret" not in "".join(shown)

    run(story)


@pytest.mark.parametrize("way", WAYS)
def test_the_skus_of_a_catalog_are_listed_page_by_page(way: str) -> None:
    answer, table, pages = WAYS[way]

    async def story() -> None:
        catalog = CatalogTable(path="stock", records=table.records, paging=table.paging, sku="code")
        key = Auth(type=AuthType.QUERY, name="key", value=Secret("s3cret"))
        settings: dict[str, Any] = {"stock": table, "catalog": catalog, "auth": key}
        async with source(lambda request, _: answer(request, 3), **settings) as (connector, asked):
            assert isinstance(connector, ListingHttp)
            page = await connector.skus(None)
            found = list(page.skus)
            while page.next is not None:
                assert "s3cret" not in page.next
                assert "echoed" not in page.next
                page = await connector.skus(page.next)
                found += page.skus
            assert found == [row["code"] for row in ROWS]
            assert len(asked) == pages

    run(story)


def test_a_body_turns_pages_too() -> None:
    def answer(_: Request, asked: Any) -> Any:
        return ROWS[asked["from"] : asked["from"] + asked["n"]]

    async def story() -> None:
        paging = Paging(type=PagingType.OFFSET, parameter="from", size=3, size_parameter="n")
        table = stock(paging, params={}, body={"codes": "{skus}"})
        async with source(answer, stock=table) as (connector, asked):
            assert await read(connector) == {"S0": 0, "S6": 6}
            assert len(asked) == 3

    run(story)


def endless(request: Request, _: Any) -> Any:
    number = int(request.query_params.get("after", "0"))
    return {"rows": [{"code": f"X{number}", "free": 1}], "after": number + 1}


@pytest.mark.parametrize(
    ("answer", "requests"),
    [
        (endless, 4),
        (lambda *_: {"rows": ROWS, "after": "same"}, 2),
        (lambda *_: {"rows": ROWS}, 1),
        (lambda *_: {"rows": ROWS, "after": ["x"]}, 1),
        (lambda *_: {"rows": None, "after": None}, 1),
        (lambda *_: {"Rows": ROWS, "after": None}, 1),
        (lambda *_: ROWS, 1),
    ],
)
def test_a_list_that_does_not_go_on_as_agreed_is_no_list(answer: Answer, requests: int) -> None:
    async def story() -> None:
        paging = Paging(type=PagingType.CURSOR, at="after", parameter="after", pages_max=4)
        async with source(answer, stock=stock(paging, records="rows")) as (connector, asked):
            with pytest.raises(ContractBroken):
                await read(connector)
            assert len(asked) == requests

    run(story)


def test_a_link_to_another_host_is_not_followed() -> None:
    async def story() -> None:
        paging = Paging(type=PagingType.NEXT, at="next")
        for link in (
            "http://169.254.169.254/latest/meta-data",
            "//elsewhere.invalid/stock",
            "http://127.0.0.1:1@elsewhere.invalid/",
            "mailto:ada@example.com",
            "http://[",
        ):
            answer = {"rows": ROWS, "next": link}
            async with source(lambda *_, told=answer: told, stock=stock(paging, records="rows")) as (connector, asked):
                with pytest.raises(ContractBroken):
                    await read(connector)
                assert len(asked) == 1

    run(story)


# ---------------------------------------------------------------------------------------------- success
@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ({"ok": True, "rows": ROWS}, {"S0": 0, "S6": 6}),
        ({"ok": False, "rows": []}, ContractBroken),
        ({"rows": ROWS}, ContractBroken),
        ({"ok": False, "why": "session expired, log in"}, AuthFailed),
    ],
)
def test_what_success_and_a_bad_credential_look_like_is_configured(told: Any, outcome: Any) -> None:
    async def story() -> None:
        settings: dict[str, Any] = {"stock": stock(records="rows", success_if="ok=true"), "denied_if": ("why~log in",)}
        async with source(lambda *_: told, **settings) as (connector, _):
            if isinstance(outcome, dict):
                assert await read(connector) == outcome
            else:
                with pytest.raises(outcome):
                    await read(connector)

    run(story)
