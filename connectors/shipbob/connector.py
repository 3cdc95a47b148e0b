"""The ShipBob connector: one merchant, the fulfillment centers it may use."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from connectors.client import Client, Intent, chunked
from connectors.contract import (
    CancelOutcome,
    ConnectorInfo,
    Cursor,
    FulfillmentRequest,
    Health,
    Idempotency,
    NotFound,
    OutcomeUnknown,
    Quote,
    QuoteRequest,
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
    StockDrop,
    Traffic,
)
from connectors.registry import Tools
from connectors.shipbob.inventory import PAGE_SIZE, Inventory, parse_levels
from connectors.shipbob.locations import parse_location
from connectors.shipbob.orders import known_ids, order_body, parse_order
from connectors.shipbob.quotes import EstimateReply, estimate_body, parse_quotes
from connectors.shipbob.settings import ShipBobSettings
from connectors.shipbob.webhooks import parse_event, verify
from connectors.shipbob.wire import VERSION, CancelReply, LocationRow, OrderRow, classify

ORDERS_PER_PAGE: Final = 100
ORDER_PATH: Final = f"/{VERSION}/order"
ESTIMATE_PATH: Final = f"{ORDER_PATH}:estimate"

_ENDED: Final[Mapping[RemoteState, CancelOutcome]] = {
    RemoteState.CANCELED: CancelOutcome.CANCELED,
    RemoteState.SHIPPED: CancelOutcome.TOO_LATE,
}


class ShipBob:
    """One ShipBob merchant. Our key is the order's ``reference_id``, which is unique there: a second one is refused.

    It has no feed of changes: ShipBob's history tells of units that came or left, center by center, but not of those that orders
    take on, which is when its available number drops.
    """

    def __init__(self, settings: ShipBobSettings, tools: Tools) -> None:
        self.info = ConnectorInfo(
            kind=SourceKind.THIRD_PARTY_LOGISTICS,
            connector="shipbob",
            stock_drop=StockDrop.ON_ACCEPT,
            visibility_delay_s=settings.visibility_delay_s,
            idempotency=Idempotency.LOOKUP,
            batch_skus_max=PAGE_SIZE,
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
            headers={"Authorization": f"Bearer {settings.token}", "shipbob_channel_id": settings.channel_id},
            classify=classify,
        )
        self._inventory = Inventory(self._client, settings=settings, monotonic=tools.monotonic)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def health(self) -> Health:
        """Whether ShipBob answers, and takes our token."""
        asked_at = self._monotonic()
        try:
            await self.locations()
        except SourceError as error:
            return Health(ok=False, detail=str(error))
        return Health(ok=True, latency_ms=1000 * (self._monotonic() - asked_at), remote_version=VERSION)

    async def locations(self) -> tuple[RemoteLocation, ...]:
        """Every center the merchant has access to."""
        params = {"IncludeInactive": "true"}
        rows = await self._client.call("GET", f"/{VERSION}/location", params=params, returns=tuple[LocationRow, ...])
        return tuple(parse_location(row) for row in rows if row.access_granted)

    def traffic(self) -> Mapping[str, Traffic]:
        """How reads and writes fare."""
        return self._client.traffic()

    # ------------------------------------------------------------------------------------------ stock
    async def skus(self, after: Cursor | None) -> SkuPage:
        """The next page of the inventory."""
        return await self._inventory.page(after)

    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        """One read of levels for all SKUs and centers; look-ups before it only where something is not remembered."""
        items = await self._inventory.items(skus)
        if not items:
            return StockBatch(levels=(), unknown=frozenset(skus))
        return parse_levels(await self._inventory.levels(items), asked=skus, items=items)

    # ------------------------------------------------------------------------------------------ fulfillment
    async def request(self, request: FulfillmentRequest) -> RemoteFulfillment:
        """Create one order, pinned to a center; one that this center cannot fill is canceled again."""
        body = order_body(request, shipping_method=self._settings.shipping_method, name_of=self._inventory.name_of)
        try:
            order = await self._client.call("POST", ORDER_PATH, json=body, intent=Intent.WRITE, returns=OrderRow)
        except Rejected as refusal:
            return await self._whole_or_nothing(await self._made_before(request.key, refusal))
        return await self._whole_or_nothing(parse_order(order))

    async def _made_before(self, key: RequestKey, refusal: Rejected) -> RemoteFulfillment:
        """The order that this one was refused for. ShipBob has no code for a reference that is taken, only prose.

        Raises:
            Rejected: There is none: it was refused for what it is.
            OutcomeUnknown: Nobody can tell.
        """
        if refusal.reason != "HTTP_422":
            raise refusal
        try:
            found = await self.find(key)
        except SourceError as error:
            raise OutcomeUnknown(f"{refusal.detail}; and the look-up of {key} failed: {error}") from error
        if found is None:
            raise refusal
        return found

    async def _whole_or_nothing(self, taken: RemoteFulfillment) -> RemoteFulfillment:
        if not taken.short:
            return taken
        try:
            outcome = await self.cancel(taken.ref)
        except SourceError:
            return taken
        return replace(taken, state=RemoteState.REJECTED) if outcome is CancelOutcome.CANCELED else taken

    async def find(self, key: RequestKey) -> RemoteFulfillment | None:
        """The order with that reference."""
        orders = await self._orders({"ReferenceIds": key})
        return next((parse_order(order) for order in orders if order.reference_id == key), None)

    async def status(self, refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        """How far these orders are."""
        ids = known_ids(refs)
        found: list[OrderRow] = []
        for some in chunked(ids, ORDERS_PER_PAGE):
            found += await self._orders({"IDs": ",".join(some)})
        wanted = frozenset(ids)
        return tuple(parse_order(order) for order in found if str(order.id) in wanted)

    async def _orders(self, params: Mapping[str, str]) -> tuple[OrderRow, ...]:
        query = {**params, "Page": "1", "Limit": str(ORDERS_PER_PAGE)}
        return await self._client.call("GET", ORDER_PATH, params=query, returns=tuple[OrderRow, ...])

    async def cancel(self, ref: RemoteRef) -> CancelOutcome:
        """Cancel every shipment that has not left.

        Raises:
            NotFound: There is no such order.
        """
        if not known_ids([ref]):
            raise NotFound(f"{ref!r} is not an order of ShipBob's")
        path = f"{ORDER_PATH}/{ref}:cancel"
        try:
            # Canceling what is canceled changes nothing, so this may be repeated.
            reply = await self._client.call("POST", path, intent=Intent.WRITE, repeatable=True, returns=CancelReply)
        except Rejected:
            return await self._not_canceled(ref)
        whole = all(each.is_success for each in reply.canceled_shipment_results or ())
        match reply.status:
            case "Success" if whole:
                return CancelOutcome.CANCELED
            case "Success" | "PartialSuccess":
                return CancelOutcome.PARTIAL
            case _:
                return await self._not_canceled(ref)

    async def _not_canceled(self, ref: RemoteRef) -> CancelOutcome:
        """Why not: it has ended already, or ShipBob will not."""
        found = await self.status([ref])
        if not found:
            raise NotFound(f"there is no order {ref}")
        return _ENDED.get(found[0].state, CancelOutcome.REFUSED)

    # ------------------------------------------------------------------------------------------ quotes
    async def quote(self, request: QuoteRequest) -> tuple[Quote, ...]:
        """What ShipBob estimates for each of its shipping methods, from the center that it would choose today."""
        try:
            told = await self._client.call("POST", ESTIMATE_PATH, json=estimate_body(request), returns=EstimateReply)
        except Rejected as refusal:
            if refusal.reason != "HTTP_422":
                raise
            return ()  # unknown, out of stock, too large, or an address that is nothing to ShipBob
        return parse_quotes(told, location=request.location)

    # ------------------------------------------------------------------------------------------ webhooks
    def receive(self, request: RawRequest) -> tuple[SourceEvent, ...]:
        """Verify the Standard Webhooks signature, then read."""
        verify(request, secret=self._settings.webhook_secret)
        return parse_event(request)
