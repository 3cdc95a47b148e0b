"""What all sandboxes share, shown on the Odoo one over real sockets."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.controls import app_of
from connectors.sandbox.network import ALL, seeded
from connectors.sandbox.odoo import OdooSandbox
from connectors.sandbox.servers import sandboxes, serving

VERSION = {"version": "19.0", "version_info": [19, 0, 0, "final", 0, ""]}


@asynccontextmanager
async def sandbox() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serving(app_of(OdooSandbox(seeded(products=20)))) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client


def run(story: Callable[[httpx.AsyncClient], Coroutine[Any, Any, None]]) -> None:
    async def told() -> None:
        async with sandbox() as client:
            await story(client)

    asyncio.run(told())


async def new_delivery(client: httpx.AsyncClient) -> str:
    """A draft for two units of SKU-0002 from Reno, where there are 120."""
    move = {"product_id": 2, "product_uom_qty": 2, "location_id": 5, "location_dest_id": 1}
    vals = {"origin": "key-1", "location_id": 5, "location_dest_id": 1, "move_ids": [[0, 0, move]]}
    answer = await client.post(
        "/json/2/stock.picking/create",
        json={"vals_list": [vals]},
        headers={"authorization": "bearer odoo-sandbox-key", "x-odoo-database": "demo"},
    )
    (ref,) = answer.json()
    return str(ref)


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ({"kind": "STATUS", "status": 502}, 502, '{"error":"told to fail"}'),
        ({"kind": "HTML"}, 200, "<!DOCTYPE html><html><body><h1>Be right back</h1></body></html>"),
        (
            {"kind": "TRUNCATED"},
            200,
            json.dumps(VERSION, separators=(",", ":"))[: len(json.dumps(VERSION, separators=(",", ":"))) // 2],
        ),
        ({"kind": "EMPTY_OBJECT"}, 200, "{}"),
        ({"kind": "NULL"}, 200, "null"),
        ({"kind": "THROTTLED"}, 429, '{"error":"slow down"}'),
        ({"kind": "LATENCY", "delay_ms": 1}, 200, json.dumps(VERSION, separators=(",", ":"))),
    ],
)
def test_a_fault_decides_what_comes_over_the_wire(fault: dict[str, Any], status: int, body: str) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await client.post("/_sandbox/faults", json=fault)
        answer = await client.get("/web/version")
        assert (answer.status_code, answer.text) == (status, body)

    run(story)


def test_a_throttled_request_is_told_how_long_to_wait() -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await client.post("/_sandbox/faults", json={"kind": "THROTTLED", "retry_after_s": 3})
        headers = (await client.get("/web/version")).headers
        assert (headers["retry-after"], headers["x-retry-after"]) == ("3", "3")

    run(story)


def test_a_lost_answer_drops_the_connection_after_the_work_is_done() -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await client.post("/_sandbox/faults", json={"kind": "LOST_ANSWER", "match": "stock.picking"})
        with pytest.raises(httpx.RemoteProtocolError):
            await new_delivery(client)
        (order,) = (await client.get("/_sandbox/orders")).json()
        assert order["key"] == "key-1"

    run(story)


def test_a_hanging_request_ends_when_the_client_goes_away() -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await client.post("/_sandbox/faults", json={"kind": "HANG", "match": "version"})
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/web/version", timeout=0.1)
        if answering := [task for task in asyncio.all_tasks() if "run_asgi" in repr(task)]:
            _, still_hanging = await asyncio.wait(answering, timeout=5)
            assert not still_hanging

    run(story)


def test_an_oversized_answer_is_a_million_rows_of_json() -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await client.post("/_sandbox/faults", json={"kind": "OVERSIZED"})
        rows, first, last = 0, b"", b""
        async with client.stream("GET", "/web/version") as answer:
            async for chunk in answer.aiter_bytes():
                rows += chunk.count(b"}")
                first, last = first or chunk[:1], chunk[-1:]
        assert (rows, first, last) == (1_000_000, b"[", b"]")

    run(story)


def test_a_fault_fails_so_many_times_and_only_what_it_matches() -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await client.post("/_sandbox/faults", json={"kind": "STATUS", "match": "/web/", "times": 2})
        answers = [(await client.get("/web/version")).status_code for _ in range(3)]
        assert answers == [503, 503, 200]
        by_body = {"kind": "STATUS", "match_body": "authenticate"}
        await client.post("/_sandbox/faults", json=by_body)
        call = {"params": {"service": "common", "method": "version", "args": []}}
        assert (await client.post("/jsonrpc", json=call)).json()["result"]["server_version"] == "19.0"
        call["params"]["method"] = "authenticate"
        assert (await client.post("/jsonrpc", json=call)).status_code == 503

    run(story)


def test_faults_are_listed_and_removed_and_never_touch_the_controls() -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await client.post("/_sandbox/faults", json={"kind": "STATUS"})
        (listed,) = (await client.get("/_sandbox/faults")).json()
        assert (listed["kind"], listed["times"]) == ("STATUS", None)
        assert (await client.delete("/_sandbox/faults")).json() == []
        assert (await client.get("/web/version")).json() == VERSION

    run(story)


def test_the_journal_counts_the_vendors_requests_only() -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await client.get("/web/version")
        await client.get("/nowhere")
        await client.get("/_sandbox/orders")
        journal = (await client.get("/_sandbox/journal")).json()
        seen = [(each["method"], each["path"], each["status"]) for each in journal["requests"]]
        assert journal["count"] == 2
        assert seen == [("GET", "/web/version", 200), ("GET", "/nowhere", 404)]
        assert (await client.delete("/_sandbox/journal")).json() == {"count": 0, "requests": []}

    run(story)


def test_stock_can_be_read_and_counted_by_hand() -> None:
    async def story(client: httpx.AsyncClient) -> None:
        assert (await client.get("/_sandbox/stock", params={"sku": "SKU-0002"})).json() == {"wh-reno": 120}
        counted = {"place": "wh-dallas", "sku": "SKU-0002", "units": 7}
        assert (await client.post("/_sandbox/stock", json=counted)).json() == {"wh-dallas": 7, "wh-reno": 120}

    run(story)


def test_a_delivery_is_accepted_and_shipped_by_hand() -> None:
    async def story(client: httpx.AsyncClient) -> None:
        ref = await new_delivery(client)
        accepted = (await client.post(f"/_sandbox/orders/{ref}/accept")).json()
        assert (accepted["state"], accepted["lines"]) == ("assigned", [{"sku": "SKU-0002", "units": 2}])
        parcel = {"carrier": "UPS", "tracking_number": "1Z999"}
        shipped = (await client.post(f"/_sandbox/orders/{ref}/ship", json=parcel)).json()
        assert (shipped["state"], shipped["packages"]) == ("done", [parcel])
        too_late = await client.post(f"/_sandbox/orders/{ref}/reject", json={"reason": "damaged"})
        assert too_late.status_code == 409

    run(story)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("orders/77/accept", {}, 404),
        ("orders/x/reject", {"reason": "damaged"}, 404),
        ("orders/77/ship", {"carrier": "UPS"}, 422),
        ("stock", {"place": "wh-nowhere", "sku": "SKU-0002", "units": 1}, 404),
        ("stock", {"place": "wh-reno", "sku": "SKU-9999", "units": 1}, 404),
        ("faults", {"kind": "EARTHQUAKE"}, 422),
    ],
)
def test_controls_say_what_is_wrong_with_a_request(path: str, body: dict[str, Any], status: int) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        answer = await client.post(f"/_sandbox/{path}", json=body)
        assert answer.status_code == status
        assert answer.json()["error"]

    run(story)


def test_a_server_leaves_no_task_no_socket_and_no_signal_handler_behind() -> None:
    async def told() -> str:
        handler = signal.getsignal(signal.SIGTERM)
        async with sandbox() as client:
            await client.post("/_sandbox/faults", json={"kind": "HANG"})
            hanging = asyncio.create_task(client.get("/web/version"))
            async with asyncio.timeout(5):
                while (await client.get("/_sandbox/journal")).json()["count"] == 0:
                    pass
            url = str(client.base_url)
            hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert signal.getsignal(signal.SIGTERM) is handler
        return url

    port = httpx.URL(asyncio.run(told())).port
    assert port is not None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_there_is_one_sandbox_of_each_system(tmp_path: Path) -> None:
    parts = sandboxes(seeded(products=20, systems=ALL), tmp_path)
    assert {name: part.system for name, part in parts.items()} == {system: system for system in ALL}


def test_the_command_prints_one_line_of_urls_and_stops_when_told() -> None:
    async def told() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "connectors.sandbox", "--products", "20",
            stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert process.stdout is not None
        urls = json.loads(await process.stdout.readline())
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{urls['odoo']}/web/version")).json() == VERSION
        process.terminate()
        rest, _ = await process.communicate()
        assert (urls.keys(), rest, process.returncode) == ({"odoo", "square", "shipbob"}, b"", 0)

    asyncio.run(told())


async def found(client: httpx.AsyncClient, model: str, *fields: str) -> list[dict[str, Any]]:
    """All rows of an Odoo model."""
    answer = await client.post(
        f"/json/2/{model}/search_read",
        json={"domain": [], "fields": list(fields)},
        headers={"authorization": "bearer odoo-sandbox-key", "x-odoo-database": "demo"},
    )
    rows: list[dict[str, Any]] = answer.raise_for_status().json()
    return rows


def test_rows_come_backwards_and_pairs_as_they_are() -> None:
    async def story(client: httpx.AsyncClient) -> None:
        rows = await found(client, "stock.quant", "product_id", "quantity")
        assert [type(part) for part in rows[0]["product_id"]] == [int, str]
        await client.post("/_sandbox/faults", json={"kind": "REORDERED"})
        assert rows != rows[::-1]
        assert await found(client, "stock.quant", "product_id", "quantity") == rows[::-1]

    run(story)


def test_a_replica_stands_still_from_when_it_is_first_asked_until_it_is_healed() -> None:
    async def story(client: httpx.AsyncClient) -> None:
        for drafts in (0, 1):
            await client.post("/_sandbox/faults", json={"kind": "STALE", "match": "search_read"})
            assert len(await found(client, "stock.picking", "origin")) == drafts
            await new_delivery(client)
            assert len(await found(client, "stock.picking", "origin")) == drafts
            await client.delete("/_sandbox/faults")
            assert len(await found(client, "stock.picking", "origin")) == drafts + 1

    run(story)
