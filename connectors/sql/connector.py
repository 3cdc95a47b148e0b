"""The SQL connector: stock that a merchant's own database counts."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from cachetools import TTLCache

from connectors.client import at_once, chunked
from connectors.contract import (
    ConnectorInfo,
    ContractBroken,
    Cursor,
    Health,
    Idempotency,
    RemoteLocation,
    RemoteLocationId,
    Sku,
    SkuPage,
    SourceError,
    SourceKind,
    StockBatch,
    StockChanges,
    Traffic,
)
from connectors.registry import Tools
from connectors.sql.database import Database
from connectors.sql.rows import parse_places, parse_skus, parse_stock
from connectors.sql.settings import SqlSettings
from connectors.sql.statements import statement

PLACES_MAX: Final = 10_000
SKUS_PER_PAGE: Final = 1_000
NOBODY: Final = Sku("")
"""Asked for to see whether a statement can be asked at all."""


class Sql:
    """One database that can be asked for stock. It takes no orders: nothing is ever written to it."""

    def __init__(self, settings: SqlSettings, tools: Tools) -> None:
        self.info = ConnectorInfo(
            kind=SourceKind.WAREHOUSE,
            connector="sql",
            stock_drop=settings.stock_drop,
            visibility_delay_s=settings.visibility_delay_s,
            idempotency=Idempotency.NONE,
            batch_skus_max=settings.batch_skus_max,
            fresh_for_s=settings.fresh_for_s,
            concurrency_max=settings.concurrency_max,
        )
        self._settings = settings
        self._tools = tools
        self._database = Database(settings, tools)
        self._stock = statement(settings.stock, parameters=("skus",))
        self._places: TTLCache[str, tuple[RemoteLocation, ...]] = TTLCache(1, settings.known_for_s, timer=tools.monotonic)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._database.aclose()

    async def health(self) -> Health:
        """Whether the database answers, and to the statement that was configured."""
        asked_at = self._tools.monotonic()
        try:
            await self.locations()
            await self.read_stock([NOBODY])
        except SourceError as error:
            return Health(ok=False, detail=str(error))
        latency_ms = 1000 * (self._tools.monotonic() - asked_at)
        return Health(ok=True, latency_ms=latency_ms, remote_version=self._database.version())

    async def locations(self) -> tuple[RemoteLocation, ...]:
        """The places that were configured, or that the database tells of."""
        if self._settings.places_statement is None:
            return tuple(place.location() for place in self._settings.places)
        asked = statement(self._settings.places_statement, parameters=())
        self._places["all"] = places = parse_places(await self._database.ask(asked, {}, rows_max=PLACES_MAX))
        return places

    def traffic(self) -> Mapping[str, Traffic]:
        """How asking fares."""
        return self._database.traffic()

    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        """One statement for each ``batch_skus_max`` SKUs."""
        if not skus:
            return StockBatch(levels=())
        known = self._places.get("all") or await self.locations()
        places = [place.id for place in known]
        chunks = chunked(list(dict.fromkeys(skus)), self._settings.batch_skus_max)
        parts = await at_once(self._part(some, places) for some in chunks)
        return StockBatch(
            levels=tuple(level for part in parts for level in part.levels),
            unknown=frozenset().union(*(part.unknown for part in parts)),
            names={sku: name for part in parts for sku, name in part.names.items()},
        )

    async def _part(self, skus: Sequence[Sku], places: Sequence[RemoteLocationId]) -> StockBatch:
        values = {"skus": [str(sku) for sku in skus]}
        table = await self._database.ask(self._stock, values, rows_max=self._settings.rows_max)
        return parse_stock(table, asked=skus, places=places, settings=self._settings)


class Listing(Sql):
    """A database that can be asked which SKUs it carries."""

    def __init__(self, settings: SqlSettings, tools: Tools) -> None:
        super().__init__(settings, tools)
        self._skus = statement(settings.skus or "", parameters=("after", "limit"))

    async def skus(self, after: Cursor | None) -> SkuPage:
        """The next page, in the database's own order.

        Raises:
            ContractBroken: The page leads back to where it begins.
        """
        values = {"after": after or "", "limit": SKUS_PER_PAGE}
        found = parse_skus(await self._database.ask(self._skus, values, rows_max=SKUS_PER_PAGE))
        if after is not None and Sku(after) in found:
            raise ContractBroken(f"what comes after {after} begins with it: skus has to leave it out, and keep to its order")
        return SkuPage(skus=found, next=Cursor(found[-1]) if len(found) == SKUS_PER_PAGE else None)


class Following(Sql):
    """A database that can be asked what has changed. A cursor is the time by our clock at which it was asked."""

    def __init__(self, settings: SqlSettings, tools: Tools) -> None:
        super().__init__(settings, tools)
        self._changes = statement(settings.changes or "", parameters=("since",))

    async def stock_changes(self, cursor: Cursor | None) -> StockChanges:
        """What has changed since, and what has changed shortly before once more."""
        now = self._tools.now()
        skus: tuple[Sku, ...] = ()
        if cursor is not None:
            since = _time(cursor) - timedelta(seconds=self._settings.overlap_s)
            values = {"since": since.astimezone(UTC).isoformat(timespec="microseconds")}
            skus = parse_skus(await self._database.ask(self._changes, values, rows_max=self._settings.changes_max))
        return StockChanges(skus=frozenset(skus), cursor=Cursor(now.astimezone(UTC).isoformat(timespec="microseconds")))


class ListingAndFollowing(Listing, Following):
    """A database that can be asked both."""


def opened(settings: SqlSettings, tools: Tools) -> Sql:
    """The connector of these settings: it can do what there are statements for."""
    kinds = {(False, False): Sql, (True, False): Listing, (False, True): Following, (True, True): ListingAndFollowing}
    return kinds[settings.skus is not None, settings.changes is not None](settings, tools)


def _time(cursor: Cursor) -> datetime:
    try:
        return datetime.fromisoformat(cursor).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ContractBroken(f"{cursor[:40]!r} is not a cursor of this source") from None
