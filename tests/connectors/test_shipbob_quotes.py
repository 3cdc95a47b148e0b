"""What ShipBob estimates: the connector against the sandbox, and both against the official specification."""

import asyncio
import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from connectors.contract import (
    Address,
    AuthFailed,
    ContractBroken,
    Quote,
    Quoter,
    QuoteRequest,
    RemoteLocationId,
    RequestLine,
    Secret,
    Sku,
    Transient,
)
from connectors.registry import Tools
from connectors.sandbox.controls import app_of
from connectors.sandbox.network import seeded
from connectors.sandbox.servers import serving
from connectors.sandbox.shipbob import ShipBobSandbox
from connectors.shipbob import ShipBob, ShipBobSettings
from connectors.shipbob.quotes import EstimateReply, parse_quotes
from tests.samples import HandClock

PATH = "/2026-01/order:estimate"
SPECIFICATION = Path(__file__).parents[3] / "shared" / "specs" / "shipbob.json"
HOME = Address(
    lines=("1 Main St", "Floor 3", "Door B"),
    city="Chicago",
    region="IL",
    postal_code="60601",
    country_code="US",
    name="Ada Moore",
    email="ada@example.com",
)


def asking(*lines: tuple[str, int], to: Address = HOME, at: str | None = None) -> QuoteRequest:
    wanted = tuple(RequestLine(sku=Sku(sku), units=units) for sku, units in lines)
    return QuoteRequest(lines=wanted, recipient=to, location=None if at is None else RemoteLocationId(at))


def quoted(
    *requests: QuoteRequest,
    token: str = "shipbob-sandbox-token",
    channel_id: str = "1001",
    fault: str | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> list[tuple[Quote, ...]]:
    """What is answered to these, one after another."""

    async def story() -> list[tuple[Quote, ...]]:
        async with serving(app_of(ShipBobSandbox(seeded(products=40)))) as url, httpx.AsyncClient(base_url=url) as controls:
            if fault is not None:
                (await controls.post("/_sandbox/faults", json={"kind": fault})).raise_for_status()
            clock = HandClock()
            settings = ShipBobSettings(
                url=url, token=Secret(token), channel_id=channel_id, shipping_method="Standard", rate_per_s=None, total_timeout_s=2
            )
            connector: Quoter = ShipBob(settings, Tools(now=clock.now, monotonic=clock.monotonic, transport=transport))
            assert isinstance(connector, ShipBob)
            try:
                return [await connector.quote(request) for request in requests]
            finally:
                await connector.aclose()
                if transport is not None:
                    await transport.aclose()

    return asyncio.run(story())


def test_each_shipping_method_is_a_quote_and_the_cheapest_is_the_first() -> None:
    (quotes,) = quoted(asking(("SKU-0008", 2), ("SKU-0001", 1)))
    assert [(quote.service, quote.amount, quote.currency) for quote in quotes] == [
        ("Standard", Decimal("8.5"), "USD"),
        ("Expedited", Decimal("16.2"), "USD"),
    ]
    assert {quote.location for quote in quotes} < {"101", "102", "103"}
    assert {(quote.ships_by, quote.arrives_by) for quote in quotes} == {(None, None)}, "it does not say"


def test_what_shipbob_would_not_ship_has_no_quotes() -> None:
    nowhere = Address(lines=("1 Main St",), city="X", postal_code="1", country_code="USA")
    unknown, short, odd, elsewhere, chosen = quoted(
        asking(("NO-SUCH-SKU", 1)),
        asking(("SKU-0008", 100_000)),
        asking(("SKU-0008", 1), to=nowhere),
        asking(("SKU-0008", 1), at="999"),
        asking(("SKU-0008", 1)),
    )
    assert (unknown, short, odd, elsewhere) == ((), (), (), ())
    assert chosen == quoted(asking(("SKU-0008", 1), at=chosen[0].location))[0]


def test_a_wrong_token_or_a_dead_shipbob_is_not_an_empty_answer() -> None:
    with pytest.raises(AuthFailed):
        quoted(asking(("SKU-0008", 1)), token="wrong")
    with pytest.raises(Transient):
        quoted(asking(("SKU-0008", 1)), fault="STATUS")


def parsed(*rows: dict[str, Any]) -> tuple[Quote, ...]:
    return parse_quotes(msgspec.convert({"estimates": rows}, EstimateReply), location=None)


def test_what_an_estimate_leaves_out_is_not_made_up() -> None:
    bare, unnamed = {"shipping_method": "Standard", "estimated_currency_code": "cad"}, {"estimated_price": 5}
    priced = {"shipping_method": "Express", "estimated_price": 12.5, "fulfillment_center": {"name": "Cicero"}}
    assert parsed(bare, unnamed, priced) == (
        Quote(service="Express", amount=Decimal("12.5"), currency="USD"),
        Quote(service="Standard", amount=None, currency="CAD"),
    )


@pytest.mark.parametrize(
    "body", [{}, {"quotes": []}, {"estimates": [{"shipping_method": "S", "estimated_price": "a lot"}]}, [], None]
)
def test_an_answer_of_another_shape_is_no_estimate(body: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(body, EstimateReply)


def test_nothing_costs_less_than_nothing() -> None:
    with pytest.raises(ContractBroken):
        parsed({"shipping_method": "Standard", "estimated_price": -1})


# ----------------------------------------------------------------------------------------------- the official specification
class Judge(httpx.AsyncBaseTransport):
    """A real transport that holds what passes through it to the specification."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self._document = specification()
        self._transport = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        body, kind = await answer.aread(), answer.headers["content-type"]
        asked = MockRequest(
            "https://api.shipbob.com", request.method, request.url.path, headers=dict(request.headers), data=request.content
        )
        self._document.validate_request(asked)
        self._document.validate_response(asked, MockResponse(body, answer.status_code, content_type=kind))
        self.statuses.append(answer.status_code)
        await answer.aclose()
        return httpx.Response(answer.status_code, headers={"content-type": kind}, content=body)

    async def aclose(self) -> None:
        await self._transport.aclose()


def specification() -> OpenAPI:
    """The vendor's document, cut down to estimates: all of it takes seconds to check."""
    if not SPECIFICATION.exists():
        pytest.skip(f"the specification of ShipBob is not at {SPECIFICATION}")
    whole = json.loads(SPECIFICATION.read_text())
    schemas = {name: each for name, each in whole["components"]["schemas"].items() if _is_about_estimates(name)}
    components = {"schemas": schemas, "securitySchemes": whole["components"]["securitySchemes"]}
    strict = Config(additional_properties_default_policy="forbid")
    return OpenAPI.from_dict({**whole, "paths": {PATH: whole["paths"][PATH]}, "components": components}, config=strict)


def _is_about_estimates(schema: str) -> bool:
    return any(word in schema for word in ("Estimat", "Orders.FulfillmentCenterViewModel"))


def test_an_estimate_keeps_the_official_specification_on_both_sides() -> None:
    judge = Judge()
    requests: Iterable[QuoteRequest] = (asking(("SKU-0008", 2)), asking(("NO-SUCH-SKU", 1)))
    assert [bool(quotes) for quotes in quoted(*requests, transport=judge)] == [True, False]
    assert judge.statuses == [200, 422]
