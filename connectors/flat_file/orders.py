"""Orders as files that go out, and answers as files that come back.

An order is ``order-KEY.csv`` in the outbox, one row for each of its lines; a cancellation is ``cancel-KEY.csv`` with the key alone.
A file that comes again under the same name is the same order or cancellation: the warehouse does it once. A cancellation of an
order that it has not seen is answered all the same, and kept in mind.

An answer is any ``*.csv`` in the inbox with the columns ``key`` and ``state``, and where they say something ``carrier``,
``tracking``, ``sku``, ``units``, ``reason`` and ``at`` (ISO 8601). States are ACCEPTED, REJECTED, PARTLY_SHIPPED, SHIPPED (all of
it has left now), CANCELED and NOT_CANCELED, in either case. A parcel has a row for each SKU in it, or one without a SKU: all that
no other parcel holds. Rows that say the same twice count once.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from io import StringIO
from typing import Final
from urllib.parse import quote

from connectors.contract import (
    Address,
    CancelOutcome,
    ContractBroken,
    FulfillmentRequest,
    RemoteFulfillment,
    RemotePackage,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Sku,
)
from connectors.flat_file.settings import FlatFileSettings
from connectors.flat_file.stock import Row, instant, rows_of

UNITS_MAX: Final = 10**9
ORDER_COLUMNS: Final = (
    "key", "order_number", "location", "method", "sku", "units",
    "name", "street", "street_2", "city", "region", "postal_code", "country_code", "email", "phone",
)  # fmt: skip


class AnswerState(StrEnum):
    """What the warehouse says of an order."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    PARTLY_SHIPPED = "PARTLY_SHIPPED"  # this has left, and more will
    SHIPPED = "SHIPPED"  # this has left, and with it all
    CANCELED = "CANCELED"
    NOT_CANCELED = "NOT_CANCELED"


_STATES: Final[Mapping[AnswerState, RemoteState]] = {
    AnswerState.ACCEPTED: RemoteState.ACCEPTED,
    AnswerState.PARTLY_SHIPPED: RemoteState.ACCEPTED,
    AnswerState.REJECTED: RemoteState.REJECTED,
    AnswerState.SHIPPED: RemoteState.SHIPPED,
    AnswerState.CANCELED: RemoteState.CANCELED,
}
_LEFT: Final = frozenset({AnswerState.PARTLY_SHIPPED, AnswerState.SHIPPED})
_OVER: Final = frozenset({RemoteState.REJECTED, RemoteState.SHIPPED, RemoteState.CANCELED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One row of an answer."""

    key: RequestKey
    state: AnswerState
    carrier: str | None = None
    tracking: str | None = None
    line: RequestLine | None = None
    reason: str | None = None
    at: datetime | None = None


# ---------------------------------------------------------------------------------------------- going out
def order_name(key: str) -> str:
    """What the file of an order is called."""
    return f"order-{quote(key, safe='')}.csv"


def cancellation_name(key: str) -> str:
    """What the file of a cancellation is called."""
    return f"cancel-{quote(key, safe='')}.csv"


def order_file(request: FulfillmentRequest) -> bytes:
    """An order, the same bytes for every attempt."""
    about = _recipient(request.recipient)
    whole = (request.key, request.order_number, request.location, request.method.value)
    return _csv(ORDER_COLUMNS, ((*whole, line.sku, line.units, *about) for line in request.lines))


def cancellation_file(key: str) -> bytes:
    """A cancellation."""
    return _csv(("key",), ((key,),))


def _recipient(address: Address) -> tuple[str, ...]:
    first, *others = (*address.lines, "")
    place = (address.city, address.region or "", address.postal_code, address.country_code)
    return (address.name or "", first, ", ".join(each for each in others if each), *place, address.email or "", address.phone or "")


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """RFC 4180 in UTF-8. Simple readers take each line for a row, so no cell may hold one."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([" ".join(str(cell).split()) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


# ---------------------------------------------------------------------------------------------- coming back
def parse_answers(content: bytes, *, name: str, settings: FlatFileSettings) -> tuple[Answer, ...]:
    """The rows of one answer.

    Raises:
        ContractBroken: Naming the file and the line.
    """
    answers = []
    for line, row in rows_of(content, name=name, columns=("key", "state"), settings=settings):
        try:
            answers.append(_answer(row, settings))
        except ValueError as error:
            raise ContractBroken(f"{name}, line {line}: {error}") from None
    return tuple(answers)


def _answer(row: Row, settings: FlatFileSettings) -> Answer:
    said = {name: cell.strip() or None for name, cell in row.items()}
    key, state, at = said["key"], said["state"], said.get("at")
    if key is None or state is None:
        raise ValueError("an answer without key or state")
    return Answer(
        key=RequestKey(key),
        state=AnswerState(state.upper()),
        carrier=said.get("carrier"),
        tracking=said.get("tracking"),
        line=_line(said.get("sku"), said.get("units")),
        reason=said.get("reason"),
        at=None if at is None else instant(at, settings),
    )


def _line(sku: str | None, units: str | None) -> RequestLine | None:
    if sku is None and units is None:
        return None
    if sku is None or units is None or not (units.isascii() and units.isdecimal()) or not 0 < int(units) <= UNITS_MAX:
        raise ValueError(f"{units!r} units of {sku!r}")
    return RequestLine(sku=Sku(sku), units=int(units))


def told(key: RequestKey, answers: Sequence[Answer]) -> RemoteFulfillment:
    """How far an order is by all its answers, in the order they came. The last one that ends it decides."""
    states = [_STATES[each.state] for each in answers if each.state in _STATES]
    ends = [state for state in states if state in _OVER]
    reasons = [each.reason for each in answers if each.reason]
    return RemoteFulfillment(
        ref=RemoteRef(key),
        key=key,
        state=next(reversed(ends or states), RemoteState.REQUESTED),
        packages=_packages(answers),
        reason=reasons[-1] if reasons else None,
    )


def _packages(answers: Iterable[Answer]) -> tuple[RemotePackage, ...]:
    parcels: dict[tuple[str | None, str | None], list[Answer]] = {}
    for each in dict.fromkeys(answers):
        if each.state in _LEFT:
            parcels.setdefault((each.carrier, each.tracking), []).append(each)
    return tuple(
        RemotePackage(
            carrier=carrier,
            tracking_number=tracking,
            shipped_at=min((each.at for each in rows if each.at), default=None),
            lines=tuple(dict.fromkeys(each.line for each in rows if each.line)),
        )
        for (carrier, tracking), rows in parcels.items()
    )


def cancellation(answers: Sequence[Answer]) -> CancelOutcome | None:
    """What became of a cancellation; None, if nothing has yet."""
    state = told(RequestKey(""), answers).state
    if state is RemoteState.SHIPPED:
        return CancelOutcome.TOO_LATE
    if state in _OVER:
        return CancelOutcome.CANCELED
    return CancelOutcome.REFUSED if any(each.state is AnswerState.NOT_CANCELED for each in answers) else None
