"""The chores behind the promises: claiming jobs, sequencing events, forgetting what nobody will ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.locations import Location
from gateway.domain.pricing import PriceBook
from gateway.domain.reservations import ReservationState
from gateway.domain.routing import World
from gateway.domain.tasks import Job
from gateway.storage import claims
from gateway.storage.documents import document, micros
from gateway.storage.statements import keep
from gateway.storage.tables import event, location, price_book, relay, request, reservation, routing_input
from gateway.storage.writer import GroupCommitWriter

FORGET_ROWS_MAX: Final = 5_000
EVENTS: Final = "events"
PRICE_BOOKS_KEPT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlUpkeep:
    """Each method is a part of one of the writer's transactions: there is no other way to write."""

    writer: GroupCommitWriter

    async def remember_locations(self, locations: Sequence[Location]) -> None:
        """Keep what places there are, for the day their source is silent."""
        rows = [(each.id, each.source, document(each)) for each in sorted(locations, key=lambda each: each.id)]

        async def remember(connection: AsyncConnection) -> None:
            await keep(connection, location, rows, newer=("body",))

        if rows:
            await self.writer.attend(remember)

    async def remember_world(self, world: World) -> None:
        """Keep what decisions are made in, unless it is kept already: what is found by its digest is always the same."""

        async def remember(connection: AsyncConnection) -> None:
            await keep(connection, routing_input, [(world.digest, world.body)], newer=("body",))

        await self.writer.attend(remember)

    async def keep_price_book(self, book: PriceBook) -> None:
        """Keep that book, and forget those long before it. Another gateway's of the same version stays."""

        async def remember(connection: AsyncConnection) -> None:
            await keep(connection, price_book, [(book.version, micros(book.built_at), document(book))], newer=("version",))
            await connection.execute(delete(price_book).where(price_book.c.version <= book.version - PRICE_BOOKS_KEPT))

        await self.writer.attend(remember)

    async def claim_jobs(self, *, limit: int, lease_s: float) -> tuple[Job, ...]:
        """Take jobs that are due, at most one of a lane, for so many seconds."""

        async def claim(connection: AsyncConnection) -> tuple[Job, ...]:
            return await claims.claim(connection, limit=limit, lease=timedelta(seconds=lease_s))

        return await self.writer.attend(claim)

    async def release_jobs(self) -> None:
        """Let go of all claims of a process that died, where nobody but us can be at work."""
        if not self.writer.database.shared:
            await self.writer.attend(claims.release)

    async def sequence_events(self, *, limit: int) -> int:
        """Give the next sequence numbers to events that have none. One gateway does it at a time; the others need not wait.

        They are given after the fact: rows are numbered before their transaction commits, so that the newest is no proof that all
        before it are there.
        """

        async def sequence(connection: AsyncConnection) -> int:
            newest = (await connection.execute(_LAST)).scalar()
            if newest is None:
                return 0
            numbers = [row[0] for row in await connection.execute(_WAITING, {"many": limit})]
            if numbers:
                stamps = [{"event_number": each, "next_seq": place} for place, each in enumerate(numbers, start=newest + 1)]
                await connection.execute(_STAMP, stamps)
                await connection.execute(_MOVE_ON, {"to": newest + len(numbers)})
            return len(numbers)

        return await self.writer.attend(sequence)

    async def forget(self, *, events_before: datetime, requests_before: datetime) -> int:
        """Drop events, idempotency keys and ended holds past their retention, so many at a time; the newest event always stays.

        Events go in the order of their numbers, up to the first that is kept: followers find no gap, whatever clocks said.
        """
        newest = select(relay.c.seq).where(relay.c.name == EVENTS).scalar_subquery()
        kept = (
            select(event.c.seq).where(event.c.at >= micros(events_before), event.c.seq.is_not(None)).order_by(event.c.seq).limit(1)
        )
        first_kept = func.coalesce(kept.scalar_subquery(), newest)
        old_events = select(event.c.number).where(event.c.seq < first_kept).order_by(event.c.seq).limit(FORGET_ROWS_MAX)
        old_holds = (
            select(reservation.c.id)
            .where(reservation.c.state != ReservationState.ACTIVE, reservation.c.expires_at < micros(requests_before))
            .limit(FORGET_ROWS_MAX)
        )

        async def forget(connection: AsyncConnection) -> int:
            gone = [
                await connection.execute(delete(event).where(event.c.number.in_(old_events))),
                await connection.execute(delete(request).where(request.c.at < micros(requests_before))),
                await connection.execute(delete(reservation).where(reservation.c.id.in_(old_holds))),
            ]
            return sum(each.rowcount for each in gone)

        return await self.writer.attend(forget)


_STAMP: Final = update(event).where(event.c.number == bindparam("event_number")).values(seq=bindparam("next_seq"))
_LAST: Final = select(relay.c.seq).where(relay.c.name == EVENTS).with_for_update(skip_locked=True)
_WAITING: Final = (
    select(event.c.number).where(event.c.seq.is_(None)).order_by(event.c.number).limit(bindparam("many", type_=BigInteger))
)
_MOVE_ON: Final = update(relay).where(relay.c.name == EVENTS).values(seq=bindparam("to", type_=BigInteger))
