"""All that the services ask of the outside world, on one page."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from connectors.contract import Connector, Fulfiller, Holder, Method, RemoteRef, Sku, SourceKind
from gateway.domain.books import Books, ShelfKey
from gateway.domain.events import OrderEvent
from gateway.domain.fulfillments import FulfillmentOrder
from gateway.domain.identity import FulfillmentOrderId, LocationId, OrderId, ReservationId, SourceName
from gateway.domain.locations import Location
from gateway.domain.orders import Order, OrderStatus
from gateway.domain.policies import PolicyKey, PolicyState, RoutingPolicy
from gateway.domain.pricing import PriceBook
from gateway.domain.reservations import Reservation
from gateway.domain.routing import World
from gateway.domain.sourcing import DecisionRecord
from gateway.domain.stock import Shelf
from gateway.domain.tasks import Job, JobRecord, JobState
from gateway.domain.whatif import Past

R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")

NewId = Callable[[], str]
"""A new id, unique everywhere, that sorts by time of making (UUIDv7)."""


class Clock(Protocol):
    """Time, injected."""

    def now(self) -> datetime:
        """This instant, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never jump."""


# ---------------------------------------------------------------------------------------------- sources
class Tier(StrEnum):
    """What a promise on a source's stock rests on.

    Attributes:
        HOLD_AT_SOURCE: Goods are set aside there before work on an order counts as accepted: nothing is oversold.
        EXCLUSIVE_POOL: Nobody but us sells this stock, as its operator says: what we promise is there, nothing is oversold.
        SNAPSHOT_ONLY: Others sell it as well, and between two reads they may take what we promise. Overselling is bounded by the
            safety stock; what is short is noticed when the source is read again or turns the request down, and routed elsewhere.
    """

    HOLD_AT_SOURCE = "HOLD_AT_SOURCE"
    EXCLUSIVE_POOL = "EXCLUSIVE_POOL"
    SNAPSHOT_ONLY = "SNAPSHOT_ONLY"


class Execution(StrEnum):
    """Who does the work that a source's locations are given, and says how it goes.

    Attributes:
        BY_SOURCE: The source takes requests, and tells what became of them.
        BY_PEOPLE: It takes none: people find the work in the graph, and say there how it goes.
        BY_PEOPLE_ON_HOLDS: As by people, once the goods were set aside at the source.
    """

    BY_SOURCE = "BY_SOURCE"
    BY_PEOPLE = "BY_PEOPLE"
    BY_PEOPLE_ON_HOLDS = "BY_PEOPLE_ON_HOLDS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A configured system of record, and the connector that reaches it. ``exclusive``: nobody else sells its stock."""

    name: SourceName
    label: str
    kind: SourceKind
    connector: Connector
    safety_units: int = 0
    exclusive: bool = False

    @property
    def tier(self) -> Tier:
        """What promises on its stock rest on."""
        if isinstance(self.connector, Holder):
            return Tier.HOLD_AT_SOURCE
        return Tier.EXCLUSIVE_POOL if self.exclusive else Tier.SNAPSHOT_ONLY

    @property
    def execution(self) -> Execution:
        """Who does the work."""
        if isinstance(self.connector, Fulfiller):
            return Execution.BY_SOURCE
        return Execution.BY_PEOPLE_ON_HOLDS if isinstance(self.connector, Holder) else Execution.BY_PEOPLE


Sources = Mapping[SourceName, Source]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What the operator knows better than a source about one of its locations. None: the source's word stands.

    No source speaks of the last five: without the operator's word there is no limit, there are no pickup slots, it works by the
    schedule of its kind, and it is in no group.
    """

    code: str | None = None
    name: str | None = None
    time_zone: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    methods: frozenset[Method] | None = None
    active: bool | None = None
    units_per_day: int | None = None
    slot_minutes: int | None = None
    pickups_per_slot: int | None = None
    schedule: str | None = None
    groups: frozenset[str] = frozenset()


# ---------------------------------------------------------------------------------------------- writing
@dataclass(frozen=True, slots=True, kw_only=True)
class Touches:
    """What a command must see to decide. The SKUs of these orders and reservations are seen too.

    Of the policies, the version that is in force and the newest are seen too.
    """

    orders: frozenset[OrderId] = frozenset()
    reservations: frozenset[ReservationId] = frozenset()
    skus: frozenset[Sku] = frozenset()
    external_ids: frozenset[tuple[str, str]] = frozenset()
    sources: frozenset[SourceName] = frozenset()
    jobs: frozenset[str] = frozenset()
    policies: frozenset[PolicyKey] = frozenset()


class Command(Protocol[R_co]):
    """One intent to change state, decided inside the transaction on what it locked."""

    @property
    def touches(self) -> Touches:
        """What it must see."""

    def decide(self, books: Books) -> R_co:
        """Look, decide, write down. May run more than once: only ``books`` is changed.

        Raises:
            Refusal: It cannot be done; nothing is written.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """Who asked, for what, under which key: a second time is answered with the first answer."""

    principal: str
    operation: str
    key: str
    request_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fenced:
    """A command on behalf of a job. It runs only while the claim holds, and says what becomes of the job: None, it is done.

    ``after`` is how long it then waits; None: no longer than it did. ``attempts`` None: this one counts; a number: so many count,
    as after one that did not fail but is not finished either.
    """

    job: Job
    then: JobState | None = None
    after: timedelta | None = None
    error: str | None = None
    attempts: int | None = None


class Writer(Protocol):
    """The only way to change anything."""

    async def submit(self, command: Command[R], *, returns: type[R], once: Once | None = None, fenced: Fenced | None = None) -> R:
        """Have a command decided and its changes made durable, together with whatever else is waiting.

        Raises:
            Refusal: The command refused, the key was used for something else, or too much is waiting.
            LostClaim: Another worker has the job by now.
        """


class LostClaim(Exception):
    """The job's lease ran out and somebody else claimed it: whatever was found out is theirs to say."""


# ---------------------------------------------------------------------------------------------- reading
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders; an empty part does not narrow."""

    status: frozenset[OrderStatus] = frozenset()
    channel: frozenset[str] = frozenset()
    sku: frozenset[Sku] = frozenset()
    location: frozenset[LocationId] = frozenset()
    placed_from: datetime | None = None
    placed_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A page by key, never by offset. ``position`` is (placed at, id) of the order to go on from, exclusive."""

    size: int
    newest_first: bool = True
    position: tuple[datetime, OrderId] | None = None
    backward: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPage:
    """Orders in the order asked for, and whether there are more on either side."""

    orders: tuple[Order, ...]
    has_next: bool
    has_previous: bool
    event_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWork:
    """A request that a source has and that is not finished."""

    order: OrderId
    work: FulfillmentOrderId
    remote_ref: RemoteRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits, for the operator."""

    jobs_ready: int = 0
    jobs_dead: int = 0
    events_unsequenced: int = 0


class Store(Protocol):
    """What is known, read without locks."""

    async def order(self, order: OrderId) -> Order | None:
        """That order."""

    async def order_as_of(self, order: OrderId, at: datetime) -> Order | None:
        """That order as the newest event at or before that instant left it. None before it was placed.

        Raises:
            NoLongerKnown: The events of that time are not kept any more.
        """

    async def orders_by_id(self, orders: Collection[OrderId]) -> Mapping[OrderId, Order]:
        """Those of these orders that exist."""

    async def find_order(self, *, number: str | None = None, external: tuple[str, str] | None = None) -> OrderId | None:
        """The order with that number, or that a channel knows under that id."""

    async def order_of_work(self, work: FulfillmentOrderId) -> OrderId | None:
        """The order that this work belongs to."""

    async def orders_of_works(self, works: Collection[FulfillmentOrderId]) -> Mapping[FulfillmentOrderId, OrderId]:
        """The orders that these belong to; what does not exist is left out."""

    async def page(self, which: OrderFilter, page: PageRequest) -> OrderPage:
        """One page of orders."""

    async def count(self, which: OrderFilter, *, at_most: int) -> int:
        """How many there are, counted no further than ``at_most``."""

    async def decisions(self, orders: Collection[OrderId]) -> Mapping[OrderId, tuple[DecisionRecord, ...]]:
        """How these orders were routed, oldest first."""

    async def decision(self, decision: str) -> DecisionRecord | None:
        """That decision."""

    async def past_decisions(self, *, before: str | None, limit: int) -> tuple[Past, ...]:
        """How orders were routed, the newest decision first, from before that one on."""

    async def policy(self, key: PolicyKey) -> RoutingPolicy | None:
        """That version of a routing policy."""

    async def policies_in_force(self) -> tuple[RoutingPolicy, ...]:
        """The versions of routing policies that are in force, one of each name at most."""

    async def policies(
        self, *, name: str | None, state: PolicyState | None, after: PolicyKey | None, limit: int
    ) -> tuple[RoutingPolicy, ...]:
        """Versions of that routing policy, or of all, in that state, or in any: by name, the newest version first."""

    async def world(self, digest: str) -> World | None:
        """What decisions were made in, by its digest."""

    async def newest_price_book(self) -> PriceBook | None:
        """The newest prices of scarce stock."""

    async def reservation(self, reservation: ReservationId) -> Reservation | None:
        """That hold."""

    async def due_reservations(self, *, limit: int) -> frozenset[ReservationId]:
        """Holds whose time is up and that nobody has ended yet."""

    async def shelves(self, skus: Collection[Sku]) -> Mapping[ShelfKey, Shelf]:
        """Our promises on these SKUs, without those of expired holds; pairs without any are left out."""

    async def promises_as_of(self, skus: Collection[Sku], at: datetime) -> Mapping[ShelfKey, Shelf]:
        """What was held and committed of these SKUs at that instant, by the ledger; pairs without any entry are left out."""

    async def epochs(self) -> Mapping[SourceName, int]:
        """How many acknowledgments of each source have been committed."""

    async def locations(self) -> tuple[Location, ...]:
        """Every place that was ever seen."""

    async def open_work(self, source: SourceName, *, after: FulfillmentOrderId | None, limit: int) -> tuple[OpenWork, ...]:
        """Requests this source has not finished, by id."""

    async def open_work_at(self, location: LocationId, sku: Sku, *, limit: int) -> tuple[OrderId, ...]:
        """Orders with that SKU that have unfinished work there, of whatever SKU; the newest work first."""

    async def work_by_ref(self, source: SourceName, remote_ref: str) -> OpenWork | None:
        """The work that this source knows under that name."""

    async def timeline(self, order: OrderId, *, after_version: int, limit: int) -> tuple[OrderEvent, ...]:
        """What happened to that order, oldest first."""

    async def events(self, *, after: int, limit: int) -> tuple[OrderEvent, ...]:
        """Sequenced events, oldest first."""

    async def event_bounds(self) -> tuple[int, int]:
        """The oldest sequence number kept and the newest given; (0, 0) before the first."""

    async def jobs(self, state: JobState, *, after: str | None, limit: int) -> tuple[JobRecord, ...]:
        """Jobs in that state, oldest first."""

    async def job(self, job: str) -> JobRecord | None:
        """That job, if it is not done."""

    async def dead_jobs_of(self, subject: str) -> tuple[JobRecord, ...]:
        """Jobs about that which were given up."""

    async def backlog(self) -> Backlog:
        """What waits."""


class Works(Protocol):
    """All work there ever was, for whoever asks sources about it."""

    async def at(self, source: SourceName, *, after: FulfillmentOrderId | None, limit: int) -> tuple[FulfillmentOrder, ...]:
        """Work of that source, by id."""

    async def find(self, work: FulfillmentOrderId) -> FulfillmentOrder | None:
        """That work as it is now."""


class Upkeep(Protocol):
    """The chores behind the promises. Each is one short transaction."""

    async def remember_locations(self, locations: Sequence[Location]) -> None:
        """Keep what places there are, for the day their source is silent."""

    async def remember_world(self, world: World) -> None:
        """Keep what decisions are made in, unless it is kept already."""

    async def keep_price_book(self, book: PriceBook) -> None:
        """Keep that book, and forget those long before it. Another gateway's of the same version stays."""

    async def claim_jobs(self, *, limit: int, lease_s: float) -> tuple[Job, ...]:
        """Take jobs that are due, at most one of a lane, for so many seconds."""

    async def release_jobs(self) -> None:
        """Let go of all claims, where nobody else can be at work: a job that a crash cut short need not wait for its lease."""

    async def sequence_events(self, *, limit: int) -> int:
        """Give the next sequence numbers to events that have none, in the order they were written. Returns how many."""

    async def forget(self, *, events_before: datetime, requests_before: datetime) -> int:
        """Drop events and idempotency keys past their retention. Returns how many rows."""
