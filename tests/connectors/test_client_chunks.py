"""Calls that are made at once, on a virtual clock: waiting costs nothing, and is exact."""

import asyncio

import pytest

from connectors.client import Limits, at_once
from connectors.client.chunks import AT_ONCE_MAX
from connectors.client.failures import CircuitOpen
from connectors.contract import BreakerState, ContractBroken, SourceError, Transient
from tests.connectors.scripted import LOST, STOCK, Source, answer, ask, failure_of, now_s, run


async def said(words: str, *, after_s: float = 0.0) -> str:
    await asyncio.sleep(after_s)
    return words


async def broken(error: SourceError, *, after_s: float = 0.0) -> str:
    await asyncio.sleep(after_s)
    raise error from ValueError("its own cause")


def test_calls_overlap_and_their_answers_are_in_order() -> None:
    async def story() -> tuple[list[str], float]:
        return await at_once(said(word, after_s=after_s) for word, after_s in {"slow": 3, "quick": 1, "fair": 2}.items()), now_s()

    assert run(story()) == (["slow", "quick", "fair"], 3)


def test_nothing_is_made_of_nothing() -> None:
    assert run(at_once(said(word) for word in "")) == []


def test_the_first_failure_is_raised_as_itself_and_ends_the_others() -> None:
    began: list[int] = []
    ended: list[int] = []
    error = ContractBroken("half a JSON")

    async def call(number: int) -> str:
        began.append(number)
        try:
            return await (broken(error, after_s=2) if number == 1 else said("late", after_s=9))
        finally:
            ended.append(number)

    async def story() -> float:
        failure = await failure_of(at_once(call(number) for number in range(3 * AT_ONCE_MAX)))
        assert failure is error
        assert isinstance(failure.__cause__, ValueError)
        return now_s()

    assert run(story()) == 2
    assert began == list(range(AT_ONCE_MAX))  # the others are not even made
    assert sorted(ended) == began


def test_whoever_gives_up_ends_all_of_them() -> None:
    ended: list[int] = []

    async def call(number: int) -> None:
        try:
            await asyncio.sleep(9)
        finally:
            ended.append(number)

    async def story() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await at_once(call(number) for number in range(3))

    run(story())
    assert sorted(ended) == [0, 1, 2]


def test_a_call_that_somebody_else_cancels_is_not_taken_for_an_answer() -> None:
    async def canceled() -> str:
        raise asyncio.CancelledError

    async def story() -> None:
        with pytest.raises(asyncio.CancelledError):
            await at_once(each for each in (said("here"), canceled()))

    run(story())


def test_more_calls_than_the_rate_lets_pass_in_one_time_out_all_get_their_turn() -> None:
    async def story() -> None:
        source = Source(answer())
        client = source.client(Limits(rate_per_s=2, total_timeout_s=6))
        assert await at_once(ask(client) for _ in range(20)) == [STOCK] * 20
        assert now_s() > 6

    run(story())


def test_a_breaker_closes_again_though_it_is_only_ever_asked_for_several_at_once() -> None:
    async def story() -> None:
        source = Source(LOST, answer(), takes_s=0.1)
        client = source.client(Limits(breaker_failures=1, breaker_open_s=5, attempts_max=1))
        assert isinstance(await failure_of(ask(client)), Transient)
        await asyncio.sleep(5)
        assert isinstance(await failure_of(at_once(ask(client) for _ in range(3))), CircuitOpen)  # but for the probe
        assert client.traffic()["READ"].breaker is BreakerState.CLOSED
        assert await at_once(ask(client) for _ in range(3)) == [STOCK] * 3

    run(story())


def test_an_open_breaker_keeps_all_of_them_back() -> None:
    async def story() -> None:
        source = Source(LOST)
        client = source.client(Limits(breaker_failures=1, attempts_max=1))
        await failure_of(ask(client))
        assert isinstance(await failure_of(at_once(ask(client) for _ in range(20))), CircuitOpen)
        assert len(source.requests) == 1

    run(story())
