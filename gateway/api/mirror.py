"""Plain values of the domain as types of the graph: one to show, one to send, out of the same class and its docstring.

Where a thing is data and nothing else, and a client may send all that is shown to him, writing it down three times would only give
the three a chance to differ. A value is shown as it is: the graph reads its attributes.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, asdict, field, fields, is_dataclass, make_dataclass
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import strawberry

from gateway.api.describe import described
from gateway.api.scalars import Instant

T = TypeVar("T")

PREFIX: Final = "Routing"
SCALARS: Final[Mapping[Any, Any]] = {datetime: Instant}


@cache
def shown(cls: type) -> Any:
    """The type by which the graph shows such values."""
    columns = [(each.name, _hint(cls, each.name, shown)) for each in fields(cls)]
    return described(strawberry.type(_made(cls, PREFIX + cls.__name__, columns)))


@cache
def sent(cls: type) -> Any:
    """The input by which clients send such values. What has a default need not be sent."""
    columns = [(each.name, *_optional(each, _hint(cls, each.name, sent))) for each in fields(cls)]
    return described(strawberry.input(_made(cls, f"{PREFIX}{cls.__name__}Input", columns)))


def several(mirrored: Any) -> Any:
    """A list of these."""
    return list[mirrored]


def meant(value: Any, cls: type[T]) -> T:
    """The value that was sent as such an input."""
    return msgspec.convert(_told(asdict(value)), cls)


def _made(cls: type, name: str, columns: list[Any]) -> type:
    return make_dataclass(name, columns, kw_only=True, namespace={"__doc__": cls.__doc__, "__module__": __name__})


def _hint(cls: type, name: str, mirrored: Callable[[type], Any]) -> Any:
    return _in_graph(get_type_hints(cls)[name], mirrored)


def _in_graph(hint: Any, mirrored: Callable[[type], Any]) -> Any:
    if get_origin(hint) is tuple:
        return several(_in_graph(get_args(hint)[0], mirrored))
    if get_origin(hint) is UnionType:
        return _in_graph(get_args(hint)[0], mirrored) | None
    return mirrored(hint) if isinstance(hint, type) and is_dataclass(hint) else SCALARS.get(hint, hint)


def _optional(each: Field[Any], hint: Any) -> tuple[Any, ...]:
    """The type and the default in an input. What is no single word or number may be null, which stands for its default."""
    if each.default is MISSING:
        return (hint,)
    if isinstance(each.default, (str, int)):
        return hint, field(default=each.default)
    return hint | None, field(default=None)


def _told(value: Any) -> Any:
    """The same without what was left out."""
    if isinstance(value, dict):
        return {name: _told(each) for name, each in value.items() if each is not None}
    return [_told(each) for each in value] if isinstance(value, list) else value
