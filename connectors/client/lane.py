"""What reads and writes do not share, so that a dead write API does not stop reads."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connectors.client.breaker import FAILURES, Breaker
from connectors.client.limits import Limits
from connectors.client.retry import Budget
from connectors.contract import SourceError, Throttled, Traffic


class Lane:
    """Breaker, bulkhead, retry budget and counters of one intent."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self.breaker = Breaker(failures_max=limits.breaker_failures, open_s=limits.breaker_open_s, monotonic=monotonic)
        self.bulkhead = asyncio.Semaphore(limits.concurrency_max)
        self.budget = Budget()
        self.retries = 0
        self.hedges = 0
        self._monotonic = monotonic
        self._in_flight = 0
        self._calls = 0
        self._failures = 0
        self._throttled = 0
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
                self._throttled += isinstance(error, Throttled)
                self._last_error = str(error)
                self._last_latency_ms = (self._monotonic() - started_at) * 1000
                raise
            else:
                self.budget.earn()
                self._last_latency_ms = (self._monotonic() - started_at) * 1000
            finally:
                self._in_flight -= 1

    def traffic(self, *, allowance: float | None) -> Traffic:
        """The counters at this moment. ``allowance`` is the whole source's."""
        return Traffic(
            breaker=self.breaker.state,
            in_flight=self._in_flight,
            calls=self._calls,
            failures=self._failures,
            retries=self.retries,
            throttled=self._throttled,
            hedges=self.hedges,
            allowance=allowance,
            last_latency_ms=self._last_latency_ms,
            last_error=self._last_error,
        )
