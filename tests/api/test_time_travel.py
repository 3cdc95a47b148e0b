"""How it was, as clients ask for it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.harness import Graph, line, place, run, world

ORDER = """query ($number: String!, $at: DateTime) { order(by: {number: $number}, asOf: $at) {
  version status timeline { version occurredAt } } }"""
CANCEL = """mutation ($id: ID!) { orderCancel(input: {idempotencyKey: "cancel", id: $id, reasonCode: "CUSTOMER"}) {
  order { version } userErrors { code } } }"""
HOLD = """mutation { reservationCreate(input: {idempotencyKey: "hold", lines: [{sku: "SKU-0010", units: 7}]}) {
  reservation { id } userErrors { code } } }"""
STOCK = """query ($at: DateTime, $age: Int) { inventory(skus: ["SKU-0010", "SKU-0009"], asOf: $at, maxAgeSeconds: $age) {
  sku reserved allocated availableToPromise onHand complete notice sources { status }
  levels { location { code } reserved allocated available availableToPromise freshness asOf } } }"""


def earlier(instant: str) -> str:
    return (datetime.fromisoformat(instant) - timedelta(microseconds=1)).isoformat()


async def refusal(graph: Graph, query: str, **variables: Any) -> tuple[str, list[str]]:
    (error,) = (await graph.post({"query": query, "variables": variables})).json()["errors"]
    return error["extensions"]["code"], error["extensions"].get("argumentPath", [])


def test_an_order_can_be_seen_as_each_of_its_events_left_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            placed = (await place(graph, line("SKU-0010", 2), key="order"))["order"]
            number = placed["number"]
            await graph(CANCEL, id=placed["id"])
            now = await graph.until(
                ORDER, lambda data: len(data["order"]["timeline"]) == data["order"]["version"] > 2, number=number
            )
            routed, canceled = now["order"]["timeline"][1], now["order"]["timeline"][2]
            for at, version in (
                (earlier(routed["occurredAt"]), None),
                (routed["occurredAt"], 2),
                (earlier(canceled["occurredAt"]), 2),
                (canceled["occurredAt"], 3),
            ):
                found = (await graph(ORDER, number=number, at=at))["order"]
                assert (found and found["version"]) == version, at
            assert await refusal(graph, ORDER, number=number, at="2999-01-01T00:00:00Z") == ("BAD_USER_INPUT", ["asOf"])
            assert (await graph(ORDER, number="00000-00000", at=canceled["occurredAt"]))["order"] is None

    run(story)


def test_inventory_of_the_past_is_what_we_had_promised_and_nothing_of_what_sources_had(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            before = datetime.now().astimezone().isoformat()
            await graph(HOLD)
            order = (await place(graph, line("SKU-0010", 2), key="order"))["order"]
            location = order["fulfillmentOrders"][0]["location"]["code"]
            after = datetime.now().astimezone().isoformat()

            none, other = (await graph(STOCK, at=before))["inventory"]
            assert (none["sku"], none["reserved"], none["allocated"], none["levels"]) == ("SKU-0010", 0, 0, [])
            assert (other["sku"], other["reserved"]) == ("SKU-0009", 0)
            some, _other = (await graph(STOCK, at=after))["inventory"]
            assert (some["reserved"], some["allocated"]) == (7, 2), "seven are held wherever they may come from"
            assert (some["availableToPromise"], some["onHand"], some["complete"], some["sources"]) == (None, None, False, [])
            assert some["levels"] == [
                {
                    "location": {"code": location},
                    "reserved": 0,
                    "allocated": 2,
                    "available": None,
                    "availableToPromise": None,
                    "freshness": "UNKNOWN",
                    "asOf": None,
                }
            ]
            assert await refusal(graph, STOCK, at=before, age=5) == ("BAD_USER_INPUT", ["asOf"])
            assert await refusal(graph, STOCK, at="2999-01-01T00:00:00Z") == ("BAD_USER_INPUT", ["asOf"])
            ours = 'query ($at: DateTime) { inventory(skus: ["~day:2026-03-02"], asOf: $at) { reserved } }'
            assert await refusal(graph, ours, at=after) == ("BAD_USER_INPUT", ["skus", "0"]), "no product is called so"

    run(story)


def test_every_source_declares_what_it_can_do_and_how_far_its_numbers_carry(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            query = """{ sources { name capabilities {
              can stockDrop visibilityDelaySeconds idempotency tier batchSkusMax freshForSeconds } } }"""
            declared = {each["name"]: each["capabilities"] for each in (await graph(query))["sources"]}
            assert declared["square"] == {
                "can": ["CANCEL", "FEED", "FIND_BY_KEY", "FULFILL", "LIST_SKUS", "READ_STOCK", "WEBHOOKS"],
                "stockDrop": "ON_SHIP",
                "visibilityDelaySeconds": 0.0,
                "idempotency": "KEY",
                "tier": "SNAPSHOT_ONLY",
                "batchSkusMax": 200,  # of five stores, on a page of a thousand counts
                "freshForSeconds": 5.0,
            }
            assert {name: each["stockDrop"] for name, each in declared.items()} == {
                "odoo": "ON_ACCEPT",
                "square": "ON_SHIP",
                "shipbob": "ON_ACCEPT",
            }

    run(story)
