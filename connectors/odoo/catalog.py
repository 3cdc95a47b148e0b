"""Which products stand behind our SKUs: Odoo's stock speaks of product ids only."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from cachetools import TTLCache

from connectors.contract import ContractBroken, Cursor, Sku, SkuPage
from connectors.odoo.settings import OdooSettings
from connectors.odoo.values import Text, text_of
from connectors.odoo.wire import Wire

_PAGE: Final = 1_000
_FIELDS: Final = ("default_code", "name")


class ProductRow(msgspec.Struct):
    """A row of ``product.product``."""

    id: int
    default_code: Text = False
    name: Text = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What Odoo calls one SKU: nothing keeps two products there from having the same reference."""

    product_ids: tuple[int, ...]
    name: str | None


def parse_items(rows: Iterable[ProductRow]) -> dict[Sku, Item]:
    """Products by their reference; those without one cannot be ours."""
    items: dict[Sku, Item] = {}
    for row in rows:
        if (code := text_of(row.default_code)) is None:
            continue
        known = items.get(Sku(code))
        ids = (*known.product_ids, row.id) if known else (row.id,)
        items[Sku(code)] = Item(product_ids=ids, name=(known and known.name) or text_of(row.name))
    return items


def parse_page(rows: Sequence[ProductRow], *, limit: int) -> tuple[dict[Sku, Item], Cursor | None]:
    """The products of a page in the order of their references, and the reference after which the next one begins.

    The last reference of a full page may have more products on the next, so that it is left to that one; unless it fills a page.
    """
    items = parse_items(rows)
    if len(rows) < limit or not items:
        return items, None
    last = next(reversed(items))
    if len(items) > 1:
        del items[last]
        last = next(reversed(items))
    return items, Cursor(last)


class Catalog:
    """Remembers a bounded number of products for a bounded time, and asks for those it does not know."""

    def __init__(self, wire: Wire, settings: OdooSettings, monotonic: Callable[[], float]) -> None:
        size = settings.products_max
        self._wire = wire
        self._items: TTLCache[Sku, Item] = TTLCache(size, settings.known_for_s, timer=monotonic)
        self._skus: TTLCache[int, Sku] = TTLCache(size, settings.known_for_s, timer=monotonic)
        self._absent: TTLCache[Sku, bool] = TTLCache(size, settings.absent_for_s, timer=monotonic)

    async def items(self, skus: Sequence[Sku]) -> dict[Sku, Item]:
        """What Odoo has of these, in at most one request; none when all are remembered."""
        found = {sku: item for sku in skus if (item := self._items.get(sku)) is not None}
        missing = [sku for sku in skus if sku not in found and sku not in self._absent]
        if missing:
            rows = await self._search([["default_code", "in", missing]])
            looked_up = {sku: item for sku, item in parse_items(rows).items() if sku in set(missing)}
            self._learn(looked_up)
            self._absent.update(dict.fromkeys(set(missing) - looked_up.keys(), True))
            found |= looked_up
        return found

    async def skus(self, product_ids: Iterable[int]) -> dict[int, Sku]:
        """The SKUs of these products; those that are gone or have no reference are left out."""
        wanted = set(product_ids)
        found = {product_id: sku for product_id in wanted if (sku := self._skus.get(product_id)) is not None}
        if missing := sorted(wanted - found.keys()):
            rows = await self._search([["id", "in", missing]])
            found |= {row.id: Sku(code) for row in rows if row.id in wanted and (code := text_of(row.default_code))}
            # Another product may share the reference, so this teaches nothing about the SKU.
            self._skus.update(found)
        return found

    def remembered_sku(self, product_id: int) -> Sku | None:
        """The SKU of a product, if it is known without asking."""
        return self._skus.get(product_id)

    async def page(self, after: Cursor | None) -> SkuPage:
        """The next SKUs in Odoo's own order, learned on the way."""
        domain: list[list[object]] = [["default_code", "!=", False]]
        if after:
            domain.append(["default_code", ">", after])
        rows = await self._search(domain, order="default_code, id", limit=_PAGE)
        items, following = parse_page(rows, limit=_PAGE)
        if following is not None and following == after:
            raise ContractBroken(f"the products after {after!r} end with it")
        self._learn(items)
        return SkuPage(skus=tuple(items), next=following)

    def _learn(self, items: Mapping[Sku, Item]) -> None:
        self._items.update(items)
        self._skus.update({product_id: sku for sku, item in items.items() for product_id in item.product_ids})

    async def _search(self, domain: Sequence[object], **page: Any) -> list[ProductRow]:
        return await self._wire.execute(
            "product.product", "search_read", returns=list[ProductRow], domain=domain, fields=_FIELDS, **page
        )
