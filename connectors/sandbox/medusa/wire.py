"""How Medusa reads a query and writes a list: filters, fields, pages."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
from starlette.datastructures import QueryParams

from connectors.sandbox.medusa.store import Document, Refused

LIMIT_DEFAULT: Final = 20
LIST_PARAMS: Final = frozenset({"limit", "offset", "fields", "order", "q"})


def values_of(query: QueryParams, name: str) -> frozenset[str] | None:
    """What a list may be narrowed to: ``name=`` or ``name[]=``, once or often. None: nothing was asked."""
    found = [*query.getlist(name), *query.getlist(f"{name}[]")]
    return frozenset(found) or None


def refuse_unknown(query: QueryParams, known: Collection[str]) -> None:
    """A strict list refuses names it does not know. What is nested below one that it knows, it ignores.

    Raises:
        Refused: There is such a name.
    """
    names = {name.partition("[")[0] for name in query}
    if unknown := sorted(names - LIST_PARAMS - frozenset(known)):
        raise Refused(400, "invalid_data", f"Invalid request: Unrecognized fields: '{', '.join(unknown)}'")


def page_of(name: str, rows: Sequence[Document], query: QueryParams, *, defaults: Sequence[str]) -> Document:
    """One page in Medusa's envelope, with the fields asked for."""
    offset, limit = _number(query, "offset", 0), _number(query, "limit", LIMIT_DEFAULT)
    order = query.get("order", "id")
    ordered = sorted(rows, key=lambda row: str(row[order.lstrip("-")]), reverse=order.startswith("-"))
    fields = _fields(query.get("fields"), defaults)
    shown = [_selected(row, fields) for row in ordered[offset : offset + limit]]
    return {name: shown, "count": len(rows), "offset": offset, "limit": limit}


def _number(query: QueryParams, name: str, default: int) -> int:
    given = query.get(name, str(default))
    if not given.isdigit():
        raise Refused(400, "invalid_data", f"Invalid request: Expected type: 'number' for field '{name}', got: 'nan'")
    return int(given)


def _fields(asked: str | None, defaults: Sequence[str]) -> Collection[str]:
    """Names without a sign replace the defaults; ``*relation`` and ``+name`` alone add to them."""
    names = [each for each in (asked or "").split(",") if each]
    plain = [each for each in names if each[0] not in "*+-"]
    return {each.lstrip("*+") for each in ([] if plain else defaults)} | {each.lstrip("*+") for each in names} | {"id"}


def _selected(row: Mapping[str, Any], fields: Collection[str]) -> Document:
    return {name: value for name, value in row.items() if name in fields}


def read(body: bytes, returns: type[Any]) -> Any:
    """The request's body.

    Raises:
        Refused: It is not JSON, lacks a field or has one too many.
    """
    try:
        return msgspec.json.decode(body, type=returns)
    except msgspec.ValidationError as error:
        raise Refused(400, "invalid_data", f"Invalid request: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(400, "invalid_data", "Unexpected token in JSON") from error
