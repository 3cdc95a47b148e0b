"""Reading inventory summaries page by page, though a page's token is good for 30 seconds only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from connectors.amazon_mcf.wire import SummariesReply, Summary
from connectors.client import Client
from connectors.contract import ContractBroken, Rejected, Transient

PATH: Final = "/fba/inventory/v1/summaries"
PAGES_MAX: Final = 10_000
# Of one read of at most 50 SKUs: Amazon has been seen to put one row on a page.
READ_PAGES_MAX: Final = 200
# Filters that leave a page empty are no mistake; pages that stay empty are.
EMPTY_PAGES_MAX: Final = 3

Query = Mapping[str, str]
RowKey = tuple[str, str | None, str | None]


class Place(Struct, frozen=True, array_like=True):
    """Where the next page begins: how many lie before it, its token, the last row seen, and how many pages were empty in a row."""

    pages: int
    token: str
    last: RowKey | None = None
    empty: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some rows, and where the others begin; None at the end."""

    rows: Mapping[RowKey, Summary]
    next: Place | None


class Summaries:
    """The inventory summaries of one marketplace."""

    def __init__(self, client: Client, *, marketplace_id: str) -> None:
        self._client = client
        self._marketplace_id = marketplace_id

    async def all(self, query: Query) -> list[Summary]:
        """Every row, once.

        Raises:
            ContractBroken: There is no end to them.
        """
        rows: dict[RowKey, Summary] = {}
        at: Place | None = None
        for _ in range(READ_PAGES_MAX):
            page = await self.page(query, at)
            rows |= page.rows
            if page.next is None:
                return list(rows.values())
            at = page.next
        raise ContractBroken(f"the summaries did not end after {READ_PAGES_MAX} pages")

    async def page(self, query: Query, at: Place | None) -> Page:
        """One page. Where its token is no longer good, the pages before it are asked for once more.

        Raises:
            ContractBroken: The pages lead nowhere.
            Transient: The tokens expire faster than they can be used.
        """
        if at is None:
            return self._page(await self._ask(query, None), None)
        try:
            return self._page(await self._ask(query, at.token), at)
        except Rejected:  # a token that expired, in prose only; what else could be wrong was wrong with the first page
            reply = await self._from_the_beginning(query, at.pages)
        return Page(rows={}, next=None) if reply is None else self._page(reply, at)

    async def _from_the_beginning(self, query: Query, pages: int) -> SummariesReply | None:
        """What follows so many pages; None where there are fewer by now."""
        reply = await self._ask(query, None)
        for _ in range(min(pages, PAGES_MAX)):
            token = _token(reply)
            if token is None:
                return None
            try:
                reply = await self._ask(query, token)
            except Rejected as refusal:
                raise Transient(f"a token for the next page did not last: {refusal.detail}") from refusal
        return reply

    async def _ask(self, query: Query, token: str | None) -> SummariesReply:
        where = {
            "granularityType": "Marketplace",
            "granularityId": self._marketplace_id,
            "marketplaceIds": self._marketplace_id,
        }
        params = {**where, **query, **({} if token is None else {"nextToken": token})}
        return await self._client.call("GET", PATH, params=params, returns=SummariesReply)

    def _page(self, reply: SummariesReply, at: Place | None) -> Page:
        if reply.payload.granularity.granularity_id not in {None, self._marketplace_id}:
            raise ContractBroken("summaries of another marketplace than the one asked about")
        rows = {(row.seller_sku, row.fn_sku, row.asin): row for row in reply.payload.inventory_summaries}
        token = _token(reply)
        return Page(rows=rows, next=None if token is None else _next(rows, token, at))


def _token(reply: SummariesReply) -> str | None:
    return (reply.pagination.next_token or None) if reply.pagination else None


def _next(rows: dict[RowKey, Summary], token: str, at: Place | None) -> Place:
    before = at or Place(pages=0, token="")
    last = next(reversed(rows), before.last)
    place = Place(pages=before.pages + 1, token=token, last=last, empty=0 if rows else before.empty + 1)
    if token == before.token or (rows and last == before.last):
        raise ContractBroken("the summaries repeat a page")
    if place.pages >= PAGES_MAX or place.empty > EMPTY_PAGES_MAX:
        raise ContractBroken(f"the summaries did not end after {place.pages} pages")
    return place
