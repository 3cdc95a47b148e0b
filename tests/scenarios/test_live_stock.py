"""Live stock over real sockets: how often sources are asked, and what their odder answers become."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.sandbox.controls import app_of
from connectors.sandbox.network import seeded
from connectors.sandbox.odoo import OdooSandbox
from connectors.sandbox.servers import serving
from connectors.sandbox.square import SquareSandbox
from tests.harness import Graph, Sandbox, gateway, line, place, run, world
from tests.scenarios.questions import STOCK, attentive, eventually, item, level, said

FIFTY = [f"SKU-{number:04d}" for number in range(1, 51)]
TWICE = """query ($skus: [String!]!, $one: [String!]!) {
  all: inventory(skus: $skus, maxAgeSeconds: 0) { sku complete }
  again: inventory(skus: $one, maxAgeSeconds: 0) { sku availableToPromise } }"""


async def asked(sandboxes: Mapping[str, Sandbox]) -> dict[str, int]:
    """How many requests each source got since it was last asked so."""
    counts = {name: len(await each.requests()) for name, each in sandboxes.items()}
    for each in sandboxes.values():
        await each.forget()
    return counts


async def warmed_up(graph: Graph, sandboxes: Mapping[str, Sandbox]) -> None:
    """Wait until no source needs to be asked for anything but counts."""

    async def one_each() -> bool:
        await asked(sandboxes)
        await graph(STOCK, skus=FIFTY, age=0)
        return await asked(sandboxes) == dict.fromkeys(sandboxes, 1)

    await eventually(one_each)


def test_fifty_skus_cost_one_request_per_source_and_everyone_who_asks_meanwhile_shares_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=60) as (graph, sandboxes):
            await warmed_up(graph, sandboxes)
            one_each, none = dict.fromkeys(sandboxes, 1), dict.fromkeys(sandboxes, 0)

            live = (await graph(STOCK, skus=FIFTY, age=0))["inventory"]
            assert [each["sku"] for each in live] == FIFTY
            assert all(each["complete"] for each in live)
            assert {one["freshness"] for each in live for one in each["sources"]} == {"LIVE"}
            assert await asked(sandboxes) == one_each

            cached = (await graph(STOCK, skus=FIFTY))["inventory"]
            assert {one["freshness"] for each in cached for one in each["sources"]} == {"CACHED"}
            assert await asked(sandboxes) == none

            for sandbox in sandboxes.values():
                await sandbox.fault("LATENCY", delay_ms=200)
            answers = await asyncio.gather(*(graph(STOCK, skus=FIFTY, age=0) for _ in range(2)))
            for answer in answers:
                assert all(each["complete"] for each in answer["inventory"])
                assert {one["status"] for each in answer["inventory"] for one in each["sources"]} == {"OK"}
            assert await asked(sandboxes) == one_each

            both = await graph(TWICE, skus=FIFTY, one=["SKU-0002"])
            assert both["again"] == [{"sku": "SKU-0002", "availableToPromise": 160}]
            assert await asked(sandboxes) == one_each

    run(story)


def test_who_joins_a_read_that_is_under_way_gets_its_answer_as_live(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=60) as (graph, sandboxes):
            await warmed_up(graph, sandboxes)
            await sandboxes["odoo"].fault("LATENCY", delay_ms=300)
            first = asyncio.create_task(item(graph, "SKU-0006", age=0))
            await eventually(lambda: _has_come_in(sandboxes["odoo"]))
            late = await item(graph, "SKU-0006", age=0)
            assert said(late, "odoo") | {"asOf": None} == said(await first, "odoo") | {"asOf": None}
            assert late["complete"]
            assert (said(late, "odoo")["status"], said(late, "odoo")["freshness"]) == ("OK", "LIVE")
            assert len(await sandboxes["odoo"].requests()) == 1

    run(story)


async def _has_come_in(sandbox: Sandbox) -> bool:
    return bool(await sandbox.requests())


def test_what_nobody_carries_is_told_from_what_is_sold_out_and_from_what_is_below_zero(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, tune=attentive) as (graph, sandboxes):
            unheard = await item(graph, "SKU-9999")
            assert (unheard["carried"], unheard["availableToPromise"], unheard["complete"]) == (False, None, True)
            assert unheard["levels"] == []

            sold_out = await item(graph, "SKU-0007")
            assert (sold_out["carried"], sold_out["availableToPromise"]) == (True, 0)

            await sandboxes["square"].count("store-chicago", "SKU-0005", -4)
            below = await item(graph, "SKU-0005")
            assert level(below, "chicago-store")["available"] == -4
            assert level(below, "chicago-store")["availableToPromise"] == -4
            assert below["availableToPromise"] == 46
            placed = await place(graph, line("SKU-0005", 1), key="below")
            assert [each["location"]["code"] for each in placed["order"]["fulfillmentOrders"]] == ["dallas-warehouse"]

    run(story)


def talkative(app: ASGIApp) -> ASGIApp:
    """A source that adds a count of something nobody asked about to every answer."""
    row = b'{"catalog_object_id":"VARIATIONSKU0001","state":"IN_STOCK","location_id":"LSTORECHICAGO","quantity":"777"}'

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def adding(message: Message) -> None:
            body = message.get("body", b"")
            if message["type"] == "http.response.start":
                headers = [each for each in message["headers"] if each[0] != b"content-length"]
                message = {**message, "headers": headers}
            elif body.startswith(b'{"counts":['):
                message = {**message, "body": body.replace(b"[", b"[" + row + b",", 1)}
            await send(message)

        await app(scope, receive, adding if scope["type"] == "http" else send)

    return answer


def test_a_store_that_never_counted_is_unknown_and_a_count_of_something_else_is_ignored(tmp_path: Path) -> None:
    async def story() -> None:
        shared = seeded(products=40)
        square, odoo = SquareSandbox(shared), OdooSandbox(shared)
        del square.shop.counts["LSTORESEATTLE", "VARIATIONSKU0009"]
        async with (
            serving(talkative(app_of(square))) as square_url,
            serving(app_of(odoo)) as odoo_url,
            gateway({"square": square_url, "odoo": odoo_url}, tmp_path / "dom.sqlite3", tune=attentive) as graph,
            httpx.AsyncClient(base_url=square_url, trust_env=False) as client,
        ):
            stock = await item(graph, "SKU-0009")
            assert {each["sku"] for each in stock["levels"]} == {"SKU-0009"}
            seattle = level(stock, "seattle-store")
            assert seattle["freshness"] == "UNKNOWN"
            assert [seattle[name] for name in ("onHand", "available", "availableToPromise")] == [None, None, None]
            assert stock["availableToPromise"] == 4 * 7

            await Sandbox(client).count("store-denver", "SKU-0009", 9)
            assert (await item(graph, "SKU-0009"))["availableToPromise"] == 3 * 7 + 9

    run(story)
