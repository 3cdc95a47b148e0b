"""Several gateways on one database: whatever one does, the others see and respect."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func, select

from gateway.domain.books import Books
from gateway.domain.identity import OrderId
from gateway.domain.orders import Order
from gateway.domain.refusals import Refusals
from gateway.domain.reservations import Reservation
from gateway.domain.tasks import Job, JobKind, NewJob
from gateway.ports import Fenced
from gateway.services.orders import Cancel
from gateway.storage.tables import ledger
from tests.harness import run
from tests.postgres import Server
from tests.samples import CUP, EAST, MUG, START, Command, Desk, HandClock, all_of, desk, hold, once, place
from tests.storages import Storage

OPEN = """
import asyncio, sys
from gateway.storage.database import opened
from gateway.system import SystemClock

async def main():
    async with opened(sys.argv[1], SystemClock()):
        print("open", flush=True)

sys.stdin.readline()
asyncio.run(main())
"""


@asynccontextmanager
async def two(storage: Storage, *, batch_max: int = 8) -> AsyncIterator[tuple[Desk, Desk]]:
    """Gateways on one database; the clock of the second is an hour ahead."""
    clock = HandClock()
    ahead = HandClock(START + timedelta(hours=1))
    async with (
        desk(storage, clock=clock, batch_max=batch_max) as one,
        desk(storage, clock=clock, own_clock=ahead, batch_max=batch_max) as other,
    ):
        yield one, other


async def promised(on: Desk) -> dict[str, tuple[int, int]]:
    shelves = (await on.store.shelves([MUG, CUP])).values()
    return {each.location: (each.held_units, each.committed_units) for each in shelves if each.held_units or each.committed_units}


def test_the_same_key_sent_to_both_at_once_is_done_once_and_answered_alike(shared_storage: Storage) -> None:
    async def story() -> None:
        async with two(shared_storage) as gateways:
            for key in map(str, range(15)):
                asked = (each.writer.submit(place(1, of=999), returns=Order, once=once(key)) for each in gateways)
                first, second = await all_of(*asked)
                assert isinstance(first, Order)
                assert first == second
            assert (await promised(gateways[0]))[EAST] == (0, 15)

    run(story)


def test_a_hot_product_sold_by_both_is_sold_exactly_as_often_as_it_is_there(shared_storage: Storage) -> None:
    async def story() -> None:
        async with two(shared_storage) as gateways:
            asked = (each.writer.submit(hold(1, of=50, at=EAST), returns=Reservation) for _ in range(60) for each in gateways)
            outcomes = await all_of(*asked)
            assert Counter(type(each) for each in outcomes) == {Reservation: 50, Refusals: 70}
            assert await promised(gateways[0]) == {EAST: (50, 0)}
            async with gateways[1].database.reading.connect() as connection:
                assert (await connection.execute(select(func.sum(ledger.c.units)))).scalar() == 50

    run(story)


def test_batches_that_cross_wait_for_each_other_and_lose_nothing(shared_storage: Storage) -> None:
    """Each gateway changes orders that the other made, in batches that are put together differently."""

    async def story() -> None:
        async with two(shared_storage, batch_max=5) as (one, other):
            both = (one, other)
            orders = await all_of(*(each.writer.submit(place(1, of=999), returns=Order) for _ in range(25) for each in both))
            cancels = [Cancel(order=each.id, expected_version=None, reason_code="C", by="agent") for each in orders]
            changed = await all_of(
                *(one.writer.submit(each, returns=Order) for each in cancels[::2]),
                *(other.writer.submit(each, returns=Order) for each in reversed(cancels[1::2])),
                *(each.writer.submit(place(1, of=999), returns=Order) for _ in range(10) for each in both),
            )
            assert Counter((type(each), each.version) for each in changed) == {(Order, 3): 50, (Order, 2): 20}
            assert (await promised(one))[EAST] == (0, 70), "what is to be canceled is promised until its source has stopped it"

    run(story)


@dataclass(kw_only=True)
class Workshop:
    """Workers of several gateways, who do jobs until all are done."""

    jobs: int
    done: list[str] = field(default_factory=list)
    lanes_at_work: set[str] = field(default_factory=set)

    async def work(self, on: Desk) -> None:
        while len(self.done) < self.jobs:
            taken = await on.upkeep.claim_jobs(limit=3, lease_s=60)
            await asyncio.gather(*(self._do(on, each) for each in taken))

    async def _do(self, on: Desk, taken: Job) -> None:
        lane = taken.subject.partition("-")[0]
        assert lane not in self.lanes_at_work, "two of a lane at once"
        self.lanes_at_work.add(lane)
        await asyncio.sleep(0.001)
        self.lanes_at_work.remove(lane)
        self.done.append(taken.subject)
        await on.writer.submit(Command(does=lambda _: None), returns=type(None), fenced=Fenced(job=taken))


def test_no_job_is_done_by_two_and_lanes_keep_their_order(shared_storage: Storage) -> None:
    wanted = {str(lane): [f"{lane}-{turn}" for turn in range(4)] for lane in range(12)}

    def write(books: Books) -> None:
        for lane, subjects in wanted.items():
            books.jobs.extend(NewJob(kind=JobKind.SUBMIT, subject=each, lane=lane, run_at=START) for each in subjects)

    async def story() -> None:
        async with two(shared_storage) as (one, other):
            await one.writer.submit(Command(does=write), returns=type(None))
            workshop = Workshop(jobs=48)
            async with asyncio.timeout(60):
                await asyncio.gather(workshop.work(one), workshop.work(other))
            found = {lane: [each for each in workshop.done if each.startswith(f"{lane}-")] for lane in wanted}
            assert found == wanted

    run(story)


def test_a_gateway_that_starts_leaves_alone_what_another_has_claimed(shared_storage: Storage) -> None:
    async def story() -> None:
        async with two(shared_storage) as (one, other):
            await one.writer.submit(place(1, of=9), returns=Order)
            (mine,) = await one.upkeep.claim_jobs(limit=9, lease_s=60)
            await other.upkeep.release_jobs()
            assert await other.upkeep.claim_jobs(limit=9, lease_s=60) == ()
            one.clock.wait(61)
            (taken_over,) = await other.upkeep.claim_jobs(limit=9, lease_s=60)
            assert (taken_over.id, taken_over.fence) == (mine.id, mine.fence + 1)

    run(story)


def test_events_get_numbers_without_gaps_and_versions_in_order_though_one_clock_is_an_hour_ahead(shared_storage: Storage) -> None:
    async def story() -> None:
        async with two(shared_storage) as (one, other):
            sold: list[OrderId] = []
            selling = True

            async def sell(on: Desk, elsewhere: Desk) -> None:
                for _ in range(12):
                    new = await on.writer.submit(place(1, of=999), returns=Order)
                    sold.append(new.id)
                    cancel = Cancel(order=new.id, expected_version=None, reason_code="C", by="agent")
                    await elsewhere.writer.submit(cancel, returns=Order)

            async def relay(on: Desk) -> None:
                while selling or await on.upkeep.sequence_events(limit=5):
                    await on.upkeep.sequence_events(limit=5)

            async with asyncio.timeout(60), asyncio.TaskGroup() as beside:
                relays = [beside.create_task(relay(each)) for each in (one, other)]
                await asyncio.gather(sell(other, one), sell(one, other), sell(other, one))
                selling = False
                await asyncio.gather(*relays)
            await one.upkeep.sequence_events(limit=999)
            events = await other.store.events(after=0, limit=999)
            assert [each.seq for each in events] == list(range(1, len(sold) * 3 + 1))
            for each in sold:
                assert [event.order.version for event in events if event.order.id == each] == [1, 2, 3]

    run(story)


def test_the_time_of_promises_is_the_databases_whatever_a_gateways_own_clock_says(shared_storage: Storage) -> None:
    async def story() -> None:
        async with two(shared_storage) as (one, other):
            held = await other.writer.submit(hold(5, of=5, ttl_s=60), returns=Reservation)
            assert held.expires_at == START + timedelta(seconds=60)
            assert isinstance((await all_of(one.writer.submit(place(1, of=5), returns=Order)))[0], Refusals)
            one.clock.wait(60)
            placed = await one.writer.submit(place(5, of=5), returns=Order)
            assert placed.placed_at == START + timedelta(seconds=60)

    run(story)


def test_of_replicas_that_start_at_once_on_an_empty_database_one_makes_the_tables_and_all_start(postgres: Server) -> None:
    with postgres.database(migrated=False, clocked=False) as name, ExitStack() as stack:
        command = [sys.executable, "-c", OPEN, postgres.url(name)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        replicas = [stack.enter_context(subprocess.Popen(command, text=True, **pipes)) for _ in range(2)]  # type: ignore[call-overload]  # noqa: S603  # our own
        for each in replicas:
            each.stdin.write("\n")
            each.stdin.flush()
        said = [each.communicate(timeout=30) for each in replicas]
        assert said == [("open\n", "")] * 2
        postgres.execute("SELECT 1 FROM customer_order, relay", database=name)
