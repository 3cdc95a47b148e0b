"""One docstring serves the reader of the code and the reader of the graph.

Strawberry leaves docstrings out of the schema, as they may hold internal notes. In this package they may not, so they are copied: a
class's text to its type, its ``Attributes:`` to fields and enum values, a resolver's text to its field and its ``Args:`` to the
arguments. What is not described is caught by a test.
"""

import re
from enum import Enum
from inspect import cleandoc
from typing import Any, TypeVar

import strawberry
from strawberry.types.base import get_object_definition

C = TypeVar("C", bound=type)

_ENTRY = re.compile(r"^    (\w+): (.+(?:\n     +.+)*)", re.MULTILINE)
_SECTION = re.compile(r"^(Attributes|Args|Raises):\n", re.MULTILINE)


def described(cls: C) -> C:
    """Copy the docstrings of a Strawberry type, interface or input into the schema. Stands above ``strawberry.type``."""
    definition = get_object_definition(cls, strict=True)
    definition.description = sections(cls)[""]
    entries: dict[str, str] = {}
    for ancestor in reversed(cls.__mro__):
        entries |= listed(sections(ancestor).get("Attributes", ""))
    for field in definition.fields:
        resolver: Any = field.base_resolver
        if resolver is None:
            field.description = entries.get(field.python_name)
            continue
        told = sections(resolver.wrapped_func)
        field.description = told[""]
        about = listed(told.get("Args", ""))
        for argument in field.arguments:
            argument.description = about.get(argument.python_name)
    return cls


def enumerated(*enums: type[Enum], name: str | None = None) -> None:
    """Make enums of the domain enums of the graph, with their docstrings and those of their values."""
    for cls in enums:
        made: Any = strawberry.enum(cls, name=name, description=sections(cls)[""])
        about = listed(sections(cls).get("Attributes", ""))
        for value in made.__strawberry_definition__.values:
            value.description = about.get(value.name)


def sections(documented: object) -> dict[str, str]:
    """A docstring by section; the text before the first is under the empty name."""
    first, *rest = _SECTION.split(cleandoc(documented.__doc__ or ""))
    return {"": first.strip(), **dict(zip(rest[::2], rest[1::2], strict=True))}


def listed(text: str) -> dict[str, str]:
    """The entries of a section, by name, each on one line."""
    return {name: " ".join(words.split()) for name, words in _ENTRY.findall(text)}
