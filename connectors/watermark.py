"""How far a source has been asked for what moved, by the times that it writes on its rows."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from connectors.contract import Cursor, Rejected

_Instant = Annotated[datetime, Meta(tz=True)]
_YEARS: Final = range(1970, 9_000)


class Watermark(Struct, frozen=True, array_like=True, kw_only=True):
    """A cursor of a ``StockFeed`` that walks, page by page, through the rows written since some time.

    Rows show up late: their time is that of the beginning of a transaction which ends later. So after each walk what is newest is
    asked for again, as far back as a row may be late (``late``). Once nothing newer has come for that long, it is complete, and
    only what is newer is asked for: a bulk import is not walked through for ever.

    ``since`` and ``newest`` are on the source's clock, ``reached_at`` (when ``newest`` was first seen) and ``begun_at`` (when this
    walk began) on ours; the two are never compared. ``page`` is where the walk goes on, in the source's words; empty: not begun.
    """

    since: _Instant
    newest: _Instant
    reached_at: _Instant
    begun_at: _Instant
    page: str = ""

    @classmethod
    def from_now(cls, newest: datetime, *, now: datetime, late: timedelta) -> "Watermark":
        """The beginning of a feed, where ``newest`` is the newest row that there is."""
        return cls(since=newest - late, newest=newest, reached_at=now, begun_at=now)

    @classmethod
    def read(cls, cursor: Cursor) -> "Watermark":
        """What ``cursor`` wrote.

        Raises:
            Rejected: It did not.
        """
        try:
            mark = msgspec.json.decode(cursor, type=cls)
        except (msgspec.DecodeError, ValueError):
            raise refused() from None
        if any(each.year not in _YEARS for each in (mark.since, mark.newest, mark.reached_at, mark.begun_at)):
            raise refused()
        return mark

    def cursor(self) -> Cursor:
        """To be kept until the next time."""
        return Cursor(msgspec.json.encode(self).decode())

    def begun(self, now: datetime) -> "Watermark":
        """As a walk begins, or goes on."""
        return self if self.page else msgspec.structs.replace(self, begun_at=now)

    def passed(self, times: Iterable[datetime], *, page: str, now: datetime) -> "Watermark":
        """After a page that is not the last."""
        newest = max(times, default=self.newest)
        if newest <= self.newest:
            return msgspec.structs.replace(self, page=page)
        return msgspec.structs.replace(self, page=page, newest=newest, reached_at=now)

    def arrived(self, times: Iterable[datetime], *, now: datetime, late: timedelta, step: timedelta) -> "Watermark":
        """After the last page. ``step``: the first time after ``newest`` that need not be asked for with it."""
        mark = self.passed(times, page="", now=now)
        if mark.begun_at - mark.reached_at >= late:
            return msgspec.structs.replace(mark, since=mark.newest + step)
        # A row that changed behind the walk is as much older as the walk took.
        took = max(now - mark.begun_at, timedelta())
        return msgspec.structs.replace(mark, since=mark.newest - late - took)


def refused() -> Rejected:
    """Somebody else's cursor."""
    return Rejected("not a cursor of this feed", reason="UNKNOWN_CURSOR", field="cursor")
