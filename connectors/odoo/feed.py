"""What has moved in Odoo: quants by the time they were written."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from connectors.contract import Cursor, StockChanges
from connectors.odoo.catalog import Catalog
from connectors.odoo.settings import OdooSettings
from connectors.odoo.values import ManyToOne, Text, id_of, time_of
from connectors.odoo.wire import Wire
from connectors.watermark import Watermark, refused

PAGE: Final = 1_000
_FIELDS: Final = ("product_id", "write_date")
_INTERNAL: Final = ["location_id.usage", "=", "internal"]
_DAWN: Final = datetime(1970, 1, 2, tzinfo=UTC)
# Shown in whole seconds, compared in microseconds.
_STEP: Final = timedelta(seconds=1)


class Written(msgspec.Struct):
    """A row of ``stock.quant``, as far as it tells that something moved."""

    id: int
    product_id: ManyToOne
    write_date: Text = False


class Feed:
    """Walks through the quants that were written since, by id.

    ``product.write_date`` does not move with stock. A quant that Odoo deletes was written empty before, at the latest on the day
    before: its scheduler does that, or whoever opens the list of quants.
    """

    def __init__(self, wire: Wire, catalog: Catalog, settings: OdooSettings, now: Callable[[], datetime]) -> None:
        self._wire = wire
        self._catalog = catalog
        self._late = timedelta(seconds=settings.late_s)
        self._now = now

    async def changes(self, cursor: Cursor | None) -> StockChanges:
        """The next page of what has moved."""
        if cursor is None:
            newest = await self._written([_INTERNAL], order="write_date desc", limit=1)
            begun = Watermark.from_now(max(_times(newest), default=_DAWN), now=self._now(), late=self._late)
            return StockChanges(skus=frozenset(), cursor=begun.cursor())
        mark = Watermark.read(cursor).begun(self._now())
        if mark.page and not mark.page.isdecimal():
            raise refused()
        since = mark.since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        domain = [_INTERNAL, ["write_date", ">=", since], ["id", ">", int(mark.page or 0)]]
        rows = await self._written(domain, order="id", limit=PAGE)
        skus = await self._catalog.skus(found for row in rows if (found := id_of(row.product_id)) is not None)
        more = len(rows) >= PAGE
        if more:
            mark = mark.passed(_times(rows), page=str(max(row.id for row in rows)), now=self._now())
        else:
            mark = mark.arrived(_times(rows), now=self._now(), late=self._late, step=_STEP)
        return StockChanges(skus=frozenset(skus.values()), cursor=mark.cursor(), more=more)

    async def _written(self, domain: Sequence[object], **page: Any) -> list[Written]:
        return await self._wire.execute("stock.quant", "search_read", returns=list[Written], domain=domain, fields=_FIELDS, **page)


def _times(rows: Sequence[Written]) -> list[datetime]:
    return [instant for row in rows if (instant := time_of(row.write_date))]
