"""A person says in the graph that goods left, before the location's own system says so."""

from pathlib import Path
from typing import Any

from tests.harness import CHICAGO, Graph, line, place, run, world

SHIP = """mutation ($input: FulfillmentOrderShipInput!) { fulfillmentOrderShip(input: $input) {
  fulfillmentOrder { status requestStatus order { status } } userErrors { code message } } }"""
WORK = """query ($id: ID!) { order(by: {id: $id}) { fulfillmentOrders { id requestStatus remoteRef location { id code } } } }"""
STOCK = '{ inventory(skus: ["SKU-0009"], maxAgeSeconds: 0) { levels { location { code } available availableToPromise } } }'
STORES = '{ location(by: {code: "chicago-store"}) { id } }'


async def level(graph: Graph) -> tuple[int, int]:
    """What Square says of the Chicago store, and what may be promised from there."""
    (item,) = (await graph(STOCK))["inventory"]
    (found,) = (each for each in item["levels"] if each["location"]["code"] == "chicago-store")
    return found["available"], found["availableToPromise"]


def test_units_are_not_promised_again_until_the_stores_own_number_shows_that_they_left(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, sandboxes):
            available, promisable = await level(graph)
            store = (await graph(STORES))["location"]["id"]
            bought = await place(graph, line("SKU-0009", 1), key="k", method="PICKUP", pickupAt=store, to=CHICAGO)
            order = bought["order"]["id"]

            def arrived(data: dict[str, Any]) -> bool:
                return data["order"]["fulfillmentOrders"][0]["remoteRef"] is not None

            (work,) = (await graph.until(WORK, arrived, id=order))["order"]["fulfillmentOrders"]
            packages = [{"carrier": "counter", "lines": [line("SKU-0009", 1)]}]
            payload = (await graph(SHIP, input={"idempotencyKey": "s", "id": work["id"], "packages": packages}))[
                "fulfillmentOrderShip"
            ]
            assert payload["userErrors"] == []
            assert payload["fulfillmentOrder"]["order"]["status"] == "FULFILLED"

            # The store has not completed the order: its number is what it was, and the unit is gone all the same.
            assert await level(graph) == (available, promisable - 1)
            await sandboxes["square"].act(work["remoteRef"], "ship", carrier="counter", tracking_number="none")

            for _ in range(2):  # before and after the gateway has noticed
                assert await level(graph) in {(available - 1, promisable - 2), (available - 1, promisable - 1)}
            now = (await graph.until(STOCK, lambda data: _at_chicago(data) == promisable - 1))["inventory"]
            assert now

    run(story)


def _at_chicago(data: dict[str, Any]) -> int:
    levels = data["inventory"][0]["levels"]
    (found,) = (int(each["availableToPromise"]) for each in levels if each["location"]["code"] == "chicago-store")
    return found
