"""What operators see of the gateway, and what nobody sees of its insides."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from gateway.api.failures import INTERNAL
from gateway.app import Parts, create_app
from gateway.demo.world import TOKENS, demo_settings
from gateway.domain.principals import Role
from tests.harness import Graph, gateway, line, network, place, run, world

SECRET = "postgres://dom:hunter2@db/orders"
NEW = "application/graphql-response+json"


class Tampered(httpx.AsyncBaseTransport):
    """The network towards sources, with a bug in it as soon as it is told to have one."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self._network = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.broken:
            raise RuntimeError(SECRET)
        return await self._network.handle_async_request(request)

    async def aclose(self) -> None:
        await self._network.aclose()


def test_a_bug_is_told_to_the_log_and_to_nobody_else(tmp_path: Path) -> None:
    async def story() -> None:
        async with Tampered() as transport, behind(transport, tmp_path) as graph:
            transport.broken = True
            with capture_logs() as logs:
                query = '{ sources { name } orders { nodes { id } } broken: source(name: "odoo") { name health { ok } } }'
                headers = {"accept": NEW, "x-request-id": "ada-17"} | ada()
                answer = await graph.client.post("/graphql", json={"query": query}, headers=headers)
            assert answer.status_code == 200
            assert answer.headers["x-request-id"] == "ada-17"
            assert SECRET not in answer.text
            assert "RuntimeError" not in answer.text
            (error,) = answer.json()["errors"]
            assert error["message"] == INTERNAL
            assert error["path"] == ["broken", "health"]
            assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "requestId": "ada-17"}
            assert answer.json()["data"]["broken"] is None
            assert len(answer.json()["data"]["sources"]) == 3
            (crash,) = [entry for entry in logs if entry["event"] == "request_crashed"]
            assert SECRET in str(crash["exc_info"])

    run(story)


def test_a_bug_in_the_connectors_is_their_failure_and_the_gateway_starts_and_serves_all_the_same(tmp_path: Path) -> None:
    async def story() -> None:
        with capture_logs():
            async with Tampered(broken=True) as transport, behind(transport, tmp_path) as graph:
                answer = await graph.post(
                    {"query": '{ inventory(skus: ["SKU-0001"]) { availableToPromise complete sources { status reason } } }'}
                )
                assert SECRET not in answer.text
                (item,) = answer.json()["data"]["inventory"]
                assert (item["availableToPromise"], item["complete"]) == (None, False)
                assert {source["status"] for source in item["sources"]} == {"DOWN"}
                ready = await graph.client.get("/readyz")
                assert (ready.status_code, set(ready.json()["sources"].values())) == (200, {"DOWN"})

    run(story)


def test_a_crash_outside_the_graph_is_masked_and_can_be_found_in_the_log_too(tmp_path: Path) -> None:
    class Away:
        async def backlog(self) -> None:
            raise RuntimeError(SECRET)

    async def story() -> None:
        async with network(products=12) as (urls, _), app_of(urls, tmp_path) as (app, client):
            app.state.services = replace(app.state.services, store=Away())
            with capture_logs() as logs:
                answer = await client.get("/readyz", headers={"x-request-id": "ada-18"})
            assert (answer.status_code, answer.headers["x-request-id"]) == (500, "ada-18")
            assert answer.json() == {"errors": [{"message": INTERNAL, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}
            assert [entry["event"] for entry in logs] == ["request_crashed"]

    run(story)


def test_every_answer_bears_an_id_the_callers_own_if_it_is_plausible(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            for path in ("/healthz", "/readyz", "/metrics", "/graphql", "/nowhere", "/webhooks/nobody"):
                assert (await graph.client.get(path)).headers["x-request-id"]
            for given, kept in (("shop-1", True), ("", False), ("x" * 65, False), ("tab\there", False), (b"caf\xe9", False)):
                headers: dict[str, Any] = {"x-request-id": given}
                answer = await graph.client.get("/healthz", headers=headers)
                assert (answer.headers["x-request-id"] == given) is kept
            twice = [(await graph.client.get("/healthz")).headers["x-request-id"] for _ in range(2)]
            assert twice[0] != twice[1]

    run(story)


def test_a_body_over_the_limit_is_refused_however_it_is_framed(tmp_path: Path) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b" " * 1_000

    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            exact = json.dumps({"query": "{ __typename }"}).encode()
            fits = exact + b" " * (262_144 - len(exact))
            assert (await graph.client.post("/graphql", content=fits, headers=json_headers())).status_code == 200
            for path in ("/graphql", "/webhooks/odoo"):
                for body in (fits + b" ", chunks()):
                    answer = await graph.client.post(path, content=body, headers=json_headers())
                    assert answer.status_code == 413
                    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"

    run(story)


def test_the_gateway_says_that_it_lives_whether_it_is_ready_and_how_it_fares(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, sandboxes):
            assert (await graph.client.get("/healthz")).json() == {"status": "alive"}
            await sandboxes["square"].fault("STATUS", status=500)
            await graph('{ inventory(skus: ["SKU-0009"], maxAgeSeconds: 0) { sku } }')
            await place(graph, line("SKU-0006", 1), key="one")
            ready = (await graph.client.get("/readyz")).json()
            assert (ready["status"], ready["sources"]) == ("ready", {"odoo": "OK", "square": "DOWN", "shipbob": "OK"})
            await graph.until("{ orders { eventCursor nodes { version timeline { version } } } }", told_whole)
            figures = await graph.client.get("/metrics")
            assert figures.headers["content-type"].startswith("text/plain")
            lines = figures.text.splitlines()
            assert 'dom_source_up{source="odoo"} 1.0' in lines
            assert 'dom_source_up{source="square"} 0.0' in lines
            (sequence,) = [each for each in lines if each.startswith("dom_event_sequence ")]
            assert float(sequence.split()[1]) >= 2

    run(story)


@pytest.mark.parametrize("path", ["/readyz", "/metrics", "/graphql"])
def test_before_it_has_started_it_says_so(tmp_path: Path, path: str) -> None:
    async def story() -> None:
        app = create_app(demo_settings({}, database=tmp_path / "dom.sqlite3"))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway") as client:
            assert (await client.get(path, headers=ada())).status_code == 503
            assert (await client.get("/healthz")).status_code == 200

    run(story)


@asynccontextmanager
async def behind(transport: httpx.AsyncBaseTransport, folder: Path) -> AsyncIterator[Graph]:
    """A gateway that reaches its sources over this transport."""
    async with (
        network(products=12) as (urls, _),
        gateway(urls, folder / "dom.sqlite3", parts=Parts(transport=transport)) as graph,
    ):
        yield graph


def told_whole(data: dict[str, Any]) -> bool:
    (order,) = data["orders"]["nodes"]
    return bool(order["timeline"]) and order["timeline"][-1]["version"] == order["version"]


@asynccontextmanager
async def app_of(urls: Any, folder: Path) -> AsyncIterator[tuple[Any, httpx.AsyncClient]]:
    """A running gateway whose parts can be reached."""
    app = create_app(demo_settings(urls, database=folder / "dom.sqlite3"))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway") as client,
    ):
        yield app, client


def ada() -> dict[str, str]:
    return {"authorization": f"Bearer {TOKENS[Role.OPERATOR]}"}


def json_headers() -> dict[str, str]:
    return ada() | {"content-type": "application/json"}
