"""Retry, breaker, rate and bulkhead around one exchange, on a virtual clock: waiting costs nothing, and is exact."""

import asyncio
from typing import Any

import pytest

from connectors.client import Client, Intent, Limits, Reply, by_status
from connectors.contract import BreakerState, OutcomeUnknown, Rejected, SourceError, Throttled, Transient
from tests.connectors.scripted import LOST, READ, REFUSED, STOCK, WRITE, Source, Step, answer, ask, failure_of, now_s, run

PATIENT = Limits(breaker_failures=10**9)


def busy_or_rolled_back(reply: Reply) -> SourceError | None:
    match reply.read(dict[str, Any]).get("error"):
        case "BUSY":
            return Throttled("busy", retry_after_s=4)
        case "ROLLED_BACK":
            return Transient("rolled back")
        case _:
            return by_status(reply)


@pytest.mark.parametrize("hiccup", [LOST, REFUSED, answer(502), answer(429)])
def test_a_read_and_a_keyed_write_survive_two_hiccups(hiccup: Step) -> None:
    for intent in Intent:
        source = Source(hiccup, hiccup, answer())
        assert run(ask(source.client(), intent, repeatable=True)) == STOCK
        assert len(source.requests) == 3


@pytest.mark.parametrize("final", [answer(400), answer(401), answer(404), answer(json="html")])
def test_what_will_not_get_better_is_not_tried_again(final: Step) -> None:
    source = Source(final, answer())
    run(failure_of(ask(source.client())))
    assert len(source.requests) == 1


def test_retries_back_off_with_full_jitter() -> None:
    async def waits() -> tuple[float, float]:
        source = Source(LOST, LOST, answer())
        await ask(source.client())
        first, second, third = source.asked_at_s
        return second - first, third - second

    seen = [run(waits()) for _ in range(50)]
    assert all(first <= 0.2 and second <= 0.4 for first, second in seen)
    assert len(set(seen)) == 50
    assert any(second < 0.2 for _, second in seen)  # full: not the exponent plus a little


def test_retry_after_is_honored_to_the_second() -> None:
    source = Source(answer(429, retry_after="7"), answer(503, retry_after="2.5"), answer())
    assert run(ask(source.client())) == STOCK
    assert source.asked_at_s == [0, 7, 9.5]


def test_an_error_in_a_200_is_retried_like_any_other() -> None:
    source = Source(answer(json={"error": "BUSY"}), answer())
    assert run(ask(source.client(classify=busy_or_rolled_back))) == STOCK
    assert source.asked_at_s == [0, 4]


def test_a_retry_after_beyond_the_deadline_is_told_at_once_instead_of_waited_for() -> None:
    source = Source(answer(429, retry_after="60"))

    async def once() -> tuple[SourceError, float]:
        return await failure_of(ask(source.client())), now_s()

    error, at_s = run(once())
    assert isinstance(error, Throttled)
    assert (error.retry_after_s, at_s, len(source.requests)) == (60.0, 0.0, 1)


def test_the_total_deadline_bounds_all_attempts() -> None:
    source = Source(answer(), takes_s=60)

    async def once() -> float:
        await failure_of(ask(source.client(Limits(attempt_timeout_s=5, total_timeout_s=8, attempts_max=9))))
        return now_s()

    assert 5 < run(once()) <= 8
    assert len(source.requests) == 2


def test_a_dying_source_is_not_hammered() -> None:
    source = Source(answer(500))

    async def many() -> None:
        client = source.client(PATIENT)
        for _ in range(100):
            await failure_of(ask(client))

    run(many())
    assert len(source.requests) == 110  # a reserve of ten retries, then none


def test_answers_earn_retries_back() -> None:
    source = Source(answer(500))

    async def attempts_after(successes: int) -> int:
        client = source.client(PATIENT)
        source.script = [answer(500)]
        for _ in range(6):
            await failure_of(ask(client))
        source.script = [answer()]
        for _ in range(successes):
            await ask(client)
        source.script, source.requests = [answer(500)], []
        await failure_of(ask(client))
        return len(source.requests)

    assert [run(attempts_after(successes)) for successes in (0, 6, 11, 50)] == [1, 2, 3, 3]


@pytest.mark.parametrize("step", [LOST, answer(429, retry_after="1"), answer(500), answer(json={"error": "ROLLED_BACK"})])
def test_a_write_that_was_sent_is_never_repeated(step: Step) -> None:
    source = Source(step, answer())
    run(failure_of(ask(source.client(classify=busy_or_rolled_back), WRITE)))
    assert len(source.requests) == 1


def test_a_write_that_was_not_sent_is_tried_again() -> None:
    source = Source(REFUSED, answer())
    assert run(ask(source.client(), WRITE)) == STOCK


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ([LOST, LOST, LOST], OutcomeUnknown),
        ([LOST, REFUSED, REFUSED], OutcomeUnknown),  # the first may have arrived, whatever the last did
        ([LOST, answer(429, retry_after="99")], OutcomeUnknown),
        ([LOST, answer(401)], OutcomeUnknown),
        ([LOST, answer(422)], Rejected),  # it knows our key, and says no
        ([REFUSED, REFUSED, REFUSED], Transient),
        ([answer(429)], Throttled),
    ],
)
def test_a_repeatable_write_ends_unknown_when_no_answer_settles_it(script: list[Step], error: type[SourceError]) -> None:
    assert type(run(failure_of(ask(Source(*script).client(), WRITE, repeatable=True)))).code == error.code


def test_a_write_that_never_got_its_turn_surely_did_not_happen() -> None:
    source = Source(answer(), takes_s=10)

    async def both() -> list[str]:
        client = source.client(Limits(concurrency_max=1, attempt_timeout_s=5, total_timeout_s=5))
        ends = await asyncio.gather(*(failure_of(ask(client, WRITE)) for _ in range(2)))
        return [end.code for end in ends]

    assert run(both()) == ["OUTCOME_UNKNOWN", "TRANSIENT"]
    assert len(source.requests) == 1


def test_a_write_whose_turn_came_too_late_is_not_sent() -> None:
    def hog_the_loop(reply: Reply) -> None:
        asyncio.get_running_loop().leaps.now_s += 60  # type: ignore[attr-defined] # the loop of these tests

    source = Source(answer(), takes_s=1)

    async def both() -> None:
        client = source.client(Limits(concurrency_max=1), classify=hog_the_loop)
        _, late = await asyncio.gather(ask(client, WRITE), failure_of(ask(client, WRITE)))
        assert str(late) == "TRANSIENT: no time left of 15.0 s"

    run(both())
    assert len(source.requests) == 1


def test_an_open_breaker_stops_retries_and_later_calls() -> None:
    source = Source(answer(500))

    async def story() -> SourceError:
        client = source.client(Limits(breaker_failures=2, attempts_max=5))
        first = await failure_of(ask(client))
        assert first.detail == "HTTP 500"  # the cause, not the breaker's word
        return await failure_of(ask(client))

    error = run(story())
    assert isinstance(error, Transient)
    assert "circuit open, next try in 5.0 s" in error.detail
    assert len(source.requests) == 2


def test_an_open_breaker_answers_without_waiting_for_a_turn() -> None:
    async def story() -> float:
        client = Source(answer(500)).client(Limits(breaker_failures=1, rate_per_s=0.5))
        await failure_of(ask(client))
        await failure_of(ask(client))
        return now_s()

    assert run(story()) == 0


def test_dead_writes_do_not_stop_reads() -> None:
    source = Source(answer(500))

    async def story() -> dict[str, int]:
        client = source.client(Limits(breaker_failures=1))
        await failure_of(ask(client, WRITE))
        source.script = [answer()]
        assert isinstance(await failure_of(ask(client, WRITE)), Transient)
        traffic = client.traffic()
        assert (traffic[WRITE].breaker, traffic[READ].breaker) == (BreakerState.OPEN, BreakerState.CLOSED)
        return await ask(client)

    assert run(story()) == STOCK


async def opened(source: Source, limits: Limits) -> Client:
    client = source.client(limits)
    await failure_of(ask(client))
    await asyncio.sleep(5)
    source.script, source.requests = [answer()], []
    return client


def test_of_twenty_calls_at_half_open_one_reaches_the_source() -> None:
    source = Source(answer(500), takes_s=1)

    async def story() -> int:
        client = await opened(source, Limits(breaker_failures=1, concurrency_max=50))
        probe = asyncio.create_task(ask(client))
        await asyncio.sleep(0)
        ends = await asyncio.gather(*(failure_of(ask(client)) for _ in range(19)))
        assert all("a probe is under way" in end.detail for end in ends)
        assert now_s() == 6  # refused at once, not tried again
        await probe
        await ask(client)
        return len(source.requests)

    assert run(story()) == 2


def test_a_canceled_probe_leaves_the_slot_to_the_next() -> None:
    source = Source(answer(500), takes_s=1)

    async def story() -> dict[str, int]:
        client = await opened(source, Limits(breaker_failures=1))
        probe = asyncio.create_task(ask(client))
        await asyncio.sleep(0.5)
        probe.cancel()
        await asyncio.wait([probe])
        assert client.traffic()[READ].in_flight == 0
        return await ask(client)

    assert run(story()) == STOCK


def test_those_who_waited_for_a_turn_while_the_breaker_opened_are_kept_back() -> None:
    source = Source(answer(500), takes_s=1)

    async def story() -> None:
        client = source.client(Limits(breaker_failures=1, concurrency_max=1, attempts_max=1))
        ends = await asyncio.gather(*(failure_of(ask(client)) for _ in range(5)))
        assert ["circuit open" in end.detail for end in ends] == [False, True, True, True, True]

    run(story())
    assert len(source.requests) == 1


def test_no_more_than_so_many_at_once_and_reads_do_not_wait_for_writes() -> None:
    source = Source(answer(), takes_s=1)

    async def story(*intents: Intent) -> int:
        client = source.client(Limits(concurrency_max=3))
        await asyncio.gather(*(ask(client, intent) for intent in intents * 10))
        return source.at_once_max

    assert run(story(READ)) == 3
    assert run(story(READ, WRITE)) == 6


def test_waiters_that_give_up_take_no_place_with_them() -> None:
    source = Source(answer(), takes_s=1)

    async def story() -> float:
        client = source.client(Limits(concurrency_max=2, rate_per_s=100))
        waiters = [asyncio.create_task(ask(client)) for _ in range(30)]
        await asyncio.sleep(0.5)
        for waiter in waiters:
            waiter.cancel()
        await asyncio.wait(waiters)
        await asyncio.gather(ask(client), ask(client))
        return now_s()

    assert run(story()) == pytest.approx(1.5)


@pytest.mark.parametrize(("rate_per_s", "asked_at_s"), [(2.0, [0, 0, 0.5, 1.0, 1.5]), (0.5, [0, 2, 4, 6, 8])])
def test_the_rate_holds_for_reads_and_writes_together(rate_per_s: float, asked_at_s: list[float]) -> None:
    source = Source(answer())

    async def story() -> None:
        client = source.client(Limits(rate_per_s=rate_per_s))
        await asyncio.gather(*(ask(client, intent) for intent in (READ, WRITE, READ, WRITE, READ)))

    run(story())
    assert source.asked_at_s == pytest.approx(asked_at_s, abs=0.01)


def test_stats_tell_how_a_source_fares_and_no_secret() -> None:
    source = Source(answer(422, json="token abcdefghijklmnopqrstuvwxyz is bad"), LOST, answer(), takes_s=0.25)

    async def story() -> None:
        client = source.client()
        await failure_of(ask(client))
        assert "abcdefghij" not in str(client.traffic())
        await ask(client)
        line = client.traffic()[READ]
        assert (line.breaker, line.in_flight, line.calls, line.failures) == (BreakerState.CLOSED, 0, 3, 1)
        assert line.last_latency_ms == pytest.approx(250)
        assert line.last_error == "TRANSIENT: no whole answer: scripted"
        assert client.traffic()[WRITE].last_latency_ms is None

    run(story())
