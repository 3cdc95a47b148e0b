"""Sources that take no requests: goods are set aside where that can be done, and people do the work and say so."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.harness import CHICAGO, Graph, line, place, run, world
from tests.scenarios.questions import SHIP

WORK = """query ($id: ID!) { order(by: {id: $id}) { status fulfillmentOrders {
  id status requestStatus remoteRef location { code source { name capabilities { tier can } } } } } }"""
STOCK = """query ($sku: String!) { inventory(skus: [$sku], maxAgeSeconds: 0) {
  levels { location { code } available availableToPromise } } }"""
ACCEPT = """mutation ($input: FulfillmentOrderAcceptInput!) { fulfillmentOrderAccept(input: $input) {
  fulfillmentOrder { requestStatus } userErrors { message } } }"""
CANCEL = "mutation ($input: OrderCancelInput!) { orderCancel(input: $input) { order { status } userErrors { message } } }"
JOBS = "{ jobs(first: 10, state: DEAD) { nodes { id } } }"


async def level(graph: Graph, sku: str, code: str) -> tuple[int, int]:
    """What the source says is there, and what may be promised."""
    (item,) = (await graph(STOCK, sku=sku))["inventory"]
    (found,) = (each for each in item["levels"] if each["location"]["code"] == code)
    return found["available"], found["availableToPromise"]


def is_at(data: dict[str, Any], *, request: str) -> bool:
    return [each["requestStatus"] for each in data["order"]["fulfillmentOrders"]] == [request]


async def bought(graph: Graph, sku: str, units: int, key: str) -> tuple[str, dict[str, Any]]:
    """An order of units that are only here, and its work once it was asked for."""
    payload = await place(graph, line(sku, units), key=key, to=CHICAGO)
    assert payload["userErrors"] == []
    order = payload["order"]["id"]
    asked: Callable[[dict[str, Any]], bool] = lambda data: data["order"]["fulfillmentOrders"][0]["remoteRef"] is not None  # noqa: E731
    (work,) = (await graph.until(WORK, asked, id=order))["order"]["fulfillmentOrders"]
    return order, work


def test_goods_are_set_aside_at_a_source_that_can_hold_and_given_back_when_they_have_left(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, systems=["medusa"]) as (graph, sandboxes):
            await sandboxes["medusa"].count("depot-phoenix", "SKU-0002", 0)
            await sandboxes["medusa"].count("depot-nashville", "SKU-0002", 10)
            order, work = await bought(graph, "SKU-0002", 4, "k")
            assert work["location"]["source"]["capabilities"]["tier"] == "HOLD_AT_SOURCE"
            assert work["requestStatus"] == "ACCEPTED"
            assert await level(graph, "SKU-0002", "nashville-depot") == (6, 6), "held there, and not counted twice here"

            packages = [{"carrier": "UPS", "trackingNumber": "1Z", "lines": [line("SKU-0002", 4)]}]
            said = await graph(SHIP, input={"idempotencyKey": "s", "id": work["id"], "packages": packages})
            assert said["fulfillmentOrderShip"]["userErrors"] == []
            await graph.until(WORK, lambda data: data["order"]["status"] == "FULFILLED", id=order)
            await sandboxes["medusa"].count("depot-nashville", "SKU-0002", 6)  # those who packed it booked it off
            await graph.until(STOCK, partial(_shows, code="nashville-depot", levels=(6, 6)), sku="SKU-0002")

    run(story)


def test_what_was_set_aside_for_a_canceled_order_is_free_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, systems=["medusa"]) as (graph, sandboxes):
            await sandboxes["medusa"].count("depot-phoenix", "SKU-0002", 0)
            await sandboxes["medusa"].count("depot-nashville", "SKU-0002", 10)
            order, _ = await bought(graph, "SKU-0002", 10, "k")
            assert await level(graph, "SKU-0002", "nashville-depot") == (0, 0)
            assert (await graph(CANCEL, input={"idempotencyKey": "c", "id": order, "reasonCode": "CUSTOMER"}))["orderCancel"][
                "userErrors"
            ] == []
            await graph.until(WORK, lambda data: data["order"]["status"] == "CANCELED", id=order)
            await graph.until(STOCK, partial(_shows, code="nashville-depot", levels=(10, 10)), sku="SKU-0002")

    run(story)


def test_where_nobody_can_be_asked_people_find_the_work_and_their_word_is_enough(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, systems=["sql"]) as (graph, sandboxes):
            await sandboxes["sql"].count("erp-saltlake", "SKU-0005", 0)
            await sandboxes["sql"].count("erp-kansascity", "SKU-0005", 9)
            order, work = await bought(graph, "SKU-0005", 2, "k")
            assert work["requestStatus"] == "SUBMITTED"
            accepted = await graph(ACCEPT, input={"idempotencyKey": "a", "id": work["id"]})
            assert accepted["fulfillmentOrderAccept"]["fulfillmentOrder"]["requestStatus"] == "ACCEPTED"
            assert await level(graph, "SKU-0005", "kansas-city-erp") == (9, 7)
            packages = [{"carrier": "UPS", "trackingNumber": "1Z", "lines": [line("SKU-0005", 2)]}]
            await graph(SHIP, input={"idempotencyKey": "s", "id": work["id"], "packages": packages})
            await graph.until(WORK, lambda data: data["order"]["status"] == "FULFILLED", id=order)
            await sandboxes["sql"].count("erp-kansascity", "SKU-0005", 7)
            await graph.until(STOCK, partial(_shows, code="kansas-city-erp", levels=(7, 7)), sku="SKU-0005")
            assert (await graph(JOBS))["jobs"]["nodes"] == [], "nothing was given up"

    run(story)


def _shows(data: dict[str, Any], *, code: str, levels: tuple[int, int]) -> bool:
    (found,) = (each for each in data["inventory"][0]["levels"] if each["location"]["code"] == code)
    return (found["available"], found["availableToPromise"]) == levels
