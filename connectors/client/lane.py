"""What reads and writes do not share, so that a dead write API does not stop reads."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from connectors.client.breaker import FAILURES, Breaker, BreakerState
from connectors.client.limits import Limits
from connectors.client.retry import Budget
from connectors.contract import SourceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How one intent fares at one source.

    ``calls`` counts exchanges, retries included; ``failures`` those that the breaker counts. ``last_error`` stays after the
    source has recovered.
    """

    breaker: BreakerState
    in_flight: int
    calls: int
    failures: int
    last_latency_ms: float | None
    last_error: str | None


class Lane:
    """Breaker, bulkhead, retry budget and counters of one intent."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self.breaker = Breaker(failures_max=limits.breaker_failures, open_s=limits.breaker_open_s, monotonic=monotonic)
        self.bulkhead = asyncio.Semaphore(limits.concurrency_max)
        self.budget = Budget()
        self._monotonic = monotonic
        self._in_flight = 0
        self._calls = 0
        self._failures = 0
        self._last_latency_ms: float | None = None
        self._last_error: str | None = None

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Let one exchange through, if the breaker does, and count it.

        Raises:
            CircuitOpen: The breaker does not.
        """
        with self.breaker.watch():
            started_at = self._monotonic()
            self._in_flight += 1
            self._calls += 1
            try:
                yield
            except SourceError as error:
                self._failures += isinstance(error, FAILURES)
                self._last_error = str(error)
                raise
            else:
                self.budget.earn()
            finally:
                self._in_flight -= 1
                self._last_latency_ms = (self._monotonic() - started_at) * 1000

    def line(self) -> Line:
        """The counters at this moment."""
        return Line(
            breaker=self.breaker.state,
            in_flight=self._in_flight,
            calls=self._calls,
            failures=self._failures,
            last_latency_ms=self._last_latency_ms,
            last_error=self._last_error,
        )
