"""What is said: sources, stock, requests, webhooks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import NewType

Sku = NewType("Sku", str)
RemoteLocationId = NewType("RemoteLocationId", str)
RemoteRef = NewType("RemoteRef", str)
RequestKey = NewType("RequestKey", str)
Cursor = NewType("Cursor", str)
"""A place in a source's own list or sequence: only the source understands it."""


class Secret(str):
    """A credential. Reads as a string, never prints as one."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"


# ---------------------------------------------------------------------------------------------- what a source is
class SourceKind(StrEnum):
    """What an external system of record looks after.

    Attributes:
        WAREHOUSE: A warehouse or ERP system.
        STORE_POS: A store point of sale.
        THIRD_PARTY_LOGISTICS: Somebody else who stores and ships for the merchant.
    """

    WAREHOUSE = "WAREHOUSE"
    STORE_POS = "STORE_POS"
    THIRD_PARTY_LOGISTICS = "THIRD_PARTY_LOGISTICS"


class StockDrop(StrEnum):
    """When the source's own `available` number goes down for an order of ours.

    Attributes:
        ON_ACCEPT: As soon as it takes the order on.
        ON_SHIP: Only when the goods leave.
    """

    ON_ACCEPT = "ON_ACCEPT"
    ON_SHIP = "ON_SHIP"


class Idempotency(StrEnum):
    """What keeps a repeated write from happening twice: the source knows our key, we look it up first, or nothing.

    Attributes:
        KEY: It knows our key and does the work once.
        LOOKUP: We look the key up before we ask again.
        NONE: Nothing does: a person decides.
    """

    KEY = "KEY"
    LOOKUP = "LOOKUP"
    NONE = "NONE"


class Method(StrEnum):
    """How the goods reach the customer.

    Attributes:
        SHIP: By carrier to an address.
        PICKUP: The customer comes for them.
    """

    SHIP = "SHIP"
    PICKUP = "PICKUP"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorInfo:
    """What one configured source declares about itself.

    ``visibility_delay_s``: for so long after the source took an order of ours into its books (as ``stock_drop`` says) a read may
    still show the number from before; 0 where a read shows it at once. What nobody documents is declared with a margin: too long
    costs sales for a while, too short sells twice. ``batch_skus_max`` is the source's own limit on one read; ``fresh_for_s`` how
    long a reading may be served without asking again. ``rate_per_s`` and ``concurrency_max`` bound how often and how much at once
    it is asked, reads and writes each; None: it sets no bound that we know of.
    """

    kind: SourceKind
    connector: str
    stock_drop: StockDrop
    visibility_delay_s: float
    idempotency: Idempotency
    batch_skus_max: int
    fresh_for_s: float
    rate_per_s: float | None = None
    concurrency_max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether the source answers now. ``detail`` is for a person.

    ``credential_expires_at`` is None where the credential does not expire or the source does not tell.
    """

    ok: bool
    latency_ms: float | None = None
    remote_version: str | None = None
    credential_expires_at: datetime | None = None
    detail: str = ""


class BreakerState(StrEnum):
    """Whether requests get through to a source.

    Attributes:
        CLOSED: All of them.
        OPEN: None: it has failed too often in a row.
        HALF_OPEN: One, whose end decides.
    """

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """How reads, or writes, of one source fare.

    ``calls`` counts exchanges, ``retries`` and ``hedges`` among them; ``failures`` are those that the breaker counts, ``throttled``
    those that the source put off. ``allowance`` is what the source itself says that may still be asked of it, in its own unit.
    ``last_error`` stays after it has recovered.
    """

    breaker: BreakerState
    in_flight: int
    calls: int
    failures: int
    retries: int = 0
    throttled: int = 0
    hedges: int = 0
    allowance: float | None = None
    last_latency_ms: float | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where something goes, or where a location stands. ``country_code`` is ISO 3166-1 alpha-2."""

    lines: tuple[str, ...]
    city: str
    postal_code: str
    country_code: str
    region: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """One open period of a weekday (0 is Monday) in the location's own time zone."""

    weekday: int
    opens_at: time
    closes_at: time


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteLocation:
    """A place as the source describes it. None: the source does not say. ``time_zone`` is an IANA name."""

    id: RemoteLocationId
    name: str
    address: Address | None = None
    time_zone: str | None = None
    methods: frozenset[Method] = frozenset({Method.SHIP})
    hours: tuple[OpeningHours, ...] = ()
    active: bool = True


# ---------------------------------------------------------------------------------------------- stock
@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteLevel:
    """One SKU at one location. Whole units; None is unknown, never zero. May be negative where the source says so.

    ``available`` is the source's own word where it has one, else ``on_hand − committed``: derived here and nowhere else.
    ``as_of`` is the source's time of the count, with an offset, or None.
    """

    sku: Sku
    location: RemoteLocationId
    on_hand: int | None = None
    available: int | None = None
    committed: int | None = None
    incoming: int | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StockBatch:
    """What one read said.

    A level with ``available=None`` stands for a location that carries the SKU but never counted it. ``unknown`` holds the SKUs
    asked for that the source does not carry at all. Every SKU asked for is in ``levels`` or in ``unknown``; no other SKU is.
    ``names`` are product names, where the source has them.
    """

    levels: tuple[RemoteLevel, ...]
    unknown: frozenset[Sku] = frozenset()
    names: Mapping[Sku, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StockChanges:
    """What has moved since a cursor: hints to read again, without numbers, so that late, repeated and reordered ones do no harm.

    ``more``: there is more to be had at once, from ``cursor`` on.
    """

    skus: frozenset[Sku]
    cursor: Cursor
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SkuPage:
    """Some of the SKUs that a source carries. ``next``: where the others begin; None at the end."""

    skus: tuple[Sku, ...]
    next: Cursor | None = None


# ---------------------------------------------------------------------------------------------- fulfillment
@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """So many units of one SKU."""

    sku: Sku
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfillmentRequest:
    """Work for one location. ``key`` is ours, at most 40 characters, and the same for every attempt."""

    key: RequestKey
    location: RemoteLocationId
    lines: tuple[RequestLine, ...]
    recipient: Address
    method: Method
    order_number: str


class RemoteState(StrEnum):
    """How far the source has come with a request."""

    REQUESTED = "REQUESTED"  # it knows of it and has not decided
    ACCEPTED = "ACCEPTED"
    SHIPPED = "SHIPPED"  # all of it has left, or was handed over
    REJECTED = "REJECTED"  # it will not do it; ``reason`` says why
    CANCELED = "CANCELED"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePackage:
    """What left together. Empty ``lines``: everything requested that no other package holds."""

    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    shipped_at: datetime | None = None
    lines: tuple[RequestLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFulfillment:
    """What the source says of one request.

    A request is all or nothing: a source that would take on only part of it is told to stop, and the answer is ``REJECTED``
    with what was missing in ``short``. ``short`` beside any other state is a request that the source is stuck with.
    """

    ref: RemoteRef
    key: RequestKey | None
    state: RemoteState
    packages: tuple[RemotePackage, ...] = ()
    short: tuple[RequestLine, ...] = ()
    reason: str | None = None


class CancelOutcome(StrEnum):
    """What became of a cancellation. PENDING: ask ``status`` later."""

    CANCELED = "CANCELED"
    PENDING = "PENDING"
    PARTIAL = "PARTIAL"
    REFUSED = "REFUSED"
    TOO_LATE = "TOO_LATE"


# ---------------------------------------------------------------------------------------------- holds and quotes
@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequest:
    """Units to set aside at one location, all of them or none. ``key`` is ours, and the same for every attempt."""

    key: RequestKey
    location: RemoteLocationId
    lines: tuple[RequestLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteHold:
    """What the source has set aside under our key."""

    ref: RemoteRef
    key: RequestKey
    lines: tuple[RequestLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRequest:
    """What it would cost, and when it would arrive. ``location`` None: the source decides where it ships from."""

    lines: tuple[RequestLine, ...]
    recipient: Address
    location: RemoteLocationId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One service that would take it. ``amount`` is in units of ``currency`` (ISO 4217), None where the source does not say.

    ``ships_by`` and ``arrives_by`` are the latest of what the source estimates, with an offset.
    """

    service: str
    amount: Decimal | None
    currency: str
    ships_by: datetime | None = None
    arrives_by: datetime | None = None
    location: RemoteLocationId | None = None


# ---------------------------------------------------------------------------------------------- webhooks
@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """A webhook as it came over the wire.

    Header names are lower case; ``query`` is the URL's, for sources that cannot sign.
    """

    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StockChanged:
    """Stock of these SKUs moved. A hint to read again: the numbers are not taken from it."""

    event_id: str
    skus: frozenset[Sku]


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfillmentChanged:
    """A request of ours moved. A hint to ask ``status``."""

    event_id: str
    ref: RemoteRef


SourceEvent = StockChanged | FulfillmentChanged
