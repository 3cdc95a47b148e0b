"""Orders a page at a time, and anything by its id (Relay)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.api.identifiers import opaque
from gateway.settings import Settings
from tests.harness import Graph, line, place, run, world

PAGE = """query ($first: Int, $after: String, $last: Int, $before: String,
  $filter: OrderFilterInput, $sort: OrderSort! = PLACED_AT_DESC) {
  orders(first: $first, after: $after, last: $last, before: $before, filter: $filter, sort: $sort) {
    edges { cursor node { id } } nodes { id number externalId channel } count { value precision }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
Found = dict[str, Any]


def test_pages_forward_and_backward_agree_while_orders_come_in(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            placed = [(await place(graph, line("SKU-0006", 1), key=f"o{n}"))["order"]["id"] for n in range(7)]
            forward: list[str] = []
            page = await orders(graph, first=3)
            while True:
                forward += [node["id"] for node in page["nodes"]]
                assert [edge["node"]["id"] for edge in page["edges"]] == [node["id"] for node in page["nodes"]]
                await place(graph, line("SKU-0006", 1), key=f"while reading {len(forward)}")
                if not page["pageInfo"]["hasNextPage"]:
                    break
                page = await orders(graph, first=3, after=page["pageInfo"]["endCursor"])
            assert forward == placed[::-1]

            backward: list[str] = []
            while True:
                page = await orders(graph, last=3, before=page["pageInfo"]["startCursor"])
                backward = [node["id"] for node in page["nodes"]] + backward
                if not page["pageInfo"]["hasPreviousPage"]:
                    break
            everything = await orders(graph, first=100)
            assert everything["count"] == {"value": 10, "precision": "EXACT"}
            assert backward + forward[-1:] == [node["id"] for node in everything["nodes"]]
            oldest_first = await orders(graph, first=100, sort="PLACED_AT_ASC")
            assert oldest_first["nodes"] == everything["nodes"][::-1]
            assert (await orders(graph, last=2))["nodes"] == everything["nodes"][-2:]

    run(story)


def test_a_page_that_makes_no_sense_is_refused_with_the_argument_to_blame(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            naive, digits = opaque("o", "2026-01-01T00:00:00", "x"), opaque("e", "9" * 5_000)
            for variables, blamed in (
                ({"first": 0}, ["first"]),
                ({"first": -1}, ["first"]),
                ({"first": 101}, ["first"]),
                ({"last": 101}, ["last"]),
                ({"first": 1, "last": 1}, ["first"]),
                ({"first": 1, "before": "x"}, ["first"]),
                ({"after": "x"}, ["after"]),
                ({"after": "\u0000é"}, ["after"]),
                ({"after": naive}, ["after"]),
                ({"after": digits}, ["after"]),
                ({"last": 1, "before": opaque("e", "1")}, ["before"]),
                ({"filter": {"location": ["x"]}}, ["filter", "location"]),
                ({"filter": {"sku": ["x"] * 101}}, ["filter", "sku"]),
            ):
                (error,) = (await graph.post({"query": PAGE, "variables": variables})).json()["errors"]
                assert error["extensions"]["code"] in {"BAD_USER_INPUT", "NOT_FOUND"}, variables
                assert error["extensions"]["argumentPath"] == blamed
            events = {"query": PAGE, "variables": {"filter": {"placedFrom": "2026-01-01"}}}
            (error,) = (await graph.post(events)).json()["errors"]
            assert error["extensions"]["code"] == "BAD_USER_INPUT"

    run(story)


def test_filters_narrow_and_an_order_is_found_by_each_of_its_names(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            one = (await place(graph, line("SKU-0006", 1), key="1", channel="app", externalId="A-1"))["order"]
            two = (await place(graph, line("SKU-0010", 2), key="2"))["order"]
            location = (await graph('{ location(by: {code: "dallas-warehouse"}) { id } }'))["location"]["id"]
            for given, expected in (
                ({"channel": ["app"]}, [one]),
                ({"channel": ["nobody"]}, []),
                ({"sku": ["SKU-0010", "SKU-0001"]}, [two]),
                ({"location": [location]}, [two]),
                ({"status": ["CANCELED"]}, []),
                ({"status": ["ROUTED"], "placedFrom": "2020-01-01T00:00:00Z"}, [two, one]),
                ({"placedTo": "2020-01-01T00:00:00-05:00"}, []),
                ({"status": [], "channel": None}, [two, one]),
            ):
                found = await orders(graph, filter=given)
                assert [node["id"] for node in found["nodes"]] == [order["id"] for order in expected], given
                assert found["count"]["value"] == len(expected)

            by = "query ($by: OrderBy!) { order(by: $by) { number } }"
            for name in ({"id": one["id"]}, {"number": one["number"]}, {"externalId": {"channel": "app", "externalId": "A-1"}}):
                assert (await graph(by, by=name))["order"] == {"number": one["number"]}
            for name in (
                {"id": location},
                {"id": ""},
                {"number": "\u0000"},
                {"externalId": {"channel": "web", "externalId": "A-1"}},
            ):
                assert (await graph(by, by=name))["order"] is None
            for names in ({"id": one["id"], "number": one["number"]}, {}, {"id": None}, {"id": one["id"], "number": None}):
                (error,) = (await graph.post({"query": by, "variables": {"by": names}})).json()["errors"]
                assert error["extensions"]["code"] == "BAD_USER_INPUT"

    run(story)


def test_everything_with_an_id_is_found_by_it_and_many_at_once_cost_one_read_per_source(tmp_path: Path) -> None:
    def forgetful(settings: Settings) -> Settings:
        sources = tuple(replace(each, connection=replace(each.connection, fresh_for_s=0.001)) for each in settings.sources)
        return replace(settings, sources=sources)

    async def story() -> None:
        async with world(tmp_path, products=12, tune=forgetful) as (graph, sandboxes):
            order = (await place(graph, line("SKU-0006", 1), key="1"))["order"]
            made = await graph(
                """mutation { reservationCreate(input: {idempotencyKey: "1", lines: [{sku: "SKU-0001", units: 1}]})
                { reservation { id } } }"""
            )
            more = await graph(
                """query ($id: ID!) { order(by: {id: $id}) { routingDecisions { id } } source(name: "odoo") { id }
                location(by: {code: "dallas-warehouse"}) { id }
                inventory(skus: ["SKU-0001", "SKU-0009", "SKU-0008"]) { id } routingPolicies { nodes { id } }
                __type(name: "Node") { possibleTypes { name } } }""",
                id=order["id"],
            )
            ids = [
                ("Order", order["id"]),
                ("FulfillmentOrder", order["fulfillmentOrders"][0]["id"]),
                ("Reservation", made["reservationCreate"]["reservation"]["id"]),
                ("RoutingDecision", more["order"]["routingDecisions"][0]["id"]),
                ("RoutingPolicy", more["routingPolicies"]["nodes"][0]["id"]),
                ("Location", more["location"]["id"]),
                ("Source", more["source"]["id"]),
                *(("InventoryItem", item["id"]) for item in more["inventory"]),
            ]
            assert {kind["name"] for kind in more["__type"]["possibleTypes"]} == {kind for kind, _ in ids}
            for kind, each in ids:
                assert (await graph("query ($id: ID!) { node(id: $id) { __typename id } }", id=each))["node"] == {
                    "__typename": kind,
                    "id": each,
                }
            strangers = ["", "x", "é", opaque("Order", "none"), opaque("Order"), opaque("Nothing", "x"), opaque("Source", "x")]
            strangers += [opaque("InventoryItem", "\u0000"), opaque("InventoryItem", "x" * 101), opaque("RoutingDecision", "x")]
            for sandbox in sandboxes.values():
                await sandbox.forget()
            mixed = (await graph(NODES, ids=[*strangers, *(each for _, each in ids)]))["nodes"]
            assert mixed == [None] * len(strangers) + [{"__typename": kind, "id": each} for kind, each in ids]
            stock_reads = [request for request in await sandboxes["shipbob"].requests() if "inventory" in request["path"]]
            assert len(stock_reads) == 1
            (error,) = (await graph.post({"query": NODES, "variables": {"ids": ["x"] * 51}})).json()["errors"]
            assert error["extensions"]["code"] == "BAD_USER_INPUT"

    run(story)


async def orders(graph: Graph, **variables: Any) -> Found:
    found: Found = (await graph(PAGE, **variables))["orders"]
    return found
