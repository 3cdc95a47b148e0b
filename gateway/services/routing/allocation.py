"""Giving units of an order locations, on locked books."""

from collections import ChainMap
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from gateway.domain.books import Books, ShelfKey
from gateway.domain.capacity import limit_at
from gateway.domain.delivery import Promise
from gateway.domain.fulfillments import FulfillmentOrder, Units, tally
from gateway.domain.identity import FulfillmentOrderId
from gateway.domain.orders import Order
from gateway.domain.policies import FallbackStep
from gateway.domain.reservations import Reservation
from gateway.domain.routing import Package
from gateway.domain.sourcing import DecisionRecord
from gateway.domain.stock import NETWORK
from gateway.services.routing.deciding import Routed, fits, record, route
from gateway.services.routing.landscape import Landscape, Shelves
from gateway.services.routing.wish import Wish


def allocate(
    books: Books,
    order: Order,
    landscape: Landscape,
    *,
    lines: tuple[Units, ...],
    kept: Reservation | None = None,
    plan: DecisionRecord | None = None,
) -> Order:
    """Give these units of an order locations: bind the stock, make the work, keep the decision and see to the requests.

    What is returned is not recorded yet. A ``plan`` is taken as it is where it still fits; else it is decided anew. Locations
    that turned some of this order down before are not asked again. ``kept`` is the hold that has just become this order.
    Where the merchant's policy lets units wait, the order that is returned has some that are unrouted.

    Raises:
        Refusals: They cannot come from anywhere; nothing was written.
        ReadingOutdated: Somebody decided on a newer reading in the meantime.
    """
    wish = Wish.of(order, lines, kept)
    refused = {work.location: "REJECTED_BEFORE" for work in order.fulfillment_orders if work.rejection is not None}
    shelves = _but_for_its_own_demand(books, order)
    if wish.pickup_at is not None and wish.pickup_slot is not None:
        landscape.must_offer(wish.pickup_at, wish.pickup_slot, books.now)
    routed = None
    if plan is not None and fits(landscape, plan.decision, wish, shelves, refused):
        plan = replace(plan, id=books.new_id(), order=order.id)
    else:
        routed = route(landscape, wish, shelves, refused)
        plan = record(landscape, routed, order=order.id, decision_id=books.new_id(), at=books.now)
    packages = () if plan is None else plan.decision.packages
    promised = () if plan is None else plan.promises
    works = tuple(_work(books, wish, landscape, package, promised) for package in packages)
    for work in works:
        books.commit(work, sellable=_sellable(landscape, work, shelves))
        books.submit(work)
    books.settle(landscape.readings)
    if plan is not None:
        books.keep(plan)
    bound = replace(order, fulfillment_orders=(*order.fulfillment_orders, *works))
    return bound if routed is None or not routed.waits else _waiting(books, bound, routed)


def _waiting(books: Books, order: Order, routed: Routed) -> Order:
    """The order with what becomes of the units that wait."""
    hours = routed.course.cancel_after_hours
    over_at = None if hours is None else order.placed_at + timedelta(hours=hours)
    parked = f"Rule {routed.by.rule.name!r} wants a person to look." if routed.course.ending is FallbackStep.PARK else None
    if parked is not None and over_at is not None and order.parked_because is None:
        books.reroute(order.id, at=over_at)  # the job that parks it waits for a person, who may never look
    return replace(order, backordered=True, parked_because=parked, cancel_waiting_at=over_at)


def _but_for_its_own_demand(books: Books, order: Order) -> Shelves:
    """Our promises, but for the demand of this very order: it must not stand in its own way."""
    if order.id not in books.orders:
        return books.shelves
    own = {}
    for sku, units in tally(order.unrouted).items():
        shelf = books.shelf(sku, NETWORK)
        own[sku, NETWORK] = replace(shelf, committed_units=shelf.committed_units - units)
    return ChainMap(own, books.shelves)


def _work(books: Books, wish: Wish, landscape: Landscape, package: Package, promised: Sequence[Promise]) -> FulfillmentOrder:
    promise = next((each for each in promised if each.location == package.location), None)
    place = landscape.places[package.location]
    lines = tuple(Units(sku=line.sku, units=line.units) for line in package.lines)
    return FulfillmentOrder(
        id=FulfillmentOrderId(books.new_id()),
        location=place.id,
        source=place.source,
        method=wish.method,
        lines=lines,
        ship_by=None if promise is None else promise.ship_by,
        deliver_by=None if promise is None else promise.deliver_by,
        booked=landscape.bookings(place, sum(line.units for line in lines), slot=wish.pickup_slot, kept=wish.kept),
    )


def _sellable(landscape: Landscape, work: FulfillmentOrder, shelves: Shelves) -> dict[ShelfKey, int]:
    """How far the shelves of this work may fill: as its source says, and as its location's limits are."""
    found = {}
    for line in work.lines:
        key = (line.sku, work.location)
        units = landscape.sellable(key, shelves.get(key))
        if units is not None:
            found[key] = units
    for each in work.booked:
        limit = limit_at(landscape.places[work.location], each.sku)
        if limit is not None:
            found[each.sku, work.location] = limit
    return found
