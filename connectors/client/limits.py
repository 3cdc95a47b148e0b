"""What a call is for, and what it may cost."""

from dataclasses import dataclass, fields
from enum import StrEnum


class Intent(StrEnum):
    """What a call does to the source. A read may well be a POST."""

    READ = "READ"
    WRITE = "WRITE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bound of every wait and size of one source.

    ``attempt_timeout_s`` bounds one exchange; of an HTTP one, connect to last byte, half of it is for connecting.
    ``total_timeout_s`` bounds all attempts with the waits between and before them. ``concurrency_max`` is per intent.
    ``rate_per_s`` is the whole source's, in bursts of at most one second's worth; None: no fixed rate. ``response_bytes_max``
    counts after decompression. ``breaker_failures`` in a row open the breaker for ``breaker_open_s``. ``hedge_after_s``: a read
    that takes longer is asked a second time beside it, which costs the source more; None: never.
    """

    attempt_timeout_s: float = 5.0
    total_timeout_s: float = 15.0
    attempts_max: int = 3
    concurrency_max: int = 8
    rate_per_s: float | None = None
    response_bytes_max: int = 16 * 2**20
    breaker_failures: int = 5
    breaker_open_s: float = 5.0
    hedge_after_s: float | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            limit = getattr(self, each.name)
            if limit is not None and not limit > 0:
                raise ValueError(f"{each.name} must be above zero, not {limit}")
