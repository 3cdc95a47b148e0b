"""What has moved at Square: counts by the time they were calculated."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from connectors.client import Client
from connectors.contract import Cursor, Rejected, StockChanges
from connectors.square.catalog import Catalog
from connectors.square.settings import SquareSettings
from connectors.square.wire import CountRow, CountsReply
from connectors.watermark import Watermark

COUNTS_PATH: Final = "/v2/inventory/counts/batch-retrieve"
COUNTS_PER_PAGE: Final = 1000
_DAWN: Final = datetime(1970, 1, 2, tzinfo=UTC)
_LOST_PAGES: Final = frozenset({"INVALID_CURSOR", "EXPIRED_CURSOR"})
# ``updated_after`` leaves out what was calculated just then.
_STEP: Final = timedelta(0)


class Feed:
    """Walks through the counts that were calculated since, newest first."""

    def __init__(self, client: Client, catalog: Catalog, settings: SquareSettings, now: Callable[[], datetime]) -> None:
        self._client = client
        self._catalog = catalog
        self._late = timedelta(seconds=settings.late_s)
        self._now = now

    async def changes(self, cursor: Cursor | None) -> StockChanges:
        """The next page of what has moved."""
        if cursor is None:
            newest = await self._counted({"limit": 1})
            begun = Watermark.from_now(max(_times(newest.counts), default=_DAWN), now=self._now(), late=self._late)
            return StockChanges(skus=frozenset(), cursor=begun.cursor())
        mark = Watermark.read(cursor).begun(self._now())
        page = await self._page(mark)
        skus = await self._catalog.skus([row.catalog_object_id for row in page.counts if row.catalog_object_id])
        if page.cursor:
            mark = mark.passed(_times(page.counts), page=page.cursor, now=self._now())
        else:
            mark = mark.arrived(_times(page.counts), now=self._now(), late=self._late, step=_STEP)
        return StockChanges(skus=skus, cursor=mark.cursor(), more=bool(page.cursor))

    async def _page(self, mark: Watermark) -> CountsReply:
        since = mark.since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        walk: dict[str, object] = {"updated_after": since, "limit": COUNTS_PER_PAGE}
        if not mark.page:
            return await self._counted(walk)
        try:
            return await self._counted({**walk, "cursor": mark.page})
        except Rejected as refusal:
            if refusal.reason not in _LOST_PAGES:
                raise
            return await self._counted(walk)  # Square forgets its cursors after minutes: the walk begins again

    async def _counted(self, which: Mapping[str, object]) -> CountsReply:
        body = {"states": ["IN_STOCK"], **which}
        return await self._client.call("POST", COUNTS_PATH, json=body, returns=CountsReply)


def _times(rows: Sequence[CountRow]) -> list[datetime]:
    return [row.calculated_at for row in rows if row.calculated_at]
