"""Orders that wait for each other: routed together when their wave is over, over real sockets."""

from pathlib import Path
from typing import Any

import pytest

from gateway.app import Parts
from gateway.services import waves
from tests.harness import Graph, gateway, line, network, place, run
from tests.scenarios.questions import Ahead, attentive, settled

CREATE = """mutation ($input: RoutingPolicyCreateInput!) { made: routingPolicyCreate(input: $input) {
  routingPolicy { id } userErrors { message } } }"""
ACTIVATE = """mutation ($input: RoutingPolicyActivateInput!) { made: routingPolicyActivate(input: $input) {
  routingPolicy { id state } userErrors { message } } }"""
WAITS = "query ($id: ID!) { order(by: {id: $id}) { status waveAt } }"
HOW = """query ($id: ID!) { order(by: {id: $id}) { status waveAt fulfillmentOrders { location { code } }
  routingDecisions { id strategy plan { promise { deliverBy } }
    policy policyVersion optimal cost { amount } lowerBound { amount } } } }"""
WAVES = "{ routingWaves { at orders alone cost { amount } lowerBound { amount } optimalityGap } }"
REPLAY = "query ($id: ID!) { routingReplay(id: $id) { identical differences } }"
MINUTES = 10


async def in_force(graph: Graph, rule: dict[str, Any]) -> None:
    made = (await graph(CREATE, input={"idempotencyKey": "rule", "name": "default", "rules": [rule], "note": "try"}))["made"]
    assert made["userErrors"] == []
    policy = made["routingPolicy"]["id"]
    done = (await graph(ACTIVATE, input={"idempotencyKey": "go", "id": policy, "reason": "try"}))["made"]
    assert done["userErrors"] == []


async def placed_in_a_wave(graph: Graph) -> list[str]:
    """Three orders that wait for each other."""
    await in_force(graph, {"name": "in waves", "batchMinutes": MINUTES})
    lines = [[line("SKU-0003", 1), line("SKU-0005", 1)], [line("SKU-0003", 2)], [line("SKU-0010", 1)]]
    placed = [await place(graph, *each, key=f"{number}") for number, each in enumerate(lines)]
    assert [each["userErrors"] for each in placed] == [[], [], []]
    return [each["order"]["id"] for each in placed]


def test_orders_of_one_wave_are_planned_together_and_each_says_how(tmp_path: Path) -> None:
    async def story() -> None:
        clock = Ahead()
        async with (
            network() as (urls, _),
            gateway(urls, tmp_path / "dom.sqlite3", tune=attentive, parts=Parts(clock=clock)) as graph,
        ):
            orders = await placed_in_a_wave(graph)
            waits = [(await graph(WAITS, id=order))["order"] for order in orders]
            assert {each["status"] for each in waits} == {"PLACED"}
            (at,) = {each["waveAt"] for each in waits}
            assert (await graph(WAVES))["routingWaves"] == []

            clock.by_s += MINUTES * 60
            for order in orders:
                await settled(graph, order, lambda found: found["status"] != "PLACED")
                how = (await graph(HOW, id=order))["order"]
                (decision,) = how["routingDecisions"]
                assert (decision["policy"], how["waveAt"]) == ("default", None)
                assert float(decision["lowerBound"]["amount"]) <= float(decision["cost"]["amount"])
                assert decision["strategy"] == "together"
                assert all(package["promise"] is not None for package in decision["plan"])
                again = (await graph(REPLAY, id=decision["id"]))["routingReplay"]
                assert again == {"identical": True, "differences": []}
            (wave,) = (await graph(WAVES))["routingWaves"]
            assert (wave["at"], wave["orders"], wave["alone"]) == (at, 3, 0)
            assert float(wave["lowerBound"]["amount"]) <= float(wave["cost"]["amount"])

    run(story)


def test_a_planner_that_dies_keeps_no_order_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(waves, "plan_together", dies)

    async def story() -> None:
        clock = Ahead()
        async with (
            network() as (urls, _),
            gateway(urls, tmp_path / "dom.sqlite3", tune=attentive, parts=Parts(clock=clock)) as graph,
        ):
            orders = await placed_in_a_wave(graph)
            clock.by_s += MINUTES * 60
            for order in orders:
                found = await settled(graph, order, lambda each: each["status"] != "PLACED")
                assert found["status"] == "ROUTED"
                (decision,) = (await graph(HOW, id=order))["order"]["routingDecisions"]
                assert decision["optimal"], "each was decided alone"
            assert (await graph(WAVES))["routingWaves"] == []

    run(story)
