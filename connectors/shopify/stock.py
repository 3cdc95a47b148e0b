"""From Shopify's levels to ours."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connectors.contract import ContractBroken, RemoteLevel, RemoteLocationId, Sku, StockBatch
from connectors.shopify.catalog import Items
from connectors.shopify.documents import MORE_STOCK, STOCK
from connectors.shopify.rows import LevelRow, StockRow
from connectors.shopify.wire import Wire, number_of, way_on

LEVELS_PER_ITEM_MAX: Final = 50
LEVEL_PAGES_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStock:
    """All that Shopify says of one inventory item. What is not ``tracked`` nobody counts, whatever its levels say."""

    sku: str | None
    tracked: bool
    levels: tuple[LevelRow, ...]


Stocks = Mapping[str, ItemStock]


async def read_stocks(wire: Wire, item_ids: Sequence[str], *, places: int) -> Stocks:
    """What there is of these items, by id, at all places, of which there are about so many. Left out: items that are no more.

    Raises:
        ContractBroken: The levels of an item do not end.
    """
    levels = min(max(places, 1), LEVELS_PER_ITEM_MAX)
    rows = await wire.nodes(STOCK, item_ids, levels=levels, after=None)
    return {
        row.id: ItemStock(sku=row.sku, tracked=row.tracked, levels=await _whole(wire, row))
        for row in rows
    }  # fmt: skip


async def _whole(wire: Wire, row: StockRow) -> tuple[LevelRow, ...]:
    levels, after = row.inventory_levels.nodes, way_on(row.inventory_levels.page_info, None)
    for _ in range(LEVEL_PAGES_MAX):
        if after is None:
            return levels
        further = (await wire.ask(MORE_STOCK, id=row.id, levels=LEVELS_PER_ITEM_MAX, after=after)).inventory_item
        if further is None:
            return levels
        levels += further.inventory_levels.nodes
        after = way_on(further.inventory_levels.page_info, after)
    raise ContractBroken(f"the levels of {row.id} did not end after {LEVEL_PAGES_MAX} pages")


def stale(items: Items, stocks: Stocks) -> frozenset[Sku]:
    """SKUs of which an item is no more, or has another SKU by now."""
    return frozenset(
        sku for sku, several in items.items() for item in several if item.id not in stocks or stocks[item.id].sku != sku
    )


def parse_levels(stocks: Stocks, *, asked: Collection[Sku], items: Items) -> StockBatch:
    """What there is of the SKUs asked for.

    The items that share a SKU add up; where one of them is not tracked nobody knows the sum. A SKU without a level is unknown:
    Shopify stocks it nowhere.

    Raises:
        ContractBroken: A level lacks a quantity that was asked for.
    """
    shelves: dict[tuple[Sku, RemoteLocationId], list[tuple[bool, LevelRow]]] = defaultdict(list)
    for sku, several in items.items():
        for stock in (stocks[item.id] for item in several if item.id in stocks and stocks[item.id].sku == sku):
            for level in stock.levels:
                shelves[sku, RemoteLocationId(number_of(level.location.id))].append((stock.tracked, level))
    levels = tuple(_level(sku, location, rows) for (sku, location), rows in shelves.items())
    carried = {level.sku for level in levels}
    return StockBatch(
        levels=levels,
        unknown=frozenset(asked) - carried,
        names={sku: several[0].name for sku, several in items.items()},
    )


def _level(sku: Sku, location: RemoteLocationId, rows: Sequence[tuple[bool, LevelRow]]) -> RemoteLevel:
    if not all(tracked for tracked, _ in rows):
        return RemoteLevel(sku=sku, location=location)
    levels = [level for _, level in rows]
    return RemoteLevel(
        sku=sku,
        location=location,
        on_hand=_units(levels, "on_hand"),
        available=_units(levels, "available"),
        committed=_units(levels, "committed"),
        incoming=_units(levels, "incoming"),
        as_of=min(level.updated_at for level in levels),
    )


def _units(levels: Iterable[LevelRow], name: str) -> int:
    return sum(units_of(level, name) for level in levels)


def units_of(level: LevelRow, name: str) -> int:
    """So many units of that item are in that state.

    Raises:
        ContractBroken: The answer lacks the state.
    """
    for quantity in level.quantities:
        if quantity.name == name:
            return quantity.quantity
    raise ContractBroken(f"a level at {level.location.id} lacks {name}")
