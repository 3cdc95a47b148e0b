"""The small words of a configuration: paths into an answer, conditions on it, and text with a place for SKUs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import msgspec

from connectors.contract import ContractBroken, Sku

_PLACEHOLDER: Final = re.compile(r"\{(\w+)(?:\|(\w+))?\}")
_KNOWN: Final = frozenset({("sku", None), ("sku", "json"), ("skus", None), ("skus", "csv"), ("skus", "json")})
_LIST: Final = "{skus}"
_CHOICE: Final = "{sku}, {sku|json}, {skus}, {skus|csv}, {skus|json}"


class _Missing:
    """There is nothing at that path; null would be something."""


_MISSING: Final = _Missing()


class Wrong(ValueError):
    """A configuration that cannot be used. ``key`` says where."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")


# ---------------------------------------------------------------------------------------------- paths
@dataclass(frozen=True, slots=True)
class Path:
    """Where a value stands: names and places in lists with dots between; empty: the whole."""

    text: str

    def of(self, document: Any) -> Any:
        """The value there. What is below null is null.

        Raises:
            ContractBroken: There is no such place.
        """
        found = self.find(document)
        if found is _MISSING:
            raise ContractBroken(f"there is no {self.text!r} in {_shape(document)}")
        return found

    def find(self, document: Any) -> Any:
        """The value there, or a mark that there is no such place."""
        found = document
        for step in self.text.split(".") if self.text else ():
            found = _below(found, step)
        return found

    def rows(self, document: Any) -> Sequence[Any]:
        """The list there.

        Raises:
            ContractBroken: There is none.
        """
        found = self.of(document)
        if not isinstance(found, list):
            raise ContractBroken(f"no list at {self.text!r}, but {_shape(found)}")
        return found


def _below(found: Any, step: str) -> Any:
    match found:
        case None | _Missing():
            return found
        case dict():
            return found.get(step, _MISSING)
        case list() if step.isdecimal() and int(step) < len(found):
            return found[int(step)]
        case _:
            return _MISSING


def _shape(document: Any) -> str:
    if isinstance(document, dict):
        return f"an object of {', '.join(map(repr, list(document)[:20])) or 'nothing'}"[:300]
    return f"a {type(document).__name__}"


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a record: a path, ``^path`` for the record around an inner one, or ``=constant``. ``path?`` may be missing."""

    text: str

    @property
    def constant(self) -> str | None:
        """What stands for every record alike."""
        return self.text[1:] if self.text.startswith("=") else None

    def of(self, row: Any, around: Any) -> Any:
        """The value in that record.

        Raises:
            ContractBroken: It is missing, and may not.
        """
        if self.constant is not None:
            return self.constant
        path = Path(self.text.removeprefix("^").removesuffix("?"))
        document = around if self.text.startswith("^") else row
        if not self.text.endswith("?"):
            return path.of(document)
        found = path.find(document)
        return None if found is _MISSING else found

    def text_of(self, row: Any, around: Any) -> str | None:
        """The value as text; None for null and for nothing.

        Raises:
            ContractBroken: It is missing, and may not; or it is a list, an object or a truth value.
        """
        value = self.of(row, around)
        if value is None or value == "":
            return None
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
        raise ContractBroken(f"{self.text!r} is {_shape(value)}, not text")


# ---------------------------------------------------------------------------------------------- conditions
@dataclass(frozen=True, slots=True)
class Condition:
    """``path`` (there, and not null), ``path=value`` or ``path~part of the value``; values as JSON writes them, but for quotes."""

    text: str

    def holds(self, document: Any) -> bool:
        """Whether the document is so."""
        path, sign, value = re.fullmatch(r"([^=~]*)([=~]?)(.*)", self.text, re.DOTALL).groups()  # type: ignore[union-attr]  # it matches any text
        found = Path(path).find(document)
        if found is None or found is _MISSING:
            return False
        said = found if isinstance(found, str) else msgspec.json.encode(found).decode()
        return {"": True, "=": said == value, "~": value in said}[sign]


# ---------------------------------------------------------------------------------------------- text with SKUs
@dataclass(frozen=True, slots=True)
class Template:
    """Text with ``{sku}``, ``{sku|json}``, ``{skus|csv}`` or ``{skus|json}`` in it, or ``{skus}`` alone for a list of its own."""

    text: str

    def wrong(self, *, in_path: bool) -> str | None:
        """What cannot be filled in here."""
        for name, form in self._placeholders():
            if (name, form) not in _KNOWN:
                return f"{{{name}{'|' + form if form else ''}}} is none of {_CHOICE}"
            if (name, form) == ("skus", None) and (in_path or self.text != _LIST):
                return "{skus} stands alone, as a parameter or in a body; within a text it is {skus|csv} or {skus|json}"
        return None

    def asks_for(self) -> frozenset[str]:
        """``sku``, ``skus``, or nothing."""
        return frozenset(name for name, _ in self._placeholders())

    def filled(self, skus: Sequence[Sku]) -> str | Sequence[str]:
        """The text, or the list, for these SKUs."""
        return list(skus) if self.text == _LIST else _PLACEHOLDER.sub(lambda found: _written(found, skus), self.text)

    def filled_path(self, skus: Sequence[Sku]) -> str:
        """The text, for these SKUs as parts of a URL's path."""
        return _PLACEHOLDER.sub(lambda found: _written(found, [Sku(quote(sku, safe="")) for sku in skus]), self.text)

    def _placeholders(self) -> list[tuple[str, str | None]]:
        return [(found[1], found[2]) for found in _PLACEHOLDER.finditer(self.text)]


def _written(found: re.Match[str], skus: Sequence[Sku]) -> str:
    match found.groups():
        case ("sku", None):
            return skus[0]
        case ("skus", "csv"):
            return ",".join(skus)
        case _:
            return msgspec.json.encode(list(skus) if found[1] == "skus" else skus[0]).decode()


def filled(tree: Any, skus: Sequence[Sku]) -> Any:
    """A body with templates in it, for these SKUs."""
    match tree:
        case Template():
            return tree.filled(skus)
        case Mapping():
            return {name: filled(each, skus) for name, each in tree.items()}
        case list() | tuple():
            return [filled(each, skus) for each in tree]
        case _:
            return tree
