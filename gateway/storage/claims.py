"""Jobs: claimed under a lease, finished only by whoever holds the newest claim."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Integer, and_, bindparam, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.tasks import Job, JobKind, JobState, NewJob
from gateway.ports import Fenced, NewId
from gateway.storage.documents import micros
from gateway.storage.tables import job

ERROR_CHARACTERS_MAX = 500

Claim = tuple[str, int]


def claim_of(taken: Job) -> Claim:
    """What tells this claim from any other on the same job."""
    return taken.id, taken.fence


async def claim(connection: AsyncConnection, *, now: datetime, limit: int, lease: timedelta) -> tuple[Job, ...]:
    """Take jobs that are due and that nobody works on, the oldest of each lane, and only where that one is due.

    A lane is a queue: what comes later (stop!) must not overtake what came first (do it!).
    """
    first = select(func.min(job.c.id)).where(job.c.state == JobState.READY).group_by(job.c.lane).scalar_subquery()
    due = (
        select(job.c.id)
        .where(job.c.state == JobState.READY, job.c.run_at <= micros(now), job.c.leased_until <= micros(now), job.c.id.in_(first))
        .order_by(job.c.run_at)
        .limit(limit)
    )
    ids = [row[0] for row in await connection.execute(due)]
    if not ids:
        return ()
    taken = (
        update(job)
        .where(job.c.id.in_(ids))
        .values(attempt=job.c.attempt + 1, fence=job.c.fence + 1, leased_until=micros(now + lease))
        .returning(job.c.id, job.c.kind, job.c.subject, job.c.attempt, job.c.fence)
    )
    rows = await connection.execute(taken)
    return tuple(
        Job(id=row.id, kind=JobKind(row.kind), subject=row.subject, attempt=row.attempt, fence=row.fence)
        for row in sorted(rows, key=lambda row: str(row.id))
    )


async def release(connection: AsyncConnection) -> None:
    """Let go of every claim: whoever held one is gone."""
    await connection.execute(update(job).where(job.c.leased_until > 0).values(leased_until=0))


async def held(connection: AsyncConnection, jobs: Sequence[Job]) -> set[Claim]:
    """Which of these claims are still good."""
    if not jobs:
        return set()
    good = select(job.c.id, job.c.fence).where(
        and_(tuple_(job.c.id, job.c.fence).in_([claim_of(each) for each in jobs]), job.c.state == JobState.READY)
    )
    return {(row.id, row.fence) for row in await connection.execute(good)}


async def finish(connection: AsyncConnection, finished: Sequence[Fenced]) -> None:
    """Say what becomes of these jobs."""
    if finished:
        rows = [
            {
                "job_id": each.job.id,
                "now_state": each.then,
                "why": (each.error or "")[:ERROR_CHARACTERS_MAX] or None,
                "next_at": None if each.run_at is None else micros(each.run_at),
                "attempts": each.attempts,
            }
            for each in finished
        ]
        await connection.execute(_FINISH, rows)


_FINISH = (
    update(job)
    .where(job.c.id == bindparam("job_id"))
    .values(
        state=bindparam("now_state"),
        leased_until=0,
        error=bindparam("why"),
        run_at=func.coalesce(bindparam("next_at", type_=BigInteger), job.c.run_at),
        attempt=func.coalesce(bindparam("attempts", type_=Integer), job.c.attempt),
    )
)


async def enqueue(connection: AsyncConnection, new: Sequence[NewJob], new_id: NewId) -> None:
    """Put these at the end of their lanes."""
    if new:
        rows = [
            {
                "id": new_id(),
                "kind": each.kind,
                "subject": each.subject,
                "lane": each.lane,
                "state": JobState.READY,
                "run_at": micros(each.run_at),
                "attempt": 0,
                "fence": 0,
                "leased_until": 0,
            }
            for each in new
        ]
        await connection.execute(insert(job), rows)
