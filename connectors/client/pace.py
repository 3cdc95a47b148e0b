"""How fast a source may be asked: by a rate of ours, by the pauses it asks for, and by what it says is left."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiolimiter import AsyncLimiter

from connectors.contract import Throttled

# One wrong ``Retry-After`` of a day shall not keep everybody away for a day: after this long somebody asks again.
PAUSE_MAX_S: Final = 60.0
# Shorter waits are noise of floating point.
_INSTANT_S: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a source says of its own throttle: ``left`` now, growing by ``restore_per_s`` up to ``most``, in its own unit."""

    left: float
    restore_per_s: float
    most: float

    @property
    def plausible(self) -> bool:
        """Whether one can wait by it."""
        return math.isfinite(self.left) and 0 <= self.restore_per_s < math.inf and 0 < self.most < math.inf


class Pace:
    """Callers go in the order they came, each as soon as none of the three bounds speaks against it.

    ``cost`` is in the unit of the rate and of the allowance; what costs more than a bound ever grants waits for all of it.
    """

    def __init__(self, *, rate_per_s: float | None, monotonic: Callable[[], float]) -> None:
        self._limiter = _limiter(rate_per_s) if rate_per_s else None
        self._monotonic = monotonic
        self._queue = asyncio.Lock()
        self._paused_until = -math.inf
        self._told: Allowance | None = None
        self._left = 0.0
        self._left_at = 0.0
        self._under_way = 0.0

    def check(self, cost: float, *, within_s: float) -> None:
        """Let a caller know now that waiting is in vain.

        Raises:
            Throttled: Its turn would not come in time.
        """
        wait_s = self._wait_s(cost)
        if wait_s and wait_s > within_s:
            raise Throttled("the source has asked for a pause", retry_after_s=wait_s if math.isfinite(wait_s) else None)

    async def take(self, cost: float, *, remaining_s: Callable[[], float]) -> None:
        """Wait for a turn, and count it as under way until ``give_back``.

        Raises:
            Throttled: It would not come in the remaining time.
        """
        if self._limiter or self._queue.locked() or self._wait_s(cost):
            async with self._queue:
                if self._limiter:
                    await self._limiter.acquire(min(cost, self._limiter.max_rate))
                while wait_s := self._wait_s(cost):
                    self.check(cost, within_s=remaining_s())
                    await asyncio.sleep(wait_s)
        self._under_way += cost
        self._estimate((self.allowance() or 0.0) - cost)

    def give_back(self, cost: float) -> None:
        """It is over, however it ended."""
        self._under_way -= cost

    def pause(self, seconds: float | None) -> None:
        """The source was asked too often, and said for how long it is not to be asked; None: it did not say."""
        if seconds is not None:
            self._paused_until = max(self._paused_until, self._monotonic() + min(seconds, PAUSE_MAX_S))

    def tell(self, allowance: Allowance, *, cost: float) -> None:
        """Believe the source, in its answer to a call of that cost, rather than our estimate.

        It may not have seen yet what else is under way: that is taken off what it says.
        """
        if allowance.plausible:
            self._told = allowance
            self._estimate(allowance.left - max(0.0, self._under_way - cost))

    def allowance(self) -> float | None:
        """What may be left now; None where the source never said."""
        if self._told is None:
            return None
        restored = (self._monotonic() - self._left_at) * self._told.restore_per_s
        return min(self._told.most, self._left + restored)

    def _estimate(self, left: float) -> None:
        self._left, self._left_at = left, self._monotonic()

    def _wait_s(self, cost: float) -> float:
        """Seconds until there may be a turn: 0 for now, infinite for never."""
        wait_s = max(self._paused_until - self._monotonic(), self._restored_in_s(cost))
        return wait_s if wait_s > _INSTANT_S else 0.0

    def _restored_in_s(self, cost: float) -> float:
        left = self.allowance()
        if self._told is None or left is None:
            return 0.0
        missing = min(cost, self._told.most) - left
        if missing <= 0:
            return 0.0
        return missing / self._told.restore_per_s if self._told.restore_per_s else math.inf


def _limiter(rate_per_s: float) -> AsyncLimiter:
    """A bucket of one second's worth, but never of less than one call."""
    burst = max(1.0, rate_per_s)
    return AsyncLimiter(burst, burst / rate_per_s)
