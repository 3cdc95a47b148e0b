"""What customers are promised of their orders, and what that does to where they come from."""

from pathlib import Path

from tests.harness import line, place, run, world

HOW = """query ($id: ID!) { order(by: {id: $id}) { deliverBy placedAt fulfillmentOrders { shipBy deliverBy }
  routingDecisions { plan { location { code } costs { name } promise { shipBy deliverBy deliverOn parts { name why } } } } } }"""


def test_an_order_says_when_it_arrives_and_each_package_how_that_came_about(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, _):
            placed = await place(graph, line("SKU-0003", 1), key="one")
            found = (await graph(HOW, id=placed["order"]["id"]))["order"]
            (decision,) = found["routingDecisions"]
            promises = [package["promise"] for package in decision["plan"]]
            assert all(found["placedAt"] < each["shipBy"] <= each["deliverBy"] for each in promises)
            assert found["deliverBy"] == max(work["deliverBy"] for work in found["fulfillmentOrders"])
            assert {work["deliverBy"] for work in found["fulfillmentOrders"]} == {each["deliverBy"] for each in promises}
            assert [part["name"] for part in promises[0]["parts"]][-1] in {"transit", "delivery"}
            assert all(part["why"] for part in promises[0]["parts"])

    run(story)


def test_what_must_not_be_late_is_refused_when_it_would_be_and_what_may_be_costs_money(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, _):
            yesterday = "2026-01-01"
            refused = await place(graph, line("SKU-0003", 1), key="strict", deliverBy=yesterday, noLater=True)
            (error,) = refused["userErrors"]
            assert (refused["order"], error["code"]) == (None, "NO_CANDIDATE")
            assert "the promised day" in error["message"]
            lax = await place(graph, line("SKU-0003", 1), key="lax", deliverBy=yesterday)
            (decision,) = (await graph(HOW, id=lax["order"]["id"]))["order"]["routingDecisions"]
            assert all("late" in {term["name"] for term in package["costs"]} for package in decision["plan"])
            vague = await place(graph, line("SKU-0003", 1), key="vague", noLater=True)
            assert [error["path"] for error in vague["userErrors"]] == [["input", "noLater"]]

    run(story)
