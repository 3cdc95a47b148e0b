"""The graph as server-sent events (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, distinct connections)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from gateway.demo.world import TOKENS
from gateway.domain.principals import Role
from gateway.web.graphql import GraphView
from tests.harness import line, place, run
from tests.web.served import PATIENCE_S, Served, served

EVENTS = "subscription ($after: String) { orderEvents(after: $after) { cursor type } }"
STOCK = 'subscription { inventoryChanged(skus: ["SKU-0010"], minIntervalMs: 0) { levels { sku available } } }'


def test_orders_and_stock_can_be_followed_as_plain_server_sent_events(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway:
            start = (await gateway.graph("{ orders { eventCursor } }"))["orders"]["eventCursor"]
            async with stream(gateway, EVENTS, after=start) as events, stream(gateway, STOCK) as levels:
                first = (await data(levels))["inventoryChanged"]["levels"]
                assert sum(level["available"] for level in first) == 5_000
                await place(gateway.graph, line("SKU-0001", 1), key="one")
                placed = (await data(events))["orderEvents"]
                assert placed["type"] == "order.placed"
            async with stream(gateway, EVENTS, after=placed["cursor"]) as events:
                assert (await data(events))["orderEvents"]["type"] == "order.routed"

    run(story)


def test_lines_end_in_a_line_feed_alone_and_a_heartbeat_is_a_comment_between_events(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway:
            views = [view for route in gateway.app.routes if isinstance(view := getattr(route, "app", None), GraphView)]
            views[0]._stream_transport_map["sse"].heartbeat_interval = 0.02
            async with stream(gateway, EVENTS) as events:
                assert [await anext(events) for _ in range(3)] == [": ping"] * 3
                await place(gateway.graph, line("SKU-0001", 1), key="one")
                while (event := await anext(events)) == ": ping":
                    pass
                assert event.startswith('event: next\ndata: {"data":{"orderEvents":')

    run(story)


def test_an_operation_with_one_answer_or_none_ends_its_stream(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway:
            assert await whole(gateway, "{ __typename }") == {"data": {"__typename": "Query"}}
            for query, code in (
                ("{", "GRAPHQL_PARSE_FAILED"),
                ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
                ("query ($id: ID!) { node(id: $id) { id } }", "BAD_USER_INPUT"),
                ('subscription { orderEvents(after: "x") { id } }', "BAD_USER_INPUT"),
                ("subscription { inventoryChanged(skus: []) { levels { sku } } }", "BAD_USER_INPUT"),
            ):
                (error,) = (await whole(gateway, query))["errors"]
                assert error["extensions"]["code"] == code
            by_get = await gateway.graph.client.get("/graphql", params={"query": "mutation { __typename }"}, headers=headers())
            assert "data" not in payload(by_get.text.split("\n\n")[0])

    run(story)


@asynccontextmanager
async def stream(gateway: Served, query: str, **variables: Any) -> AsyncIterator[AsyncIterator[str]]:
    """The events of an operation, as they come over the wire."""
    body = {"query": query, "variables": variables}
    async with gateway.graph.client.stream("POST", "/graphql", json=body, headers=headers()) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-request-id"]
        events = split(answer)
        yield events


async def split(answer: httpx.Response) -> AsyncIterator[str]:
    rest = ""
    async for text in answer.aiter_text():
        assert "\r" not in text
        rest += text
        *complete, rest = rest.split("\n\n")
        for event in complete:
            yield event


async def data(events: AsyncIterator[str]) -> dict[str, Any]:
    """The data of the next event."""
    async with asyncio.timeout(PATIENCE_S):
        found: dict[str, Any] = payload(await anext(events))["data"]
        return found


async def whole(gateway: Served, query: str) -> dict[str, Any]:
    """The only result of an operation, whose stream then ends."""
    async with stream(gateway, query) as events:
        first, last = [event async for event in events]
    assert last == "event: complete\ndata: "
    return payload(first)


def payload(event: str) -> dict[str, Any]:
    kind, told = event.split("\n")
    assert kind == "event: next"
    found: dict[str, Any] = json.loads(told.removeprefix("data: "))
    return found


def headers() -> dict[str, str]:
    return {"accept": "text/event-stream", "authorization": f"Bearer {TOKENS[Role.PARTNER]}"}
