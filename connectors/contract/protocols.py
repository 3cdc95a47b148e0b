"""What a connector can do: small protocols, each a capability."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from connectors.contract.words import (
    CancelOutcome,
    ConnectorInfo,
    FulfillmentRequest,
    Health,
    Idempotency,
    RawRequest,
    RemoteFulfillment,
    RemoteLocation,
    RemoteRef,
    RequestKey,
    Sku,
    SourceEvent,
    StockBatch,
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

    async def warm(self, products_max: int) -> int:
        """Learn the source's product ids ahead of the first read, so that reads need no look-up. Returns how many."""


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


class Capability(StrEnum):
    """What can be asked of a source.

    Attributes:
        READ_STOCK: Live stock.
        FULFILL: Requests to ship or hand over.
        FIND_BY_KEY: Looking a request up by our key.
        CANCEL: Stopping a request.
        WEBHOOKS: Telling us about changes.
    """

    READ_STOCK = "READ_STOCK"
    FULFILL = "FULFILL"
    FIND_BY_KEY = "FIND_BY_KEY"
    CANCEL = "CANCEL"
    WEBHOOKS = "WEBHOOKS"


def capabilities_of(connector: Connector) -> frozenset[Capability]:
    """What this connector can be asked for, read off the protocols it keeps."""
    found: set[Capability] = set()
    if isinstance(connector, StockReader):
        found.add(Capability.READ_STOCK)
    if isinstance(connector, Fulfiller):
        found |= {Capability.FULFILL, Capability.CANCEL}
        if connector.info.idempotency is not Idempotency.NONE:
            found.add(Capability.FIND_BY_KEY)
    if isinstance(connector, WebhookReceiver):
        found.add(Capability.WEBHOOKS)
    return frozenset(found)
