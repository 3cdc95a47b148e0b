"""The Shopify connector: one shop, its locations and points of sale."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from cachetools import TTLCache

from connectors.contract import (
    CancelOutcome,
    ConnectorInfo,
    Cursor,
    FulfillmentRequest,
    Health,
    Idempotency,
    RawRequest,
    RemoteFulfillment,
    RemoteLocation,
    RemoteRef,
    RequestKey,
    Sku,
    SkuPage,
    SourceError,
    SourceEvent,
    SourceKind,
    StockBatch,
    StockChanges,
    StockDrop,
    Traffic,
)
from connectors.registry import Tools
from connectors.shopify.catalog import Catalog, Items
from connectors.shopify.documents import VERSIONS
from connectors.shopify.feed import Feed
from connectors.shopify.fulfillments import Fulfillments
from connectors.shopify.locations import read_locations
from connectors.shopify.rows import VersionRow
from connectors.shopify.settings import ShopifySettings
from connectors.shopify.stock import Stocks, parse_levels, read_stocks, stale
from connectors.shopify.subscriptions import Subscriptions
from connectors.shopify.webhooks import parse_event, verify
from connectors.shopify.wire import NODES_MAX, Wire, gid

_ALL: Final = "all"


class Shopify:
    """One Shopify shop: stock at all its locations, and orders for them."""

    def __init__(self, settings: ShopifySettings, tools: Tools) -> None:
        self.info = ConnectorInfo(
            kind=SourceKind.STORE_POS,
            connector="shopify",
            stock_drop=StockDrop.ON_ACCEPT,
            visibility_delay_s=settings.visibility_delay_s,
            idempotency=Idempotency.LOOKUP,
            batch_skus_max=NODES_MAX,
            fresh_for_s=settings.fresh_for_s,
            concurrency_max=settings.concurrency_max,
        )
        self._settings = settings
        self._monotonic = tools.monotonic
        self._wire = Wire(settings, tools)
        self._catalog = Catalog(self._wire, settings=settings, monotonic=tools.monotonic)
        self._places: TTLCache[str, tuple[RemoteLocation, ...]] = TTLCache(1, settings.known_for_s, timer=tools.monotonic)
        self._feed = Feed(self._wire, self._catalog, overlap=timedelta(seconds=settings.feed_overlap_s))
        self._subscriptions = Subscriptions(self._wire, settings=settings, monotonic=tools.monotonic)
        self._fulfillments = Fulfillments(self._wire, self._catalog, paid=settings.financial_status)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._wire.aclose()

    def traffic(self) -> Mapping[str, Traffic]:
        """How asking has been going; the allowance is in points of query cost."""
        return self._wire.traffic()

    async def health(self) -> Health:
        """Whether Shopify answers, takes our token, still knows the version of its API that we ask for, and sends our webhooks."""
        asked_at = self._monotonic()
        try:
            versions = (await self._wire.ask(VERSIONS)).public_api_versions
        except SourceError as error:
            return Health(ok=False, detail=str(error))
        latency_ms = 1000 * (self._monotonic() - asked_at)
        warning = version_warning(self._settings.version, answered=self._wire.version, offered=versions)
        return Health(
            ok=True,
            latency_ms=latency_ms,
            remote_version=self._wire.version,
            credential_expires_at=self._wire.credential_expires_at,
            detail="; ".join(filter(None, (warning, await self._subscriptions.report()))),
        )

    async def locations(self) -> tuple[RemoteLocation, ...]:
        """Every location of the shop."""
        self._places[_ALL] = places = await read_locations(self._wire)
        return places

    async def _known_places(self) -> tuple[RemoteLocation, ...]:
        return self._places.get(_ALL) or await self.locations()

    # ------------------------------------------------------------------------------------------ stock
    async def skus(self, after: Cursor | None) -> SkuPage:
        """The next SKUs of the shop. Shopify lists no more than 25 000 items; the others are read all the same when asked for."""
        return await self._catalog.page(after)

    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        """One read of levels for all SKUs; look-ups before it only where something is not remembered, or not so any more."""
        asked = frozenset(skus)
        items = await self._catalog.items(skus)
        stocks = await self._stocks(items)
        if moved_on := stale(items, stocks):
            self._catalog.forget(moved_on)
            items = {**{sku: known for sku, known in items.items() if sku not in moved_on}, **await self._catalog.items(moved_on)}
            stocks = {**stocks, **await self._stocks({sku: items[sku] for sku in moved_on if sku in items})}
        return parse_levels(stocks, asked=asked, items=items)

    async def _stocks(self, items: Items) -> Stocks:
        if not items:
            return {}
        places = len(await self._known_places())
        return await read_stocks(self._wire, [item.id for several in items.values() for item in several], places=places)

    async def stock_changes(self, cursor: Cursor | None) -> StockChanges:
        """What has moved, by the times that Shopify gives items and levels. A level that was taken out of use is not told."""
        await self._subscriptions.now_and_then()  # a gateway polls from its start on; for health somebody has to ask
        places = await (self.locations() if cursor is None else self._known_places())
        if cursor is None:
            return self._feed.begin()
        return await self._feed.changes(cursor, [gid("Location", place.id) for place in places if place.active])

    # ------------------------------------------------------------------------------------------ fulfillment
    async def request(self, request: FulfillmentRequest) -> RemoteFulfillment:
        """Make one order of it, at that location. A key that is there already is carried on with, not asked for twice."""
        return await self._fulfillments.request(request)

    async def find(self, key: RequestKey) -> RemoteFulfillment | None:
        """The order with that source identifier."""
        return await self._fulfillments.find(key)

    async def cancel(self, ref: RemoteRef) -> CancelOutcome:
        """Stop whatever has not left.

        Raises:
            NotFound: There is no such order.
        """
        return await self._fulfillments.cancel(ref)

    async def status(self, refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        """How far these orders are."""
        return await self._fulfillments.status(refs)

    # ------------------------------------------------------------------------------------------ webhooks
    def receive(self, request: RawRequest) -> tuple[SourceEvent, ...]:
        """Verify the signature, then read."""
        verify(request, secret=self._settings.client_secret)
        return parse_event(request, skus_of=self._catalog.skus_of, orders_of=self._fulfillments.orders_of)


def version_warning(asked: str, *, answered: str | None, offered: Sequence[VersionRow]) -> str:
    """What a person should know of the pinned version; nothing where all is well."""
    supported = sorted(version.handle for version in offered if version.supported)
    if answered is not None and answered != asked:
        return f"asked for version {asked}, Shopify answers as {answered}"
    if asked not in supported:
        return f"Shopify does not support version {asked}, but {', '.join(supported) or 'none that it names'}"
    if asked == supported[0] and len(supported) > 1:
        return f"version {asked} is the oldest that Shopify supports, and the next to go"
    return ""
