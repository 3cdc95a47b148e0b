"""The same layers around something that is not HTTP, on a virtual clock."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from connectors.client import Allowance, Channel, Inconclusive, Intent, Limits, NotSent
from connectors.contract import AuthFailed, BreakerState, ContractBroken, NotFound, OutcomeUnknown, Rejected, SourceError, Transient
from connectors.registry import Tools
from tests.connectors.scripted import READ, WRITE, failure_of, now_s, run

Attempt = Callable[[float], Awaitable[str]]


def channel(limits: Limits | None = None) -> Channel:
    return Channel(limits=limits, tools=Tools(now=lambda: datetime.now(UTC), monotonic=now_s))


class Folder:
    """A source that is no server: it does what the script says, and remembers how long it was given."""

    def __init__(self, *script: str | SourceError | OSError, takes_s: float = 0.0) -> None:
        self.script = list(script)
        self.takes_s = takes_s
        self.given_s: list[float] = []

    async def __call__(self, timeout_s: float) -> str:
        self.given_s.append(timeout_s)
        await asyncio.sleep(self.takes_s)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return step


def test_an_attempt_is_told_how_long_it_may_take_and_repeated_where_that_helps() -> None:
    folder = Folder(NotSent("away"), Inconclusive("cut"), "rows")
    assert run(channel().through(folder)) == "rows"
    assert len(folder.given_s) == 3
    assert folder.given_s[0] == 5.0


def test_an_attempt_is_given_what_is_left_of_the_whole() -> None:
    folder = Folder(Inconclusive("cut"), takes_s=4)

    async def story() -> None:
        await failure_of(channel(Limits(total_timeout_s=6)).through(folder))

    run(story())
    assert folder.given_s[0] == 5
    assert folder.given_s[1] <= 2


@pytest.mark.parametrize(("intent", "error"), [(READ, Transient), (WRITE, OutcomeUnknown)])
def test_an_attempt_that_takes_too_long_is_stopped_and_leaves_a_write_unknown(intent: Intent, error: type[SourceError]) -> None:
    folder = Folder("rows", takes_s=60)

    async def story() -> float:
        assert isinstance(await failure_of(channel(Limits(attempts_max=1)).through(folder, intent=intent)), error)
        return now_s()

    assert run(story()) == 5


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (NotSent("no mount"), Transient),
        (Transient("rolled back"), Transient),
        (Rejected("no"), Rejected),
        (NotFound("none"), NotFound),
        (Inconclusive("cut"), OutcomeUnknown),
        (ContractBroken("not a csv"), OutcomeUnknown),
        (TimeoutError(), OutcomeUnknown),
    ],
)
def test_what_is_known_of_a_write_is_what_its_attempt_says(end: SourceError, error: type[SourceError]) -> None:
    async def story() -> SourceError:
        return await failure_of(channel(Limits(attempts_max=1)).through(Folder(end), intent=WRITE))

    assert type(run(story())).code == error.code


def test_a_bug_is_no_failure_of_the_source() -> None:
    async def story() -> None:
        way = channel(Limits(breaker_failures=1))
        with pytest.raises(ZeroDivisionError):
            await way.through(broken)
        traffic = way.traffic()["READ"]
        assert (traffic.breaker, traffic.failures, traffic.in_flight) == (BreakerState.CLOSED, 0, 0)

    async def broken(timeout_s: float) -> float:
        return timeout_s / 0

    run(story())


def test_its_traffic_reads_like_that_of_any_source() -> None:
    async def story() -> None:
        way = channel(Limits(attempts_max=2, breaker_failures=4))
        await failure_of(way.through(Folder(Inconclusive("cut"))))
        await failure_of(way.through(Folder(Rejected("no")), intent=WRITE))
        read, write = way.traffic()["READ"], way.traffic()["WRITE"]
        assert (read.calls, read.retries, read.failures, read.last_error) == (2, 1, 2, "TRANSIENT: cut")
        assert (write.calls, write.retries, write.failures) == (1, 0, 0)
        assert read.allowance is write.allowance is None
        way.allow(Allowance(left=7, restore_per_s=1, most=10))
        assert way.traffic()["WRITE"].allowance == 7

    run(story())


def test_what_has_to_be_in_hand_is_fetched_before_and_again_when_it_is_refused() -> None:
    asked: list[AuthFailed | None] = []

    async def admit(refusal: AuthFailed | None) -> bool:
        asked.append(refusal)
        return True

    refusal = AuthFailed("expired")
    assert run(channel().through(Folder(refusal, "rows"), admit=admit)) == "rows"
    assert asked == [None, refusal]
