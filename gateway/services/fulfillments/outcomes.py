"""What can come of work, whoever it was heard from: it left, it was given up, it was asked back, or a person must look."""

from dataclasses import dataclass, replace

from gateway.domain.books import Books
from gateway.domain.fulfillments import (
    FulfillmentOrder,
    FulfillmentStep,
    Package,
    Rejection,
    RequestStatus,
    Shipment,
    Units,
    tally,
)
from gateway.domain.identity import FulfillmentOrderId, OrderId
from gateway.domain.orders import Order
from gateway.domain.refusals import Invalid
from gateway.ports import Touches


@dataclass(frozen=True, slots=True, kw_only=True)
class OnWork:
    """Something that concerns one part of an order's work."""

    order: OrderId
    work: FulfillmentOrderId

    @property
    def touches(self) -> Touches:
        """The order, and our promises on its SKUs."""
        return Touches(orders=frozenset({self.order}))


def is_wanted(order: Order, work: FulfillmentOrder) -> bool:
    """Whether this work is still to be done: its order was not canceled, and nobody asked it back."""
    return order.cancellation is None and work.recalled_because is None


def may_be_accepted(order: Order, work: FulfillmentOrder) -> bool:
    """Whether it is news that its source does it. Of what could not be stopped, it is what a person has to look at already."""
    return work.is_undecided and is_wanted(order, work)


def shipped(books: Books, order: Order, work: FulfillmentOrder, packages: tuple[Package, ...], *, confirmed: bool) -> Order:
    """The order after these packages left.

    Where the source's number drops only now, it is noted that it does: ``confirmed`` by the source itself, else once it confirms.

    Raises:
        Invalid: More is in the packages than is left.
        NotAllowedInState: Nothing can leave any more.
    """
    leaving = tally(line for package in packages for line in package.lines)
    left = tally(work.remaining)
    for sku, units in leaving.items():
        if units > left.get(sku, 0):
            problem = f"{units} of {sku} cannot leave: {left.get(sku, 0)} are still to be sent."
            raise Invalid(problem=problem, path=("input", "packages"))
    step = FulfillmentStep.SHIP_REST if leaving == left else FulfillmentStep.SHIP_PART
    shipment = Shipment(id=books.new_id(), shipped_at=books.now, packages=packages)
    moved = work.after(step)
    gone = tuple(Units(sku=sku, units=units) for sku, units in leaving.items())
    if confirmed and not work.in_source_books:
        books.acknowledge(work, gone)
    unconfirmed = work.unconfirmed if confirmed or work.in_source_books else (*work.unconfirmed, *gone)
    return order.with_work(replace(moved, shipments=(*work.shipments, shipment), unconfirmed=unconfirmed))


def turned_down(books: Books, order: Order, work: FulfillmentOrder, reason_code: str, by: str) -> Order:
    """The order after a location refused the rest of its work: what it did not send goes elsewhere."""
    rejection = Rejection(reason_code=reason_code, units=sum(line.units for line in work.remaining), at=books.now)
    books.uncommit(work, "REJECTED")
    refused = replace(work.after(FulfillmentStep.REJECT), rejection=rejection)
    return _relieved(books, order, refused, event="fulfillment.rejected", by=by, cause=reason_code)


def recalled(books: Books, order: Order, work: FulfillmentOrder, reason_code: str, by: str, *, event: str) -> Order:
    """The order with this work asked back. Only once its source has stopped is it rejected, and the rest goes elsewhere."""
    stopping = replace(work.after(FulfillmentStep.REQUEST_CANCELLATION), recalled_because=reason_code)
    books.stop(work)
    return books.record(order.with_work(stopping).settled(), event=event, actor=by, cause=reason_code)


def stopped(books: Books, order: Order, work: FulfillmentOrder, by: str) -> Order:
    """The order after a source stopped because we asked it to."""
    if work.recalled_because is not None and order.cancellation is None:
        return turned_down(books, order, work, work.recalled_because, by)
    books.uncommit(work, "STOPPED")
    ended = work.after(FulfillmentStep.CONFIRM_CANCELLATION)
    return _relieved(books, order, ended, event="fulfillment.cancellation_accepted", by=by, cause=None)


def parked(books: Books, order: Order, work: FulfillmentOrder, note: str, by: str, *, unanswerable: bool) -> Order:
    """The order with this work waiting for a person, whose word is taken where its source is ``unanswerable``."""
    if work.request_status is RequestStatus.NEEDS_REVIEW:
        return order
    waiting = replace(work.after(FulfillmentStep.PARK), note=note, unanswerable=unanswerable)
    return books.record(order.with_work(waiting).settled(), event="fulfillment.needs_review", actor=by, cause=note)


def _relieved(books: Books, order: Order, work: FulfillmentOrder, *, event: str, by: str, cause: str | None) -> Order:
    """Record that a location has no more to do with it; see to it that the rest is routed again, or canceled if that is asked."""
    before = tally(order.unrouted)
    relieved = order.with_work(work)
    if order.cancellation is not None:
        relieved = relieved.without_unrouted()
    more = {sku: units - before.get(sku, 0) for sku, units in tally(relieved.unrouted).items()}
    freed = tuple(Units(sku=sku, units=units) for sku, units in more.items() if units > 0)
    if freed:
        books.demand(order.id, freed, routed=False)
        books.reroute(order.id)
    return books.record(relieved.settled(), event=event, actor=by, cause=cause)
