"""Placing orders, finding them, and calling them off."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from connectors.contract import Address, Method
from gateway.domain.books import Books
from gateway.domain.events import OrderEvent
from gateway.domain.fulfillments import FulfillmentStep, RequestStatus, Units, tally
from gateway.domain.identity import FulfillmentOrderId, LocationId, OrderId, ReservationId
from gateway.domain.orders import Cancellation, Order, OrderAction, OrderLine
from gateway.domain.refusals import DuplicateExternalId, NotAllowedInState, Refusals, VersionConflict
from gateway.domain.reservations import Reservation, ReservationStep
from gateway.domain.routing import Preference
from gateway.domain.sourcing import DecisionRecord
from gateway.ports import Once, OrderFilter, OrderPage, PageRequest, Store, Touches, Writer
from gateway.services.directions import as_directed, served
from gateway.services.network import Network
from gateway.services.reservations import usable
from gateway.services.routing import Landscape, Routing, Wish, allocate, check_pickup, pooled

NUMBER_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBER_CHARACTERS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What a channel asks us to send."""

    channel: str
    lines: tuple[Units, ...]
    to: Address
    method: Method = Method.SHIP
    preference: Preference = Preference.CHEAPEST
    external_id: str | None = None
    reservation: ReservationId | None = None
    pickup_at: LocationId | None = None
    pickup_slot: datetime | None = None
    from_location: LocationId | None = None
    customer_class: str | None = None
    value_cents: int | None = None
    policy: str | None = None
    deliver_by: date | None = None
    no_later: bool = False

    def slot(self, kept: Reservation | None) -> datetime | None:
        """The slot that it names, else the one that its hold keeps where it is picked up."""
        if self.pickup_slot is None and kept is not None and kept.location == self.pickup_at:
            return kept.pickup_slot
        return self.pickup_slot

    def wish(self, kept: Reservation | None = None) -> Wish:
        """The part of it that routing cares about."""
        return Wish(
            lines=self.lines,
            to=self.to,
            method=self.method,
            preference=self.preference,
            pickup_at=self.pickup_at,
            from_location=self.from_location,
            pickup_slot=self.slot(kept),
            kept=kept,
            channel=self.channel,
            customer_class=self.customer_class,
            value_cents=self.value_cents,
            policy=self.policy,
            deliver_by=self.deliver_by,
            no_later=self.no_later,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Everything that is done with an order as a whole."""

    writer: Writer
    store: Store
    routing: Routing
    network: Network

    async def place(self, purchase: Purchase, *, by: str, once: Once) -> Order:
        """Promise, route and record an order, durably, in one step. Where it comes from is worked out before the books are locked.

        Raises:
            Refusal: It cannot be had as asked; nothing was kept.
        """
        await check_pickup(purchase.wish(), self.network)
        kept = None if purchase.reservation is None else await self.store.reservation(purchase.reservation)

        async def place_on(landscape: Landscape) -> Order:
            plan = self.routing.plan(purchase.wish(kept), landscape)
            command = Place(purchase=purchase, landscape=landscape, by=by, plan=plan)
            return await self.writer.submit(command, returns=Order, once=once)

        return await self.routing.decided(tally(purchase.lines), place_on)

    async def cancel(self, order: OrderId, *, expected_version: int | None, reason_code: str, by: str, once: Once) -> Order:
        """Call the order off: what has no location is canceled now, what has one once its source says that it stopped."""
        command = Cancel(order=order, expected_version=expected_version, reason_code=reason_code, by=by)
        return await self.writer.submit(command, returns=Order, once=once)

    async def find(self, order: OrderId) -> Order | None:
        """That order."""
        return await self.store.order(order)

    async def as_of(self, order: OrderId, at: datetime) -> Order | None:
        """That order as it was at that instant. None before it was placed.

        Raises:
            NoLongerKnown: Its events of that time are not kept any more.
        """
        return await self.store.order_as_of(order, at)

    async def find_many(self, orders: Collection[OrderId]) -> Mapping[OrderId, Order]:
        """Those of these orders that exist."""
        return await self.store.orders_by_id(orders)

    async def find_by(self, *, number: str | None = None, external: tuple[str, str] | None = None) -> Order | None:
        """The order with that number, or that a channel knows under that id."""
        found = await self.store.find_order(number=number, external=external)
        return None if found is None else await self.store.order(found)

    async def of_work(self, fulfillment_order: FulfillmentOrderId) -> Order | None:
        """The order that this work belongs to."""
        found = await self.store.order_of_work(fulfillment_order)
        return None if found is None else await self.store.order(found)

    async def page(self, which: OrderFilter, page: PageRequest) -> OrderPage:
        """One page of orders."""
        return await self.store.page(which, page)

    async def count(self, which: OrderFilter, *, at_most: int) -> int:
        """How many there are, counted no further than ``at_most``."""
        return await self.store.count(which, at_most=at_most)

    async def decisions(self, orders: Collection[OrderId]) -> Mapping[OrderId, tuple[DecisionRecord, ...]]:
        """How these orders were routed, oldest first."""
        return await self.store.decisions(orders)

    async def decision(self, decision: str) -> DecisionRecord | None:
        """That decision."""
        return await self.store.decision(decision)

    async def timeline(self, order: OrderId, *, after_version: int, limit: int) -> tuple[OrderEvent, ...]:
        """What happened to that order, oldest first."""
        return await self.store.timeline(order, after_version=after_version, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Promise and route an order. ``plan`` is where it may come from if it still can; whoever made it need not have looked."""

    purchase: Purchase
    landscape: Landscape
    by: str
    plan: DecisionRecord | None = None

    @property
    def touches(self) -> Touches:
        """Our promises on its SKUs, its hold, and whether its channel sent it before."""
        bought = self.purchase
        return Touches(
            skus=self.landscape.made_up(bought.pickup_at, bought.pickup_slot).union([line.sku for line in bought.lines]),
            reservations=frozenset() if bought.reservation is None else frozenset({bought.reservation}),
            external_ids=frozenset() if bought.external_id is None else frozenset({(bought.channel, bought.external_id)}),
        )

    def decide(self, books: Books) -> Order:
        """Turn the hold into stock for this order without a gap, then bind what is needed where it costs least."""
        bought = self.purchase
        if bought.external_id is not None and (known := books.numbers_by_external_id.get((bought.channel, bought.external_id))):
            path = ("input", "externalId")
            raise DuplicateExternalId(channel=bought.channel, external_id=bought.external_id, number=known, path=path)
        kept = None
        if bought.reservation is not None:
            kept = books.end(usable(bought.reservation, books), ReservationStep.COMMIT)
        order = OrderId(books.new_id())
        placed = Order(
            id=order,
            number=_number(order),
            channel=bought.channel,
            external_id=bought.external_id,
            placed_at=books.now,
            to=bought.to,
            method=bought.method,
            preference=bought.preference,
            pickup_at=bought.pickup_at,
            pickup_slot=bought.slot(kept),
            reservation=bought.reservation,
            customer_class=bought.customer_class,
            value_cents=bought.value_cents,
            policy=bought.policy,
            from_location=bought.from_location,
            deliver_by=bought.deliver_by,
            no_later=bought.no_later,
            lines=tuple(OrderLine(id=str(number), sku=line.sku, units=line.units) for number, line in enumerate(bought.lines, 1)),
            version=1,
        )
        waiting = pooled(books, placed, self.landscape, bought.lines)
        if waiting is not None:
            return books.record(waiting, event="order.placed", actor=self.by)
        routed = allocate(books, placed, self.landscape, lines=bought.lines, kept=kept, plan=self.plan)
        books.announce(placed, event="order.placed", actor=self.by)
        if not routed.backordered:
            return books.record(routed.settled(), event="order.routed", actor="routing")
        books.demand(order, routed.unrouted, routed=False)
        books.reroute(order)
        return books.record(routed.settled(), event="order.backordered", actor="routing", cause=routed.parked_because)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reroute:
    """Find locations for units of an order that have none. ``plan`` is where they may come from if they still can."""

    order: OrderId
    landscape: Landscape
    plan: DecisionRecord | None = None

    @property
    def touches(self) -> Touches:
        """The order, our promises on its SKUs, and the days of all locations."""
        return Touches(orders=frozenset({self.order}), skus=self.landscape.made_up(None, None))

    def decide(self, books: Books) -> Order:
        """Route what is unrouted now, if anything still is; without stock it is backordered."""
        order = replace(books.order(self.order), wave_at=None)
        lines = order.unrouted
        if not lines:
            return order
        try:
            routed = allocate(books, order, as_directed(self.landscape, order), lines=lines, plan=self.plan)
        except Refusals as refusals:
            return self._still_waiting(books, replace(order, backordered=True), order, str(refusals))
        if routed.unrouted == lines:
            return self._still_waiting(books, routed, order, routed.parked_because)
        books.demand(order.id, lines, routed=True)
        books.demand(order.id, routed.unrouted, routed=False)
        return books.record(served(routed).settled(), event="order.routed", actor="routing")

    def _still_waiting(self, books: Books, waiting: Order, before: Order, why: str | None) -> Order:
        """Nothing of it can be sent: say so once, and cancel it when its time is over."""
        if waiting.cancel_waiting_at is not None and waiting.cancel_waiting_at <= books.now:
            books.demand(waiting.id, waiting.unrouted, routed=True)
            canceled = replace(waiting, backordered=False, parked_because=None).without_unrouted().settled()
            return books.record(canceled, event="order.canceled", actor="routing", cause="It waited for as long as it may.")
        if waiting == before:
            return before
        return books.record(waiting.settled(), event="order.backordered", actor="routing", cause=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Call an order off."""

    order: OrderId
    expected_version: int | None
    reason_code: str
    by: str

    @property
    def touches(self) -> Touches:
        """The order."""
        return Touches(orders=frozenset({self.order}))

    def decide(self, books: Books) -> Order:
        """Ask every location that still has work to stop; what has no location is canceled at once."""
        order = books.order(self.order)
        check_version(self.expected_version, order.version)
        if OrderAction.CANCEL not in order.supported_actions:
            raise NotAllowedInState(what="order", action="CANCEL", state=_state(order), supported=())
        books.demand(order.id, order.unrouted, routed=True)
        canceled = replace(
            order, cancellation=Cancellation(reason_code=self.reason_code, requested_at=books.now)
        ).without_unrouted()
        for work in canceled.fulfillment_orders:
            if work.is_open and work.request_status is not RequestStatus.CANCELLATION_REQUESTED:  # it is being stopped already
                canceled = canceled.with_work(work.after(FulfillmentStep.REQUEST_CANCELLATION))
                books.stop(work)
        settled = canceled.settled()
        event = "order.cancellation_requested" if any(work.is_open for work in settled.fulfillment_orders) else "order.canceled"
        return books.record(settled, event=event, actor=self.by, cause=self.reason_code)


def check_version(expected: int | None, current: int) -> None:
    """See to it that the caller knows what it is changing.

    Raises:
        VersionConflict: It changed since the caller looked.
    """
    if expected is not None and expected != current:
        raise VersionConflict(expected_version=expected, current_version=current, path=("input", "expectedVersion"))


def _state(order: Order) -> str:
    return "being canceled" if order.cancellation is not None and order.supported_actions == () else order.status.value


def _number(order: OrderId) -> str:
    """A number for people, of 50 random bits of the id: nobody can guess another customer's, or count our orders."""
    bits = int(order.replace("-", ""), 16)
    letters = "".join(NUMBER_ALPHABET[bits >> 5 * place & 31] for place in range(NUMBER_CHARACTERS))
    return f"{letters[:5]}-{letters[5:]}"
