"""The flat-file connector: one warehouse that exchanges files."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from connectors.contract import (
    CancelOutcome,
    ConnectorInfo,
    Cursor,
    FulfillmentRequest,
    Health,
    Idempotency,
    NotFound,
    Rejected,
    RemoteFulfillment,
    RemoteLocation,
    RemoteRef,
    RequestKey,
    Sku,
    SkuPage,
    SourceError,
    SourceKind,
    StockBatch,
    StockChanges,
    Traffic,
)
from connectors.flat_file.counts import Counts, Known
from connectors.flat_file.guarded import GuardedFolder
from connectors.flat_file.inbox import Inbox
from connectors.flat_file.orders import cancellation, cancellation_file, cancellation_name, order_file, order_name, told
from connectors.flat_file.settings import Exchange, FlatFileSettings
from connectors.flat_file.stock import batch_of
from connectors.registry import Tools

BATCH_SKUS_MAX: Final = 100_000  # they are looked up in memory
SKUS_PER_PAGE: Final = 1_000


class FlatFile:
    """The stock of one warehouse, as its newest complete files tell it.

    Nothing older than ``age_max_s`` is ever shown, so a reading contains whatever left the warehouse's books before that.
    """

    def __init__(self, settings: FlatFileSettings, tools: Tools) -> None:
        delay_s = settings.age_max_s if settings.visibility_delay_s is None else settings.visibility_delay_s
        self.info = ConnectorInfo(
            kind=SourceKind.WAREHOUSE,
            connector="flat_file",
            stock_drop=settings.stock_drop,
            visibility_delay_s=delay_s + settings.list_every_s,
            idempotency=Idempotency.KEY,
            batch_skus_max=BATCH_SKUS_MAX,
            fresh_for_s=settings.fresh_for_s,
            concurrency_max=settings.concurrency_max,
        )
        self._settings = settings
        self._tools = tools
        self._folder = GuardedFolder(settings, tools)
        self._counts = Counts(self._folder, settings=settings, tools=tools)

    async def aclose(self) -> None:
        """Let go of the folder."""
        await self._counts.aclose()
        await self._folder.aclose()

    async def health(self) -> Health:
        """Whether the folder can be looked at, its files can be read, and the newest is not too old."""
        asked_at = self._tools.monotonic()
        try:
            known = await self._counts.now()
            mistakes = await self._mistakes(known)
        except SourceError as error:
            return Health(ok=False, detail=str(error))
        latency_ms = 1000 * (self._tools.monotonic() - asked_at)
        return Health(ok=not mistakes, latency_ms=latency_ms, detail="; ".join(mistakes) or known.marks[-1])

    async def _mistakes(self, known: Known) -> list[str]:
        """What somebody has to look at."""
        mistakes = [str(refusal) for refusal in self._counts.refusals.values()]
        if known.stock.as_of < self._oldest():
            mistakes.append(f"the newest count is of {known.stock.as_of.astimezone(UTC):%Y-%m-%d %H:%M} UTC: too old to be used")
        return mistakes

    async def locations(self) -> tuple[RemoteLocation, ...]:
        """The places that were configured."""
        return tuple(place.location() for place in self._settings.places)

    def traffic(self) -> Mapping[str, Traffic]:
        """How reading and writing files fare."""
        return self._folder.traffic()

    # ------------------------------------------------------------------------------------------ stock
    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        """What the newest files say; they are looked for where that was done longer ago than ``list_every_s``."""
        if not skus:
            return StockBatch(levels=())
        known = await self._counts.now()
        return batch_of(known.stock, skus, settings=self._settings, oldest=self._oldest())

    async def skus(self, after: Cursor | None) -> SkuPage:
        """The SKUs of the newest files in their order; a page begins after the last one of the page before."""
        ordered = (await self._counts.now()).skus
        start = 0 if after is None else bisect_right(ordered, after)
        page = ordered[start : start + SKUS_PER_PAGE]
        return SkuPage(skus=page, next=Cursor(page[-1]) if start + SKUS_PER_PAGE < len(ordered) else None)

    async def stock_changes(self, cursor: Cursor | None) -> StockChanges:
        """What differs between the files that the cursor stands for and those that are the newest now."""
        known = await self._counts.now()
        skus = frozenset[Sku]() if cursor is None else await self._counts.moved_since(cursor, known)
        return StockChanges(skus=skus, cursor=known.cursor)

    def _oldest(self) -> datetime:
        return self._tools.now() - timedelta(seconds=self._settings.age_max_s)


class FlatFileWithOrders(FlatFile):
    """A warehouse that takes orders as files too. What it calls an order is our key."""

    def __init__(self, settings: FlatFileSettings, tools: Tools, *, orders: Exchange) -> None:
        super().__init__(settings, tools)
        self._orders = orders
        self._inbox = Inbox(self._folder, orders.inbox, settings)

    async def aclose(self) -> None:
        """Let go of the folder."""
        await self._inbox.aclose()
        await super().aclose()

    async def _mistakes(self, known: Known) -> list[str]:
        await self._inbox.look()
        return [*await super()._mistakes(known), *(str(refusal) for refusal in self._inbox.refusals.values())]

    async def request(self, request: FulfillmentRequest) -> RemoteFulfillment:
        """Put an order into the outbox, unless it was there before and has been answered.

        A copy is kept first: from then on the order may be there. What is asked for under the same key again is that copy, put
        into the outbox once more if the warehouse has taken it away and not said so yet.
        """
        known = await self.find(request.key)
        if known is not None and self._inbox.of(request.key):
            return known
        if known is None:
            await self._check(request)
        name = order_name(request.key)
        kept = await self._folder.find(self._orders.sent, name)
        content = order_file(request) if kept is None else await self._folder.read(self._orders.sent, kept)
        if kept is None:
            await self._folder.write(self._orders.sent, name, content)
        if await self._folder.find(self._orders.outbox, name) is None:
            await self._folder.write(self._orders.outbox, name, content)
        return told(request.key, ())

    async def find(self, key: RequestKey) -> RemoteFulfillment | None:
        """What was answered, or that we sent it; what we never sent is not there."""
        await self._inbox.look()
        return await self._known(key)

    async def cancel(self, ref: RemoteRef) -> CancelOutcome:
        """Put a cancellation into the outbox, once; what comes of it is an answer like any other.

        Raises:
            NotFound: We never sent such an order.
        """
        key = RequestKey(ref)
        if await self.find(key) is None:
            raise NotFound(f"no order {ref} was sent")
        if (outcome := cancellation(self._inbox.of(key))) is not None:
            return outcome
        name = cancellation_name(ref)
        if await self._folder.find(self._orders.sent, name) is None:
            # Kept only afterwards: here nobody has to know whether it may be there, only that it surely is.
            for where in (self._orders.outbox, self._orders.sent):
                await self._folder.write(where, name, cancellation_file(ref))
        return CancelOutcome.PENDING

    async def status(self, refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        """How far these are by all answers so far."""
        if not refs:
            return ()
        await self._inbox.look()
        found = [await self._known(RequestKey(ref)) for ref in dict.fromkeys(refs)]
        return tuple(each for each in found if each is not None)

    async def _known(self, key: RequestKey) -> RemoteFulfillment | None:
        answers = self._inbox.of(key)
        if answers or await self._folder.find(self._orders.sent, order_name(key)) is not None:
            return told(key, answers)
        return None

    async def _check(self, request: FulfillmentRequest) -> None:
        """Have nothing sent that the warehouse cannot know, as far as its files tell."""
        try:
            levels = (await self._counts.now()).stock.levels
        except SourceError:  # an order need not wait for a count
            return
        for line in request.lines:
            if request.location not in levels.get(line.sku, {}):
                raise Rejected(f"{request.location} does not carry {line.sku}", reason="SKU_NOT_CARRIED", field=line.sku)


def opened(settings: FlatFileSettings, tools: Tools) -> FlatFile:
    """The connector of these settings: one that takes orders, where it was said how."""
    return FlatFile(settings, tools) if settings.orders is None else FlatFileWithOrders(settings, tools, orders=settings.orders)
