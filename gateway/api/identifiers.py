"""Opaque ids and cursors: what a client gets and gives back unread."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import datetime
from typing import Final

import strawberry

from gateway.api.scalars import instant_of
from gateway.domain.identity import OrderId
from gateway.domain.refusals import Invalid, NotFound

SEQ_DIGITS_MAX: Final = 18


def opaque(*parts: str) -> str:
    """Parts as one word that means nothing to a client."""
    return urlsafe_b64encode("\x1f".join(parts).encode()).decode().rstrip("=")


def parts_of(word: str) -> tuple[str, ...]:
    """The parts of such a word; none, if it is not one of ours."""
    try:
        text = urlsafe_b64decode(word.encode("ascii") + b"=" * (-len(word) % 4)).decode()
    except (NotBase64, UnicodeError):
        return ()
    return tuple(text.split("\x1f"))


def global_id(kind: str, key: str) -> strawberry.ID:
    """The id of that thing in the graph."""
    return strawberry.ID(opaque(kind, key))


def key_of(kind: str, word: str, *, what: str, path: tuple[str, ...] = ("input", "id")) -> str:
    """The key behind an id of that kind.

    Raises:
        NotFound: It is not one: there is no such thing.
    """
    match parts_of(word):
        case (found, key) if found == kind and key:
            return key
        case _:
            raise NotFound(what=what, name=word, path=path)


def order_cursor(placed_at: datetime, order: OrderId) -> str:
    """Where a page of orders goes on."""
    return opaque("o", placed_at.isoformat(), order)


def position_of(cursor: str | None, *, path: str) -> tuple[datetime, OrderId] | None:
    """Where a page goes on.

    Raises:
        Invalid: It is not a cursor of ours.
    """
    if cursor is None:
        return None
    match parts_of(cursor):
        case ("o", at, order):
            try:
                return instant_of(at), OrderId(order)
            except ValueError:
                pass
        case _:
            pass
    raise Invalid(problem="This is not a cursor of `orders`.", path=(path,))


def event_cursor(seq: int) -> str:
    """Where a stream of events goes on."""
    return opaque("e", str(seq))


def seq_of(cursor: str | None, *, path: str = "after") -> int | None:
    """Where a stream of events goes on.

    Raises:
        Invalid: It is not a cursor of ours.
    """
    if cursor is None:
        return None
    match parts_of(cursor):
        case ("e", seq) if seq.isascii() and seq.isdigit() and len(seq) <= SEQ_DIGITS_MAX:
            return int(seq)
        case _:
            raise Invalid(problem="This is not a cursor of events.", path=(path,))
