"""A source that breaks, in every way that sources do, costs its own numbers and never the answer."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.app import Parts
from gateway.settings import Settings
from tests.harness import Graph, Sandbox, gateway, line, network, place, run
from tests.scenarios.questions import STOCK, Ahead, eventually, forgetful, impatient, item, level, said

BREAKER_OPEN_S = 6.0
NOWHERE = "http://127.0.0.1:9"  # the port "discard": nothing listens

# What breaks, and what the source's reading then says: its status, and a part of the reason.
WAYS_TO_BREAK: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "HANG": ({}, "DEGRADED", "DEADLINE"),
    "STATUS": ({"status": 503}, "DOWN", "TRANSIENT: HTTP 503"),
    "HTML": ({}, "DOWN", "CONTRACT_BROKEN: HTTP 200, but not JSON"),
    "TRUNCATED": ({}, "DOWN", "CONTRACT_BROKEN: HTTP 200, but not JSON"),
    "NULL": ({}, "DOWN", "CONTRACT_BROKEN: HTTP 200, but not the agreed JSON"),
    "OVERSIZED": ({}, "DOWN", "CONTRACT_BROKEN: an answer of more than"),
    "LOST_ANSWER": ({}, "DOWN", "TRANSIENT: no whole answer"),
    "THROTTLED": ({"retry_after_s": 60}, "DEGRADED", "THROTTLED: HTTP 429"),
}


async def healed(graph: Graph, sandbox: Sandbox, clock: Ahead, sku: str) -> dict[str, Any]:
    """The stock once everybody answers again; nobody waits for the breaker in real time."""
    await sandbox.heal()
    found: dict[str, Any] = {}

    async def complete() -> bool:
        clock.by_s += BREAKER_OPEN_S
        found.update(await item(graph, sku))
        return bool(found["complete"])

    await eventually(complete)
    return found


async def break_and_heal(graph: Graph, sandboxes: Mapping[str, Sandbox], clock: Ahead, kind: str) -> None:
    """While Odoo is broken that way the others stay live, and its own numbers are marked; afterwards all is well."""
    more, status, reason = WAYS_TO_BREAK[kind]
    await sandboxes["odoo"].fault(kind, **more)
    await sandboxes["square"].count("store-brooklyn", "SKU-0003", 2)
    broken, never_read = (await graph(STOCK, skus=["SKU-0003", "SKU-0006"]))["inventory"]
    told = said(broken, "odoo")
    assert (told["status"], told["freshness"]) == (status, "STALE"), kind
    assert reason in told["reason"], kind
    assert not broken["complete"], kind
    newark, brooklyn = level(broken, "newark-warehouse"), level(broken, "brooklyn-store")
    assert (newark["freshness"], newark["available"]) == ("STALE", 80), kind
    assert (brooklyn["freshness"], brooklyn["available"]) == ("LIVE", 2), kind

    assert said(never_read, "odoo")["freshness"] == "UNKNOWN", kind
    assert (never_read["availableToPromise"], never_read["carried"]) == (None, True), kind

    await sandboxes["square"].count("store-brooklyn", "SKU-0003", 3)
    back = await healed(graph, sandboxes["odoo"], clock, "SKU-0003")
    assert (back["availableToPromise"], said(back, "odoo")["status"]) == (83, "OK"), kind


@pytest.mark.parametrize(("status", "tune"), [("DOWN", forgetful), ("DEGRADED", impatient)])
def test_however_a_source_breaks_the_others_stay_live_and_its_old_numbers_are_marked_stale(
    status: str, tune: Callable[[Settings], Settings], tmp_path: Path
) -> None:
    async def story() -> None:
        clock = Ahead()
        async with (
            network() as (urls, sandboxes),
            gateway(urls, tmp_path / "dom.sqlite3", tune=tune, parts=Parts(clock=clock)) as graph,
        ):
            whole = await healed(graph, sandboxes["odoo"], clock, "SKU-0003")
            assert whole["availableToPromise"] == 83
            for kind in (each for each, (_, then, _) in WAYS_TO_BREAK.items() if then == status):
                await break_and_heal(graph, sandboxes, clock, kind)

    run(story)


def test_an_order_that_needs_a_silent_source_is_told_to_try_again_and_not_that_there_is_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        clock = Ahead()
        async with (
            network() as (urls, sandboxes),
            gateway(urls, tmp_path / "dom.sqlite3", tune=forgetful, parts=Parts(clock=clock)) as graph,
        ):

            async def refused(sku: str, units: int) -> list[str]:
                errors = (await place(graph, line(sku, units), key=f"{sku}-{units}-{clock.by_s}"))["userErrors"]
                return [each["code"] for each in errors]

            assert await refused("SKU-0003", 84) == ["INSUFFICIENT_STOCK"]
            assert await refused("SKU-9999", 1) == ["NOT_FOUND"]
            await sandboxes["odoo"].fault("STATUS", status=503)
            assert await refused("SKU-0003", 4) == ["STOCK_UNKNOWN"]
            assert await refused("SKU-9998", 1) == ["STOCK_UNKNOWN"]
            assert await refused("SKU-0003", 3) == []
            await healed(graph, sandboxes["odoo"], clock, "SKU-0003")
            assert await refused("SKU-0003", 4) == []

    run(story)


def test_a_gateway_that_starts_while_a_source_is_dead_knows_its_places_from_before(tmp_path: Path) -> None:
    async def story() -> None:
        async with network() as (urls, _):
            async with gateway(urls, tmp_path / "dom.sqlite3", tune=forgetful):
                pass
            async with gateway({**urls, "odoo": NOWHERE}, tmp_path / "dom.sqlite3", tune=forgetful) as graph:
                places = await graph('{ source(name: "odoo") { locations { code } } }')
                assert "newark-warehouse" in [each["code"] for each in places["source"]["locations"]]
                stock = await item(graph, "SKU-0003")
                assert (said(stock, "odoo")["status"], said(stock, "odoo")["freshness"]) == ("DOWN", "UNKNOWN")
                assert said(stock, "odoo")["reason"].startswith("TRANSIENT: "), "no connection, or a breaker that opened at that"
                assert (stock["complete"], stock["carried"], stock["availableToPromise"]) == (False, True, 3)

    run(story)


def test_a_source_whose_places_were_never_heard_of_is_unknown_and_never_said_to_carry_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            urls, controls = await stack.enter_async_context(network())
            control = controls["odoo"]
            await control.fault("STATUS", status=503)
            clock = Ahead()
            graph = await stack.enter_async_context(
                gateway(urls, tmp_path / "dom.sqlite3", tune=forgetful, parts=Parts(clock=clock))
            )
            dead = await item(graph, "SKU-0006")
            assert (dead["complete"], dead["carried"], dead["availableToPromise"]) == (False, True, None)

            await control.heal()
            seen: list[dict[str, Any]] = []

            async def known() -> bool:
                clock.by_s += BREAKER_OPEN_S
                seen.append(await item(graph, "SKU-0006"))
                return bool(seen[-1]["complete"])

            await eventually(known)
            assert all(each["carried"] for each in seen)
            assert seen[-1]["availableToPromise"] == 1_000

    run(story)
