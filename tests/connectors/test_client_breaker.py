"""The breaker alone, on a clock that the tests move."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.client.breaker import Breaker
from connectors.client.failures import CircuitOpen
from connectors.contract import (
    AuthFailed,
    BreakerState,
    ContractBroken,
    NotFound,
    OutcomeUnknown,
    Rejected,
    SourceError,
    Throttled,
    Transient,
)

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
BAD, OK, NO, WAIT = Transient(), None, Rejected(), 5.0


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures_max=3, open_s=5.0, monotonic=clock)


def pass_one(breaker: Breaker, error: SourceError | None) -> None:
    with suppress(SourceError), breaker.watch():
        if error is not None:
            raise error


@pytest.mark.parametrize(
    ("story", "state"),
    [
        ([], CLOSED),
        ([BAD, BAD], CLOSED),
        ([BAD, BAD, BAD], OPEN),
        ([BAD, BAD, OK, BAD, BAD], CLOSED),  # failures in a row
        ([BAD, BAD, NO, BAD], OPEN),  # a refusal is neither failure nor success
        ([BAD, BAD, BAD, 4.9], OPEN),
        ([BAD, BAD, BAD, WAIT], HALF_OPEN),
        ([BAD, BAD, BAD, WAIT, OK], CLOSED),
        ([BAD, BAD, BAD, WAIT, OK, BAD, BAD], CLOSED),  # starts counting anew
        ([BAD, BAD, BAD, WAIT, BAD], OPEN),  # one failed probe is enough
        ([BAD, BAD, BAD, WAIT, BAD, WAIT], HALF_OPEN),
        ([BAD, BAD, BAD, WAIT, BAD, WAIT, OK], CLOSED),
        ([BAD, BAD, BAD, WAIT, NO], CLOSED),  # whoever refuses is alive
        ([BAD, BAD, BAD, OK], OPEN),  # nobody gets through
    ],
)
def test_the_breaker_follows_this_table(
    breaker: Breaker, clock: Clock, story: Sequence[SourceError | float | None], state: BreakerState
) -> None:
    for step in story:
        if isinstance(step, float):
            clock.now_s += step
        else:
            pass_one(breaker, step)
    assert breaker.state is state


@pytest.mark.parametrize("error", [Transient(), ContractBroken(), OutcomeUnknown()])
def test_what_tells_of_a_sick_source_opens_it(breaker: Breaker, error: SourceError) -> None:
    for _ in range(3):
        pass_one(breaker, error)
    assert breaker.state is OPEN


@pytest.mark.parametrize("error", [Rejected(), NotFound(), Throttled(), AuthFailed()])
def test_what_a_healthy_source_says_never_opens_it(breaker: Breaker, error: SourceError) -> None:
    for _ in range(30):
        pass_one(breaker, error)
    assert breaker.state is CLOSED


def test_an_open_breaker_says_when_to_come_back(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        pass_one(breaker, BAD)
    clock.now_s += 1.5
    with pytest.raises(Transient, match=r"circuit open, next try in 3\.5 s"), breaker.watch():
        pytest.fail("let through")


def test_of_twenty_concurrent_callers_one_is_the_probe(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        pass_one(breaker, BAD)
    clock.now_s += 5
    through: list[int] = []

    async def caller(number: int) -> None:
        with breaker.watch():
            through.append(number)
            await asyncio.sleep(0)

    async def all_at_once() -> list[BaseException | None]:
        return await asyncio.gather(*(caller(number) for number in range(20)), return_exceptions=True)

    ends = asyncio.run(all_at_once())
    assert through == [0]
    assert sum(isinstance(end, CircuitOpen) for end in ends) == 19
    assert breaker.state is CLOSED


def test_a_canceled_probe_frees_its_slot_and_decides_nothing(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        pass_one(breaker, BAD)
    clock.now_s += 5

    async def probe_and_give_up() -> None:
        async def probe() -> None:
            with breaker.watch():
                await asyncio.Event().wait()

        task = asyncio.create_task(probe())
        await asyncio.sleep(0)
        with pytest.raises(CircuitOpen):
            breaker.check()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(probe_and_give_up())
    assert breaker.state is HALF_OPEN
    pass_one(breaker, OK)
    assert breaker.state is CLOSED


def test_stragglers_from_before_it_opened_neither_close_it_nor_keep_it_open(breaker: Breaker, clock: Clock) -> None:
    late_success, late_failure = breaker.watch(), breaker.watch()
    late_success.__enter__()
    late_failure.__enter__()
    for _ in range(3):
        pass_one(breaker, BAD)

    late_success.__exit__(None, None, None)
    assert breaker.state is OPEN
    clock.now_s += 5
    assert not late_failure.__exit__(Transient, BAD, None)
    assert breaker.state is HALF_OPEN


steps = st.one_of(st.just(None), st.sampled_from([Transient(), Rejected(), ContractBroken()]), st.floats(0, 10))


@given(st.lists(steps, max_size=60))
def test_it_always_lets_somebody_through_after_a_while_and_one_success_heals_it(
    story: list[SourceError | float | None],
) -> None:
    clock = Clock()
    breaker = Breaker(failures_max=3, open_s=5.0, monotonic=clock)
    for step in story:
        if isinstance(step, float):
            clock.now_s += step
        else:
            pass_one(breaker, step)
    clock.now_s += 5.001
    with breaker.watch():
        pass
    assert breaker.state is CLOSED
