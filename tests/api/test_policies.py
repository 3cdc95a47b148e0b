"""Routing policies in the graph."""

from pathlib import Path
from typing import Any

from gateway.api.inputs.checks import VALUE_CENTS_MAX
from gateway.api.inputs.policies import BOUNDS, LIST_MAX, RULES_MAX
from gateway.api.schema import schema_of
from gateway.domain.principals import Role
from gateway.settings import Queries
from tests.harness import run
from tests.samples import MUG
from tests.services.shops import Place, Shop, shop

RULE = """name
  when { channels methods customerClasses skus onlySkus tags destinations placedFrom placedTo valueCentsFrom valueCentsTo }
  candidates { places { ...P } exceptPlaces { ...P } milesMax stockAgeSecondsMax }
  hard { together neverFrom { skus places { ...P } } markets { countries places { ...P } } packagesMax wholeLines }
  weights { splitCents lateCentsPerDay waitingCentsPerUnitDay
    packages { places { ...P } pickCents preferenceCents } units { skus places { ...P } handlingCents markdownCents } }
  objective { strategy criteria } fallbacks { step relaxes afterHours } batchMinutes"""
POLICY = """id name version state note author createdAt activatedAt supportedActions changes { step at by note }"""
FRAGMENT = "fragment P on RoutingPlaces { codes kinds sources groups }"
ERRORS = """userErrors { __typename code message path ... on ContradictoryRuleError { rule }
  ... on NotAllowedInStateError { state supportedActions } }"""

CREATE = f"""mutation ($input: RoutingPolicyCreateInput!) {{ routingPolicyCreate(input: $input) {{
  routingPolicy {{ {POLICY} rules {{ {RULE} }} }} {ERRORS} }} }} {FRAGMENT}"""
ACTIVATE = f"""mutation ($input: RoutingPolicyActivateInput!) {{ done: routingPolicyActivate(input: $input) {{
  routingPolicy {{ {POLICY} }} {ERRORS} }} }}"""
ARCHIVE = ACTIVATE.replace("Activate", "Archive")
PAGE = """query ($name: String, $state: RoutingPolicyState, $first: Int, $after: String) {
  routingPolicies(name: $name, state: $state, first: $first, after: $after) {
    nodes { name version state } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""

FULL: dict[str, Any] = {
    "name": "heavy goods",
    "when": {
        "channels": ["web*"],
        "methods": ["SHIP"],
        "customerClasses": ["gold"],
        "skus": ["SOFA-*"],
        "onlySkus": ["SOFA-*", "CARE-*"],
        "tags": ["bulky"],
        "destinations": ["US:606", "CA"],
        "placedFrom": "2026-01-01T00:00:00Z",
        "placedTo": "2027-01-01T00:00:00Z",
        "valueCentsFrom": 20_000,
        "valueCentsTo": 900_000_000,
    },
    "candidates": {
        "places": [{"codes": ["depot-*"], "kinds": ["WAREHOUSE"], "sources": ["erp"], "groups": ["east", "out*"]}],
        "exceptPlaces": [{"codes": ["depot-old"], "kinds": [], "sources": [], "groups": []}],
        "milesMax": 900,
        "stockAgeSecondsMax": 600,
    },
    "hard": {
        "together": [["SOFA-*", "CARE-*"]],
        "neverFrom": [{"skus": ["CARE-*"], "places": {"codes": ["depot-east"], "kinds": [], "sources": [], "groups": []}}],
        "markets": [{"countries": ["US", "CA"], "places": {"codes": [], "kinds": ["WAREHOUSE"], "sources": [], "groups": []}}],
        "packagesMax": 2,
        "wholeLines": True,
    },
    "weights": {
        "splitCents": 900,
        "lateCentsPerDay": 300,
        "waitingCentsPerUnitDay": 20,
        "packages": [
            {"places": {"codes": [], "kinds": ["STORE"], "sources": [], "groups": []}, "pickCents": 250, "preferenceCents": -100}
        ],
        "units": [
            {
                "skus": ["SOFA-*"],
                "places": {"codes": [], "kinds": [], "sources": [], "groups": []},
                "handlingCents": 80,
                "markdownCents": 40,
            }
        ],
    },
    "objective": {"strategy": "lexicographic", "criteria": ["PACKAGES", "MILES"]},
    "fallbacks": [
        {"step": "RELAX", "relaxes": ["DISTANCE", "STOCK_AGE"], "afterHours": None},
        {"step": "PARK", "relaxes": [], "afterHours": None},
        {"step": "AUTO_CANCEL", "relaxes": [], "afterHours": 72},
    ],
    "batchMinutes": 15,
}


async def created(on: Shop, *rules: dict[str, Any], key: str = "k", name: str = "default", **more: Any) -> dict[str, Any]:
    sent = {"idempotencyKey": key, "name": name, "note": "a test", "rules": list(rules)}
    return dict((await on.graph(CREATE, input=sent | more))["routingPolicyCreate"])


async def done(on: Shop, query: str, policy: str, key: str, reason: str = "because") -> dict[str, Any]:
    return dict((await on.graph(query, input={"idempotencyKey": key, "id": policy, "reason": reason}))["done"])


def test_a_rule_is_shown_as_it_was_sent_with_every_part_of_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place()}) as on:
            payload = await created(on, FULL)
            assert payload["userErrors"] == []
            assert payload["routingPolicy"]["rules"] == [FULL]

            again = await created(on, FULL)
            assert again == payload, "the same key has the first answer"

    run(story)


def test_the_inputs_are_what_is_shown() -> None:
    types = schema_of(Queries())._schema.type_map
    mirrored = [name for name in types if name.startswith("Routing") and f"{name}Input" in types]
    assert {"RoutingRule", "RoutingPlaces", "RoutingHardRules", "RoutingFallback"} <= set(mirrored)
    for name in mirrored:
        shown: Any = types[name]
        sent: Any = types[f"{name}Input"]
        assert list(shown.fields) == list(sent.fields), name


def test_what_is_left_out_is_shown_as_what_it_means(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place()}) as on:
            (rule,) = (await created(on, {"name": "any", "when": {"channels": ["web"]}}))["routingPolicy"]["rules"]
            assert rule["when"]["channels"] == ["web"]
            assert rule["when"]["methods"] == []
            assert rule["hard"] == {"together": [], "neverFrom": [], "markets": [], "packagesMax": None, "wholeLines": False}
            assert rule["objective"] == {"strategy": "exact", "criteria": []}
            assert (rule["weights"]["splitCents"], rule["batchMinutes"]) == (None, None)

    run(story)


def test_a_version_is_written_activated_rolled_back_and_says_who_did_it_and_why(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place()}) as on:
            draft = (await created(on, FULL))["routingPolicy"]
            assert (draft["version"], draft["state"], draft["supportedActions"]) == (2, "DRAFT", ["ACTIVATE", "ARCHIVE"])
            assert (draft["author"], draft["note"], draft["activatedAt"]) == ("operator", "a test", None)

            on.clock.wait(5)
            active = (await done(on, ACTIVATE, draft["id"], "a", "for the sale"))["routingPolicy"]
            assert (active["state"], active["activatedAt"]) == ("ACTIVE", "2026-03-02T12:00:05Z")
            assert [(each["step"], each["by"], each["note"]) for each in active["changes"]] == [
                ("CREATE", "operator", "a test"),
                ("ACTIVATE", "operator", "for the sale"),
            ]
            found = (await on.graph(PAGE))["routingPolicies"]["nodes"]
            assert [(each["version"], each["state"]) for each in found] == [(2, "ACTIVE"), (1, "ARCHIVED")]
            (in_force,) = (await on.graph(PAGE, name="default", state="ACTIVE"))["routingPolicies"]["nodes"]
            assert in_force["version"] == 2

            (error,) = (await done(on, ARCHIVE, draft["id"], "b"))["userErrors"]
            assert (error["__typename"], error["state"], error["supportedActions"]) == ("NotAllowedInStateError", "ACTIVE", [])
            first = await on.graph("{ routingPolicies { nodes { id } } }")
            back = await done(on, ACTIVATE, first["routingPolicies"]["nodes"][1]["id"], "c")
            assert (back["routingPolicy"]["version"], back["routingPolicy"]["state"]) == (1, "ACTIVE")
            assert (await done(on, ARCHIVE, draft["id"], "d"))["userErrors"][0]["state"] == "ARCHIVED"

    run(story)


def test_a_version_is_found_by_its_id_and_by_pages(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place()}) as on:
            rush = (await created(on, {"name": "r"}, name="rush/hour"))["routingPolicy"]
            by_id = "query ($id: ID!) { routingPolicy(id: $id) { name rules { name } } node(id: $id) { __typename id } }"
            found = await on.graph(by_id, id=rush["id"])
            assert found["routingPolicy"] == {"name": "rush/hour", "rules": [{"name": "r"}]}
            assert found["node"] == {"__typename": "RoutingPolicy", "id": rush["id"]}
            for nothing in ("nonsense", "Um91dGluZ1BvbGljeR8y", "Um91dGluZ1BvbGljeR94L2RlZmF1bHQ"):
                assert await on.graph(by_id, id=nothing) == {"routingPolicy": None, "node": None}
                assert [each["path"] for each in (await done(on, ACTIVATE, nothing, nothing))["userErrors"]] == [["input", "id"]]
            page = (await on.graph(PAGE, first=1))["routingPolicies"]
            assert (page["nodes"][0]["name"], page["pageInfo"]["hasNextPage"]) == ("default", True)
            rest = (await on.graph(PAGE, first=1, after=page["pageInfo"]["endCursor"]))["routingPolicies"]
            assert (rest["nodes"][0]["name"], rest["pageInfo"]["hasNextPage"]) == ("rush/hour", False)
            for wrong in ("first: 0", "first: 101", 'after: "nonsense"'):
                answer = (await on.graph.post({"query": f"{{ routingPolicies({wrong}) {{ nodes {{ id }} }} }}"})).json()
                assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"], wrong

    run(story)


def test_contradictions_are_told_with_the_rule_and_the_way_to_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place()}) as on:
            nowhere = {"name": "nowhere", "when": {"channels": ["web"]}, "hard": {"neverFrom": [{}]}}
            relaxing = {"name": "relaxing", "fallbacks": [{"step": "RELAX", "relaxes": ["MARKETS"]}]}
            payload = await created(on, nowhere, relaxing)
            assert payload["routingPolicy"] is None
            assert [(each["__typename"], each["code"], each["rule"], each["path"]) for each in payload["userErrors"]] == [
                ("ContradictoryRuleError", "CONTRADICTORY_RULE", "nowhere", ["input", "rules", "0", "hard", "neverFrom"]),
                (
                    "ContradictoryRuleError",
                    "CONTRADICTORY_RULE",
                    "relaxing",
                    ["input", "rules", "1", "fallbacks", "0", "relaxes"],
                ),
            ]
            assert payload["userErrors"][1]["message"] == "relaxing: it has no MARKETS to do without."

    run(story)


BEYOND: tuple[tuple[dict[str, Any], str], ...] = (
    ({"name": " "}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"when": {"channels": [""]}}, "when/channels/0"),
    ({"when": {"skus": ["x"] * (LIST_MAX + 1)}}, "when/skus"),
    ({"when": {"destinations": ["us:606"]}}, "when/destinations/0"),
    ({"when": {"tags": [" "]}}, "when/tags/0"),
    ({"when": {"valueCentsFrom": -1}}, "when/valueCentsFrom"),
    ({"when": {"valueCentsTo": VALUE_CENTS_MAX + 1}}, "when/valueCentsTo"),
    ({"candidates": {"milesMax": 0}}, "candidates/milesMax"),
    ({"candidates": {"stockAgeSecondsMax": BOUNDS["stock_age_seconds_max"][1] + 1}}, "candidates/stockAgeSecondsMax"),
    ({"hard": {"together": [["a"], []]}}, "hard/together/1"),
    ({"hard": {"markets": [{"countries": []}]}}, "hard/markets/0/countries"),
    ({"hard": {"markets": [{"countries": ["USA"]}]}}, "hard/markets/0/countries/0"),
    ({"hard": {"packagesMax": 101}}, "hard/packagesMax"),
    ({"weights": {"splitCents": -1}}, "weights/splitCents"),
    ({"weights": {"packages": [{"preferenceCents": -2_000_000_000}]}}, "weights/packages/0/preferenceCents"),
    ({"fallbacks": [{"step": "AUTO_CANCEL", "afterHours": 0}]}, "fallbacks/0/afterHours"),
    ({"batchMinutes": 1_441}, "batchMinutes"),
)


def test_everything_has_bounds_and_all_that_is_beyond_is_told_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place()}) as on:
            errors = (await created(on, *({"name": "r"} | wrong for wrong, _ in BEYOND)))["userErrors"]
            assert {each["code"] for each in errors} == {"INVALID"}
            told = [each["path"] for each in errors]
            assert told == [["input", "rules", str(place), *path.split("/")] for place, (_, path) in enumerate(BEYOND)]

    run(story)


def test_a_policy_has_a_name_a_note_and_a_bounded_number_of_rules_and_values(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 5})}) as on:
            payload = await created(on, name="x" * 101, note="")
            assert [each["path"] for each in payload["userErrors"]] == [["input", "name"], ["input", "note"]]
            many = [{"name": f"rule {number}", "when": {"channels": [f"{number}"]}} for number in range(RULES_MAX + 1)]
            assert (await created(on, *many[1:]))["userErrors"] == []
            assert [each["path"] for each in (await created(on, *many))["userErrors"]] == [["input", "rules"]]
            wide = [each | {"hard": {"neverFrom": [{"skus": ["x"] * LIST_MAX}]}} for each in many[:10]]
            assert [each["path"] for each in (await created(on, *wide))["userErrors"]] == [["input", "rules"]]

    run(story)


def test_operators_write_and_agents_read(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place()}) as on:
            sent = {"idempotencyKey": "k", "name": "n", "note": "n", "rules": []}
            writing = {"query": CREATE, "variables": {"input": sent}}
            reading = {"query": "{ routingPolicies { nodes { name } } }"}
            by_id = {"query": '{ node(id: "Um91dGluZ1BvbGljeR8xL2RlZmF1bHQ") { id } }'}
            may = {
                role: [(await on.graph.post(body, role=role)).json().get("errors") is None for body in (writing, reading, by_id)]
                for role in Role
            }
            assert may == {
                Role.STOREFRONT: [False, False, False],
                Role.AGENT: [False, True, True],
                Role.PARTNER: [False, False, False],
                Role.OPERATOR: [True, True, True],
            }

    run(story)
