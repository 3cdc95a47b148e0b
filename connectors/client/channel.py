"""All layers of resilience around one exchange with a source, whatever language the two speak."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import stamina

from connectors.client.failures import Inconclusive, NotSent
from connectors.client.hedge import first_good
from connectors.client.lane import Lane
from connectors.client.limits import Intent, Limits
from connectors.client.pace import Allowance, Pace
from connectors.client.retry import Persistence
from connectors.contract import (
    AuthFailed,
    BreakerState,
    ContractBroken,
    NotFound,
    OutcomeUnknown,
    Rejected,
    SourceError,
    Throttled,
    Traffic,
    Unsupported,
)
from connectors.registry import Tools

T = TypeVar("T")
Attempt = Callable[[float], Awaitable[T]]
"""One exchange, given the seconds it may take. It raises only ``SourceError``; of its shades ``NotSent`` for what the source
surely never saw, ``Inconclusive`` for what was sent and not answered."""
Admit = Callable[[AuthFailed | None], Awaitable[bool]]
"""What has to be in hand before asking: called with None before the first attempt, and with the refusal when the source refused
what we presented. False: there is nothing else to present."""

# Answers that speak for the whole call, earlier attempts that got none included: a source that knows our key says so.
_SETTLING = (Rejected, NotFound, Unsupported)

# ``Persistence.wait_s`` alone decides when to stop.
_retrying = stamina.AsyncRetryingCaller(attempts=None, timeout=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call(Generic[T]):
    """What every attempt of one call has in common."""

    attempt: Attempt[T]
    admit: Admit | None
    cost: float
    lane: Lane
    persistence: Persistence
    hedged: bool


class Channel:
    """The way to one source, for one event loop."""

    def __init__(self, *, tools: Tools, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._lanes = {intent: Lane(self.limits, tools.monotonic) for intent in Intent}
        self._pace = Pace(rate_per_s=self.limits.rate_per_s, monotonic=tools.monotonic)

    async def through(
        self,
        attempt: Attempt[T],
        *,
        intent: Intent = Intent.READ,
        repeatable: bool | None = None,
        cost: float = 1.0,
        admit: Admit | None = None,
    ) -> T:
        """Make the attempt, as often as is safe and sensible.

        Args:
            attempt: Made anew each time; canceled when its time is over, which leaves a write in doubt.
            intent: Picks the breaker and the bulkhead, and says whether a lost answer matters.
            repeatable: The source does not mind getting it twice. None: true for reads, false for writes.
            cost: Of each attempt, in the unit of the source's rate and allowance.
            admit: See ``Admit``. A refusal that it can mend is answered by one more attempt, even of what is not repeatable.

        Raises:
            SourceError: A subclass of it, and nothing else. ``Transient`` of a write: it surely did not happen.
            OutcomeUnknown: A write was sent, and no attempt got an answer that settles whether it happened.
        """
        lane = self._lanes[intent]
        safe = intent is Intent.READ if repeatable is None else repeatable
        persistence = Persistence(
            repeatable=safe,
            attempts_left=self.limits.attempts_max,
            deadline_at=asyncio.get_running_loop().time() + self.limits.total_timeout_s,
            breaker=lane.breaker,
            budget=lane.budget,
        )
        hedged = self.limits.hedge_after_s is not None and intent is Intent.READ and safe
        call = _Call(attempt=attempt, admit=admit, cost=cost, lane=lane, persistence=persistence, hedged=hedged)
        try:
            return await self._admitted(call)
        except _SETTLING:
            raise
        except SourceError as error:
            if intent is Intent.WRITE and persistence.in_doubt:
                raise OutcomeUnknown(error.detail) from error
            raise

    def allow(self, allowance: Allowance, *, cost: float = 1.0) -> None:
        """Take the source's word, from its answer to an attempt of that cost, for what may still be asked of it."""
        self._pace.tell(allowance, cost=cost)

    def traffic(self) -> Mapping[str, Traffic]:
        """How reads and writes fare, under ``READ`` and ``WRITE``."""
        allowance = self._pace.allowance()
        return {intent.value: lane.traffic(allowance=allowance) for intent, lane in self._lanes.items()}

    async def _admitted(self, call: _Call[T]) -> T:
        if call.admit is None:
            return await _retrying(call.persistence.wait_s, self._attempt, call)
        await self._admit(call.admit, None, call.persistence)
        try:
            return await _retrying(call.persistence.wait_s, self._attempt, call)
        except AuthFailed as refusal:
            if not await self._admit(call.admit, refusal, call.persistence):
                raise
        return await _retrying(call.persistence.wait_s, self._attempt, call)

    async def _admit(self, admit: Admit, refusal: AuthFailed | None, persistence: Persistence) -> bool:
        try:
            async with asyncio.timeout_at(persistence.deadline_at):
                return await admit(refusal)
        except TimeoutError:
            raise NotSent(f"no credential within {self.limits.total_timeout_s:.1f} s") from None

    async def _attempt(self, call: _Call[T]) -> T:
        call.lane.breaker.check()
        self._pace.check(call.cost, within_s=call.persistence.remaining_s())
        async with self._turn(call):
            call.lane.retries += call.persistence.asked
            call.persistence.asked = True
            return await (self._hedged(call) if call.hedged else self._exchange(call))

    async def _hedged(self, call: _Call[T]) -> T:
        """Ask once more where the first answer is long in coming, if that is not what makes the source slow."""

        def sensible() -> bool:
            lane = call.lane
            return not lane.bulkhead.locked() and lane.breaker.state is BreakerState.CLOSED and lane.budget.spend()

        async def again() -> T:
            async with self._turn(call):
                call.lane.hedges += 1
                return await self._exchange(call)

        return await first_good(self._exchange(call), again, after_s=self.limits.hedge_after_s or 0.0, sensible=sensible)

    @asynccontextmanager
    async def _turn(self, call: _Call[T]) -> AsyncIterator[None]:
        """Wait for a place among the concurrent exchanges, then until the source may be asked: nobody's turn grows stale."""
        bulkhead, persistence = call.lane.bulkhead, call.persistence
        try:
            async with asyncio.timeout_at(persistence.deadline_at):
                await bulkhead.acquire()
                try:
                    await self._pace.take(call.cost, remaining_s=persistence.remaining_s)
                except BaseException:
                    bulkhead.release()
                    raise
        except TimeoutError:
            raise NotSent(f"no turn within {self.limits.total_timeout_s:.1f} s") from None
        try:
            yield
        finally:
            bulkhead.release()
            self._pace.give_back(call.cost)

    async def _exchange(self, call: _Call[T]) -> T:
        persistence = call.persistence
        timeout_s = min(self.limits.attempt_timeout_s, persistence.remaining_s())
        if timeout_s <= 0:
            raise NotSent(f"no time left of {self.limits.total_timeout_s:.1f} s")
        with call.lane.watch():
            try:
                return await _in_time(call.attempt, timeout_s)
            except (Inconclusive, ContractBroken):
                persistence.in_doubt = True
                raise
            except Throttled as error:
                self._pace.pause(error.retry_after_s)
                raise


async def _in_time(attempt: Attempt[T], timeout_s: float) -> T:
    try:
        async with asyncio.timeout(timeout_s):
            return await attempt(timeout_s)
    except TimeoutError:
        raise Inconclusive(f"no whole answer within {timeout_s:.1f} s") from None
