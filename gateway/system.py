"""The machine we run on: its clock, its randomness, its ids. Only the composition root names it."""

import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class SystemClock:
    """Time as this machine tells it."""

    def now(self) -> datetime:
        """This instant, in UTC."""
        return datetime.now(UTC)  # noqa: TID251  # the one place where time comes in

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()


def uuid7_maker(now: Callable[[], datetime]) -> Callable[[], str]:
    """Ids that sort by time of making, also within one millisecond of one process (RFC 9562, version 7).

    A 12-bit counter follows the 48-bit millisecond; when it runs over, or when the clock goes back, the millisecond is borrowed
    from the future. 62 bits are random.
    """
    last_ms, counter = 0, 0

    def make() -> str:
        nonlocal last_ms, counter
        now_ms = int(now().timestamp() * 1000)
        if now_ms > last_ms:
            last_ms, counter = now_ms, 0
        elif counter < 0xFFF:
            counter += 1
        else:
            last_ms, counter = last_ms + 1, 0
        value = (last_ms << 80) | (7 << 76) | (counter << 64) | (0b10 << 62) | secrets.randbits(62)
        digits = f"{value:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    return make


def spread() -> float:
    """A number in [0.5, 1], so that retries of many do not come together."""
    return random.uniform(0.5, 1.0)  # noqa: S311  # jitter is no secret
