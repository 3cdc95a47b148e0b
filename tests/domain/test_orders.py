from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Method, Sku
from gateway.domain.fulfillments import FulfillmentOrder, FulfillmentStatus, Package, Rejection, Shipment, Units, tally
from gateway.domain.identity import FulfillmentOrderId, OrderId
from gateway.domain.orders import (
    TRANSITIONS,
    Cancellation,
    Order,
    OrderAction,
    OrderLine,
    OrderStatus,
    OrderStep,
    UnitState,
)
from gateway.domain.refusals import NotAllowedInState, NotFound
from gateway.domain.routing import Preference
from tests.samples import CUP, EAST, HOME, MUG, SOURCE_OF, START

S, T = OrderStatus, OrderStep
LIFE = {
    S.PLACED: {T.ROUTE: S.ROUTED, T.UNROUTE: S.PLACED, T.BACKORDER: S.BACKORDERED, T.SHIP: S.PARTIALLY_FULFILLED},
    S.ROUTED: {T.ROUTE: S.ROUTED, T.UNROUTE: S.PLACED, T.BACKORDER: S.BACKORDERED, T.SHIP: S.PARTIALLY_FULFILLED},
    S.BACKORDERED: {T.ROUTE: S.ROUTED, T.UNROUTE: S.PLACED, T.BACKORDER: S.BACKORDERED, T.SHIP: S.PARTIALLY_FULFILLED},
    S.PARTIALLY_FULFILLED: {T.SHIP: S.PARTIALLY_FULFILLED},
    S.FULFILLED: {},
    S.CANCELED: {},
}
for live in (S.PLACED, S.ROUTED, S.BACKORDERED):
    LIFE[live] |= {T.FULFILL: S.FULFILLED, T.CANCEL: S.CANCELED}
LIFE[S.PARTIALLY_FULFILLED] |= {T.FULFILL: S.FULFILLED}


def order(*lines: tuple[Sku, int], status: OrderStatus = S.PLACED, works: tuple[FulfillmentOrder, ...] = ()) -> Order:
    return Order(
        id=OrderId("o"),
        number="1",
        channel="web",
        placed_at=START,
        to=HOME,
        method=Method.SHIP,
        preference=Preference.CHEAPEST,
        lines=tuple(OrderLine(id=str(place), sku=sku, units=units) for place, (sku, units) in enumerate(lines, 1)),
        status=status,
        version=1,
        fulfillment_orders=works,
    )


def work(name: str, *lines: tuple[Sku, int], sent: tuple[tuple[Sku, int], ...] = (), status: Any = None) -> FulfillmentOrder:
    packages = (Package(lines=tuple(Units(sku=sku, units=units) for sku, units in sent)),)
    return FulfillmentOrder(
        id=FulfillmentOrderId(name),
        location=EAST,
        source=SOURCE_OF[EAST],
        method=Method.SHIP,
        lines=tuple(Units(sku=sku, units=units) for sku, units in lines),
        status=status or FulfillmentStatus.OPEN,
        shipments=(Shipment(id="s", shipped_at=START, packages=packages),) if sent else (),
    )


@pytest.mark.parametrize(("status", "step"), list(product(OrderStatus, OrderStep)))
def test_an_order_moves_as_the_table_says_and_no_other_way(status: OrderStatus, step: OrderStep) -> None:
    before = order((MUG, 1), status=status)
    if step in LIFE[status]:
        after = before.after(step)
        assert (after.status, after.version) == (LIFE[status][step], 2)
    else:
        with pytest.raises(NotAllowedInState) as refused:
            before.after(step)
        assert refused.value.supported == tuple(before.supported_actions)
        assert (refused.value.state, refused.value.action) == (status, step)


def test_the_table_has_no_rows_beyond_these() -> None:
    rows = {(status, step): after for status, steps in LIFE.items() for step, after in steps.items()}
    assert rows == TRANSITIONS


@pytest.mark.parametrize("status", OrderStatus)
def test_canceling_is_offered_until_it_is_asked_for_or_everything_is_over(status: OrderStatus) -> None:
    live = status not in {S.FULFILLED, S.CANCELED}
    assert (order((MUG, 1), status=status).supported_actions == (OrderAction.CANCEL,)) is live
    asked = replace(order((MUG, 1), status=status), cancellation=Cancellation(reason_code="C", requested_at=START))
    assert asked.supported_actions == ()


# ------------------------------------------------------------------------------------------ an order with some history
@st.composite
def histories(draw: st.DrawFn) -> Order:
    """An order whose units were given to locations, sent, refused and canceled in some order."""
    bought = order(*draw(st.lists(st.tuples(st.sampled_from((MUG, CUP)), st.integers(1, 5)), min_size=1, max_size=4)))
    for place in range(draw(st.integers(0, 6))):
        match draw(st.sampled_from(("route", "send", "refuse", "cancel"))):
            case "route" if bought.unrouted:
                wanted = [(line.sku, draw(st.integers(1, line.units))) for line in bought.unrouted]
                bought = replace(bought, fulfillment_orders=(*bought.fulfillment_orders, work(f"w{place}", *wanted)))
            case "send" if (mine := next((each for each in bought.fulfillment_orders if each.is_open), None)) is not None:
                sent = tuple((line.sku, draw(st.integers(1, line.units))) for line in mine.remaining)
                shipment = work("", sent=sent).shipments
                gone = replace(mine, shipments=(*mine.shipments, *shipment))
                bought = bought.with_work(gone if gone.remaining else replace(gone, status=FulfillmentStatus.CLOSED))
            case "refuse" if (mine := next((each for each in bought.fulfillment_orders if each.is_open), None)) is not None:
                refused = Rejection(reason_code="NO", units=1, at=START)
                bought = bought.with_work(replace(mine, status=FulfillmentStatus.INCOMPLETE, rejection=refused))
            case "cancel" if draw(st.booleans()):
                bought = bought.without_unrouted()
            case _:
                pass  # nothing to do it to
    return replace(bought, backordered=bool(bought.unrouted) and draw(st.booleans()))


@given(histories())
def test_every_unit_of_a_line_is_in_exactly_one_state(bought: Order) -> None:
    quantities = bought.quantities()
    for line in bought.lines:
        assert sum(quantities[line.id].values()) == line.units
        assert min(quantities[line.id].values()) > 0
    waiting = sum(each.get(UnitState.OPEN, 0) + each.get(UnitState.BACKORDERED, 0) for each in quantities.values())
    assert waiting == sum(line.units for line in bought.unrouted)
    shipped = sum(sum(each.shipped.values()) for each in bought.fulfillment_orders)
    assert sum(each.get(UnitState.SHIPPED, 0) for each in quantities.values()) == shipped


@given(histories())
def test_canceling_what_has_no_location_cancels_just_that(bought: Order) -> None:
    left = bought.without_unrouted()
    assert left.unrouted == ()
    assert left.without_unrouted() == left
    dropped = sum(after.canceled_units - before.canceled_units for before, after in zip(bought.lines, left.lines, strict=True))
    assert dropped == sum(tally(bought.unrouted).values())
    for before, after in zip(bought.lines, left.lines, strict=True):
        kept = {UnitState.SHIPPED, UnitState.ALLOCATED}
        then, now = bought.quantities()[before.id], left.quantities()[after.id]
        assert {state: then[state] for state in kept & set(then)} == {state: now[state] for state in kept & set(now)}


@given(histories(), st.sampled_from((S.PLACED, S.ROUTED, S.BACKORDERED, S.PARTIALLY_FULFILLED)))
def test_the_status_says_how_the_units_stand_whatever_it_was_before(bought: Order, before: OrderStatus) -> None:
    left = any(each.shipped for each in bought.fulfillment_orders)
    to_come = bool(bought.unrouted) or any(each.is_open for each in bought.fulfillment_orders)
    if before is S.PARTIALLY_FULFILLED and not left:
        return  # what left never comes back
    if left:
        expected = S.PARTIALLY_FULFILLED if to_come else S.FULFILLED
    elif not to_come:
        expected = S.CANCELED
    elif bought.unrouted:
        expected = S.BACKORDERED if bought.backordered else S.PLACED
    else:
        expected = S.ROUTED
    settled = replace(bought, status=before).settled()
    assert (settled.status, settled.version) == (expected, bought.version + 1)
    assert settled.backordered is (bought.backordered and bool(bought.unrouted))


def test_lines_of_the_same_product_fill_up_in_their_own_order() -> None:
    bought = order((MUG, 2), (MUG, 3), works=(work("a", (MUG, 4), sent=((MUG, 3),)),))
    assert bought.quantities() == {
        "1": {UnitState.SHIPPED: 2},
        "2": {UnitState.SHIPPED: 1, UnitState.ALLOCATED: 1, UnitState.OPEN: 1},
    }


def test_work_of_another_order_is_not_found() -> None:
    with pytest.raises(NotFound):
        order((MUG, 1), works=(work("a", (MUG, 1)),)).work(FulfillmentOrderId("b"))
