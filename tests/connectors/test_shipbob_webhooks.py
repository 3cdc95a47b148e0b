"""Which webhooks are believed to be ShipBob's, and what they say."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from connectors.contract import (
    BadSignature,
    ContractBroken,
    FulfillmentChanged,
    RawRequest,
    RemoteRef,
    Secret,
)
from connectors.registry import Tools
from connectors.sandbox.shipbob.sandbox import WEBHOOK_SECRET
from connectors.shipbob import ShipBob, ShipBobSettings

URL = "https://shipbob.test"

TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic)


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


def signed(body: bytes, *, topic: str = "order.shipped", age: timedelta = timedelta(0), secret: str = WEBHOOK_SECRET) -> RawRequest:
    sent_at = datetime.now(UTC) - age
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", sent_at, body.decode()),
        "x-webhook-topic": topic,
    }
    return RawRequest(headers=headers, body=body)


def receive(request: RawRequest, **settings: Any) -> object:
    async def once() -> object:
        async with shipbob(**settings) as connector:
            return connector.receive(request)

    return asyncio.run(once())


def without(request: RawRequest, **changed: str) -> RawRequest:
    return RawRequest(
        headers={**request.headers, **{name.replace("_", "-"): text for name, text in changed.items()}}, body=request.body
    )


ORDER_BODY, SHIPMENT_BODY = b'{"id": 7}', b'{"id": 1000007, "order_id": 7}'


@pytest.mark.parametrize(
    ("body", "topic"), [(ORDER_BODY, "order.shipped"), (SHIPMENT_BODY, "order.shipment.delivered")], ids=["order", "shipment"]
)
def test_what_shipbob_signed_names_the_order(body: bytes, topic: str) -> None:
    assert receive(signed(body, topic=topic)) == (FulfillmentChanged(event_id="msg_1", ref=RemoteRef("7")),)


def test_what_is_not_about_an_order_says_nothing() -> None:
    assert receive(signed(ORDER_BODY, topic="return.created")) == ()


@pytest.mark.parametrize(
    "forged",
    [
        signed(ORDER_BODY, age=timedelta(days=1)),
        signed(ORDER_BODY, age=timedelta(days=-1)),
        signed(ORDER_BODY, secret="whsec_YW5vdGhlciBzZWNyZXQ="),
        RawRequest(headers=signed(ORDER_BODY).headers, body=ORDER_BODY + b" "),
        RawRequest(headers=signed(ORDER_BODY).headers, body=b"\xff"),
        RawRequest(headers={}, body=ORDER_BODY),
        without(signed(ORDER_BODY), webhook_signature="no comma"),
        without(signed(ORDER_BODY), webhook_signature="v1,not base64"),
        without(signed(ORDER_BODY), webhook_signature="v1,ümläut"),
        without(signed(ORDER_BODY), webhook_timestamp="yesterday"),
        without(signed(ORDER_BODY), webhook_timestamp="1e999"),
    ],
)
def test_what_shipbob_did_not_sign_just_now_is_refused(forged: RawRequest) -> None:
    with pytest.raises(BadSignature):
        receive(forged)


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(BadSignature):
        receive(signed(ORDER_BODY), webhook_secret=None)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"id": "seven"}'])
def test_a_signed_webhook_that_cannot_be_read_breaks_the_contract(body: bytes) -> None:
    with pytest.raises(ContractBroken):
        receive(signed(body))
