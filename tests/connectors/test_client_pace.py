"""How fast a source is asked: rate, pauses it asks for, and what it says is left. On a virtual clock."""

import asyncio
import math
from typing import Any

import pytest

from connectors.client import Allowance, Limits, Reply, by_status
from connectors.client.pace import PAUSE_MAX_S, Pace
from connectors.contract import ContractBroken, OutcomeUnknown, SourceError, Throttled
from tests.connectors.scripted import READ, STOCK, WRITE, Source, answer, ask, failure_of, now_s, run

PATIENT = Limits(total_timeout_s=1_000)


# ---------------------------------------------------------------------------------------------- pauses
def test_whoever_else_asks_a_source_waits_as_long_as_it_told_the_first() -> None:
    source = Source(answer(429, retry_after="7"), answer())

    async def story() -> None:
        client = source.client()
        first = asyncio.create_task(ask(client))
        await asyncio.sleep(1)
        await asyncio.gather(ask(client), ask(client, WRITE), first)
        assert (client.traffic()["READ"].throttled, client.traffic()["WRITE"].throttled) == (1, 0)

    run(story())
    assert source.asked_at_s == [0, 7, 7, 7]


def test_who_cannot_wait_so_long_is_told_at_once_and_the_source_is_left_alone() -> None:
    source = Source(answer(429, retry_after="40"), answer())

    async def story() -> None:
        client = source.client()
        await failure_of(ask(client))
        await asyncio.sleep(10)
        for intent in (READ, WRITE):
            error = await failure_of(ask(client, intent))
            assert isinstance(error, Throttled)
            assert error.retry_after_s == pytest.approx(30)
        assert now_s() == 10
        await asyncio.sleep(20)
        await ask(client)

    run(story())
    assert source.asked_at_s == [0, 40]


def test_nobody_queues_for_a_place_to_be_told_that_it_is_in_vain() -> None:
    source = Source(answer(), takes_s=4)

    async def story() -> None:
        client = source.client(Limits(concurrency_max=1))
        slow = asyncio.create_task(ask(client, WRITE))
        await asyncio.sleep(1)
        source.script, source.takes_s = [answer(429, retry_after="40")], 0
        await failure_of(ask(client))
        assert isinstance(await failure_of(ask(client, WRITE)), Throttled)
        assert now_s() == 1
        await slow

    run(story())


def test_a_source_that_asks_for_a_day_is_asked_again_after_a_while() -> None:
    source = Source(answer(429, retry_after="86400"), answer())

    async def story() -> None:
        client = source.client(PATIENT)
        await failure_of(ask(client))
        await ask(client)

    run(story())
    assert source.asked_at_s == [0, PAUSE_MAX_S]


def test_a_source_that_does_not_say_for_how_long_keeps_nobody_else_away() -> None:
    source = Source(answer(429), answer())

    async def story() -> None:
        client = source.client()
        await failure_of(ask(client, WRITE))
        await ask(client)

    run(story())
    assert source.asked_at_s == [0, 0]


# ---------------------------------------------------------------------------------------------- rate
def test_a_call_that_costs_more_takes_more_of_the_rate() -> None:
    source = Source(answer())

    async def story() -> None:
        client = source.client(Limits(rate_per_s=10))
        await asyncio.gather(*(ask(client, cost=5) for _ in range(4)))

    run(story())
    assert source.asked_at_s == pytest.approx([0, 0, 0.5, 1.0], abs=0.01)


def test_a_call_that_costs_more_than_the_rate_ever_grants_waits_for_all_of_it() -> None:
    source = Source(answer())

    async def story() -> None:
        client = source.client(Limits(rate_per_s=10))
        await ask(client)
        await ask(client, cost=1_000)

    run(story())
    assert source.asked_at_s == pytest.approx([0, 0.1], abs=0.01)


def test_the_costly_is_not_overtaken_for_ever_by_the_cheap() -> None:
    source = Source(answer())

    async def story() -> None:
        client = source.client(Limits(rate_per_s=10))
        await ask(client, cost=10, params={"who": "before"})
        costly = asyncio.create_task(ask(client, cost=10, params={"who": "costly"}))
        await asyncio.sleep(0.01)
        await asyncio.gather(costly, *(ask(client, params={"who": "cheap"}) for _ in range(7)))

    run(story())
    assert [request.url.params["who"] for request in source.requests] == ["before", "costly", *["cheap"] * 7]


# ---------------------------------------------------------------------------------------------- allowance
def left_in(reply: Reply) -> Allowance | None:
    told = reply.read(dict[str, Any])
    return Allowance(left=told["left"], restore_per_s=told["restore"], most=told["most"]) if "left" in told else None


def busy(reply: Reply) -> SourceError | None:
    return Throttled("busy") if reply.read(dict[str, Any]).get("busy") else by_status(reply)


def told(left: float, *, restore: float = 50, most: float = 1_000, **more: int) -> Any:
    return answer(json={"left": left, "restore": restore, "most": most, **more})


def asking(source: Source, *costs: float, limits: Limits | None = None) -> list[float]:
    """When a source was asked that is asked for this, one after another."""

    async def story() -> None:
        client = source.client(limits, allowance=left_in, classify=busy)
        for cost in costs:
            await client.call("POST", "/", returns=dict[str, float], cost=cost)

    run(story())
    return source.asked_at_s


def test_a_call_waits_until_the_source_has_restored_what_it_costs() -> None:
    assert asking(Source(told(50)), 1, 100, 40) == pytest.approx([0, 1, 1])


def test_the_sources_word_replaces_what_we_had_counted() -> None:
    assert asking(Source(told(10), told(900), told(900)), 1, 60, 800) == pytest.approx([0, 1, 1])


def test_where_the_source_says_nothing_we_go_on_counting() -> None:
    assert asking(Source(told(100), answer()), 1, 60, 60, 60) == pytest.approx([0, 0, 0.4, 1.6])


def test_what_costs_more_than_the_source_ever_grants_waits_for_all_of_it() -> None:
    assert asking(Source(told(0, most=100)), 1, 5_000) == pytest.approx([0, 2])


def test_what_is_restored_while_nobody_asks_ends_at_the_most() -> None:
    source = Source(told(100, most=100), answer())

    async def story() -> None:
        client = source.client(allowance=left_in)
        await ask(client)
        await asyncio.sleep(1_000)
        await asyncio.gather(ask(client, cost=100), ask(client, cost=100))

    run(story())
    assert source.asked_at_s == pytest.approx([0, 1_000, 1_002])


def test_those_under_way_at_the_same_time_do_not_spend_the_same_allowance() -> None:
    source = Source(told(100), answer(), takes_s=0.1)

    async def story() -> None:
        client = source.client(allowance=left_in)
        await ask(client)
        await asyncio.gather(*(ask(client, cost=60) for _ in range(3)))

    run(story())
    assert source.asked_at_s == pytest.approx([0, 0.1, 0.5, 1.7])


def test_an_answer_that_came_before_the_source_saw_the_others_does_not_grant_them_twice() -> None:
    source = Source(told(100), told(100), answer(), takes_s=0.1)

    async def story() -> None:
        client = source.client(allowance=left_in)
        await ask(client)
        slow = asyncio.create_task(ask(client, cost=50))
        await asyncio.sleep(0.05)
        source.takes_s = 10
        hanging = asyncio.create_task(ask(client, cost=50))
        await slow  # says 100; 50 of them are under way
        assert client.traffic()["READ"].allowance == pytest.approx(50, abs=3)
        hanging.cancel()

    run(story())


def test_a_call_whose_turn_would_come_too_late_is_throttled_at_once() -> None:
    source = Source(told(0, restore=1), answer())

    async def story() -> None:
        client = source.client(allowance=left_in)
        await ask(client)
        error = await failure_of(ask(client, cost=100))
        assert isinstance(error, Throttled)
        assert error.retry_after_s == pytest.approx(100)
        assert now_s() == 0
        assert (await failure_of(ask(client, WRITE, cost=100))).code == "THROTTLED"  # surely not done

    run(story())
    assert len(source.requests) == 1


def test_a_source_that_restores_nothing_is_asked_once_it_says_so() -> None:
    source = Source(told(0, restore=0), answer())

    async def story() -> None:
        client = source.client(PATIENT, allowance=left_in)
        await ask(client)
        error = await failure_of(ask(client))
        assert isinstance(error, Throttled)
        assert error.retry_after_s is None

    run(story())


def test_being_throttled_is_retried_when_there_is_enough_again() -> None:
    source = Source(told(20, busy=1), told(1_000))
    assert asking(source, 120) == pytest.approx([0, 2])


@pytest.mark.parametrize("left", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("restore", [math.nan, -1.0])
def test_nonsense_about_the_allowance_is_not_believed(left: float, restore: float) -> None:
    source = Source(answer())

    async def story() -> None:
        def nonsense(_: Reply) -> Allowance:
            return Allowance(left=left, restore_per_s=restore, most=100)

        client = source.client(allowance=nonsense)
        await ask(client)
        await ask(client, cost=50)
        assert client.traffic()["READ"].allowance is None

    run(story())
    assert source.asked_at_s == [0, 0]


def test_an_answer_whose_allowance_cannot_be_read_is_an_answer() -> None:
    def unreadable(_: Reply) -> Allowance:
        raise ContractBroken("no throttle status")

    assert run(ask(Source(answer()).client(allowance=unreadable))) == STOCK


def test_those_who_give_up_leave_no_debt_and_take_no_place_with_them() -> None:
    source = Source(told(100), answer(), takes_s=0.1)

    async def story() -> None:
        client = source.client(allowance=left_in)
        await ask(client)
        waiters = [asyncio.create_task(ask(client, cost=90)) for _ in range(20)]
        await asyncio.sleep(0.05)
        for waiter in waiters:
            waiter.cancel()
        await asyncio.wait(waiters)
        await asyncio.sleep(100)
        source.script = [told(1_000)]
        await ask(client, cost=90)
        assert client.traffic()["READ"].allowance == 1_000
        source.at_once_max = 0
        await asyncio.gather(*(ask(client) for _ in range(8)))
        assert source.at_once_max == 8

    run(story())


def test_a_lost_answer_is_no_word_about_the_allowance_and_leaves_a_write_unknown() -> None:
    source = Source(told(100), ConnectionResetError)

    async def story() -> None:
        client = source.client(allowance=left_in)
        await ask(client)
        assert isinstance(await failure_of(ask(client, WRITE, cost=60)), OutcomeUnknown)
        assert client.traffic()["WRITE"].allowance == pytest.approx(40)

    run(story())


def test_who_is_late_but_has_nothing_to_wait_for_is_not_told_that_the_source_wants_a_pause() -> None:
    async def story() -> None:
        Pace(rate_per_s=None, monotonic=now_s).check(1.0, within_s=-0.01)

    run(story())
