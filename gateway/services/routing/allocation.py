"""Giving units of an order locations, on locked books."""

from collections import ChainMap
from dataclasses import replace

from gateway.domain.books import Books, ShelfKey
from gateway.domain.capacity import limit_at
from gateway.domain.fulfillments import FulfillmentOrder, Units, tally
from gateway.domain.identity import FulfillmentOrderId, LocationId
from gateway.domain.orders import Order
from gateway.domain.reservations import Reservation
from gateway.domain.routing import Package
from gateway.domain.sourcing import DecisionRecord
from gateway.domain.stock import NETWORK
from gateway.services.routing.landscape import Landscape, Shelves, Wish


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

    Raises:
        Refusals: They cannot come from anywhere; nothing was written.
        ReadingOutdated: Somebody decided on a newer reading in the meantime.
    """
    wish = Wish(
        lines=lines,
        to=order.to,
        method=order.method,
        preference=order.preference,
        pickup_at=None if order.pickup_at is None else LocationId(order.pickup_at),
        pickup_slot=order.pickup_slot,
        kept=kept,
    )
    refused = {work.location: "REJECTED_BEFORE" for work in order.fulfillment_orders if work.rejection is not None}
    shelves = _but_for_its_own_demand(books, order)
    if wish.pickup_at is not None and wish.pickup_slot is not None:
        landscape.must_offer(wish.pickup_at, wish.pickup_slot, books.now)
    if plan is None or not landscape.fits(plan.decision, wish, shelves, refused):
        problem, decision = landscape.route(wish, shelves, refused)
        plan = landscape.record(problem, decision, order=order.id, decision_id=books.new_id(), at=books.now)
    else:
        plan = replace(plan, id=books.new_id(), order=order.id)
    works = tuple(_work(books, wish, landscape, package) for package in plan.decision.packages)
    for work in works:
        books.commit(work, sellable=_sellable(landscape, work, shelves))
        books.submit(work)
    books.settle(landscape.readings)
    books.keep(plan)
    return replace(order, fulfillment_orders=(*order.fulfillment_orders, *works))


def _but_for_its_own_demand(books: Books, order: Order) -> Shelves:
    """Our promises, but for the demand of this very order: it must not stand in its own way."""
    if order.id not in books.orders:
        return books.shelves
    own = {}
    for sku, units in tally(order.unrouted).items():
        shelf = books.shelf(sku, NETWORK)
        own[sku, NETWORK] = replace(shelf, committed_units=shelf.committed_units - units)
    return ChainMap(own, books.shelves)


def _work(books: Books, wish: Wish, landscape: Landscape, package: Package) -> FulfillmentOrder:
    place = landscape.places[package.location]
    lines = tuple(Units(sku=line.sku, units=line.units) for line in package.lines)
    return FulfillmentOrder(
        id=FulfillmentOrderId(books.new_id()),
        location=place.id,
        source=place.source,
        method=wish.method,
        lines=lines,
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
