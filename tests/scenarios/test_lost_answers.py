"""The source did the work and its answer got lost, or it never answers at all: nothing is done twice, nothing is forgotten."""

from pathlib import Path
from typing import Any

import pytest

from gateway.app import Parts
from tests.harness import gateway, line, network, place, run, world
from tests.scenarios.questions import attentive, item, requests_are, settled


@pytest.mark.parametrize(
    ("sku", "source", "lost"),
    [
        pytest.param("SKU-0006", "odoo", {"match_body": '"stock.picking","create"', "times": 1}, id="odoo makes the delivery"),
        pytest.param("SKU-0006", "odoo", {"match_body": "action_assign", "times": 3}, id="odoo reserves"),
        pytest.param("SKU-0009", "square", {"match": "/v2/orders", "times": 3}, id="square makes the order"),
        pytest.param("SKU-0008", "shipbob", {"match": "/order", "times": 1}, id="shipbob makes the order"),
    ],
)
def test_an_order_whose_answer_got_lost_is_there_exactly_once(tmp_path: Path, sku: str, source: str, lost: dict[str, Any]) -> None:
    async def story() -> None:
        async with world(tmp_path, tune=attentive) as (graph, sandboxes):
            await item(graph, sku)
            await sandboxes[source].fault("LOST_ANSWER", **lost)
            order = (await place(graph, line(sku, 2), key="lost"))["order"]
            found = await settled(graph, order["id"], lambda seen: all(work["remoteRef"] for work in seen["fulfillmentOrders"]))
            (work,) = found["fulfillmentOrders"]
            assert [each["ref"] for each in await sandboxes[source].orders()] == [work["remoteRef"]]
            assert [each["lines"] for each in await sandboxes[source].orders()] == [[line(sku, 2)]]

    run(story)


def test_work_is_never_sent_elsewhere_because_looking_it_up_was_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, tune=attentive) as (graph, sandboxes):
            await item(graph, "SKU-0005")
            await sandboxes["square"].fault("STATUS", status=400, match="/v2/orders/search", times=1)
            await sandboxes["square"].fault("LOST_ANSWER", match="/v2/orders", times=3)
            order = (await place(graph, line("SKU-0005", 2), key="lost"))["order"]
            found = await settled(graph, order["id"], lambda seen: bool(seen["fulfillmentOrders"][0]["remoteRef"]))
            assert [work["location"]["code"] for work in found["fulfillmentOrders"]] == ["chicago-store"]
            assert found["fulfillmentOrders"][0]["requestStatus"] == "SUBMITTED"
            assert len(await sandboxes["square"].orders()) == 1
            assert await sandboxes["odoo"].orders() == []

    run(story)


def test_work_that_a_source_never_answers_waits_for_a_person_and_its_units_stay_promised(tmp_path: Path) -> None:
    async def story() -> None:
        at_once = Parts(spread=lambda: 0.001)
        async with network() as (urls, sandboxes), gateway(urls, tmp_path / "dom.sqlite3", tune=attentive, parts=at_once) as graph:
            await sandboxes["odoo"].fault("STATUS", status=500, match_body='"create"')
            order = (await place(graph, line("SKU-0006", 2), key="parked"))["order"]
            waiting = await settled(graph, order["id"], requests_are("NEEDS_REVIEW"))
            assert waiting["status"] == "ROUTED"
            assert any(code in waiting["fulfillmentOrders"][0]["note"] for code in ("OUTCOME_UNKNOWN", "TRANSIENT"))
            assert waiting["fulfillmentOrders"][0]["supportedActions"] == ["ACCEPT", "REJECT", "SHIP"]
            assert (await item(graph, "SKU-0006"))["availableToPromise"] == 998

    run(story)
