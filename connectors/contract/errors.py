"""What goes wrong: one closed set."""

from typing import ClassVar


class SourceError(Exception):
    """A source could not do what it was asked. ``code`` is stable and shown to people; ``detail`` says more."""

    code: ClassVar[str] = "SOURCE_ERROR"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code


class Throttled(SourceError):
    """The source asks us to slow down. ``retry_after_s``: its own words, or None."""

    code = "THROTTLED"

    def __init__(self, detail: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Transient(SourceError):
    """It did not happen, and may well work next time: refused connection, 5xx, time-out of a read."""

    code = "TRANSIENT"


class AuthFailed(SourceError):
    """Our credential is wrong, expired or lacks a right."""

    code = "AUTH_FAILED"


class Rejected(SourceError):
    """The source understood and said no. ``reason`` is its own code, ``field`` what it complained about."""

    code = "REJECTED"

    def __init__(self, detail: str = "", *, reason: str = "", field: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.field = field


class NotFound(SourceError):
    """The thing asked for does not exist there."""

    code = "NOT_FOUND"


class Unsupported(SourceError):
    """This source cannot do that at all."""

    code = "UNSUPPORTED"


class OutcomeUnknown(SourceError):
    """A write was sent and no answer came: it may or may not have happened. Never repeat it blindly."""

    code = "OUTCOME_UNKNOWN"


class BadSignature(SourceError):
    """A webhook that the source did not sign, or signed too long ago."""

    code = "BAD_SIGNATURE"


class ContractBroken(SourceError):
    """The reply is not what the source's documentation says: HTML, half a JSON, a missing field, too large."""

    code = "CONTRACT_BROKEN"
