"""Aggregates as documents: JSON, decoded with their types checked, so that a damaged row is an error and never a wrong order."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_encoder = msgspec.json.Encoder()


_decoder = cache(msgspec.json.Decoder)


def document(value: object) -> bytes:
    """The value as it is stored."""
    return _encoder.encode(value)


@dataclass(slots=True)
class Documents:
    """The documents of one transaction, each made once: an order is kept, told in its event and answered as the same value."""

    _made: dict[int, tuple[object, bytes]] = field(default_factory=dict)

    def of(self, value: object) -> bytes:
        """The value as it is stored."""
        made = self._made.get(id(value))
        if made is None:
            made = self._made[id(value)] = (value, document(value))  # the value is kept: its id must not be another's
        return made[1]


def read(body: bytes, kind: type[T]) -> T:
    """The value that was stored."""
    value: T = _decoder(kind).decode(body)  # type: ignore[arg-type]  # types are hashable
    return value


def micros(instant: datetime) -> int:
    """Microseconds since 1970 of an instant with an offset. Exact: no floating point."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(at: Any) -> datetime:
    """The instant, in UTC."""
    return _EPOCH + int(at) * _MICROSECOND
