"""The Amazon connector: one seller, one marketplace, one place to ship from; from which center is Amazon's own affair."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import quote as quoted

import msgspec

from connectors.amazon_mcf import cursors
from connectors.amazon_mcf.cursors import Mark
from connectors.amazon_mcf.orders import is_key, is_too_large, outcome_of, refuse_what_amazon_would
from connectors.amazon_mcf.quotes import cheapest_first
from connectors.amazon_mcf.settings import AmazonMcfSettings
from connectors.amazon_mcf.stock import parse_summaries
from connectors.amazon_mcf.summaries import Place, Query, Summaries
from connectors.amazon_mcf.versions import VERSIONS
from connectors.amazon_mcf.wire import Summary, classify, written
from connectors.client import Client, Intent, OAuthRefresh, at_once, chunked
from connectors.contract import (
    CancelOutcome,
    ConnectorInfo,
    ContractBroken,
    Cursor,
    FulfillmentRequest,
    Health,
    Idempotency,
    NotFound,
    OutcomeUnknown,
    Quote,
    QuoteRequest,
    Rejected,
    RemoteFulfillment,
    RemoteLocation,
    RemoteLocationId,
    RemoteRef,
    RequestKey,
    Sku,
    SkuPage,
    SourceError,
    SourceKind,
    StockBatch,
    StockChanges,
    StockDrop,
    Traffic,
)
from connectors.registry import Tools

BATCH_SKUS_MAX: Final = 50

_WITHOUT_DETAILS: Final = {"details": "false"}


class AmazonMcf:
    """Stock and orders of one seller in one marketplace of Amazon's network.

    The seller's own id of an order is our key, which Amazon takes once.
    """

    def __init__(self, settings: AmazonMcfSettings, tools: Tools) -> None:
        self.info = ConnectorInfo(
            kind=SourceKind.THIRD_PARTY_LOGISTICS,
            connector="amazon_mcf",
            stock_drop=StockDrop.ON_ACCEPT,
            visibility_delay_s=settings.visibility_delay_s,
            idempotency=Idempotency.KEY,
            batch_skus_max=BATCH_SKUS_MAX,
            fresh_for_s=settings.fresh_for_s,
            rate_per_s=settings.rate_per_s,
            concurrency_max=settings.concurrency_max,
        )
        self._settings = settings
        self._tools = tools
        self._version = VERSIONS[settings.api_version]
        self._location = RemoteLocationId(settings.marketplace_id)
        self._credential = OAuthRefresh(
            token_url=settings.token_url,
            form={
                "grant_type": "refresh_token",
                "refresh_token": settings.refresh_token,
                "client_id": settings.client_id,
                "client_secret": settings.client_secret,
            },
            tools=tools,
            header=_presented,
            limits=settings.limits(),
        )
        self._client = Client(
            base_url=settings.url, tools=tools, limits=settings.limits(), classify=classify, credential=self._credential
        )
        self._summaries = Summaries(self._client, marketplace_id=settings.marketplace_id)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def health(self) -> Health:
        """Whether Amazon answers, and for how long it will take our token."""
        asked_at = self._tools.monotonic()
        try:
            await self._summaries.page(_WITHOUT_DETAILS, None)
        except SourceError as error:
            return Health(ok=False, credential_expires_at=self._credential.expires_at, detail=str(error))
        return Health(
            ok=True,
            latency_ms=1000 * (self._tools.monotonic() - asked_at),
            remote_version=self._settings.api_version,
            credential_expires_at=self._credential.expires_at,
        )

    async def locations(self) -> tuple[RemoteLocation, ...]:
        """The marketplace. Where its centers stand is of no use to anybody who cannot choose among them."""
        return (RemoteLocation(id=self._location, name=self._settings.name),)

    def traffic(self) -> Mapping[str, Traffic]:
        """How reads and writes fare."""
        return self._client.traffic()

    # ------------------------------------------------------------------------------------------ stock
    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        """One request for each 50 SKUs; one for each whose comma would make two of it."""
        together = [sku for sku in dict.fromkeys(skus) if sku and "," not in sku]  # without any SKU, Amazon would list them all
        queries: list[Query] = [{"sellerSkus": ",".join(some)} for some in chunked(together, BATCH_SKUS_MAX)]
        queries += [{"sellerSku": sku} for sku in dict.fromkeys(skus) if "," in sku]
        told = await at_once(self._summaries.all({"details": "true", **query}) for query in queries)
        return parse_summaries([row for rows in told for row in rows], asked=skus, location=self._location)

    async def skus(self, after: Cursor | None) -> SkuPage:
        """The next page of whatever Amazon has a summary of."""
        page = await self._summaries.page(_WITHOUT_DETAILS, None if after is None else cursors.read(after, Place))
        return SkuPage(skus=_skus(page.rows.values()), next=None if page.next is None else cursors.written(page.next))

    async def stock_changes(self, cursor: Cursor | None) -> StockChanges:
        """The next page of what Amazon says has changed, but for what is on its way to it: that it does not notice."""
        now = self._tools.now()
        if cursor is None:
            return StockChanges(skus=frozenset(), cursor=cursors.written(Mark(since=now)))
        mark = cursors.read(cursor, Mark)
        if mark.at is None:
            # A clock of ours that was ahead when it was last asked must not hide what happened since.
            since, until = min(mark.since, now) - timedelta(seconds=self._settings.changes_overlap_s), now
        else:
            since, until = mark.since, mark.until or now
        page = await self._summaries.page({**_WITHOUT_DETAILS, "startDateTime": written(since)}, mark.at)
        then = Mark(since=until) if page.next is None else Mark(since=since, until=until, at=page.next)
        return StockChanges(skus=frozenset(_skus(page.rows.values())), cursor=cursors.written(then), more=page.next is not None)

    # ------------------------------------------------------------------------------------------ fulfillment
    async def request(self, request: FulfillmentRequest) -> RemoteFulfillment:
        """Have all of it shipped, or none."""
        refuse_what_amazon_would(request, marketplace_id=self._settings.marketplace_id)
        body = self._version.order_body(request, settings=self._settings, at=self._tools.now())
        path = self._version.orders_path
        try:
            # Not repeated at once: a key that is taken is refused in prose only, and nobody says how soon an order can be read.
            created = await self._client.call("POST", path, json=body, intent=Intent.WRITE, returns=self._version.created)
        except Rejected as refusal:
            return await self._made_before(request.key, refusal)
        return _ours(self._version.parse_created(created, request.key), request.key)

    async def _made_before(self, key: RequestKey, refusal: Rejected) -> RemoteFulfillment:
        """The order that this one was refused for.

        Raises:
            Rejected: There is none: it was refused for what it is.
            OutcomeUnknown: Nobody can tell.
        """
        try:
            found = await self.find(key)
        except SourceError as error:
            raise OutcomeUnknown(f"{refusal.detail}; and the look-up of {key} failed: {error}") from error
        if found is None:
            raise refusal
        return found

    async def find(self, key: RequestKey) -> RemoteFulfillment | None:
        """The order of that id."""
        try:
            return await self._order(key)
        except NotFound:
            return None

    async def status(self, refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        """How far these orders are; one request each, as Amazon has no other that tells of parcels."""
        found = [await self.find(RequestKey(ref)) for ref in dict.fromkeys(refs)]
        return tuple(each for each in found if each is not None)

    async def cancel(self, ref: RemoteRef) -> CancelOutcome:
        """Ask Amazon to stop, then look how far it came: picking has begun, or it stops by and by.

        Raises:
            NotFound: There is no such order.
        """
        path = f"{self._path(ref)}/cancel"
        try:
            # Canceling what is canceled changes nothing, so this may be repeated.
            await self._client.call("PUT", path, intent=Intent.WRITE, repeatable=True, returns=msgspec.Raw)
        except Rejected:
            return outcome_of(await self._order(ref)) or CancelOutcome.REFUSED
        return outcome_of(await self._order(ref)) or CancelOutcome.PENDING

    async def _order(self, key: str) -> RemoteFulfillment:
        """One order.

        Raises:
            NotFound: Amazon has none of that id.
        """
        try:
            told = await self._client.call("GET", self._path(key), returns=self._version.order)
        except Rejected as refusal:
            # The id is all that is asked with, and well formed: it can only be one that Amazon does not know.
            if refusal.reason == "InvalidInput":
                raise NotFound(refusal.detail) from refusal
            raise
        return _ours(self._version.parse_order(told), key)

    def _path(self, key: str) -> str:
        if not is_key(key):
            raise NotFound(f"{key!r} is no order of ours")
        return f"{self._version.orders_path}/{quoted(key, safe='')}"

    # ------------------------------------------------------------------------------------------ quotes
    async def quote(self, request: QuoteRequest) -> tuple[Quote, ...]:
        """What Amazon would take for it at each speed, and when it would arrive."""
        if request.location not in {None, self._location} or is_too_large(request.lines):
            return ()
        body = self._version.preview_body(request, settings=self._settings)
        try:
            told = await self._client.call("POST", self._version.previews_path, json=body, returns=self._version.preview)
        except Rejected:  # a SKU or an address that is nothing to Amazon
            return ()
        return cheapest_first(self._version.parse_quotes(told, request, self._location))


def _presented(token: str) -> Mapping[str, str]:
    return {"x-amz-access-token": token}


def _ours(told: RemoteFulfillment, key: str) -> RemoteFulfillment:
    if told.key != key:
        raise ContractBroken(f"asked about order {key}, it answered about {told.key}")
    return told


def _skus(rows: Iterable[Summary]) -> tuple[Sku, ...]:
    return tuple(dict.fromkeys(Sku(row.seller_sku) for row in rows))
