"""When to try again, and how long to wait before."""

import asyncio
import random
from dataclasses import dataclass

from connectors.client.breaker import Breaker
from connectors.client.failures import CircuitOpen, NotSent
from connectors.contract import BreakerState, Throttled, Transient

BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 2.0
BUDGET_RETRIES_MAX = 10.0
BUDGET_RETRIES_PER_SUCCESS = 0.2


class Budget:
    """How many retries, and reads asked twice, the source has earned by answering: one for five successes, some in reserve.

    Without it a source that fails under load gets its load times the attempts.
    """

    def __init__(self) -> None:
        self._retries = BUDGET_RETRIES_MAX

    def earn(self) -> None:
        """Count one success."""
        self._retries = min(BUDGET_RETRIES_MAX, self._retries + BUDGET_RETRIES_PER_SUCCESS)

    def spend(self) -> bool:
        """Take one retry, if there is one."""
        if self._retries < 1:
            return False
        self._retries -= 1
        return True


@dataclass(slots=True, kw_only=True)
class Persistence:
    """How far one call still goes. ``deadline_at`` is on the event loop's clock.

    ``asked``: an attempt was made. ``in_doubt``: one was sent, and nobody can say whether it did anything.
    """

    repeatable: bool
    attempts_left: int
    deadline_at: float
    breaker: Breaker
    budget: Budget
    backoff_s: float = BACKOFF_FIRST_S
    asked: bool = False
    in_doubt: bool = False

    def remaining_s(self) -> float:
        """Time until the total deadline; negative after it."""
        return self.deadline_at - asyncio.get_running_loop().time()

    def wait_s(self, error: Exception) -> float | bool:
        """Seconds to wait before the next attempt, or False for no further one: stamina's hook, asked after each failure."""
        self.attempts_left -= 1
        if self.attempts_left < 1 or not self._may_help(error) or self.breaker.state is BreakerState.OPEN:
            return False
        asked_s = error.retry_after_s if isinstance(error, Throttled) else None
        wait_s = self._jittered_s() if asked_s is None else asked_s
        return wait_s if wait_s < self.remaining_s() and self.budget.spend() else False

    def _may_help(self, error: Exception) -> bool:
        if isinstance(error, NotSent):
            return not isinstance(error, CircuitOpen)
        return self.repeatable and isinstance(error, Transient | Throttled)

    def _jittered_s(self) -> float:
        """Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/."""
        ceiling_s, self.backoff_s = self.backoff_s, min(BACKOFF_MAX_S, 2 * self.backoff_s)
        return random.uniform(0, ceiling_s)  # noqa: S311 - spreads load, protects nothing
