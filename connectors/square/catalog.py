"""Which variations of Square's catalog stand for a SKU, and which stores carry them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cachetools import LRUCache, TTLCache

from connectors.client import Client, at_once, chunked
from connectors.contract import ContractBroken, Cursor, RemoteLocationId, Sku, SkuPage
from connectors.square.settings import SquareSettings
from connectors.square.wire import CatalogObject, CatalogReply

SKUS_PER_SEARCH_MAX: Final = 250  # CatalogQuerySet.attribute_values
PAGE_OBJECTS_MAX: Final = 1000  # SearchCatalogObjects.limit, and ids of BatchRetrieveCatalogObjects
PAGES_MAX: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """One sellable thing. Carried everywhere but ``absent_at``, or only at ``present_at``."""

    id: str
    sku: Sku
    name: str
    everywhere: bool
    present_at: frozenset[str]
    absent_at: frozenset[str]

    def is_carried_at(self, location: RemoteLocationId) -> bool:
        """Whether that store sells it at all; whether it was ever counted there is another matter."""
        return location not in self.absent_at if self.everywhere else location in self.present_at


Variations = Mapping[Sku, tuple[Variation, ...]]


class Catalog:
    """The variations of a SKU, remembered: a bounded number of SKUs, and what is missing only briefly."""

    def __init__(self, client: Client, *, settings: SquareSettings, monotonic: Callable[[], float]) -> None:
        entries_max = settings.products_max
        self._client = client
        self._known: TTLCache[Sku, tuple[Variation, ...]] = TTLCache(entries_max, settings.known_for_s, timer=monotonic)
        self._missing: TTLCache[Sku, None] = TTLCache(entries_max, settings.absent_for_s, timer=monotonic)
        self._sku_of: LRUCache[str, Sku] = LRUCache(entries_max)  # ids never change hands, so these do not expire

    async def variations(self, skus: Iterable[Sku]) -> Variations:
        """The variations of these SKUs, looked up where not remembered. Left out: what the catalog does not have."""
        wanted = dict.fromkeys(skus)
        found = {sku: known for sku in wanted if (known := self._known.get(sku))}
        asked = [sku for sku in wanted if sku not in found and sku not in self._missing]
        for told in await at_once(self._look_up(some) for some in chunked(asked, SKUS_PER_SEARCH_MAX)):
            found |= told
        return found

    async def page(self, after: Cursor | None) -> SkuPage:
        """The next SKUs of the catalog, remembered with what earlier pages said of the same: several variations may share one."""
        page = await self._found({"cursor": after} if after else {})
        listed = _by_sku(parse_variations(page))
        earlier = {sku: self._known.get(sku, ()) for sku in listed}
        self._remember(_by_sku(each for found in (earlier, listed) for several in found.values() for each in several))
        return SkuPage(skus=tuple(listed), next=Cursor(page.cursor) if page.cursor else None)

    async def skus(self, variation_ids: Iterable[str]) -> frozenset[Sku]:
        """The SKUs of those variations, looked up where they are not remembered. Left out: what has none."""
        asked = frozenset(variation_ids)
        found = {each: sku for each in asked if (sku := self._sku_of.get(each)) is not None}
        for some in chunked(sorted(asked - found.keys()), PAGE_OBJECTS_MAX):
            reply = await self._client.call("POST", "/v2/catalog/batch-retrieve", json={"object_ids": some}, returns=CatalogReply)
            found |= {each.id: each.sku for each in parse_variations(reply) if each.id in asked}
        self._sku_of.update(found)
        return frozenset(found.values())

    def skus_of(self, variation_ids: Iterable[str]) -> frozenset[Sku]:
        """The SKUs of those variations that were ever looked up."""
        return frozenset(sku for each in variation_ids if (sku := self._sku_of.get(each)) is not None)

    async def _look_up(self, skus: Sequence[Sku]) -> Variations:
        query = {"query": {"set_query": {"attribute_name": "sku", "attribute_values": skus}}}
        said = await self._search(query)
        # Square matches SKUs without regard to case; ours differ by it.
        found = {sku: said[sku] for sku in skus if sku in said}
        self._remember(found)
        self._missing.update(dict.fromkeys(sku for sku in skus if sku not in found))
        return found

    async def _search(self, query: Mapping[str, object]) -> Variations:
        """Every page of one search, by SKU and in the order of ids."""
        found: list[Variation] = []
        for _ in range(PAGES_MAX):
            page = await self._found(query)
            found += parse_variations(page)
            if not page.cursor:
                return _by_sku(found)
            query = {**query, "cursor": page.cursor}
        raise ContractBroken(f"the catalog search did not end after {PAGES_MAX} pages")

    async def _found(self, query: Mapping[str, object]) -> CatalogReply:
        """One page of a search."""
        body = {"object_types": ["ITEM_VARIATION"], "include_related_objects": True, "limit": PAGE_OBJECTS_MAX, **query}
        return await self._client.call("POST", "/v2/catalog/search", json=body, returns=CatalogReply)

    def _remember(self, variations: Variations) -> None:
        for sku, each in variations.items():
            self._known[sku] = each
            self._missing.pop(sku, None)
            self._sku_of.update({variation.id: sku for variation in each})


def parse_variations(page: CatalogReply) -> list[Variation]:
    """The live variations with a SKU of one page."""
    names = {each.id: each.item_data.name for each in page.related_objects if each.item_data}
    return [
        _variation(each, Sku(sold.sku), names.get(sold.item_id or "") or sold.name or sold.sku)
        for each in page.objects
        if (sold := each.item_variation_data) and sold.sku and not each.is_deleted
    ]


def _variation(entry: CatalogObject, sku: Sku, name: str) -> Variation:
    return Variation(
        id=entry.id,
        sku=sku,
        name=name,
        everywhere=entry.present_at_all_locations is not False,
        present_at=frozenset(entry.present_at_location_ids or ()),
        absent_at=frozenset(entry.absent_at_location_ids or ()),
    )


def _by_sku(variations: Iterable[Variation]) -> Variations:
    """Each variation once, as it was told last."""
    unique = {each.id: each for each in variations}
    found: dict[Sku, tuple[Variation, ...]] = {}
    for each in sorted(unique.values(), key=lambda variation: variation.id):
        found[each.sku] = (*found.get(each.sku, ()), each)
    return found
