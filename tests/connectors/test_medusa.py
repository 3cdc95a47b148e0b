"""Whole stories with Medusa: the connector against the sandbox, over real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.contract import (
    AuthFailed,
    Capability,
    ContractBroken,
    Cursor,
    HoldRequest,
    Method,
    OutcomeUnknown,
    Rejected,
    RemoteLocationId,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
    SourceError,
    capabilities_of,
)
from connectors.medusa import Medusa, MedusaSettings
from connectors.registry import Tools
from connectors.sandbox.controls import app_of
from connectors.sandbox.medusa import MedusaSandbox
from connectors.sandbox.network import seeded
from connectors.sandbox.servers import serving
from tests.connectors.overlap import together
from tests.harness import run

ITEMS = "/admin/inventory-items"
RESERVATIONS = "/admin/reservations"
NASHVILLE = RemoteLocationId("sloc_depot-nashville")
PHOENIX = RemoteLocationId("sloc_depot-phoenix")

TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic)


@asynccontextmanager
async def medusa(url: str = "http://medusa.test", **settings: Any) -> AsyncIterator[Medusa]:
    connector = Medusa(MedusaSettings(url=url, **{"api_key": Secret("sk_medusa_sandbox"), **settings}), TOOLS)
    try:
        yield connector
    finally:
        await connector.aclose()


@asynccontextmanager
async def depot(*, products: int = 40, **settings: Any) -> AsyncIterator[tuple[Medusa, MedusaSandbox, httpx.AsyncClient]]:
    """A connector, the sandbox it speaks to, and the sandbox's controls."""
    sandbox = MedusaSandbox(seeded(products=products, systems=["medusa"]))
    async with (
        serving(app_of(sandbox)) as url,
        medusa(url, **settings) as connector,
        httpx.AsyncClient(base_url=url) as controls,
    ):
        yield connector, sandbox, controls


async def asked(controls: httpx.AsyncClient) -> list[tuple[str, str]]:
    """What was asked since the last time."""
    journal = (await controls.get("/_sandbox/journal")).json()["requests"]
    await controls.delete("/_sandbox/journal")
    return [(each["method"], each["path"].removeprefix("/admin")) for each in journal]


def holding(key: str, *lines: tuple[str, int], location: RemoteLocationId = NASHVILLE) -> HoldRequest:
    return HoldRequest(
        key=RequestKey(key), location=location, lines=tuple(RequestLine(sku=Sku(sku), units=units) for sku, units in lines)
    )


# ---------------------------------------------------------------------------------------------- stock
def test_a_read_is_one_request_for_all_locations_even_when_nothing_is_remembered() -> None:
    async def story() -> None:
        async with depot() as (connector, _, controls):
            batch = await connector.read_stock([Sku("SKU-0002"), Sku("SKU-0013"), Sku("nonsense")])
            found = {(level.sku, level.location): (level.on_hand, level.available, level.committed) for level in batch.levels}
            assert found == {
                ("SKU-0002", NASHVILLE): (31, 31, 0),
                ("SKU-0002", PHOENIX): (32, 32, 0),
                ("SKU-0013", PHOENIX): (0, 0, 0),
            }
            assert batch.unknown == {"nonsense"}
            assert set(batch.names) == {"SKU-0002", "SKU-0013"}
            assert all(level.as_of is not None for level in batch.levels)
            assert await asked(controls) == [("GET", "/inventory-items")]

    run(story)


def test_a_long_read_is_cut_into_what_a_url_takes() -> None:
    async def story() -> None:
        async with depot(batch_skus_max=10) as (connector, _, controls):
            skus = [Sku(f"SKU-{number:04d}") for number in range(1, 36)]
            batch = await connector.read_stock(skus)
            assert {level.sku for level in batch.levels} | batch.unknown == set(skus)
            assert len(await asked(controls)) == 4

    run(story)


def test_the_requests_of_one_read_are_made_at_once() -> None:
    async def story() -> None:
        async with depot(batch_skus_max=10) as (connector, _, controls):
            skus = [Sku(f"SKU-{number:04d}") for number in range(1, 36)]
            assert await together(connector, skus, controls, requests=4) == {"/admin/inventory-items"}

    run(story)


def test_what_is_reserved_is_no_longer_available_and_still_on_hand() -> None:
    async def story() -> None:
        async with depot() as (connector, _, _):
            await connector.hold(holding("h1", ("SKU-0002", 5)))
            batch = await connector.read_stock([Sku("SKU-0002")])
            (level,) = [each for each in batch.levels if each.location == NASHVILLE]
            assert (level.on_hand, level.available, level.committed) == (31, 26, 5)

    run(story)


def test_a_location_has_an_address_and_all_pages_of_skus_are_told() -> None:
    async def story() -> None:
        async with depot() as (connector, sandbox, _):
            (nashville, phoenix) = await connector.locations()
            assert (nashville.id, phoenix.id) == (NASHVILLE, PHOENIX)
            assert nashville.address is not None
            assert (nashville.address.postal_code, nashville.address.country_code) == ("37207", "US")
            assert nashville.methods == {Method.SHIP}
            page = await connector.skus(None)
            assert set(page.skus) == {product.sku for product in sandbox.store.items.values()}
            assert page.next is None
            assert (await connector.health()).ok

    run(story)


def test_pages_of_a_large_inventory_end_and_one_that_repeats_is_noticed() -> None:
    async def story() -> None:
        async with depot(products=2_100) as (connector, sandbox, _):
            first = await connector.skus(None)
            assert first.next is not None
            assert len(first.skus) == 500
            found, page = list(first.skus), first
            while page.next is not None:
                page = await connector.skus(page.next)
                found += page.skus
            assert len(found) == len(set(found)) == len(sandbox.store.items)
            sandbox.repeats_pages = True
            with pytest.raises(ContractBroken):
                await connector.skus(first.next)
            with pytest.raises(Rejected):
                await connector.skus(Cursor(first.next[5:]))

    run(story)


# ---------------------------------------------------------------------------------------------- the feed
async def moved(connector: Medusa, cursor: Any) -> tuple[set[Sku], Any]:
    """All that one round tells."""
    skus: set[Sku] = set()
    while True:
        told = await connector.stock_changes(cursor)
        skus |= told.skus
        cursor = told.cursor
        if not told.more:
            return skus, cursor


def test_the_feed_tells_what_moved_and_what_stands_beside_it() -> None:
    async def story() -> None:
        async with depot(products=1_200) as (connector, sandbox, controls):
            begun = (await connector.stock_changes(None)).cursor
            assert len(begun) < 200, "a cursor is kept for every source: it has to stay small"
            quiet, cursor = await moved(connector, begun)
            assert quiet == set()
            sandbox.set_stock("depot-phoenix", "SKU-0002", 33)
            far = max(product.sku for product in sandbox.store.items.values() if sandbox.stock(product.sku).get("depot-nashville"))
            await connector.hold(holding("h1", (far, 1)))
            await asked(controls)
            told, after = await moved(connector, cursor)
            assert {"SKU-0002", far} <= told
            assert len(told) <= 100, "two groups of fifty"
            assert len(await asked(controls)) == 2, "one request for each 500 items"
            assert (await moved(connector, after))[0] == set()
            assert (await moved(connector, cursor))[0] == told, "after a crash the same is told again"

    run(story)


def test_the_feed_survives_items_that_come_and_go() -> None:
    async def story() -> None:
        async with depot(products=1_200) as (connector, sandbox, _):
            cursor = (await connector.stock_changes(None)).cursor
            sandbox.store.remove_item(Sku("SKU-0002"))
            sandbox.set_stock("depot-phoenix", "SKU-0004", 1)
            told, cursor = await moved(connector, cursor)
            assert "SKU-0004" in told
            assert (await moved(connector, cursor))[0] == set()
            for stale in ("", "x", "9/", "0/!!", "é"):
                with pytest.raises(Rejected):
                    await connector.stock_changes(Cursor(stale))

    run(story)


# ---------------------------------------------------------------------------------------------- holds
def test_twelve_who_want_one_of_three_get_exactly_three() -> None:
    async def story() -> None:
        async with depot(concurrency_max=12) as (connector, sandbox, _):
            sandbox.set_stock("depot-nashville", "SKU-0002", 3)
            outcomes = await asyncio.gather(
                *(connector.hold(holding(f"h{each}", ("SKU-0002", 1))) for each in range(12)), return_exceptions=True
            )
            refused = [each for each in outcomes if isinstance(each, Rejected)]
            assert (len(refused), len(sandbox.store.reservations)) == (9, 3)
            assert {each.reason for each in refused} == {"not_allowed"}

    run(story)


def test_a_hold_that_is_refused_in_part_leaves_nothing_behind() -> None:
    async def story() -> None:
        async with depot() as (connector, sandbox, controls):
            with pytest.raises(Rejected) as raised:
                await connector.hold(holding("h1", ("SKU-0002", 1), ("SKU-0004", 1), ("SKU-0007", 50)))
            assert raised.value.reason == "not_allowed"
            assert sandbox.store.reservations == {}
            assert [method for method, _ in await asked(controls)] == ["GET", "GET", "POST", "POST", "POST", "DELETE", "DELETE"]
            with pytest.raises(Rejected) as raised:
                await connector.hold(holding("h2", ("SKU-0002", 1), ("nonsense", 1)))
            assert (raised.value.reason, raised.value.field) == ("SKU_NOT_CARRIED", "nonsense")
            with pytest.raises(Rejected) as raised:
                await connector.hold(holding("h3", ("SKU-0002", 1), ("SKU-0013", 1)))
            assert raised.value.reason == "NOT_STOCKED"
            assert await connector.find_hold(RequestKey("h3")) is None
            with pytest.raises(Rejected) as raised:
                await connector.hold(holding("h4", *[("SKU-0002", 1)] * 101))
            assert raised.value.reason == "TOO_MANY_LINES"

    run(story)


def test_an_answer_that_is_lost_is_looked_up_and_not_reserved_twice() -> None:
    async def story() -> None:
        async with depot() as (connector, sandbox, controls):
            wanted = holding("h1", ("SKU-0002", 2), ("SKU-0004", 3))
            fault = {"kind": "LOST_ANSWER", "match": RESERVATIONS, "match_body": "iitem_SKU-0004", "times": 1}
            await controls.post("/_sandbox/faults", json=fault)
            with pytest.raises(OutcomeUnknown):
                await connector.hold(wanted)
            found = await connector.find_hold(wanted.key)
            assert found is not None
            assert found.lines == wanted.lines
            assert await connector.hold(wanted) == found
            assert len(sandbox.store.reservations) == 2
            for _ in range(2):
                await connector.release(found.ref)
            assert sandbox.store.reservations == {}
            assert await connector.find_hold(wanted.key) is None

    run(story)


def test_a_hold_that_broke_off_is_told_as_unknown_and_completed_by_the_next_attempt() -> None:
    async def story() -> None:
        async with depot() as (connector, sandbox, controls):
            wanted = holding("h1", ("SKU-0002", 2), ("SKU-0004", 3))
            fault = {"kind": "THROTTLED", "match": RESERVATIONS, "match_body": "iitem_SKU-0004", "retry_after_s": 0}
            await controls.post("/_sandbox/faults", json=fault)
            with pytest.raises(OutcomeUnknown):
                await connector.hold(wanted)
            part = await connector.find_hold(wanted.key)
            assert part is not None
            assert part.lines == wanted.lines[:1]
            await controls.delete("/_sandbox/faults")
            assert (await connector.hold(wanted)).lines == wanted.lines
            assert len(sandbox.store.reservations) == 2

    run(story)


def test_a_second_reservation_of_one_line_is_given_back_by_whoever_sees_it() -> None:
    async def story() -> None:
        async with depot() as (connector, sandbox, _):
            wanted = holding("h1", ("SKU-0002", 2))
            made = await connector.hold(wanted)
            (reservation,) = sandbox.store.reservations.values()
            sandbox.store.reservations["resitem_99999999"] = {**reservation, "id": "resitem_99999999"}
            assert await connector.hold(wanted) == made
            assert list(sandbox.store.reservations) == [reservation["id"]]

    run(story)


def test_holds_of_many_lines_are_found_and_released_whole() -> None:
    async def story() -> None:
        async with depot() as (connector, sandbox, _):
            wanted = holding("k" * 40, *[("SKU-0007", 1), ("SKU-0022", 2)] * 30, location=NASHVILLE)
            sandbox.set_stock("depot-nashville", "SKU-0022", 60)
            made = await connector.hold(wanted)
            assert made.lines == wanted.lines
            assert await connector.find_hold(wanted.key) == made
            await connector.release(made.ref)
            assert sandbox.store.reservations == {}

    run(story)


# ---------------------------------------------------------------------------------------------- failures
def test_a_list_that_repeats_itself_ends_at_once() -> None:
    requests = 0

    async def repeating(_request: Request) -> Response:
        nonlocal requests
        requests += 1
        return JSONResponse({"stock_locations": [{"id": "sloc_1"}], "count": 3, "offset": 0, "limit": 1})

    async def story() -> None:
        app = Starlette(routes=[Route("/admin/stock-locations", repeating)])
        async with serving(app) as url, medusa(url) as connector:
            with pytest.raises(ContractBroken):
                await connector.locations()
            assert requests == 2

    run(story)


def test_a_wrong_key_is_refused_and_a_dead_source_is_an_answer() -> None:
    async def story() -> None:
        async with depot(api_key=Secret("sk_stale")) as (connector, _, _):
            with pytest.raises(AuthFailed):
                await connector.read_stock([Sku("SKU-0001")])
            health = await connector.health()
            assert (health.ok, "stale" in health.detail) == (False, False)

    run(story)


@pytest.mark.parametrize("kind", ["HTML", "EMPTY_OBJECT", "HANG", "STATUS"])
def test_every_way_to_fail_ends_in_one_of_the_closed_errors(kind: str) -> None:
    async def story() -> None:
        async with depot(attempt_timeout_s=0.1, total_timeout_s=0.5) as (connector, _, controls):
            await controls.post("/_sandbox/faults", json={"kind": kind, "match": ITEMS, "retry_after_s": 60})
            with pytest.raises(SourceError):
                await connector.read_stock([Sku("SKU-0001")])

    run(story)


def test_medusa_holds_but_is_not_asked_to_ship() -> None:
    async def story() -> None:
        async with medusa() as connector:
            assert capabilities_of(connector) == {
                Capability.READ_STOCK, Capability.LIST_SKUS, Capability.FEED, Capability.HOLD
            }  # fmt: skip
            assert set(connector.traffic()) == {"READ", "WRITE"}

    run(story)
