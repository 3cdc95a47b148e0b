"""Which inventory items of Shopify stand for a SKU."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cachetools import LRUCache, TTLCache

from connectors.client import at_once, chunked
from connectors.contract import ContractBroken, Cursor, Sku, SkuPage
from connectors.shopify.documents import ITEMS
from connectors.shopify.rows import ItemRow, Page
from connectors.shopify.settings import ShopifySettings
from connectors.shopify.wire import Wire, number_of, quoted, way_on

SKUS_PER_SEARCH: Final = 50
ITEMS_PER_PAGE: Final = 250
PAGES_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that is stocked, and the variant that is sold of it. ``others``: how many more items have its SKU."""

    id: str
    sku: Sku
    variant_id: str
    name: str
    others: int


Items = Mapping[Sku, tuple[Item, ...]]


class Catalog:
    """The items of a SKU, remembered: a bounded number of SKUs, and what is missing only briefly."""

    def __init__(self, wire: Wire, *, settings: ShopifySettings, monotonic: Callable[[], float]) -> None:
        entries_max = settings.products_max
        self._wire = wire
        self._known: TTLCache[Sku, tuple[Item, ...]] = TTLCache(entries_max, settings.known_for_s, timer=monotonic)
        self._missing: TTLCache[Sku, None] = TTLCache(entries_max, settings.absent_for_s, timer=monotonic)
        self._sku_of: LRUCache[str, Sku] = LRUCache(entries_max)

    async def items(self, skus: Iterable[Sku]) -> Items:
        """All items of these SKUs, looked up where not remembered. Left out: what the shop does not have."""
        wanted = dict.fromkeys(skus)
        found = {sku: known for sku in wanted if (known := self._whole(sku))}
        asked = [sku for sku in wanted if sku not in found and sku not in self._missing]
        for told in await at_once(self._look_up(some) for some in chunked(asked, SKUS_PER_SEARCH)):
            found |= told
        return found

    async def page(self, after: Cursor | None) -> SkuPage:
        """The next SKUs of the shop, whose items are remembered on the way."""
        page = (await self._wire.ask(ITEMS, query=None, first=ITEMS_PER_PAGE, after=after)).inventory_items
        items = parse_items(page.nodes)
        self._remember(items)
        further = way_on(page.page_info, after)
        return SkuPage(
            skus=tuple(dict.fromkeys(item.sku for item in items if self._is_first(item))),
            next=None if further is None else Cursor(further),
        )

    async def changed(self, query: str, after: str | None) -> Page[ItemRow]:
        """The next items that a search finds, whose SKUs may have changed."""
        page = (await self._wire.ask(ITEMS, query=query, first=ITEMS_PER_PAGE, after=after)).inventory_items
        self.forget(sku for row in page.nodes for sku in (self._sku_of.get(row.id), row.sku) if sku)
        return page

    def skus_of(self, item_ids: Iterable[str]) -> frozenset[Sku]:
        """The SKUs of those items that were ever seen."""
        return frozenset(sku for each in item_ids if (sku := self._sku_of.get(each)) is not None)

    def forget(self, skus: Iterable[str]) -> None:
        """Look these up anew for the next one who asks."""
        for sku in skus:
            self._known.pop(Sku(sku), None)
            self._missing.pop(Sku(sku), None)

    def _whole(self, sku: Sku) -> tuple[Item, ...] | None:
        known = self._known.get(sku)
        return known if known and len(known) > known[0].others else None

    def _is_first(self, item: Item) -> bool:
        """Whether it is the one of those with its SKU that the SKU is listed with."""
        known = self._known.get(item.sku)
        return not known or known[0].id == item.id

    async def _look_up(self, skus: Sequence[Sku]) -> Items:
        query = " OR ".join(f"sku:{quoted(sku)}" for sku in skus)
        self.forget(skus)
        self._remember(parse_items(await self._search(query)))
        found = {sku: known for sku in skus if (known := self._known.get(sku))}
        self._missing.update(dict.fromkeys(sku for sku in skus if sku not in found))
        return found

    async def _search(self, query: str) -> list[ItemRow]:
        found: list[ItemRow] = []
        after: str | None = None
        for _ in range(PAGES_MAX):
            page = (await self._wire.ask(ITEMS, query=query, first=ITEMS_PER_PAGE, after=after)).inventory_items
            found += page.nodes
            after = way_on(page.page_info, after)
            if after is None:
                return found
        raise ContractBroken(f"the search for items did not end after {PAGES_MAX} pages")

    def _remember(self, items: Iterable[Item]) -> None:
        for item in items:
            before = {known.id: known for known in self._known.get(item.sku, ())}
            self._known[item.sku] = tuple(sorted((before | {item.id: item}).values(), key=_age))
            self._missing.pop(item.sku, None)
            self._sku_of[item.id] = item.sku


def parse_items(rows: Iterable[ItemRow]) -> list[Item]:
    """The items that have a SKU."""
    return [
        Item(
            id=row.id,
            sku=Sku(row.sku),
            variant_id=row.variant.id,
            name=row.variant.display_name,
            others=row.duplicate_sku_count,
        )
        for row in rows
        if row.sku
    ]


def _age(item: Item) -> int:
    return int(number_of(item.id))
