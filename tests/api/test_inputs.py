"""Whatever a client sends, it gets an answer that says what was wrong with it and where."""

import asyncio
import json
from collections.abc import Mapping
from copy import deepcopy
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.api.identifiers import opaque
from gateway.domain.principals import Role
from tests.harness import CHICAGO, PLACE, Graph, line, place, run, world

OPERATIONS = {
    "reservationCreate": "ReservationCreateInput",
    "reservationExtend": "ReservationExtendInput",
    "reservationRelease": "ReservationReleaseInput",
    "orderPlace": "OrderPlaceInput",
    "orderCancel": "OrderCancelInput",
    "fulfillmentOrderAccept": "FulfillmentOrderAcceptInput",
    "fulfillmentOrderReject": "FulfillmentOrderRejectInput",
    "fulfillmentOrderShip": "FulfillmentOrderShipInput",
}
CANCEL = """mutation ($input: OrderCancelInput!) { orderCancel(input: $input) { order { id status version }
  userErrors { __typename code path ... on VersionConflictError { currentVersion } } } }"""
GOOD: Mapping[str, Any] = {"idempotencyKey": "key", "channel": "web", "lines": [line("SKU-0001", 1)], "to": CHICAGO}
Changes = dict[str, Any]


def test_every_field_that_is_wrong_is_told_at_once_each_with_its_path(tmp_path: Path) -> None:
    cases: list[tuple[Changes, list[str]]] = [
        ({"lines": []}, ["lines"]),
        ({"lines": [line("SKU-0001", 1)] * 101}, ["lines"]),
        ({"lines": [line("SKU-0001", 1), line("SKU-0001", 0)]}, ["lines.1.units"]),
        ({"lines": [line("SKU-0001", -1)]}, ["lines.0.units"]),
        ({"lines": [line("SKU-0001", 100_001)]}, ["lines.0.units"]),
        ({"lines": [line("", 1)]}, ["lines.0.sku"]),
        ({"lines": [line("a\u0000b", 1)]}, ["lines.0.sku"]),
        ({"lines": [line("a\nb", -5)]}, ["lines.0.sku", "lines.0.units"]),
        ({"lines": [line("x" * 101, 1)]}, ["lines.0.sku"]),
        ({"channel": "\u202e", "externalId": ""}, ["channel", "externalId"]),
        ({"valueCents": -1}, ["valueCents"]),
        ({"valueCents": 1_000_000_001}, ["valueCents"]),
        ({"idempotencyKey": " "}, ["idempotencyKey"]),
        ({"idempotencyKey": "x" * 256}, ["idempotencyKey"]),
        ({"to": {**CHICAGO, "countryCode": "usa", "lines": []}}, ["to.lines", "to.countryCode"]),
        ({"to": {**CHICAGO, "lines": ["a", "b", "c", "d"]}}, ["to.lines"]),
        ({"to": {**CHICAGO, "city": "", "postalCode": "1" * 21}}, ["to.city", "to.postalCode"]),
        ({"to": {**CHICAGO, "latitude": 91, "longitude": -181}}, ["to.latitude", "to.longitude"]),
        ({"to": {**CHICAGO, "latitude": 41.9}}, ["to.latitude"]),
        ({"email": "\u007f", "phone": "1" * 51}, ["email", "phone"]),
        ({"method": "PICKUP"}, ["pickupAt"]),
        ({"pickupAt": opaque("Location", "odoo:none")}, ["pickupAt"]),
        ({"method": "PICKUP", "pickupAt": opaque("Location", "odoo:none")}, ["pickupAt"]),
        ({"pickupAt": opaque("Order", "x")}, ["pickupAt"]),
        ({"reservation": opaque("Order", "x")}, ["reservation"]),
        ({"reservation": opaque("Reservation", "none")}, ["reservation"]),
        ({"reservation": "\u0000é"}, ["reservation"]),
    ]

    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            for changes, blamed in cases:
                payload = (await graph(PLACE, role=Role.STOREFRONT, input={**GOOD, **changes}))["orderPlace"]
                assert payload["order"] is None
                paths = [".".join(error["path"][1:]) for error in payload["userErrors"]]
                assert sorted(paths) == sorted(blamed), changes
                assert {error["path"][0] for error in payload["userErrors"]} == {"input"}
                assert {error["code"] for error in payload["userErrors"]} <= {"INVALID", "NOT_FOUND"}
            unknown = (await graph(PLACE, input={**GOOD, "lines": [line("SKU-9999", 1)]}))["orderPlace"]
            assert [(error["code"], error["path"]) for error in unknown["userErrors"]] == [("NOT_FOUND", ["input", "lines"])]

    run(story)


def test_an_input_of_the_wrong_shape_is_the_clients_mistake(tmp_path: Path) -> None:
    shapes: list[Changes] = [{name: None} for name in ("idempotencyKey", "channel", "lines", "to", "method")] + [
        {"lines": [line("SKU-0001", 2**31)]},
        {"lines": [None]},
        {"lines": "x"},
        {"to": []},
        {"nothing": 1},
        {"method": "FLY"},
    ]

    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            missing = {name: value for name, value in GOOD.items() if name != "idempotencyKey"}
            for sent in (missing, *({**GOOD, **changes} for changes in shapes)):
                answer = (await graph.post({"query": PLACE, "variables": {"input": sent}})).json()
                assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"], sent
                assert "data" not in answer
            surrogate = b'{"query": "{ __typename }", "variables": {"input": {"channel": "\\ud800"}}}'
            headers = {"authorization": "Bearer demo-operator", "content-type": "application/json"}
            assert (await graph.client.post("/graphql", content=surrogate, headers=headers)).status_code == 400
            queries = "query ($skus: [String!]!, $age: Int) { inventory(skus: $skus, maxAgeSeconds: $age) { sku } }"
            for variables, blamed in (
                ({"skus": ["x"] * 251}, ["skus"]),
                ({"skus": ["SKU-0001", ""]}, ["skus", "1"]),
                ({"skus": ["SKU-0001"], "age": -1}, ["maxAgeSeconds"]),
            ):
                (error,) = (await graph.post({"query": queries, "variables": variables})).json()["errors"]
                assert (error["extensions"]["code"], error["extensions"]["argumentPath"]) == ("BAD_USER_INPUT", blamed)
            found = await graph(queries.replace("{ sku }", "{ sku carried availableToPromise }"), skus=["SKU-9999"])
            assert found["inventory"] == [{"sku": "SKU-9999", "carried": False, "availableToPromise": None}]

    run(story)


def test_a_repeated_request_gets_the_first_answer_and_the_same_key_with_another_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            first = await place(graph, line("SKU-0001", 1), key="same")
            assert await place(graph, line("SKU-0001", 1), key="same") == first
            payload = await place(graph, line("SKU-0001", 2), key="same")
            assert [(error["code"], error["path"]) for error in payload["userErrors"]] == [
                ("IDEMPOTENCY_MISMATCH", ["input", "idempotencyKey"])
            ]
            other = await place(graph, line("SKU-0001", 2), key="same", role=Role.AGENT)
            assert other["order"]["id"] != first["order"]["id"]
            at_once = await asyncio.gather(*(place(graph, line("SKU-0001", 3), key="at once") for _ in range(5)))
            assert len({payload["order"]["id"] for payload in at_once}) == 1
            assert (await graph("{ orders { count { value } } }"))["orders"]["count"]["value"] == 3

    run(story)


def test_a_change_based_on_an_old_version_is_refused_with_the_new_one(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            order = (await place(graph, line("SKU-0001", 1), key="one"))["order"]
            given_ = {"idempotencyKey": "c", "id": order["id"], "reasonCode": "CUSTOMER", "expectedVersion": 1_000}
            (error,) = (await graph(CANCEL, input=given_))["orderCancel"]["userErrors"]
            assert (error["__typename"], error["code"]) == ("VersionConflictError", "VERSION_CONFLICT")
            assert error["path"] == ["input", "expectedVersion"]
            assert error["currentVersion"] >= order["version"]
            for id_ in (opaque("Order", "none"), opaque("Location", "odoo:1"), "x", "", "\u0000"):
                (error,) = (await graph(CANCEL, input={**given_, "id": id_}))["orderCancel"]["userErrors"]
                assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "id"])

    run(story)


NASTY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.sampled_from([0, -1, 1, 2**31 - 1, -(2**31), 10**400]),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", " ", "\u0000", "\ud800", "\u202e", "é" * 300, "SKU-0001", "PICKUP", "{}", "%s", "' OR 1=1 --"]),
    st.sampled_from(["Order", "Reservation", "FulfillmentOrder", "Location"]).map(lambda kind: opaque(kind, "x\u0000")),
    st.lists(st.none() | st.text(max_size=3), max_size=3),
    st.just({}),
)


def test_no_input_whatever_is_answered_with_a_crash(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path, products=12) as (graph, _):
            order = (await place(graph, line("SKU-0001", 1), key="one"))["order"]
            await asyncio.to_thread(fuzz, graph, asyncio.get_running_loop(), known(order))

    run(story)


def fuzz(graph: Graph, loop: asyncio.AbstractEventLoop, inputs: Mapping[str, Changes]) -> None:
    """Send inputs with one or two fields replaced by anything."""
    numbers = count()

    @settings(max_examples=250, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def sent(data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(sorted(inputs)))
        content = deepcopy(inputs[operation]) | {"idempotencyKey": f"key {next(numbers)}"}
        for _ in range(data.draw(st.integers(1, 2))):
            places = list(leaves(content))
            if places:
                holder, name = data.draw(st.sampled_from(places))
                holder[name] = data.draw(NASTY)
        query = (
            f"mutation ($input: {OPERATIONS[operation]}!) {{ {operation}(input: $input) {{ userErrors {{ code path message }} }} }}"
        )
        body = {"query": query, "variables": {"input": content}}
        answer = asyncio.run_coroutine_threadsafe(graph.client.post("/graphql", **as_json(body)), loop).result(30)
        assert_answered(answer, operation)

    sent()


def assert_answered(answer: httpx.Response, operation: str) -> None:
    """The request was not one, or it was refused as a whole, or it has a payload whose errors say where."""
    assert answer.status_code in {200, 400}, answer.text
    told = answer.json()
    codes = {error["extensions"]["code"] for error in told.get("errors", ())}
    assert codes <= {"BAD_USER_INPUT", "BAD_REQUEST"}, answer.text
    if not codes:
        for error in told["data"][operation]["userErrors"]:
            assert error["path"] or error["code"] not in {"INVALID", "NOT_FOUND"}, error


def leaves(content: Any) -> Any:
    """Every place in an input: what holds it, and its name there."""
    for name, value in list(content.items() if isinstance(content, dict) else enumerate(content)):
        yield content, name
        if isinstance(value, dict | list):
            yield from leaves(value)


def known(order: Mapping[str, Any]) -> dict[str, Changes]:
    """An input for each mutation with nothing wrong in it."""
    work = {"idempotencyKey": "k", "id": order["fulfillmentOrders"][0]["id"], "expectedVersion": 1_000}
    units = [line("SKU-0001", 1)]
    return {
        "reservationCreate": {"idempotencyKey": "k", "lines": units, "location": None, "ttlSeconds": 60},
        "reservationExtend": {"idempotencyKey": "k", "id": opaque("Reservation", "x"), "ttlSeconds": 60},
        "reservationRelease": {"idempotencyKey": "k", "id": opaque("Reservation", "x")},
        "orderPlace": {**GOOD, "externalId": "e", "reservation": None, "pickupAt": None, "email": None, "phone": None},
        "orderCancel": {"idempotencyKey": "k", "id": order["id"], "reasonCode": "x", "expectedVersion": 1_000},
        "fulfillmentOrderAccept": work,
        "fulfillmentOrderReject": {**work, "reasonCode": "x"},
        "fulfillmentOrderShip": {
            **work,
            "packages": [{"carrier": "UPS", "lines": units, "trackingNumber": "1Z", "trackingUrl": None}],
        },
    }


def as_json(body: Any) -> dict[str, Any]:
    """The body as JSON in ASCII: a lone surrogate is an escape sequence in it."""
    return {
        "content": json.dumps(body).encode(),
        "headers": {"authorization": "Bearer demo-operator", "content-type": "application/json"},
    }
