"""Whole stories with Square: the connector against the sandbox, over real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.contract import (
    Address,
    AuthFailed,
    CancelOutcome,
    Capability,
    FulfillmentChanged,
    FulfillmentRequest,
    Method,
    NotFound,
    Rejected,
    RemoteLocationId,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
    SourceError,
    StockChanged,
    capabilities_of,
)
from connectors.registry import Tools
from connectors.sandbox.controls import app_of
from connectors.sandbox.network import seeded
from connectors.sandbox.servers import serving
from connectors.sandbox.square import SquareSandbox
from connectors.sandbox.square.shop import instant, variation_of
from connectors.square import Square, SquareSettings
from connectors.square.connector import skus_per_page
from tests.connectors.overlap import together

URL = "https://square.test"
HOOK = "https://gateway.example/hooks/square"
COUNTS = "/v2/inventory/counts/batch-retrieve"
BROOKLYN = RemoteLocationId("LSTOREBROOKLYN")

TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic)
RECIPIENT = Address(lines=("1 Main St", "Apt 2"), city="Brooklyn", region="NY", postal_code="11201", country_code="US", name="Ada")


@asynccontextmanager
async def square(url: str = URL, **settings: Any) -> AsyncIterator[Square]:
    defaults: dict[str, Any] = {
        "access_token": Secret("square-sandbox-token"),
        "webhook_signature_key": Secret("square-sandbox-signature"),
        "webhook_url": HOOK,
    }
    connector = Square(SquareSettings(url=url, **{**defaults, **settings}), TOOLS)
    try:
        yield connector
    finally:
        await connector.aclose()


@asynccontextmanager
async def shop(products: int = 40) -> AsyncIterator[tuple[Square, SquareSandbox, httpx.AsyncClient]]:
    """A connector, the sandbox it speaks to, and the sandbox's controls."""
    sandbox = SquareSandbox(seeded(products=products))
    async with serving(app_of(sandbox)) as url, square(url) as connector, httpx.AsyncClient(base_url=url) as controls:
        yield connector, sandbox, controls


async def paths(controls: httpx.AsyncClient) -> list[str]:
    return [each["path"] for each in (await controls.get("/_sandbox/journal")).json()["requests"]]


def counted_everywhere(sandbox: SquareSandbox, *variations: str) -> None:
    """Three at every store, sold there or not: Square tells of both."""
    at = instant()
    sandbox.shop.counts.update({(store, each): (3, at) for store in sandbox.shop.stores for each in variations})


def request_of(
    key: str = "key-1", *, sku: str = "SKU-0009", count_units: int = 2, method: Method = Method.SHIP
) -> FulfillmentRequest:
    return FulfillmentRequest(
        key=RequestKey(key),
        location=BROOKLYN,
        lines=(RequestLine(sku=Sku(sku), units=count_units),),
        recipient=RECIPIENT,
        method=method,
        order_number="1001",
    )


def test_a_warm_read_is_exactly_one_request() -> None:
    async def story() -> None:
        async with shop() as (connector, _, controls):
            assert len((await connector.skus(None)).skus) > 20
            await controls.delete("/_sandbox/journal")
            batch = await connector.read_stock([Sku("SKU-0001"), Sku("SKU-0004"), Sku("SKU-0009")])
            assert len(batch.levels) == 15
            assert [each["path"] for each in (await controls.get("/_sandbox/journal")).json()["requests"]] == [COUNTS]

    asyncio.run(story())


def test_a_cold_read_shows_what_the_stores_have() -> None:
    async def story() -> None:
        async with shop() as (connector, sandbox, _):
            sandbox.set_stock("store-denver", "SKU-0004", 0)
            batch = await connector.read_stock([Sku("SKU-0004"), Sku("SKU-0006"), Sku("nonsense")])
            names = {store.id: store.name for store in await connector.locations()}
            found = {names[level.location]: level.available for level in batch.levels}
            assert found == {
                "Brooklyn Store": 1, "Chicago Store": 1, "Denver Store": 0, "Seattle Store": 1, "Santa Monica Store": 1
            }  # fmt: skip
            assert batch.unknown == {"SKU-0006", "nonsense"}
            assert set(batch.names) == {"SKU-0004"}

    asyncio.run(story())


def test_a_read_takes_one_request_for_as_many_skus_as_the_stores_leave_room_for() -> None:
    async def story() -> None:
        async with shop(products=700) as (connector, sandbox, controls):
            assert connector.info.batch_skus_max == 500
            skus = list((await connector.skus(None)).skus)
            assert connector.info.batch_skus_max == 200  # with five stores
            counted_everywhere(sandbox, *map(variation_of, skus))
            for several, requests in ((200, 1), (400, 2), (401, 3)):
                await controls.delete("/_sandbox/journal")
                batch = await connector.read_stock(skus[:several])
                assert {level.sku for level in batch.levels} == set(skus[:several])
                assert {level.available for level in batch.levels} == {3}
                assert await paths(controls) == [COUNTS] * requests
            assert await together(connector, skus[:401], controls, requests=3) == {COUNTS}

    asyncio.run(story())


def test_counts_that_a_page_has_no_room_for_are_on_the_next_one() -> None:
    async def story() -> None:
        async with shop(products=400) as (connector, sandbox, controls):
            skus = list((await connector.skus(None)).skus)[:200]
            sandbox.shop.products["TWIN"] = sandbox.shop.products[variation_of(skus[0])]
            await connector.skus(None)
            counted_everywhere(sandbox, *map(variation_of, skus))
            counted_everywhere(sandbox, "TWIN")
            await controls.delete("/_sandbox/journal")
            batch = await connector.read_stock(skus)
            assert {level.sku for level in batch.levels} == set(skus)
            assert {level.available for level in batch.levels} == {3}
            assert await paths(controls) == [COUNTS] * 2

    asyncio.run(story())


@pytest.mark.parametrize(("active_stores", "skus"), [(0, 500), (1, 500), (2, 500), (3, 333), (5, 200), (1_000, 1), (1_001, 1)])
def test_a_page_never_has_room_for_less_than_one_sku(active_stores: int, skus: int) -> None:
    assert skus_per_page(active_stores) == skus


def test_a_store_describes_itself() -> None:
    async def story() -> None:
        async with shop() as (connector, _, _):
            (brooklyn, *_) = await connector.locations()
            assert (brooklyn.id, brooklyn.time_zone, brooklyn.active) == (BROOKLYN, "America/New_York", True)
            assert brooklyn.methods == {Method.SHIP, Method.PICKUP}
            assert brooklyn.address is not None
            assert (brooklyn.address.postal_code, brooklyn.address.latitude) == ("11249", 40.7191)
            assert len(brooklyn.hours) == 7
            assert (await connector.health()).ok

    asyncio.run(story())


def test_stock_goes_down_when_the_parcel_leaves_and_not_before() -> None:
    async def story() -> None:
        async with shop() as (connector, sandbox, _):
            taken = await connector.request(request_of())
            assert (taken.state, taken.key) == (RemoteState.REQUESTED, "key-1")
            sandbox.accept(taken.ref)
            assert (await connector.status([taken.ref]))[0].state is RemoteState.ACCEPTED
            assert sandbox.stock("SKU-0009")["store-brooklyn"] == 7
            sandbox.ship(taken.ref, carrier="UPS", tracking_number="1Z")
            (shipped,) = await connector.status([taken.ref, RemoteRef("nonsense")])
            assert shipped.state is RemoteState.SHIPPED
            assert (shipped.packages[0].carrier, shipped.packages[0].tracking_number) == ("UPS", "1Z")
            assert shipped.packages[0].shipped_at is not None
            assert sandbox.stock("SKU-0009")["store-brooklyn"] == 5
            assert await connector.cancel(taken.ref) is CancelOutcome.TOO_LATE

    asyncio.run(story())


def test_asking_twice_with_one_key_makes_one_order() -> None:
    async def story() -> None:
        async with shop() as (connector, sandbox, _):
            first, second = [await connector.request(request_of()) for _ in range(2)]
            assert first == second
            third = await connector.request(request_of(count_units=3))
            assert (third.ref, len(sandbox.orders())) == (first.ref, 1)

    asyncio.run(story())


def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_key() -> None:
    async def story() -> None:
        async with shop() as (connector, sandbox, controls):
            await connector.read_stock([Sku("SKU-0009")])
            await controls.post("/_sandbox/faults", json={"kind": "LOST_ANSWER", "match": "/v2/orders", "times": 1})
            taken = await connector.request(request_of())
            assert [order.ref for order in sandbox.orders()] == [taken.ref]
            assert await connector.find(RequestKey("key-1")) == taken
            assert await connector.find(RequestKey("key-2")) is None

    asyncio.run(story())


def test_a_pickup_can_be_asked_for_turned_down_and_canceled() -> None:
    async def story() -> None:
        async with shop() as (connector, sandbox, _):
            one, two = [await connector.request(request_of(key, method=Method.PICKUP)) for key in ("one", "two")]
            sandbox.reject(one.ref, "shelf is empty")
            (rejected,) = await connector.status([one.ref])
            assert (rejected.state, rejected.reason) == (RemoteState.REJECTED, "shelf is empty")
            assert [await connector.cancel(two.ref) for _ in range(2)] == [CancelOutcome.CANCELED] * 2
            assert (await connector.status([two.ref]))[0].state is RemoteState.CANCELED

    asyncio.run(story())


def test_a_store_is_not_asked_for_what_it_does_not_sell() -> None:
    async def story() -> None:
        async with shop() as (connector, sandbox, _):
            with pytest.raises(Rejected) as raised:
                await connector.request(request_of(sku="SKU-0006"))
            assert (raised.value.reason, raised.value.field) == ("SKU_NOT_CARRIED", "SKU-0006")
            assert sandbox.orders() == []
            with pytest.raises(NotFound):
                await connector.cancel(RemoteRef("nonsense"))

    asyncio.run(story())


def test_a_wrong_token_is_refused_and_a_dead_source_is_an_answer() -> None:
    async def story() -> None:
        async with (
            serving(app_of(SquareSandbox(seeded(products=12)))) as url,
            square(url, access_token=Secret("stale")) as connector,
        ):
            with pytest.raises(AuthFailed):
                await connector.read_stock([Sku("SKU-0001")])
            health = await connector.health()
            assert (health.ok, "stale" in health.detail) == (False, False)

    asyncio.run(story())


@pytest.mark.parametrize("kind", ["HTML", "TRUNCATED", "NULL", "OVERSIZED", "HANG", "STATUS", "THROTTLED"])
def test_every_way_to_fail_ends_in_one_of_the_closed_errors(kind: str) -> None:
    async def story() -> None:
        sandbox = SquareSandbox(seeded(products=12))
        async with (
            serving(app_of(sandbox)) as url,
            square(url, attempt_timeout_s=2.0 if kind == "OVERSIZED" else 0.2, total_timeout_s=2.0) as connector,
            httpx.AsyncClient(base_url=url) as controls,
        ):
            await connector.skus(None)
            await controls.post("/_sandbox/faults", json={"kind": kind, "match": "/counts/", "retry_after_s": 60})
            with pytest.raises(SourceError):
                await connector.read_stock([Sku("SKU-0001")])

    asyncio.run(story())


def test_the_sandbox_tells_of_moved_stock_and_orders() -> None:
    async def story() -> None:
        async with shop() as (connector, sandbox, _):
            assert connector.receive(sandbox.stock_webhook("SKU-0009", url=HOOK)) == ()  # nobody has asked about it yet
            taken = await connector.request(request_of())
            (changed,) = connector.receive(sandbox.stock_webhook("SKU-0009", url=HOOK))
            assert isinstance(changed, StockChanged)
            assert changed.skus == {"SKU-0009"}
            (moved,) = connector.receive(sandbox.order_webhook(taken.ref, url=HOOK))
            assert isinstance(moved, FulfillmentChanged)
            assert moved.ref == taken.ref

    asyncio.run(story())


def test_square_can_do_everything_but_hold_and_quote() -> None:
    async def story() -> None:
        async with square() as connector:
            assert capabilities_of(connector) == frozenset(Capability) - {Capability.HOLD, Capability.QUOTE}

    asyncio.run(story())
