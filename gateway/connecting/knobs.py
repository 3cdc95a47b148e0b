"""What a kind of connector wants to know: its settings, read off the dataclass."""

import re
import types
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from inspect import cleandoc
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from connectors.client import Limits
from connectors.contract import ConnectorInfo, Secret
from connectors.registry import ConnectorSpec

_SENTENCE_ENDS: Final = re.compile(r"(?<=\.)\s+(?=\S)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """One key of a ``[sources.NAME]`` table; dots lead into tables, ``[]`` into each of several.

    ``default`` None: it has none, and is ``required``, or it is left out. ``doc`` is what the settings say about it.
    """

    key: str
    type: str
    required: bool
    default: Any
    secret: bool
    doc: str


def knobs(spec: ConnectorSpec) -> tuple[Knob, ...]:
    """Every setting, in the order in which they are declared."""
    return tuple(_knobs(spec.settings, ""))


def schema(spec: ConnectorSpec) -> dict[str, Any]:
    """The settings as JSON Schema (2020-12), for editors and generators of forms. Credentials are references."""
    (found,), components = msgspec.json.schema_components([spec.settings], schema_hook=_custom, ref_template="#/$defs/{name}")
    root: dict[str, Any] = components.pop(spec.settings.__name__, found)
    for each in knobs(spec):
        if each.doc and (shown := root["properties"].get(each.key)) is not None:
            shown["description"] = each.doc
    root["description"] = cleandoc(spec.settings.__doc__ or "").replace("``", "")
    root |= {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": spec.label, "additionalProperties": False}
    root |= {"$defs": components} if components else {}
    return root


def _custom(kind: type) -> dict[str, Any]:
    if issubclass(kind, Secret):
        return {"type": "string", "pattern": "^(env|file):.+", "writeOnly": True}
    return {"type": "string"}


def _knobs(settings: type[Any], prefix: str) -> Iterator[Knob]:
    hints = get_type_hints(settings, include_extras=True)
    for each in fields(settings):
        inner, path = _table(hints[each.name], f"{prefix}{each.name}")
        if inner is not None:
            yield from _knobs(inner, f"{path}.")
            continue
        yield Knob(
            key=path,
            type=_name(hints[each.name]),
            required=each.default is MISSING and each.default_factory is MISSING,
            default=_default(each),
            secret=_is_secret(hints[each.name]),
            doc=_said(settings, each.name),
        )


def _said(settings: type[Any], name: str) -> str:
    """The sentences about a setting, as it is told where it is told first."""
    for place in (settings, Limits, ConnectorInfo):
        sentences = _SENTENCE_ENDS.split(" ".join((place.__doc__ or "").split()))
        if said := [each for each in sentences if f"``{name}``" in each]:
            return " ".join(said).replace("``", "")
    return ""


def _table(kind: Any, path: str) -> tuple[type[Any] | None, str]:
    """The dataclass behind a setting that is a table, or an array of tables."""
    for each in _alternatives(kind):
        if isinstance(each, type) and is_dataclass(each):
            return each, path
        arguments = get_args(each)
        if get_origin(each) is tuple and arguments and isinstance(arguments[0], type) and is_dataclass(arguments[0]):
            return arguments[0], f"{path}[]"
    return None, path


def _alternatives(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return get_args(kind) if get_origin(kind) in {Union, types.UnionType} else (kind,)


def _is_secret(kind: Any) -> bool:
    return any(isinstance(each, type) and issubclass(each, Secret) for each in _alternatives(kind))


def _name(kind: Any) -> str:
    """As one would write it."""
    named = (each.__name__ if isinstance(each, type) and not get_args(each) else str(each) for each in _alternatives(kind))
    return " | ".join("None" if name == "NoneType" else re.sub(r"\b(?:\w+\.)+(?=\w)", "", name) for name in named)


def _default(each: "Field[Any]") -> Any:
    if each.default is not MISSING:
        return msgspec.to_builtins(each.default, enc_hook=str)
    return None if each.default_factory is MISSING else msgspec.to_builtins(each.default_factory(), enc_hook=str)
