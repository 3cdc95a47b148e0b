"""Jobs: claimed under a lease, finished only by whoever holds the newest claim. What is done is gone."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import BigInteger, Integer, bindparam, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.tasks import Job, JobKind, JobRecord, JobState, NewJob
from gateway.ports import Fenced
from gateway.storage.documents import instant, micros
from gateway.storage.statements import add, among, in_given, store_now
from gateway.storage.tables import job

ERROR_CHARACTERS_MAX: Final = 500
AFTER_AN_ATTEMPT: Final = 1
DIGITS_MAX: Final = 19
MICROSECOND: Final = timedelta(microseconds=1)

Claim = tuple[str, int]


def claim_of(taken: Job) -> Claim:
    """What tells this claim from any other on the same job."""
    return taken.id, taken.fence


async def claim(connection: AsyncConnection, *, limit: int, lease: timedelta) -> tuple[Job, ...]:
    """Take jobs that are due and that nobody works on, the first of each lane, and only where that one is due.

    A lane is a queue: what comes later (stop!) must not overtake what came first (do it!). Several gateways claim at once, and
    each leaves alone what another is about to take.
    """
    numbers = [row[0] for row in await connection.execute(_DUE, {"many": limit})]
    if not numbers:
        return ()
    rows = await connection.execute(_TAKE, {"numbers": numbers, "lease": lease // MICROSECOND})
    return tuple(
        Job(id=str(row.number), kind=JobKind(row.kind), subject=row.subject, attempt=row.attempt, fence=row.fence)
        for row in sorted(rows, key=lambda row: int(row.number))
    )


async def release(connection: AsyncConnection) -> None:
    """Let go of every claim: whoever held one is gone."""
    await connection.execute(update(job).where(job.c.leased_until > 0).values(leased_until=0))


async def held(connection: AsyncConnection, jobs: Sequence[Job]) -> set[Claim]:
    """Which of these claims are still good; nobody else can take those before the end of the transaction."""
    if not jobs:
        return set()
    rows = await connection.execute(_HELD, {"numbers": _numbers(each.id for each in jobs)})
    return {(str(row.number), row.fence) for row in rows} & {claim_of(each) for each in jobs}


async def load_jobs(connection: AsyncConnection, jobs: set[str]) -> dict[str, JobRecord]:
    """Those of these jobs that are not done, locked."""
    if not jobs:
        return {}
    known = select(job).where(among(job.c.number, _numbers(jobs))).order_by(job.c.number).with_for_update()
    return {str(row.number): record_of(row) for row in await connection.execute(known)}


def record_of(row: object) -> JobRecord:
    """The job in that row."""
    kept = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001  # rows have different types in SQLAlchemy 2.0 and 2.1
    return JobRecord(
        id=str(kept["number"]),
        kind=JobKind(kept["kind"]),
        subject=kept["subject"],
        state=JobState(kept["state"]),
        attempt=kept["attempt"],
        run_at=instant(kept["run_at"]),
        error=kept["error"],
    )


async def finish(connection: AsyncConnection, finished: Sequence[Fenced]) -> None:
    """Say what becomes of these jobs."""
    done = _numbers(each.job.id for each in finished if each.then is None)
    if done:
        await connection.execute(_DONE, {"numbers": done})
    rows = [
        {
            "job_number": int(each.job.id),
            "now_state": each.then,
            "why": (each.error or "")[:ERROR_CHARACTERS_MAX] or None,
            "wait": each.after // MICROSECOND if each.after is not None else None,
            "attempts": each.attempts,
        }
        for each in finished
        if each.then is not None
    ]
    if rows:
        await connection.execute(_COME_AGAIN, rows)


async def retry(connection: AsyncConnection, jobs: Sequence[JobRecord]) -> None:
    """Have dead jobs tried again, now."""
    if jobs:
        again = update(job).where(among(job.c.number, _numbers(each.id for each in jobs)))
        await connection.execute(again.values(state=JobState.READY, run_at=store_now(), leased_until=0, attempt=AFTER_AN_ATTEMPT))


async def enqueue(connection: AsyncConnection, new: Sequence[NewJob]) -> None:
    """Put these at the end of their lanes."""
    await add(
        connection,
        job,
        [(each.kind, each.subject, each.lane, JobState.READY, micros(each.run_at), 0, 0, 0, None) for each in new],
    )


def _numbers(ids: Iterable[str]) -> list[int]:
    """What the database calls them; whatever is no number is no job."""
    return sorted(int(each) for each in ids if each.isascii() and each.isdecimal() and len(each) < DIGITS_MAX)


# ---------------------------------------------------------------------------------------------- as statements
_EARLIER = job.alias("earlier")
_BEHIND = exists().where(_EARLIER.c.lane == job.c.lane, _EARLIER.c.state == JobState.READY, _EARLIER.c.number < job.c.number)
_DUE: Final = (
    select(job.c.number)
    .where(job.c.state == JobState.READY, job.c.run_at <= store_now(), job.c.leased_until <= store_now(), ~_BEHIND)
    .order_by(job.c.run_at, job.c.number)
    .limit(bindparam("many", type_=BigInteger))
    .with_for_update(skip_locked=True, of=job)
)
_TAKE: Final = (
    update(job)
    .where(in_given(job.c.number, "numbers"))
    .values(attempt=job.c.attempt + 1, fence=job.c.fence + 1, leased_until=store_now() + bindparam("lease", type_=BigInteger))
    .returning(job.c.number, job.c.kind, job.c.subject, job.c.attempt, job.c.fence)
)
_HELD: Final = (
    select(job.c.number, job.c.fence)
    .where(in_given(job.c.number, "numbers"), job.c.state == JobState.READY)
    .order_by(job.c.number)
    .with_for_update()
)
_DONE: Final = delete(job).where(in_given(job.c.number, "numbers"))
_COME_AGAIN: Final = (
    update(job)
    .where(job.c.number == bindparam("job_number"))
    .values(
        state=bindparam("now_state"),
        leased_until=0,
        error=bindparam("why"),
        run_at=func.coalesce(store_now() + bindparam("wait", type_=BigInteger), job.c.run_at),
        attempt=func.coalesce(bindparam("attempts", type_=Integer), job.c.attempt),
    )
)
