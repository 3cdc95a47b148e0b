"""Connectors and sandboxes against the vendors' official OpenAPI documents: every request and every answer of a whole story.

The documents are large and not ours to ship; where they do not stand beside the checkout, these tests are skipped. A field that
a document does not have is an error, for the connector and for the sandbox alike.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from connectors.contract import (
    Address,
    CancelOutcome,
    Connector,
    Fulfiller,
    FulfillmentRequest,
    Method,
    Rejected,
    RemoteLocationId,
    RemoteState,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
    StockFeed,
    StockLister,
    StockReader,
)
from connectors.registry import Tools
from connectors.sandbox.controls import Sandbox, app_of
from connectors.sandbox.network import seeded
from connectors.sandbox.servers import serving
from connectors.sandbox.shipbob import ShipBobSandbox
from connectors.sandbox.square import SquareSandbox
from connectors.shipbob import ShipBob, ShipBobSettings
from connectors.square import Square, SquareSettings

SPECIFICATIONS = Path(__file__).parents[3] / "shared" / "specs"
SERVERS = {"square": "https://connect.squareup.com", "shipbob": "https://api.shipbob.com"}
PATHS = {
    "square": frozenset(
        {
            "/v2/locations",
            "/v2/catalog/search",
            "/v2/catalog/batch-retrieve",
            "/v2/inventory/counts/batch-retrieve",
            "/v2/orders",
            "/v2/orders/search",
            "/v2/orders/batch-retrieve",
            "/v2/orders/{order_id}",
        }
    ),
    "shipbob": frozenset(
        {
            "/2026-01/location",
            "/2026-01/inventory",
            "/2026-01/inventory-level/locations",
            "/2026-01/order",
            "/2026-01/order/{orderId}:cancel",
        }
    ),
}
# The documents describe no answer of Square's but 200.
UNDESCRIBED = {"square": frozenset({400, 401, 404, 429}), "shipbob": frozenset[int]()}
STRICT = Config(additional_properties_default_policy="forbid")

Change = Callable[[bytes], bytes]


class Judge(httpx.AsyncBaseTransport):
    """A real transport that holds what passes through it to a specification. ``change`` tampers with answers."""

    def __init__(self, system: str, *, change: Change | None = None) -> None:
        self.seen: set[tuple[str, str, int]] = set()
        self._system = system
        self._change = change or bytes
        self._transport = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        body = self._change(await answer.aread())
        self.seen.add((request.method, request.url.path, answer.status_code))
        self._judge(request, MockResponse(body, answer.status_code, content_type=answer.headers["content-type"]))
        return httpx.Response(answer.status_code, headers={"content-type": answer.headers["content-type"]}, content=body)

    def _judge(self, request: httpx.Request, answer: MockResponse) -> None:
        asked = MockRequest(
            SERVERS[self._system],
            request.method,
            request.url.path,
            args=dict(request.url.params),
            headers=dict(request.headers),
            data=request.content,
            content_type=request.headers.get("content-type", ""),
        )
        document = specification(self._system)
        document.validate_request(asked)
        if answer.status_code not in UNDESCRIBED[self._system]:
            document.validate_response(asked, answer)

    async def aclose(self) -> None:
        await self._transport.aclose()


@cache
def specification(system: str) -> OpenAPI:
    """The vendor's document, cut down to what is used: all of it takes many seconds to check."""
    path = SPECIFICATIONS / f"{system}.json"
    if not path.exists():
        pytest.skip(f"the specification of {system} is not at {path}")
    whole = json.loads(path.read_text())
    used = {path: whole["paths"][path] for path in PATHS[system]}
    components = whole["components"]
    schemas = {name: components["schemas"][name] for name in sorted(_mentioned(used, components["schemas"]))}
    # Square's scheme is OAuth 2, which openapi-core does not check; what goes over the wire is a bearer token either way.
    bearer = {name: {"type": "http", "scheme": "bearer"} for name in components["securitySchemes"]}
    return OpenAPI.from_dict({**whole, "paths": used, "components": {"schemas": schemas, "securitySchemes": bearer}}, config=STRICT)


def _mentioned(document: object, schemas: Mapping[str, object]) -> set[str]:
    found: set[str] = set()
    pending = list(_names(document))
    while pending:
        if (name := pending.pop()) not in found:
            found.add(name)
            pending += _names(schemas[name])
    return found


def _names(document: object) -> Iterator[str]:
    return (each[1] for each in re.finditer(r'"#/components/schemas/([^"]+)"', json.dumps(document)))


def opened(system: str, url: str, judge: Judge) -> tuple[Connector, RemoteLocationId]:
    """A connector whose every exchange is judged, and a location that carries the SKU of the story."""
    tools = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic, transport=judge)
    if system == "square":
        return Square(SquareSettings(url=url, access_token=Secret("square-sandbox-token")), tools), RemoteLocationId(
            "LSTOREBROOKLYN"
        )
    settings = ShipBobSettings(
        url=url, token=Secret("shipbob-sandbox-token"), channel_id="1001", shipping_method="Standard", rate_per_s=None
    )
    return ShipBob(settings, tools), RemoteLocationId("101")


async def story(connector: Connector, sandbox: Sandbox, location: RemoteLocationId, methods: list[Method]) -> None:
    """Everything the gateway asks of a source, once."""
    assert isinstance(connector, StockReader)
    assert isinstance(connector, Fulfiller)
    assert len(await connector.locations()) > 2
    if isinstance(connector, StockFeed):
        begun = await connector.stock_changes(None)
        assert (await connector.stock_changes(begun.cursor)).skus, "all of it was counted a moment ago"
    await connector.read_stock([Sku("SKU-0001"), Sku("nonsense")])
    assert isinstance(connector, StockLister)
    assert (await connector.skus(None)).next is None
    assert (await connector.read_stock([Sku(f"SKU-{number:04d}") for number in range(1, 41)])).levels
    for number, method in enumerate(methods):
        kept = await connector.request(request_of(f"kept-{number}", location, method))
        assert kept.state is not RemoteState.REJECTED
        assert await connector.find(RequestKey(f"kept-{number}")) is not None
        sandbox.accept(kept.ref)
        sandbox.ship(kept.ref, carrier="UPS", tracking_number="1Z999AA10123456784")
        (shipped,) = await connector.status([kept.ref])
        assert shipped.state is RemoteState.SHIPPED
        assert await connector.cancel(kept.ref) is CancelOutcome.TOO_LATE
        dropped = await connector.request(request_of(f"dropped-{number}", location, method))
        assert [await connector.cancel(dropped.ref) for _ in range(2)] == [CancelOutcome.CANCELED] * 2
        turned_down = await connector.request(request_of(f"turned-down-{number}", location, method))
        sandbox.reject(turned_down.ref, "shelf is empty")
        assert (await connector.status([turned_down.ref]))[0].reason == "shelf is empty"


def request_of(key: str, location: RemoteLocationId, method: Method) -> FulfillmentRequest:
    recipient = Address(
        lines=("1 Main St", "Floor 3", "Door B"),
        city="Springfield",
        region="IL",
        postal_code="62701",
        country_code="US",
        name="Ada Lovelace",
        email="ada@example.com",
        phone="+1 (217) 555-0100",
    )
    return FulfillmentRequest(
        key=RequestKey(key),
        location=location,
        lines=(RequestLine(sku=Sku("SKU-0001"), units=2),),
        recipient=recipient,
        method=method,
        order_number="1001",
    )


def run(system: str, sandbox: Sandbox, methods: list[Method], *, change: Change | None = None) -> Judge:
    specification(system)
    judge = Judge(system, change=change)

    async def once() -> None:
        async with serving(app_of(sandbox)) as url:
            connector, location = opened(system, url, judge)
            try:
                await story(connector, sandbox, location, methods)
            finally:
                await connector.aclose()
                await judge.aclose()

    asyncio.run(once())
    return judge


def test_square_and_its_sandbox_keep_the_official_specification() -> None:
    judge = run("square", SquareSandbox(seeded(products=40)), [Method.SHIP, Method.PICKUP])
    assert {method for method, _, _ in judge.seen} == {"GET", "POST", "PUT"}
    assert len({re.sub(r"ORDER\d+", "{order_id}", path) for _, path, _ in judge.seen}) == len(PATHS["square"])


def test_shipbob_and_its_sandbox_keep_the_official_specification() -> None:
    judge = run("shipbob", ShipBobSandbox(seeded(products=40)), [Method.SHIP])
    assert {201, 200, 422} == {status for _, _, status in judge.seen}
    assert len({re.sub(r"\d{6}:", "{orderId}:", path) for _, path, _ in judge.seen}) == len(PATHS["shipbob"])


@pytest.mark.parametrize(
    ("system", "right", "wrong"),
    [
        ("square", b'"quantity":"60"', b'"quantity":60'),
        ("square", b'"state":"IN_STOCK"', b'"state":"PLENTY"'),
        ("square", b'"calculated_at"', b'"computed_at"'),
        ("shipbob", b'"fulfillable_quantity":300', b'"fulfillable_quantity":"300"'),
        ("shipbob", b'"fulfillable_quantity"', b'"sellable_quantity"'),
    ],
)
def test_an_answer_that_strays_from_the_specification_is_noticed(system: str, right: bytes, wrong: bytes) -> None:
    sandbox: Sandbox = (SquareSandbox if system == "square" else ShipBobSandbox)(seeded(products=12))
    with pytest.raises(OpenAPIError):
        run(system, sandbox, [], change=lambda body: body.replace(right, wrong))


@pytest.mark.parametrize(
    ("system", "method", "path", "body"),
    [
        ("square", "POST", "/v2/inventory/counts/batch-retrieve", {"limit": 1001}),
        ("square", "POST", "/v2/inventory/counts/batch-retrieve", {"catalog_object_id": ["V1"]}),
        ("square", "POST", "/v2/orders", {"order": {"reference_id": "no location"}}),
        ("shipbob", "POST", "/2026-01/order", {"reference_id": "no type"}),
    ],
)
def test_a_request_that_strays_from_the_specification_is_noticed(system: str, method: str, path: str, body: dict[str, Any]) -> None:
    headers = {"Authorization": "Bearer x", "shipbob_channel_id": "1001"}
    asked = MockRequest(SERVERS[system], method, path, headers=headers, data=json.dumps(body).encode())
    with pytest.raises(OpenAPIError):
        specification(system).validate_request(asked)


def test_a_specification_that_is_not_there_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(f"{__name__}.SPECIFICATIONS", tmp_path)
    with pytest.raises(pytest.skip.Exception, match=r"the specification of absent is not at"):
        specification("absent")


def test_a_refused_order_is_told_apart_in_words_of_the_specification() -> None:
    """The 422 of ShipBob is described, so it is held to its description as well."""
    specification("shipbob")
    judge = Judge("shipbob")

    async def once() -> None:
        async with serving(app_of(ShipBobSandbox(seeded(products=12)))) as url:
            connector, location = opened("shipbob", url, judge)
            assert isinstance(connector, Fulfiller)
            request = request_of("odd", location, Method.SHIP)
            with pytest.raises(Rejected):
                await connector.request(
                    FulfillmentRequest(
                        key=request.key,
                        location=RemoteLocationId("999"),
                        lines=request.lines,
                        recipient=request.recipient,
                        method=request.method,
                        order_number=request.order_number,
                    )
                )
            await connector.aclose()
            await judge.aclose()

    asyncio.run(once())
    assert ("POST", "/2026-01/order", 422) in judge.seen
