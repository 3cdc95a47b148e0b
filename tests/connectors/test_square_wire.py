"""The traps of Square's wire, one by one: what it may answer, and what must come of it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from connectors.client import Reply
from connectors.contract import (
    Address,
    AuthFailed,
    CancelOutcome,
    ContractBroken,
    FulfillmentRequest,
    Method,
    OutcomeUnknown,
    Rejected,
    RemoteLevel,
    RemoteLocationId,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
    SourceError,
    Throttled,
    Transient,
)
from connectors.registry import Tools
from connectors.square import Square, SquareSettings
from connectors.square.catalog import parse_variations
from connectors.square.stock import parse_counts
from connectors.square.wire import CatalogObject, CatalogReply, CountsReply, VariationData

URL = "https://square.test"
HOOK = "https://gateway.example/hooks/square"
CATALOG, COUNTS, LOCATIONS, ORDERS = "/v2/catalog/search", "/v2/inventory/counts/batch-retrieve", "/v2/locations", "/v2/orders"
COUNTED_AT = "2026-11-22T13:19:10.5Z"
BROOKLYN = RemoteLocationId("LSTOREBROOKLYN")

# One transport for all: respx answers in its place, and each would cost its own TLS context.
TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic, transport=httpx.AsyncHTTPTransport())
RECIPIENT = Address(lines=("1 Main St", "Apt 2"), city="Brooklyn", region="NY", postal_code="11201", country_code="US", name="Ada")


@asynccontextmanager
async def square(url: str = URL, **settings: Any) -> AsyncIterator[Square]:
    defaults: dict[str, Any] = {
        "access_token": Secret("square-sandbox-token"),
        "webhook_signature_key": Secret("square-sandbox-signature"),
        "webhook_url": HOOK,
    }
    connector = Square(SquareSettings(url=url, **{**defaults, **settings}), TOOLS)
    try:
        yield connector
    finally:
        await connector.aclose()


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    """Square's endpoints with two stores, one SKU carried everywhere, and no counts."""
    with respx.mock(base_url=URL, assert_all_called=False) as router:
        router.get(LOCATIONS).respond(json={"locations": [{"id": "L1", "status": "ACTIVE"}, {"id": "L2", "status": "ACTIVE"}]})
        router.post(CATALOG).respond(json={"objects": [variation("V1", "A")]})
        router.post(COUNTS).respond(json={})
        yield router


def variation(variation_id: str, sku: str, **more: Any) -> dict[str, Any]:
    return {"type": "ITEM_VARIATION", "id": variation_id, "item_variation_data": {"sku": sku, "name": "Regular"}, **more}


def count(variation_id: str = "V1", location: str = "L1", quantity: object = "5", state: str = "IN_STOCK") -> dict[str, Any]:
    row = {"catalog_object_id": variation_id, "location_id": location, "state": state, "quantity": quantity}
    return {**row, "calculated_at": COUNTED_AT}


def body_of(call: respx.models.Call) -> Any:
    return json.loads(call.request.content)


def read(*skus: str, **settings: Any) -> dict[tuple[str, str], RemoteLevel]:
    async def once() -> dict[tuple[str, str], RemoteLevel]:
        async with square(**settings) as connector:
            batch = await connector.read_stock([Sku(sku) for sku in skus])
            return {(level.sku, level.location): level for level in batch.levels}

    return asyncio.run(once())


def units(*skus: str) -> dict[tuple[str, str], int | None]:
    return {shelf: level.available for shelf, level in read(*skus).items()}


def request_of(
    key: str = "key-1", *, sku: str = "SKU-0009", count_units: int = 2, method: Method = Method.SHIP
) -> FulfillmentRequest:
    return FulfillmentRequest(
        key=RequestKey(key),
        location=BROOKLYN,
        lines=(RequestLine(sku=Sku(sku), units=count_units),),
        recipient=RECIPIENT,
        method=method,
        order_number="1001",
    )


# ---------------------------------------------------------------------------------------------- stock
@pytest.mark.parametrize(("quantity", "whole"), [("79", 79), ("2.99999", 2), ("-3", -3), ("-0.5", -1), ("0", 0)])
def test_a_decimal_string_is_floored_to_whole_units(wire: respx.MockRouter, quantity: str, whole: int) -> None:
    wire.post(COUNTS).respond(json={"counts": [count(quantity=quantity)]})
    level = read("A")["A", "L1"]
    assert (level.on_hand, level.available) == (whole, whole)
    assert level.as_of == datetime(2026, 11, 22, 13, 19, 10, 500_000, tzinfo=UTC)


@pytest.mark.parametrize("quantity", ["many", "NaN", "Infinity", "1e400", "", 5])
def test_a_quantity_that_is_no_number_of_things_breaks_the_contract(wire: respx.MockRouter, quantity: object) -> None:
    wire.post(COUNTS).respond(json={"counts": [count(quantity=quantity)]})
    with pytest.raises(ContractBroken):
        read("A")


def test_a_time_without_an_offset_breaks_the_contract(wire: respx.MockRouter) -> None:
    wire.post(COUNTS).respond(json={"counts": [{**count(), "calculated_at": "2026-11-22T13:19:10"}]})
    with pytest.raises(ContractBroken):
        read("A")


def test_a_store_that_carries_a_sku_and_has_no_count_is_unknown_and_not_zero(wire: respx.MockRouter) -> None:
    wire.post(COUNTS).respond(json={"counts": [count(location="L2", quantity="0"), count(quantity=None)]})
    assert units("A") == {("A", "L1"): None, ("A", "L2"): 0}


def test_only_stores_that_carry_the_variation_answer_for_it(wire: respx.MockRouter) -> None:
    absent = variation("V1", "A", absent_at_location_ids=["L2"])
    nowhere_but = variation("V2", "B", present_at_all_locations=False, present_at_location_ids=["L2"])
    wire.post(CATALOG).respond(json={"objects": [absent, nowhere_but]})
    wire.post(COUNTS).respond(json={"counts": [count("V1", "L2"), count("V2", "L1")]})
    assert units("A", "B") == {("A", "L1"): None, ("B", "L2"): None}


def test_a_closed_store_is_not_waited_for(wire: respx.MockRouter) -> None:
    wire.get(LOCATIONS).respond(json={"locations": [{"id": "L1", "status": "ACTIVE"}, {"id": "L2", "status": "INACTIVE"}]})
    assert units("A") == {("A", "L1"): None}


def test_what_the_catalog_does_not_have_is_unknown_and_briefly_not_asked_again(wire: respx.MockRouter) -> None:
    search = wire.post(CATALOG).respond(json={})

    async def story() -> None:
        async with square() as connector:
            for _ in range(2):
                batch = await connector.read_stock([Sku("A"), Sku("B")])
                assert batch.levels == ()
                assert batch.unknown == {"A", "B"}

    asyncio.run(story())
    assert search.call_count == 1


def test_a_sku_of_another_case_or_another_variation_is_dropped(wire: respx.MockRouter) -> None:
    wire.post(CATALOG).respond(json={"objects": [variation("V1", "a"), variation("V2", "A"), variation("V3", "B")]})
    wire.post(COUNTS).respond(json={"counts": [count("V1", quantity="1"), count("V2", quantity="2"), count("V9", quantity="9")]})
    assert units("A") == {("A", "L1"): 2, ("A", "L2"): None}


def test_rows_of_another_state_are_dropped(wire: respx.MockRouter) -> None:
    wire.post(COUNTS).respond(json={"counts": [count(quantity="1"), count(quantity="7", state="WASTE")]})
    assert units("A")["A", "L1"] == 1


def test_variations_that_share_a_sku_add_up_and_deleted_ones_do_not_count(wire: respx.MockRouter) -> None:
    deleted = variation("V3", "A", is_deleted=True)
    wire.post(CATALOG).respond(json={"objects": [variation("V1", "A"), variation("V2", "A"), deleted]})
    rows = [count("V1", quantity="1.6"), count("V2", quantity="1.6"), count("V3", quantity="5")]
    wire.post(COUNTS).respond(json={"counts": rows})
    assert units("A")["A", "L1"] == 3


def test_cursors_are_followed_in_the_catalog_and_in_the_counts(wire: respx.MockRouter) -> None:
    catalog = wire.post(CATALOG)
    catalog.side_effect = [
        httpx.Response(200, json={"objects": [variation("V1", "A")], "cursor": "c1"}),
        httpx.Response(200, json={"objects": [variation("V2", "B")]}),
    ]
    counts = wire.post(COUNTS)
    counts.side_effect = [
        httpx.Response(200, json={"counts": [count("V1", quantity="1")], "cursor": "k1"}),
        httpx.Response(200, json={"counts": [count("V2", "L2", quantity="2")]}),
    ]
    assert units("A", "B") == {("A", "L1"): 1, ("A", "L2"): None, ("B", "L1"): None, ("B", "L2"): 2}
    assert body_of(catalog.calls[1])["cursor"] == "c1"
    assert body_of(counts.calls[1])["cursor"] == "k1"
    assert body_of(counts.calls[1])["catalog_object_ids"] == ["V1", "V2"]


def test_a_cursor_without_end_breaks_the_contract(wire: respx.MockRouter) -> None:
    wire.post(COUNTS).respond(json={"cursor": "again"})
    with pytest.raises(ContractBroken, match="did not end"):
        read("A")


def test_a_search_asks_for_no_more_skus_than_square_takes(wire: respx.MockRouter) -> None:
    search = wire.post(CATALOG).respond(json={})
    read(*(f"S{number}" for number in range(500)))
    asked = [body_of(call)["query"]["set_query"]["attribute_values"] for call in search.calls]
    assert [len(each) for each in asked] == [250, 250]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, json={"errors": [{"category": "RATE_LIMIT_ERROR", "code": "RATE_LIMITED"}]}), Throttled),
        (httpx.Response(200, json={"errors": [{"category": "AUTHENTICATION_ERROR", "code": "ACCESS_TOKEN_EXPIRED"}]}), AuthFailed),
        (httpx.Response(200, json={"errors": [{"category": "INVALID_REQUEST_ERROR", "code": "INVALID_CURSOR"}]}), Rejected),
        (httpx.Response(429, headers={"Retry-After": "30"}, json={}), Throttled),
        (httpx.Response(401, json={"errors": [{"category": "AUTHENTICATION_ERROR", "code": "UNAUTHORIZED"}]}), AuthFailed),
        (httpx.Response(500, text="<html>oops</html>"), Transient),
        (httpx.Response(200, text="<html>Be right back</html>"), ContractBroken),
        (httpx.Response(200, text='{"counts": [{"quantity": "5"'), ContractBroken),
        (httpx.Response(200, text="null"), ContractBroken),
        (httpx.Response(200, json=[]), ContractBroken),
        (httpx.Response(200, json={"counts": [{"location_id": 7}]}), ContractBroken),
        (httpx.Response(200, content=b'{"errors": "\xff"}'), ContractBroken),
    ],
)
def test_whatever_comes_instead_of_counts_is_one_of_the_closed_errors(
    wire: respx.MockRouter, answer: httpx.Response, error: type[SourceError]
) -> None:
    wire.post(COUNTS).mock(return_value=answer)
    with pytest.raises(error) as raised:
        read("A")
    assert "square-sandbox-token" not in str(raised.value)


def test_a_throttled_read_says_how_long_square_wants_to_be_left_alone(wire: respx.MockRouter) -> None:
    wire.post(COUNTS).respond(429, headers={"Retry-After": "30"}, json={"errors": []})
    with pytest.raises(Throttled) as raised:
        read("A")
    assert raised.value.retry_after_s == 30.0


def test_a_seller_without_locations_breaks_the_contract(wire: respx.MockRouter) -> None:
    wire.get(LOCATIONS).respond(json={})
    with pytest.raises(ContractBroken):
        read("A")


def test_opening_hours_without_a_leading_zero_are_read_and_others_are_not(wire: respx.MockRouter) -> None:
    def opening(start: str) -> None:
        period = {"day_of_week": "SUN", "start_local_time": start, "end_local_time": "21:00:00"}
        wire.get(LOCATIONS).respond(json={"locations": [{"id": "L1", "business_hours": {"periods": [period]}}]})

    async def hours() -> tuple[int, str]:
        async with square() as connector:
            (store,) = await connector.locations()
            return store.hours[0].weekday, store.hours[0].opens_at.isoformat()

    opening("8:30:00")
    assert asyncio.run(hours()) == (6, "08:30:00")
    opening("half past eight")
    with pytest.raises(ContractBroken):
        asyncio.run(hours())


ODD: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 7, -1.5, "", "x", [], {}, "V1", "L1", "IN_STOCK", COUNTED_AT, "1e999", "-3.7", "0x1F", "9" * 40]
)
ROWS = st.fixed_dictionaries({}, optional=dict.fromkeys(count(), ODD))


@given(st.lists(ROWS, max_size=3))
def test_no_counts_are_so_odd_that_another_error_comes_of_them(rows: list[object]) -> None:
    reply = Reply(status=200, headers={}, body=json.dumps({"counts": rows}).encode())
    known = parse_variations(
        CatalogReply(objects=(CatalogObject(type="ITEM_VARIATION", id="V1", item_variation_data=VariationData(sku="A")),))
    )
    try:
        counts = reply.read(CountsReply).counts
        batch = parse_counts(counts, asked=[Sku("A")], variations={Sku("A"): tuple(known)}, stores=[RemoteLocationId("L1")])
    except ContractBroken:
        return
    assert {level.sku for level in batch.levels} == {"A"}


# ---------------------------------------------------------------------------------------------- orders
def ordered(state: str, *, version: int = 1, **details: Any) -> dict[str, Any]:
    fulfillment = {"uid": "f1", "type": "SHIPMENT", "state": state, "shipment_details": details}
    return {"order": {"id": "O1", "location_id": "L1", "reference_id": "key-1", "version": version, "fulfillments": [fulfillment]}}


def outcome(router: respx.MockRouter, *updates: httpx.Response, before: str = "PROPOSED") -> CancelOutcome:
    router.get(f"{ORDERS}/O1").mock(
        side_effect=[httpx.Response(200, json=ordered(before, version=each)) for each in range(len(updates) + 1)]
    )
    router.put(f"{ORDERS}/O1").side_effect = updates

    async def cancel() -> CancelOutcome:
        async with square() as connector:
            return await connector.cancel(RemoteRef("O1"))

    return asyncio.run(cancel())


CONFLICT = httpx.Response(400, json={"errors": [{"category": "INVALID_REQUEST_ERROR", "code": "VERSION_MISMATCH"}]})


def test_a_version_conflict_is_read_again_and_the_new_version_canceled(wire: respx.MockRouter) -> None:
    assert outcome(wire, CONFLICT, httpx.Response(200, json=ordered("CANCELED"))) is CancelOutcome.CANCELED
    updates = [body_of(call) for call in wire.calls if call.request.method == "PUT"]
    assert [update["order"]["version"] for update in updates] == [0, 1]
    assert len({update["idempotency_key"] for update in updates}) == 2


def test_an_order_that_changes_under_every_attempt_is_left_for_later(wire: respx.MockRouter) -> None:
    with pytest.raises(Transient):
        outcome(wire, *[CONFLICT] * 4)


@pytest.mark.parametrize(
    ("before", "said"),
    [("COMPLETED", CancelOutcome.TOO_LATE), ("CANCELED", CancelOutcome.CANCELED), ("FAILED", CancelOutcome.CANCELED)],
)
def test_canceling_what_has_ended_changes_nothing(wire: respx.MockRouter, before: str, said: CancelOutcome) -> None:
    assert outcome(wire, before=before) is said
    assert not [call for call in wire.calls if call.request.method == "PUT"]


def test_a_cancellation_that_square_will_not_have_is_refused(wire: respx.MockRouter) -> None:
    refusal = httpx.Response(400, json={"errors": [{"category": "INVALID_REQUEST_ERROR", "code": "BAD_REQUEST"}]})
    assert outcome(wire, refusal) is CancelOutcome.REFUSED


@pytest.mark.parametrize("answer", ["{}", "null", '{"order": {"id"', "<html>"])
def test_an_order_whose_answer_cannot_be_read_has_an_unknown_outcome(wire: respx.MockRouter, answer: str) -> None:
    wire.post(ORDERS).respond(200, text=answer)

    async def story() -> None:
        async with square() as connector:
            await connector.request(request_of(sku="A"))

    with pytest.raises(OutcomeUnknown):
        asyncio.run(story())


def test_a_fault_of_squares_own_leaves_the_outcome_of_an_order_unknown(wire: respx.MockRouter) -> None:
    wire.post(ORDERS).respond(200, json={"errors": [{"category": "API_ERROR", "code": "INTERNAL_SERVER_ERROR"}]})

    async def story() -> None:
        async with square(total_timeout_s=0.5) as connector:
            await connector.request(request_of(sku="A"))

    with pytest.raises(OutcomeUnknown):
        asyncio.run(story())


def test_a_key_that_was_used_with_another_body_finds_the_order_that_it_made(wire: respx.MockRouter) -> None:
    reused = {"errors": [{"category": "INVALID_REQUEST_ERROR", "code": "IDEMPOTENCY_KEY_REUSED"}]}
    wire.post(ORDERS).respond(400, json=reused)
    wire.post(f"{ORDERS}/search").respond(json={"orders": [ordered("RESERVED")["order"]]})

    async def story() -> RemoteState:
        async with square() as connector:
            return (await connector.request(request_of(sku="A"))).state

    assert asyncio.run(story()) is RemoteState.ACCEPTED


def outcome_is_unknown(ask: Callable[[Square], Awaitable[object]]) -> None:
    async def story() -> None:
        async with square() as connector:
            await ask(connector)

    with pytest.raises(OutcomeUnknown):
        asyncio.run(story())


@pytest.mark.parametrize("search", [httpx.Response(200, json={}), httpx.Response(429, headers={"Retry-After": "60"})])
def test_a_key_whose_order_cannot_be_found_has_an_unknown_outcome(wire: respx.MockRouter, search: httpx.Response) -> None:
    wire.post(ORDERS).respond(400, json={"errors": [{"category": "INVALID_REQUEST_ERROR", "code": "IDEMPOTENCY_KEY_REUSED"}]})
    wire.post(f"{ORDERS}/search").mock(return_value=search)
    outcome_is_unknown(lambda connector: connector.request(request_of(sku="A")))


def test_a_search_through_too_many_orders_is_not_taken_for_an_absence(wire: respx.MockRouter) -> None:
    wire.post(f"{ORDERS}/search").respond(json={"orders": [], "cursor": "more"})
    outcome_is_unknown(lambda connector: connector.find(RequestKey("key-1")))
