"""The graph over WebSockets (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from gateway.demo.world import TOKENS
from gateway.domain.principals import Role
from gateway.settings import Server, Settings
from tests.harness import line, place, run
from tests.web.served import PATIENCE_S, Line, Served, served

EVENTS = "subscription ($after: String) { orderEvents(after: $after) { cursor type version order { id } } }"
CURSOR = "{ orders { eventCursor } }"
STOCK = 'query ($age: Int) { inventory(skus: ["SKU-0010"], maxAgeSeconds: $age) { available } }'
ADA = {"authorization": f"Bearer {TOKENS[Role.OPERATOR]}"}
INIT = {"type": "connection_init", "payload": ADA}
ASK = {"type": "subscribe", "id": "1", "payload": {"query": EVENTS}}

Event = dict[str, Any]


def test_a_follower_who_comes_back_with_his_cursor_misses_nothing_and_hears_nothing_twice(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway:
            start = (await gateway.graph(CURSOR))["orders"]["eventCursor"]
            await place(gateway.graph, line("SKU-0001", 1), key="before")
            async with gateway.socket(Role.PARTNER) as line_:
                await line_.ask("1", EVENTS, after=start)
                heard = [(await line_.next("1"))["orderEvents"] for _ in range(2)]
            await place(gateway.graph, line("SKU-0001", 2), key="meanwhile")
            async with gateway.socket(Role.PARTNER) as line_:
                await line_.ask("2", EVENTS, after=heard[-1]["cursor"])
                late = await place(gateway.graph, line("SKU-0001", 3), key="after")
                while not accepted(heard, late["order"]["id"]):
                    heard.append((await line_.next("2"))["orderEvents"])
            assert heard == await replayed(gateway, start, len(heard))
            for order in {event["order"]["id"] for event in heard}:
                versions = [event["version"] for event in heard if event["order"]["id"] == order]
                assert versions == list(range(1, len(versions) + 1))
            assert len({event["cursor"] for event in heard}) == len(heard)

    run(story)


def test_a_mistake_in_one_operation_ends_that_one_and_no_other(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway, gateway.socket(Role.STOREFRONT) as shop, gateway.socket(Role.PARTNER) as line_:
            await line_.ask("follows", EVENTS, after=(await gateway.graph(CURSOR))["orders"]["eventCursor"])
            for id_, query, code in (
                ("syntax", "{", "GRAPHQL_PARSE_FAILED"),
                ("validation", "{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
                ("only a fragment", "fragment A on Query { __typename }", "BAD_USER_INPUT"),
                ("variable", "query ($id: ID!) { node(id: $id) { id } }", "BAD_USER_INPUT"),
                ("two", "query A { __typename } query B { __typename }", "GRAPHQL_VALIDATION_FAILED"),
                ("size", "{" + "a" * 5 + " { a" * 20 + "}" * 20 + "}", "QUERY_TOO_LARGE"),
                ("cursor", 'subscription { orderEvents(after: "x") { id } }', "BAD_USER_INPUT"),
                ("argument", "{ inventory(skus: []) { sku } }", "BAD_USER_INPUT"),
            ):
                await line_.ask(id_, query)
                assert (await refused(line_, id_))["extensions"]["code"] == code
            await shop.ask("forbidden", EVENTS)
            assert (await refused(shop, "forbidden"))["extensions"]["code"] == "FORBIDDEN"
            await place(gateway.graph, line("SKU-0001", 1), key="one")
            assert (await line_.next("follows"))["orderEvents"]["type"] == "order.placed"

    run(story)


def test_many_operations_share_a_socket_up_to_a_limit(tmp_path: Path) -> None:
    def two_at_a_time(settings: Settings) -> Settings:
        return replace(settings, server=replace(settings.server, subscriptions_per_socket_max=2))

    async def story() -> None:
        async with served(tmp_path, tune=two_at_a_time) as gateway, gateway.socket() as line_:
            await line_.ask("1", EVENTS)
            start = (await gateway.graph(CURSOR))["orders"]["eventCursor"]
            await line_.ask("2", EVENTS, after=start)
            await line_.ask("3", EVENTS)
            refusal = await line_.hear()
            assert (refusal["type"], refusal["id"]) == ("error", "3")
            await line_.say({"type": "complete", "id": "1"})
            await line_.say({"type": "ping"})
            assert await line_.hear() == {"type": "pong"}
            await line_.ask("4", EVENTS, after=start)
            await place(gateway.graph, line("SKU-0001", 1), key="one")
            first: dict[str, Event] = {}
            while set(first) != {"2", "4"}:
                message = await line_.hear()
                first.setdefault(message["id"], message["payload"]["data"]["orderEvents"])
            assert {event["type"] for event in first.values()} == {"order.placed"}

    run(story)


def test_every_query_on_a_socket_reads_anew(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway, gateway.socket() as line_:
            for place_, units in enumerate((4_000, 3_000, 2_000)):
                await gateway.sandboxes["odoo"].count("wh-dallas", "SKU-0010", units)
                data = await line_.query(f"q{place_}", STOCK, age=0)
                assert data["inventory"] == [{"available": units}]

    run(story)


def test_every_event_on_a_socket_shows_the_stock_of_its_moment(tmp_path: Path) -> None:
    def forgetful(settings: Settings) -> Settings:
        sources = tuple(replace(each, connection=replace(each.connection, fresh_for_s=0.001)) for each in settings.sources)
        return replace(settings, sources=sources)

    query = "subscription ($after: String) { orderEvents(after: $after) { type order { lines { item { onHand } } } } }"

    async def story() -> None:
        async with served(tmp_path, tune=forgetful) as gateway, gateway.socket() as line_:
            await line_.ask("1", query, after=(await gateway.graph(CURSOR))["orders"]["eventCursor"])
            for number, units in enumerate((4_000, 3_000)):
                await gateway.sandboxes["odoo"].count("wh-dallas", "SKU-0010", units)
                await place(gateway.graph, line("SKU-0010", 1), key=f"order {number}")
                while (event := (await line_.next("1"))["orderEvents"])["type"] != "order.placed":
                    pass
                assert event["order"]["lines"] == [{"item": {"onHand": units}}]

    run(story)


def test_what_is_no_message_of_the_protocol_closes_the_socket_with_its_code(tmp_path: Path) -> None:
    payload = {"query": "{ __typename }"}
    conversations: dict[str, tuple[Sequence[object], int]] = {
        "no JSON": (["{"], 4400),
        "bytes": ([b"{}"], 4400),
        "too deep": (["[" * 30_000 + "]" * 30_000], 4400),
        "a list": ([[]], 4400),
        "null": ([None], 4400),
        "no type": ([{}], 4400),
        "a type that is no string": ([{"type": ["x"]}], 4400),
        "an unheard-of type, told at length": ([{"type": "x" * 500}], 4400),
        "an unheard-of type in another alphabet": ([{"type": "ж" * 500}], 4400),
        "a payload that is no object": ([{"type": "connection_init", "payload": []}], 4400),
        "no token": ([{"type": "connection_init"}], 4403),
        "somebody else's token": ([{"type": "connection_init", "payload": {"authorization": "Bearer x"}}], 4403),
        "a token that is no string": ([{"type": "connection_init", "payload": {"authorization": {}}}], 4403),
        "asks first": ([ASK], 4401),
        "begins twice": ([INIT, INIT], 4429),
        "one name for two": ([INIT, ASK, ASK], 4409),
        "a long name for two": ([INIT, {**ASK, "id": "x" * 500}, {**ASK, "id": "x" * 500}], 4409),
        "no payload": ([INIT, {"type": "subscribe", "id": "1"}], 4400),
        "no id": ([INIT, {"type": "subscribe", "payload": payload}], 4400),
        "an id that is no string": ([INIT, {"type": "subscribe", "id": [1], "payload": payload}], 4400),
        "no query": ([INIT, {"type": "subscribe", "id": "1", "payload": {}}], 4400),
        "a query that is no string": ([INIT, {"type": "subscribe", "id": "1", "payload": {"query": 1}}], 4400),
        "variables in a list": ([INIT, {"type": "subscribe", "id": "1", "payload": {**payload, "variables": [1]}}], 4400),
        "an end to nothing": ([INIT, {"type": "complete", "id": {}}], 4400),
    }

    async def story() -> None:
        async with served(tmp_path) as gateway:
            found = {}
            for name, (messages, _) in conversations.items():
                async with gateway.dial() as line_:
                    for message in messages:
                        await line_.say(message)
                    found[name] = (await line_.closed())[0]
            assert found == {name: code for name, (_, code) in conversations.items()}
            assert gateway_is_idle(gateway)

    run(story)


def test_a_token_in_the_handshake_will_do(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway, gateway.dial(headers=ADA) as line_:
            await line_.begin({})
            assert await line_.query("1", "{ __typename }") == {"__typename": "Query"}

    run(story)


def test_only_our_pages_our_protocol_and_so_many_who_introduce_themselves_in_time_are_let_in(tmp_path: Path) -> None:
    def hasty(settings: Settings) -> Settings:
        server = Server(socket_init_timeout_s=0.2, sockets_max=2, origins=("https://shop.example",))
        return replace(settings, server=server)

    async def story() -> None:
        async with served(tmp_path, tune=hasty) as gateway:
            async with gateway.dial() as line_:
                assert (await line_.closed())[0] == 4408
            for protocols in ((), ("graphql-ws",)):
                async with gateway.dial(protocols=protocols) as line_:
                    assert (await line_.closed())[0] == 4406
            async with gateway.dial(origin="https://shop.example", headers=ADA) as line_:
                await line_.begin({})
                with pytest.raises(InvalidStatus, match="403"):
                    await gateway.dial(origin="https://elsewhere.example").__aenter__()
                async with gateway.dial(headers=ADA) as second:
                    await second.begin({})
                    with pytest.raises(InvalidStatus, match="403"):
                        await gateway.dial(headers=ADA).__aenter__()

    run(story)


def gateway_is_idle(gateway: Served) -> bool:
    """Whether no socket is counted any more."""
    return all(getattr(route, "app", None) is None or getattr(route.app, "sockets", 0) == 0 for route in gateway.app.routes)  # type: ignore[attr-defined]  # some routes have an app


def accepted(events: Sequence[Event], order: str) -> bool:
    return any(event["type"] == "fulfillment.accepted" and event["order"]["id"] == order for event in events)


async def refused(line_: Line, id_: str) -> Event:
    """The error that an operation ends with, before it gave anything or as its only result."""
    message = await line_.hear()
    assert message["id"] == id_
    if message["type"] == "error":
        (error,) = message["payload"]
    else:
        (error,) = message["payload"]["errors"]
        assert await line_.hear() == {"id": id_, "type": "complete"}
    found: Event = error
    return found


async def replayed(gateway: Served, after: str, count: int) -> list[Event]:
    """The first events after a cursor, read at one go."""
    async with gateway.socket() as line_, asyncio.timeout(PATIENCE_S):
        await line_.ask("all", EVENTS, after=after)
        return [(await line_.next("all"))["orderEvents"] for _ in range(count)]
