"""What a source says of its request, or cannot say."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from connectors.contract import CancelOutcome, RemoteFulfillment, RemoteRef, RemoteState, StockDrop
from gateway.domain.books import Books
from gateway.domain.fulfillments import FulfillmentOrder, FulfillmentStep, RequestStatus
from gateway.domain.orders import Order
from gateway.services.fulfillments.outcomes import OnWork, may_be_accepted, parked, shipped, stopped, turned_down
from gateway.services.fulfillments.overdue import remind
from gateway.services.fulfillments.packages import new_packages, shows_what_left

STOPPED_AT_SOURCE: Final = "STOPPED_AT_SOURCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observe(OnWork):
    """What the source says of its request, asked or not. Hearing the same twice changes nothing.

    ``accept_within``: how long the location may take to accept what it is told of now; None: as long as it likes.
    """

    remote: RemoteFulfillment
    stock_drop: StockDrop
    by: str
    accept_within: timedelta | None = None

    def decide(self, books: Books) -> Order:
        """Bring our picture up to the source's."""
        order = books.order(self.order)
        work = order.work(self.work)
        is_new = work.remote_ref is None
        if is_new:
            order = self._submitted(books, order, work)
            work = order.work(self.work)
        if work.unconfirmed and shows_what_left(self.remote, self.stock_drop):
            books.acknowledge(work, work.unconfirmed)
            work = replace(work, unconfirmed=())
            order = books.amend_order(order.with_work(work))
        if work.is_open:
            order = self._taken_further(books, order, work)
        if is_new and self.accept_within is not None:
            remind(books, order.work(self.work), self.accept_within)
        return order

    def _submitted(self, books: Books, order: Order, work: FulfillmentOrder) -> Order:
        """The order once the source has given its work a name."""
        named = replace(work, remote_ref=self.remote.ref, submitted_at=books.now)
        if work.request_status is RequestStatus.UNSUBMITTED:
            named = named.after(FulfillmentStep.SUBMIT)
        elif not work.is_open:
            return books.amend_order(order.with_work(named))
        return books.record(order.with_work(named).settled(), event="fulfillment.submitted", actor=self.by)

    def _taken_further(self, books: Books, order: Order, work: FulfillmentOrder) -> Order:
        if self.remote.short and self.remote.state in {RemoteState.REQUESTED, RemoteState.ACCEPTED}:
            return parked(books, order, work, self.remote.reason or "short of stock", self.by, unanswerable=False)
        match self.remote.state:
            case RemoteState.REQUESTED:
                return order
            case RemoteState.ACCEPTED:
                return self._accepted(books, order, work)
            case RemoteState.SHIPPED | RemoteState.REJECTED | RemoteState.CANCELED:
                return self._ended(books, order, work)

    def _accepted(self, books: Books, order: Order, work: FulfillmentOrder) -> Order:
        changed = work
        if self.stock_drop is StockDrop.ON_ACCEPT and not work.in_source_books:
            books.acknowledge(work, work.remaining)
            changed = replace(changed, in_source_books=True)
        if may_be_accepted(order, work):
            changed = replace(changed.after(FulfillmentStep.ACCEPT), note=None)
        if changed != work:
            order = books.record(order.with_work(changed).settled(), event="fulfillment.accepted", actor=self.by)
        return self._left(books, order, changed)

    def _ended(self, books: Books, order: Order, work: FulfillmentOrder) -> Order:
        """Nothing more will leave. What left before is not sent again; what was given up or struck off goes elsewhere."""
        order = self._left(books, order, work, complete=self.remote.state is RemoteState.SHIPPED)
        work = order.work(work.id)
        if not work.is_open:
            return order
        if self.remote.state is RemoteState.REJECTED:
            return turned_down(books, order, work, self.remote.reason or "REJECTED", self.by)
        if work.request_status is RequestStatus.CANCELLATION_REQUESTED:
            return stopped(books, order, work, self.by)
        return turned_down(books, order, work, self.remote.reason or STOPPED_AT_SOURCE, self.by)

    def _left(self, books: Books, order: Order, work: FulfillmentOrder, *, complete: bool = False) -> Order:
        packages = new_packages(work, self.remote.packages, complete=complete, struck=self.remote.short)
        if not packages:
            return order
        return books.record(
            shipped(books, order, work, packages, confirmed=True).settled(), event="fulfillment.shipped", actor=self.by
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDown(OnWork):
    """The source refused the request outright: it never had it."""

    reason_code: str
    by: str

    def decide(self, books: Books) -> Order:
        """The units go elsewhere."""
        order = books.order(self.order)
        work = order.work(self.work)
        return turned_down(books, order, work, self.reason_code, self.by) if work.is_open else order


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(OnWork):
    """The source answered our asking to stop. ``remote_ref`` is what it calls the work, where only looking it up told."""

    outcome: CancelOutcome
    by: str
    remote_ref: RemoteRef | None = None

    def decide(self, books: Books) -> Order:
        """It stopped, or it was too late, or a person must look."""
        order = books.order(self.order)
        work = order.work(self.work)
        if work.request_status is not RequestStatus.CANCELLATION_REQUESTED:
            return order
        if work.remote_ref is None and self.remote_ref is not None:  # what goes on there has to be followed
            work = replace(work, remote_ref=self.remote_ref)
        if self.outcome is CancelOutcome.CANCELED:
            return stopped(books, order, work, self.by)
        if self.outcome in {CancelOutcome.TOO_LATE, CancelOutcome.REFUSED}:
            going_on = replace(work.after(FulfillmentStep.REFUSE_CANCELLATION), recalled_because=None)
            event = "fulfillment.cancellation_rejected"
            return books.record(order.with_work(going_on).settled(), event=event, actor=self.by, cause=self.outcome.value)
        return parked(books, order, work, f"cancellation was {self.outcome.value}", self.by, unanswerable=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Park(OnWork):
    """Its source did not answer, however often it was asked. ``asked``: how far the handshake had come."""

    asked: RequestStatus
    note: str
    unanswerable: bool
    by: str

    def decide(self, books: Books) -> Order:
        """Wait for a person, unless something else has come of it meanwhile."""
        order = books.order(self.order)
        work = order.work(self.work)
        if work.request_status is not self.asked:
            return order
        return parked(books, order, work, self.note, self.by, unanswerable=self.unanswerable)
