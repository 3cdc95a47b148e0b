"""Medusa's inventory items: read by SKU, or page by page."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from cachetools import TTLCache

from connectors.client import Client, at_once, chunked
from connectors.contract import ContractBroken, Cursor, Rejected, Sku, SkuPage
from connectors.medusa.pages import every_row
from connectors.medusa.settings import MedusaSettings
from connectors.medusa.wire import ItemRow, ItemsPage

ITEMS_PATH: Final = "/admin/inventory-items"
FIELDS: Final = "id,sku,title,*location_levels"
PAGE_ITEMS: Final = 500


class Inventory:
    """The items behind SKUs. Their ids are remembered from whatever was read: a bounded number, for a while."""

    def __init__(self, client: Client, *, settings: MedusaSettings, monotonic: Callable[[], float]) -> None:
        self._client = client
        self._batch_skus_max = settings.batch_skus_max
        self._items_max = settings.products_max
        self._id_of: TTLCache[Sku, str] = TTLCache(settings.products_max, settings.known_for_s, timer=monotonic)

    async def items(self, skus: Iterable[Sku]) -> list[ItemRow]:
        """The items of these SKUs, and whatever else Medusa says; one request for as many as a URL takes."""
        chunks = chunked(list(dict.fromkeys(skus)), self._batch_skus_max)
        rows = [row for told in await at_once(self._told(some) for some in chunks) for row in told]
        self._remember(rows)
        return rows

    async def ids(self, skus: Iterable[Sku]) -> Mapping[Sku, str]:
        """The ids of these SKUs' items, looked up where not remembered. Left out: what Medusa does not have."""
        wanted = list(dict.fromkeys(skus))
        if unknown := [sku for sku in wanted if sku not in self._id_of]:
            await self.items(unknown)
        return {sku: known for sku in wanted if (known := self._id_of.get(sku)) is not None}

    def forget(self, skus: Iterable[Sku]) -> None:
        """Look these up again: somebody may have made them anew."""
        for sku in skus:
            self._id_of.pop(sku, None)

    async def page(self, offset: int) -> ItemsPage:
        """The items from there on, in the order of their ids: new ones come last.

        Raises:
            ContractBroken: The page is short of what was asked for although there is more, or there are too many items.
        """
        params: dict[str, str | int] = {"fields": FIELDS, "order": "id", "limit": PAGE_ITEMS, "offset": offset}
        page = await self._client.call("GET", ITEMS_PATH, params=params, returns=ItemsPage)
        if page.count > self._items_max:
            raise ContractBroken(f"{page.count} items are more than products_max = {self._items_max}")
        if len(page.rows) > PAGE_ITEMS or len(page.rows) < min(PAGE_ITEMS, page.count - offset):
            raise ContractBroken(f"a page of {len(page.rows)} items at {offset} of {page.count}")
        self._remember(page.rows)
        return page

    async def skus(self, after: Cursor | None) -> SkuPage:
        """The SKUs of one page. The cursor is an offset, and the id of the item before it: a page that comes twice is noticed.

        Raises:
            Rejected: It is no cursor of ours.
            ContractBroken: The page is the one before.
        """
        offset, last = _place(after)
        page = await self.page(offset)
        if page.rows and page.rows[-1].id == last:
            raise ContractBroken(f"{ITEMS_PATH} repeats a page")
        end = offset + len(page.rows)
        return SkuPage(
            skus=tuple(Sku(row.sku) for row in page.rows if row.sku),
            next=Cursor(f"{end}:{page.rows[-1].id}") if end < page.count else None,
        )

    async def _told(self, skus: Sequence[Sku]) -> list[ItemRow]:
        params = {"sku[]": skus, "fields": FIELDS}
        return await every_row(self._client, ITEMS_PATH, returns=ItemsPage, params=params, page_rows=PAGE_ITEMS)

    def _remember(self, rows: Sequence[ItemRow]) -> None:
        self._id_of.update({Sku(row.sku): row.id for row in rows if row.sku})


def _place(cursor: Cursor | None) -> tuple[int, str]:
    offset, _, last = (cursor or "0:").partition(":")
    if not (offset.isascii() and offset.isdigit() and len(offset) < 10):
        raise Rejected("not a place in the list of SKUs", reason="BAD_CURSOR", field="after")
    return int(offset), last
