"""The traps of Shopify's wire, one by one: what it may answer, and what must come of it."""

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from graphql import parse, validate
from hypothesis import given
from hypothesis import strategies as st

from connectors.client import Allowance, Inconclusive, Reply
from connectors.contract import (
    Address,
    AuthFailed,
    ContractBroken,
    Cursor,
    FulfillmentRequest,
    Method,
    NotFound,
    OutcomeUnknown,
    Rejected,
    RemoteLevel,
    RemoteLocationId,
    RemoteState,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
    SourceError,
    StockBatch,
    Throttled,
    Transient,
)
from connectors.registry import Tools
from connectors.sandbox.shopify.schema import SCHEMA
from connectors.shopify import Shopify, ShopifySettings, documents
from connectors.shopify.catalog import Item
from connectors.shopify.connector import version_warning
from connectors.shopify.documents import Document
from connectors.shopify.feed import sweep_of
from connectors.shopify.orders import line_inputs, order_input, parse_order
from connectors.shopify.rows import LevelRow, Named, OrderRow, QuantityRow, VersionRow
from connectors.shopify.stock import ItemStock
from connectors.shopify.wire import allowance_of, classify, gid, number_of, quoted

HERE = RemoteLocationId("7")
A = Sku("A")
AT = "2026-11-22T13:19:10Z"
LEVELS = {"available": 5, "on_hand": 7, "committed": 2, "incoming": 0}
NO_MORE = {"hasNextPage": False, "endCursor": None}
DOCUMENTS = {name: each for name, each in vars(documents).items() if isinstance(each, Document)}


def said(status: int = 200, **body: Any) -> Reply:
    return Reply(status=status, headers={}, body=json.dumps(body).encode())


def problem(code: str | None, message: str = "No.") -> Mapping[str, Any]:
    return {"message": message, "extensions": {"code": code}} if code else {"message": message}


# ---------------------------------------------------------------------------------------------- documents
@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_document_is_one_that_shopify_takes(name: str) -> None:
    assert [error.message for error in validate(SCHEMA, parse(DOCUMENTS[name].text))] == []


def test_text_that_is_searched_for_stays_one_value() -> None:
    assert quoted('3/4" pipe \\ "x" OR sku:B') == '"3/4\\" pipe \\\\ \\"x\\" OR sku:B"'


# ---------------------------------------------------------------------------------------------- how it says no
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (said(data={}), None),
        (said(data={"note": 'said "errors" and meant nothing'}), None),
        (said(errors=[]), None),
        (said(errors=[problem("THROTTLED")]), Throttled),
        (said(errors=[problem("ACCESS_DENIED")]), AuthFailed),
        (said(errors=[problem("INTERNAL_SERVER_ERROR")]), Inconclusive),
        (said(errors=[problem("MAX_COST_EXCEEDED")]), Rejected),
        (said(errors=[problem("undefinedField")]), ContractBroken),
        (said(errors=[problem(None)]), Rejected),
        (said(data={"orders": None}, errors=[problem("ACCESS_DENIED")]), AuthFailed),
        (said(401, errors="[API] Invalid API key or access token"), AuthFailed),
        (said(402, errors="Unavailable Shop"), Rejected),
        (said(404, errors="Not Found"), NotFound),
        (said(429, errors="Exceeded"), Throttled),
        (said(503), Transient),
    ],
)
def test_what_went_wrong_is_read_out_of_status_and_body(reply: Reply, error: type[SourceError] | None) -> None:
    found = classify(reply)
    assert (None if found is None else type(found)) is error


@pytest.mark.parametrize("errors", ["words", {"query": "missing"}, [{"extensions": {}}], 5])
def test_errors_that_cannot_be_read_are_not_taken_for_an_answer(errors: object) -> None:
    with pytest.raises(ContractBroken):
        classify(said(errors=errors))


def test_points_are_read_as_what_may_still_be_asked() -> None:
    throttle = {"maximumAvailable": 2000.0, "currentlyAvailable": 40, "restoreRate": 100.0}
    cost = {"requestedQueryCost": 140, "actualQueryCost": None, "throttleStatus": throttle}
    assert allowance_of(said(extensions={"cost": cost})) == Allowance(left=40, restore_per_s=100, most=2000)
    error = classify(said(errors=[problem("THROTTLED")], extensions={"cost": cost}))
    assert isinstance(error, Throttled)
    assert error.retry_after_s == 1.0
    assert allowance_of(said(data={})) is None
    with pytest.raises(ContractBroken):
        allowance_of(Reply(status=200, headers={}, body=b"<html>"))


@pytest.mark.parametrize("global_id", ["", "gid://shopify/Order/", "gid://shopify/Order/x", "gid://other/Order/1", "1"])
def test_what_is_no_id_breaks_the_contract(global_id: str) -> None:
    assert number_of(gid("Order", "12")) == "12"
    with pytest.raises(ContractBroken):
        number_of(global_id)


# ---------------------------------------------------------------------------------------------- stock
class Canned(httpx.AsyncBaseTransport):
    """Answers by the name of the operation; its requests' variables are kept."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(await request.aread())
        operation = asked["query"].split()[1].partition("(")[0]
        self.asked.append((operation, asked["variables"]))
        answer = self.answers[operation]
        content = answer if isinstance(answer, bytes) else json.dumps({"data": answer}).encode()
        return httpx.Response(200, content=content)


def level(**quantities: object) -> Mapping[str, Any]:
    rows = [{"name": name, "quantity": amount} for name, amount in {**LEVELS, **quantities}.items()]
    return {"updatedAt": AT, "location": {"id": "gid://shopify/Location/7"}, "quantities": rows}


def stocked(*levels: Mapping[str, Any], tracked: object = True, more: Mapping[str, Any] = NO_MORE) -> Mapping[str, Any]:
    return {
        "id": "gid://shopify/InventoryItem/1",
        "sku": "A",
        "tracked": tracked,
        "inventoryLevels": {"nodes": levels, "pageInfo": more},
    }


def shop(**answers: Any) -> Canned:
    variant = {"id": "gid://shopify/ProductVariant/2", "displayName": "Anchor"}
    item = {"id": "gid://shopify/InventoryItem/1", "sku": "A", "duplicateSkuCount": 0, "variant": variant}
    return Canned(
        {
            "Locations": {"locations": {"nodes": [], "pageInfo": NO_MORE}},
            "Items": {"inventoryItems": {"nodes": [item], "pageInfo": NO_MORE}},
            "Stock": {"nodes": [stocked(level())]},
            **answers,
        }
    )


def read(transport: Canned, *skus: str) -> StockBatch:
    async def once() -> StockBatch:
        tools = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic, transport=transport)
        connector = Shopify(ShopifySettings(url="https://shop.test", access_token=Secret("t")), tools)
        try:
            return await connector.read_stock([Sku(sku) for sku in skus or ("A",)])
        finally:
            await connector.aclose()

    return asyncio.run(once())


def test_a_level_is_what_shopify_says_it_is() -> None:
    expected = RemoteLevel(sku=A, location=HERE, on_hand=7, available=5, committed=2, incoming=0, as_of=datetime.fromisoformat(AT))
    assert read(shop()).levels == (expected,)


@pytest.mark.parametrize("available", [-3, 0, 10**12])
def test_a_number_is_passed_on_below_zero_too(available: int) -> None:
    (found,) = read(shop(Stock={"nodes": [stocked(level(available=available))]})).levels
    assert found.available == available


@pytest.mark.parametrize("available", ["5", None, 2.5, 10**12 + 1, 10**40, True, [], {}])
def test_what_is_no_number_of_things_is_never_read_as_one(available: object) -> None:
    with pytest.raises(ContractBroken):
        read(shop(Stock={"nodes": [stocked(level(available=available))]}))


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":{"nodes":[{"id":"gid://shopify/InventoryItem/1","sku":"A","tracked":true,"inventoryLevels":NaN}]}}',
        b"null",
        b"{}",
        b'{"data":null}',
        b'{"data":{"nodes":null}}',
        b'{"data":{"nodes":[{}]}}',
    ],
)
def test_half_an_answer_breaks_the_contract(body: bytes) -> None:
    with pytest.raises(ContractBroken):
        read(shop(Stock=body))


def test_a_quantity_that_is_missing_or_renamed_is_not_zero() -> None:
    without = {**level(), "quantities": [{"name": "on_hand", "quantity": 7}]}
    with pytest.raises(ContractBroken, match="lacks available"):
        read(shop(Stock={"nodes": [stocked(without)]}))


def test_levels_on_further_pages_are_fetched() -> None:
    more = {"hasNextPage": True, "endCursor": "c1"}
    elsewhere = {**level(available=1), "location": {"id": "gid://shopify/Location/8"}}
    transport = shop(Stock={"nodes": [stocked(level(), more=more)]}, MoreStock={"inventoryItem": stocked(elsewhere)})
    assert {each.location: each.available for each in read(transport).levels} == {"7": 5, "8": 1}
    assert transport.asked[-1][1]["after"] == "c1"


def test_levels_that_lead_back_to_themselves_end() -> None:
    more = {"hasNextPage": True, "endCursor": "c1"}
    transport = shop(Stock={"nodes": [stocked(level(), more=more)]}, MoreStock={"inventoryItem": stocked(level(), more=more)})
    with pytest.raises(ContractBroken, match="nowhere"):
        read(transport)


def test_what_a_search_finds_besides_is_dropped() -> None:
    batch = read(shop(), "A", "a", "B")
    assert {level.sku for level in batch.levels} == {"A"}
    assert batch.unknown == {"a", "B"}


def test_a_sku_that_is_stocked_nowhere_is_unknown() -> None:
    batch = read(shop(Stock={"nodes": [stocked()]}))
    assert batch.levels == ()
    assert batch.unknown == {"A"}


# ---------------------------------------------------------------------------------------------- orders
def order(*works: tuple[str, str], at: str = "7", service: bool = False, **more: Any) -> OrderRow:
    nodes = [
        {
            "id": f"gid://shopify/FulfillmentOrder/{number}",
            "status": status,
            "requestStatus": request_status,
            "assignedLocation": {"location": {"id": f"gid://shopify/Location/{at}", "isFulfillmentService": service}},
        }
        for number, (status, request_status) in enumerate(works)
    ]
    row = {
        "id": "gid://shopify/Order/1",
        "sourceIdentifier": "key-1",
        "cancelledAt": None,
        "cancelReason": None,
        "cancellation": None,
        "customAttributes": [{"key": "dom_location", "value": "7"}],
        "fulfillmentOrders": {"nodes": nodes},
        "fulfillments": [],
        **more,
    }
    return msgspec.convert(row, OrderRow)


def shipment(status: str = "SUCCESS") -> Mapping[str, Any]:
    lines = {"nodes": [{"quantity": 2, "lineItem": {"sku": "A"}}, {"quantity": 1, "lineItem": {"sku": None}}]}
    return {"status": status, "createdAt": AT, "trackingInfo": [], "fulfillmentLineItems": lines}


OPEN, UNASKED = "OPEN", "UNSUBMITTED"


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (order((OPEN, UNASKED)), RemoteState.ACCEPTED),
        (order(("IN_PROGRESS", UNASKED)), RemoteState.ACCEPTED),
        (order(("ON_HOLD", UNASKED)), RemoteState.ACCEPTED),
        (order((OPEN, UNASKED), at="8"), RemoteState.REQUESTED),
        (order(("IN_PROGRESS", UNASKED), at="8"), RemoteState.ACCEPTED),  # somebody there has begun
        (order((OPEN, UNASKED), at="8", customAttributes=[]), RemoteState.ACCEPTED),  # none of ours
        (order(), RemoteState.REQUESTED),
        (order((OPEN, UNASKED), service=True), RemoteState.REQUESTED),
        (order((OPEN, "SUBMITTED"), service=True), RemoteState.REQUESTED),
        (order((OPEN, "ACCEPTED"), service=True), RemoteState.ACCEPTED),
        (order((OPEN, "SOMETHING_NEW"), service=True), RemoteState.REQUESTED),
        (order(("IN_PROGRESS", "CANCELLATION_REQUESTED"), service=True), RemoteState.ACCEPTED),
        (order((OPEN, "REJECTED"), service=True), RemoteState.REJECTED),
        (order(("INCOMPLETE", "CLOSED"), service=True), RemoteState.REJECTED),
        (order(("CANCELLED", "CANCELLATION_ACCEPTED"), service=True), RemoteState.CANCELED),
        (order(("CANCELLED", "CANCELLATION_ACCEPTED"), (OPEN, UNASKED), service=True), RemoteState.REQUESTED),
        (order(("CLOSED", UNASKED), fulfillments=[shipment()]), RemoteState.SHIPPED),
        (order(("CLOSED", UNASKED), (OPEN, UNASKED), fulfillments=[shipment()]), RemoteState.ACCEPTED),
        (order(("CLOSED", UNASKED), fulfillments=[shipment("CANCELLED")]), RemoteState.CANCELED),
        (order((OPEN, UNASKED), cancelledAt=AT, cancelReason="CUSTOMER"), RemoteState.CANCELED),
        (order((OPEN, UNASKED), cancelledAt=AT, cancelReason="INVENTORY"), RemoteState.REJECTED),
    ],
)
def test_how_far_an_order_is_follows_from_its_work(row: OrderRow, state: RemoteState) -> None:
    assert parse_order(row).state is state


def test_what_left_is_told_by_sku() -> None:
    (package,) = parse_order(order(("CLOSED", UNASKED), fulfillments=[shipment(), shipment("FAILURE")])).packages
    assert package.lines == (RequestLine(sku=A, units=2),)
    assert (package.carrier, package.tracking_number, package.shipped_at) == (None, None, datetime.fromisoformat(AT))


def asking(method: Method = Method.SHIP, **address: Any) -> FulfillmentRequest:
    home = {"lines": ("1 Main St", "Apt 2", "Back"), "city": "Austin", "postal_code": "78704", "country_code": "US", **address}
    return FulfillmentRequest(
        key=RequestKey("key-1"),
        location=HERE,
        lines=(RequestLine(sku=A, units=2),),
        recipient=Address(**home),
        method=method,
        order_number="1001",
    )


def test_an_order_says_where_it_goes_and_what_has_been_paid() -> None:
    shipped = order_input(asking(name="Ada King Moore"), [], paid="PAID")
    assert shipped["shippingAddress"] == {
        "firstName": "Ada King", "lastName": "Moore", "address1": "1 Main St", "address2": "Apt 2, Back",
        "city": "Austin", "zip": "78704", "countryCode": "US",
    }  # fmt: skip
    assert (shipped["sourceIdentifier"], shipped["financialStatus"]) == ("key-1", "PAID")
    collected = order_input(asking(Method.PICKUP, lines=()), [], paid="PAID")
    assert "shippingAddress" not in collected
    assert collected["billingAddress"] == {"lastName": "Customer", "city": "Austin", "zip": "78704", "countryCode": "US"}
    assert collected["tags"] == ["pickup"]


@given(available=st.lists(st.integers(-5, 20), min_size=1, max_size=4), units=st.integers(1, 60))
def test_items_that_share_a_sku_give_together_what_was_asked_for(available: list[int], units: int) -> None:
    items = [Item(id=f"i{number}", sku=A, variant_id=f"v{number}", name="", others=0) for number in range(len(available))]
    stocks = {item.id: stock_of(amount) for item, amount in zip(items, available, strict=True)}
    lines = line_inputs(RequestLine(sku=A, units=units), items, location=HERE, stocks=stocks)
    taken = {str(line["variantId"]): int(str(line["quantity"])) for line in lines}
    assert sum(taken.values()) == units
    assert all(count > 0 for count in taken.values())
    short = {number for number, amount in enumerate(available) if taken.get(f"v{number}", 0) > max(amount, 0)}
    assert len(short) <= 1
    assert not short or units > sum(max(amount, 0) for amount in available)


def stock_of(available: int) -> ItemStock:
    quantity = QuantityRow(name="available", quantity=available)
    row = LevelRow(updated_at=datetime.fromisoformat(AT), location=Named(id="gid://shopify/Location/7"), quantities=(quantity,))
    return ItemStock(sku="A", tracked=True, levels=(row,))


def test_a_created_order_that_is_not_shown_is_looked_for() -> None:
    transport = shop(
        Find={"searched": {"nodes": []}, "newest": {"nodes": []}}, Create={"orderCreate": {"order": None, "userErrors": []}}
    )

    async def once() -> None:
        tools = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic, transport=transport)
        connector = Shopify(ShopifySettings(url="https://shop.test", access_token=Secret("t")), tools)
        with pytest.raises(OutcomeUnknown):
            await connector.request(asking())
        await connector.aclose()

    asyncio.run(once())


# ---------------------------------------------------------------------------------------------- cursors and versions
@pytest.mark.parametrize(
    "cursor", ["", "[]", "{}", '["2026-11-22T13:19:10"]', '["yesterday"]', '["2026-11-22T13:19:10Z",null,[["x"]]]']
)
def test_a_cursor_from_elsewhere_is_refused(cursor: str) -> None:
    with pytest.raises(Rejected) as raised:
        sweep_of(Cursor(cursor))
    assert raised.value.reason == "BAD_CURSOR"


def test_a_version_that_shopify_offers_without_supporting_it_is_told() -> None:
    offered = [VersionRow(handle="2026-07", supported=True), VersionRow(handle="unstable", supported=False)]
    assert version_warning("2026-07", answered="2026-07", offered=offered) == ""
    assert "does not support" in version_warning("unstable", answered="unstable", offered=offered)
    assert "none that it names" in version_warning("2026-07", answered=None, offered=[])
