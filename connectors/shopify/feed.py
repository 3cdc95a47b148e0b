"""What has moved at Shopify since it was last asked.

An item's own ``updatedAt`` is about the item, so its levels are asked for as well: place by place, as Shopify lists them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct

from connectors.contract import Cursor, Rejected, Sku, StockChanges
from connectors.shopify.catalog import Catalog
from connectors.shopify.documents import MOVED
from connectors.shopify.rows import Instant, PageInfo
from connectors.shopify.wire import Wire, way_on

LEVELS_PER_PAGE: Final = 50
ITEMS: Final = "items"


class Sweep(Struct, frozen=True, array_like=True):
    """How far one look at everything has come, by Shopify's clock.

    ``since``: what moved from then on is told. ``until``: when this look began, which is where the next one starts; None between
    two. ``rest``: the lists that go on, by the id of their place, or ``ITEMS``, and where.
    """

    since: Instant
    until: Instant | None = None
    rest: tuple[tuple[str, str], ...] = ()

    def cursor(self) -> Cursor:
        """As the gateway keeps it."""
        return Cursor(msgspec.json.encode(self).decode())


def sweep_of(cursor: Cursor) -> Sweep:
    """What a cursor says.

    Raises:
        Rejected: It is not one of ours.
    """
    try:
        return msgspec.json.decode(cursor.encode(), type=Sweep)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Rejected(f"not a cursor of ours: {error}", reason="BAD_CURSOR") from None


class Feed:
    """Polls for changes: two requests where nothing has moved, and one for every further page where much has."""

    def __init__(self, wire: Wire, catalog: Catalog, *, overlap: timedelta) -> None:
        self._wire = wire
        self._catalog = catalog
        self._overlap = overlap

    def begin(self) -> StockChanges:
        """From now on, by the date of Shopify's latest answer."""
        return StockChanges(skus=frozenset(), cursor=Sweep(since=self._wire.now).cursor())

    async def changes(self, cursor: Cursor, place_ids: Sequence[str]) -> StockChanges:
        """What has moved since, at these places."""
        sweep = sweep_of(cursor)
        moved = f"updated_at:>='{(sweep.since - self._overlap).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"
        if not sweep.rest:
            return await self._begun(sweep.since, moved, place_ids)
        (of, after), *others = sweep.rest
        skus, further = await (self._items(moved, after) if of == ITEMS else self._levels(moved, [of], after))
        return _told(skus, Sweep(since=sweep.since, until=sweep.until, rest=(*further, *others)))

    async def _begun(self, since: datetime, moved: str, place_ids: Sequence[str]) -> StockChanges:
        skus, rest = await self._items(moved, None)
        until = self._wire.now
        at_places, further = await self._levels(moved, place_ids, None)
        return _told(skus | at_places, Sweep(since=since, until=until, rest=(*rest, *further)))

    async def _items(self, moved: str, after: str | None) -> tuple[frozenset[Sku], tuple[tuple[str, str], ...]]:
        page = await self._catalog.changed(moved, after)
        return frozenset(Sku(row.sku) for row in page.nodes if row.sku), _further(ITEMS, page.page_info, after)

    async def _levels(
        self, moved: str, place_ids: Sequence[str], after: str | None
    ) -> tuple[frozenset[Sku], tuple[tuple[str, str], ...]]:
        places = await self._wire.nodes(MOVED, place_ids, query=moved, first=LEVELS_PER_PAGE, after=after)
        skus = frozenset(Sku(row.item.sku) for place in places for row in place.inventory_levels.nodes if row.item.sku)
        return skus, tuple(each for place in places for each in _further(place.id, place.inventory_levels.page_info, after))


def _further(of: str, page: PageInfo, after: str | None) -> tuple[tuple[str, str], ...]:
    further = way_on(page, after)
    return () if further is None else ((of, further),)


def _told(skus: frozenset[Sku], sweep: Sweep) -> StockChanges:
    if sweep.rest or sweep.until is None:
        return StockChanges(skus=skus, cursor=sweep.cursor(), more=True)
    return StockChanges(skus=skus, cursor=Sweep(since=sweep.until).cursor())
