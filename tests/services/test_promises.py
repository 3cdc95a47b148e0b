"""Everything that can happen to holds and orders, in any order, against sources that keep honest books of their own."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connectors.contract import (
    CancelOutcome,
    Method,
    RemoteFulfillment,
    RemotePackage,
    RemoteRef,
    RemoteState,
    RequestLine,
    Sku,
    StockDrop,
)
from gateway.domain.books import Books, Bucket, ShelfKey
from gateway.domain.capacity import is_made_up, limit_at
from gateway.domain.fulfillments import FulfillmentAction, FulfillmentOrder, Package, RequestStatus, Units, tally
from gateway.domain.identity import FulfillmentOrderId, LocationId, OrderId, ReservationId
from gateway.domain.invariants import commitments
from gateway.domain.orders import Order
from gateway.domain.refusals import Refusal, Refusals
from gateway.domain.reservations import ReservationState
from gateway.domain.stock import NETWORK, Reading
from gateway.services.fulfillments import Accept, Observe, Park, Reject, Ship, Stopped, TurnDown
from gateway.services.orders import Cancel, Place, Purchase, Reroute
from gateway.services.reservations import Extend, Hold, Move, Release
from gateway.services.routing import Landscape, record
from gateway.services.routing import route as decided
from tests.samples import CUP, EAST, HOME, MUG, SOURCE_OF, START, WEST, landscape, numbered, picture, reading
from tests.samples import PLACES as UNLIMITED

PLACES = (EAST, WEST)
SILENT = 3
DROPS = {EAST: StockDrop.ON_ACCEPT, WEST: StockDrop.ON_SHIP}
LINES = st.lists(st.tuples(st.sampled_from((MUG, CUP)), st.integers(1, 4)), min_size=1, max_size=3)
AGES = st.tuples(*[st.sampled_from((0, 0, 0, 1, 2, SILENT))] * 2)
ANY = st.integers(0, 40)
TO = st.sampled_from((None, EAST, WEST))
SLOT = st.sampled_from((None, None, 0, 1, 1, 1))
"""The hour, this one or the next; of a slot that has begun, nothing is left to pick."""
LIMITS = st.tuples(st.none() | st.integers(2, 12), st.integers(2, 12), st.just(1))


@dataclass
class AtSource:
    """What a source knows of one request."""

    accepted: bool = False
    left: list[tuple[str, dict[Sku, int]]] = field(default_factory=list)

    @property
    def sent(self) -> dict[Sku, int]:
        return tally(Units(sku=sku, units=units) for _, lines in self.left for sku, units in lines.items())


class Promises(RuleBasedStateMachine):
    @initialize(stock=st.lists(st.integers(1, 7), min_size=4, max_size=4), limits=LIMITS, first=LINES, second=LINES)
    def open(
        self,
        stock: list[int],
        limits: tuple[int | None, int, int],
        first: list[tuple[Sku, int]],
        second: list[tuple[Sku, int]],
    ) -> None:
        self.books = Books(now=START, new_id=numbered())
        east, west = UNLIMITED
        both = frozenset({Method.SHIP, Method.PICKUP})
        self.places = (
            replace(east, units_per_day=limits[0]),
            replace(west, units_per_day=limits[1], pickups_per_slot=limits[2], slot_minutes=60, methods=both),
        )
        self.checked = 0
        self.filled: dict[ShelfKey, int] = defaultdict(int)
        self.stock = dict(zip([(sku, at) for at in PLACES for sku in (MUG, CUP)], stock, strict=True))
        self.at_source: dict[FulfillmentOrderId, AtSource] = defaultdict(AtSource)
        self.seen: dict[LocationId, list[list[Reading]]] = {at: [] for at in PLACES}
        for at in PLACES:
            self.look(at)
        self.place(first, (0, 0), number=None, picked_up=False, slot=None, planned=False)
        self.place(second, (0, 0), number=None, picked_up=False, slot=None, planned=False)

    # ------------------------------------------------------------------------------------------ the world
    def works(self, at: LocationId | None = None, *, is_open: bool = False) -> list[tuple[Order, FulfillmentOrder]]:
        every = [(order, work) for order in self.books.orders.values() for work in order.fulfillment_orders]
        return [(order, work) for order, work in every if at in {None, work.location} and (work.is_open or not is_open)]

    def pick(self, number: int) -> tuple[Order, FulfillmentOrder] | None:
        works = self.works(is_open=True)
        return works[number % len(works)] if works else None

    def unsent(self, work: FulfillmentOrder) -> dict[Sku, int]:
        sent = self.at_source[work.id].sent
        rest = {line.sku: line.units - sent.get(line.sku, 0) for line in work.lines}
        return {sku: units for sku, units in rest.items() if units}

    @rule(at=st.sampled_from(PLACES))
    def look(self, at: LocationId) -> None:
        """The source's own number: what it has, less what left, less what it keeps for requests that it took on."""
        epoch = self.books.epochs.get(SOURCE_OF[at], 0)
        found = []
        for sku in (MUG, CUP):
            gone = sum(self.at_source[work.id].sent.get(sku, 0) for _, work in self.works(at))
            if DROPS[at] is StockDrop.ON_ACCEPT:
                taken_on = [work for _, work in self.works(at, is_open=True) if self.at_source[work.id].accepted]
                gone += sum(self.unsent(work).get(sku, 0) for work in taken_on)
            found.append(reading(sku, at, self.stock[sku, at] - gone, epoch=epoch))
        self.seen[at].append(found)

    def world(self, ages: tuple[int, int]) -> Landscape:
        """What was seen of each place lately, 0 last; or that its source is silent."""
        silent = frozenset(SOURCE_OF[at] for at, age in zip(PLACES, ages, strict=True) if age == SILENT)
        looks = [self.seen[at][-1 - min(age, len(self.seen[at]) - 1)] for at, age in zip(PLACES, ages, strict=True) if age < SILENT]
        return landscape(*(each for look in looks for each in look), silent=silent, places=self.places, at=self.books.now)

    # ------------------------------------------------------------------------------------------ deciding
    def do(self, command: Any) -> None:
        self.books.expire_due()
        before = picture(self.books)
        try:
            with self.books.attempt():
                command.decide(self.books)
        except (Refusal, Refusals):
            assert picture(self.books) == before

    @rule(seconds=st.sampled_from((1, 20, 59, 60, 90, 7200, 86_400)))
    def wait(self, seconds: int) -> None:
        self.books.now += timedelta(seconds=seconds)
        self.books.expire_due()

    def slot(self, hour: int | None, at: LocationId | None) -> datetime | None:
        return None if hour is None or at is None else self.books.now.replace(minute=0, second=0) + timedelta(hours=hour)

    @rule(lines=LINES, at=TO, hour=SLOT, ages=AGES)
    def hold(self, lines: list[tuple[Sku, int]], at: LocationId | None, hour: int | None, ages: tuple[int, int]) -> None:
        world, slot = self.world(ages), self.slot(hour, at)
        self.do(Hold(lines=bought(lines), at=at, slot=slot, ttl=timedelta(seconds=60), landscape=world))

    @precondition(lambda self: self.books.reservations)
    @rule(number=ANY, to=TO, hour=SLOT, ages=AGES)
    def move(self, number: int, to: LocationId | None, hour: int | None, ages: tuple[int, int]) -> None:
        before = self.books.reservation(self.reservation(number))
        self.do(Move(reservation=before.id, to=to, slot=self.slot(hour, to), landscape=self.world(ages)))
        after = self.books.reservation(before.id)
        assert {line.sku: line.units for line in after.stock} == {line.sku: line.units for line in before.stock}
        assert (after.state, after.expires_at) == (before.state, before.expires_at)

    @precondition(lambda self: self.books.reservations)
    @rule(number=ANY, longer=st.booleans())
    def change_a_hold(self, number: int, longer: bool) -> None:
        reservation = self.reservation(number)
        self.do(Extend(reservation=reservation, ttl=timedelta(seconds=60)) if longer else Release(reservation=reservation))

    def reservation(self, number: int) -> ReservationId:
        return list(self.books.reservations)[number % len(self.books.reservations)]

    @rule(lines=LINES, ages=AGES, number=st.none() | ANY, picked_up=st.booleans(), slot=SLOT, planned=st.booleans())
    def place(
        self,
        lines: list[tuple[Sku, int]],
        ages: tuple[int, int],
        *,
        number: int | None,
        picked_up: bool,
        slot: int | None,
        planned: bool,
    ) -> None:
        """``planned``: somebody who knows of no promise at all has worked out where it should come from."""
        kept = self.reservation(number) if number is not None and self.books.reservations else None
        purchase = Purchase(channel="web", lines=bought(lines), to=HOME, reservation=kept)
        if picked_up:
            purchase = replace(purchase, method=Method.PICKUP, pickup_at=WEST, pickup_slot=self.slot(slot, WEST))
        world = self.world(ages)
        plan = None
        if planned:
            with suppress(Refusals):
                plan = record(world, decided(world, purchase.wish(), {}, {}), order=None, decision_id="plan", at=START)
        self.do(Place(purchase=purchase, landscape=world, by="shop", plan=plan))

    def order(self, number: int) -> OrderId | None:
        return list(self.books.orders)[number % len(self.books.orders)] if self.books.orders else None

    @rule(number=ANY, ages=AGES)
    def reroute(self, number: int, ages: tuple[int, int]) -> None:
        waiting = [order.id for order in self.books.orders.values() if order.unrouted]
        if waiting:
            self.do(Reroute(order=waiting[number % len(waiting)], landscape=self.world(ages)))

    @rule(number=ANY, really=st.sampled_from((True, False, False)))
    def cancel(self, number: int, really: bool) -> None:
        if really and (order := self.order(number)) is not None:
            able = self.books.order(order).supported_actions
            self.do(Cancel(order=order, expected_version=None, reason_code="CUSTOMER", by="agent"))
            assert (self.books.order(order).cancellation is not None) or not able

    # ------------------------------------------------------------------------------------------ at the source
    @rule(number=ANY, heard=st.booleans())
    def the_source_takes_it_on(self, number: int, heard: bool) -> None:
        if (found := self.pick(number)) is not None:
            self.at_source[found[1].id].accepted = True
            if heard:
                self.we_hear_of_it(number, times=1)

    @rule(number=ANY, count=st.integers(1, 4), named=st.booleans(), said=st.booleans())
    def some_of_it_leaves(self, number: int, count: int, named: bool, said: bool) -> None:
        """``named``: with a tracking number; ``said``: somebody says so in the graph, before its source does."""
        if (found := self.pick(number)) is None or not self.at_source[found[1].id].accepted:
            return
        order, work = found
        leaving: dict[Sku, int] = {}
        for sku, units in self.unsent(work).items():
            leaving[sku] = min(units, count)
            count -= leaving[sku]
        leaving = {sku: units for sku, units in leaving.items() if units}
        there = self.at_source[work.id]
        if not leaving or any(not name for name, _ in there.left):
            return
        there.left.append((f"1Z-{work.id}-{len(there.left)}" if named else "", leaving))
        if said and work.request_status is not RequestStatus.UNSUBMITTED:
            packages = (Package(lines=bought(list(leaving.items())), tracking_number=there.left[-1][0] or None),)
            self.do(Ship(order=order.id, work=work.id, expected_version=work.version, packages=packages, by="packer"))

    @rule(number=ANY, times=st.integers(1, 2))
    def we_hear_of_it(self, number: int, times: int) -> None:
        if (found := self.pick(number)) is not None:
            there = self.at_source[found[1].id]
            if not self.unsent(found[1]):
                state = RemoteState.SHIPPED
            else:
                state = RemoteState.ACCEPTED if there.accepted else RemoteState.REQUESTED
            self.hear(*found, state)
            heard = picture(self.books)
            for _ in range(times - 1):
                self.hear(*found, state)
            assert picture(self.books) == heard, "hearing the same twice changes nothing"

    def hear(self, order: Order, work: FulfillmentOrder, state: RemoteState) -> None:
        packages = tuple(
            RemotePackage(
                tracking_number=name or None, lines=tuple(RequestLine(sku=sku, units=each) for sku, each in lines.items())
            )
            for name, lines in self.at_source[work.id].left
        )
        remote = RemoteFulfillment(ref=RemoteRef(f"r-{work.id}"), key=None, state=state, packages=packages)
        self.do(Observe(order=order.id, work=work.id, remote=remote, stock_drop=DROPS[work.location], by=work.source))

    @rule(number=ANY, state=st.sampled_from((RemoteState.REJECTED, RemoteState.CANCELED, None)))
    def the_source_gives_it_up(self, number: int, state: RemoteState | None) -> None:
        """None: it refuses the request outright."""
        if (found := self.pick(number)) is None or not self.unsent(found[1]):
            return
        order, work = found
        if state is not None:
            self.at_source[work.id].accepted = False
            self.hear(order, work, state)
        elif not self.at_source[work.id].accepted:
            self.do(TurnDown(order=order.id, work=work.id, reason_code="NO", by=work.source))

    @rule(number=ANY, outcome=st.sampled_from((CancelOutcome.REFUSED, CancelOutcome.TOO_LATE, CancelOutcome.PENDING, None, None)))
    def it_answers_our_asking_to_stop(self, number: int, outcome: CancelOutcome | None) -> None:
        state = RequestStatus.CANCELLATION_REQUESTED
        if not (asked := [found for found in self.works() if found[1].request_status is state]):
            return
        order, work = asked[number % len(asked)]
        there = self.at_source[work.id]
        outcome = outcome or (CancelOutcome.CANCELED if there.sent == work.shipped else CancelOutcome.PARTIAL)
        there.accepted &= outcome is not CancelOutcome.CANCELED
        known = None if outcome is CancelOutcome.CANCELED else RemoteRef(f"r-{work.id}")
        command: Any = Stopped(order=order.id, work=work.id, outcome=outcome, remote_ref=known, by=work.source)
        if outcome is CancelOutcome.PENDING:  # for ever; what the source has no name for, nobody can look up
            command = Park(order=order.id, work=work.id, asked=state, note="?", unanswerable=not work.remote_ref, by=work.source)
        self.do(command)

    @rule(number=ANY, accepts=st.booleans())
    def somebody_there_says_so(self, number: int, accepts: bool) -> None:
        if (found := self.pick(number)) is not None:
            order, work = found
            if not accepts and work.unanswerable:  # a person's word is taken then: this one has gone and seen to it
                if self.at_source[work.id].sent != work.shipped:
                    return
                self.at_source[work.id].accepted = False
            if accepts:
                self.do(Accept(order=order.id, work=work.id, expected_version=None, by="packer"))
            else:
                self.do(Reject(order=order.id, work=work.id, expected_version=None, reason_code="NO_STOCK", by="packer"))
            action = FulfillmentAction.ACCEPT if accepts else FulfillmentAction.REJECT
            done = self.books.order(order.id).version > order.version
            assert done is (action in work.supported_actions), "what is offered is done, and nothing else"

    # ------------------------------------------------------------------------------------------ what always holds
    @invariant()
    def the_ledger_adds_up_to_the_counters(self) -> None:
        sums: dict[tuple[Sku, LocationId, Bucket], int] = defaultdict(int)
        for entry in self.books.entries:
            sums[entry.sku, entry.location, entry.bucket] += entry.units
        for (sku, at), shelf in self.books.shelves.items():
            assert shelf.held_units == sums.pop((sku, at, Bucket.HELD), 0) >= 0
            assert shelf.committed_units == sums.pop((sku, at, Bucket.COMMITTED), 0) >= 0
            assert sum(each.units for each in shelf.acknowledged) <= shelf.committed_units
            assert all(each.units > 0 for each in shelf.acknowledged)
        assert not sums

    @invariant()
    def no_shelf_is_filled_beyond_what_was_decided_on(self) -> None:
        for entry in self.books.entries[self.checked :]:
            key = (entry.sku, entry.location)
            self.filled[key] += entry.units
            assert entry.sellable_units is None or self.filled[key] <= entry.sellable_units, entry
            new = entry.units > 0 and entry.reason in {"HELD", "ALLOCATED"}
            assert new == (entry.sellable_units is not None), "whoever promises anew says what on"
        self.checked = len(self.books.entries)

    @invariant()
    def no_day_and_no_slot_has_more_than_its_limit_and_all_of_it_is_still_called_for(self) -> None:
        for (sku, at), shelf in self.books.shelves.items():
            if is_made_up(sku):
                place = next(each for each in self.places if each.id == at)
                limit = limit_at(place, sku)
                assert limit is not None
                assert shelf.held_units + shelf.committed_units <= limit
                works = [work for _, work in self.works(at) if work.is_open or work.shipments]
                assert shelf.committed_units == sum(tally(work.booked).get(sku, 0) for work in works)
                assert shelf.held_units == self.held(sku, at)

    @invariant()
    def demand_without_a_location_is_what_orders_have_unrouted(self) -> None:
        waiting = tally(line for order in self.books.orders.values() for line in order.unrouted)
        for sku in (MUG, CUP):
            assert self.books.shelf(sku, NETWORK).committed_units == waiting.get(sku, 0)

    @invariant()
    def what_is_committed_is_what_orders_still_need_and_what_sources_have_in_their_books(self) -> None:
        needed: dict[ShelfKey, int] = defaultdict(int)
        for order in self.books.orders.values():
            for (_, sku, at), units in commitments(order).items():
                needed[sku, at] += units
        for key, shelf in self.books.shelves.items():
            assert shelf.committed_units == needed.pop(key, 0) + sum(each.units for each in shelf.acknowledged)
        assert not any(needed.values())

    @invariant()
    def no_unit_of_an_order_is_lost_or_doubled(self) -> None:
        for order in self.books.orders.values():
            quantities = order.quantities()
            for line in order.lines:
                assert sum(quantities[line.id].values()) == line.units

    @invariant()
    def every_change_of_an_order_is_an_event(self) -> None:
        versions: dict[OrderId, list[int]] = defaultdict(list)
        for event in self.books.events:
            versions[event.order.id].append(event.order.version)
        for order in self.books.orders.values():
            assert versions[order.id] == list(range(1, order.version + 1))

    @invariant()
    def what_left_is_known_once_work_is_over(self) -> None:
        for _, work in self.works():
            assert work.is_open or work.shipped == self.at_source[work.id].sent

    @invariant()
    def nothing_is_promised_twice(self) -> None:
        """Stock only ever leaves through us here, so what is promised and what left must be there; nobody counts on luck."""
        for sku in (MUG, CUP):
            everywhere = 0
            for at in PLACES:
                promised = self.held(sku, at)
                for _, work in self.works(at):
                    promised += tally(work.lines).get(sku, 0) if work.is_open else self.at_source[work.id].sent.get(sku, 0)
                assert promised <= self.stock[sku, at], f"{sku} in the {at} is oversold"
                everywhere += promised
            everywhere += self.held(sku, NETWORK) + self.books.shelf(sku, NETWORK).committed_units
            assert everywhere <= sum(self.stock[sku, at] for at in PLACES), f"{sku} is oversold"

    def held(self, sku: Sku, at: LocationId) -> int:
        active = (each for each in self.books.reservations.values() if each.state is ReservationState.ACTIVE)
        return sum(line.units for each in active for line in each.lines if (line.sku, line.location) == (sku, at))


def bought(lines: list[tuple[Sku, int]]) -> tuple[Units, ...]:
    return tuple(Units(sku=sku, units=units) for sku, units in lines)


TestPromises = Promises.TestCase
TestPromises.settings = settings(
    max_examples=250,
    stateful_step_count=50,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),  # a story of 50 steps takes minutes to shrink; set Phase.shrink when one fails
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
