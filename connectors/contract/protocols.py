"""What a connector can do: small protocols, each a capability."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from connectors.contract.words import (
    CancelOutcome,
    ConnectorInfo,
    Cursor,
    FulfillmentRequest,
    Health,
    HoldRequest,
    Idempotency,
    Quote,
    QuoteRequest,
    RawRequest,
    RemoteFulfillment,
    RemoteHold,
    RemoteLocation,
    RemoteRef,
    RequestKey,
    Sku,
    SkuPage,
    SourceEvent,
    StockBatch,
    StockChanges,
    Traffic,
)


class Connector(Protocol):
    """One configured source."""

    info: ConnectorInfo

    async def aclose(self) -> None:
        """Let go of connections."""

    async def health(self) -> Health:
        """Ask the source how it is. Never raises ``SourceError``: a dead source is an answer."""

    async def locations(self) -> tuple[RemoteLocation, ...]:
        """Every place the credential can see, active or not."""


@runtime_checkable
class StockReader(Protocol):
    """Can be asked for stock now."""

    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        """Read all locations for these SKUs in as few requests as the source allows: one, up to ``batch_skus_max``.

        Rows that were not asked for are dropped. Quantities are floored to whole units.
        """


@runtime_checkable
class StockLister(Protocol):
    """Can say which SKUs it carries."""

    async def skus(self, after: Cursor | None) -> SkuPage:
        """The next page of SKUs, from the beginning for None. What it needs to read them is remembered on the way."""


@runtime_checkable
class StockFeed(Protocol):
    """Can say what has moved since it was last asked: by polling, by a tail, or from a queue."""

    async def stock_changes(self, cursor: Cursor | None) -> StockChanges:
        """What has moved since. None: begin now; nothing has moved yet.

        Asked again with the same cursor, it tells the same and what came after: a crash in between loses nothing. A change may be
        told twice, and late, but never not at all.
        """


@runtime_checkable
class Fulfiller(Protocol):
    """Takes requests to ship or hand over."""

    async def request(self, request: FulfillmentRequest) -> RemoteFulfillment:
        """Ask a location to do the work.

        Asked again under the same key, the source's earlier request is finished and returned, never made a second time.

        Raises:
            Rejected: It will not.
            OutcomeUnknown: Sent, no answer: ``find`` before asking again.
        """

    async def find(self, key: RequestKey) -> RemoteFulfillment | None:
        """Look up a request by our key. None: the source surely does not have it."""

    async def cancel(self, ref: RemoteRef) -> CancelOutcome:
        """Ask to stop it. Safe to repeat."""

    async def status(self, refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        """How far these are; those the source does not know are left out."""


@runtime_checkable
class WebhookReceiver(Protocol):
    """Pushes changes to us."""

    def receive(self, request: RawRequest) -> tuple[SourceEvent, ...]:
        """Verify the raw bytes, then read them. No I/O.

        Raises:
            BadSignature: Not signed by the source, or too old.
            ContractBroken: Signed, but not readable.
        """


@runtime_checkable
class Holder(Protocol):
    """Can set goods aside for us before it is asked to ship them."""

    async def hold(self, request: HoldRequest) -> RemoteHold:
        """Set all of it aside, or nothing.

        Asked again under the same key, the earlier hold is completed and returned, never made a second time.

        Raises:
            Rejected: There is not enough, or it cannot be held.
            OutcomeUnknown: Sent, no answer: ``find_hold`` before asking again.
        """

    async def find_hold(self, key: RequestKey) -> RemoteHold | None:
        """What is set aside under our key. None: surely nothing."""

    async def release(self, ref: RemoteRef) -> None:
        """Give it back. Safe to repeat."""


@runtime_checkable
class Quoter(Protocol):
    """Can say what shipping would cost, and when it would arrive."""

    async def quote(self, request: QuoteRequest) -> tuple[Quote, ...]:
        """What it offers, cheapest first; empty where it would not ship this at all."""


@runtime_checkable
class Observed(Protocol):
    """Can say how asking it has been going."""

    def traffic(self) -> Mapping[str, Traffic]:
        """By what is done with it: ``READ`` and ``WRITE``."""


class Capability(StrEnum):
    """What can be asked of a source.

    Attributes:
        READ_STOCK: Live stock.
        LIST_SKUS: Which SKUs it carries.
        FEED: What has moved since it was last asked.
        HOLD: Setting goods aside before they are asked for.
        QUOTE: What shipping would cost, and when it would arrive.
        FULFILL: Requests to ship or hand over.
        FIND_BY_KEY: Looking a request up by our key.
        CANCEL: Stopping a request.
        WEBHOOKS: Telling us about changes.
    """

    READ_STOCK = "READ_STOCK"
    LIST_SKUS = "LIST_SKUS"
    FEED = "FEED"
    HOLD = "HOLD"
    QUOTE = "QUOTE"
    FULFILL = "FULFILL"
    FIND_BY_KEY = "FIND_BY_KEY"
    CANCEL = "CANCEL"
    WEBHOOKS = "WEBHOOKS"


PROTOCOLS: Final[Mapping[Capability, type]] = {
    Capability.READ_STOCK: StockReader,
    Capability.LIST_SKUS: StockLister,
    Capability.FEED: StockFeed,
    Capability.HOLD: Holder,
    Capability.QUOTE: Quoter,
    Capability.FULFILL: Fulfiller,
    Capability.CANCEL: Fulfiller,
    Capability.WEBHOOKS: WebhookReceiver,
}
"""What keeps which promise. Whether a request can be looked up is for one source to say: see ``ConnectorInfo.idempotency``."""


def capabilities_of(connector: Connector) -> frozenset[Capability]:
    """What this connector can be asked for, read off the protocols it keeps."""
    found = {each for each, protocol in PROTOCOLS.items() if isinstance(connector, protocol)}
    if Capability.FULFILL in found and connector.info.idempotency is not Idempotency.NONE:
        found.add(Capability.FIND_BY_KEY)
    return frozenset(found)
