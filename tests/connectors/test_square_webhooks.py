"""Which webhooks are believed to be Square's, and what they say."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.contract import (
    BadSignature,
    ContractBroken,
    FulfillmentChanged,
    RawRequest,
    RemoteRef,
    Secret,
)
from connectors.registry import Tools
from connectors.square import Square, SquareSettings

URL = "https://square.test"
HOOK = "https://gateway.example/hooks/square"

TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic)


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


def signed(body: bytes, *, url: str = HOOK, key: str = "square-sandbox-signature") -> RawRequest:
    digest = hmac.new(key.encode(), url.encode() + body, hashlib.sha256).digest()
    return RawRequest(headers={"x-square-hmacsha256-signature": base64.b64encode(digest).decode()}, body=body)


def receive(request: RawRequest, **settings: Any) -> object:
    async def once() -> object:
        async with square(**settings) as connector:
            return connector.receive(request)

    return asyncio.run(once())


EVENT = json.dumps(
    {
        "type": "order.fulfillment.updated",
        "event_id": "e1",
        "data": {"type": "order", "id": "O1", "object": {"order_fulfillment_updated": {"order_id": "O1"}}},
    }
).encode()


def test_what_square_signed_is_read() -> None:
    assert receive(signed(EVENT)) == (FulfillmentChanged(event_id="e1", ref=RemoteRef("O1")),)
    assert receive(signed(b'{"type": "payment.created", "event_id": "e2", "data": {}}')) == ()


@pytest.mark.parametrize(
    "forged",
    [
        signed(EVENT, url=HOOK + "/"),
        signed(EVENT, key="another"),
        RawRequest(headers=signed(EVENT).headers, body=EVENT + b" "),
        RawRequest(headers={}, body=EVENT),
        RawRequest(headers={"x-square-hmacsha256-signature": "ümläut"}, body=EVENT),
    ],
    ids=["trailing slash", "another key", "another body", "no signature", "not ASCII"],
)
def test_what_square_did_not_sign_for_this_url_is_refused(forged: RawRequest) -> None:
    with pytest.raises(BadSignature):
        receive(forged)


def test_without_a_key_or_a_url_nothing_is_believed() -> None:
    for missing in ("webhook_signature_key", "webhook_url"):
        with pytest.raises(BadSignature):
            receive(signed(EVENT), **{missing: None})


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"type": "inventory.count.updated", "event_id": "e", "data": {}}', b"\xff"])
def test_a_signed_webhook_that_cannot_be_read_breaks_the_contract(body: bytes) -> None:
    with pytest.raises(ContractBroken):
        receive(signed(body))
