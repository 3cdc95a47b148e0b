"""Who may ask for what."""

from pathlib import Path
from typing import Any

import pytest

from gateway.demo.world import TOKENS, demo_settings
from gateway.domain.principals import Role
from gateway.web.auth import Tokens
from tests.harness import Graph, line, place, run, world

NEW = "application/graphql-response+json"

# What each role may not do; everything else here it may. A null where it may not, beside what it may.
DOORS = {
    "READ_STOCK": '{ found: inventory(skus: ["SKU-0001"]) { sku } }',
    "RESERVE": '{ found: reservation(id: "none") { id } }',
    "READ_ORDERS": "{ found: orders { eventCursor } }",
    "READ_SOURCES": "{ found: sources { health { ok } } }",
    "PLACE_ORDERS": """mutation { found: orderPlace(input: {idempotencyKey: " ", channel: "web", lines: [],
        to: {lines: [], city: "", postalCode: "", countryCode: ""}}) { userErrors { code } } }""",
    "CHANGE_ORDERS": """mutation { found: orderCancel(input: {idempotencyKey: "a", id: "none", reasonCode: "x"})
        { userErrors { code } } }""",
    "FULFILL": 'mutation { found: fulfillmentOrderAccept(input: {idempotencyKey: "a", id: "none"}) { userErrors { code } } }',
}
CLOSED = {
    Role.STOREFRONT: {"READ_SOURCES", "FULFILL"},
    Role.AGENT: set[str](),
    Role.PARTNER: {"RESERVE", "READ_SOURCES", "PLACE_ORDERS", "CHANGE_ORDERS", "FULFILL"},
    Role.OPERATOR: set[str](),
}


def test_each_role_passes_its_own_doors_and_no_other(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            for role, shut in CLOSED.items():
                found = {door for door, query in DOORS.items() if await forbidden(graph, query, role)}
                assert found == shut, role

    run(story)


def test_a_node_is_no_way_around_a_door(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            placed = await place(graph, line("SKU-0001", 1), key="one")
            held = await graph(
                """mutation { reservationCreate(input: {idempotencyKey: "h", lines: [{sku: "SKU-0001", units: 1}]})
                { reservation { id } } }"""
            )
            reservation = held["reservationCreate"]["reservation"]["id"]
            query = "query ($order: ID!, $hold: ID!) { order: node(id: $order) { id } hold: node(id: $hold) { id } }"
            body = {"query": query, "variables": {"order": placed["order"]["id"], "hold": reservation}}
            answer = await graph.post(body, role=Role.PARTNER, accept=NEW)
            assert answer.status_code == 200
            assert answer.json()["data"] == {"order": {"id": placed["order"]["id"]}, "hold": None}
            (error,) = answer.json()["errors"]
            assert (error["path"], error["extensions"]["code"]) == (["hold"], "FORBIDDEN")

    run(story)


def test_without_a_token_of_ours_nothing_is_answered_and_no_stream_begins(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            credentials = (None, "", "Bearer", "Bearer ", "Bearer x", "Basic ZGVtbw==", TOKENS[Role.OPERATOR], b"Bearer caf\xe9")
            for credential in credentials:
                for accept in ("application/json", NEW, "text/event-stream"):
                    headers: dict[str, Any] = {"accept": accept} | ({} if credential is None else {"authorization": credential})
                    answer = await graph.client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
                    assert answer.status_code == 401
                    assert answer.headers["www-authenticate"] == "Bearer"
                    assert answer.headers["content-type"] == (NEW if accept == NEW else "application/json")
                    (error,) = answer.json()["errors"]
                    assert error["extensions"] == {"code": "UNAUTHENTICATED"}

    run(story)


@pytest.mark.parametrize("header", ["Bearer demo-partner", "bearer demo-partner", "BEARER  demo-partner "])
def test_the_scheme_may_be_written_in_either_case(header: str) -> None:
    tokens = Tokens.of(demo_settings({}, database=Path("none")).tokens)
    principal = tokens.bearer(header)
    assert principal is not None
    assert principal.role is Role.PARTNER


async def forbidden(graph: Graph, query: str, role: Role) -> bool:
    """Whether the role is refused, and with the code that says so."""
    answer = (await graph.post({"query": query}, role=role)).json()
    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    assert codes <= {"FORBIDDEN"}, answer
    return bool(codes)
