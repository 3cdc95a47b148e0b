"""A second read beside a slow one, on a virtual clock."""

import asyncio

import httpx
import pytest

from connectors.client import Client, Limits
from connectors.contract import NotFound, Transient
from tests.connectors.scripted import LOST, READ, STOCK, WRITE, Source, Step, answer, ask, failure_of, now_s, run

HEDGED = Limits(hedge_after_s=0.5, attempts_max=1)


class Slow(Source):
    """Takes as long for each of its answers as told beside it."""

    def __init__(self, *script: tuple[Step, float]) -> None:
        super().__init__(*(step for step, _ in script))
        self.takes = [takes_s for _, takes_s in script]
        self.ended = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.takes_s = self.takes.pop(0) if len(self.takes) > 1 else self.takes[0]
        response = await super().__call__(request)
        self.ended += 1
        return response


def asked(source: Source, limits: Limits = HEDGED) -> Client:
    """The client after one read, and when all is over."""

    async def story() -> Client:
        client = source.client(limits)
        assert await ask(client) == STOCK
        return client

    return run(story())


def test_a_quick_read_is_asked_once() -> None:
    source = Slow((answer(), 0.4))
    client = asked(source)
    assert source.asked_at_s == [0]
    assert client.traffic()["READ"].hedges == 0


def test_the_first_good_answer_counts_and_the_loser_is_canceled() -> None:
    source = Slow((answer(json={"A": 1}), 4), (answer(), 0.1))
    client = asked(source)
    assert source.asked_at_s == [0, 0.5]
    assert (source.ended, source.at_once) == (1, 0)
    traffic = client.traffic()["READ"]
    assert (traffic.calls, traffic.hedges, traffic.retries, traffic.failures, traffic.in_flight) == (2, 1, 0, 0, 0)
    assert traffic.last_latency_ms == pytest.approx(100)


def test_the_slow_one_may_still_win() -> None:
    source = Slow((answer(), 0.7), (answer(json={"A": 9}), 4))
    asked(source)
    assert (source.ended, source.at_once) == (1, 0)


def test_where_the_second_fails_the_first_is_waited_for() -> None:
    source = Slow((answer(), 0.9), (answer(500), 0.1))
    asked(source)
    assert len(source.requests) == 2


def test_where_the_first_fails_then_the_second_is_waited_for() -> None:
    source = Slow((LOST, 0.6), (answer(), 0.4))
    asked(source)
    assert len(source.requests) == 2


def test_a_failure_before_it_is_time_is_a_failure() -> None:
    source = Slow((LOST, 0.1))

    async def story() -> None:
        assert isinstance(await failure_of(ask(source.client(HEDGED))), Transient)

    run(story())
    assert len(source.requests) == 1


def test_where_both_fail_the_first_failure_is_told() -> None:
    source = Slow((answer(503), 0.6), (answer(500), 0.2))

    async def story() -> None:
        error = await failure_of(ask(source.client(HEDGED)))
        assert error.detail == "HTTP 503"

    run(story())


def test_an_answer_that_settles_it_is_not_waited_beyond() -> None:
    source = Slow((answer(), 4), (answer(404), 0.1))

    async def story() -> float:
        assert isinstance(await failure_of(ask(source.client(HEDGED))), NotFound)
        return now_s()

    assert run(story()) == 0.6


@pytest.mark.parametrize("repeatable", [None, True])
def test_a_write_is_never_sent_beside_itself(repeatable: bool | None) -> None:
    source = Slow((answer(), 4))
    run(ask(source.client(HEDGED), WRITE, repeatable=repeatable))
    assert len(source.requests) == 1


def test_a_read_that_must_not_be_repeated_is_asked_once() -> None:
    source = Slow((answer(), 4))
    run(ask(source.client(HEDGED), READ, repeatable=False))
    assert len(source.requests) == 1


def test_where_no_place_is_free_nothing_is_asked_twice() -> None:
    source = Slow((answer(), 1))

    async def story() -> None:
        client = source.client(Limits(hedge_after_s=0.5, concurrency_max=2))
        for _ in range(10):
            await asyncio.gather(ask(client), ask(client))
        assert len(source.requests) == 20
        source.script, source.takes = [LOST, answer()], [0.0]
        await ask(client)  # nor were retries spent

    run(story())


def test_a_source_that_is_always_slow_is_asked_twice_only_as_often_as_it_earns() -> None:
    source = Slow((answer(), 0.9))

    async def story() -> int:
        client = source.client(HEDGED)
        for _ in range(100):
            await ask(client)
        return client.traffic()["READ"].hedges

    assert 10 < run(story()) <= 30  # a reserve of ten, and one for five answers


def test_the_second_costs_as_the_first_did() -> None:
    source = Slow((answer(), 4), (answer(), 0.1))

    async def story() -> None:
        client = source.client(Limits(hedge_after_s=0.5, rate_per_s=1))
        await ask(client)

    run(story())
    assert source.asked_at_s == pytest.approx([0, 1], abs=0.01)


def test_a_caller_who_gives_up_takes_both_along() -> None:
    source = Slow((answer(), 4))

    async def story() -> None:
        client = source.client(HEDGED)
        call = asyncio.create_task(ask(client))
        await asyncio.sleep(1)
        assert source.at_once == 2
        call.cancel()
        await asyncio.wait([call])
        assert source.at_once == client.traffic()["READ"].in_flight == 0
        await asyncio.gather(*(ask(source.client()) for _ in range(8)))  # no place was lost

    run(story())
