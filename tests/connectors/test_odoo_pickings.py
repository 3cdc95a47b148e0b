"""What the deliveries of one request amount to."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from connectors.contract import ContractBroken, RemotePackage, RemoteState, RequestLine, Sku
from connectors.odoo.pickings import Move, Picking, is_reserved, parse_fulfillment

A = Sku("A")
SKUS = {11: A}


def picking(**changed: Any) -> Picking:
    return msgspec.convert({"id": 70, "origin": "key-1", "state": "assigned", "date_done": False, **changed}, Picking)


def move(wanted: float, quantity: float, *, of: int = 70, state: str = "assigned", product_id: int = 11) -> Move:
    row = {"picking_id": [of, "WH/OUT"], "product_id": [product_id, "[A] Apple"], "product_uom_qty": wanted}
    return msgspec.convert({**row, "quantity": quantity, "state": state}, Move)


def lines(units: int) -> tuple[RequestLine, ...]:
    return (RequestLine(sku=A, units=units),) if units else ()


@pytest.mark.parametrize(
    ("state", "reserved", "expected", "short"),
    [
        ("draft", 0.0, RemoteState.REQUESTED, 0),
        ("waiting", 0.0, RemoteState.REQUESTED, 400),
        ("confirmed", 0.0, RemoteState.REQUESTED, 400),
        ("assigned", 10.0, RemoteState.ACCEPTED, 390),
        ("assigned", 399.5, RemoteState.ACCEPTED, 1),
        ("assigned", 400.0, RemoteState.ACCEPTED, 0),
        ("done", 400.0, RemoteState.SHIPPED, 0),
        ("cancel", 0.0, RemoteState.CANCELED, 0),
    ],
)
def test_every_state_of_a_delivery_means_one_thing(state: str, reserved: float, expected: RemoteState, short: int) -> None:
    found = parse_fulfillment([picking(state=state)], [move(400.0, reserved, state=state)], SKUS)
    assert (found.ref, found.key, found.state, found.short) == ("70", "key-1", expected, lines(short))


def test_what_left_is_a_package_with_its_carrier_and_its_lines() -> None:
    done = picking(
        state="done",
        date_done="2026-11-22 15:00:00",
        carrier_id=[4, "UPS"],
        carrier_tracking_ref="1Z",
        carrier_tracking_url="https://ups.example/1Z",
    )
    found = parse_fulfillment([done], [move(400.0, 400.0, state="done"), move(1.0, 1.0, state="done", product_id=99)], SKUS)
    assert found.packages == (
        RemotePackage(
            carrier="UPS",
            tracking_number="1Z",
            tracking_url="https://ups.example/1Z",
            shipped_at=datetime(2026, 11, 22, 15, 0, tzinfo=UTC),
            lines=lines(400),
        ),
    )


def test_a_list_of_links_is_not_a_link() -> None:
    done = picking(state="done", carrier_tracking_url='["https://ups.example/1","https://ups.example/2"]')
    (package,) = parse_fulfillment([done], [], SKUS).packages
    assert package.tracking_url is None


def test_a_backorder_keeps_the_request_open_until_it_has_left_too() -> None:
    moves = [move(300.0, 300.0, state="done"), move(100.0, 40.0, of=71)]
    found = parse_fulfillment([picking(id=71), picking(state="done")], moves, SKUS)
    assert (found.ref, found.state, found.short) == ("70", RemoteState.ACCEPTED, lines(60))
    assert [package.lines for package in found.packages] == [lines(300)]
    moves[1] = move(100.0, 100.0, of=71, state="done")
    found = parse_fulfillment([picking(state="done"), picking(id=71, state="done")], moves, SKUS)
    assert (found.state, len(found.packages), found.short) == (RemoteState.SHIPPED, 2, ())


@pytest.mark.parametrize("of", [70, 71])
def test_what_will_not_be_sent_after_all_is_short_whether_or_not_there_was_a_backorder(of: int) -> None:
    moves = [move(300.0, 300.0, state="done"), move(100.0, 0.0, of=of, state="cancel")]
    pickings = [picking(state="done")] if of == 70 else [picking(state="done"), picking(id=71, state="cancel")]
    found = parse_fulfillment(pickings, moves, SKUS)
    assert (found.state, found.short, found.packages[0].lines) == (RemoteState.SHIPPED, lines(100), lines(300))


def test_a_time_that_is_none_breaks_the_contract() -> None:
    with pytest.raises(ContractBroken):
        parse_fulfillment([picking(state="done", date_done="soon")], [], SKUS)


@pytest.mark.parametrize(
    ("moves", "reserved"),
    [
        ([], False),
        ([move(5.0, 5.0)], True),
        ([move(5.0, 5.0), move(5.0, 4.0, state="partially_available")], False),
        ([move(5.0, 5.0, state="confirmed")], False),
        ([move(5.0, 4.5)], False),
        ([move(5.0, 5.0), move(5.0, 0.0, of=71, state="confirmed")], True),
    ],
)
def test_a_delivery_is_reserved_when_all_of_each_of_its_moves_is(moves: list[Move], reserved: bool) -> None:
    assert is_reserved(moves, 70) is reserved
