"""The tables of a configuration: what can be said of a source, key by key."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from connectors.contract import Secret


class AuthType(StrEnum):
    """Where a credential stands in a request."""

    HEADER = "header"
    BEARER = "bearer"
    BASIC = "basic"
    QUERY = "query"


class PagingType(StrEnum):
    """How a list goes on.

    Attributes:
        NONE: Not at all: it comes whole.
        NEXT: The answer holds the link to the next page.
        LINK: So does the header ``Link``.
        PAGE: Pages have numbers.
        OFFSET: The next page begins behind the records so far.
        CURSOR: The answer holds a word to ask the next page with.
    """

    NONE = "none"
    NEXT = "next"
    LINK = "link"
    PAGE = "page"
    OFFSET = "offset"
    CURSOR = "cursor"


class NoRow(StrEnum):
    """What it means that the source says nothing of a SKU."""

    UNKNOWN = "unknown"
    ZERO = "zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """``name`` is the header's or the parameter's, ``user`` for ``basic``. ``prefix`` stands before the value of a header."""

    type: AuthType | None = None
    value: Secret | None = None
    name: str | None = None
    prefix: str | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How to come by the other pages.

    ``at`` is the path of the link (``next``) or of the word (``cursor``). ``parameter`` carries a page's number, an offset or the
    word: in the query, or in the body of a POST. ``size`` is how many records a page has, told in ``size_parameter`` if there is
    one; it must not be more than the source gives, since a shorter page is the last. ``first`` is the number of the first page.
    More than ``pages_max`` pages are refused.
    """

    type: PagingType = PagingType.NONE
    at: str | None = None
    parameter: str | None = None
    size: int | None = None
    size_parameter: str | None = None
    first: int = 1
    pages_max: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTable:
    """How one list is asked for. What is left out is the preset's, or nothing; ``""`` is nothing, whatever the preset says.

    ``records`` is the path of the list in the answer, empty where the answer is the list; ``inner`` that of a list in each
    record, whose members are then the records (``^path`` reads from the one around). ``success_if`` is a condition that every
    good answer meets: ``path``, ``path=value`` or ``path~part``.
    """

    path: str | None = None
    method: Literal["GET", "POST"] | None = None
    params: Mapping[str, str] | None = None
    body: Mapping[str, Any] | None = None
    records: str | None = None
    inner: str | None = None
    paging: Paging | None = None
    success_if: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StockTable(ListTable):
    """How stock is asked for, and where its numbers stand in a record.

    ``{sku}`` in the path, a parameter or the body asks for one SKU, ``{skus|csv}``, ``{skus|json}`` or ``{skus}`` (a parameter
    that is repeated, a list in a body) for up to ``batch``. Fields are paths, or ``=constant``; ``path?`` may be missing. Without
    ``available`` it is ``on_hand`` less ``committed``. ``time_zone`` is that of instants without an offset: without it they are
    unknown. ``as_of_format``: ``unix``, ``unix_ms`` or as for ``strptime``; else ISO 8601. Where nothing is said of a SKU,
    ``no_row = "zero"`` says that there is none of it at any location. ``rows_add_up``: a SKU may have several records at a
    location, by lot or by bin; otherwise a second one breaks the contract.
    """

    batch: int | None = None
    sku: str | None = None
    location: str | None = None
    on_hand: str | None = None
    available: str | None = None
    committed: str | None = None
    incoming: str | None = None
    name: str | None = None
    as_of: str | None = None
    as_of_format: str | None = None
    time_zone: str | None = None
    no_row: NoRow | None = None
    rows_add_up: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogTable(ListTable):
    """How all SKUs are listed. Without it, nor by the preset, the source cannot say what it carries."""

    sku: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesTable(ListTable):
    """How the source lists its locations. ``active_if`` is a condition on a record."""

    id: str | None = None
    name: str | None = None
    street: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country_code: str | None = None
    latitude: str | None = None
    longitude: str | None = None
    time_zone: str | None = None
    active_if: str | None = None
