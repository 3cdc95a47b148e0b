"""Which variations of Square's catalog stand for a SKU, and which stores carry them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cachetools import LRUCache, TTLCache

from connectors.client import Client, chunked
from connectors.contract import ContractBroken, RemoteLocationId, Sku
from connectors.square.settings import SquareSettings
from connectors.square.wire import CatalogObject, CatalogReply

SKUS_PER_SEARCH_MAX: Final = 250  # CatalogQuerySet.attribute_values
PAGE_OBJECTS_MAX: Final = 1000  # SearchCatalogObjects.limit
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
        for some in chunked(asked, SKUS_PER_SEARCH_MAX):
            found |= await self._look_up(some)
        return found

    async def warm(self, products_max: int) -> int:
        """Remember the first so many variations of the catalog. Returns how many SKUs they are."""
        variations = await self._search({}, variations_max=products_max)
        self._remember(variations)
        return len(variations)

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

    async def _search(self, query: Mapping[str, object], *, variations_max: int | None = None) -> Variations:
        """Every page of one search, up to ``variations_max``, by SKU and in the order of ids."""
        found: dict[str, Variation] = {}
        body = {"object_types": ["ITEM_VARIATION"], "include_related_objects": True, "limit": PAGE_OBJECTS_MAX, **query}
        for _ in range(PAGES_MAX):
            page = await self._client.call("POST", "/v2/catalog/search", json=body, returns=CatalogReply)
            found |= {each.id: each for each in parse_variations(page)}
            if not page.cursor or (variations_max is not None and len(found) >= variations_max):
                return _by_sku(list(found.values())[:variations_max])
            body["cursor"] = page.cursor
        raise ContractBroken(f"the catalog search did not end after {PAGES_MAX} pages")

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
    found: dict[Sku, tuple[Variation, ...]] = {}
    for each in sorted(variations, key=lambda variation: variation.id):
        found[each.sku] = (*found.get(each.sku, ()), each)
    return found
