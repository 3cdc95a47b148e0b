"""The Amazon connector and its sandbox against Amazon's official documents: every request and every answer of a whole story.

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
from typing import Any, Final

import httpx
import pytest
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from connectors.amazon_mcf import AmazonMcf, AmazonMcfSettings
from connectors.contract import (
    Address,
    CancelOutcome,
    FulfillmentRequest,
    Method,
    QuoteRequest,
    Rejected,
    RemoteLocationId,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
)
from connectors.registry import Tools
from connectors.sandbox.amazon_mcf import AmazonMcfSandbox
from connectors.sandbox.amazon_mcf.login import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from connectors.sandbox.amazon_mcf.sandbox import MARKETPLACE_ID
from connectors.sandbox.controls import app_of
from connectors.sandbox.network import seeded
from connectors.sandbox.servers import serving

SPECIFICATIONS = Path(__file__).parents[3] / "shared" / "specs"
SERVER = "https://sellingpartnerapi-na.amazon.com"
INVENTORY: Final = "fbaInventory.oas3.json"
OLD, NEW = "/fba/outbound/2020-07-01/fulfillmentOrders", "/fulfillment/outbound/2026-07-04"
PATHS: Final[Mapping[str, frozenset[str]]] = {
    INVENTORY: frozenset({"/fba/inventory/v1/summaries"}),
    "fulfillmentOutbound_2020-07-01.oas3.json": frozenset(
        {OLD, f"{OLD}/preview", f"{OLD}/{{sellerFulfillmentOrderId}}", f"{OLD}/{{sellerFulfillmentOrderId}}/cancel"}
    ),
    "fulfillmentOutbound_2026-07-04.oas3.json": frozenset(
        {f"{NEW}/previews", f"{NEW}/orders", f"{NEW}/orders/{{orderId}}", f"{NEW}/orders/{{orderId}}/cancel"}
    ),
}
STRICT = Config(additional_properties_default_policy="forbid")
RECIPIENT = Address(
    lines=("1 Main St", "Floor 3", "Door B"),
    city="Springfield",
    region="IL",
    postal_code="62701",
    country_code="US",
    name="Ada Lovelace",
    email="ada@example.com",
    phone="+1 (217) 555-0100",
)
LINES = (RequestLine(sku=Sku("SKU-0009"), units=2), RequestLine(sku=Sku("SKU-0004"), units=1))

Change = Callable[[bytes], bytes]


class Judge(httpx.AsyncBaseTransport):
    """A real transport that holds what passes through it to a specification. ``change`` tampers with answers."""

    def __init__(self, *, change: Change | None = None) -> None:
        self.seen: set[tuple[str, str, int]] = set()
        self._change = change or bytes
        self._transport = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        body = await answer.aread()
        if request.url.path != "/auth/o2/token":  # Login with Amazon is not of this interface
            body = self._change(body)
            self.seen.add((request.method, request.url.path, answer.status_code))
            self._judge(request, MockResponse(body, answer.status_code, content_type=answer.headers["content-type"]))
        return httpx.Response(answer.status_code, headers={"content-type": answer.headers["content-type"]}, content=body)

    def _judge(self, request: httpx.Request, answer: MockResponse) -> None:
        asked = MockRequest(
            SERVER,
            request.method,
            request.url.path,
            args=dict(request.url.params),
            headers=dict(request.headers),
            data=request.content,
            content_type=request.headers.get("content-type", ""),
        )
        document = specification(_document_of(request.url.path))
        document.validate_request(asked)
        document.validate_response(asked, answer)

    async def aclose(self) -> None:
        await self._transport.aclose()


def _document_of(path: str) -> str:
    inventory, old, new = PATHS
    return new if path.startswith(NEW) else old if path.startswith(OLD) else inventory


@cache
def specification(name: str) -> OpenAPI:
    """Amazon's document, cut down to what is used: all of it takes many seconds to check."""
    path = SPECIFICATIONS / name
    if not path.exists():
        pytest.skip(f"the specification {name} is not at {path}")
    whole = json.loads(path.read_text())
    used = {path: whole["paths"][path] for path in PATHS[name]}
    schemas = whole["components"]["schemas"]
    needed = {name: schemas[name] for name in sorted(_mentioned(used, schemas))}
    return OpenAPI.from_dict({**whole, "paths": used, "components": {"schemas": needed}}, config=STRICT)


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


def request_of(key: str, lines: tuple[RequestLine, ...] = LINES) -> FulfillmentRequest:
    return FulfillmentRequest(
        key=RequestKey(key),
        location=RemoteLocationId(MARKETPLACE_ID),
        lines=lines,
        recipient=RECIPIENT,
        method=Method.SHIP,
        order_number="1001",
    )


async def story(connector: AmazonMcf, sandbox: AmazonMcfSandbox) -> None:
    """Everything the gateway asks of Amazon, once."""
    assert (await connector.health()).ok
    assert (await connector.skus(None)).skus
    begun = (await connector.stock_changes(None)).cursor
    sandbox.set_stock("fba-us", "SKU-0004", 5)
    assert (await connector.stock_changes(begun)).skus == {"SKU-0004"}
    sandbox.inventory.rows_per_page = 1
    assert len((await connector.read_stock([Sku("SKU-0004"), Sku("SKU-0009"), Sku("nonsense")])).levels) == 2
    assert len(await connector.quote(QuoteRequest(lines=LINES, recipient=RECIPIENT))) == 2
    assert await connector.quote(QuoteRequest(lines=(RequestLine(sku=Sku("SKU-0004"), units=6),), recipient=RECIPIENT)) == ()
    kept = await connector.request(request_of("kept"))
    assert (await connector.request(request_of("kept"))).ref == kept.ref
    sandbox.pick(kept.ref)
    assert await connector.cancel(kept.ref) is CancelOutcome.REFUSED
    sandbox.ship_without(kept.ref, {"SKU-0009": 1}, carrier="UPS", tracking_number="1Z999AA10123456784")
    (shipped, *unknown) = await connector.status([kept.ref, RemoteRef("nonsense")])
    assert (shipped.state, unknown) == (RemoteState.REJECTED, [])
    dropped = await connector.request(request_of("dropped"))
    assert [await connector.cancel(dropped.ref) for _ in range(2)] == [CancelOutcome.CANCELED] * 2
    with pytest.raises(Rejected):
        await connector.request(request_of("refused", (RequestLine(sku=Sku("nonsense"), units=1),)))


def run(version: Any, *, change: Change | None = None) -> Judge:
    for name in PATHS:
        specification(name)
    judge = Judge(change=change)
    sandbox = AmazonMcfSandbox(seeded(products=40, systems=["amazon_mcf"]))

    async def once() -> None:
        async with serving(app_of(sandbox)) as url:
            settings = AmazonMcfSettings(
                client_id=CLIENT_ID,
                client_secret=Secret(CLIENT_SECRET),
                refresh_token=Secret(REFRESH_TOKEN),
                marketplace_id=MARKETPLACE_ID,
                url=url,
                token_url=f"{url}/auth/o2/token",
                api_version=version,
                origin_country="US",
                rate_per_s=None,
            )
            connector = AmazonMcf(settings, Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic, transport=judge))
            try:
                await story(connector, sandbox)
                sandbox.outbound_2026.creates_later = True
                await connector.request(request_of("later"))
            finally:
                await connector.aclose()
                await judge.aclose()

    asyncio.run(once())
    return judge


@pytest.mark.parametrize(("version", "orders", "statuses"), [
    ("2020-07-01", OLD, {200, 400, 404}),
    ("2026-07-04", NEW, {200, 202, 400, 404}),
])  # fmt: skip
def test_amazon_and_its_sandbox_keep_the_official_specification(version: str, orders: str, statuses: set[int]) -> None:
    judge = run(version)
    assert {status for _, _, status in judge.seen} == statuses
    used = {(method, re.sub(r"/(kept|dropped|nonsense|refused)", "/{key}", path)) for method, path, _ in judge.seen}
    assert {method for method, path in used if path.startswith(orders)} == {"GET", "POST", "PUT"}
    assert len(used) == 5


@pytest.mark.parametrize(
    ("version", "right", "wrong"),
    [
        ("2020-07-01", b'"fulfillableQuantity":59', b'"fulfillableQuantity":"59"'),
        ("2020-07-01", b'"granularity":', b'"granularities":'),
        ("2020-07-01", b'"isFulfillable":true', b'"isFulfillable":"true"'),
        ("2026-07-04", b'"receiveTime"', b'"receivedTime"'),
    ],
)
def test_an_answer_that_strays_from_the_specification_is_noticed(version: str, right: bytes, wrong: bytes) -> None:
    with pytest.raises(OpenAPIError):
        run(version, change=lambda body: body.replace(right, wrong))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/fba/inventory/v1/summaries", None),
        ("POST", OLD, {"sellerFulfillmentOrderId": "nothing else"}),
        ("POST", f"{NEW}/orders", {"orderId": "nothing else"}),
    ],
)
def test_a_request_that_strays_from_the_specification_is_noticed(method: str, path: str, body: dict[str, Any] | None) -> None:
    content = b"" if body is None else json.dumps(body).encode()
    with pytest.raises(OpenAPIError):
        specification(_document_of(path)).validate_request(MockRequest(SERVER, method, path, data=content))


def test_a_specification_that_is_not_there_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(f"{__name__}.SPECIFICATIONS", tmp_path)
    with pytest.raises(pytest.skip.Exception, match=r"the specification absent is not at"):
        specification("absent")
