"""Whole stories with ShipBob: the connector against the sandbox, over real sockets."""

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
    OutcomeUnknown,
    Rejected,
    RemoteLocationId,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
    SourceError,
    Unsupported,
    capabilities_of,
)
from connectors.registry import Tools
from connectors.sandbox.controls import app_of
from connectors.sandbox.network import seeded
from connectors.sandbox.servers import serving
from connectors.sandbox.shipbob import ShipBobSandbox
from connectors.sandbox.shipbob.sandbox import WEBHOOK_SECRET
from connectors.shipbob import ShipBob, ShipBobSettings
from tests.connectors.overlap import together

URL = "https://shipbob.test"
INVENTORY, LEVELS, ORDER = "/2026-01/inventory", "/2026-01/inventory-level/locations", "/2026-01/order"
CICERO = RemoteLocationId("101")

TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic)
RECIPIENT = Address(lines=("1 Main St",), city="Chicago", region="IL", postal_code="60601", country_code="US", name="Ada")


@asynccontextmanager
async def shipbob(url: str = URL, **settings: Any) -> AsyncIterator[ShipBob]:
    defaults: dict[str, Any] = {
        "token": Secret("shipbob-sandbox-token"),
        "channel_id": "1001",
        "shipping_method": "Standard",
        "webhook_secret": Secret(WEBHOOK_SECRET),
        "rate_per_s": None,
    }
    connector = ShipBob(ShipBobSettings(url=url, **{**defaults, **settings}), TOOLS)
    try:
        yield connector
    finally:
        await connector.aclose()


@asynccontextmanager
async def centers() -> AsyncIterator[tuple[ShipBob, ShipBobSandbox, httpx.AsyncClient]]:
    """A connector, the sandbox it speaks to, and the sandbox's controls."""
    sandbox = ShipBobSandbox(seeded(products=40))
    async with serving(app_of(sandbox)) as url, shipbob(url) as connector, httpx.AsyncClient(base_url=url) as controls:
        yield connector, sandbox, controls


def request_of(
    key: str = "key-1", *, sku: str = "SKU-0008", count_units: int = 2, location: str = CICERO, method: Method = Method.SHIP
) -> FulfillmentRequest:
    return FulfillmentRequest(
        key=RequestKey(key),
        location=RemoteLocationId(location),
        lines=(RequestLine(sku=Sku(sku), units=count_units),),
        recipient=RECIPIENT,
        method=method,
        order_number="1001",
    )


def test_a_warm_read_is_exactly_one_request() -> None:
    async def story() -> None:
        async with centers() as (connector, _, controls):
            assert len((await connector.skus(None)).skus) > 20
            await controls.delete("/_sandbox/journal")
            batch = await connector.read_stock([Sku("SKU-0001"), Sku("SKU-0008"), Sku("SKU-0002")])
            assert len(batch.levels) == 7
            assert [each["path"] for each in (await controls.get("/_sandbox/journal")).json()["requests"]] == [LEVELS]

    asyncio.run(story())


def test_a_long_inventory_is_listed_in_pages_and_read_in_as_few_requests_as_shipbob_takes() -> None:
    async def story() -> None:
        sandbox = ShipBobSandbox(seeded(products=500))
        async with serving(app_of(sandbox)) as url, shipbob(url) as connector, httpx.AsyncClient(base_url=url) as controls:
            first = await connector.skus(None)
            second = await connector.skus(first.next)
            skus = [*first.skus, *second.skus]
            assert (second.next, len(first.skus)) == (None, 250)
            assert set(skus) == {product.sku for product in sandbox.merchant.items.values()}
            await controls.delete("/_sandbox/journal")
            assert {level.sku for level in (await connector.read_stock(skus)).levels} == set(skus)
            assert [each["path"] for each in (await controls.get("/_sandbox/journal")).json()["requests"]] == [LEVELS] * 2

    asyncio.run(story())


def test_the_requests_of_one_read_are_made_at_once() -> None:
    async def story() -> None:
        sandbox = ShipBobSandbox(seeded(products=500))
        async with serving(app_of(sandbox)) as url, shipbob(url) as connector, httpx.AsyncClient(base_url=url) as controls:
            skus = [product.sku for product in sandbox.merchant.items.values()]
            await connector.read_stock(skus)
            assert await together(connector, skus, controls, requests=2) == {LEVELS}
            assert await together(connector, [Sku("new-1"), Sku("new-2"), Sku("new-3")], controls, requests=3) == {INVENTORY}

    asyncio.run(story())


def test_a_center_describes_itself() -> None:
    async def story() -> None:
        async with centers() as (connector, _, _):
            (cicero, *others) = await connector.locations()
            assert (cicero.id, cicero.name, cicero.time_zone, cicero.active) == (CICERO, "Cicero (IL)", "America/Chicago", True)
            assert cicero.methods == {Method.SHIP}
            assert cicero.address is not None
            assert (cicero.address.postal_code, cicero.address.country_code) == ("60804", "US")
            assert len(others) == 2
            assert (await connector.health()).ok

    asyncio.run(story())


def test_stock_is_committed_with_the_order_and_gone_with_the_parcel() -> None:
    async def story() -> None:
        async with centers() as (connector, sandbox, _):

            async def cicero() -> tuple[int | None, int | None, int | None]:
                batch = await connector.read_stock([Sku("SKU-0008")])
                found = next(each for each in batch.levels if each.location == CICERO)
                return found.on_hand, found.committed, found.available

            assert await cicero() == (75, 0, 75)
            taken = await connector.request(request_of())
            assert (taken.state, taken.key) == (RemoteState.ACCEPTED, "key-1")
            assert await cicero() == (75, 2, 73)
            sandbox.ship(taken.ref, carrier="UPS", tracking_number="1Z")
            assert await cicero() == (73, 0, 73)
            (shipped,) = await connector.status([taken.ref])
            assert (shipped.state, shipped.packages[0].tracking_number) == (RemoteState.SHIPPED, "1Z")
            assert shipped.packages[0].lines == ()
            assert await connector.cancel(taken.ref) is CancelOutcome.TOO_LATE

    asyncio.run(story())


def test_a_reference_that_is_taken_is_looked_up_and_not_made_twice() -> None:
    async def story() -> None:
        async with centers() as (connector, sandbox, _):
            first, second = [await connector.request(request_of()) for _ in range(2)]
            assert first == second
            assert len(sandbox.orders()) == 1

    asyncio.run(story())


def test_an_answer_that_is_lost_is_not_asked_for_again_but_found() -> None:
    async def story() -> None:
        async with centers() as (connector, sandbox, controls):
            await controls.post("/_sandbox/faults", json={"kind": "LOST_ANSWER", "match": ORDER, "times": 1})
            with pytest.raises(OutcomeUnknown):
                await connector.request(request_of())
            found = await connector.find(RequestKey("key-1"))
            assert found is not None
            assert [each.ref for each in sandbox.orders()] == [found.ref]
            assert await connector.find(RequestKey("key")) is None

    asyncio.run(story())


def test_an_order_that_a_center_cannot_fill_is_rejected_and_leaves_nothing_behind() -> None:
    async def story() -> None:
        async with centers() as (connector, sandbox, _):
            turned_down = await connector.request(request_of(count_units=76))
            assert turned_down.state is RemoteState.REJECTED
            assert turned_down.short == (RequestLine(sku=Sku("SKU-0008"), units=76),)
            assert [each.state for each in sandbox.orders()] == ["Cancelled"]
            batch = await connector.read_stock([Sku("SKU-0008")])
            assert {each.available for each in batch.levels} == {75}

    asyncio.run(story())


def test_canceling_gives_the_units_back_and_may_be_repeated() -> None:
    async def story() -> None:
        async with centers() as (connector, _, _):
            taken = await connector.request(request_of())
            assert [await connector.cancel(taken.ref) for _ in range(2)] == [CancelOutcome.CANCELED] * 2
            batch = await connector.read_stock([Sku("SKU-0008")])
            assert {each.available for each in batch.levels} == {75}
            for unknown in ("nonsense", "4711"):
                with pytest.raises(NotFound):
                    await connector.cancel(RemoteRef(unknown))

    asyncio.run(story())


def test_an_order_that_shipbob_cancels_says_why() -> None:
    async def story() -> None:
        async with centers() as (connector, sandbox, _):
            taken = await connector.request(request_of())
            sandbox.reject(taken.ref, "address is undeliverable")
            (found,) = await connector.status([taken.ref])
            assert (found.state, found.reason) == (RemoteState.CANCELED, "address is undeliverable")

    asyncio.run(story())


def test_nobody_collects_from_a_fulfillment_center() -> None:
    async def story() -> None:
        async with centers() as (connector, sandbox, _):
            with pytest.raises(Unsupported):
                await connector.request(request_of(method=Method.PICKUP))
            with pytest.raises(Rejected):
                await connector.request(request_of(location="cicero"))
            assert sandbox.orders() == []

    asyncio.run(story())


@pytest.mark.parametrize("missing", ["type", "shipbob_channel_id", "reference_id"])
def test_the_sandbox_refuses_an_order_without_what_shipbob_requires(missing: str) -> None:
    async def story() -> None:
        async with centers() as (_, sandbox, controls):
            body = {
                "type": "DTC",
                "reference_id": "key-1",
                "shipping_method": "Standard",
                "recipient": {"name": "Ada", "address": {"address1": "1 Main St", "city": "Chicago", "country": "US"}},
                "products": [{"reference_id": "SKU-0008", "name": "Thing", "quantity": 1}],
            }
            headers = {"authorization": "Bearer shipbob-sandbox-token", "shipbob_channel_id": "1001"}
            assert (await controls.post(ORDER, json={**body, "reference_id": "whole"}, headers=headers)).status_code == 201
            body.pop(missing, None)
            headers.pop(missing, None)
            answer = await controls.post(ORDER, json=body, headers=headers)
            assert (answer.status_code, len(sandbox.orders())) == (422, 1)
            assert all(isinstance(messages, list) for messages in answer.json().values())

    asyncio.run(story())


def test_a_wrong_token_is_refused_and_a_dead_source_is_an_answer() -> None:
    async def story() -> None:
        async with serving(app_of(ShipBobSandbox(seeded(products=12)))) as url, shipbob(url, token=Secret("stale")) as connector:
            with pytest.raises(AuthFailed):
                await connector.read_stock([Sku("SKU-0001")])
            health = await connector.health()
            assert (health.ok, "stale" in health.detail) == (False, False)

    asyncio.run(story())


@pytest.mark.parametrize("kind", ["HTML", "TRUNCATED", "NULL", "EMPTY_OBJECT", "OVERSIZED", "HANG", "STATUS", "THROTTLED"])
def test_every_way_to_fail_ends_in_one_of_the_closed_errors(kind: str) -> None:
    async def story() -> None:
        sandbox = ShipBobSandbox(seeded(products=12))
        async with (
            serving(app_of(sandbox)) as url,
            shipbob(url, attempt_timeout_s=2.0 if kind == "OVERSIZED" else 0.2, total_timeout_s=2.0) as connector,
            httpx.AsyncClient(base_url=url) as controls,
        ):
            await connector.skus(None)
            await controls.post("/_sandbox/faults", json={"kind": kind, "match": "/inventory-level/", "retry_after_s": 60})
            with pytest.raises(SourceError):
                await connector.read_stock([Sku("SKU-0001")])

    asyncio.run(story())


@pytest.mark.parametrize("topic", ["order.shipped", "order.shipment.on_hold"])
def test_the_sandbox_tells_of_moved_orders(topic: str) -> None:
    async def story() -> None:
        async with centers() as (connector, sandbox, _):
            taken = await connector.request(request_of())
            (moved,) = connector.receive(sandbox.order_webhook(taken.ref, topic=topic))
            assert isinstance(moved, FulfillmentChanged)
            assert moved.ref == taken.ref

    asyncio.run(story())


def test_shipbob_can_do_everything_but_hold_and_tell_what_moved() -> None:
    async def story() -> None:
        async with shipbob() as connector:
            assert capabilities_of(connector) == frozenset(Capability) - {Capability.FEED, Capability.HOLD}

    asyncio.run(story())
