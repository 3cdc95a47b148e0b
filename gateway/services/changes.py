"""Stock that moved, to whoever watches: the latest value per SKU and location; ticks in between are left out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field

from connectors.contract import Sku
from gateway.domain.identity import LocationId
from gateway.services.inventory import Inventory, StockLevel


@dataclass(slots=True, eq=False)
class Watch:
    """One watcher: which SKUs, and which of them have moved since it looked."""

    skus: frozenset[Sku]
    moved: set[Sku] = field(default_factory=set)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, kw_only=True)
class Changes:
    """Knows who watches what. ``reread_s`` is how often watched stock is read again although nobody said that it moved."""

    reread_s: float
    _watches: set[Watch] = field(default_factory=set)

    def touch(self, skus: Collection[Sku]) -> None:
        """These moved, or may have."""
        for watch in self._watches:
            moved = watch.skus.intersection(skus)
            if moved:
                watch.moved |= moved
                watch.stirred.set()

    async def follow(
        self,
        inventory: Inventory,
        skus: Collection[Sku],
        *,
        wanted: Callable[[LocationId], bool],
        interval_s: float,
    ) -> AsyncIterator[tuple[StockLevel, ...]]:
        """The levels as they are, then those that changed, no more often than every ``interval_s``, for ever."""
        watch = Watch(frozenset(skus))
        sent: dict[tuple[Sku, LocationId], tuple[object, ...]] = {}
        due: Collection[Sku] = watch.skus
        self._watches.add(watch)
        try:
            while True:
                items = await inventory.look(sorted(due))
                levels = tuple(level for item in items for level in item.levels if wanted(level.location.id))
                news = tuple(level for level in levels if sent.get((level.sku, level.location.id)) != _figures(level))
                sent.update({(level.sku, level.location.id): _figures(level) for level in news})
                if news:
                    yield news
                await asyncio.sleep(interval_s)
                due = await self._next(watch)
        finally:
            self._watches.discard(watch)

    async def _next(self, watch: Watch) -> Collection[Sku]:
        """What moved, as soon as something did; everything, when nothing was said for long."""
        try:
            async with asyncio.timeout(self.reread_s):
                await watch.stirred.wait()
        except TimeoutError:
            return watch.skus
        moved = frozenset(watch.moved)
        watch.moved.clear()
        watch.stirred.clear()
        return moved


def _figures(level: StockLevel) -> tuple[object, ...]:
    """What makes a level another one: numbers, and whether they can be trusted; not their age."""
    unsure = level.freshness.value in {"STALE", "UNKNOWN"}
    numbers = (level.on_hand, level.available, level.committed, level.incoming, level.reserved, level.available_to_promise)
    return (*numbers, unsure)
