"""What a cursor holds: a place among pages, or how far changes have been told."""

from datetime import datetime
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from connectors.amazon_mcf.summaries import Place
from connectors.contract import Cursor, Rejected

T = TypeVar("T")
Instant = Annotated[datetime, Meta(tz=True)]

_YEARS: Final = range(1970, 9_000)


class Mark(Struct, frozen=True, array_like=True):
    """How far the changes have been told: all before ``since``, and of those from there until ``until`` the pages before ``at``."""

    since: Instant
    until: Instant | None = None
    at: Place | None = None

    def __post_init__(self) -> None:
        if self.since.year not in _YEARS:
            raise ValueError("a time that nobody can have meant")


def written(content: Place | Mark) -> Cursor:
    """The cursor that holds it."""
    return Cursor(msgspec.json.encode(content).decode())


def read(cursor: Cursor, kind: type[T]) -> T:
    """What ``written`` wrote.

    Raises:
        Rejected: It did not.
    """
    try:
        return msgspec.json.decode(cursor, type=kind)
    except msgspec.DecodeError:
        raise Rejected("a cursor that is none of ours", reason="UNKNOWN_CURSOR", field="cursor") from None
