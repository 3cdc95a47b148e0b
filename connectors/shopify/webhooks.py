"""Shopify's webhooks: who really sent one, and what it says."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from msgspec import Struct

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
from connectors.shopify.wire import gid

SIGNATURE_HEADER: Final = "x-shopify-hmac-sha256"
TOPIC_HEADER: Final = "x-shopify-topic"
EVENT_HEADER: Final = "x-shopify-webhook-id"


def signature(secret: str, body: bytes) -> str:
    """What Shopify puts in the signature header: base64(HMAC-SHA256(client secret, raw body))."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def verify(request: RawRequest, *, secret: Secret | None) -> None:
    """Let through what Shopify signed.

    Raises:
        BadSignature: It did not, or there is no secret to tell by.
    """
    if secret is None:
        raise BadSignature("no client_secret is configured")
    given = request.headers.get(SIGNATURE_HEADER, "")
    # Bytes: compare_digest refuses text that is not ASCII, and the header is anybody's.
    if not hmac.compare_digest(given.encode(), signature(secret, request.body).encode()):
        raise BadSignature("the signature is not Shopify's for this body")


class _Level(Struct):
    """``inventory_levels/*``."""

    inventory_item_id: int


class _Item(Struct):
    """``inventory_items/*``; of a deleted one only the id is left."""

    id: int
    sku: str | None = None


class _Shipment(Struct):
    """``fulfillments/*``."""

    order_id: int


class _Order(Struct):
    """``orders/*``."""

    id: int


class _Work(Struct):
    """A fulfillment order by its global id."""

    id: str


class _Works(Struct):
    """``fulfillment_orders/*``: one, or several by what became of them."""

    fulfillment_order: _Work | None = None
    original_fulfillment_order: _Work | None = None
    moved_fulfillment_order: _Work | None = None
    submitted_fulfillment_order: _Work | None = None
    replacement_fulfillment_order: _Work | None = None


def parse_event(
    request: RawRequest,
    *,
    skus_of: Callable[[Iterable[str]], frozenset[Sku]],
    orders_of: Callable[[Iterable[str]], frozenset[RemoteRef]],
) -> tuple[SourceEvent, ...]:
    """What a webhook tells us; empty for topics that we do not follow, and for things that we have never come across.

    Raises:
        ContractBroken: It cannot be read.
    """
    topic = request.headers.get(TOPIC_HEADER, "")
    event_id = request.headers.get(EVENT_HEADER)
    if not event_id:
        raise ContractBroken(f"a signed webhook without {EVENT_HEADER}")
    try:
        match topic.partition("/")[0]:
            case "inventory_levels":
                level = msgspec.json.decode(request.body, type=_Level)
                return _stock(event_id, skus_of([gid("InventoryItem", str(level.inventory_item_id))]))
            case "inventory_items":
                item = msgspec.json.decode(request.body, type=_Item)
                named = frozenset({Sku(item.sku)}) if item.sku else frozenset[Sku]()
                return _stock(event_id, named | skus_of([gid("InventoryItem", str(item.id))]))
            case "fulfillments":
                ref = RemoteRef(str(msgspec.json.decode(request.body, type=_Shipment).order_id))
                return (FulfillmentChanged(event_id=event_id, ref=ref),)
            case "orders":
                ref = RemoteRef(str(msgspec.json.decode(request.body, type=_Order).id))
                return (FulfillmentChanged(event_id=event_id, ref=ref),)
            case "fulfillment_orders":
                works = msgspec.json.decode(request.body, type=_Works)
                return tuple(FulfillmentChanged(event_id=event_id, ref=ref) for ref in orders_of(_ids(works)))
            case _:
                return ()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractBroken(f"a signed webhook cannot be read: {error}") from error


def _stock(event_id: str, skus: frozenset[Sku]) -> tuple[SourceEvent, ...]:
    return (StockChanged(event_id=event_id, skus=skus),) if skus else ()


def _ids(works: _Works) -> list[str]:
    named = (getattr(works, field) for field in works.__struct_fields__)
    return [work.id for work in named if work is not None]
