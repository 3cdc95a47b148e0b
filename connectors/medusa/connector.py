"""The Medusa connector: one server, its stock locations, and what is reserved there."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final

from connectors.client import Client
from connectors.contract import (
    ConnectorInfo,
    Cursor,
    Health,
    HoldRequest,
    Idempotency,
    RemoteHold,
    RemoteLocation,
    RemoteRef,
    RequestKey,
    Sku,
    SkuPage,
    SourceError,
    SourceKind,
    StockBatch,
    StockChanges,
    StockDrop,
    Traffic,
)
from connectors.medusa import feed
from connectors.medusa.holds import Holds
from connectors.medusa.inventory import Inventory
from connectors.medusa.locations import parse_location
from connectors.medusa.pages import every_row
from connectors.medusa.settings import MedusaSettings
from connectors.medusa.stock import parse_items
from connectors.medusa.wire import LocationsPage, classify
from connectors.registry import Tools

LOCATIONS_PATH: Final = "/admin/stock-locations"
LOCATIONS_PER_PAGE: Final = 200


class Medusa:
    """One Medusa server: stock that can be read and set aside. It is not asked to ship: its orders come from its own carts."""

    def __init__(self, settings: MedusaSettings, tools: Tools) -> None:
        self.info = ConnectorInfo(
            kind=SourceKind.WAREHOUSE,
            connector="medusa",
            stock_drop=StockDrop.ON_ACCEPT,
            visibility_delay_s=0.0,  # a reservation and the level it lowers are written in one transaction
            idempotency=Idempotency.LOOKUP,
            batch_skus_max=settings.batch_skus_max,
            fresh_for_s=settings.fresh_for_s,
            rate_per_s=settings.rate_per_s,
            concurrency_max=settings.concurrency_max,
        )
        self._monotonic = tools.monotonic
        self._client = Client(
            base_url=settings.url,
            tools=tools,
            limits=settings.limits(),
            headers={"Authorization": f"Basic {b64encode(f'{settings.api_key}:'.encode()).decode()}"},
            classify=classify,
        )
        self._inventory = Inventory(self._client, settings=settings, monotonic=tools.monotonic)
        self._holds = Holds(self._client, self._inventory)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    def traffic(self) -> Mapping[str, Traffic]:
        """How reads and writes fare."""
        return self._client.traffic()

    async def health(self) -> Health:
        """Whether Medusa answers, and takes our key. It does not tell its version."""
        asked_at = self._monotonic()
        try:
            await self.locations()
        except SourceError as error:
            return Health(ok=False, detail=str(error))
        return Health(ok=True, latency_ms=1000 * (self._monotonic() - asked_at))

    async def locations(self) -> tuple[RemoteLocation, ...]:
        """Every stock location, with its address."""
        rows = await every_row(
            self._client,
            LOCATIONS_PATH,
            returns=LocationsPage,
            params={"fields": "id,name,*address", "order": "id"},
            page_rows=LOCATIONS_PER_PAGE,
        )
        return tuple(parse_location(row) for row in rows)

    # ------------------------------------------------------------------------------------------ stock
    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        """All locations of these SKUs, in one request for as many as a URL takes; nothing is looked up before."""
        return parse_items(await self._inventory.items(skus) if skus else (), asked=skus)

    async def skus(self, after: Cursor | None) -> SkuPage:
        """Some of the SKUs of the inventory, in the order in which they were made."""
        return await self._inventory.skus(after)

    async def stock_changes(self, cursor: Cursor | None) -> StockChanges:
        """What moved in the next page of the inventory since that page was last looked at."""
        return await feed.changes(self._inventory, cursor)

    # ------------------------------------------------------------------------------------------ holds
    async def hold(self, request: HoldRequest) -> RemoteHold:
        """Reserve all lines at one location, or none."""
        return await self._holds.hold(request)

    async def find_hold(self, key: RequestKey) -> RemoteHold | None:
        """What is reserved under our key, complete or not."""
        return await self._holds.find(key)

    async def release(self, ref: RemoteRef) -> None:
        """Delete the reservations, as far as they are still there."""
        await self._holds.release(ref)
