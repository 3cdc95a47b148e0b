"""Power cuts: the gateway is killed again and again, at any instant, and nothing that it acknowledged is lost or done twice."""

import asyncio
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx

from tests.harness import Graph, Sandbox, line, network, place, run
from tests.scenarios.processes import configured, serving_process
from tests.scenarios.questions import eventually

KILLS = int(os.environ.get("DOM_KILLS", "3"))
CLIENTS = 3
ORDERS_MAX = 30
SKUS = ("SKU-0001", "SKU-0006", "SKU-0008", "SKU-0010")
SHIPPABLE = {"assigned", "RESERVED", "Processing"}
ORDERS = "{ orders(first: 100) { nodes { status version timeline(first: 50) { version } } } }"


class Shop:
    """Places orders until told to stop, each under one key until it is acknowledged, whatever happens to the gateway."""

    def __init__(self, random: Random) -> None:
        self.graph: Graph | None = None
        self.acknowledged: dict[str, str] = {}
        self._random = random
        self._next = 0
        self._stop = asyncio.Event()

    async def open(self) -> None:
        async with asyncio.TaskGroup() as clients:
            for _ in range(CLIENTS):
                clients.create_task(self._client())

    def close(self) -> None:
        self._stop.set()

    async def _client(self) -> None:
        while not self._stop.is_set() and self._next < ORDERS_MAX:
            self._next += 1
            key = f"order-{self._next}"
            lines = [line(sku, self._random.randint(1, 3)) for sku in self._random.sample(SKUS, 2)]
            await eventually(partial(self._is_acknowledged, key, lines), wait_s=60)

    async def _is_acknowledged(self, key: str, lines: list[dict[str, Any]]) -> bool:
        if self.graph is None:
            return False
        try:
            payload = await place(self.graph, *lines, key=key)
        except httpx.TransportError:
            return False
        if payload["order"] is not None:
            self.acknowledged[key] = payload["order"]["number"]
        return payload["order"] is not None


async def at_work(sandboxes: Mapping[str, Sandbox], random: Random) -> None:
    """People at every location, who take on and send what has come in."""
    while True:
        for sandbox in sandboxes.values():
            for order in await sandbox.orders():
                if order["state"] == "PROPOSED":
                    await sandbox.act(order["ref"], "accept")
                elif order["state"] in SHIPPABLE and random.random() < 0.3:
                    await sandbox.act(order["ref"], "ship", carrier="UPS", tracking_number=f"1Z{order['ref']}")
        await asyncio.sleep(0.05)


async def all_have_left(graph: Graph) -> bool:
    """Whether nothing is left to do, or to tell, of any order."""
    orders = (await graph(ORDERS))["orders"]["nodes"]
    return all(each["status"] == "FULFILLED" and len(each["timeline"]) == each["version"] for each in orders)


def test_after_any_number_of_power_cuts_every_acknowledged_order_has_been_sent_exactly_once(tmp_path: Path) -> None:
    async def story() -> None:
        random = Random(7)
        shop = Shop(random)
        async with network() as (urls, sandboxes):
            config, port = configured(tmp_path, urls)
            for sandbox in sandboxes.values():
                await sandbox.fault("LATENCY", delay_ms=15)
            async with asyncio.TaskGroup() as beside:
                people = beside.create_task(at_work(sandboxes, random))
                shopping = beside.create_task(shop.open())
                for _ in range(KILLS):
                    async with serving_process(config, port) as running:
                        shop.graph = running.graph
                        await asyncio.sleep(random.uniform(0.05, 0.6))
                        shop.graph = None
                        await running.killed()
                async with serving_process(config, port) as running:
                    shop.graph = running.graph
                    shop.close()
                    await shopping
                    await eventually(lambda: all_have_left(running.graph), wait_s=30)
                people.cancel()
            arrived = [order["key"] for sandbox in sandboxes.values() for order in await sandbox.orders()]
            with closing(sqlite3.connect(tmp_path / "dom.sqlite3")) as database:
                check(database, shop.acknowledged, arrived)

    run(story)


def check(database: sqlite3.Connection, acknowledged: Mapping[str, str], arrived: list[str]) -> None:
    """What must hold of the file that the last power cut left, and of what the sources got."""

    def rows(query: str) -> list[tuple[Any, ...]]:
        return database.execute(query).fetchall()

    assert len(acknowledged) >= KILLS
    assert sorted(number for (number,) in rows("SELECT number FROM customer_order")) == sorted(acknowledged.values())
    assert sorted(arrived) == sorted(work for (work,) in rows("SELECT id FROM fulfillment_order"))

    assert rows("SELECT kind, subject FROM job WHERE state != 'DONE'") == []
    sequence = [seq for (seq,) in rows("SELECT seq FROM event ORDER BY seq")]
    assert sequence == list(range(1, len(sequence) + 1))
    versions: dict[str, list[int]] = {}
    for order, version in rows("SELECT order_id, version FROM event ORDER BY seq"):
        versions.setdefault(order, []).append(version)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())
    assert dict(rows("SELECT id, version FROM customer_order")) == {order: found[-1] for order, found in versions.items()}

    sums = "SELECT sku, location_id, SUM(units) FILTER (WHERE bucket = '{}') AS total FROM ledger GROUP BY 1, 2"
    for bucket, counter in (("HELD", "held_units"), ("COMMITTED", "committed_units")):
        ledger = {(sku, at): total or 0 for sku, at, total in rows(sums.format(bucket))}
        counters = {(sku, at): units for sku, at, units in rows(f"SELECT sku, location_id, {counter} FROM shelf")}  # noqa: S608  # our own columns
        assert ledger == counters
