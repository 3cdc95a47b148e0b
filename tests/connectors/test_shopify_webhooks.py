"""Which webhooks are believed to be Shopify's, and what they say."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from connectors.contract import (
    Address,
    BadSignature,
    ContractBroken,
    FulfillmentChanged,
    FulfillmentRequest,
    Method,
    RawRequest,
    RemoteLocationId,
    RemoteRef,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
    StockChanged,
)
from connectors.registry import Tools
from connectors.sandbox.controls import app_of
from connectors.sandbox.network import seeded
from connectors.sandbox.servers import serving
from connectors.sandbox.shopify import ShopifySandbox
from connectors.shopify import Shopify, ShopifySettings

TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic)
NETWORK = seeded(products=40, systems=["shopify"])
SKU = next(sku for sku, units in NETWORK.carried_at("shop-austin").items() if units >= 4)
BODY = json.dumps({"id": 1, "order_id": 820_982_911, "status": "success"}).encode()


def settings(url: str = "https://shop.test", *, secret: Secret | None = Secret("shopify-sandbox-secret")) -> ShopifySettings:  # noqa: B008  immutable
    return ShopifySettings(url=url, access_token=Secret("shopify-sandbox-token"), client_secret=secret)


def signed(
    body: bytes, *, topic: str = "fulfillments/create", key: str = "shopify-sandbox-secret", event_id: str = "e1"
) -> RawRequest:
    digest = hmac.new(key.encode(), body, hashlib.sha256).digest()
    headers = {
        "x-shopify-topic": topic,
        "x-shopify-webhook-id": event_id,
        "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
    }
    return RawRequest(headers={name: value for name, value in headers.items() if value}, body=body)


def receive(request: RawRequest, *, secret: Secret | None = Secret("shopify-sandbox-secret")) -> object:  # noqa: B008  immutable
    async def once() -> object:
        connector = Shopify(settings(secret=secret), TOOLS)
        try:
            return connector.receive(request)
        finally:
            await connector.aclose()

    return asyncio.run(once())


def play(story: Callable[[Shopify, ShopifySandbox], Awaitable[None]]) -> None:
    async def told() -> None:
        sandbox = ShopifySandbox(NETWORK)
        async with serving(app_of(sandbox)) as url:
            connector = Shopify(settings(url), TOOLS)
            await story(connector, sandbox)
            await connector.aclose()

    asyncio.run(told())


def test_what_shopify_signed_is_read() -> None:
    assert receive(signed(BODY)) == (FulfillmentChanged(event_id="e1", ref=RemoteRef("820982911")),)
    order = signed(b'{"id": 450789469}', topic="orders/cancelled")
    assert receive(order) == (FulfillmentChanged(event_id="e1", ref=RemoteRef("450789469")),)
    item = signed(b'{"id": 5, "sku": "MUG"}', topic="inventory_items/create")
    assert receive(item) == (StockChanged(event_id="e1", skus=frozenset({Sku("MUG")})),)


@pytest.mark.parametrize("topic", ["products/update", "app/uninstalled", ""])
def test_what_we_do_not_follow_says_nothing(topic: str) -> None:
    assert receive(signed(b"{}", topic=topic)) == ()


@pytest.mark.parametrize(
    "forged",
    [
        signed(BODY, key="another"),
        RawRequest(headers=signed(BODY).headers, body=BODY + b" "),
        RawRequest(headers={"x-shopify-topic": "fulfillments/create"}, body=BODY),
        RawRequest(headers={**signed(BODY).headers, "x-shopify-hmac-sha256": "ümläut"}, body=BODY),
    ],
    ids=["another key", "another body", "no signature", "not ASCII"],
)
def test_what_shopify_did_not_sign_is_refused(forged: RawRequest) -> None:
    with pytest.raises(BadSignature):
        receive(forged)


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(BadSignature):
        receive(signed(BODY), secret=None)


@pytest.mark.parametrize(
    "request_",
    [
        signed(b"<html>"),
        signed(b"{}"),
        signed(b'{"order_id": "x"}'),
        signed(b"\xff"),
        signed(b"[" * 10_000),
        signed(b'{"inventory_item_id": null}', topic="inventory_levels/update"),
        signed(BODY, event_id=""),
    ],
    ids=["HTML", "nothing", "text for a number", "not UTF-8", "nested without end", "null", "no id to tell repeats by"],
)
def test_a_signed_webhook_that_cannot_be_read_breaks_the_contract(request_: RawRequest) -> None:
    with pytest.raises(ContractBroken):
        receive(request_)


def test_moved_stock_is_told_of_items_that_somebody_has_asked_about() -> None:
    async def story(connector: Shopify, sandbox: ShopifySandbox) -> None:
        assert connector.receive(sandbox.stock_webhook("shop-austin", SKU)) == ()  # an id that was never seen
        await connector.read_stock([SKU])
        (level,) = connector.receive(sandbox.stock_webhook("shop-austin", SKU))
        (again,) = connector.receive(sandbox.stock_webhook("shop-austin", SKU))
        assert isinstance(level, StockChanged)
        assert level.skus == {SKU}
        assert level.event_id != again.event_id

    play(story)


def test_work_that_moved_is_told_by_the_order_it_belongs_to() -> None:
    async def story(connector: Shopify, sandbox: ShopifySandbox) -> None:
        home = Address(lines=("1 Main St",), city="Austin", region="TX", postal_code="78704", country_code="US", name="Ada Moore")
        request = FulfillmentRequest(
            key=RequestKey("key-1"),
            location=RemoteLocationId("7000001"),
            lines=(RequestLine(sku=SKU, units=1),),
            recipient=home,
            method=Method.SHIP,
            order_number="1001",
        )
        ref = (await connector.request(request)).ref
        (moved,) = connector.receive(sandbox.work_webhook(ref))
        assert isinstance(moved, FulfillmentChanged)
        assert moved.ref == ref
        sandbox.ship(ref, carrier="UPS", tracking_number="1Z")
        (left,) = connector.receive(sandbox.shipment_webhook(ref))
        assert isinstance(left, FulfillmentChanged)
        assert left.ref == ref
        stranger = Shopify(settings(), TOOLS)
        assert stranger.receive(sandbox.work_webhook(ref)) == ()  # after a restart the next poll finds it
        await stranger.aclose()

    play(story)
