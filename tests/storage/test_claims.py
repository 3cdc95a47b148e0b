from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.domain.books import Books
from gateway.domain.tasks import Job, JobKind, JobState, NewJob
from gateway.ports import Fenced, LostClaim
from gateway.storage.claims import ERROR_CHARACTERS_MAX
from gateway.storage.tables import job
from tests.harness import run
from tests.samples import START, Command, Desk, all_of, desk
from tests.storages import Storage

NOTHING = Command(does=lambda _: None)


def wanted(subject: str, lane: str, *, after_s: float = 0) -> NewJob:
    return NewJob(kind=JobKind.SUBMIT, subject=subject, lane=lane, run_at=START + timedelta(seconds=after_s))


async def enqueue(on: Desk, *jobs: NewJob) -> None:
    def write(books: Books) -> None:
        books.jobs.extend(jobs)

    await on.writer.submit(Command(does=write), returns=type(None))


async def claimed(on: Desk, *, limit: int = 10) -> dict[str, Job]:
    return {each.subject: each for each in await on.upkeep.claim_jobs(limit=limit, lease_s=60)}


async def finish(on: Desk, fenced: Fenced) -> None:
    await on.writer.submit(NOTHING, returns=type(None), fenced=fenced)


def test_jobs_of_a_lane_are_done_one_at_a_time_oldest_first(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await enqueue(on, wanted("do", "a"), wanted("stop", "a"), wanted("other", "b"))
            first = await claimed(on)
            assert set(first) == {"do", "other"}
            assert await claimed(on) == {}
            await finish(on, Fenced(job=first["do"]))
            second = await claimed(on)
            assert set(second) == {"stop"}
            assert (second["stop"].attempt, second["stop"].fence) == (1, 1)

    run(story)


def test_what_comes_later_in_a_lane_waits_for_a_first_that_is_not_due_yet(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await enqueue(on, wanted("do", "a", after_s=30), wanted("stop", "a"))
            assert await claimed(on) == {}
            on.clock.wait(30)
            assert set(await claimed(on)) == {"do"}

    run(story)


def test_no_more_are_taken_than_asked_for_and_those_due_longest_come_first(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await enqueue(on, *(wanted(str(place), str(place), after_s=-place) for place in range(5)))
            assert set(await claimed(on, limit=2)) == {"4", "3"}

    run(story)


def test_a_claim_that_ran_out_and_was_taken_by_another_has_no_say_any_more(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await enqueue(on, wanted("do", "a"))
            slow = (await claimed(on))["do"]
            on.clock.wait(61)
            quick = (await claimed(on))["do"]
            assert (quick.attempt, quick.fence) == (2, 2)
            written: list[str] = []
            late = Command(does=lambda _: written.append("late"))
            lost, won = await all_of(
                on.writer.submit(late, returns=type(None), fenced=Fenced(job=slow)), finish(on, Fenced(job=quick))
            )
            assert isinstance(lost, LostClaim)
            assert won is None
            assert written == []
            with pytest.raises(LostClaim):
                await finish(on, Fenced(job=quick))

    run(story)


def test_whoever_lost_the_claim_on_a_job_that_is_done_by_now_has_no_say_on_any_later_one(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await enqueue(on, wanted("do", "a"))
            slow = (await claimed(on))["do"]
            on.clock.wait(61)
            await finish(on, Fenced(job=(await claimed(on))["do"]))
            await enqueue(on, wanted("other", "b"))
            other = (await claimed(on))["other"]
            with pytest.raises(LostClaim):
                await finish(on, Fenced(job=slow))
            assert other.id != slow.id
            await finish(on, Fenced(job=other))

    run(story)


def test_a_job_that_is_to_come_again_comes_at_its_time_and_remembers_why(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await enqueue(on, wanted("do", "a"))
            mine = (await claimed(on))["do"]
            await finish(on, Fenced(job=mine, then=JobState.READY, after=timedelta(seconds=120), error="x" * 9000))
            on.clock.wait(119)
            assert await claimed(on) == {}
            on.clock.wait(1)
            assert (await claimed(on))["do"].attempt == 2
            async with on.database.reading.connect() as connection:
                assert (await connection.execute(select(job.c.error))).scalar() == "x" * ERROR_CHARACTERS_MAX

    run(story)


def test_a_dead_job_is_left_for_a_person_and_does_not_block_its_lane(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await enqueue(on, wanted("do", "a"), wanted("stop", "a"))
            await finish(on, Fenced(job=(await claimed(on))["do"], then=JobState.DEAD, error="gave up"))
            assert set(await claimed(on)) == {"stop"}
            backlog = await on.store.backlog()
            assert (backlog.jobs_ready, backlog.jobs_dead) == (1, 1)

    run(story)


def test_a_refused_outcome_leaves_the_job_to_be_done_again(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await enqueue(on, wanted("do", "a"))
            mine = (await claimed(on))["do"]

            def refuse(_books: Books) -> None:
                raise LookupError("not yet")

            with pytest.raises(LookupError):
                await on.writer.submit(Command(does=refuse), returns=type(None), fenced=Fenced(job=mine))
            on.clock.wait(61)
            assert set(await claimed(on)) == {"do"}

    run(story)
