"""The words that the gateway and its connectors share, and what a source promises.

Standard library only: whoever writes a connector depends on nothing else of ours. A connector implements ``Connector``
and whichever of the small protocols below it can keep; each one it keeps is a *capability*, found by ``isinstance``.

Three rules hold everywhere:

* **Three answers for stock**: a number, zero, or unknown (``None``). A reply that could not be read is never zero.
* **One closed set of errors** (``SourceError`` and its subclasses). Nothing else leaves a connector but bugs.
* **A write with an unknown outcome is looked up** (``Fulfiller.find``) before it is repeated.
"""

from connectors.contract.errors import (
    AuthFailed,
    BadSignature,
    ContractBroken,
    NotFound,
    OutcomeUnknown,
    Rejected,
    SourceError,
    Throttled,
    Transient,
    Unsupported,
)
from connectors.contract.protocols import (
    Capability,
    Connector,
    Fulfiller,
    StockReader,
    WebhookReceiver,
    capabilities_of,
)
from connectors.contract.words import (
    Address,
    CancelOutcome,
    ConnectorInfo,
    FulfillmentChanged,
    FulfillmentRequest,
    Health,
    Idempotency,
    Method,
    OpeningHours,
    RawRequest,
    RemoteFulfillment,
    RemoteLevel,
    RemoteLocation,
    RemoteLocationId,
    RemotePackage,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
    SourceEvent,
    SourceKind,
    StockBatch,
    StockChanged,
    StockDrop,
)

__all__ = [
    "Address",
    "AuthFailed",
    "BadSignature",
    "CancelOutcome",
    "Capability",
    "Connector",
    "ConnectorInfo",
    "ContractBroken",
    "Fulfiller",
    "FulfillmentChanged",
    "FulfillmentRequest",
    "Health",
    "Idempotency",
    "Method",
    "NotFound",
    "OpeningHours",
    "OutcomeUnknown",
    "RawRequest",
    "Rejected",
    "RemoteFulfillment",
    "RemoteLevel",
    "RemoteLocation",
    "RemoteLocationId",
    "RemotePackage",
    "RemoteRef",
    "RemoteState",
    "RequestKey",
    "RequestLine",
    "Secret",
    "Sku",
    "SourceError",
    "SourceEvent",
    "SourceKind",
    "StockBatch",
    "StockChanged",
    "StockDrop",
    "StockReader",
    "Throttled",
    "Transient",
    "Unsupported",
    "WebhookReceiver",
    "capabilities_of",
]
