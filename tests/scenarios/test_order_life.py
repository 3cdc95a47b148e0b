"""An order's life over real sockets: placed, split, requested, shipped."""

from pathlib import Path
from typing import Any

from tests.harness import line, place, run, world

ORDER = """query ($id: ID!) { order(by: {id: $id}) { status version
  fulfillmentOrders { status requestStatus remoteRef location { code } shipments { packages { carrier trackingNumber } } }
  timeline { type version } } }"""


def test_an_order_that_no_location_has_whole_splits_and_ships_from_both(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, sandboxes):
            placed = await place(graph, line("SKU-0002", 2), line("SKU-0003", 1), key="split")
            assert placed["userErrors"] == []
            order = placed["order"]
            assert order["status"] == "ROUTED"
            assert {work["location"]["code"] for work in order["fulfillmentOrders"]} == {"bethlehem-pa", "newark-warehouse"}

            def accepted(data: dict[str, Any]) -> bool:
                return all(work["requestStatus"] == "ACCEPTED" for work in data["order"]["fulfillmentOrders"])

            await graph.until(ORDER, accepted, id=order["id"])
            for name in ("shipbob", "odoo"):
                (arrived,) = await sandboxes[name].orders()
                await sandboxes[name].act(arrived["ref"], "ship", carrier="UPS", tracking_number=f"1Z-{name}")

            def told(data: dict[str, Any]) -> bool:
                order = data["order"]
                return bool(order["status"] == "FULFILLED" and len(order["timeline"]) == order["version"])

            done = await graph.until(ORDER, told, id=order["id"])
            versions = [event["version"] for event in done["order"]["timeline"]]
            assert versions == list(range(1, done["order"]["version"] + 1))

    run(story)
