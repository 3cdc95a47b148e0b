"""Hostile documents cost next to nothing; the large queries of real clients pass."""

from pathlib import Path
from typing import Any

import pytest
from graphql import get_introspection_query, parse

from gateway.api.limits import too_large
from gateway.settings import Queries
from tests.harness import run, world

LEVELS = """levels { sku onHand available committed incoming reserved allocated safetyStock availableToPromise asOf staleAfter
  freshness source { id name label kind status } location { id code name kind timeZone position { latitude longitude } } }"""
PAGE = f"""query ($skus: [String!]!) {{ inventory(skus: $skus) {{ id sku name availableToPromise onHand available incoming reserved
  complete carried {LEVELS} sources {{ source {{ name }} status freshness reason latencyMs asOf }} }} }}"""
DESK = """query ($n: Int = 50) { orders(first: $n) { eventCursor count { value precision }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  nodes { id number channel externalId status version placedAt supportedActions
    lines { id sku units quantities { state units } }
    fulfillmentOrders { id status requestStatus remoteRef location { code name } lines { sku units }
      shipments { id shippedAt packages { carrier trackingNumber trackingUrl lines { sku units } } } } } } }"""
DEEP = "{ a" * 17 + "}" * 17
CYCLE = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"
SELF = '{ ...A } fragment A on Query { source(name: "odoo") { ...A } }'
DOUBLING = (
    "{ ...F0 }"
    + "".join(f" fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(100))
    + " fragment F100 on Query { __typename }"
)
DOUBLING_FIELDS = (
    "query ($i: ID!) { ...F0 }"
    + "".join(f" fragment F{n} on Query {{ a: node(id: $i) {{ id }} ...F{n + 1} ...F{n + 1} }}" for n in range(60))
    + " fragment F60 on Query { __typename }"
)
ALIASES = "{" + " ".join(f"a{n}: __typename" for n in range(51)) + "}"
SAME_KEY = "{" + "__typename " * 21 + "}"
FIELDS = "{" + "sources { id name label kind connector status locations { id code name kind timeZone active } } " * 20 + "}"
FIELDS = FIELDS.replace("}", " statusReason latencyMs lastReadAt safetyStock " * 5 + "}", 20)
DIRECTIVES = "{ __typename " + "@skip(if: false) " * 51 + "}"
CHAIN = (
    "{ ...F0 }"
    + "".join(f" fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(490))
    + " fragment F490 on Query { __typename }"
)
BIG_LISTS = (
    "{ inventory(skus: [" + '"x" ' * 250 + "]) { levels { location { source { locations { source { locations { code } } } } } } } }"
)
BIG_PAGES = "{ orders(first: 100) { nodes { timeline(first: 200) { order { lines { quantities { units } } } } } } }"
BY_DEFAULT = BIG_PAGES.replace("{ orders(first: 100)", "query ($n: Int = 100) { orders(first: $n)", 1)
BY_VARIABLE = BIG_PAGES.replace("{ orders(first: 100)", "query ($n: Int) { orders(last: $n)", 1)
HUGE = "{ orders(first: 99999999999999999999) { nodes { id } } }"


@pytest.mark.parametrize(
    ("document", "variables", "what"),
    [
        (DEEP, {}, "depth"),
        (CYCLE, {}, "contains itself"),
        (SELF, {}, "contains itself"),
        (DOUBLING, {}, "fields"),
        (DOUBLING_FIELDS, {}, "aliases"),
        (ALIASES, {}, "aliases"),
        (SAME_KEY, {}, "repeated"),
        (FIELDS, {}, "fields"),
        (DIRECTIVES, {}, "directives"),
        (CHAIN, {}, "nested"),
        (BIG_LISTS, {}, "cost"),
        (BIG_PAGES, {}, "cost"),
        (BY_DEFAULT, {}, "cost"),
        (BY_VARIABLE, {"n": 100}, "cost"),
        (HUGE, {}, "cost"),
    ],
)
def test_what_nobody_needs_is_refused_before_it_is_validated(document: str, variables: dict[str, Any], what: str) -> None:
    refusal = too_large(parse(document, max_tokens=4_000), variables, Queries())
    assert refusal is not None
    assert what in refusal.message
    assert refusal.extensions == {"code": "QUERY_TOO_LARGE"}


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (PAGE, {"skus": [f"SKU-{n:04d}" for n in range(1, 51)]}),
        (DESK, {}),
        (get_introspection_query(descriptions=True, input_value_deprecation=True), {}),
        ("{" + " ".join(f"a{n}: __typename" for n in range(50)) + "}", {}),
    ],
    ids=["50 SKUs with all fields", "a page of orders at a service desk", "introspection", "50 aliases"],
)
def test_what_clients_really_ask_is_answered(tmp_path: Path, document: str, variables: dict[str, Any]) -> None:
    async def story() -> None:
        async with world(tmp_path) as (graph, _):
            await graph(document, **variables)

    run(story)


def test_the_same_document_is_as_large_as_its_variables_say_every_time(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            for first, refused in ((1, False), (100, True), (1, False)):
                answer = (await graph.post({"query": BY_VARIABLE, "variables": {"n": first}})).json()
                codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
                assert codes == (["QUERY_TOO_LARGE"] if refused else [])

    run(story)


def test_documents_too_long_or_too_deep_to_read_are_parse_errors(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            for document in (
                "{" + "a " * 4_000 + "}",
                "{ a" * 1_900 + "}" * 1_900,
                "{ inventory(skus: " + "[" * 1_900 + "]" * 1_900 + ") { sku } }",
                "query (" + "$a: " + "[" * 1_900 + "Int" + "]" * 1_900 + ") { __typename }",
                "#" * 200_000 + "\n{",
            ):
                (error,) = (await graph.post({"query": document})).json()["errors"]
                assert error["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"

    run(story)
