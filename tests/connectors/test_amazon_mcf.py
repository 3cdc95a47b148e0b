"""Stories with Amazon's stock and its login: the connector against the sandbox, over real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.amazon_mcf import AmazonMcf, AmazonMcfSettings
from connectors.contract import (
    Address,
    AuthFailed,
    Capability,
    ContractBroken,
    Cursor,
    FulfillmentRequest,
    Method,
    RemoteLocationId,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
    StockChanges,
    Transient,
    capabilities_of,
)
from connectors.registry import Tools
from connectors.sandbox.amazon_mcf import AmazonMcfSandbox
from connectors.sandbox.amazon_mcf.login import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from connectors.sandbox.amazon_mcf.sandbox import MARKETPLACE_ID
from connectors.sandbox.controls import app_of
from connectors.sandbox.network import seeded
from connectors.sandbox.servers import serving
from tests.connectors.overlap import together

MARKETPLACE = RemoteLocationId(MARKETPLACE_ID)
SUMMARIES = "/fba/inventory/v1/summaries"

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
async def network(*, products: int = 40, **settings: Any) -> AsyncIterator[tuple[AmazonMcf, AmazonMcfSandbox, httpx.AsyncClient]]:
    """A connector, the sandbox it speaks to, and the sandbox's controls."""
    sandbox = AmazonMcfSandbox(seeded(products=products, systems=["amazon_mcf"]))
    async with serving(app_of(sandbox)) as url, amazon(url, **settings) as connector, httpx.AsyncClient(base_url=url) as controls:
        yield connector, sandbox, controls


REQUEST = FulfillmentRequest(
    key=RequestKey("key-1"),
    location=MARKETPLACE,
    lines=(RequestLine(sku=Sku("SKU-0009"), units=2),),
    recipient=RECIPIENT,
    method=Method.SHIP,
    order_number="1001",
)


async def paths(controls: httpx.AsyncClient) -> list[str]:
    return [each["path"] for each in (await controls.get("/_sandbox/journal")).json()["requests"]]


async def listed(connector: AmazonMcf) -> list[Sku]:
    found: list[Sku] = []
    after: Cursor | None = None
    while True:
        page = await connector.skus(after)
        found += page.skus
        if page.next is None:
            return found
        after = page.next


async def moved(connector: AmazonMcf, cursor: Cursor) -> tuple[set[Sku], Cursor]:
    told = StockChanges(skus=frozenset(), cursor=cursor, more=True)
    found: set[Sku] = set()
    while told.more:
        told = await connector.stock_changes(told.cursor)
        found |= told.skus
    return found, told.cursor


# ---------------------------------------------------------------------------------------------- stock
def test_a_read_shows_what_can_be_shipped_and_what_amazon_has_never_heard_of() -> None:
    async def story() -> None:
        async with network() as (connector, sandbox, _):
            sandbox.set_stock("fba-us", "SKU-0004", 0)
            batch = await connector.read_stock([Sku("SKU-0004"), Sku("SKU-0009"), Sku("SKU-0003"), Sku("")])
            found = {level.sku: (level.available, level.committed, level.incoming) for level in batch.levels}
            assert found == {"SKU-0004": (0, 0, 0), "SKU-0009": (59, 0, 0)}
            assert batch.unknown == {"SKU-0003", ""}
            assert {level.location for level in batch.levels} == {place.id for place in await connector.locations()}
            assert batch.names[Sku("SKU-0009")] == sandbox.seller.shelves["SKU-0009"].name

    asyncio.run(story())


def test_fifty_skus_are_one_request_and_one_with_a_comma_is_asked_for_alone() -> None:
    async def story() -> None:
        async with network(products=240) as (connector, sandbox, controls):
            sandbox.seller.shelves["a,b"] = sandbox.seller.shelves.pop("SKU-0009")
            skus = [Sku(sku) for sku in sandbox.seller.shelves]
            assert len(skus) > 100
            await connector.read_stock([])
            assert await paths(controls) == []
            batch = await connector.read_stock(skus)
            assert {level.sku for level in batch.levels} == set(skus)
            assert (await paths(controls)).count(SUMMARIES) == 1 + -(-(len(skus) - 1) // 50)

    asyncio.run(story())


def test_the_requests_of_one_read_are_made_at_once() -> None:
    async def story() -> None:
        async with network(products=240) as (connector, sandbox, controls):
            skus = [Sku(sku) for sku in sandbox.seller.shelves][:101]
            await connector.read_stock([skus[0]])  # for the token
            assert await together(connector, skus, controls, requests=3) == {SUMMARIES}

    asyncio.run(story())


def test_what_amazon_puts_on_several_pages_is_put_together_again() -> None:
    async def story() -> None:
        async with network() as (connector, sandbox, controls):
            sandbox.inventory.rows_per_page = 1
            batch = await connector.read_stock([Sku("SKU-0004"), Sku("SKU-0008"), Sku("SKU-0009")])
            assert [level.available for level in batch.levels] == [22, 46, 59]
            assert (await paths(controls)).count(SUMMARIES) == 3

    asyncio.run(story())


def test_every_sku_is_listed_once_though_the_tokens_expire_between_two_pages() -> None:
    async def story() -> None:
        async with network() as (connector, sandbox, _):
            sandbox.inventory.rows_per_page = 7
            first = await connector.skus(None)
            assert first.next is not None
            second = await connector.skus(first.next)
            assert second.next is not None
            sandbox.inventory.forget_tokens()
            third = await connector.skus(second.next)
            assert [*first.skus, *second.skus, *third.skus] == list(sandbox.seller.shelves)[:21]
            assert await listed(connector) == list(sandbox.seller.shelves)

    asyncio.run(story())


def test_a_list_that_has_become_shorter_ends_where_it_ends_now() -> None:
    async def story() -> None:
        async with network() as (connector, sandbox, _):
            sandbox.inventory.rows_per_page = 7
            place = (await connector.skus(None)).next
            assert place is not None
            sandbox.inventory.forget_tokens()
            sandbox.inventory.rows_per_page = 50
            end = await connector.skus(place)
            assert (end.skus, end.next) == ((), None)

    asyncio.run(story())


def test_tokens_that_expire_faster_than_they_can_be_used_are_given_up() -> None:
    async def story() -> None:
        async with network() as (connector, sandbox, _):
            sandbox.inventory.rows_per_page = 1
            sandbox.inventory.token_lives_s = -1
            with pytest.raises(Transient, match="did not last"):
                await connector.read_stock([Sku("SKU-0004"), Sku("SKU-0008")])

    asyncio.run(story())


@pytest.mark.parametrize("switch", ["endless", "repeated"])
def test_pages_without_an_end_are_noticed_soon(switch: str) -> None:
    async def story() -> None:
        async with network() as (connector, sandbox, controls):
            setattr(sandbox.inventory, switch, True)
            for ask in (connector.read_stock([Sku("SKU-0004")]), listed(connector)):
                with pytest.raises(ContractBroken):
                    await ask
            begun = (await connector.stock_changes(None)).cursor
            sandbox.set_stock("fba-us", "SKU-0004", 3)
            with pytest.raises(ContractBroken):
                await moved(connector, begun)
            assert len(await paths(controls)) < 25

    asyncio.run(story())


def test_changes_are_told_page_by_page_and_again_after_a_crash() -> None:
    async def story() -> None:
        async with network() as (connector, sandbox, _):
            sandbox.inventory.rows_per_page = 2
            begun = (await connector.stock_changes(None)).cursor
            assert (await moved(connector, begun))[0] == set()
            for sku in ("SKU-0004", "SKU-0008", "SKU-0009"):
                sandbox.set_stock("fba-us", sku, 3)
            first = await connector.stock_changes(begun)
            assert (len(first.skus), first.more) == (2, True)
            sandbox.inventory.forget_tokens()
            rest, _ = await moved(connector, first.cursor)
            assert first.skus | rest == {"SKU-0004", "SKU-0008", "SKU-0009"}
            assert (await moved(connector, begun))[0] == {"SKU-0004", "SKU-0008", "SKU-0009"}

    asyncio.run(story())


def test_a_clock_of_ours_that_was_ahead_hides_no_change() -> None:
    async def story() -> None:
        async with network(changes_overlap_s=1.0) as (connector, sandbox, _):
            sandbox.set_stock("fba-us", "SKU-0004", 3)
            assert (await moved(connector, Cursor('["2031-01-01T00:00:00Z",null,null]')))[0] == {"SKU-0004"}

    asyncio.run(story())


# ---------------------------------------------------------------------------------------------- the credential
def test_a_token_that_ends_is_replaced_and_the_read_goes_on() -> None:
    async def story() -> None:
        async with network() as (connector, sandbox, _):
            await connector.read_stock([Sku("SKU-0004")])
            sandbox.login.end_all()
            assert (await connector.read_stock([Sku("SKU-0004")])).levels
            assert sandbox.login.granted == 2

    asyncio.run(story())


def test_an_order_is_not_lost_to_a_token_that_has_just_ended() -> None:
    async def story() -> None:
        async with network() as (connector, sandbox, _):
            await connector.read_stock([Sku("SKU-0004")])
            sandbox.login.end_all()
            taken = await connector.request(REQUEST)
            assert [order.ref for order in sandbox.orders()] == [taken.ref]

    asyncio.run(story())


def test_health_tells_when_the_token_ends_and_that_the_seller_took_the_authorization_back() -> None:
    async def story() -> None:
        async with network() as (connector, sandbox, _):
            well = await connector.health()
            assert (well.ok, well.remote_version) == (True, "2020-07-01")
            assert well.credential_expires_at is not None
            assert 3500 < (well.credential_expires_at - datetime.now(UTC)).total_seconds() <= 3600
            sandbox.login.revoked = True
            ill = await connector.health()
            assert (ill.ok, "invalid_grant" in ill.detail) == (False, True)
            with pytest.raises(AuthFailed):
                await connector.read_stock([Sku("SKU-0004")])
            with pytest.raises(AuthFailed):
                await connector.request(REQUEST)

    asyncio.run(story())


def test_a_read_that_amazon_puts_off_is_asked_again() -> None:
    async def story() -> None:
        async with network() as (connector, sandbox, controls):
            sandbox.throttled = 1
            assert (await connector.read_stock([Sku("SKU-0004")])).levels
            assert (await paths(controls)).count(SUMMARIES) == 2
            assert connector.traffic()["READ"].throttled == 1

    asyncio.run(story())


def test_amazon_can_do_all_but_hold_and_call_back() -> None:
    async def story() -> None:
        async with amazon("https://amazon.test") as connector:
            assert capabilities_of(connector) == frozenset(Capability) - {Capability.HOLD, Capability.WEBHOOKS}

    asyncio.run(story())
