"""Notifications that Odoo cannot sign."""

import asyncio
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import httpx
import msgspec
import pytest
import respx

from connectors.contract import (
    BadSignature,
    ContractBroken,
    FulfillmentChanged,
    RawRequest,
    RemoteRef,
    Secret,
    Sku,
    StockChanged,
)
from connectors.odoo import Odoo, OdooSettings
from connectors.registry import Tools

NOW = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
A = Sku("A")
TRANSPORT = httpx.AsyncHTTPTransport()  # respx answers in its place


def listening(token: str | None = "let-me-in") -> Odoo:
    settings = OdooSettings(
        url="http://odoo.example",
        database="d",
        login="gateway",
        api_key=Secret("hush"),
        protocol="json2",
        webhook_token=Secret(token) if token else None,
    )
    return Odoo(settings, Tools(now=lambda: NOW, monotonic=monotonic, transport=TRANSPORT))


def webhook(body: dict[str, Any] | bytes, token: str = "let-me-in") -> RawRequest:
    return RawRequest(headers={}, body=body if isinstance(body, bytes) else msgspec.json.encode(body), query={"token": token})


LISTENING = listening()


def test_a_delivery_that_moved_is_named_and_each_notification_counts() -> None:
    (event,) = LISTENING.receive(webhook({"_model": "stock.picking", "_id": 70, "_action": "Send Webhook Notification(#9)"}))
    assert event == FulfillmentChanged(event_id="stock.picking/70/2026-11-22T13:00:00+00:00", ref=RemoteRef("70"))


def test_a_quant_that_moved_names_its_sku_once_the_product_is_known() -> None:
    body = webhook({"_model": "stock.quant", "_id": 1, "product_id": 11, "quantity": 3.0})

    async def told() -> None:
        odoo = listening()
        assert odoo.receive(body) == ()
        with respx.mock() as router:
            router.post(url__regex=".*/stock.warehouse/search_read").respond(json=[])
            router.post(url__regex=".*/res..*/search_read").respond(json=[])
            product = {"id": 11, "default_code": "A", "name": "Apple"}
            router.post(url__regex=".*/product.product/search_read").mock(return_value=httpx.Response(200, json=[product]))
            await odoo.skus(None)
        (event,) = odoo.receive(body)
        assert isinstance(event, StockChanged)
        assert event.skus == {A}
        await odoo.aclose()

    asyncio.run(told())


def test_a_product_names_its_own_sku_and_other_records_say_nothing() -> None:
    (event,) = LISTENING.receive(webhook({"_model": "product.product", "_id": 11, "default_code": "A"}))
    assert isinstance(event, StockChanged)
    assert event.skus == {A}
    assert LISTENING.receive(webhook({"_model": "product.product", "_id": 11, "default_code": False})) == ()
    assert LISTENING.receive(webhook({"_model": "res.partner", "_id": 11})) == ()


@pytest.mark.parametrize("token", ["", "let-me-in ", "LET-ME-IN", "wröng"])
def test_a_webhook_with_another_token_is_not_read(token: str) -> None:
    with pytest.raises(BadSignature):
        LISTENING.receive(webhook(b"not even JSON", token))


def test_without_a_token_of_ours_every_webhook_is_refused() -> None:
    with pytest.raises(BadSignature):
        listening(None).receive(webhook({"_model": "stock.picking", "_id": 70}, token=""))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"_model": 1, "_id": 2}', b'{"_model": "stock.picking"}'])
def test_a_webhook_that_cannot_be_read_breaks_the_contract(body: bytes) -> None:
    with pytest.raises(ContractBroken):
        LISTENING.receive(webhook(body))
