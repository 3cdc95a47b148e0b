"""Promises over real sockets: held, kept, counted once, and never more than there is."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.app import Parts
from tests.harness import CHICAGO, Graph, gateway, line, network, place, run, world
from tests.scenarios.questions import Ahead, attentive, eventually, item, requests_are, settled

HOLD = """mutation ($input: ReservationCreateInput!) { reservationCreate(input: $input) {
  reservation { id state expiresAt lines { sku units location { code } } }
  userErrors { code message path ... on InsufficientStockError { sku requested available } } } }"""
EXTEND = """mutation ($input: ReservationExtendInput!) { reservationExtend(input: $input) {
  reservation { state } userErrors { code } } }"""
RELEASE = """mutation ($input: ReservationReleaseInput!) { reservationRelease(input: $input) {
  reservation { state } userErrors { code } } }"""
STATE = "query ($id: ID!) { reservation(id: $id) { state } }"
PREVIEW = """query ($input: RoutingInput!) { routingPreview(input: $input) {
  decision { cost { amount } plan { location { code } lines { sku units } } }
  userErrors { code message path ... on InsufficientStockError { sku requested available } } } }"""


async def hold(graph: Graph, *lines: dict[str, Any], key: str, **more: Any) -> dict[str, Any]:
    """Hold these lines: the payload."""
    answer = await graph(HOLD, input={"idempotencyKey": key, "lines": list(lines), **more})
    return dict(answer["reservationCreate"])


async def preview(graph: Graph, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Where these lines would come from: the payload."""
    answer = await graph(PREVIEW, input={"lines": list(lines), "to": CHICAGO, **more})
    return dict(answer["routingPreview"])


async def promisable(graph: Graph, sku: str) -> int | None:
    """Units that may still be promised."""
    units: int | None = (await item(graph, sku))["availableToPromise"]
    return units


def test_a_hold_keeps_all_lines_or_none_until_it_is_released_or_runs_out(tmp_path: Path) -> None:
    async def story() -> None:
        clock = Ahead()
        async with network() as (urls, _), gateway(urls, tmp_path / "dom.sqlite3", parts=Parts(clock=clock)) as graph:
            refused = await hold(graph, line("SKU-0001", 5), line("SKU-0004", 6), key="too-much")
            (error,) = refused["userErrors"]
            assert (error["code"], error["sku"], error["requested"], error["available"]) == ("INSUFFICIENT_STOCK", "SKU-0004", 6, 5)
            assert (await item(graph, "SKU-0001"))["reserved"] == 0

            kept = (await hold(graph, line("SKU-0004", 4), key="four", ttlSeconds=60))["reservation"]
            assert await promisable(graph, "SKU-0004") == 1
            assert (await place(graph, line("SKU-0004", 2), key="two"))["userErrors"][0]["code"] == "INSUFFICIENT_STOCK"
            clock.by_s += 50
            answer = await graph(EXTEND, input={"idempotencyKey": "more", "id": kept["id"], "ttlSeconds": 60})
            assert answer["reservationExtend"]["userErrors"] == []
            clock.by_s += 50
            assert await promisable(graph, "SKU-0004") == 1
            clock.by_s += 11
            assert await promisable(graph, "SKU-0004") == 5
            assert (await graph(STATE, id=kept["id"]))["reservation"]["state"] == "EXPIRED"
            answer = await graph(EXTEND, input={"idempotencyKey": "late", "id": kept["id"]})
            assert [each["code"] for each in answer["reservationExtend"]["userErrors"]] == ["RESERVATION_EXPIRED"]
            assert (await place(graph, line("SKU-0004", 5), key="five"))["userErrors"] == []

            again = (await hold(graph, line("SKU-0006", 300), key="released"))["reservation"]
            assert await promisable(graph, "SKU-0006") == 700
            for key in ("once", "twice"):
                answer = await graph(RELEASE, input={"idempotencyKey": key, "id": again["id"]})
                assert answer["reservationRelease"] == {"reservation": {"state": "RELEASED"}, "userErrors": []}
                assert await promisable(graph, "SKU-0006") == 1_000

    run(story)


def test_a_hold_becomes_an_order_without_a_gap_in_which_others_could_buy_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, _):
            kept = (await hold(graph, line("SKU-0004", 5), key="all"))["reservation"]
            greedy = [place(graph, line("SKU-0004", 1), key=f"greedy-{number}") for number in range(10)]
            mine = place(graph, line("SKU-0004", 5), key="mine", reservation=kept["id"])
            *others, own = await asyncio.gather(*greedy[:5], mine, *greedy[5:])
            payloads = [*others, own]
            accepted = [each["order"] for each in payloads if each["order"] is not None]
            assert [sum(each["units"] for each in order["lines"]) for order in accepted] == [5]
            assert {error["code"] for each in payloads for error in each["userErrors"]} == {"INSUFFICIENT_STOCK"}
            assert (await graph(STATE, id=kept["id"]))["reservation"]["state"] == "COMMITTED"
            spent = await place(graph, line("SKU-0004", 5), key="again", reservation=kept["id"])
            assert [each["code"] for each in spent["userErrors"]] == ["RESERVATION_EXPIRED"]

    run(story)


def test_of_twenty_who_want_the_last_five_at_once_exactly_five_get_one(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, sandboxes):
            payloads = await asyncio.gather(*(place(graph, line("SKU-0004", 1), key=f"last-{number}") for number in range(20)))
            accepted = [each["order"] for each in payloads if each["order"] is not None]
            assert len(accepted) == 5
            assert len({work["location"]["code"] for order in accepted for work in order["fulfillmentOrders"]}) == 5
            refusals = [each["userErrors"][0] for each in payloads if each["order"] is None]
            assert {(each["code"], each["available"]) for each in refusals} == {("INSUFFICIENT_STOCK", 0)}

            async def all_have_arrived() -> bool:
                return len(await sandboxes["square"].orders()) == 5

            await eventually(all_have_arrived)
            assert await promisable(graph, "SKU-0004") == 0

    run(story)


@pytest.mark.parametrize(
    ("sku", "source", "whole"),
    [("SKU-0006", "odoo", 1_000), ("SKU-0009", "square", 35)],
)
def test_what_a_source_has_taken_into_its_books_is_subtracted_once_from_its_acceptance_until_it_has_left(
    tmp_path: Path, sku: str, source: str, whole: int
) -> None:
    async def story() -> None:
        async with world(tmp_path, tune=attentive) as (graph, sandboxes):
            sold, over = [0], asyncio.Event()
            asking = asyncio.create_task(_never_more_than_is_left(graph, sku, whole, sold, over))

            async def buy(units: int) -> str:
                order = (await place(graph, line(sku, units), key=f"after-{sold[0]}"))["order"]
                sold[0] += units
                await settled(graph, order["id"], lambda found: all(work["remoteRef"] for work in found["fulfillmentOrders"]))
                return str(order["id"])

            async def exact() -> bool:
                # Between a source's own change and our hearing of it units may count twice, but soon they count once.
                return await promisable(graph, sku) == whole - sold[0]

            order = await buy(4)
            (arrived,) = await sandboxes[source].orders()
            await sandboxes[source].act(arrived["ref"], "accept")
            await settled(graph, order, requests_are("ACCEPTED"))
            await eventually(exact)
            await buy(1)  # which settles what a reading after the acceptance contains
            await eventually(exact)
            await sandboxes[source].act(arrived["ref"], "ship", carrier="UPS", tracking_number="1Z1")
            await settled(graph, order, lambda found: found["status"] == "FULFILLED")
            await eventually(exact)
            await buy(1)
            await eventually(exact)
            over.set()
            await asking

    run(story)


@pytest.mark.parametrize(("sku", "source", "whole"), [("SKU-0006", "odoo", 1_000), ("SKU-0009", "square", 35)])
def test_a_number_read_before_the_source_knew_of_our_sale_is_never_taken_to_contain_it(
    tmp_path: Path, sku: str, source: str, whole: int
) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, sandboxes):
            assert await promisable(graph, sku) == whole  # and is kept, for as long as the source says it stays fresh
            order = (await place(graph, line(sku, 4), key="sold"))["order"]
            await settled(graph, order["id"], lambda found: bool(found["fulfillmentOrders"][0]["remoteRef"]))
            (arrived,) = await sandboxes[source].orders()
            await sandboxes[source].act(arrived["ref"], "accept")
            await settled(graph, order["id"], requests_are("ACCEPTED"))
            assert await promisable(graph, sku) == whole - 4
            await sandboxes[source].act(arrived["ref"], "ship", carrier="UPS", tracking_number="1Z1")
            await settled(graph, order["id"], lambda found: found["status"] == "FULFILLED")
            assert await promisable(graph, sku) == whole - 4

    run(story)


async def _never_more_than_is_left(graph: Graph, sku: str, whole: int, sold: list[int], over: asyncio.Event) -> None:
    """Ask all the time; what was sold before a question must be in its answer."""
    while not over.is_set():
        left = whole - sold[0]
        units = await promisable(graph, sku)
        assert units is not None
        assert units <= left


def test_a_preview_changes_nothing_and_comes_true_when_the_order_is_placed(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, sandboxes):
            lines = (line("SKU-0002", 2), line("SKU-0003", 1), line("SKU-0001", 7))
            before = [await item(graph, each["sku"], age=0) for each in lines]
            for preference in ("CHEAPEST", "FASTEST", "FEWEST_PARCELS"):
                first = await preview(graph, *lines, preference=preference)
                assert first["userErrors"] == []
                assert await preview(graph, *lines, preference=preference) == first
                after = [await item(graph, each["sku"]) for each in lines]
                numbers = [(each["availableToPromise"], each["reserved"]) for each in before]
                assert [(each["availableToPromise"], each["reserved"]) for each in after] == numbers
            assert [await each.orders() for each in sandboxes.values()] == [[], [], []]

            foreseen = await preview(graph, *lines)
            placed = await place(graph, *lines, key="foreseen")
            plan = {each["location"]["code"]: each["lines"] for each in foreseen["decision"]["plan"]}
            works = placed["order"]["fulfillmentOrders"]
            assert {each["location"]["code"]: each["lines"] for each in works} == plan

    run(story)


def test_preferences_weigh_parcels_and_days_and_a_pickup_comes_from_its_own_store(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, _):
            ids = {each["code"]: each["id"] for each in (await graph("{ locations { id code } }"))["locations"]}

            async def plan(*lines: dict[str, Any], **more: Any) -> list[str]:
                found = await preview(graph, *lines, **more)
                assert found["userErrors"] == []
                return [each["location"]["code"] for each in found["decision"]["plan"]]

            async def refusal(*lines: dict[str, Any], **more: Any) -> tuple[str, list[str] | None]:
                found = await preview(graph, *lines, **more)
                (error,) = found["userErrors"]
                return error["code"], error["path"]

            wide = (line("SKU-0005", 6), line("SKU-0010", 1))  # the store has the first, Dallas has both
            assert await plan(*wide, preference="FEWEST_PARCELS") == ["dallas-warehouse"]
            assert "chicago-store" in await plan(*wide, preference="FASTEST")

            denver = {"method": "PICKUP", "pickupAt": ids["denver-store"]}
            assert await plan(line("SKU-0009", 7), **denver) == ["denver-store"]
            assert (await refusal(line("SKU-0009", 8), **denver))[0] == "INSUFFICIENT_STOCK"
            warehouse = {"method": "PICKUP", "pickupAt": ids["dallas-warehouse"]}
            assert (await refusal(line("SKU-0010", 1), **warehouse))[0] == "NO_CANDIDATE"
            nowhere = {"method": "PICKUP", "pickupAt": ids["denver-store"][:-4]}
            assert await refusal(line("SKU-0009", 1), **nowhere) == ("NOT_FOUND", ["input", "pickupAt"])
            assert await refusal(line("SKU-0009", 1), method="PICKUP") == ("INVALID", ["input", "pickupAt"])

            order = (await place(graph, line("SKU-0009", 2), key="pickup", **denver))["order"]
            assert [each["location"]["code"] for each in order["fulfillmentOrders"]] == ["denver-store"]

    run(story)
