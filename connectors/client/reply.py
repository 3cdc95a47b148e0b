"""What a source answered, and how to read it."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec

from connectors.client.failures import Inconclusive
from connectors.contract import AuthFailed, ContractBroken, NotFound, Rejected, SourceError, Throttled, Transient

T = TypeVar("T")

RETRY_AFTER_MAX_S = 86_400.0
EXCERPT_CHARS_MAX = 120

# Whatever is long and unbroken could be a credential that the source echoes.
_CREDENTIAL_LIKE = re.compile(r"[\w+/=.~%-]{20,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One whole answer. Header names are lower case, repeated ones joined by commas; the body is decompressed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def read(self, returns: type[T]) -> T:
        """The body as JSON, whatever its content type claims. An empty body reads as null.

        Raises:
            ContractBroken: It is not JSON, or not of that shape.
        """
        try:
            return msgspec.json.decode(self.body or b"null", type=returns)
        except msgspec.ValidationError as error:
            raise ContractBroken(f"HTTP {self.status}, but not the agreed JSON: {error}") from None
        except (ValueError, RecursionError):  # msgspec's other complaints, bad UTF-8, nesting without end
            raise ContractBroken(f"HTTP {self.status}, but not JSON: {excerpt(self.body)}") from None


Classify = Callable[[Reply], SourceError | None]


def by_status(reply: Reply) -> SourceError | None:
    """What the status says went wrong; None where nothing did. A redirect is not followed, so it breaks the contract."""
    status = reply.status
    if 200 <= status < 300:
        return None
    told = f"HTTP {status}"
    if status in {401, 403}:
        return AuthFailed(told)
    if status == 404:
        return NotFound(told)
    wait_s = retry_after_s(reply.headers)
    if status == 429 or (status == 503 and wait_s is not None):
        return Throttled(told, retry_after_s=wait_s)
    if _proves_nothing(status):
        return Transient(told)
    if 400 <= status < 500:
        return Rejected(f"{told}: {excerpt(reply.body)}", reason=f"HTTP_{status}")
    return ContractBroken(told)


def verdict(reply: Reply, classify: Classify) -> SourceError | None:
    """The connector's reading of an answer, or the status's where that reading does not understand it."""
    try:
        error = classify(reply)
    except ContractBroken as broken:  # the HTML of a proxy is not the error body that the connector knows
        error = by_status(reply) or broken
    if isinstance(error, Transient) and _proves_nothing(reply.status):
        return Inconclusive(error.detail)
    return error


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long the source asks us to wait, at most a day; None where it does not say so in words that can be read.

    ``Retry-After`` (RFC 9110, 10.2.3) in seconds or as an HTTP date, taken relative to the reply's own ``Date``: no clock of
    ours is compared with the source's. ``X-Retry-After`` is ShipBob's.
    """
    asked = headers.get("retry-after") or headers.get("x-retry-after") or ""
    try:
        seconds = float(asked)
    except ValueError:
        seconds = _seconds_between(headers.get("date", ""), asked)
    return min(seconds, RETRY_AFTER_MAX_S) if math.isfinite(seconds) and seconds >= 0 else None


def excerpt(body: bytes) -> str:
    """The start of a body, fit for a log line: printable, short, and without anything that looks like a credential."""
    text = body[: 8 * EXCERPT_CHARS_MAX].decode("utf-8", "replace")
    words = "".join(char if char.isprintable() else " " for char in text).split()
    shown = _CREDENTIAL_LIKE.sub("…", " ".join(words))[:EXCERPT_CHARS_MAX]
    return repr(shown) if shown else "an empty body"


def _proves_nothing(status: int) -> bool:
    return status == 408 or status >= 500


def _seconds_between(start: str, end: str) -> float:
    try:
        return (_http_date(end) - _http_date(start)).total_seconds()
    except (ValueError, OverflowError):
        return math.nan


def _http_date(text: str) -> datetime:
    return parsedate_to_datetime(text).replace(tzinfo=UTC)
