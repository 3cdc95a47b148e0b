"""What would happen if things were otherwise, in the graph."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from gateway.api.identifiers import global_id
from gateway.domain.principals import Role
from tests.harness import run
from tests.samples import CUP, MUG
from tests.services.shops import Place, Shop, shop

DECISION = """decision { policy policyVersion cost { amount } plan { location { source { name } } costs { name amount { amount } } }
  candidates { location { source { name } } excludedBecause } explanation }
  userErrors { code message path }"""
PREVIEW = f"""query ($input: RoutingInput!, $suppose: SupposeInput) {{
  routingPreview(input: $input, suppose: $suppose) {{ {DECISION} }} }}"""
SCORES = """orders unlike scores { name filled unfillable cost { amount } costs { name amount { amount } } costPerOrder { amount }
    packagesPerOrder milesPerOrder promisesKept emptiedInStores moved compared
    dearer { mean low high percent } morePackages { mean } farther { mean } }
  moves { way order before { source { name } } after { source { name } } dearer { amount } }
  breaches { measure measured limit }"""
COMPARISON = (
    f"""query ($ways: [RoutingWayInput!]!, $last: Int! = 1000) {{ routingComparison(ways: $ways, last: $last) {{ {SCORES} }} }}"""
)
POLICY = f"""query ($id: ID!, $guardrails: RoutingGuardrailsInput) {{
  routingPolicyPreview(id: $id, guardrails: $guardrails) {{ {SCORES} }} }}"""
CREATE = """mutation ($input: RoutingPolicyCreateInput!) { routingPolicyCreate(input: $input) {
  routingPolicy { id version } userErrors { message } } }"""
ACTIVATE = """mutation ($input: RoutingPolicyActivateInput!) { routingPolicyActivate(input: $input) {
  routingPolicy { state changes { note } }
  userErrors { __typename code message path ... on GuardrailError { measure measured limit } } } }"""
HOME = {"lines": ["1 Main St"], "city": "Chicago", "postalCode": "60601", "countryCode": "US"}


def two_places() -> dict[str, Place]:
    return {"east": Place(stock={MUG: 50, CUP: 50}), "west": Place(stock={MUG: 50})}


def wish(*lines: tuple[str, int]) -> dict[str, Any]:
    return {"lines": [{"sku": sku, "units": units} for sku, units in lines], "to": HOME}


def location(on: Shop, source: str) -> str:
    return global_id("Location", next(each.id for each in on.services.network.all() if each.source == source))


async def tried(on: Shop, asked: dict[str, Any], **suppose: Any) -> dict[str, Any]:
    return dict((await on.graph(PREVIEW, input=asked, suppose=suppose))["routingPreview"])


def origins(preview: dict[str, Any]) -> list[str]:
    return sorted(package["location"]["source"]["name"] for package in preview["decision"]["plan"])


async def draft(on: Shop, *rules: dict[str, Any], key: str = "draft") -> str:
    sent = {"idempotencyKey": key, "name": "default", "note": "a try", "rules": list(rules)}
    created = (await on.graph(CREATE, input=sent))["routingPolicyCreate"]
    assert created["userErrors"] == []
    return str(created["routingPolicy"]["id"])


def not_from(source: str) -> dict[str, Any]:
    return {"name": f"not from {source}", "hard": {"neverFrom": [{"places": {"sources": [source]}}]}}


def test_stock_that_is_only_supposed_can_be_sent_and_nothing_is_kept_of_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, two_places()) as on:
            asked = wish((CUP, 60))
            as_it_is = await tried(on, asked)
            assert [error["code"] for error in as_it_is["userErrors"]] == ["INSUFFICIENT_STOCK"]

            west = {"location": location(on, "west"), "sku": CUP, "units": 60}
            assert origins(await tried(on, asked, stock=[west])) == ["west"]
            one_less = await tried(on, asked, stock=[west | {"units": 9}])
            assert [error["code"] for error in one_less["userErrors"]] == ["INSUFFICIENT_STOCK"]
            assert origins(await tried(on, asked, stock=[west | {"units": 10}])) == ["east", "west"]
            gone = await tried(on, wish((CUP, 1)), stock=[west | {"location": location(on, "east"), "units": 0}])
            assert [error["code"] for error in gone["userErrors"]] == ["INSUFFICIENT_STOCK"]
            assert await tried(on, asked) == as_it_is

    run(story)


def test_a_later_cutoff_may_promise_an_earlier_day_and_one_that_is_no_time_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, two_places()) as on:
            query = PREVIEW.replace("policyVersion", "policyVersion plan { promise { shipBy cutoffAt } }")
            asked, places = wish((MUG, 1)), [location(on, source) for source in ("east", "west")]

            async def left_by(cutoff: str) -> str:
                suppose = {"cutoffs": [{"location": each, "cutoff": cutoff} for each in places]}
                preview = (await on.graph(query, input=asked, suppose=suppose))["routingPreview"]
                (package,) = preview["decision"]["plan"]
                return str(package["promise"]["shipBy"])

            in_time, too_late = [f"{on.clock.now() + timedelta(hours=hours):%H:%M}" for hours in (1, -1)]
            assert await left_by(in_time) < await left_by(too_late)
            wrong = await tried(on, asked, cutoffs=[{"location": places[0], "cutoff": "half past four"}])
            assert [error["path"] for error in wrong["userErrors"]] == [["suppose", "cutoffs", "0", "cutoff"]]

    run(story)


def test_supposing_nothing_is_decided_as_it_would_be_and_on_the_same(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, two_places()) as on:
            await on.bought(3)
            query = PREVIEW.replace("policyVersion", "policyVersion inputsHash")
            nothing: tuple[dict[str, Any] | None, ...] = (None, {})
            as_it_is, supposed = [
                (await on.graph(query, input=wish((MUG, 2), (CUP, 1)), suppose=suppose))["routingPreview"] for suppose in nothing
            ]
            assert supposed == as_it_is
            assert supposed["decision"]["inputsHash"]

    run(story)


def test_supposed_stock_replaces_what_is_promised_of_it_too(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 5})}) as on:
            await on.bought(5)
            assert (await tried(on, wish((MUG, 1))))["userErrors"] != []
            east = {"location": location(on, "east"), "sku": MUG, "units": 2}
            assert origins(await tried(on, wish((MUG, 2)), stock=[east])) == ["east"]

    run(story)


def test_a_location_that_is_supposed_to_be_closed_says_so_and_the_other_sends_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, two_places()) as on:
            (first,) = origins(await tried(on, wish((MUG, 1))))
            other = await tried(on, wish((MUG, 1)), closed=[location(on, first)])
            assert origins(other) == [{"east": "west", "west": "east"}[first]]
            why = {each["location"]["source"]["name"]: each["excludedBecause"] for each in other["decision"]["candidates"]}
            assert why[first] == "CLOSED"

    run(story)


def test_what_a_location_is_supposed_to_cost_decides_and_stands_in_the_price(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, two_places()) as on:
            cheaper = [{"location": location(on, "west"), "pickCents": -1, "handlingCents": 0}]
            dearer = [{"location": location(on, "west"), "pickCents": 70, "handlingCents": 15}]
            assert origins(await tried(on, wish((MUG, 2)), costs=cheaper)) == ["west"]
            assert origins(await tried(on, wish((MUG, 2)), costs=dearer)) == ["east"]
            alone = await tried(on, wish((MUG, 2)), costs=dearer, closed=[location(on, "east")])
            costs = {each["name"]: each["amount"]["amount"] for each in alone["decision"]["plan"][0]["costs"]}
            assert (costs["pick"], costs["handling"]) == ("0.70", "0.30")

            ruled = await draft(on, not_from("east"))
            both = await tried(on, wish((MUG, 2)), costs=dearer, policy=ruled)
            assert origins(both) == ["west"]
            assert {each["name"] for each in both["decision"]["plan"][0]["costs"]} >= {"pick", "handling"}

    run(story)


def test_a_draft_can_be_tried_on_one_order_and_at_another_time(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, two_places()) as on:
            tomorrow = on.clock.now() + timedelta(days=1)
            rule = not_from("east") | {"when": {"placedFrom": tomorrow.isoformat()}}
            tried_draft = await draft(on, rule)
            before = await tried(on, wish((MUG, 1)), policy=tried_draft, closed=[location(on, "west")])
            assert origins(before) == ["east"], "the rule does not count yet"
            assert before["decision"]["policyVersion"] == 2
            then = await tried(on, wish((MUG, 1)), policy=tried_draft, at=tomorrow.isoformat())
            assert origins(then) == ["west"]
            nothing = await tried(on, wish((MUG, 1)), policy=tried_draft, at=tomorrow.isoformat(), closed=[location(on, "west")])
            assert [error["code"] for error in nothing["userErrors"]] == ["NO_CANDIDATE"]

    run(story)


def test_what_cannot_be_supposed_is_refused_where_it_stands(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, two_places()) as on:
            stock = [{"location": "nowhere", "sku": MUG, "units": -1}]
            wrong = await tried(on, wish((MUG, 1)), stock=stock, closed=["x"], costs=[{"location": "y"}], policy="z")
            assert sorted("/".join(error["path"]) for error in wrong["userErrors"]) == [
                "suppose/closed/0",
                "suppose/costs/0/location",
                "suppose/policy",
                "suppose/stock/0/location",
                "suppose/stock/0/units",
            ]
            gone = global_id("Location", "gone")
            nowhere = await tried(on, wish((MUG, 1)), stock=[{"location": gone, "sku": MUG, "units": 1}])
            assert [error["code"] for error in nowhere["userErrors"]] == ["NOT_FOUND"]
            unknown = await tried(on, wish((MUG, 1)), policy=global_id("RoutingPolicy", "99/default"))
            assert [error["code"] for error in unknown["userErrors"]] == ["NOT_FOUND"]

    run(story)


def test_replaying_what_is_in_force_gives_what_was_and_a_draft_shows_what_moves(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, two_places()) as on:
            orders = [await on.bought(2, key=f"k{number}") for number in range(6)]
            sent_from = {(await on.order(order)).fulfillment_orders[0].source for order in orders}
            (source,) = sent_from
            ways = [{"policy": await draft(on, not_from(source))}, {"strategy": "closest"}]
            found = (await on.graph(COMPARISON, ways=ways))["routingComparison"]
            assert (found["orders"], found["unlike"]) == (6, 0)
            in_force, changed, closest = found["scores"]
            assert [score["name"] for score in found["scores"]] == ["in force", "default@2", "closest"]
            assert in_force["filled"] == changed["filled"] == closest["filled"] == 6
            assert (in_force["moved"], changed["moved"], changed["compared"]) == (0, 6, 6)
            assert changed["dearer"]["low"] <= changed["dearer"]["mean"] <= changed["dearer"]["high"]
            assert {move["order"] for move in found["moves"] if move["way"] == "default@2"} == {
                global_id("Order", order) for order in orders
            }
            assert {move["before"][0]["source"]["name"] for move in found["moves"]} == {source}
            few = (await on.graph(COMPARISON, ways=[], last=4))["routingComparison"]
            assert (few["orders"], len(few["scores"])) == (4, 1)

    run(story)


def test_one_comparison_at_a_time_and_within_bounds(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, two_places()) as on:
            await on.bought(1)
            body = {"query": COMPARISON, "variables": {"ways": []}}
            answers = [answer.json() for answer in await asyncio.gather(*(on.graph.post(body) for _ in range(3)))]
            codes = sorted(answer["errors"][0]["extensions"]["code"] if "errors" in answer else "" for answer in answers)
            assert codes in (["", "OVERLOADED", "OVERLOADED"], ["", "", "OVERLOADED"], ["", "", ""])
            for variables in ({"ways": [], "last": 0}, {"ways": [], "last": 5_001}, {"ways": [{"strategy": "x"}]}):
                refused = (await on.graph.post({"query": COMPARISON, "variables": variables})).json()
                assert refused["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT", variables
            many = {"ways": [{"strategy": "closest"}] * 6}
            refused = (await on.graph.post({"query": COMPARISON, "variables": many})).json()
            assert refused["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
            forbidden = (await on.graph.post(body, role=Role.STOREFRONT)).json()
            assert forbidden["errors"][0]["extensions"]["code"] == "FORBIDDEN"

    run(story)


async def activated(on: Shop, policy: str, key: str, **more: Any) -> dict[str, Any]:
    sent = {"idempotencyKey": key, "id": policy, "reason": "because"} | more
    return dict((await on.graph(ACTIVATE, input=sent))["routingPolicyActivate"])


def test_a_guardrail_holds_a_version_back_until_somebody_says_that_it_is_meant(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 50}), "west": Place(stock={MUG: 3})}) as on:
            for number in range(5):
                await on.bought(1, key=f"k{number}")
            version = await draft(on, not_from("east"))
            preview = (await on.graph(POLICY, id=version, guardrails={"unfillableMax": 1}))["routingPolicyPreview"]
            assert preview["scores"][1]["unfillable"] == 2, "the west has three of five"
            assert preview["breaches"] == [{"measure": "UNFILLABLE", "measured": 2.0, "limit": 1.0}]
            assert (await on.graph(POLICY, id=version))["routingPolicyPreview"]["breaches"] == []

            held = await activated(on, version, "a", guardrails={"unfillableMax": 1})
            (error,) = held["userErrors"]
            assert (held["routingPolicy"], error["__typename"], error["code"]) == (None, "GuardrailError", "GUARDRAIL_BREACHED")
            assert (error["measure"], error["measured"], error["limit"]) == ("UNFILLABLE", 2.0, 1.0)

            wrong = await activated(on, version, "b", guardrails={"unfillableMax": -1, "costPercentMax": 5_000})
            assert ["/".join(each["path"]) for each in wrong["userErrors"]] == [
                "input/guardrails/costPercentMax",
                "input/guardrails/unfillableMax",
            ]
            forced = await activated(on, version, "c", guardrails={"unfillableMax": 1}, force=True)
            assert (forced["routingPolicy"]["state"], forced["routingPolicy"]["changes"][-1]["note"]) == ("ACTIVE", "because")

    run(story)


def test_a_version_that_keeps_its_guardrails_comes_into_force_and_none_is_kept_where_there_are_no_orders(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, two_places()) as on:
            version = await draft(on, not_from("east"))
            (error,) = (await activated(on, version, "a", guardrails={"costPercentMax": 1}))["userErrors"]
            assert (error["measure"], error["measured"]) == ("ORDERS", 0.0), "nothing can be told from no orders"
            await on.bought(1)
            done = await activated(on, version, "b", guardrails={"costPercentMax": 1, "packagesPercentMax": 1})
            assert (done["userErrors"], done["routingPolicy"]["state"]) == ([], "ACTIVE")
            again = await activated(on, version, "b", guardrails={"costPercentMax": 1, "packagesPercentMax": 1})
            assert again == done

    run(story)
