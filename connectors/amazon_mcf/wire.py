"""What all of Amazon's Selling Partner API has in common on the wire, and what its inventory summaries hold."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import Final

from msgspec import Struct

from connectors.client import Inconclusive, Reply, by_status
from connectors.contract import AuthFailed, ContractBroken, NotFound, Rejected, SourceError, Throttled, Transient

RATE_HEADER: Final = "x-amzn-ratelimit-limit"


# ---------------------------------------------------------------------------------------------- how it says no
class Problem(Struct, frozen=True):
    """One entry of ``errors``. ``code`` is a word such as ``InvalidInput``."""

    code: str
    message: str | None = None
    details: str | None = None


class _Problems(Struct, frozen=True):
    errors: tuple[Problem, ...] | None = None


_BY_CODE: Final[Mapping[str, Callable[[str], SourceError]]] = {
    "AccessDenied": AuthFailed,
    "Unauthorized": AuthFailed,
    "NotFound": NotFound,
    "QuotaExceeded": Throttled,
    "InternalError": Inconclusive,  # a fault of Amazon's own: what it did before is anybody's guess
    "InternalFailure": Inconclusive,
    "ServiceUnavailable": Inconclusive,
}


def classify(reply: Reply) -> SourceError | None:
    """Amazon's own reading of a reply: ``errors`` beside a 200 are a failure, and a 429 tells the rate instead of a time to wait.

    Raises:
        ContractBroken: There are ``errors``, and they cannot be read.
    """
    of_status = by_status(reply)
    if isinstance(of_status, Throttled):
        return _put_off(of_status, reply)
    if isinstance(of_status, Transient | ContractBroken):
        return of_status
    problem = _first_problem(reply)
    if problem is None:
        return of_status
    detail = ": ".join(word for word in (problem.code, problem.message, problem.details) if word)
    if isinstance(of_status, AuthFailed | NotFound):
        return type(of_status)(detail)
    if problem.code in _BY_CODE:
        return _BY_CODE[problem.code](detail)
    return Rejected(detail, reason=problem.code)


def _first_problem(reply: Reply) -> Problem | None:
    # Looking for the word spares a second decoding of every large and healthy reply.
    errors = reply.read(_Problems).errors if b'"errors"' in reply.body else None
    return errors[0] if errors else None


def _put_off(throttled: Throttled, reply: Reply) -> Throttled:
    """The same, until the rate that Amazon names allows one more: it sends no ``Retry-After``."""
    if throttled.retry_after_s is not None:
        return throttled
    try:
        rate_per_s = float(reply.headers.get(RATE_HEADER, ""))
    except ValueError:
        return throttled
    known = isfinite(rate_per_s) and rate_per_s > 0
    return Throttled(throttled.detail, retry_after_s=1 / rate_per_s) if known else throttled


# ---------------------------------------------------------------------------------------------- instants
def instant(text: str | None) -> datetime | None:
    """An ISO 8601 instant; None for none, which Amazon also writes as an empty string. Without an offset it is UTC.

    Raises:
        ContractBroken: It is not an instant.
    """
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ContractBroken(f"{text[:40]!r} is not an instant") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def written(at: datetime) -> str:
    """An instant as Amazon takes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ---------------------------------------------------------------------------------------------- inventory
class Reserved(Struct, frozen=True, rename="camel"):
    """What is spoken for."""

    pending_customer_order_quantity: Decimal | None = None


class Details(Struct, frozen=True, rename="camel"):
    """The quantities of one summary. Without the first there is nothing to say, so it may not be missing."""

    fulfillable_quantity: Decimal
    inbound_working_quantity: Decimal | None = None
    inbound_shipped_quantity: Decimal | None = None
    inbound_receiving_quantity: Decimal | None = None
    reserved_quantity: Reserved | None = None


class Summary(Struct, frozen=True, rename="camel"):
    """One SKU in one marketplace. A SKU has a row for each of Amazon's own numbers (``fnSku``) that it goes by."""

    seller_sku: str
    fn_sku: str | None = None
    asin: str | None = None
    product_name: str | None = None
    last_updated_time: str | None = None
    inventory_details: Details | None = None


class Granularity(Struct, frozen=True, rename="camel"):
    """Which marketplace the rows are about."""

    granularity_id: str | None = None


class SummariesResult(Struct, frozen=True, rename="camel"):
    """The rows."""

    granularity: Granularity
    inventory_summaries: tuple[Summary, ...]


class Pagination(Struct, frozen=True, rename="camel"):
    """Where the next page is, for 30 seconds."""

    next_token: str | None = None


class SummariesReply(Struct, frozen=True, rename="camel"):
    """``getInventorySummaries``."""

    payload: SummariesResult
    pagination: Pagination | None = None
