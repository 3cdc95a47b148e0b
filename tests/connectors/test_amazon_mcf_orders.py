"""Stories with orders that Amazon ships, and what it would take for them, in both versions: the connector against the sandbox."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.amazon_mcf import AmazonMcf, AmazonMcfSettings
from connectors.contract import (
    Address,
    CancelOutcome,
    FulfillmentRequest,
    Method,
    NotFound,
    OutcomeUnknown,
    QuoteRequest,
    Rejected,
    RemoteLocationId,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
    Unsupported,
)
from connectors.registry import Tools
from connectors.sandbox.amazon_mcf import AmazonMcfSandbox
from connectors.sandbox.amazon_mcf.login import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from connectors.sandbox.amazon_mcf.sandbox import MARKETPLACE_ID
from connectors.sandbox.controls import app_of
from connectors.sandbox.network import seeded
from connectors.sandbox.servers import serving

MARKETPLACE = RemoteLocationId(MARKETPLACE_ID)
OLD, NEW = "2020-07-01", "2026-07-04"
BOTH = pytest.mark.parametrize("version", [OLD, NEW])

TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic)
RECIPIENT = Address(lines=("1 Main St", "Apt 2"), city="Chicago", region="IL", postal_code="60601", country_code="US", name="Ada")


@asynccontextmanager
async def amazon(url: str, **settings: Any) -> AsyncIterator[AmazonMcf]:
    defaults: dict[str, Any] = {
        "client_id": CLIENT_ID,
        "client_secret": Secret(CLIENT_SECRET),
        "refresh_token": Secret(REFRESH_TOKEN),
        "marketplace_id": MARKETPLACE_ID,
        "token_url": f"{url}/auth/o2/token",
        "rate_per_s": None,
    }
    connector = AmazonMcf(AmazonMcfSettings(url=url, **{**defaults, **settings}), TOOLS)
    try:
        yield connector
    finally:
        await connector.aclose()


@asynccontextmanager
async def network(**settings: Any) -> AsyncIterator[tuple[AmazonMcf, AmazonMcfSandbox, httpx.AsyncClient]]:
    """A connector, the sandbox it speaks to, and the sandbox's controls."""
    sandbox = AmazonMcfSandbox(seeded(products=40, systems=["amazon_mcf"]))
    async with serving(app_of(sandbox)) as url, amazon(url, **settings) as connector, httpx.AsyncClient(base_url=url) as controls:
        yield connector, sandbox, controls


def request_of(key: str = "key-1", *, units: int = 2, **more: Any) -> FulfillmentRequest:
    asked: dict[str, Any] = {
        "key": RequestKey(key),
        "location": MARKETPLACE,
        "lines": (RequestLine(sku=Sku("SKU-0009"), units=units),),
        "recipient": RECIPIENT,
        "method": Method.SHIP,
        "order_number": "1001",
    }
    return FulfillmentRequest(**{**asked, **more})


def quoting(sku: str = "SKU-0009", *, units: int = 2, **more: Any) -> QuoteRequest:
    return QuoteRequest(lines=(RequestLine(sku=Sku(sku), units=units),), recipient=RECIPIENT, **more)


async def paths(controls: httpx.AsyncClient) -> list[str]:
    return [each["path"] for each in (await controls.get("/_sandbox/journal")).json()["requests"]]


# ---------------------------------------------------------------------------------------------- orders
def test_an_order_is_followed_from_new_to_shipped_and_its_stock_goes_down_when_it_is_planned() -> None:
    async def story() -> None:
        async with network() as (connector, sandbox, _):

            async def now() -> tuple[RemoteState, int | None]:
                (order,) = await connector.status([RemoteRef("key-1")])
                (level,) = (await connector.read_stock([Sku("SKU-0009")])).levels
                return order.state, level.available

            taken = await connector.request(request_of())
            assert (taken.ref, taken.key, taken.state) == ("key-1", "key-1", RemoteState.REQUESTED)
            assert await now() == (RemoteState.REQUESTED, 59)
            sandbox.accept("key-1")
            assert await now() == (RemoteState.ACCEPTED, 57)
            sandbox.pick("key-1")
            assert await now() == (RemoteState.ACCEPTED, 57)
            assert await connector.cancel(taken.ref) is CancelOutcome.REFUSED
            sandbox.ship("key-1", carrier="UPS", tracking_number="1Z")
            assert await now() == (RemoteState.SHIPPED, 57)
            assert sandbox.stock("SKU-0009") == {"fba-us": 57}

    asyncio.run(story())


@BOTH
def test_a_parcel_is_told_with_its_number_and_what_is_in_it(version: str) -> None:
    async def story() -> None:
        async with network(api_version=version) as (connector, sandbox, _):
            taken = await connector.request(request_of(lines=(RequestLine(sku=Sku("SKU-0009"), units=2),) * 2))
            sandbox.ship(taken.ref, carrier="UPS", tracking_number="1Z")
            (shipped,) = await connector.status([taken.ref, RemoteRef("nonsense"), RemoteRef("no/order?")])
            (package,) = shipped.packages
            assert (shipped.state, package.carrier, package.tracking_number) == (RemoteState.SHIPPED, "UPS", "1Z")
            assert package.lines == (RequestLine(sku=Sku("SKU-0009"), units=4),)
            assert package.shipped_at is not None
            assert await connector.cancel(taken.ref) is CancelOutcome.TOO_LATE

    asyncio.run(story())


@BOTH
def test_what_amazon_could_not_find_while_picking_is_told_beside_what_has_left(version: str) -> None:
    async def story() -> None:
        async with network(api_version=version) as (connector, sandbox, _):
            lines = (RequestLine(sku=Sku("SKU-0009"), units=3), RequestLine(sku=Sku("SKU-0004"), units=1))
            taken = await connector.request(request_of(lines=lines))
            sandbox.ship_without(taken.ref, {"SKU-0009": 2}, carrier="UPS", tracking_number="1Z")
            (partly,) = await connector.status([taken.ref])
            assert partly.state is RemoteState.REJECTED
            assert partly.short == (RequestLine(sku=Sku("SKU-0009"), units=2),)
            assert partly.packages[0].lines == (
                RequestLine(sku=Sku("SKU-0009"), units=1), RequestLine(sku=Sku("SKU-0004"), units=1),
            )  # fmt: skip
            assert await connector.cancel(taken.ref) is CancelOutcome.PARTIAL

    asyncio.run(story())


@BOTH
def test_one_key_is_one_order_also_when_the_answer_to_it_was_lost(version: str) -> None:
    async def story() -> None:
        async with network(api_version=version) as (connector, sandbox, controls):
            await connector.read_stock([Sku("SKU-0009")])
            await controls.post("/_sandbox/faults", json={"kind": "LOST_ANSWER", "match": "outbound", "times": 1})
            with pytest.raises(OutcomeUnknown):
                await connector.request(request_of())
            again = await connector.request(request_of())
            other = await connector.request(request_of(units=3))
            assert (again.ref, other.ref) == ("key-1", "key-1")
            assert [order.lines[0].units for order in sandbox.orders()] == [2]
            assert await connector.find(RequestKey("key-1")) == again
            assert await connector.find(RequestKey("key-2")) is None

    asyncio.run(story())


def test_a_refusal_whose_reason_cannot_be_looked_up_is_no_refusal_yet() -> None:
    async def story() -> None:
        async with network(attempt_timeout_s=0.5, total_timeout_s=0.5) as (connector, _, controls):
            await connector.request(request_of())
            await controls.post("/_sandbox/faults", json={"kind": "STATUS", "match": "/key-1"})
            with pytest.raises(OutcomeUnknown):
                await connector.request(request_of())

    asyncio.run(story())


@BOTH
def test_an_order_can_be_canceled_twice_and_one_that_never_was_cannot(version: str) -> None:
    async def story() -> None:
        async with network(api_version=version) as (connector, sandbox, _):
            taken = await connector.request(request_of())
            sandbox.accept(taken.ref)
            assert [await connector.cancel(taken.ref) for _ in range(2)] == [CancelOutcome.CANCELED] * 2
            assert (await connector.status([taken.ref]))[0].state is RemoteState.CANCELED
            assert (await connector.read_stock([Sku("SKU-0009")])).levels[0].available == 59
            for ref in (RemoteRef("nonsense"), RemoteRef("../status")):
                with pytest.raises(NotFound):
                    await connector.cancel(ref)

    asyncio.run(story())


def test_the_newer_version_may_take_orders_and_cancellations_and_decide_later() -> None:
    async def story() -> None:
        async with network(api_version=NEW) as (connector, sandbox, _):
            sandbox.outbound_2026.creates_later = sandbox.outbound_2026.cancels_later = True
            taken = await connector.request(request_of())
            assert (taken.ref, taken.state) == ("key-1", RemoteState.REQUESTED)
            assert await connector.cancel(taken.ref) is CancelOutcome.PENDING
            assert (await connector.status([taken.ref]))[0].state is RemoteState.ACCEPTED
            sandbox.accept(taken.ref)
            assert (await connector.status([taken.ref]))[0].state is RemoteState.CANCELED

    asyncio.run(story())


@BOTH
def test_an_order_for_more_than_there_is_comes_to_nothing(version: str) -> None:
    async def story() -> None:
        async with network(api_version=version) as (connector, sandbox, _):
            taken = await connector.request(request_of(units=60))
            if version == OLD:
                sandbox.accept(taken.ref)
            (found,) = await connector.status([taken.ref])
            assert (found.state, (found.reason or "").casefold()) == (RemoteState.REJECTED, "invalid")
            lost = await connector.request(request_of("key-2", units=5))
            sandbox.reject(lost.ref, "nobody found it")
            (rejected,) = await connector.status([lost.ref])
            assert (rejected.state, rejected.short) == (RemoteState.REJECTED, (RequestLine(sku=Sku("SKU-0009"), units=5),))
            assert rejected.packages == ()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lines": (RequestLine(sku=Sku("SKU-0009"), units=1),) * 101}, "TOO_LARGE"),
        ({"units": 251}, "TOO_LARGE"),
        ({"key": "two words"}, "KEY"),
        ({"key": "a+b"}, "KEY"),
        ({"location": RemoteLocationId("A1F83G8C2ARO7P")}, "UNKNOWN_LOCATION"),
    ],
)
def test_what_amazon_would_refuse_is_not_even_sent(change: dict[str, Any], reason: str) -> None:
    async def story() -> None:
        async with network() as (connector, _, controls):
            with pytest.raises(Rejected) as raised:
                await connector.request(request_of(**change))
            assert raised.value.reason == reason
            with pytest.raises(Unsupported):
                await connector.request(request_of(method=Method.PICKUP))
            assert await paths(controls) == []

    asyncio.run(story())


@BOTH
def test_a_sku_that_amazon_does_not_have_is_refused_in_its_own_words(version: str) -> None:
    async def story() -> None:
        async with network(api_version=version) as (connector, sandbox, _):
            with pytest.raises(Rejected, match="the SellerSKU for Item Id: 1 is invalid") as raised:
                await connector.request(request_of(lines=(RequestLine(sku=Sku("nonsense"), units=1),)))
            assert raised.value.reason == "InvalidInput"
            assert sandbox.orders() == []

    asyncio.run(story())


# ---------------------------------------------------------------------------------------------- quotes
@BOTH
def test_quotes_come_cheapest_first_with_their_latest_dates(version: str) -> None:
    async def story() -> None:
        async with network(api_version=version, quoted_speeds=("Priority", "Expedited", "Standard")) as (connector, _, _):
            slow, fast = await connector.quote(quoting(location=MARKETPLACE))
            assert [quote.service.casefold() for quote in (slow, fast)] == ["standard", "expedited"]
            assert [quote.amount for quote in (slow, fast)] == [Decimal("11.65"), Decimal("19.00")]
            assert {quote.currency for quote in (slow, fast)} == {"USD"}
            for quote in (slow, fast):
                assert quote.ships_by is not None
                assert quote.arrives_by is not None
                assert quote.ships_by < quote.arrives_by
            assert slow.arrives_by is not None
            assert fast.arrives_by is not None
            assert fast.arrives_by < slow.arrives_by

    asyncio.run(story())


@BOTH
def test_what_would_not_be_shipped_at_all_has_no_quotes(version: str) -> None:
    async def story() -> None:
        async with network(api_version=version) as (connector, _, controls):
            assert await connector.quote(quoting(units=60)) == ()
            assert await connector.quote(quoting("nonsense")) == ()
            await controls.delete("/_sandbox/journal")
            assert await connector.quote(quoting(units=251)) == ()
            assert await connector.quote(quoting(location=RemoteLocationId("A1F83G8C2ARO7P"))) == ()
            assert await paths(controls) == []

    asyncio.run(story())
