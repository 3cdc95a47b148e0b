"""The chores behind the promises: claiming jobs, sequencing events, forgetting what nobody will ask for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.locations import Location
from gateway.domain.reservations import ReservationState
from gateway.domain.tasks import Job
from gateway.storage import claims
from gateway.storage.documents import document, micros
from gateway.storage.statements import among, keep
from gateway.storage.tables import event, location, relay, request, reservation
from gateway.storage.writer import GroupCommitWriter

FORGET_ROWS_MAX: Final = 5_000
EVENTS: Final = "events"


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

        Numbers are given after the fact: ids are made before their transaction commits, so that the newest id is no proof that all
        before it are there. Ids come from many clocks: within one order, versions say what came first.
        """

        async def sequence(connection: AsyncConnection) -> int:
            last = select(relay.c.seq).where(relay.c.name == EVENTS).with_for_update(skip_locked=True)
            newest = (await connection.execute(last)).scalar()
            if newest is None:
                return 0
            ids = await _in_turn(connection, limit)
            if ids:
                numbered = [{"event_id": each, "next_seq": place} for place, each in enumerate(ids, start=newest + 1)]
                await connection.execute(_NUMBER, numbered)
                await connection.execute(update(relay).where(relay.c.name == EVENTS).values(seq=newest + len(ids)))
            return len(ids)

        return await self.writer.attend(sequence)

    async def forget(self, *, events_before: datetime, requests_before: datetime) -> int:
        """Drop events, idempotency keys and ended holds past their retention, so many at a time; the newest event always stays."""
        newest = select(relay.c.seq).where(relay.c.name == EVENTS).scalar_subquery()
        old_events = select(event.c.id).where(event.c.at < micros(events_before), event.c.seq < newest).limit(FORGET_ROWS_MAX)
        old_holds = (
            select(reservation.c.id)
            .where(reservation.c.state != ReservationState.ACTIVE, reservation.c.expires_at < micros(requests_before))
            .limit(FORGET_ROWS_MAX)
        )

        async def forget(connection: AsyncConnection) -> int:
            gone = [
                await connection.execute(delete(event).where(event.c.id.in_(old_events))),
                await connection.execute(delete(request).where(request.c.at < micros(requests_before))),
                await connection.execute(delete(reservation).where(reservation.c.id.in_(old_holds))),
            ]
            return sum(each.rowcount for each in gone)

        return await self.writer.attend(forget)


_NUMBER: Final = update(event).where(event.c.id == bindparam("event_id")).values(seq=bindparam("next_seq"))


async def _in_turn(connection: AsyncConnection, limit: int) -> list[str]:
    """Events without a number, by id, but none before an older version of its order."""
    columns = select(event.c.id, event.c.order_id, event.c.version).where(event.c.seq.is_(None))
    waiting = (await connection.execute(columns.order_by(event.c.id).limit(limit))).all()
    if not waiting:
        return []
    orders = {row.order_id for row in waiting}
    versions: dict[str, list[Any]] = {}
    for row in await connection.execute(columns.where(among(event.c.order_id, orders)).order_by(event.c.version)):
        versions.setdefault(row.order_id, []).append(row)
    return list(dict.fromkeys(_older_first(waiting, versions)))


def _older_first(waiting: Iterable[Any], versions: dict[str, list[Any]]) -> Iterable[str]:
    for row in waiting:
        yield from (each.id for each in versions[row.order_id] if each.version <= row.version)
