from typing import Any

import msgspec
import pytest

from connectors.client import Reply
from connectors.contract import AuthFailed, ContractBroken, NotFound, Rejected, RemoteLocationId, Sku, Transient
from connectors.medusa.locations import parse_location
from connectors.medusa.stock import parse_items
from connectors.medusa.wire import ItemsPage, LocationsPage, classify


def level(**more: Any) -> dict[str, Any]:
    said = {
        "location_id": "sloc_1",
        "stocked_quantity": 9,
        "reserved_quantity": 2,
        "available_quantity": 7,
        "incoming_quantity": 0,
        "updated_at": "2025-11-22T10:00:00.000Z",
    }
    return said | more


def page(*levels: dict[str, Any], **more: Any) -> bytes:
    row = {"id": "iitem_1", "sku": "A", "title": "Mug", "location_levels": levels} | more
    return msgspec.json.encode({"inventory_items": [row], "count": 1, "offset": 0, "limit": 20})


def read(body: bytes) -> ItemsPage:
    return Reply(status=200, headers={}, body=body).read(ItemsPage)


def test_fractions_are_rounded_down_and_what_is_below_zero_is_passed_on() -> None:
    rows = read(page(level(stocked_quantity=2.9, available_quantity=-0.5, reserved_quantity="3.4"))).rows
    (found,) = parse_items(rows, asked=[Sku("A")]).levels
    assert (found.on_hand, found.available, found.committed, found.incoming) == (2, -1, 3, 0)
    assert found.as_of is not None
    assert found.as_of.utcoffset() is not None


def test_a_number_that_medusa_does_not_say_is_unknown() -> None:
    (found,) = parse_items(read(page(level(available_quantity=None, incoming_quantity=None))).rows, asked=[Sku("A")]).levels
    assert (found.on_hand, found.available, found.incoming) == (9, None, None)


def test_an_item_that_no_location_stocks_is_unknown_like_one_that_does_not_exist() -> None:
    batch = parse_items(read(page()).rows, asked=[Sku("A"), Sku("B")])
    assert batch.levels == ()
    assert batch.unknown == {"A", "B"}
    assert batch.names == {"A": "Mug"}


@pytest.mark.parametrize("sku", ["a", "B", None, ""])
def test_rows_of_something_else_are_dropped(sku: str | None) -> None:
    batch = parse_items(read(page(level(), sku=sku)).rows, asked=[Sku("A")])
    assert batch.levels == ()
    assert batch.unknown == {"A"}
    assert batch.names == {}


@pytest.mark.parametrize(
    "broken",
    [
        page({"location_id": "sloc_1", "stocked": 9}),
        page(level(stocked_quantity="nine")),
        page(level(stocked_quantity="NaN")),
        page(level(available_quantity="Infinity")),
        page(level(available_quantity=1e300)),
        page(level(available_quantity=True)),
        page(level(updated_at="2025-11-22T10:00:00")),
        page(level(), location_levels=None),
        b'{"inventory_items": null, "count": 0}',
        b'{"inventory_items": []}',
        b"{}",
        b"null",
        b"[]",
    ],
)
def test_what_is_not_as_agreed_is_never_a_number(broken: bytes) -> None:
    with pytest.raises(ContractBroken):
        parse_items(read(broken).rows, asked=[Sku("A")])


def test_a_location_may_say_little() -> None:
    body = b"""{"count": 2, "stock_locations": [{"id": "s1", "name": null, "address": null},
        {"id": "s2", "name": "Depot", "address": {"address_1": "1 Main St", "address_2": "", "country_code": "de"}}]}"""
    bare, depot = (parse_location(row) for row in Reply(status=200, headers={}, body=body).read(LocationsPage).rows)
    assert (bare.id, bare.name, bare.address) == (RemoteLocationId("s1"), "s1", None)
    assert depot.address is not None
    assert (depot.address.lines, depot.address.country_code, depot.address.postal_code) == (("1 Main St",), "DE", "")


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (400, b'{"type":"not_allowed","message":"Not enough stock"}', Rejected, "not_allowed"),
        (400, b'{"type":"invalid_data","message":"Unrecognized fields"}', Rejected, "invalid_data"),
        (400, b"<html>", Rejected, "HTTP_400"),
        (404, b'{"type":"not_found","message":"is not stocked"}', NotFound, None),
        (401, b'{"type":"unauthorized"}', AuthFailed, None),
        (409, b'{"code":"invalid_state_error","type":"conflict"}', Transient, None),
        (500, b'{"code":"unknown_error"}', Transient, None),
    ],
)
def test_medusa_says_no_in_its_own_words(status: int, body: bytes, kind: type[Exception], reason: str | None) -> None:
    error = classify(Reply(status=status, headers={}, body=body))
    assert type(error) is kind
    assert getattr(error, "reason", None) == reason
