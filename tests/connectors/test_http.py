"""Whole stories with sources that are only described: ERPNext and GreaterWMS by their presets, over real sockets."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from connectors.contract import (
    AuthFailed,
    Capability,
    ContractBroken,
    Cursor,
    Rejected,
    RemoteLocationId,
    Secret,
    Sku,
    SourceError,
    StockReader,
    capabilities_of,
)
from connectors.described import Place
from connectors.http import HttpSettings, open_http
from connectors.http.connector import Http, ListingHttp
from connectors.http.tables import Auth, NoRow, StockTable
from connectors.registry import Tools
from connectors.sandbox.controls import app_of
from connectors.sandbox.http import HttpSandbox
from connectors.sandbox.network import seeded
from connectors.sandbox.servers import serving
from tests.harness import run

COLUMBUS = RemoteLocationId("Columbus WMS - D")
GWMS = RemoteLocationId("GWMS")
ERPNEXT: dict[str, Any] = {
    "preset": "erpnext",
    "auth": Auth(value=Secret("erpnext-sandbox-key:erpnext-sandbox-secret")),
    "stock": StockTable(time_zone="America/New_York"),
}
GREATERWMS: dict[str, Any] = {"preset": "greaterwms", "auth": Auth(value=Secret("greaterwms-sandbox-token"))}

TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic)


@asynccontextmanager
async def warehouse(*, products: int = 40, **settings: Any) -> AsyncIterator[tuple[Http, HttpSandbox, httpx.AsyncClient]]:
    """A connector, the sandbox it speaks to, and the sandbox's controls."""
    sandbox = HttpSandbox(seeded(products=products, systems=["http"]))
    async with serving(app_of(sandbox)) as url, httpx.AsyncClient(base_url=url) as controls:
        connector = open_http(HttpSettings(url=url, **settings), TOOLS)
        try:
            yield connector, sandbox, controls
        finally:
            await connector.aclose()


async def requests(controls: httpx.AsyncClient) -> int:
    """How many came since the last time."""
    count: int = (await controls.get("/_sandbox/journal")).json()["count"]
    await controls.delete("/_sandbox/journal")
    return count


# ---------------------------------------------------------------------------------------------- ERPNext
def test_erpnext_is_read_with_one_request_for_many_skus() -> None:
    async def story() -> None:
        async with warehouse(**ERPNEXT) as (connector, sandbox, controls):
            sandbox.reserve("wms-columbus", "SKU-0004", 5)
            batch = await connector.read_stock([Sku("SKU-0004"), Sku("SKU-0009"), Sku("SKU-0001")])
            found = {level.sku: (level.location, level.on_hand, level.available, level.committed) for level in batch.levels}
            assert found == {"SKU-0004": (COLUMBUS, 65, 60, 5), "SKU-0009": (COLUMBUS, 0, 0, 0)}
            assert batch.unknown == {"SKU-0001"}
            assert await requests(controls) == 1

    run(story)


def test_a_local_time_is_read_in_the_zone_that_is_configured() -> None:
    async def story() -> None:
        async with warehouse(**ERPNEXT) as (connector, sandbox, _):
            sandbox.set_stock("wms-columbus", "SKU-0004", 9)
            (level,) = (await connector.read_stock([Sku("SKU-0004")])).levels
            counted_at = sandbox.hall.shelf("wms-columbus", "SKU-0004").counted_at
            assert level.as_of == counted_at.replace(microsecond=0)
            assert isinstance(level.as_of.tzinfo, ZoneInfo)
        async with warehouse(**{**ERPNEXT, "stock": StockTable()}) as (connector, _, _):
            (level,) = (await connector.read_stock([Sku("SKU-0004")])).levels
            assert level.as_of is None, "an instant somewhere in the world is none"

    run(story)


def test_erpnext_lists_its_warehouses_and_items() -> None:
    async def story() -> None:
        async with warehouse(**ERPNEXT) as (connector, sandbox, _):
            (columbus,) = await connector.locations()
            assert (columbus.id, columbus.name, columbus.active) == (COLUMBUS, "Columbus WMS", True)
            assert columbus.address is None, "ERPNext does not say in which country"
            assert isinstance(connector, ListingHttp)
            assert set((await connector.skus(None)).skus) == {sku for _, sku in sandbox.hall.shelves}
            assert capabilities_of(connector) == {Capability.READ_STOCK, Capability.LIST_SKUS}

    run(story)


def test_a_location_that_a_person_knows_better_has_an_address() -> None:
    async def story() -> None:
        known = Place(id=COLUMBUS, name="Columbus", postal_code="43207", country_code="US", time_zone="America/New_York")
        async with warehouse(**ERPNEXT, places=(known,)) as (connector, _, controls):
            (columbus,) = await connector.locations()
            assert columbus.address is not None
            assert (columbus.address.postal_code, columbus.time_zone) == ("43207", "America/New_York")
            assert await requests(controls) == 0
        elsewhere = Place(id="Returns - D")
        async with warehouse(**ERPNEXT, places=(elsewhere,)) as (connector, _, _):
            assert (await connector.read_stock([Sku("SKU-0004")])).unknown == {"SKU-0004"}, "only listed locations count"

    run(story)


def test_silence_means_zero_only_where_somebody_said_so() -> None:
    async def story() -> None:
        silent = {**ERPNEXT, "stock": StockTable(no_row=NoRow.ZERO)}
        async with warehouse(**silent) as (connector, _, _):
            batch = await connector.read_stock([Sku("SKU-0004"), Sku("SKU-0001")])
            assert {(level.sku, level.location, level.available) for level in batch.levels} == {
                ("SKU-0004", COLUMBUS, 65), ("SKU-0001", COLUMBUS, 0)
            }  # fmt: skip
            assert batch.unknown == frozenset()

    run(story)


# ---------------------------------------------------------------------------------------------- GreaterWMS
def test_greaterwms_is_asked_for_one_sku_at_a_time() -> None:
    async def story() -> None:
        async with warehouse(**GREATERWMS) as (connector, sandbox, controls):
            sandbox.reserve("wms-columbus", "SKU-0004", 5)
            batch = await connector.read_stock([Sku("SKU-0004"), Sku("SKU-0009"), Sku("SKU-0001")])
            found = {level.sku: (level.location, level.on_hand, level.available) for level in batch.levels}
            assert found == {"SKU-0004": (GWMS, 65, 60), "SKU-0009": (GWMS, 0, 0)}
            assert batch.unknown == {"SKU-0001"}
            assert set(batch.names) == {"SKU-0004", "SKU-0009"}
            assert await requests(controls) == 3
            (level, *_) = batch.levels
            assert level.as_of is not None
            assert abs((datetime.now(UTC) - level.as_of).total_seconds()) < 3_600, "its local time is eight hours ahead"
            assert [location.id for location in await connector.locations()] == [GWMS]

    run(story)


def test_a_source_that_ignores_the_filter_is_read_rightly_and_never_makes_a_zero() -> None:
    async def story() -> None:
        settings = {**GREATERWMS, "stock": StockTable(no_row=NoRow.ZERO)}
        async with warehouse(products=400, **settings) as (connector, sandbox, _):
            assert (await connector.read_stock([Sku("SKU-0001")])).levels[0].available == 0
            sandbox.greaterwms.ignores_filters = True
            batch = await connector.read_stock([Sku("SKU-0004"), Sku("SKU-0009"), Sku("SKU-0001")])
            assert {(level.sku, level.available) for level in batch.levels} == {("SKU-0004", 65), ("SKU-0009", 0)}
            assert batch.unknown == {"SKU-0001"}

    run(story)


def test_a_wrong_credential_is_noticed_even_when_it_is_answered_with_200() -> None:
    async def story() -> None:
        for settings in (GREATERWMS, ERPNEXT):
            async with warehouse(**{**settings, "auth": Auth(value=Secret("stale"))}) as (connector, _, _):
                with pytest.raises(AuthFailed):
                    await connector.read_stock([Sku("SKU-0004")])
                health = await connector.health()
                assert (health.ok, "stale" in health.detail) == (False, False)

    run(story)


def test_pages_follow_their_links_and_end() -> None:
    async def story() -> None:
        async with warehouse(products=2_400, **GREATERWMS) as (connector, sandbox, _):
            assert isinstance(connector, ListingHttp)
            first = await connector.skus(None)
            assert first.next is not None
            assert "greaterwms-sandbox-token" not in first.next
            found, page = list(first.skus), first
            while page.next is not None:
                page = await connector.skus(page.next)
                found += page.skus
            assert sorted(found) == sorted(sku for _, sku in sandbox.hall.shelves)
            sandbox.greaterwms.repeats_pages = True
            with pytest.raises(ContractBroken):
                await connector.skus(first.next)
            with pytest.raises(Rejected):
                await connector.skus(Cursor("elsewhere"))

    run(story)


@pytest.mark.parametrize("settings", [ERPNEXT, GREATERWMS], ids=["erpnext", "greaterwms"])
@pytest.mark.parametrize("kind", ["HTML", "EMPTY_OBJECT", "HANG", "STATUS"])
def test_every_way_to_fail_ends_in_one_of_the_closed_errors(kind: str, settings: dict[str, Any]) -> None:
    async def story() -> None:
        async with warehouse(**settings, attempt_timeout_s=0.1, total_timeout_s=0.5) as (connector, _, controls):
            assert isinstance(connector, StockReader)
            await controls.post("/_sandbox/faults", json={"kind": kind, "retry_after_s": 60})
            with pytest.raises(SourceError):
                await connector.read_stock([Sku("SKU-0004"), Sku("SKU-0009")])
            assert not (await connector.health()).ok

    run(story)
