"""Which inventory items of ShipBob stand for a SKU, and what they say is in stock."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from cachetools import TTLCache

from connectors.client import Client, at_once, chunked
from connectors.contract import ContractBroken, Cursor, RemoteLevel, RemoteLocationId, Sku, SkuPage, StockBatch
from connectors.shipbob.settings import ShipBobSettings
from connectors.shipbob.wire import VERSION, CenterQuantity, ItemRow, ItemsPage, LevelRow, LevelsPage

PAGE_SIZE: Final = 250  # the specification names no maximum; ShipBob's older interfaces stop at 250
PAGES_MAX: Final = 400
SEARCHES_MAX: Final = 4  # so many single look-ups cost less than walking through the whole inventory
INVENTORY_PATH: Final = f"/{VERSION}/inventory"
LEVELS_PATH: Final = f"/{VERSION}/inventory-level/locations"

Page = TypeVar("Page", ItemsPage, LevelsPage)
Items = Mapping[Sku, tuple[ItemRow, ...]]


class Inventory:
    """The inventory items of a SKU, remembered: a bounded number of SKUs, and what is missing only briefly."""

    def __init__(self, client: Client, *, settings: ShipBobSettings, monotonic: Callable[[], float]) -> None:
        entries_max = settings.products_max
        self._client = client
        self._known: TTLCache[Sku, tuple[ItemRow, ...]] = TTLCache(entries_max, settings.known_for_s, timer=monotonic)
        self._missing: TTLCache[Sku, None] = TTLCache(entries_max, settings.absent_for_s, timer=monotonic)

    async def items(self, skus: Iterable[Sku]) -> Items:
        """The items of these SKUs, looked up where not remembered. Left out: what ShipBob does not have."""
        wanted = dict.fromkeys(skus)
        found = {sku: known for sku in wanted if (known := self._known.get(sku))}
        asked = [sku for sku in wanted if sku not in found and sku not in self._missing]
        return {**found, **await self._look_up(asked)} if asked else found

    async def page(self, after: Cursor | None) -> SkuPage:
        """The next SKUs, remembered with what earlier pages said of the same: several items may share one.

        The cursor is the query of ShipBob's own link.
        """
        query = {"PageSize": str(PAGE_SIZE)} if after is None else _query_of(f"?{after}")
        page = await self._client.call("GET", INVENTORY_PATH, params=query, returns=ItemsPage)
        listed = _by_sku(page.items or ())
        earlier = {sku: self._known.get(sku, ()) for sku in listed}
        self._remember(_by_sku(row for found in (earlier, listed) for rows in found.values() for row in rows))
        return SkuPage(skus=tuple(listed), next=Cursor(urlencode(_query_of(page.next))) if page.next else None)

    def name_of(self, sku: Sku) -> str:
        """The name of a product as far as it is remembered, else its SKU."""
        return next((row.name for row in self._known.get(sku, ()) if row.name), sku)

    async def levels(self, items: Items) -> list[LevelRow]:
        """What is in stock of these items, at all centers."""
        ids = [str(row.inventory_id) for rows in items.values() for row in rows]
        queries = ({"InventoryIds": ",".join(some)} for some in chunked(ids, PAGE_SIZE))
        told = await at_once(self._pages(LEVELS_PATH, query, LevelsPage) for query in queries)
        return [row for pages in told for page in pages for row in page.items or ()]

    async def _look_up(self, skus: Sequence[Sku]) -> Items:
        searches: Sequence[dict[str, str]] = [{"SearchBy": sku} for sku in skus] if len(skus) <= SEARCHES_MAX else [{}]
        told = await at_once(self._pages(INVENTORY_PATH, each, ItemsPage) for each in searches)
        # SearchBy matches any part of a SKU or a name, in any case.
        said = _by_sku(row for pages in told for page in pages for row in page.items or ())
        found = {sku: said[sku] for sku in skus if sku in said}
        self._remember(found)
        self._missing.update(dict.fromkeys(sku for sku in skus if sku not in found))
        return found

    async def _pages(self, path: str, params: Mapping[str, str], returns: type[Page]) -> list[Page]:
        pages: list[Page] = []
        query = {**params, "PageSize": str(PAGE_SIZE)}
        for _ in range(PAGES_MAX):
            page = await self._client.call("GET", path, params=query, returns=returns)
            pages.append(page)
            if not page.next:
                return pages
            query = _query_of(page.next)
        raise ContractBroken(f"{path} did not end after {PAGES_MAX} pages")

    def _remember(self, items: Items) -> None:
        self._known.update(items)
        for sku in items:
            self._missing.pop(sku, None)


def _query_of(url: str) -> dict[str, str]:
    """The parameters of a page's URL. Its host is not followed: our token goes where the settings say."""
    try:
        query = dict(parse_qsl(urlsplit(url).query))
    except ValueError:
        query = {}
    if not query:
        raise ContractBroken("the URL of the next page has no parameters")
    return query


def _by_sku(rows: Iterable[ItemRow]) -> Items:
    unique = {row.inventory_id: row for row in rows}
    found: dict[Sku, tuple[ItemRow, ...]] = {}
    for row in sorted(unique.values(), key=lambda row: row.inventory_id):
        if row.sku:
            sku = Sku(row.sku)
            found[sku] = (*found.get(sku, ()), row)
    return found


def parse_levels(rows: Iterable[LevelRow], *, asked: Sequence[Sku], items: Items) -> StockBatch:
    """What these rows say of the SKUs asked for.

    Items that share a SKU add up. Rows of other items are dropped. An item that no center lists is not carried: ``unknown``.
    Available is ``fulfillable_quantity``; ShipBob's own texts disagree on what ``total_sellable_quantity`` includes.
    """
    sku_of = {row.inventory_id: sku for sku, several in items.items() for row in several}
    unique = {row.inventory_id: row for row in rows if row.sku in {None, sku_of.get(row.inventory_id)}}
    levels: dict[tuple[Sku, RemoteLocationId], RemoteLevel] = {}
    names: dict[Sku, str] = {}
    for inventory_id, row in unique.items():
        if (sku := sku_of.get(inventory_id)) is None:
            continue
        names[sku] = row.name or sku
        for at in row.locations or ():
            level = _level(sku, at)
            shelf = (sku, level.location)
            levels[shelf] = _sum(levels[shelf], level) if shelf in levels else level
    return StockBatch(
        levels=tuple(levels.values()),
        unknown=frozenset(asked) - {sku for sku, _ in levels},
        names=names,
    )


def _level(sku: Sku, at: CenterQuantity) -> RemoteLevel:
    return RemoteLevel(
        sku=sku,
        location=RemoteLocationId(str(at.location_id)),
        on_hand=at.on_hand_quantity,
        available=at.fulfillable_quantity,
        committed=at.committed_quantity,
        incoming=at.awaiting_quantity,
    )


def _sum(one: RemoteLevel, other: RemoteLevel) -> RemoteLevel:
    """Both together; what one of them does not know, the sum does not know."""
    return RemoteLevel(
        sku=one.sku,
        location=one.location,
        on_hand=_plus(one.on_hand, other.on_hand),
        available=_plus(one.available, other.available),
        committed=_plus(one.committed, other.committed),
        incoming=_plus(one.incoming, other.incoming),
    )


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
