"""The chores behind the promises: claiming jobs, sequencing events, forgetting what nobody will ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from gateway.domain.locations import Location
from gateway.domain.tasks import Job
from gateway.ports import Clock
from gateway.storage import claims
from gateway.storage.database import Database, whole
from gateway.storage.documents import document, micros
from gateway.storage.tables import event, location, request

FORGET_ROWS_MAX = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlUpkeep:
    """Each method is one short transaction on the writing connection."""

    database: Database
    clock: Clock

    @whole
    async def remember_locations(self, locations: Sequence[Location]) -> None:
        """Keep what places there are, for the day their source is silent."""
        if not locations:
            return
        statement = upsert(location)
        newer = statement.on_conflict_do_update(index_elements=[location.c.id], set_={"body": statement.excluded.body})
        async with self.database.writing.begin() as connection:
            await connection.execute(newer, [{"id": each.id, "source": each.source, "body": document(each)} for each in locations])

    @whole
    async def claim_jobs(self, *, limit: int, lease_s: float) -> tuple[Job, ...]:
        """Take jobs that are due, at most one of a lane, for so many seconds."""
        async with self.database.writing.begin() as connection:
            return await claims.claim(connection, now=self.clock.now(), limit=limit, lease=timedelta(seconds=lease_s))

    @whole
    async def release_jobs(self) -> None:
        """Let go of all claims of a process that died."""
        async with self.database.writing.begin() as connection:
            await claims.release(connection)

    @whole
    async def sequence_events(self, *, limit: int) -> int:
        """Give the next sequence numbers to events that have none, in the order they were written.

        Numbers are given after the fact by one relay: ids are made before their transaction commits, so that the newest id is no
        proof that all before it are there.
        """
        async with self.database.writing.begin() as connection:
            waiting = select(event.c.id).where(event.c.seq.is_(None)).order_by(event.c.id).limit(limit)
            ids = [row[0] for row in await connection.execute(waiting)]
            if not ids:
                return 0
            newest = (await connection.execute(select(func.max(event.c.seq)))).scalar() or 0
            numbered = [{"event_id": each, "next_seq": newest + place} for place, each in enumerate(ids, start=1)]
            await connection.execute(
                update(event).where(event.c.id == bindparam("event_id")).values(seq=bindparam("next_seq")), numbered
            )
        return len(ids)

    @whole
    async def forget(self, *, events_before: datetime, requests_before: datetime) -> int:
        """Drop events and idempotency keys past their retention, so many at a time; the newest event always stays."""
        newest = select(func.max(event.c.seq)).scalar_subquery()
        old_events = select(event.c.id).where(event.c.at < micros(events_before), event.c.seq < newest).limit(FORGET_ROWS_MAX)
        old_requests = delete(request).where(request.c.at < micros(requests_before))
        async with self.database.writing.begin() as connection:
            events = await connection.execute(delete(event).where(event.c.id.in_(old_events)))
            requests = await connection.execute(old_requests)
        return events.rowcount + requests.rowcount
