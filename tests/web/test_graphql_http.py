"""GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/), rule by rule, as its audit suite checks them."""

import json
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import httpx

from gateway.demo.world import TOKENS
from gateway.domain.principals import Role
from tests.harness import gateway, network, run

NEW = "application/graphql-response+json"
OLD = "application/json"
PLAIN = "{ __typename }"
NAMED = "query Name($name: String!) { __type(name: $name) { name } }"
ASKS_ID = "query Ask($id: ID!) { node(id: $id) { id } }"
ADA = {"authorization": f"Bearer {TOKENS[Role.OPERATOR]}"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A request, and what its answer has to be. ``data`` and ``errors``: whether the answer has them; None: either way."""

    says: str
    status: int
    body: Any = None
    params: dict[str, str] | None = None
    raw: bytes | None = None
    method: str = "POST"
    accept: str | None = None
    content_type: str | None = OLD
    answers_in: str | None = None
    data: bool | None = None
    errors: bool | None = None
    header: dict[str, str] = field(default_factory=dict)


MEDIA_TYPES = [
    Rule("the newer media type is answered in kind", 200, {"query": PLAIN}, accept=NEW, answers_in=NEW, data=True),
    Rule("so is the older", 200, {"query": PLAIN}, accept=OLD, answers_in=OLD, data=True),
    Rule("whoever takes both gets the newer", 200, {"query": PLAIN}, accept=f"{NEW}, {OLD};q=0.9", answers_in=NEW, data=True),
    Rule("whoever takes anything gets JSON", 200, {"query": PLAIN}, accept="*/*", answers_in=OLD, data=True),
    Rule("whoever says nothing gets JSON", 200, {"query": PLAIN}, accept="", answers_in=OLD, data=True),
    Rule(
        "JSON beside event streams means JSON", 200, {"query": PLAIN}, accept="application/json, text/event-stream", answers_in=OLD
    ),
    Rule("a charset may be named", 200, {"query": '{ __type(name: "Run🏃") { name } }'}, content_type=f"{OLD}; charset=utf-8"),
    Rule("a POST has a content type", 415, {"query": PLAIN}, content_type=None, errors=True),
    Rule("a form is no request", 415, raw=b"query=%7B__typename%7D", content_type="application/x-www-form-urlencoded"),
    Rule("text that looks like JSON is no request", 415, {"query": PLAIN}, content_type="text/plain"),
]
METHODS = [
    Rule("a query may come by GET", 200, method="GET", params={"query": PLAIN}, accept=OLD, data=True),
    Rule("with variables", 200, method="GET", params={"query": NAMED, "variables": '{"name": "Order"}'}, accept=NEW, data=True),
    Rule("which are JSON", 400, method="GET", params={"query": NAMED, "variables": "{"}, accept=NEW, errors=True),
    Rule("and an object", 400, method="GET", params={"query": NAMED, "variables": "[]"}, accept=NEW, errors=True),
    Rule("a mutation may not", 405, method="GET", params={"query": "mutation { __typename }"}, header={"allow": "GET, POST"}),
    Rule("a subscription needs a stream", 406, {"query": "subscription { orderEvents { id } }"}, accept=OLD, errors=True),
    *(
        Rule("other methods are refused", 405, {"query": PLAIN}, method=each, header={"allow": "GET, POST"})
        for each in ("PUT", "PATCH")
    ),
]
BROKEN = [b"", b'{ "not a JSON', b"\xff", b'{"query": "\xff"}', "{}".encode("utf-16"), b"null", b'"x"', b"1", b"[]", b"{}"]
BROKEN += [b'[{"query": "{ __typename }"}]', b'{"query": "{ __typename }", "variables": {"a": NaN}}']
BROKEN += [
    b'{"query": "{ __typename }", "variables": {"a": "\\ud800"}}',
    b'{"variables": {"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
]
BODIES = [
    *(Rule("a body that is no request is the client's mistake", 400, raw=raw, accept=a) for raw, a in product(BROKEN, (OLD, NEW))),
    Rule("a misspelled query is missing", 400, {"qeury": PLAIN}, accept=NEW, answers_in=NEW, errors=True, data=False),
    Rule("an empty one, too", 400, {"query": ""}, errors=True),
    *(Rule("a query is a string", 400, {"query": each}, errors=True) for each in ({"obj": "ect"}, 0, False, ["array"], None)),
    *(
        Rule("an operation's name is a string", 400, {"query": PLAIN, "operationName": each}, errors=True)
        for each in ({"obj": "ect"}, 0, False, ["array"])
    ),
    *(
        Rule("variables and extensions are objects", 400, {"query": PLAIN, name: each}, errors=True)
        for name, each in product(("variables", "extensions"), ("string", 0, False, ["array"]))
    ),
    *(
        Rule("null is as good as nothing", 200, {"query": PLAIN, name: None}, accept=accept, data=True, errors=False)
        for name, accept in product(("variables", "operationName", "extensions"), (OLD, NEW))
    ),
    *(
        Rule("what fits is taken", 200, body, accept=accept, data=True, errors=False)
        for body, accept in product(
            (
                {"query": "query Q { __typename }", "operationName": "Q"},
                {"query": NAMED, "variables": {"name": "Order"}},
                {"query": PLAIN, "extensions": {"some": "value"}},
                {"query": PLAIN, "unheard": "of"},
            ),
            (OLD, NEW),
        )
    ),
]
UNFIT: list[dict[str, Any]] = [
    {"query": "{"},
    {"query": "{ 8f31403dfe404bccbb0e835f2629c6a7 }"},
    {"query": "{ nothingOfThatName }"},
    {"query": ASKS_ID, "variables": {"id": None}},
    {"query": ASKS_ID},
    {"query": '{ order(by: {id: "a", number: "b"}) { id } }'},
    {"query": '{ orders(filter: {placedFrom: "0001-01-01T00:00:00+14:00"}) { nodes { id } } }'},
    {"query": "query A { __typename } query B { __typename }"},
]
DOCUMENTS = [
    *(Rule("a document that is wrong is 200 in the older type", 200, each, accept=OLD, data=False, errors=True) for each in UNFIT),
    *(Rule("and 400 in the newer", 400, each, accept=NEW, answers_in=NEW, data=False, errors=True) for each in UNFIT),
    *(
        Rule("there has to be an operation of that name", 400, {**each, "operationName": "C"}, accept=NEW, errors=True, data=False)
        for each in ({"query": "query A { __typename }"}, {"query": "fragment A on Query { __typename }"})
    ),
]


def test_the_endpoint_keeps_every_rule_of_graphql_over_http(tmp_path: Path) -> None:
    async def story() -> None:
        async with network(products=12) as (urls, _), gateway(urls, tmp_path / "dom.sqlite3") as graph:
            rules = [*MEDIA_TYPES, *METHODS, *BODIES, *DOCUMENTS]
            broken = [(rule, why) for rule in rules for why in await complaints(graph.client, rule)]
            assert broken == []

    run(story)


def test_whoever_opens_the_address_in_a_browser_gets_a_page_to_explore_it_with(tmp_path: Path) -> None:
    async def story() -> None:
        async with network(products=12) as (urls, _), gateway(urls, tmp_path / "dom.sqlite3") as graph:
            home = await graph.client.get("/", headers={"accept": "text/html"}, follow_redirects=True)
            assert (home.status_code, home.url.path) == (200, "/graphql")
            assert "<!doctype html>" in home.text.lower()

    run(story)


async def complaints(client: httpx.AsyncClient, rule: Rule) -> list[str]:
    """In what the answer is not as the rule says."""
    headers = {**ADA, **({"content-type": rule.content_type} if rule.content_type else {})}
    if rule.accept is not None:
        headers["accept"] = rule.accept
    content = None if rule.method == "GET" else rule.raw if rule.raw is not None else json.dumps(rule.body).encode()
    answer = await client.request(rule.method, "/graphql", params=rule.params, content=content, headers=headers)
    found = [] if answer.status_code == rule.status else [f"status {answer.status_code}: {answer.text}"]
    if rule.answers_in is not None and answer.headers["content-type"] != rule.answers_in:
        found.append(f"content type {answer.headers['content-type']}")
    found += [f"header {name}" for name, value in rule.header.items() if answer.headers.get(name) != value]
    body = json.loads(answer.content.decode("utf-8"))
    found += [
        f"{name}: {answer.text}"
        for name, wanted in (("data", rule.data), ("errors", rule.errors))
        if wanted is not None and (name in body) is not wanted
    ]
    codes = [error["extensions"]["code"] for error in body.get("errors", ())]
    return [*found, *(f"code {code}" for code in codes if code == "INTERNAL_SERVER_ERROR")]
