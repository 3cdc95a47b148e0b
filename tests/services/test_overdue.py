"""Work that its location does not accept in time."""

from datetime import timedelta
from pathlib import Path

from connectors.contract import CancelOutcome, RemoteFulfillment, RemoteRef, RemoteState, StockDrop
from gateway.domain.books import Books
from gateway.domain.fulfillments import RequestStatus as R
from gateway.domain.tasks import JobKind, JobState
from gateway.services.fulfillments import Observe, Remind
from gateway.services.fulfillments.overdue import NOT_ACCEPTED_IN_TIME
from tests.harness import run
from tests.samples import EAST, MUG, START, WEST, landscape, numbered, place, reading
from tests.services.shops import Place, Shop, shop

TWO_HOURS_S = 7_200.0


async def reminders(on: Shop) -> int:
    return sum(job.kind is JobKind.REMIND for job in await on.store.jobs(JobState.READY, after=None, limit=100))


def test_what_a_location_does_not_accept_in_time_is_stopped_there_and_then_goes_elsewhere(tmp_path: Path) -> None:
    async def story() -> None:
        east, west = Place(stock={MUG: 5}), Place(stock={MUG: 0})
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            order = await on.bought(2)
            await on.until(order, R.SUBMITTED)
            west.stock[MUG] = 5
            on.clock.wait(TWO_HOURS_S - 1)
            await on.idle()
            await on.until(order, R.SUBMITTED)
            on.clock.wait(1)
            first, second = await on.until(order, R.REJECTED, R.SUBMITTED)
            assert [next(iter(place.known.values())).state for place in (east, west)] == [
                RemoteState.CANCELED,
                RemoteState.REQUESTED,
            ]
            assert first.rejection is not None
            assert (first.rejection.reason_code, first.source, second.source) == (NOT_ACCEPTED_IN_TIME, "east", "west")
            assert ("fulfillment.recalled", "gateway", NOT_ACCEPTED_IN_TIME) in await on.events(order)

    run(story)


def test_work_that_nobody_else_could_do_is_left_where_it_is_and_said_to_be_late_once(tmp_path: Path) -> None:
    async def story() -> None:
        east, west = Place(stock={MUG: 5}), Place(stock={MUG: 1})
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            order = await on.bought(2)
            await on.until(order, R.SUBMITTED)
            for _ in range(2):
                on.clock.wait(TWO_HOURS_S)
                await on.idle()
            (work,) = await on.until(order, R.SUBMITTED)
            assert (work.note, "cancel" in east.asked) == (NOT_ACCEPTED_IN_TIME, False)
            assert [each for each, _, _ in await on.events(order)].count("fulfillment.overdue") == 1

            west.stock[MUG] = 2
            on.clock.wait(TWO_HOURS_S)
            await on.until(order, R.REJECTED, R.SUBMITTED)

    run(story)


def test_what_was_accepted_in_the_meantime_stays(tmp_path: Path) -> None:
    async def story() -> None:
        east, west = Place(stock={MUG: 5}), Place(stock={MUG: 0})
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            order = await on.bought(2)
            (work,) = await on.until(order, R.SUBMITTED)
            west.stock[MUG] = 5
            assert await reminders(on) == 1
            east.now("r1", RemoteState.ACCEPTED)
            await on.services.tracking.catch_up(on.services.sources[work.source])
            on.clock.wait(TWO_HOURS_S)
            await on.idle()
            await on.until(order, R.ACCEPTED)
            assert await reminders(on) == 0

    run(story)


def test_a_location_that_accepts_at_once_is_never_reminded(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 5}, takes_on=RemoteState.ACCEPTED)}) as on:
            await on.until(await on.bought(2), R.ACCEPTED)
            assert await reminders(on) == 0

    run(story)


def test_work_that_turns_out_to_be_under_way_when_it_is_to_be_taken_back_stays(tmp_path: Path) -> None:
    async def story() -> None:
        east, west = Place(stock={MUG: 5}, stops=CancelOutcome.TOO_LATE), Place(stock={MUG: 0})
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            order = await on.bought(2)
            await on.until(order, R.SUBMITTED)
            west.stock[MUG] = 5
            on.clock.wait(TWO_HOURS_S)
            (work,) = await on.until(order, R.CANCELLATION_REJECTED)
            assert (work.rejection, work.recalled_because, west.known) == (None, None, {})

    run(story)


def test_a_reminder_that_a_jumping_clock_brings_early_takes_nothing_away() -> None:
    books = Books(now=START, new_id=numbered())
    order = place(2, of=5).decide(books)
    (work,) = order.fulfillment_orders
    hour, ref = timedelta(hours=1), RemoteRef("r1")
    remote = RemoteFulfillment(ref=ref, key=None, state=RemoteState.REQUESTED)
    Observe(order=order.id, work=work.id, remote=remote, stock_drop=StockDrop.ON_SHIP, by="e", accept_within=hour).decide(books)
    (timer,) = [job for job in books.jobs if job.kind is JobKind.REMIND]
    assert (timer.run_at, timer.lane != work.id) == (START + hour, True)

    seen = landscape(reading(MUG, EAST, 5), reading(MUG, WEST, 5))
    late = Remind(order=order.id, work=work.id, within=hour, landscape=seen)
    books.now = START + hour - timedelta(seconds=1)
    assert late.decide(books).work(work.id).request_status is R.SUBMITTED
    books.now = START + hour
    assert late.decide(books).work(work.id).request_status is R.CANCELLATION_REQUESTED
