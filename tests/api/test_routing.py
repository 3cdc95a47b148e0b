"""Routing decisions in the graph: why, why not, on what, and the same again."""

from pathlib import Path
from typing import Any

from tests.harness import run
from tests.samples import MUG
from tests.services.shops import Place, Shop, shop

DECISION = """id policy policyVersion rule relaxed strategy optimal explanation waits { sku units }
  candidates { location { source { name } } chosen excludedBecause regret { amount } cheaper { amount }
    reason { code text sku needs has ageSeconds comparedWith { source { name } } differences { name amount { amount } } }
    counterfactual { saves { amount } short { sku needs has } room }
    stock { sku available readAt ageSeconds } }"""
ORDERED = f"query ($id: ID!) {{ order(by: {{id: $id}}) {{ routingDecisions {{ {DECISION} }} }} }}"
ONE = f"query ($id: ID!) {{ routingDecision(id: $id) {{ {DECISION} }} }}"
REPLAY = "query ($id: ID!) { routingReplay(id: $id) { identical differences decision { id } } }"
PLACED = """mutation ($input: OrderPlaceInput!) { orderPlace(input: $input) { order { id } userErrors { code message } } }"""


async def ordered(on: Shop, count: int) -> dict[str, Any]:
    """How an order for so many mugs was routed."""
    to = {"lines": ["1 Main St"], "city": "Chicago", "postalCode": "60601", "countryCode": "US"}
    placed = await on.graph(
        PLACED, input={"idempotencyKey": "k", "channel": "web", "lines": [{"sku": MUG, "units": count}], "to": to}
    )
    (decision,) = (await on.graph(ORDERED, id=placed["orderPlace"]["order"]["id"]))["order"]["routingDecisions"]
    return dict(decision)


def by_source(decision: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["location"]["source"]["name"]: each for each in decision["candidates"]}


def test_a_decision_says_why_not_what_was_seen_and_what_would_have_changed_it(tmp_path: Path) -> None:
    async def story() -> None:
        places = {"east": Place(stock={MUG: 9}), "north": Place(stock={MUG: 9}), "west": Place(stock={MUG: 1})}
        async with shop(tmp_path, places) as on:
            decision = await ordered(on, 2)
            assert (decision["policy"], decision["rule"], decision["relaxed"]) == ("default", "least cost", [])
            assert (decision["strategy"], decision["waits"], decision["optimal"]) == ("exact", [], True)
            east, north, west = (found[1] for found in sorted(by_source(decision).items()))
            assert (east["chosen"], east["reason"]) == (True, None)
            assert north["reason"]["code"] == "COST"
            assert north["reason"]["comparedWith"] == east["location"]
            assert (north["regret"]["amount"], north["cheaper"]["amount"]) == ("0.00", "0.01")
            assert west["reason"]["text"] == "STOCK: MUG needs 2, has 1"
            assert (west["reason"]["sku"], west["reason"]["needs"], west["reason"]["has"]) == (MUG, 2, 1)
            (seen,) = west["stock"]
            assert (seen["sku"], seen["available"], seen["ageSeconds"]) == (MUG, 1, 0)
            assert seen["readAt"].startswith("2026-03-02T12:00:00")
            assert (await on.graph(ONE, id=decision["id"]))["routingDecision"] == decision

    run(story)


def test_a_location_that_lacked_a_unit_says_what_it_would_have_saved(tmp_path: Path) -> None:
    async def story() -> None:
        places = {"east": Place(stock={MUG: 1}), "north": Place(stock={MUG: 1}), "west": Place(stock={MUG: 0})}
        async with shop(tmp_path, places) as on:
            decision = await ordered(on, 2)
            west = by_source(decision)["west"]
            assert not west["chosen"]
            assert west["counterfactual"]["short"] == [{"sku": MUG, "needs": 2, "has": 0}]
            saves = west["counterfactual"]["saves"]["amount"]
            assert f"saving {saves}, had that had 2 of MUG (has 0)." in decision["explanation"]

    run(story)


def test_a_decision_is_made_again_from_what_was_kept_of_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 9}), "west": Place(stock={MUG: 9})}) as on:
            decision = await ordered(on, 2)
            replay = (await on.graph(REPLAY, id=decision["id"]))["routingReplay"]
            assert replay == {"identical": True, "differences": [], "decision": {"id": decision["id"]}}
            assert (await on.graph(REPLAY, id="nothing"))["routingReplay"] is None

    run(story)
