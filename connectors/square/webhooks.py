"""Square's webhooks: who really sent one, and what it says."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Raw, Struct

from connectors.contract import (
    BadSignature,
    ContractBroken,
    FulfillmentChanged,
    RawRequest,
    RemoteRef,
    Secret,
    Sku,
    SourceEvent,
    StockChanged,
)

SIGNATURE_HEADER: Final = "x-square-hmacsha256-signature"


def signature(key: str, *, url: str, body: bytes) -> str:
    """What Square puts in the signature header: base64(HMAC-SHA256(key, notification URL + raw body))."""
    return base64.b64encode(hmac.new(key.encode(), url.encode() + body, hashlib.sha256).digest()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """What one subscription signs with. The URL is configured: rebuilt from a request it would be the sender's word."""

    key: Secret | None
    url: str | None

    def verify(self, request: RawRequest) -> None:
        """Let through what Square signed.

        Raises:
            BadSignature: It did not, or there is no key to tell by.
        """
        if self.key is None or self.url is None:
            raise BadSignature("no signature key and notification URL are configured")
        given = request.headers.get(SIGNATURE_HEADER, "")
        # Bytes: compare_digest refuses text that is not ASCII, and the header is anybody's.
        if not hmac.compare_digest(given.encode(), signature(self.key, url=self.url, body=request.body).encode()):
            raise BadSignature("the signature is not Square's for this URL and body")


class _Envelope(Struct):
    type: str
    event_id: str
    data: Raw


class _Count(Struct):
    catalog_object_id: str | None = None


class _Counts(Struct):
    inventory_counts: tuple[_Count, ...]


class _StockData(Struct):
    object: _Counts


class _Update(Struct):
    order_id: str


class _Updates(Struct):
    order_fulfillment_updated: _Update


class _OrderData(Struct):
    object: _Updates


def parse_event(body: bytes, *, skus_of: Callable[[Iterable[str]], frozenset[Sku]]) -> tuple[SourceEvent, ...]:
    """What a webhook tells us; empty for types we do not follow and for variations that nobody has asked about.

    Raises:
        ContractBroken: It cannot be read.
    """
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
        if envelope.type == "inventory.count.updated":
            counts = msgspec.json.decode(envelope.data, type=_StockData).object.inventory_counts
            skus = skus_of(each.catalog_object_id for each in counts if each.catalog_object_id)
            return (StockChanged(event_id=envelope.event_id, skus=skus),) if skus else ()
        if envelope.type == "order.fulfillment.updated":
            updated = msgspec.json.decode(envelope.data, type=_OrderData).object.order_fulfillment_updated
            return (FulfillmentChanged(event_id=envelope.event_id, ref=RemoteRef(updated.order_id)),)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractBroken(f"a signed webhook cannot be read: {error}") from error
    return ()
