"""Answers that are lost, wrong, or never come: every request ends in one place, or before a person, and never twice."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.contract import (
    CancelOutcome,
    Idempotency,
    OutcomeUnknown,
    RemotePackage,
    RemoteState,
    RequestKey,
    RequestLine,
    SourceError,
    StockDrop,
    Transient,
)
from gateway.domain.fulfillments import FulfillmentOrder
from gateway.domain.fulfillments import RequestStatus as R
from gateway.domain.identity import SourceName
from gateway.domain.orders import OrderStatus
from gateway.domain.tasks import JobKind, JobState
from gateway.ports import Once
from gateway.settings import Work
from tests.harness import run
from tests.samples import MUG, units
from tests.services.shops import Place, Shop, shop

LOST = OutcomeUnknown("no answer")
STOP_TRIES = Work().attempts_max[JobKind.STOP]
ONE_LEFT = (RemotePackage(lines=(RequestLine(sku=MUG, units=1),)),)


def once(key: str) -> Once:
    return Once(principal="ada", operation="said", key=key, request_hash="same")


async def reject(on: Shop, work: FulfillmentOrder, key: str) -> None:
    await on.services.fulfillments.reject(work.id, expected_version=None, reason_code="NO", by="bob", once=once(key))


async def dead(on: Shop) -> list[tuple[JobKind, str | None]]:
    return [(job.kind, job.error) for job in await on.store.jobs(JobState.DEAD, after=None, limit=10)]


def test_a_request_whose_answer_was_lost_is_looked_up_and_not_made_twice(tmp_path: Path) -> None:
    async def story() -> None:
        east = Place(stock={MUG: 5}, fails={"request": [LOST]})
        async with shop(tmp_path, {"east": east}) as on:
            order = await on.bought(2)
            (work,) = await on.until(order, R.SUBMITTED)
            assert (work.remote_ref, east.asked[:2], len(east.known)) == ("r1", ["request", "find"], 1)
            await on.idle()
            assert await dead(on) == []

    run(story)


def test_an_answer_about_another_request_is_never_taken_for_ours(tmp_path: Path) -> None:
    async def story() -> None:
        east = Place(stock={MUG: 5}, as_key=RequestKey("somebody else's"), takes_on=RemoteState.ACCEPTED)
        async with shop(tmp_path, {"east": east}) as on:
            order = await on.bought(2)
            (work,) = await on.until(order, R.ACCEPTED)
            assert "find" in east.asked, "what was made of our request is looked up under our own key"
            assert work.remote_ref == "r1"

    run(story)


def test_a_source_that_cannot_look_up_is_never_asked_again_by_itself_but_by_a_person_who_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        east = Place(stock={MUG: 5}, idempotency=Idempotency.NONE, fails={"request": [LOST, LOST]})
        async with shop(tmp_path, {"east": east}) as on:
            order = await on.bought(2)
            for attempt in (1, 2):
                (work,) = await on.until(order, R.NEEDS_REVIEW)
                assert work.unanswerable
                assert east.asked == ["request"] * attempt
                (job,) = await on.store.jobs(JobState.DEAD, after=None, limit=10)
                retried = await on.services.fulfillments.retry(job.id, by="ada", once=once(f"again {attempt}"))
                assert (retried.state, retried.attempt) == (JobState.READY, 1)
            (work,) = await on.until(order, R.SUBMITTED)
            assert (work.remote_ref, work.note, east.asked) == ("r1", None, ["request"] * 3)
            assert await dead(on) == []
            assert ("fulfillment.resumed", "ada", "SUBMIT") in await on.events(order)

    run(story)


def test_work_that_no_source_can_tell_of_is_rejected_by_a_persons_word_and_goes_elsewhere(tmp_path: Path) -> None:
    async def story() -> None:
        east = Place(stock={MUG: 5}, idempotency=Idempotency.NONE, fails={"request": [LOST]})
        async with shop(tmp_path, {"east": east, "west": Place()}) as on:
            order = await on.bought(2)
            (work,) = await on.until(order, R.NEEDS_REVIEW)
            said = on.services.fulfillments.reject(work.id, expected_version=None, reason_code="GONE", by="ada", once=once("no"))
            after = await said
            assert [each.request_status for each in after.fulfillment_orders] == [R.REJECTED]
            assert "cancel" not in east.asked
            await on.idle()
            assert await dead(on) == []
            assert (await on.order(order)).status is OrderStatus.BACKORDERED

    run(story)


def test_work_that_a_person_says_is_being_done_is_followed_again_once_its_source_can_be_asked(tmp_path: Path) -> None:
    async def story() -> None:
        tries = Work().attempts_max[JobKind.SUBMIT]
        east = Place(stock={MUG: 5}, fails={"request": [LOST], "find": [Transient("down")] * (tries - 1)})
        async with shop(tmp_path, {"east": east}) as on:
            order = await on.bought(2)
            (work,) = await on.until(order, R.NEEDS_REVIEW)
            assert (work.remote_ref, work.unanswerable) == (None, False)
            assert await dead(on) == [(JobKind.SUBMIT, "TRANSIENT: down")]
            await on.services.fulfillments.accept(work.id, expected_version=None, by="ada", once=once("yes"))
            await on.idle()
            (work,) = (await on.order(order)).fulfillment_orders
            assert (work.request_status, work.remote_ref, len(east.known)) == (R.ACCEPTED, "r1", 1)
            assert await dead(on) == []

    run(story)


def test_an_order_canceled_before_its_source_was_ever_asked_needs_nobody_to_look(tmp_path: Path) -> None:
    async def story() -> None:
        east = Place(stock={MUG: 5}, idempotency=Idempotency.NONE, busy=asyncio.Event())
        async with shop(tmp_path, {"east": east}, tune=lambda work: replace(work, jobs_at_once_max=1)) as on:
            first, second = await on.bought(1), await on.bought(1, key="second")
            await on.services.orders.cancel(second, expected_version=None, reason_code="X", by="ada", once=once("stop"))
            assert east.busy is not None
            east.busy.set()
            await on.until(first, R.SUBMITTED)
            await on.until(second, R.CANCELLATION_ACCEPTED)
            await on.idle()
            assert (east.asked, await dead(on)) == (["request"], [])

    run(story)


def test_a_cancellation_that_stays_pending_comes_before_a_person_and_can_be_tried_again(tmp_path: Path) -> None:
    async def story() -> None:
        east = Place(stock={MUG: 5}, stops=CancelOutcome.PENDING)
        async with shop(tmp_path, {"east": east, "west": Place()}) as on:
            order = await on.bought(2)
            (work,) = await on.until(order, R.SUBMITTED)
            await on.services.fulfillments.reject(work.id, expected_version=None, reason_code="NO", by="bob", once=once("no"))
            (work,) = await on.until(order, R.NEEDS_REVIEW)
            assert east.asked.count("cancel") == STOP_TRIES
            assert (work.rejection, work.note) == (None, "TRANSIENT: the cancellation is pending")
            east.now("r1", RemoteState.ACCEPTED)
            await on.services.tracking.catch_up(on.services.sources[work.source])
            (work,) = await on.until(order, R.NEEDS_REVIEW)

            (job,) = await on.store.jobs(JobState.DEAD, after=None, limit=10)
            east.stops = CancelOutcome.CANCELED
            await on.services.fulfillments.retry(job.id, by="ada", once=once("again"))
            (work,) = await on.until(order, R.REJECTED)
            assert work.rejection is not None
            assert work.rejection.reason_code == "NO"

    run(story)


def test_work_that_could_not_be_stopped_and_that_a_person_says_is_being_done_is_followed_again(tmp_path: Path) -> None:
    async def story() -> None:
        down: list[SourceError] = [Transient("down")] * (Work().attempts_max[JobKind.SUBMIT] - 1)
        east = Place(stock={MUG: 5}, fails={"request": [LOST], "find": down}, stops=CancelOutcome.PENDING)
        async with shop(tmp_path, {"east": east}) as on:
            order = await on.bought(2)
            (work,) = await on.until(order, R.NEEDS_REVIEW)
            await reject(on, work, "no")
            await on.until(order, R.CANCELLATION_REQUESTED)
            (work,) = await on.until(order, R.NEEDS_REVIEW)
            assert work.remote_ref is None
            await on.services.fulfillments.accept(work.id, expected_version=None, by="ada", once=once("yes"))
            await on.idle()
            (work,) = (await on.order(order)).fulfillment_orders
            assert (work.request_status, work.remote_ref, await dead(on)) == (R.ACCEPTED, "r1", [])

    run(story)


def test_a_location_that_could_not_be_stopped_may_be_asked_for_the_order_again(tmp_path: Path) -> None:
    async def story() -> None:
        east = Place(stock={MUG: 5}, stops=CancelOutcome.PARTIAL)
        async with shop(tmp_path, {"east": east}) as on:
            order = await on.bought(2)
            (work,) = await on.until(order, R.SUBMITTED)
            await on.services.fulfillments.reject(work.id, expected_version=None, reason_code="NO", by="bob", once=once("no"))
            (work,) = await on.until(order, R.NEEDS_REVIEW)
            assert work.rejection is None, "only a location that has given up work is left out of routing"

    run(story)


@pytest.mark.parametrize("idempotency", [Idempotency.LOOKUP, Idempotency.NONE])
def test_a_persons_word_does_not_send_again_what_a_silent_source_that_has_the_request_may_have_sent(
    tmp_path: Path, idempotency: Idempotency
) -> None:
    async def story() -> None:
        down: list[SourceError] = [Transient("down")] * STOP_TRIES
        east = Place(stock={MUG: 5}, idempotency=idempotency, fails={"cancel": down}, stops=CancelOutcome.TOO_LATE)
        west = Place()
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            order = await on.bought(2)
            (work,) = await on.until(order, R.SUBMITTED)
            west.stock[MUG] = 5
            await reject(on, work, "no")
            await on.until(order, R.NEEDS_REVIEW)
            east.now("r1", RemoteState.SHIPPED)
            await reject(on, work, "no!")
            await on.until(order, R.CANCELLATION_REJECTED)
            await on.services.tracking.catch_up(on.services.sources[work.source])
            assert (await on.order(order)).status is OrderStatus.FULFILLED
            assert (west.known, await dead(on)) == ({}, [])

    run(story)


def test_of_work_that_stopped_halfway_what_left_is_counted_and_the_rest_goes_elsewhere_without_a_person(tmp_path: Path) -> None:
    async def story() -> None:
        east, west = Place(stock={MUG: 5}, stops=CancelOutcome.PARTIAL), Place(stock={MUG: 1})
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            order = await on.bought(2)
            (work,) = await on.until(order, R.SUBMITTED)
            east.now("r1", RemoteState.CANCELED, packages=ONE_LEFT)
            await reject(on, work, "no")
            work, rest = await on.until(order, R.REJECTED, R.SUBMITTED)
            assert (work.shipped, rest.lines) == ({MUG: 1}, units((MUG, 1)))

    run(story)


def test_work_that_stopped_in_part_and_goes_on_is_given_up_when_its_source_says_so_not_when_a_person_does(tmp_path: Path) -> None:
    async def story() -> None:
        east, west = Place(stock={MUG: 5}, stops=CancelOutcome.PARTIAL), Place(stock={MUG: 2})
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            order = await on.bought(2)
            await on.until(order, R.SUBMITTED)
            east.now("r1", RemoteState.ACCEPTED)
            for times in (1, 2):
                (work,) = (await on.order(order)).fulfillment_orders
                await reject(on, work, f"no {times}")
                (work,) = await on.until(order, R.NEEDS_REVIEW)
                assert (east.asked.count("cancel"), work.note) == (times, "cancellation was PARTIAL")
            east.now("r1", RemoteState.CANCELED, packages=ONE_LEFT)
            await on.services.tracking.catch_up(on.services.sources[work.source])
            work, rest = await on.until(order, R.REJECTED, R.SUBMITTED)
            assert (work.shipped, rest.lines) == ({MUG: 1}, units((MUG, 1)))

    run(story)


@pytest.mark.parametrize("packages", [ONE_LEFT, (), (RemotePackage(),)], ids=["told by the unit", "not told", "told as a whole"])
def test_what_a_source_struck_off_on_the_way_did_not_leave(tmp_path: Path, packages: tuple[RemotePackage, ...]) -> None:
    async def story() -> None:
        east, west = Place(stock={MUG: 5}), Place(stock={MUG: 1})
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            order = await on.bought(2)
            (work,) = await on.until(order, R.SUBMITTED)
            struck = (RequestLine(sku=MUG, units=1),)
            east.now("r1", RemoteState.SHIPPED, packages=packages, short=struck)
            await on.services.tracking.catch_up(on.services.sources[work.source])
            work, rest = await on.until(order, R.REJECTED, R.SUBMITTED)
            assert (work.shipped, rest.lines) == ({MUG: 1}, units((MUG, 1)))

    run(story)


def test_what_only_looking_up_told_of_a_request_that_cannot_be_stopped_is_followed(tmp_path: Path) -> None:
    async def story() -> None:
        down: list[SourceError] = [Transient("down")] * (Work().attempts_max[JobKind.SUBMIT] - 1)
        east = Place(
            stock={MUG: 5}, drop=StockDrop.ON_ACCEPT, fails={"request": [LOST], "find": down}, stops=CancelOutcome.TOO_LATE
        )
        async with shop(tmp_path, {"east": east}) as on:
            order = await on.bought(2)
            await on.until(order, R.NEEDS_REVIEW)
            await on.services.orders.cancel(order, expected_version=None, reason_code="X", by="ada", once=once("stop"))
            (work,) = await on.until(order, R.CANCELLATION_REJECTED)
            assert work.remote_ref == "r1"
            east.now("r1", RemoteState.SHIPPED)
            await on.services.tracking.catch_up(on.services.sources[work.source])
            assert (await on.order(order)).status is OrderStatus.FULFILLED

    run(story)


def test_a_source_with_more_open_than_is_asked_at_a_time_is_asked_about_the_rest_the_next_time(tmp_path: Path) -> None:
    async def story() -> None:
        places = {"east": Place(stock={MUG: 9})}
        tight = {"status_page": 1, "status_pages_max": 2}
        async with shop(tmp_path, places, tune=lambda work: replace(work, **tight)) as on:
            orders = [await on.bought(1, key=str(number)) for number in range(5)]
            for order in orders:
                await on.until(order, R.SUBMITTED)
            for ref in tuple(each.ref for each in places["east"].known.values()):
                places["east"].now(ref, RemoteState.ACCEPTED)
            tracking, east = on.services.tracking, on.services.sources[SourceName("east")]
            accepted = []
            for _ in range(4):
                await tracking.catch_up(east)
                accepted.append(
                    [(await on.order(order)).fulfillment_orders[0].request_status for order in orders].count(R.ACCEPTED)
                )
            assert accepted == [2, 4, 5, 5]

    run(story)
