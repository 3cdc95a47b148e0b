"""The Square connector: one seller, many stores."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from cachetools import TTLCache

from connectors.client import Client, Intent, at_once, chunked
from connectors.contract import (
    CancelOutcome,
    ConnectorInfo,
    ContractBroken,
    Cursor,
    FulfillmentRequest,
    Health,
    Idempotency,
    OutcomeUnknown,
    RawRequest,
    Rejected,
    RemoteFulfillment,
    RemoteLocation,
    RemoteRef,
    RemoteState,
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
    Transient,
)
from connectors.registry import Tools
from connectors.square.catalog import Catalog
from connectors.square.feed import COUNTS_PATH, COUNTS_PER_PAGE, Feed
from connectors.square.locations import parse_location
from connectors.square.orders import cancellation_body, order_body, parse_order, search_body
from connectors.square.settings import SquareSettings
from connectors.square.stock import parse_counts
from connectors.square.webhooks import Webhooks, parse_event
from connectors.square.wire import CountRow, CountsReply, LocationsReply, OrderReply, OrderRow, OrdersReply, classify

# Square documents no maximum of ``catalog_object_ids``; 500 stays well below what its bodies may weigh.
BATCH_SKUS_MAX: Final = 500
COUNT_PAGES_MAX: Final = 100
ORDERS_PER_RETRIEVE: Final = 100
LOCATIONS_PER_SEARCH: Final = 10
ORDERS_PER_SEARCH: Final = 500
SEARCH_PAGES_MAX: Final = 20
CANCEL_ATTEMPTS_MAX: Final = 4

# Square's code for a stale version; CONFLICT is the general one.
_VERSION_CONFLICTS: Final = frozenset({"VERSION_MISMATCH", "CONFLICT"})
# What a cancellation comes to where the order has ended already, and where our own update ended it.
_WITHOUT_US: Final[Mapping[RemoteState, CancelOutcome]] = {
    RemoteState.CANCELED: CancelOutcome.CANCELED,
    RemoteState.REJECTED: CancelOutcome.CANCELED,
    RemoteState.SHIPPED: CancelOutcome.TOO_LATE,
}
_THROUGH_US: Final[Mapping[RemoteState, CancelOutcome]] = {
    RemoteState.CANCELED: CancelOutcome.CANCELED,
    RemoteState.REJECTED: CancelOutcome.CANCELED,
    RemoteState.SHIPPED: CancelOutcome.PARTIAL,
}


class Square:
    """One Square seller: stock and orders of all its stores.

    Square knows our key for good, so a request may be repeated: ``find`` is only for those that were never answered.
    """

    def __init__(self, settings: SquareSettings, tools: Tools) -> None:
        self.info = ConnectorInfo(
            kind=SourceKind.STORE_POS,
            connector="square",
            stock_drop=StockDrop.ON_SHIP,
            visibility_delay_s=settings.visibility_delay_s,
            idempotency=Idempotency.KEY,
            batch_skus_max=BATCH_SKUS_MAX,
            fresh_for_s=settings.fresh_for_s,
            rate_per_s=settings.rate_per_s,
            concurrency_max=settings.concurrency_max,
        )
        self._settings = settings
        self._monotonic = tools.monotonic
        self._client = Client(
            base_url=settings.url,
            tools=tools,
            limits=settings.limits(),
            headers={"Authorization": f"Bearer {settings.access_token}", "Square-Version": settings.version},
            classify=classify,
        )
        self._catalog = Catalog(self._client, settings=settings, monotonic=tools.monotonic)
        self._feed = Feed(self._client, self._catalog, settings, tools.now)
        self._stores: TTLCache[str, tuple[RemoteLocation, ...]] = TTLCache(1, settings.known_for_s, timer=tools.monotonic)
        self._webhooks = Webhooks(key=settings.webhook_signature_key, url=settings.webhook_url)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def health(self) -> Health:
        """Whether Square answers, and takes our token."""
        asked_at = self._monotonic()
        try:
            await self.locations()
        except SourceError as error:
            return Health(ok=False, detail=str(error))
        return Health(ok=True, latency_ms=1000 * (self._monotonic() - asked_at), remote_version=self._settings.version)

    async def locations(self) -> tuple[RemoteLocation, ...]:
        """Every store of the seller."""
        reply = await self._client.call("GET", "/v2/locations", returns=LocationsReply)
        if not reply.locations:
            raise ContractBroken("a seller without a location")
        self._stores["all"] = stores = tuple(parse_location(row) for row in reply.locations)
        self.info = replace(self.info, batch_skus_max=skus_per_page(sum(store.active for store in stores)))
        return stores

    def traffic(self) -> Mapping[str, Traffic]:
        """How reads and writes fare."""
        return self._client.traffic()

    # ------------------------------------------------------------------------------------------ stock
    async def skus(self, after: Cursor | None) -> SkuPage:
        """The next page of the catalog."""
        await self._known_stores()
        return await self._catalog.page(after)

    async def stock_changes(self, cursor: Cursor | None) -> StockChanges:
        """Variations of which a count was calculated since."""
        return await self._feed.changes(cursor)

    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        """One read of counts for all SKUs and stores; look-ups before it only where something is not remembered."""
        variations = await self._catalog.variations(skus)
        if not variations:
            return StockBatch(levels=(), unknown=frozenset(skus))
        stores = [store.id for store in await self._known_stores() if store.active]
        chunks = chunked(list(variations.values()), self.info.batch_skus_max)
        told = await at_once(self._counts([each.id for several in some for each in several]) for some in chunks)
        return parse_counts([row for rows in told for row in rows], asked=skus, variations=variations, stores=stores)

    async def _known_stores(self) -> tuple[RemoteLocation, ...]:
        return self._stores.get("all") or await self.locations()

    async def _counts(self, variation_ids: Sequence[str]) -> list[CountRow]:
        rows: list[CountRow] = []
        body: dict[str, object] = {"catalog_object_ids": variation_ids, "states": ["IN_STOCK"], "limit": COUNTS_PER_PAGE}
        for _ in range(COUNT_PAGES_MAX):
            page = await self._client.call("POST", COUNTS_PATH, json=body, returns=CountsReply)
            rows += page.counts
            if not page.cursor:
                return rows
            body["cursor"] = page.cursor
        raise ContractBroken(f"the counts did not end after {COUNT_PAGES_MAX} pages")

    # ------------------------------------------------------------------------------------------ fulfillment
    async def request(self, request: FulfillmentRequest) -> RemoteFulfillment:
        """Propose one order with one fulfillment to a store."""
        variations = await self._catalog.variations(line.sku for line in request.lines)
        body = order_body(request, variations=variations, preparation_minutes=self._settings.preparation_minutes)
        try:
            reply = await self._write("POST", "/v2/orders", body)
        except Rejected as refusal:
            if refusal.reason != "IDEMPOTENCY_KEY_REUSED":
                raise
            # The catalog may have changed between two attempts, and the second body with it: the first one stands.
            return await self._made_before(request.key)
        return parse_order(reply.order)

    async def _made_before(self, key: RequestKey) -> RemoteFulfillment:
        """The order that surely exists.

        Raises:
            OutcomeUnknown: It cannot be found now.
        """
        try:
            found = await self.find(key)
        except SourceError as error:
            raise OutcomeUnknown(f"{key} was taken, and its look-up failed: {error}") from error
        if found is None:
            raise OutcomeUnknown(f"{key} was taken, and no order has it yet")
        return found

    async def find(self, key: RequestKey) -> RemoteFulfillment | None:
        """The newest order with that reference, of all stores.

        Raises:
            OutcomeUnknown: There are too many newer orders to look through.
        """
        stores = [store.id for store in await self._known_stores()]
        for some in chunked(stores, LOCATIONS_PER_SEARCH):
            if found := await self._search(key, search_body(some, orders_max=ORDERS_PER_SEARCH)):
                return parse_order(found)
        return None

    async def _search(self, key: RequestKey, body: dict[str, object]) -> OrderRow | None:
        for _ in range(SEARCH_PAGES_MAX):
            page = await self._client.call("POST", "/v2/orders/search", json=body, returns=OrdersReply)
            if found := next((order for order in page.orders if order.reference_id == key), None):
                return found
            if not page.cursor:
                return None
            body["cursor"] = page.cursor
        raise OutcomeUnknown(f"{key} is not among the newest {SEARCH_PAGES_MAX * ORDERS_PER_SEARCH} orders")

    async def status(self, refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        """How far these orders are."""
        wanted = frozenset(refs)
        found: list[OrderRow] = []
        for some in chunked(refs, ORDERS_PER_RETRIEVE):
            body = {"order_ids": some}
            found += (await self._client.call("POST", "/v2/orders/batch-retrieve", json=body, returns=OrdersReply)).orders
        return tuple(parse_order(order) for order in found if order.id in wanted)

    async def cancel(self, ref: RemoteRef) -> CancelOutcome:
        """Cancel what has not left; where the store changes the order meanwhile, read it again.

        Raises:
            NotFound: There is no such order.
            Transient: The order changed under every attempt.
        """
        path = f"/v2/orders/{quote(ref, safe='')}"
        for _ in range(CANCEL_ATTEMPTS_MAX):
            order = (await self._client.call("GET", path, returns=OrderReply)).order
            if outcome := _WITHOUT_US.get(parse_order(order).state):
                return outcome
            try:
                changed = await self._write("PUT", path, cancellation_body(order))
            except Rejected as refusal:
                if refusal.reason not in _VERSION_CONFLICTS:
                    return CancelOutcome.REFUSED
            else:
                return _THROUGH_US.get(parse_order(changed.order).state, CancelOutcome.PENDING)
        raise Transient(f"order {ref} changed during each of {CANCEL_ATTEMPTS_MAX} attempts to cancel it")

    async def _write(self, method: str, path: str, body: Mapping[str, object]) -> OrderReply:
        """Send a body that carries an idempotency key."""
        return await self._client.call(method, path, json=body, intent=Intent.WRITE, repeatable=True, returns=OrderReply)

    # ------------------------------------------------------------------------------------------ webhooks
    def receive(self, request: RawRequest) -> tuple[SourceEvent, ...]:
        """Verify against the configured URL, then read."""
        self._webhooks.verify(request)
        return parse_event(request.body, skus_of=self._catalog.skus_of)


def skus_per_page(active_stores: int) -> int:
    """Of how many SKUs the counts at all stores are on one page. Variations that share a SKU may need a further one."""
    return max(1, min(BATCH_SKUS_MAX, COUNTS_PER_PAGE // max(1, active_stores)))
