"""Work that must happen: kinds, and when to try again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class JobKind(StrEnum):
    """What a job does. Each checks, when it runs, whether it is still called for.

    Attributes:
        SUBMIT: Ask a source to do the work of one fulfillment order.
        STOP: Ask a source to stop it.
        ROUTE: Find locations for units of an order that have none.
        REMIND: See whether a location has accepted its work in time.
        RELEASE: Give back what a source has set aside for work that is done.
    """

    SUBMIT = "SUBMIT"
    STOP = "STOP"
    ROUTE = "ROUTE"
    REMIND = "REMIND"
    RELEASE = "RELEASE"


class JobState(StrEnum):
    """Where a job stands. What is done is gone.

    Attributes:
        READY: It waits for its time, or is being done.
        DEAD: It was tried as often as it may be; a person must look.
    """

    READY = "READY"
    DEAD = "DEAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """Something to be done. ``subject`` is the id of what it is about; jobs of one ``lane`` run one at a time, oldest first."""

    kind: JobKind
    subject: str
    lane: str
    run_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job that was claimed.

    ``attempt`` counts from 1; above 1 an earlier attempt may have had an effect. ``fence`` goes up with every claim:
    whoever holds an older one has lost the job.
    """

    id: str
    kind: JobKind
    subject: str
    attempt: int
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job as it is kept. ``error`` is why its last attempt failed."""

    id: str
    kind: JobKind
    subject: str
    state: JobState
    attempt: int
    run_at: datetime
    error: str | None = None


def retry_delay(attempt: int, *, spread: float, asked: float | None = None) -> timedelta:
    """How long to wait after that many attempts: 0.5 s doubled each time up to 5 minutes, times ``spread`` in [0.5, 1].

    ``asked`` is the source's own wish in seconds; it is never undercut.
    """
    seconds = min(0.5 * 2 ** min(attempt - 1, 20), 300.0) * spread
    return timedelta(seconds=max(seconds, asked or 0.0))
