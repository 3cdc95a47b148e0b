"""The traps of ShipBob's wire, one by one: what it may answer, and what must come of it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
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
    RemoteFulfillment,
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
from connectors.sandbox.shipbob.sandbox import WEBHOOK_SECRET
from connectors.shipbob import ShipBob, ShipBobSettings
from connectors.shipbob.inventory import parse_levels
from connectors.shipbob.wire import ItemRow, LevelsPage

URL = "https://shipbob.test"
INVENTORY, LEVELS, ORDER = "/2026-01/inventory", "/2026-01/inventory-level/locations", "/2026-01/order"
CICERO = RemoteLocationId("101")

# One transport for all: respx answers in its place, and each would cost its own TLS context.
TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic, transport=httpx.AsyncHTTPTransport())
RECIPIENT = Address(lines=("1 Main St",), city="Chicago", region="IL", postal_code="60601", country_code="US", name="Ada")


@asynccontextmanager
async def shipbob(url: str = URL, **settings: Any) -> AsyncIterator[ShipBob]:
    defaults: dict[str, Any] = {
        "token": Secret("shipbob-sandbox-token"),
        "channel_id": "1001",
        "shipping_method": "Standard",
        "webhook_secret": Secret(WEBHOOK_SECRET),
        "rate_per_s": None,
    }
    connector = ShipBob(ShipBobSettings(url=url, **{**defaults, **settings}), TOOLS)
    try:
        yield connector
    finally:
        await connector.aclose()


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    """ShipBob's endpoints with one item that no center lists."""
    with respx.mock(base_url=URL, assert_all_called=False) as router:
        router.get(INVENTORY).respond(json={"items": [item(1, "A")], "next": None})
        router.get(LEVELS).respond(json={"items": [level(1, "A")], "next": None})
        yield router


def item(inventory_id: int, sku: str) -> dict[str, Any]:
    return {"inventory_id": inventory_id, "sku": sku, "name": f"Thing {sku}"}


def level(inventory_id: int, sku: str | None, *rows: dict[str, Any]) -> dict[str, Any]:
    return {"inventory_id": inventory_id, "sku": sku, "name": f"Thing {sku}", "locations": list(rows)}


def at(center: int, fulfillable: object = 5, **more: Any) -> dict[str, Any]:
    return {"location_id": center, "fulfillable_quantity": fulfillable, **more}


def read(*skus: str, **settings: Any) -> tuple[dict[tuple[str, str], RemoteLevel], frozenset[Sku]]:
    async def once() -> tuple[dict[tuple[str, str], RemoteLevel], frozenset[Sku]]:
        async with shipbob(**settings) as connector:
            batch = await connector.read_stock([Sku(sku) for sku in skus])
            return {(each.sku, each.location): each for each in batch.levels}, batch.unknown

    return asyncio.run(once())


def units(*skus: str) -> dict[tuple[str, str], int | None]:
    return {shelf: each.available for shelf, each in read(*skus)[0].items()}


def request_of(
    key: str = "key-1", *, sku: str = "SKU-0008", count_units: int = 2, location: str = CICERO, method: Method = Method.SHIP
) -> FulfillmentRequest:
    return FulfillmentRequest(
        key=RequestKey(key),
        location=RemoteLocationId(location),
        lines=(RequestLine(sku=Sku(sku), units=count_units),),
        recipient=RECIPIENT,
        method=method,
        order_number="1001",
    )


# ---------------------------------------------------------------------------------------------- stock
def test_available_is_what_can_be_fulfilled_and_never_what_could_be_sold(wire: respx.MockRouter) -> None:
    row = at(101, 5, on_hand_quantity=9, committed_quantity=4, awaiting_quantity=20)
    wire.get(LEVELS).respond(json={"items": [{**level(1, "A", row), "total_sellable_quantity": 25}]})
    levels, _ = read("A")
    found = levels["A", "101"]
    assert (found.available, found.on_hand, found.committed, found.incoming, found.as_of) == (5, 9, 4, 20, None)


def test_a_quantity_that_is_left_out_is_unknown_and_not_zero(wire: respx.MockRouter) -> None:
    wire.get(LEVELS).respond(json={"items": [level(1, "A", at(101, 0), {"location_id": 102})]})
    assert units("A") == {("A", "101"): 0, ("A", "102"): None}


@pytest.mark.parametrize("quantity", ["5", 1.5, 10**30, True])
def test_a_quantity_that_is_no_whole_number_breaks_the_contract(wire: respx.MockRouter, quantity: object) -> None:
    wire.get(LEVELS).respond(json={"items": [level(1, "A", at(101, quantity))]})
    with pytest.raises(ContractBroken):
        read("A")


def test_a_search_that_matches_part_of_another_sku_is_not_taken_for_it(wire: respx.MockRouter) -> None:
    wire.get(INVENTORY).respond(json={"items": [item(1, "A-10"), item(2, "a-1"), item(3, "A-1")]})
    levels = wire.get(LEVELS).respond(json={"items": [level(3, "A-1", at(101, 3)), level(1, "A-10", at(101, 10))]})
    assert units("A-1") == {("A-1", "101"): 3}
    assert levels.calls.last.request.url.params["InventoryIds"] == "3"


def test_what_shipbob_does_not_have_is_unknown_and_briefly_not_asked_again(wire: respx.MockRouter) -> None:
    search = wire.get(INVENTORY).respond(json={"items": [item(1, "AB")]})

    async def story() -> None:
        async with shipbob() as connector:
            for _ in range(2):
                batch = await connector.read_stock([Sku("A")])
                assert batch.levels == ()
                assert batch.unknown == {"A"}

    asyncio.run(story())
    assert search.call_count == 1


def test_rows_that_were_not_asked_for_are_dropped(wire: respx.MockRouter) -> None:
    other_item, other_sku = level(9, "B", at(101, 9)), level(1, "Z", at(101, 9))
    wire.get(LEVELS).respond(json={"items": [other_item, other_sku]})
    levels, unknown = read("A")
    assert levels == {}
    assert unknown == {"A"}


def test_items_that_share_a_sku_add_up_and_a_row_told_twice_does_not(wire: respx.MockRouter) -> None:
    wire.get(INVENTORY).respond(json={"items": [item(1, "A"), item(2, "A")]})
    rows = [level(1, "A", at(101, 1)), level(2, None, at(101, 2), at(102, 4)), level(1, "A", at(101, 1))]
    wire.get(LEVELS).respond(json={"items": rows})
    assert units("A") == {("A", "101"): 3, ("A", "102"): 4}


def test_pages_are_followed_at_the_source_that_was_configured_and_nowhere_else(wire: respx.MockRouter) -> None:
    levels = wire.get(LEVELS)
    levels.side_effect = [
        httpx.Response(
            200, json={"items": [level(1, "A", at(101, 1))], "next": f"https://evil.example{LEVELS}?Cursor=n2&PageSize=7"}
        ),
        httpx.Response(200, json={"items": [level(1, "A", at(101, 2))], "next": None}),
    ]
    read("A")
    followed = levels.calls[1].request.url
    assert (followed.host, dict(followed.params)) == ("shipbob.test", {"Cursor": "n2", "PageSize": "7"})


@pytest.mark.parametrize("link", [f"{URL}{LEVELS}?Cursor=again", "nonsense", "http://[broken?Cursor=1"])
def test_a_next_page_without_end_or_without_sense_breaks_the_contract(wire: respx.MockRouter, link: str) -> None:
    wire.get(LEVELS).respond(json={"items": [], "next": link})
    with pytest.raises(ContractBroken):
        read("A")


def test_many_misses_walk_through_the_inventory_once(wire: respx.MockRouter) -> None:
    search = wire.get(INVENTORY).respond(json={"items": [item(number, f"S{number}") for number in range(20)]})
    wire.get(LEVELS).respond(json={"items": [level(number, f"S{number}", at(101, number)) for number in range(20)]})
    assert len(units(*(f"S{number}" for number in range(20)))) == 20
    assert search.call_count == 1
    assert "SearchBy" not in search.calls.last.request.url.params


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(429, headers={"x-retry-after": "30"}, json={}), Throttled),
        (httpx.Response(401, text=""), AuthFailed),
        (httpx.Response(503, text="<html>oops</html>"), Transient),
        (httpx.Response(400, json={"title": "Bad", "detail": "no", "status": 400}), Rejected),
        (httpx.Response(400, text="<html>"), Rejected),
        (httpx.Response(200, text="<html>Be right back</html>"), ContractBroken),
        (httpx.Response(200, text='{"items": [{"inventory_id": 1'), ContractBroken),
        (httpx.Response(200, text="null"), ContractBroken),
        (httpx.Response(200, text="{}"), ContractBroken),
        (httpx.Response(200, json=[]), ContractBroken),
        (httpx.Response(302, headers={"location": "https://evil.example"}), ContractBroken),
    ],
)
def test_whatever_comes_instead_of_levels_is_one_of_the_closed_errors(
    wire: respx.MockRouter, answer: httpx.Response, error: type[SourceError]
) -> None:
    wire.get(LEVELS).mock(return_value=answer)
    with pytest.raises(error) as raised:
        read("A")
    assert "shipbob-sandbox-token" not in str(raised.value)


def test_a_throttled_read_says_how_long_shipbob_wants_to_be_left_alone(wire: respx.MockRouter) -> None:
    wire.get(LEVELS).respond(429, headers={"x-retry-after": "30", "x-remaining-calls": "0"}, json={})
    with pytest.raises(Throttled) as raised:
        read("A")
    assert raised.value.retry_after_s == 30.0


ODD: st.SearchStrategy[object] = st.sampled_from([None, True, 0, 7, -1.5, 10**40, "", "A", "5", [], {}, [None]])
CENTERS = st.fixed_dictionaries({"location_id": ODD}, optional=dict.fromkeys(("fulfillable_quantity", "on_hand_quantity"), ODD))
ROWS = st.fixed_dictionaries(
    {"inventory_id": st.sampled_from([1, 2]) | ODD}, optional={"sku": ODD, "locations": st.lists(CENTERS, max_size=2) | ODD}
)


@given(st.lists(ROWS, max_size=3))
def test_no_levels_are_so_odd_that_another_error_comes_of_them(rows: list[object]) -> None:
    reply = Reply(status=200, headers={}, body=json.dumps({"items": rows}).encode())
    try:
        found = reply.read(LevelsPage).items or ()
    except ContractBroken:
        return
    batch = parse_levels(found, asked=[Sku("A")], items={Sku("A"): (ItemRow(inventory_id=1, sku="A"),)})
    assert {each.sku for each in batch.levels} | batch.unknown == {"A"}


# ---------------------------------------------------------------------------------------------- orders
def order(status: str = "Processing", *shipments: dict[str, Any], reference: str = "key-1") -> dict[str, Any]:
    products = [{"reference_id": "A", "quantity": 4}, {"reference_id": "B", "quantity": 1}]
    return {"id": 7, "reference_id": reference, "status": status, "products": products, "shipments": list(shipments)}


def shipment(number: int, status: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "status": status, **more}


def packed(sku: str, inventory_id: int, *quantities: int) -> dict[str, Any]:
    items = [{"id": inventory_id, "quantity": quantity} for quantity in quantities]
    return {"reference_id": sku, "inventory_items": items}


def status_of(router: respx.MockRouter, document: dict[str, Any]) -> RemoteFulfillment:
    router.get(ORDER).respond(json=[document])

    async def once() -> RemoteFulfillment:
        async with shipbob() as connector:
            (found,) = await connector.status([RemoteRef("7"), RemoteRef("nonsense")])
            return found

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("ImportReview", RemoteState.REQUESTED),
        ("SomethingNew", RemoteState.REQUESTED),
        ("Processing", RemoteState.ACCEPTED),
        ("PartiallyFulfilled", RemoteState.ACCEPTED),
        ("Fulfilled", RemoteState.SHIPPED),
        ("Cancelled", RemoteState.CANCELED),
    ],
)
def test_every_status_is_a_state(wire: respx.MockRouter, said: str, state: RemoteState) -> None:
    assert status_of(wire, order(said)).state is state


def test_two_parcels_say_what_is_in_each(wire: respx.MockRouter) -> None:
    one = shipment(1, "Completed", tracking={"carrier": "UPS", "tracking_number": "1Z"}, products=[packed("A", 1, 2, 1)])
    other = shipment(2, "Processing", products=[packed("A", 1, 1), packed("B", 2, 1)])
    found = status_of(wire, order("PartiallyFulfilled", one, other))
    assert [(each.tracking_number, each.lines) for each in found.packages] == [("1Z", (RequestLine(sku=Sku("A"), units=3),))]


def test_an_exception_says_which_product_is_to_blame(wire: respx.MockRouter) -> None:
    details = [{"id": 1, "name": "OutOfStock", "description": "Out of stock", "inventory_id": 1}]
    stuck = shipment(1, "Exception", status_details=details, products=[packed("A", 1, 4), packed("B", 2, 1)])
    found = status_of(wire, order("Exception", stuck))
    assert (found.state, found.reason) == (RemoteState.ACCEPTED, "Out of stock")
    assert found.short == (RequestLine(sku=Sku("A"), units=4),)


def cancel(router: respx.MockRouter, answer: httpx.Response, *, status: str = "Processing") -> CancelOutcome:
    router.post(f"{ORDER}/7:cancel").mock(return_value=answer)
    router.get(ORDER).respond(json=[order(status)])

    async def once() -> CancelOutcome:
        async with shipbob() as connector:
            return await connector.cancel(RemoteRef("7"))

    return asyncio.run(once())


def canceled(status: str, *successes: bool) -> httpx.Response:
    return httpx.Response(200, json={"status": status, "canceled_shipment_results": [{"is_success": each} for each in successes]})


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (canceled("Success", True, True), "Processing", CancelOutcome.CANCELED),
        (canceled("Success", True, False), "Processing", CancelOutcome.PARTIAL),
        (canceled("PartialSuccess", True, False), "Processing", CancelOutcome.PARTIAL),
        (canceled("Failure", False), "Fulfilled", CancelOutcome.TOO_LATE),
        (canceled("Failure", False), "Processing", CancelOutcome.REFUSED),
        (httpx.Response(422, json={"order": ["cancelled already"]}), "Cancelled", CancelOutcome.CANCELED),
    ],
)
def test_a_cancellation_is_told_by_its_shipments(
    wire: respx.MockRouter, answer: httpx.Response, status: str, said: CancelOutcome
) -> None:
    assert cancel(wire, answer, status=status) is said


@pytest.mark.parametrize("answer", ["{}", "null", '{"id": 7', "<html>"])
def test_an_order_whose_answer_cannot_be_read_has_an_unknown_outcome_and_is_not_sent_again(
    wire: respx.MockRouter, answer: str
) -> None:
    created = wire.post(ORDER).respond(201, text=answer)

    async def story() -> None:
        async with shipbob() as connector:
            await connector.request(request_of(sku="A"))

    with pytest.raises(OutcomeUnknown):
        asyncio.run(story())
    assert created.call_count == 1


def test_an_order_carries_its_type_its_channel_and_the_center_it_is_pinned_to(wire: respx.MockRouter) -> None:
    created = wire.post(ORDER).respond(201, json=order())

    async def story() -> None:
        async with shipbob() as connector:
            await connector.skus(None)
            await connector.request(request_of(sku="A"))

    asyncio.run(story())
    sent = created.calls.last.request
    body = json.loads(sent.content)
    assert sent.headers["shipbob_channel_id"] == "1001"
    assert (body["type"], body["reference_id"], body["location_id"], body["shipping_method"]) == ("DTC", "key-1", 101, "Standard")
    assert body["products"] == [{"reference_id": "A", "sku": "A", "name": "Thing A", "quantity": 2}]


def test_a_refusal_says_which_field_it_is_about(wire: respx.MockRouter) -> None:
    wire.post(ORDER).respond(422, json={"shipping_method": ["is not mapped"]})
    wire.get(ORDER).respond(json=[order(reference="key-10")])

    async def story() -> None:
        async with shipbob() as connector:
            await connector.request(request_of(sku="A"))

    with pytest.raises(Rejected) as raised:
        asyncio.run(story())
    assert (raised.value.field, raised.value.detail) == ("shipping_method", "shipping_method: is not mapped")


def test_a_refusal_that_cannot_be_looked_up_leaves_the_outcome_unknown(wire: respx.MockRouter) -> None:
    wire.post(ORDER).respond(422, json={"reference_id": ["is taken"]})
    wire.get(ORDER).respond(429, headers={"x-retry-after": "60"})

    async def story() -> None:
        async with shipbob() as connector:
            await connector.request(request_of(sku="A"))

    with pytest.raises(OutcomeUnknown):
        asyncio.run(story())
