"""What carriers charge, asked of Karrio: the provider against the sandbox, and both against the official specification."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.contract import Address, AuthFailed, ContractBroken, Rejected, Secret, SourceError, Transient
from connectors.rates import CarrierRate, Karrio, KarrioSettings, Parcel, Rates
from connectors.rates.karrio import RATES_PATH, RateReply, parse_rates
from connectors.registry import Tools
from connectors.sandbox.karrio import KarrioSandbox
from connectors.sandbox.servers import serving
from tests.harness import run
from tests.samples import HandClock

SPECIFICATION = Path(__file__).parents[3] / "shared" / "specs" / "karrio.yml"
DEPOT = Address(lines=("9 Dock Rd",), city="Dallas", region="TX", postal_code="75201", country_code="US")
HOME = Address(
    lines=("1 Main St, at the end of the long corridor on the left, third door", "Floor 3"),
    city="Chicago",
    region="IL",
    postal_code="60601",
    country_code="us",
    name="Ada Moore",
    email="ada@example.com",
    phone="+1 (217) 555-0100",
)
PARCEL = Parcel(shipper=DEPOT, recipient=HOME, grams=2_500)


def told(
    sandbox: KarrioSandbox,
    ask: Callable[[Karrio], Awaitable[None]],
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    **tuned: Any,
) -> None:
    """Play a story with a provider on that sandbox."""

    async def story() -> None:
        async with serving(Starlette(routes=sandbox.routes())) as url:
            await _with(url, ask, transport, tuned)

    run(story)


async def _with(
    url: str, ask: Callable[[Karrio], Awaitable[None]], transport: httpx.AsyncBaseTransport | None, tuned: Mapping[str, Any]
) -> None:
    clock = HandClock()
    defaults = {"token": Secret("key_sandbox"), "time_zone": "America/Chicago", "total_timeout_s": 2.0}
    settings = KarrioSettings(url=url, **{**defaults, **tuned})
    karrio = Karrio(settings, Tools(now=clock.now, monotonic=clock.monotonic, transport=transport))
    try:
        await ask(karrio)
    finally:
        await karrio.aclose()
        if transport is not None:
            await transport.aclose()


def test_each_service_of_each_carrier_has_a_rate_by_weight() -> None:
    async def story(karrio: Karrio) -> None:
        arrives_by = datetime(2026, 11, 27, 23, 59, tzinfo=ZoneInfo("America/Chicago"))
        assert await karrio.rates(PARCEL) == Rates(
            rates=tuple(
                CarrierRate(
                    carrier=service.partition("_")[0],
                    service=service,
                    amount=Decimal(amount),
                    currency="USD",
                    transit_days=days,
                    arrives_by=arrives_by,
                )
                for service, amount, days in (
                    ("ups_ground", "11.65", 4),
                    ("ups_2nd_day_air", "27.9", 2),
                    ("usps_ground_advantage", "12.15", 5),
                )
            )
        )

    told(KarrioSandbox(), story)


def test_a_carrier_that_says_nothing_is_named_beside_those_that_do_and_comes_back() -> None:
    sandbox = KarrioSandbox()

    async def story(karrio: Karrio) -> None:
        sandbox.carriers["ups-main"].down = "Service unavailable"
        found = await karrio.rates(PARCEL)
        assert ({each.carrier for each in found.rates}, found.failures) == ({"usps"}, ("ups: Service unavailable",))
        with pytest.raises(Rejected, match="ups: Service unavailable; usps: The parcel is too heavy"):
            await karrio.rates(replace(PARCEL, grams=40_000))
        sandbox.carriers["ups-main"].down = None
        found = await karrio.rates(replace(PARCEL, grams=40_000))
        assert ({each.carrier for each in found.rates}, found.failures) == ({"ups"}, ("usps: The parcel is too heavy.",))

    told(sandbox, story)


def test_only_the_connections_that_are_wanted_are_asked_and_nobody_is_named_to_them() -> None:
    sandbox = KarrioSandbox()
    heard: list[bytes] = []

    class Overhearing(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            heard.append(request.content)
            return await super().handle_async_request(request)

    async def story(karrio: Karrio) -> None:
        assert {each.carrier for each in (await karrio.rates(PARCEL)).rates} == {"usps"}

    told(sandbox, story, carrier_ids=("usps-main",), transport=Overhearing())
    (body,) = heard
    assert not re.search(b"Ada|ada@|555", body)
    (asked,) = sandbox.asked
    assert (asked.parcels[0].weight, asked.parcels[0].weight_unit, asked.recipient.country_code) == (2.5, "KG", "US")


def test_what_karrio_refuses_is_a_refusal_with_its_reason() -> None:
    async def nowhere(karrio: Karrio) -> None:
        with pytest.raises(Rejected, match='"XX" is not a valid choice'):
            await karrio.rates(replace(PARCEL, recipient=replace(HOME, country_code="XX")))

    async def stranger(karrio: Karrio) -> None:
        with pytest.raises(AuthFailed) as refusal:
            await karrio.rates(PARCEL)
        assert "key_stolen" not in str(refusal.value)

    told(KarrioSandbox(), nowhere)
    told(KarrioSandbox(), stranger, token=Secret("key_stolen"))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"<html>", ContractBroken),
        (200, b"{}", ContractBroken),
        (200, b"null", ContractBroken),
        (200, b'{"rates": [{"service": "no carrier"}]}', ContractBroken),
        (200, b'{"rates": [{"carrier_name": "ups", "total_charge": -1, "currency": "USD"}]}', ContractBroken),
        (400, b"<html>", Rejected),
        (404, b"", SourceError),
        (500, b'{"errors": []}', Transient),
    ],
)
def test_an_answer_that_is_none_is_an_error_of_the_closed_set(status: int, body: bytes, error: type[SourceError]) -> None:
    async def answer(_: Request) -> Response:
        return Response(body, status_code=status, media_type="application/json")

    async def ask(karrio: Karrio) -> None:
        with pytest.raises(error):
            await karrio.rates(PARCEL)

    async def story() -> None:
        async with serving(Starlette(routes=[Route(RATES_PATH, answer, methods=["POST"])])) as url:
            await _with(url, ask, None, {})

    run(story)


# ----------------------------------------------------------------------------------------------------------- what it says
def parsed(**row: Any) -> CarrierRate:
    reply = msgspec.convert({"rates": [{"carrier_name": "ups", **row}]}, RateReply)
    (rate,) = parse_rates(reply, zone=ZoneInfo("UTC")).rates
    return rate


@pytest.mark.parametrize(
    ("row", "amount", "currency"),
    [
        ({"total_charge": 7.25, "currency": "CAD"}, Decimal("7.25"), "CAD"),
        ({"total_charge": 0, "currency": "USD"}, Decimal(0), "USD"),
        ({"currency": "USD"}, None, None),
        ({"total_charge": 7.25}, None, None),
        ({"total_charge": None, "currency": "USD"}, None, None),
    ],
)
def test_a_price_that_is_not_said_is_unknown_and_not_zero(
    row: dict[str, Any], amount: Decimal | None, currency: str | None
) -> None:
    assert (parsed(**row).amount, parsed(**row).currency) == (amount, currency)


@pytest.mark.parametrize(
    ("text", "arrives_by"),
    [
        ("2026-11-27", datetime(2026, 11, 27, 23, 59, tzinfo=UTC)),
        ("2026-11-27T12:00:00-06:00", datetime(2026, 11, 27, 18, tzinfo=UTC)),
        ("2026-11-27 12:00:00", datetime(2026, 11, 27, 12, tzinfo=UTC)),
        ("by Friday", None),
        ("2026-13-27", None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_of_arrival_has_an_offset_or_is_unknown(text: str | None, arrives_by: datetime | None) -> None:
    assert parsed(estimated_delivery=text).arrives_by == arrives_by


def test_days_below_zero_are_not_known_and_a_service_without_a_name_is_its_carriers() -> None:
    assert (parsed(transit_days=-1).transit_days, parsed(transit_days=0).transit_days) == (None, 0)
    assert parsed().service == "ups"


@pytest.mark.parametrize("wrong", [{"time_zone": "Mars/Olympus"}, {"attempt_timeout_s": 0}, {"concurrency_max": -1}])
def test_settings_that_make_no_sense_cannot_be_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        KarrioSettings(url="https://karrio.test", token=Secret("key"), **wrong)


# ----------------------------------------------------------------------------------------------- the official specification
class Judge(httpx.AsyncBaseTransport):
    """A real transport that holds what passes through it to the specification."""

    def __init__(self, *, change: Callable[[bytes], bytes] = bytes) -> None:
        self.statuses: list[int] = []
        self._change = change
        self._document = specification()
        self._transport = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        body, kind = self._change(await answer.aread()), answer.headers["content-type"]
        await answer.aclose()
        self.statuses.append(answer.status_code)
        asked = MockRequest("https://karrio.test", "POST", request.url.path, headers=dict(request.headers), data=request.content)
        self._document.validate_request(asked)
        self._document.validate_response(asked, MockResponse(body, answer.status_code, content_type=kind))
        return httpx.Response(answer.status_code, headers={"content-type": kind}, content=body)

    async def aclose(self) -> None:
        await self._transport.aclose()


@cache
def specification() -> OpenAPI:
    """Karrio's document, cut down to rates: all of it takes many seconds to check."""
    if not SPECIFICATION.exists():
        pytest.skip(f"the specification of Karrio is not at {SPECIFICATION}")
    yaml = pytest.importorskip("yaml")  # openapi-core brings it
    whole = yaml.load(SPECIFICATION.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    paths, components = {RATES_PATH: whole["paths"][RATES_PATH]}, whole["components"]
    schemas = {name: components["schemas"][name] for name in sorted(_mentioned(paths, components["schemas"]))}
    schemes = {"Token": components["securitySchemes"]["Token"]}
    paths[RATES_PATH]["post"]["security"] = [{"Token": []}]  # the one of four that we present
    document = {"openapi": whole["openapi"], "info": whole["info"], "paths": paths}
    strict = Config(additional_properties_default_policy="forbid")
    return OpenAPI.from_dict({**document, "components": {"schemas": schemas, "securitySchemes": schemes}}, config=strict)


def _mentioned(document: object, schemas: Mapping[str, object]) -> set[str]:
    found: set[str] = set()
    pending = list(_names(document))
    while pending:
        if (name := pending.pop()) not in found:
            found.add(name)
            pending += _names(schemas[name])
    return found


def _names(document: object) -> Iterator[str]:
    return (each[1] for each in re.finditer(r"'#/components/schemas/([^']+)'", repr(document)))


def test_karrio_and_its_sandbox_keep_the_official_specification() -> None:
    sandbox, judge = KarrioSandbox(), Judge()

    async def story(karrio: Karrio) -> None:
        assert (await karrio.rates(PARCEL)).rates
        for wrong in (replace(PARCEL, grams=90_000), replace(PARCEL, shipper=replace(DEPOT, country_code="NO"))):
            with pytest.raises(Rejected):
                await karrio.rates(wrong)

    told(sandbox, story, transport=judge, carrier_ids=("ups-main", "usps-main"))
    assert judge.statuses == [200, 424, 400]


@pytest.mark.parametrize(
    ("right", "wrong"), [(b'"transit_days":4', b'"transit_days":"4"'), (b'"total_charge"', b'"total"'), (b'"rates"', b'"quotes"')]
)
def test_an_answer_that_strays_from_the_specification_is_noticed(right: bytes, wrong: bytes) -> None:
    judge = Judge(change=lambda body: body.replace(right, wrong))

    async def story(karrio: Karrio) -> None:
        with pytest.raises(OpenAPIError):
            await karrio.rates(PARCEL)

    told(KarrioSandbox(), story, transport=judge)
