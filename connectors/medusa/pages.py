"""Medusa's lists, page by page."""

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

from connectors.client import Client
from connectors.contract import ContractBroken

PAGES_MAX: Final = 200


class Row(Protocol):
    """Anything with an id of Medusa's."""

    @property
    def id(self) -> str:
        """Its own, and never another's."""


R_co = TypeVar("R_co", bound=Row, covariant=True)
R = TypeVar("R", bound=Row)


class Page(Protocol[R_co]):
    """Some rows of so many."""

    @property
    def rows(self) -> Sequence[R_co]:
        """What this page has of them."""

    @property
    def count(self) -> int:
        """How many there are on all pages."""


async def every_row(
    client: Client, path: str, *, returns: type[Page[R]], params: dict[str, str | Sequence[str]], page_rows: int
) -> list[R]:
    """All rows of one list, each once.

    Raises:
        ContractBroken: A page says nothing new although there is more, or there is no end to them.
    """
    rows: dict[str, R] = {}
    offset = 0
    for _ in range(PAGES_MAX):
        page = await client.call("GET", path, params={**params, "limit": page_rows, "offset": offset}, returns=returns)
        new = {row.id: row for row in page.rows if row.id not in rows}
        rows |= new
        offset += len(page.rows)
        if offset >= page.count:
            return list(rows.values())
        if not new:
            raise ContractBroken(f"{path} repeats a page")
    raise ContractBroken(f"{path} did not end after {PAGES_MAX} pages")
