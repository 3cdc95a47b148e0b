"""What an order is worth, what its goods are called, and which locations belong together: told, ruled by, and remembered."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.contract import RemoteLocationId, Sku
from gateway.domain.policies import Tags
from gateway.ports import Correction
from gateway.settings import Products, Settings
from tests.harness import CHICAGO, Graph, gateway, line, network, place, run

POLICY = """mutation ($rules: [RoutingRuleInput!]!) {
  routingPolicyCreate(input: {idempotencyKey: "p", name: "default", note: "glass breaks", rules: $rules}) {
    routingPolicy { id } userErrors { message path } } }"""
ACTIVATE = """mutation ($id: ID!) { routingPolicyActivate(input: {idempotencyKey: "a", id: $id, reason: "glass broke"}) {
  userErrors { message } } }"""
FOUND = """query ($id: ID!) { order(by: {id: $id}) { valueCents
  routingDecisions { id rule plan { location { code groups } } candidates { location { code } excludedBecause } } } }"""
PREVIEW = """query ($input: RoutingInput!) { routingPreview(input: $input) {
  decision { rule plan { location { code } } } userErrors { path } } }"""
REPLAY = "query ($id: ID!) { routingReplay(id: $id) { identical differences } }"
GLASS: dict[str, Any] = {
    "name": "precious glass",
    "when": {"tags": ["frag*"], "valueCentsFrom": 10_000, "valueCentsTo": 1_000_000},
    "candidates": {"places": [{"groups": ["packs-*"]}]},
}


def careful(settings: Settings) -> Settings:
    """Dallas packs well, and one product breaks easily."""
    dallas = {RemoteLocationId("3"): Correction(groups=frozenset({"packs-well", "south"}))}
    sources = tuple(replace(each, corrections=dallas) if each.name == "odoo" else each for each in settings.sources)
    return replace(settings, sources=sources, products=Products(tags=Tags(by_sku={Sku("SKU-0005"): frozenset({"fragile"})})))


async def bought(graph: Graph, sku: str, key: str, **more: Any) -> dict[str, Any]:
    """The order, as it is found afterwards."""
    placed = await place(graph, line(sku, 1), key=key, **more)
    assert placed["userErrors"] == []
    found: dict[str, Any] = (await graph(FOUND, id=placed["order"]["id"]))["order"]
    return found


def origin(order: dict[str, Any]) -> tuple[str, str]:
    """The rule that it was routed by, and from where."""
    (decision,) = order["routingDecisions"]
    return decision["rule"], decision["plan"][0]["location"]["code"]


def test_glass_that_is_dear_comes_from_where_it_is_packed_well_and_that_can_be_replayed(tmp_path: Path) -> None:
    async def story() -> None:
        async with network() as (addresses, _):
            async with gateway(addresses, tmp_path / "dom.sqlite3", tune=careful) as graph:
                written = (await graph(POLICY, rules=[GLASS, {"name": "everything else"}]))["routingPolicyCreate"]
                assert (await graph(ACTIVATE, id=written["routingPolicy"]["id"]))["routingPolicyActivate"]["userErrors"] == []

                dear = await bought(graph, "SKU-0005", "dear", valueCents=10_000)
                assert (dear["valueCents"], origin(dear)) == (10_000, ("precious glass", "dallas-warehouse"))
                (decision,) = dear["routingDecisions"]
                assert decision["plan"][0]["location"]["groups"] == ["packs-well", "south"]
                why = {each["location"]["code"]: each["excludedBecause"] for each in decision["candidates"]}
                assert why["chicago-store"] == "HARD_RULE: precious glass: CANDIDATES"

                from_the_store = ("everything else", "chicago-store")
                assert origin(await bought(graph, "SKU-0005", "cheap", valueCents=9_999)) == from_the_store
                assert origin(await bought(graph, "SKU-0005", "too dear", valueCents=1_000_000)) == from_the_store
                unsaid = await bought(graph, "SKU-0005", "nobody said")
                assert (unsaid["valueCents"], origin(unsaid)) == (None, from_the_store)
                assert origin(await bought(graph, "SKU-0003", "no glass", valueCents=10_000))[0] == "everything else"

                cart = {"lines": [line("SKU-0005", 1), line("SKU-0010", 1)], "to": CHICAGO, "valueCents": 20_000}
                preview = (await graph(PREVIEW, input=cart))["routingPreview"]["decision"]
                assert (preview["rule"], len(preview["plan"])) == ("precious glass", 1), "one line of glass is enough"
                (error,) = (await graph(PREVIEW, input=cart | {"valueCents": -1}))["routingPreview"]["userErrors"]
                assert error["path"] == ["input", "valueCents"]
                assert (await graph(REPLAY, id=decision["id"]))["routingReplay"] == {"identical": True, "differences": []}

            async with gateway(addresses, tmp_path / "dom.sqlite3") as graph:  # nothing is called anything any more
                assert (await graph("{ locations { groups } }"))["locations"][0]["groups"] == []
                assert (await graph(REPLAY, id=decision["id"]))["routingReplay"] == {"identical": True, "differences": []}

    run(story)
