"""What happens to work once a location has it: heard from its source, or said in the graph."""

from dataclasses import dataclass, replace
from typing import Final

from connectors.contract import CancelOutcome, RemoteFulfillment, RemotePackage, RemoteState, Sku, StockDrop
from gateway.domain.books import Books
from gateway.domain.fulfillments import (
    FulfillmentAction,
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
from gateway.domain.refusals import Invalid, NotAllowedInState, NotFound
from gateway.ports import Once, Store, Touches, Writer
from gateway.services.orders import check_version

STOPPED_AT_SOURCE: Final = "STOPPED_AT_SOURCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfillments:
    """What people at a location, or for them, say in the graph."""

    writer: Writer
    store: Store

    async def accept(self, work: FulfillmentOrderId, *, expected_version: int | None, by: str, once: Once) -> Order:
        """The location takes the work on."""
        order = await self._order_of(work)
        command = Accept(order=order, work=work, expected_version=expected_version, by=by)
        return await self.writer.submit(command, returns=Order, once=once)

    async def reject(
        self, work: FulfillmentOrderId, *, expected_version: int | None, reason_code: str, by: str, once: Once
    ) -> Order:
        """The location cannot do the rest of the work. Its source is told to stop first, so that nothing is sent twice."""
        order = await self._order_of(work)
        command = Reject(order=order, work=work, expected_version=expected_version, reason_code=reason_code, by=by)
        return await self.writer.submit(command, returns=Order, once=once)

    async def ship(
        self, work: FulfillmentOrderId, packages: tuple[Package, ...], *, expected_version: int | None, by: str, once: Once
    ) -> Order:
        """Packages left the location."""
        order = await self._order_of(work)
        command = Ship(order=order, work=work, expected_version=expected_version, packages=packages, by=by)
        return await self.writer.submit(command, returns=Order, once=once)

    async def _order_of(self, work: FulfillmentOrderId) -> OrderId:
        order = await self.store.order_of_work(work)
        if order is None:
            raise NotFound(what="fulfillment order", name=work, path=("input", "id"))
        return order


@dataclass(frozen=True, slots=True, kw_only=True)
class OnWork:
    """Something that concerns one part of an order's work."""

    order: OrderId
    work: FulfillmentOrderId

    @property
    def touches(self) -> Touches:
        """The order, and our promises on its SKUs."""
        return Touches(orders=frozenset({self.order}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(OnWork):
    """Somebody at the location says that they will do it."""

    expected_version: int | None
    by: str

    def decide(self, books: Books) -> Order:
        """The source's own number is only taken to contain it once the source itself says so."""
        order, work = _found(books, self, self.expected_version)
        return books.record(
            order.with_work(work.after(FulfillmentStep.ACCEPT)).settled(), event="fulfillment.accepted", actor=self.by
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject(OnWork):
    """Somebody at the location says that they cannot."""

    expected_version: int | None
    reason_code: str
    by: str

    def decide(self, books: Books) -> Order:
        """Ask the source to stop; when it has, the units go elsewhere."""
        order, work = _found(books, self, self.expected_version)
        if FulfillmentAction.REJECT not in work.supported_actions:
            supported = tuple(action.value for action in work.supported_actions)
            raise NotAllowedInState(what="fulfillment order", action="REJECT", state=work.request_status.value, supported=supported)
        rejection = Rejection(reason_code=self.reason_code, units=sum(line.units for line in work.remaining), at=books.now)
        stopping = replace(work.after(FulfillmentStep.REQUEST_CANCELLATION), rejection=rejection)
        books.stop(work)
        event = "fulfillment.rejection_requested"
        return books.record(order.with_work(stopping).settled(), event=event, actor=self.by, cause=self.reason_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ship(OnWork):
    """Somebody at the location says that packages left."""

    expected_version: int | None
    packages: tuple[Package, ...]
    by: str

    def decide(self, books: Books) -> Order:
        """Only what has not left before can leave."""
        order, work = _found(books, self, self.expected_version)
        return books.record(
            shipped(books, order, work, self.packages, confirmed=False).settled(), event="fulfillment.shipped", actor=self.by
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Observe(OnWork):
    """What the source says of its request, asked or not. Hearing the same twice changes nothing."""

    remote: RemoteFulfillment
    stock_drop: StockDrop
    by: str

    def decide(self, books: Books) -> Order:
        """Bring our picture up to the source's."""
        order = books.order(self.order)
        work = order.work(self.work)
        if work.remote_ref is None:
            work = replace(work, remote_ref=self.remote.ref)
            if work.request_status is RequestStatus.UNSUBMITTED:
                work = work.after(FulfillmentStep.SUBMIT)
                order = books.record(order.with_work(work).settled(), event="fulfillment.submitted", actor=self.by)
            else:
                order = order.with_work(work)
                order = books.record(order.settled(), event="fulfillment.submitted", actor=self.by) if work.is_open else order
        if work.unconfirmed and shows_what_left(self.remote, self.stock_drop):
            books.acknowledge(work, work.unconfirmed)
            work = replace(work, unconfirmed=())
            order = books.amend_order(order.with_work(work))
        if not work.is_open:
            return order
        return self._taken_further(books, order, work)

    def _taken_further(self, books: Books, order: Order, work: FulfillmentOrder) -> Order:
        if self.remote.short and self.remote.state in {RemoteState.REQUESTED, RemoteState.ACCEPTED}:
            return parked(books, order, work, self.remote.reason or "short of stock", self.by)
        match self.remote.state:
            case RemoteState.REQUESTED:
                return order
            case RemoteState.ACCEPTED:
                return self._accepted(books, order, work)
            case RemoteState.SHIPPED:
                return self._shipped(books, order, work)
            case RemoteState.REJECTED | RemoteState.CANCELED:
                return self._given_up(books, order, work)

    def _accepted(self, books: Books, order: Order, work: FulfillmentOrder) -> Order:
        changed = work
        if self.stock_drop is StockDrop.ON_ACCEPT and not work.in_source_books:
            books.acknowledge(work, work.remaining)
            changed = replace(changed, in_source_books=True)
        if work.request_status in {RequestStatus.SUBMITTED, RequestStatus.UNSUBMITTED}:
            changed = changed.after(FulfillmentStep.ACCEPT)
        if changed != work:
            order = books.record(order.with_work(changed).settled(), event="fulfillment.accepted", actor=self.by)
        return self._left(books, order, changed)

    def _given_up(self, books: Books, order: Order, work: FulfillmentOrder) -> Order:
        """What left before it was given up is not sent again."""
        order = self._left(books, order, work)
        work = order.work(work.id)
        if not work.is_open:
            return order
        if self.remote.state is RemoteState.REJECTED:
            return turned_down(books, order, work, self.remote.reason or "REJECTED", self.by)
        if work.request_status is RequestStatus.CANCELLATION_REQUESTED:
            return stopped(books, order, work, self.by)
        return turned_down(books, order, work, self.remote.reason or STOPPED_AT_SOURCE, self.by)

    def _left(self, books: Books, order: Order, work: FulfillmentOrder) -> Order:
        packages = new_packages(work, self.remote.packages, complete=False)
        if not packages:
            return order
        return books.record(
            shipped(books, order, work, packages, confirmed=True).settled(), event="fulfillment.shipped", actor=self.by
        )

    def _shipped(self, books: Books, order: Order, work: FulfillmentOrder) -> Order:
        packages = new_packages(work, self.remote.packages, complete=True)
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
    """The source answered our asking to stop."""

    outcome: CancelOutcome
    by: str

    def decide(self, books: Books) -> Order:
        """It stopped, or it was too late, or a person must look."""
        order = books.order(self.order)
        work = order.work(self.work)
        if work.request_status is not RequestStatus.CANCELLATION_REQUESTED:
            return order
        if self.outcome is CancelOutcome.CANCELED:
            return stopped(books, order, work, self.by)
        if self.outcome in {CancelOutcome.TOO_LATE, CancelOutcome.REFUSED}:
            going_on = replace(work.after(FulfillmentStep.REFUSE_CANCELLATION), rejection=None)
            event = "fulfillment.cancellation_rejected"
            return books.record(order.with_work(going_on).settled(), event=event, actor=self.by, cause=self.outcome.value)
        return parked(books, order, work, f"cancellation was {self.outcome.value}", self.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Park(OnWork):
    """Nobody but a person can find out what happened."""

    note: str
    by: str

    def decide(self, books: Books) -> Order:
        """Wait for review."""
        order = books.order(self.order)
        work = order.work(self.work)
        return parked(books, order, work, self.note, self.by) if work.is_open else order


# ---------------------------------------------------------------------------------------------- what they share
def shows_what_left(remote: RemoteFulfillment, stock_drop: StockDrop) -> bool:
    """Whether the source's own number shows by now what left: nothing more is to come of the request, or it counts early."""
    early = remote.state is RemoteState.ACCEPTED and stock_drop is StockDrop.ON_ACCEPT
    return early or remote.state in {RemoteState.SHIPPED, RemoteState.REJECTED, RemoteState.CANCELED}


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


def stopped(books: Books, order: Order, work: FulfillmentOrder, by: str) -> Order:
    """The order after a source stopped because we asked it to."""
    books.uncommit(work, "STOPPED")
    if work.rejection is not None:
        refused = work.after(FulfillmentStep.REJECT)
        return _relieved(books, order, refused, event="fulfillment.rejected", by=by, cause=work.rejection.reason_code)
    ended = work.after(FulfillmentStep.CONFIRM_CANCELLATION)
    return _relieved(books, order, ended, event="fulfillment.cancellation_accepted", by=by, cause=None)


def parked(books: Books, order: Order, work: FulfillmentOrder, note: str, by: str) -> Order:
    """The order with this work waiting for a person."""
    if work.request_status is RequestStatus.NEEDS_REVIEW:
        return order
    waiting = replace(work.after(FulfillmentStep.PARK), note=note)
    return books.record(order.with_work(waiting).settled(), event="fulfillment.needs_review", actor=by, cause=note)


def new_packages(work: FulfillmentOrder, told: tuple[RemotePackage, ...], *, complete: bool) -> tuple[Package, ...]:
    """What left that we did not know of. Of a ``complete`` request, everything has left, in some package."""
    known = {package.tracking_number for shipment in work.shipments for package in shipment.packages}
    left = dict(tally(work.remaining))
    found = []
    for remote in told:
        if remote.tracking_number in known:  # one without a number cannot be told from another: it counts once
            continue
        lines = _taken(left, tally(Units(sku=line.sku, units=line.units) for line in remote.lines))
        if lines:
            found.append(_package(remote, lines))
    rest = tuple(Units(sku=sku, units=units) for sku, units in left.items() if units)
    if complete and rest:
        told_of_all = next((remote for remote in told if not remote.lines), None)
        found.append(_package(told_of_all or RemotePackage(), rest))
    return tuple(found)


def _taken(left: dict[Sku, int], lines: dict[Sku, int]) -> tuple[Units, ...]:
    """These lines, as far as they are left; they no longer are after."""
    taken = []
    for sku, units in lines.items():
        count = min(units, left.get(sku, 0))
        if count:
            left[sku] -= count
            taken.append(Units(sku=sku, units=count))
    return tuple(taken)


def _package(remote: RemotePackage, lines: tuple[Units, ...]) -> Package:
    return Package(lines=lines, carrier=remote.carrier, tracking_number=remote.tracking_number, tracking_url=remote.tracking_url)


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


def _found(books: Books, command: OnWork, expected_version: int | None) -> tuple[Order, FulfillmentOrder]:
    order = books.order(command.order)
    work = order.work(command.work)
    check_version(expected_version, work.version)
    return order, work
