"""What sources push: believed when it is signed, and followed by asking."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from standardwebhooks import Webhook

from connectors.contract import Secret, Sku
from connectors.sandbox.shipbob.sandbox import WEBHOOK_SECRET
from connectors.sandbox.square.shop import variation_of
from gateway.settings import Settings
from tests.harness import Graph, line, place, run, world

HOOK = "https://gateway.example/webhooks/square"
SQUARE_KEY = "square-signs-with-this"
STOCK = "query ($sku: String!) { inventory(skus: [$sku]) { available levels { freshness } } }"
ORDER = "query ($id: ID!) { order(by: {id: $id}) { status } }"
ACCEPTED = "query ($id: ID!) { order(by: {id: $id}) { fulfillmentOrders { requestStatus } } }"

CONNECTIONS: Mapping[str, Mapping[str, Any]] = {
    "odoo": {"webhook_token": Secret("odoo-knows-this")},
    "square": {"webhook_signature_key": Secret(SQUARE_KEY), "webhook_url": HOOK},
    "shipbob": {"webhook_secret": Secret(WEBHOOK_SECRET)},
}


def pushed_only(settings: Settings) -> Settings:
    """Numbers that stay fresh for ever and statuses that are never polled: what is learnt is learnt from a webhook."""
    sources = tuple(
        replace(each, connection=replace(each.connection, fresh_for_s=3_600.0, **CONNECTIONS[each.name]))
        for each in settings.sources
    )
    return replace(settings, sources=sources, work=replace(settings.work, status_poll_s=3_600.0))


def test_a_webhook_makes_stock_and_status_fresh_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12, tune=pushed_only) as (graph, sandboxes):
            for sku, units in (("SKU-0010", 5_000), ("SKU-0009", 35)):
                assert await available(graph, sku) == units
            await sandboxes["odoo"].count("wh-dallas", "SKU-0010", 7)
            await sandboxes["square"].count("store-denver", "SKU-0009", 0)
            assert [await available(graph, sku) for sku in ("SKU-0010", "SKU-0009")] == [5_000, 35]

            assert (await odoo(graph, "odoo-knows-this")).status_code == 204
            assert (await square(graph, SQUARE_KEY)).status_code == 204
            await graph.until(STOCK, lambda data: data["inventory"][0]["available"] == 7, sku="SKU-0010")
            await graph.until(STOCK, lambda data: data["inventory"][0]["available"] == 28, sku="SKU-0009")

            order = (await place(graph, line("SKU-0008", 1), key="one"))["order"]["id"]
            await graph.until(ACCEPTED, lambda data: data["order"]["fulfillmentOrders"][0]["requestStatus"] == "ACCEPTED", id=order)
            (arrived,) = await sandboxes["shipbob"].orders()
            await sandboxes["shipbob"].act(arrived["ref"], "ship", carrier="UPS", tracking_number="1Z")
            assert (await shipbob(graph, WEBHOOK_SECRET, int(arrived["ref"]))).status_code == 204
            await graph.until(ORDER, lambda data: data["order"]["status"] == "FULFILLED", id=order)

    run(story)


def test_what_a_source_did_not_sign_changes_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12, tune=pushed_only) as (graph, sandboxes):
            assert await available(graph, "SKU-0010") == 5_000
            await sandboxes["odoo"].count("wh-dallas", "SKU-0010", 7)
            for forged in (
                await odoo(graph, "guessed"),
                await odoo(graph, ""),
                await square(graph, "another key"),
                await shipbob(graph, "whsec_" + base64.b64encode(b"another secret").decode(), 1),
                await graph.client.post("/webhooks/square", content=b"{}"),
                await graph.client.post(
                    "/webhooks/shipbob", content=b"\xff", headers={"webhook-id": "x", "webhook-timestamp": "y"}
                ),
            ):
                assert forged.status_code == 401
                assert forged.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            assert await available(graph, "SKU-0010") == 5_000

    run(story)


def test_what_cannot_be_read_or_is_for_nobody_is_refused_as_such(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12, tune=pushed_only) as (graph, _):
            for body in (b"", b"[]", b"\xff", b"[" * 50_000, b'{"_model": 1}'):
                answer = await graph.client.post("/webhooks/odoo", params={"token": "odoo-knows-this"}, content=body)
                assert answer.status_code == 400
            assert (await graph.client.post("/webhooks/nobody", content=b"{}")).status_code == 404
            assert (await graph.client.get("/webhooks/odoo")).status_code == 405

    run(story)


async def available(graph: Graph, sku: str) -> int:
    """Units that the sources would let go, as far as the gateway knows."""
    units: int = (await graph(STOCK, sku=sku))["inventory"][0]["available"]
    return units


async def odoo(graph: Graph, token: str) -> httpx.Response:
    body = {"_model": "product.product", "_id": 1, "default_code": "SKU-0010"}
    return await graph.client.post("/webhooks/odoo", params={"token": token}, json=body)


async def square(graph: Graph, key: str) -> httpx.Response:
    counts = [{"catalog_object_id": variation_of(Sku("SKU-0009"))}]
    event = {"type": "inventory.count.updated", "event_id": "e1", "data": {"object": {"inventory_counts": counts}}}
    body = json.dumps(event).encode()
    digest = base64.b64encode(hmac.new(key.encode(), HOOK.encode() + body, hashlib.sha256).digest()).decode()
    return await graph.client.post("/webhooks/square", content=body, headers={"x-square-hmacsha256-signature": digest})


async def shipbob(graph: Graph, secret: str, order: int) -> httpx.Response:
    body, sent_at = json.dumps({"id": order}), datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", sent_at, body),
        "x-webhook-topic": "order.shipped",
    }
    return await graph.client.post("/webhooks/shipbob", content=body, headers=headers)
