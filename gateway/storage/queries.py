"""What is known, read without locks from a snapshot of its own."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, and_, bindparam, case, exists, func, literal, or_, select, union_all

from connectors.contract import RemoteRef, Sku
from gateway.domain.books import Bucket, ShelfKey
from gateway.domain.events import OrderEvent
from gateway.domain.identity import FulfillmentOrderId, LocationId, OrderId, ReservationId, SourceName
from gateway.domain.locations import Location
from gateway.domain.orders import Order
from gateway.domain.policies import PolicyKey, PolicyState, RoutingPolicy
from gateway.domain.pricing import PriceBook
from gateway.domain.refusals import NoLongerKnown
from gateway.domain.reservations import Reservation
from gateway.domain.routing import World
from gateway.domain.sourcing import DecisionRecord
from gateway.domain.stock import Shelf
from gateway.domain.tasks import JobRecord, JobState
from gateway.domain.whatif import Past
from gateway.ports import Backlog, OpenWork, OrderFilter, OrderPage, PageRequest
from gateway.storage.claims import DIGITS_MAX, record_of
from gateway.storage.database import Database, question
from gateway.storage.documents import instant, micros, read
from gateway.storage.ledgers import load_epochs, load_orders, load_reservations, load_shelves
from gateway.storage.statements import among, store_now
from gateway.storage.tables import (
    decision,
    event,
    hold,
    job,
    ledger,
    location,
    order,
    order_sku,
    price_book,
    routing_input,
    routing_policy,
    work,
)

Query = Any  # a Select; its type parameters differ between SQLAlchemy 2.0 and 2.1
Found = Any  # a Row of it

NOTHING_GIVEN: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlStore:
    """Every method is one short snapshot."""

    database: Database

    # ------------------------------------------------------------------------------------------ orders
    async def order(self, order: OrderId) -> Order | None:
        """That order."""
        return (await self.orders_by_id((order,))).get(order)

    async def order_as_of(self, order_id: OrderId, at: datetime) -> Order | None:
        """That order as the newest event at or before that instant left it. None before it was placed."""
        known = await self.order(order_id)
        if known is None or known.placed_at > at:
            return None
        own = select(event.c.body, event.c.at).where(event.c.order_id == order_id)
        then = await self._first(own.where(event.c.at <= micros(at)).order_by(event.c.version.desc()).limit(1))
        if then is not None:
            return read(then.body, Order)
        oldest_own = await self._first(own.order_by(event.c.version).limit(1))
        oldest = oldest_own or await self._first(select(event.c.at).where(event.c.seq.is_not(None)).order_by(event.c.seq).limit(1))
        if oldest_own is None and oldest is not None and micros(at) >= oldest.at:
            return known  # nothing has happened to it for longer than events are kept
        raise NoLongerKnown(oldest_at=known.placed_at if oldest is None else instant(oldest.at), path=("asOf",))

    @question
    async def orders_by_id(self, orders: Collection[OrderId]) -> Mapping[OrderId, Order]:
        """Those of these orders that exist."""
        async with self.database.reading.connect() as connection:
            return await load_orders(connection, orders)

    async def find_order(self, *, number: str | None = None, external: tuple[str, str] | None = None) -> OrderId | None:
        """The order with that number, or that a channel knows under that id."""
        query = select(order.c.id)
        if external is None:
            query = query.where(order.c.number == number)
        else:
            query = query.where(order.c.channel == external[0], order.c.external_id == external[1])
        found = await self._first(query)
        return None if found is None else OrderId(found[0])

    async def order_of_work(self, fulfillment_order: FulfillmentOrderId) -> OrderId | None:
        """The order that this work belongs to."""
        found = await self._first(_ORDER_OF_WORK, {"work": fulfillment_order})
        return None if found is None else OrderId(found[0])

    @question
    async def orders_of_works(self, works: Collection[FulfillmentOrderId]) -> Mapping[FulfillmentOrderId, OrderId]:
        """The orders that these belong to; what does not exist is left out."""
        query = select(work.c.id, work.c.order_id).where(among(work.c.id, works))
        async with self.database.reading.connect() as connection:
            return {FulfillmentOrderId(row[0]): OrderId(row[1]) for row in await connection.execute(query)}

    @question
    async def page(self, which: OrderFilter, page: PageRequest) -> OrderPage:
        """One page of orders, by key: as fast on the last page as on the first."""
        descending = page.newest_first is not page.backward
        keys = (order.c.placed_at, order.c.id)
        query = _narrowed(select(order.c.body), which)
        if page.position is not None:
            at, last = micros(page.position[0]), page.position[1]
            beyond = (order.c.placed_at < at, order.c.id < last) if descending else (order.c.placed_at > at, order.c.id > last)
            query = query.where(or_(beyond[0], and_(order.c.placed_at == at, beyond[1])))
        query = query.order_by(*(key.desc() if descending else key.asc() for key in keys)).limit(page.size + 1)
        async with self.database.reading.connect() as connection:
            newest = (await connection.execute(_NEWEST)).scalar()
            rows = (await connection.execute(query)).all()
        orders = tuple(read(row[0], Order) for row in rows[: page.size])
        more, positioned = len(rows) > page.size, page.position is not None
        return OrderPage(
            orders=tuple(reversed(orders)) if page.backward else orders,
            has_next=positioned if page.backward else more,
            has_previous=more if page.backward else positioned,
            event_seq=newest or 0,
        )

    async def count(self, which: OrderFilter, *, at_most: int) -> int:
        """How many there are, counted no further than ``at_most``."""
        few = _narrowed(select(order.c.id), which).limit(at_most).subquery()
        found = await self._first(select(func.count()).select_from(few))
        return int(found[0]) if found is not None else 0

    @question
    async def decisions(self, orders: Collection[OrderId]) -> Mapping[OrderId, tuple[DecisionRecord, ...]]:
        """How these orders were routed, oldest first."""
        query = select(decision.c.order_id, decision.c.body).where(decision.c.order_id.in_(sorted(orders))).order_by(decision.c.id)
        found: dict[OrderId, tuple[DecisionRecord, ...]] = {}
        async with self.database.reading.connect() as connection:
            for row in await connection.execute(query):
                found[row.order_id] = (*found.get(row.order_id, ()), read(row.body, DecisionRecord))
        return found

    async def decision(self, decision_id: str) -> DecisionRecord | None:
        """That decision."""
        found = await self._first(select(decision.c.body).where(decision.c.id == decision_id))
        return None if found is None else read(found[0], DecisionRecord)

    @question
    async def past_decisions(self, *, before: str | None, limit: int) -> tuple[Past, ...]:
        """How orders were routed, the newest decision first, from before that one on: ids sort by time of making."""
        query = select(decision.c.body).order_by(decision.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(decision.c.id < before)
        async with self.database.reading.connect() as connection:
            return tuple(read(row[0], Past) for row in await connection.execute(query))

    async def policy(self, key: PolicyKey) -> RoutingPolicy | None:
        """That version of a routing policy."""
        found = await self._first(_POLICIES.where(routing_policy.c.name == key[0], routing_policy.c.version == key[1]))
        return None if found is None else read(found[0], RoutingPolicy)

    async def world(self, digest: str) -> World | None:
        """What decisions were made in, by its digest."""
        found = await self._first(_WORLD, {"digest": digest})
        return None if found is None else read(found[0], World)

    @question
    async def policies_in_force(self) -> tuple[RoutingPolicy, ...]:
        """The versions of routing policies that are in force, one of each name at most."""
        async with self.database.reading.connect() as connection:
            return tuple(read(row[0], RoutingPolicy) for row in await connection.execute(_IN_FORCE))

    @question
    async def policies(
        self, *, name: str | None, state: PolicyState | None, after: PolicyKey | None, limit: int
    ) -> tuple[RoutingPolicy, ...]:
        """Versions of that routing policy, or of all, in that state, or in any: by name, the newest version first."""
        table = routing_policy.c
        query = _POLICIES.limit(limit)
        if name is not None:
            query = query.where(table.name == name)
        if state is not None:
            query = query.where(table.state == state)
        if after is not None:
            query = query.where(or_(table.name > after[0], and_(table.name == after[0], table.version < after[1])))
        async with self.database.reading.connect() as connection:
            return tuple(read(row[0], RoutingPolicy) for row in await connection.execute(query))

    async def newest_price_book(self) -> PriceBook | None:
        """The newest prices of scarce stock."""
        found = await self._first(select(price_book.c.body).order_by(price_book.c.version.desc()).limit(1))
        return None if found is None else read(found[0], PriceBook)

    # ------------------------------------------------------------------------------------------ promises
    @question
    async def reservation(self, reservation: ReservationId) -> Reservation | None:
        """That hold."""
        async with self.database.reading.connect() as connection:
            return (await load_reservations(connection, (reservation,))).get(reservation)

    @question
    async def due_reservations(self, *, limit: int) -> frozenset[ReservationId]:
        """Holds whose time is up and that nobody has ended yet."""
        async with self.database.reading.connect() as connection:
            return frozenset(ReservationId(row[0]) for row in await connection.execute(_DUE, {"many": limit}))

    @question
    async def shelves(self, skus: Collection[Sku]) -> Mapping[ShelfKey, Shelf]:
        """Our promises on these SKUs, without those of expired holds."""
        async with self.database.reading.connect() as connection:
            return await load_shelves(connection, skus)

    @question
    async def promises_as_of(self, skus: Collection[Sku], at: datetime) -> Mapping[ShelfKey, Shelf]:
        """What was held and committed of these SKUs at that instant, by the ledger.

        Holds that ran out by then, and that nobody has ended yet, have no entry that says so.
        """
        posted = select(ledger.c.sku, ledger.c.location_id, ledger.c.bucket, ledger.c.units).where(
            among(ledger.c.sku, skus), ledger.c.at <= micros(at)
        )
        over = select(hold.c.sku, hold.c.location_id, literal(Bucket.HELD.value), -hold.c.units).where(
            among(hold.c.sku, skus), hold.c.expires_at <= micros(at)
        )
        entry = union_all(posted, over).subquery()
        key = (entry.c.sku, entry.c.location_id)
        sums = [func.sum(case((entry.c.bucket == bucket.value, entry.c.units), else_=0)) for bucket in Bucket]
        async with self.database.reading.connect() as connection:
            rows = (await connection.execute(select(*key, *sums).group_by(*key))).all()
        return {
            (Sku(sku), LocationId(place)): Shelf(
                sku=Sku(sku), location=LocationId(place), held_units=int(held), committed_units=int(committed)
            )
            for sku, place, held, committed in rows
        }

    @question
    async def epochs(self) -> Mapping[SourceName, int]:
        """How many acknowledgments of each source have been committed."""
        async with self.database.reading.connect() as connection:
            return await load_epochs(connection)

    # ------------------------------------------------------------------------------------------ places and their work
    @question
    async def locations(self) -> tuple[Location, ...]:
        """Every place that was ever seen."""
        async with self.database.reading.connect() as connection:
            rows = await connection.execute(select(location.c.body).order_by(location.c.id))
            return tuple(read(row[0], Location) for row in rows)

    @question
    async def open_work(self, source: SourceName, *, after: FulfillmentOrderId | None, limit: int) -> tuple[OpenWork, ...]:
        """Requests this source has not finished, by id."""
        asked = {"source": source, "after": after or "", "many": limit}
        async with self.database.reading.connect() as connection:
            return tuple(_open_work(row) for row in await connection.execute(_OPEN_WORK, asked))

    @question
    async def open_work_at(self, location_id: LocationId, sku: Sku, *, limit: int) -> tuple[OrderId, ...]:
        """Orders with that SKU that have unfinished work there, of whatever SKU; the newest work first."""
        query = (
            select(work.c.order_id)
            .join(order_sku, order_sku.c.order_id == work.c.order_id)
            .where(work.c.location_id == location_id, work.c.is_followed == 1, order_sku.c.sku == sku)
            .order_by(work.c.id.desc())
            .limit(limit)
        )
        async with self.database.reading.connect() as connection:
            return tuple(dict.fromkeys(OrderId(row[0]) for row in await connection.execute(query)))

    async def work_by_ref(self, source: SourceName, remote_ref: str) -> OpenWork | None:
        """The work that this source knows under that name."""
        found = await self._first(select(work).where(work.c.source == source, work.c.remote_ref == remote_ref))
        return None if found is None else _open_work(found)

    # ------------------------------------------------------------------------------------------ events
    async def timeline(self, order: OrderId, *, after_version: int, limit: int) -> tuple[OrderEvent, ...]:
        """What happened to that order, oldest first; what has no sequence number yet is left out."""
        return await self._events(_TIMELINE, {"order": order, "after": after_version, "many": limit})

    async def events(self, *, after: int, limit: int) -> tuple[OrderEvent, ...]:
        """Sequenced events, oldest first."""
        return await self._events(_EVENTS, {"after": after, "many": limit})

    async def event_bounds(self) -> tuple[int, int]:
        """The oldest sequence number kept and the newest given."""
        found = await self._first(_BOUNDS)
        return (found[0] or 0, found[1] or 0) if found is not None else (0, 0)

    @question
    async def jobs(self, state: JobState, *, after: str | None, limit: int) -> tuple[JobRecord, ...]:
        """Jobs in that state, oldest first."""
        query = select(job).where(job.c.state == state).order_by(job.c.number).limit(limit)
        if after is not None:
            query = query.where(job.c.number > int(after))
        async with self.database.reading.connect() as connection:
            return tuple(record_of(row) for row in await connection.execute(query))

    async def job(self, job_id: str) -> JobRecord | None:
        """That job, if it is not done."""
        if not (job_id.isascii() and job_id.isdecimal() and len(job_id) < DIGITS_MAX):
            return None
        found = await self._first(select(job).where(job.c.number == int(job_id)))
        return None if found is None else record_of(found)

    @question
    async def dead_jobs_of(self, subject: str) -> tuple[JobRecord, ...]:
        """Jobs about that which were given up."""
        query = select(job).where(job.c.state == JobState.DEAD, job.c.subject == subject)
        async with self.database.reading.connect() as connection:
            return tuple(record_of(row) for row in await connection.execute(query))

    @question
    async def backlog(self) -> Backlog:
        """What waits."""
        waiting = select(job.c.kind, job.c.state, func.count()).group_by(job.c.kind, job.c.state)
        async with self.database.reading.connect() as connection:
            rows = (await connection.execute(waiting)).all()
            silent = (await connection.execute(select(func.count()).where(event.c.seq.is_(None)))).scalar()
        return Backlog(
            jobs_ready=sum(count for _, state, count in rows if state == JobState.READY),
            jobs_dead=sum(count for _, state, count in rows if state == JobState.DEAD),
            events_unsequenced=silent or 0,
        )

    @question
    async def _events(self, query: Query, given: Mapping[str, Any]) -> tuple[OrderEvent, ...]:
        async with self.database.reading.connect() as connection:
            return tuple(
                OrderEvent(
                    id=f"{row.order_id}:{row.version}",
                    seq=row.seq,
                    type=row.type,
                    occurred_at=instant(row.at),
                    order=read(row.body, Order),
                    actor=row.actor,
                    cause=row.cause,
                )
                for row in await connection.execute(query, given)
            )

    @question
    async def _first(self, query: Query, given: Mapping[str, Any] = NOTHING_GIVEN) -> Found | None:
        async with self.database.reading.connect() as connection:
            return (await connection.execute(query, given)).first()


# What is asked all the time is made once: making a statement takes longer than having it executed.
_MANY: Final = bindparam("many", type_=BigInteger)
_ORDER_OF_WORK: Final = select(work.c.order_id).where(work.c.id == bindparam("work"))
_POLICIES: Final = select(routing_policy.c.body).order_by(routing_policy.c.name, routing_policy.c.version.desc())
_IN_FORCE: Final = _POLICIES.where(routing_policy.c.state == PolicyState.ACTIVE)
_WORLD: Final = select(routing_input.c.body).where(routing_input.c.hash == bindparam("digest"))
_NEWEST: Final = select(func.max(event.c.seq))
_BOUNDS: Final = select(func.min(event.c.seq), func.max(event.c.seq))
_EVENTS: Final = select(event).where(event.c.seq > bindparam("after")).order_by(event.c.seq).limit(_MANY)
_TIMELINE: Final = (
    select(event)
    .where(event.c.order_id == bindparam("order"), event.c.version > bindparam("after"), event.c.seq.is_not(None))
    .order_by(event.c.version)
    .limit(_MANY)
)
_DUE: Final = select(hold.c.reservation_id).distinct().where(hold.c.expires_at <= store_now()).limit(_MANY)
_OPEN_WORK: Final = (
    select(work)
    .where(
        work.c.source == bindparam("source"),
        work.c.is_followed == 1,
        work.c.remote_ref.is_not(None),
        work.c.id > bindparam("after"),
    )
    .order_by(work.c.id)
    .limit(_MANY)
)


def _narrowed(query: Query, which: OrderFilter) -> Query:
    """The same query over fewer orders."""
    columns = {order.c.status: which.status, order.c.channel: which.channel}
    for column, wanted in columns.items():
        if wanted:
            query = query.where(column.in_(sorted(wanted)))
    if which.placed_from is not None:
        query = query.where(order.c.placed_at >= micros(which.placed_from))
    if which.placed_to is not None:
        query = query.where(order.c.placed_at < micros(which.placed_to))
    if which.sku:
        query = query.where(exists().where(order_sku.c.order_id == order.c.id, order_sku.c.sku.in_(sorted(which.sku))))
    if which.location:
        query = query.where(exists().where(work.c.order_id == order.c.id, work.c.location_id.in_(sorted(which.location))))
    return query


def _open_work(row: Found) -> OpenWork:
    return OpenWork(order=OrderId(row.order_id), work=FulfillmentOrderId(row.id), remote_ref=RemoteRef(row.remote_ref))
