"""What a merchant's statement may be: one SELECT with the parameters that we fill in, and no others."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ARRAY, Integer, String, TextClause, bindparam, text
from sqlalchemy.types import TypeEngine

# What is not code: comments, strings, quoted names. Colons and semicolons in there mean nothing to us.
_QUOTED: Final = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)
      | [eE]'(?:\\.|''|[^'\\])*' | '(?:''|[^'])*' | "(?:""|[^"])*" | `[^`]*`
      | (?P<dollars>\$\w*\$).*?(?P=dollars)""",
    re.DOTALL | re.VERBOSE,
)
# As SQLAlchemy finds them: a cast (::text) and a slice ([1:n]) are none.
_PARAMETER: Final = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
_IN_BRACKETS: Final = re.compile(r"\bIN\s*\(\s*:skus\s*\)", re.IGNORECASE)
_IN: Final = re.compile(r"\bIN\s+:skus\b", re.IGNORECASE)
_BEGINS: Final = re.compile(r"[\s(]*(SELECT|WITH)\b", re.IGNORECASE)

_TYPES: Final[dict[str, TypeEngine[object]]] = {"limit": Integer(), "after": String(), "since": String()}  # type: ignore[dict-item]  # of several types


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A piece of a statement."""

    words: str
    is_code: bool


def statement(written: str, *, parameters: Iterable[str]) -> TextClause:
    """A statement ready to be asked.

    ``:skus`` stands for a list after ``IN``, and anywhere else for an array, as PostgreSQL's ``ANY(:skus)`` has it.

    Raises:
        ValueError: It is not a single SELECT, or has not just these parameters.
    """
    parts = list(_parts(written))
    code = _whole(part.words if part.is_code else " '' " for part in parts)
    if not _BEGINS.match(code):
        raise ValueError("has to begin with SELECT or WITH: nothing is written through this connector")
    if ";" in code:
        raise ValueError("has to be a single statement: there is a semicolon in it")
    needed, there = set(parameters), set(_PARAMETER.findall(code))
    if missing := sorted(needed - there):
        raise ValueError(f"has no :{missing[0]}")
    if unknown := sorted(there - needed):
        raise ValueError(f"nothing is known of :{unknown[0]}; there is :{', :'.join(sorted(needed))}")
    escaped = _whole(part.words if part.is_code else part.words.replace(":", r"\:") for part in parts)
    return _bound(_IN_BRACKETS.sub("IN :skus", escaped), needed)


def _parts(written: str) -> Iterator[_Part]:
    """Code and what is quoted, in turn; comments are left out."""
    start = 0
    for quoted in _QUOTED.finditer(written):
        yield _Part(words=written[start : quoted.start()], is_code=True)
        yield _Part(words=" ", is_code=True) if quoted["comment"] else _Part(words=quoted[0], is_code=False)
        start = quoted.end()
    yield _Part(words=written[start:], is_code=True)


def _whole(words: Iterable[str]) -> str:
    return "".join(words).rstrip().removesuffix(";")


def _bound(written: str, parameters: Iterable[str]) -> TextClause:
    listed = bool(_IN.search(written))
    skus = bindparam("skus", expanding=True) if listed else bindparam("skus", type_=ARRAY(String))
    binds = [skus if name == "skus" else bindparam(name, type_=_TYPES[name]) for name in parameters]
    return text(written).bindparams(*binds)
