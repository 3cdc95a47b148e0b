"""A breaker: a source that keeps failing is left alone for a while, then asked by one probe."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connectors.client.failures import CircuitOpen
from connectors.contract import BreakerState, ContractBroken, OutcomeUnknown, SourceError, Transient

# The rest (refusals, throttling, a wrong credential) are answers: the source is alive.
FAILURES = (Transient, ContractBroken, OutcomeUnknown)


class Breaker:
    """Opens after ``failures_max`` failures in a row; ``open_s`` later lets one probe through, whose end decides."""

    def __init__(self, *, failures_max: int, open_s: float, monotonic: Callable[[], float]) -> None:
        self._failures_max = failures_max
        self._open_s = open_s
        self._monotonic = monotonic
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False
        # Moves on whenever the breaker opens or closes: what was sent before that has nothing to say about the time after.
        self._epoch = 0

    @property
    def state(self) -> BreakerState:
        """The state at this moment; an open breaker becomes half-open by the passing of time alone."""
        if self._opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._open_for_s() > 0 else BreakerState.HALF_OPEN

    def check(self) -> None:
        """Let a caller know now that waiting for a turn is in vain.

        Raises:
            CircuitOpen: Open, or half-open and the probe is out.
        """
        match self.state:
            case BreakerState.OPEN:
                raise CircuitOpen(f"circuit open, next try in {self._open_for_s():.1f} s")
            case BreakerState.HALF_OPEN if self._probing:
                raise CircuitOpen("circuit open, a probe is under way")

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Let one request through, and learn from how it ends. A canceled one teaches nothing and frees the probe's slot.

        Raises:
            CircuitOpen: As ``check``.
        """
        self.check()
        epoch, probing = self._epoch, self.state is BreakerState.HALF_OPEN
        self._probing |= probing
        try:
            yield
        except FAILURES:
            if epoch == self._epoch:
                self._fail(probing=probing)
            raise
        except SourceError:
            if probing:
                self._close()
            raise
        else:
            if epoch == self._epoch:
                self._close()
        finally:
            if probing:
                self._probing = False

    def _fail(self, *, probing: bool) -> None:
        self._failures += 1
        if probing or self._failures >= self._failures_max:
            self._opened_at = self._monotonic()
            self._epoch += 1

    def _close(self) -> None:
        self._failures = 0
        if self._opened_at is not None:
            self._opened_at = None
            self._epoch += 1

    def _open_for_s(self) -> float:
        return 0.0 if self._opened_at is None else self._opened_at + self._open_s - self._monotonic()
