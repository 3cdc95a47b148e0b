"""The books that decisions are made on: what a command may look at, and what it writes down.

Storage fills them with the rows a batch of commands touches, locked; commands decide one after another, each seeing what the ones
before it wrote; storage then writes all changes at once. A command that refuses leaves no trace: its changes are taken back.

The ledger is append-only. A shelf's counters are its cache: they move only through ``_post``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from connectors.contract import Sku
from gateway.domain.fulfillments import FulfillmentOrder, Units, tally
from gateway.domain.identity import FulfillmentOrderId, LocationId, OrderId, ReservationId, SourceName
from gateway.domain.orders import Order
from gateway.domain.policies import PolicyKey, PolicyState, RoutingPolicy
from gateway.domain.refusals import NotFound
from gateway.domain.reservations import Reservation, ReservationState, ReservationStep
from gateway.domain.sourcing import DecisionRecord
from gateway.domain.stock import NETWORK, Acknowledged, Reading, Shelf, contained_in
from gateway.domain.tasks import JobKind, JobRecord, NewJob

K = TypeVar("K")
V = TypeVar("V")

ShelfKey = tuple[Sku, LocationId]


class Bucket(StrEnum):
    """What an entry counts."""

    HELD = "HELD"
    COMMITTED = "COMMITTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger: so many units more or fewer, why, and because of what.

    ``at`` None: at the books' now; a hold that ran out did so then, not when somebody came by. ``sellable_units`` is what was
    decided on: held and committed units of this shelf together may be no more than that right after this line. None where
    nothing new is promised.
    """

    sku: Sku
    location: LocationId
    bucket: Bucket
    units: int
    reason: str
    subject: str
    at: datetime | None = None
    sellable_units: int | None = None


Sellable = Mapping[ShelfKey, int]
"""What held and committed units of a shelf together may be at most, as far as the source's word and our limits go."""

_UNTOLD: Final[Sellable] = {}
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """Something happened to an order; ``order`` is as it was right after."""

    type: str
    order: Order
    actor: str
    cause: str | None = None


@dataclass(slots=True, kw_only=True)
class Books:
    """Working copies of what a batch touches. ``now`` is the instant of the transaction, ``new_id`` makes ids.

    Of each changed policy it is noted whether it is new.
    """

    now: datetime
    new_id: Callable[[], str]
    orders: dict[OrderId, Order] = field(default_factory=dict)
    reservations: dict[ReservationId, Reservation] = field(default_factory=dict)
    shelves: dict[ShelfKey, Shelf] = field(default_factory=dict)
    epochs: dict[SourceName, int] = field(default_factory=dict)
    numbers_by_external_id: dict[tuple[str, str], str] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    jobs: list[NewJob] = field(default_factory=list)
    known_jobs: dict[str, JobRecord] = field(default_factory=dict)
    policies: dict[PolicyKey, RoutingPolicy] = field(default_factory=dict)
    retried_jobs: list[JobRecord] = field(default_factory=list)
    decisions: list[DecisionRecord] = field(default_factory=list)
    changed_orders: dict[OrderId, None] = field(default_factory=dict)
    changed_reservations: dict[ReservationId, None] = field(default_factory=dict)
    changed_shelves: dict[ShelfKey, None] = field(default_factory=dict)
    changed_sources: dict[SourceName, None] = field(default_factory=dict)
    changed_policies: dict[PolicyKey, bool] = field(default_factory=dict)
    _undo: list[tuple[dict[Any, Any], Any, Any]] = field(default_factory=list)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Take back everything written inside, if it ends in an exception."""
        self._undo.clear()
        lengths = [(log, len(log)) for log in (self.entries, self.events, self.jobs, self.retried_jobs, self.decisions)]
        try:
            yield
        except BaseException:
            for mapping, key, old in reversed(self._undo):
                if old is _ABSENT:
                    del mapping[key]
                else:
                    mapping[key] = old
            for log, length in lengths:
                del log[length:]
            raise

    # ------------------------------------------------------------------------------------------ orders
    def order(self, order: OrderId) -> Order:
        """That order as it is now.

        Raises:
            NotFound: There is none.
        """
        found = self.orders.get(order)
        if found is None:
            raise NotFound(what="order", name=order, path=("input", "id"))
        return found

    def record(self, order: Order, *, event: str, actor: str, cause: str | None = None) -> Order:
        """Keep the order as it is now, and announce it."""
        self.amend_order(order)
        if order.external_id is not None:
            self._set(self.numbers_by_external_id, (order.channel, order.external_id), order.number)
        self.announce(order, event=event, actor=actor, cause=cause)
        return order

    def amend_order(self, order: Order) -> Order:
        """Keep what nobody outside can see of the order: no new version, no event."""
        self._set(self.orders, order.id, order)
        self._set(self.changed_orders, order.id, None)
        return order

    def announce(self, order: Order, *, event: str, actor: str, cause: str | None = None) -> None:
        """Say what happened, where the order goes on changing before it is recorded."""
        self.events.append(NewEvent(type=event, order=order, actor=actor, cause=cause))

    def keep(self, decision: DecisionRecord) -> None:
        """Keep how an order was routed."""
        self.decisions.append(decision)

    def submit(self, work: FulfillmentOrder) -> None:
        """See to it that its source is asked to do this work, whatever happens to this process."""
        self.jobs.append(NewJob(kind=JobKind.SUBMIT, subject=work.id, lane=work.id, run_at=self.now))

    def stop(self, work: FulfillmentOrder) -> None:
        """See to it that its source is asked to stop this work, after it was asked to do it."""
        self.jobs.append(NewJob(kind=JobKind.STOP, subject=work.id, lane=work.id, run_at=self.now))

    def release(self, work: FulfillmentOrder) -> None:
        """See to it that what its source has set aside for this work is given back: it has served."""
        self.jobs.append(NewJob(kind=JobKind.RELEASE, subject=work.id, lane=work.id, run_at=self.now))

    def reroute(self, order: OrderId, *, at: datetime | None = None) -> None:
        """See to it that units of this order find a location, then or now."""
        self.jobs.append(NewJob(kind=JobKind.ROUTE, subject=order, lane=order, run_at=at or self.now))

    # ------------------------------------------------------------------------------------------ jobs
    def job(self, job: str) -> JobRecord:
        """That job as it is now.

        Raises:
            NotFound: There is none: it was done, or never was.
        """
        found = self.known_jobs.get(job)
        if found is None:
            raise NotFound(what="job", name=job, path=("input", "id"))
        return found

    def retry(self, job: JobRecord) -> None:
        """Have a dead job tried again, now. It counts as tried once, so that what became of that is looked up first."""
        self.retried_jobs.append(job)

    # ------------------------------------------------------------------------------------------ policies
    def policy(self, key: PolicyKey) -> RoutingPolicy:
        """That version of a routing policy as it is now.

        Raises:
            NotFound: There is none.
        """
        found = self.policies.get(key)
        if found is None:
            raise NotFound(what="routing policy", name=f"{key[0]}, version {key[1]}", path=("input", "id"))
        return found

    def active_policy(self, name: str) -> RoutingPolicy | None:
        """The version of that policy that is in force."""
        versions = (each for each in self.policies.values() if each.name == name and each.state is PolicyState.ACTIVE)
        return next(versions, None)

    def newest_policy(self, name: str) -> int:
        """The newest version of that policy; 0 if it is a new one."""
        return max((each.version for each in self.policies.values() if each.name == name), default=0)

    def keep_policy(self, policy: RoutingPolicy) -> RoutingPolicy:
        """Keep that version of a policy as it is now."""
        is_new = self.changed_policies.get(policy.key, policy.key not in self.policies)
        self._set(self.changed_policies, policy.key, is_new)
        self._set(self.policies, policy.key, policy)
        return policy

    # ------------------------------------------------------------------------------------------ holds
    def reservation(self, reservation: ReservationId) -> Reservation:
        """That hold as it is now.

        Raises:
            NotFound: There is none.
        """
        found = self.reservations.get(reservation)
        if found is None:
            raise NotFound(what="reservation", name=reservation, path=("input", "id"))
        return found

    def hold(self, reservation: Reservation, *, sellable: Sellable = _UNTOLD) -> Reservation:
        """Keep the units of this hold."""
        for line in reservation.lines:
            most = sellable.get((line.sku, line.location))
            self._post(line.sku, line.location, Bucket.HELD, line.units, reason="HELD", subject=reservation.id, sellable_units=most)
        return self.amend(reservation)

    def lift(self, reservation: Reservation) -> Reservation:
        """Give the units of this hold back in order to hold it elsewhere, which the same command must do.

        Raises:
            ReservationExpired: It is over.
        """
        lifted = reservation.after(ReservationStep.MOVE)
        self._give_back(reservation, "MOVED")
        return lifted

    def amend(self, reservation: Reservation) -> Reservation:
        """Keep the hold as it is now; its units stay where they are."""
        self._set(self.reservations, reservation.id, reservation)
        self._set(self.changed_reservations, reservation.id, None)
        return reservation

    def end(self, reservation: Reservation, step: ReservationStep) -> Reservation:
        """Give the units of this hold back.

        Raises:
            ReservationExpired: It is over already.
        """
        over = reservation.after(step)
        self._give_back(reservation, step.value, at=reservation.expires_at if step is ReservationStep.EXPIRE else None)
        return self.amend(over)

    def expire_due(self) -> None:
        """End every hold whose time is up: it stops counting now, not when somebody comes by to sweep."""
        due = [each for each in self.reservations.values() if each.state is ReservationState.ACTIVE and each.expires_at <= self.now]
        for reservation in due:
            self.end(reservation, ReservationStep.EXPIRE)

    # ------------------------------------------------------------------------------------------ commitments
    def shelf(self, sku: Sku, location: LocationId) -> Shelf:
        """Our promises on that SKU there; none where none were ever made."""
        return self.shelves.get((sku, location)) or Shelf(sku=sku, location=location)

    def commit(self, work: FulfillmentOrder, *, sellable: Sellable = _UNTOLD) -> None:
        """Bind the units of this work to its location, and what it takes of the location's capacity."""
        for line in (*work.lines, *work.booked):
            most = sellable.get((line.sku, work.location))
            self._post(
                line.sku, work.location, Bucket.COMMITTED, line.units, reason="ALLOCATED", subject=work.id, sellable_units=most
            )

    def demand(self, order: OrderId, units: Iterable[Units], *, routed: bool) -> None:
        """Count units that are promised but have no location yet, or stop counting them once they have."""
        for line in units:
            change = -line.units if routed else line.units
            self._post(line.sku, NETWORK, Bucket.COMMITTED, change, reason="ROUTED" if routed else "UNROUTED", subject=order)

    def uncommit(self, work: FulfillmentOrder, reason: str) -> None:
        """Unbind what has not left: as far as the source's own number does not contain it already.

        The capacity it took is given back as well, if nothing of it left: then the location has not worked on it.
        """
        for line in work.booked if not work.shipments else ():
            self._post(line.sku, work.location, Bucket.COMMITTED, -line.units, reason=reason, subject=work.id)
        for line in work.remaining:
            if work.in_source_books:
                self._forget(work.id, line, work.location, reason)
            else:
                self._post(line.sku, work.location, Bucket.COMMITTED, -line.units, reason=reason, subject=work.id)

    def acknowledge(self, work: FulfillmentOrder, units: Iterable[Units]) -> None:
        """Note that the source has these units in its own books from now on (its epoch goes up)."""
        epoch = self.epochs.get(work.source, 0) + 1
        self._set(self.epochs, work.source, epoch)
        self._set(self.changed_sources, work.source, None)
        for sku, count in tally(units).items():
            shelf = self.shelf(sku, work.location)
            noted = Acknowledged(work=work.id, units=count, epoch=epoch)
            self._put(replace(shelf, acknowledged=(*shelf.acknowledged, noted)))

    def settle(self, readings: Mapping[ShelfKey, Reading]) -> None:
        """Take off what these readings already contain, wherever this attempt writes something anyway."""
        for key in dict.fromkeys(key for mapping, key, _ in self._undo if mapping is self.shelves):
            shelf = self.shelves[key]
            reading = readings.get(key) if shelf.acknowledged else None
            contained = contained_in(reading, shelf) if reading is not None and reading.available is not None else ()
            if reading is None or not contained:
                continue
            kept = tuple(each for each in shelf.acknowledged if each not in contained)
            self._put(replace(shelf, acknowledged=kept, settled_epoch=max(shelf.settled_epoch, reading.epoch)))
            for each in contained:
                self._post(shelf.sku, shelf.location, Bucket.COMMITTED, -each.units, reason="IN_SOURCE_NUMBER", subject=each.work)

    # ------------------------------------------------------------------------------------------ how it is written
    def _give_back(self, reservation: Reservation, reason: str, *, at: datetime | None = None) -> None:
        for line in reservation.lines:
            self._post(line.sku, line.location, Bucket.HELD, -line.units, reason=reason, subject=reservation.id, at=at)

    def _forget(self, work: FulfillmentOrderId, remaining: Units, location: LocationId, reason: str) -> None:
        """Take back the newest of what is noted: what left was noted no later, and stays until a reading contains it."""
        shelf, rest = self.shelf(remaining.sku, location), remaining.units
        kept: list[Acknowledged] = []
        for each in reversed(shelf.acknowledged):
            taken = min(rest, each.units) if each.work == work else 0
            rest -= taken
            if taken < each.units:
                kept.append(replace(each, units=each.units - taken))
        self._put(replace(shelf, acknowledged=tuple(reversed(kept))))
        self._post(remaining.sku, location, Bucket.COMMITTED, rest - remaining.units, reason=reason, subject=work)

    def _post(
        self,
        sku: Sku,
        location: LocationId,
        bucket: Bucket,
        units: int,
        *,
        reason: str,
        subject: str,
        at: datetime | None = None,
        sellable_units: int | None = None,
    ) -> None:
        if not units:
            return
        self.entries.append(
            Entry(
                sku=sku,
                location=location,
                bucket=bucket,
                units=units,
                reason=reason,
                subject=subject,
                at=at,
                sellable_units=sellable_units,
            )
        )
        shelf = self.shelf(sku, location)
        held = bucket is Bucket.HELD
        self._put(
            Shelf(  # field by field: the most frequent change of all, and replace() takes four times as long
                sku=sku,
                location=location,
                held_units=shelf.held_units + units if held else shelf.held_units,
                committed_units=shelf.committed_units if held else shelf.committed_units + units,
                settled_epoch=shelf.settled_epoch,
                version=shelf.version,
                acknowledged=shelf.acknowledged,
            )
        )

    def _put(self, shelf: Shelf) -> None:
        key = (shelf.sku, shelf.location)
        self._set(self.shelves, key, shelf)
        if key not in self.changed_shelves:
            self._set(self.changed_shelves, key, None)

    def _set(self, mapping: dict[K, V], key: K, value: V) -> None:
        self._undo.append((mapping, key, mapping.get(key, _ABSENT)))
        mapping[key] = value
