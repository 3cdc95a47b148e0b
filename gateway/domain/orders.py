"""What was bought, and its life as a table.

An order is one immutable value: its lines, and the work for locations that came of them. How many units of a line are allocated,
shipped or still to be routed is derived from that work, never stored beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from connectors.contract import Address, Method, Sku
from gateway.domain.fulfillments import FulfillmentOrder, Units, tally
from gateway.domain.identity import FulfillmentOrderId, OrderId, ReservationId
from gateway.domain.refusals import NotAllowedInState, NotFound
from gateway.domain.routing import Preference


class OrderStatus(StrEnum):
    """Where an order stands as a whole.

    Attributes:
        PLACED: Some units have no location yet.
        ROUTED: Every unit has a location.
        BACKORDERED: No location has what is still to be routed.
        PARTIALLY_FULFILLED: Something left, something is still to come.
        FULFILLED: Nothing is still to come.
        CANCELED: Nothing left and nothing will.
    """

    PLACED = "PLACED"
    ROUTED = "ROUTED"
    BACKORDERED = "BACKORDERED"
    PARTIALLY_FULFILLED = "PARTIALLY_FULFILLED"
    FULFILLED = "FULFILLED"
    CANCELED = "CANCELED"


class OrderStep(StrEnum):
    """What can happen to an order."""

    ROUTE = "ROUTE"  # every unit has a location
    UNROUTE = "UNROUTE"  # some units lost theirs
    BACKORDER = "BACKORDER"  # no location has what is still to be routed
    SHIP = "SHIP"  # something left, something is still to come
    FULFILL = "FULFILL"  # nothing is still to come, and something left
    CANCEL = "CANCEL"  # nothing is still to come, and nothing left


_LIVE: Final = (OrderStatus.PLACED, OrderStatus.ROUTED, OrderStatus.BACKORDERED)

TRANSITIONS: Final[Mapping[tuple[OrderStatus, OrderStep], OrderStatus]] = {
    **{(status, OrderStep.ROUTE): OrderStatus.ROUTED for status in _LIVE},
    **{(status, OrderStep.UNROUTE): OrderStatus.PLACED for status in _LIVE},
    **{(status, OrderStep.BACKORDER): OrderStatus.BACKORDERED for status in _LIVE},
    **{(status, OrderStep.CANCEL): OrderStatus.CANCELED for status in _LIVE},
    **{(status, OrderStep.SHIP): OrderStatus.PARTIALLY_FULFILLED for status in (*_LIVE, OrderStatus.PARTIALLY_FULFILLED)},
    **{(status, OrderStep.FULFILL): OrderStatus.FULFILLED for status in (*_LIVE, OrderStatus.PARTIALLY_FULFILLED)},
}


class OrderAction(StrEnum):
    """What a client may ask for.

    Attributes:
        CANCEL: Call it off: what can still be stopped is stopped.
    """

    CANCEL = "CANCEL"


_CANCELABLE: Final = frozenset({*_LIVE, OrderStatus.PARTIALLY_FULFILLED})


class UnitState(StrEnum):
    """Where units of a line are.

    Attributes:
        OPEN: Waiting for a location.
        ALLOCATED: Bound to a location.
        BACKORDERED: Waiting for stock.
        SHIPPED: Left the location.
        CANCELED: Will never leave.
    """

    OPEN = "OPEN"
    ALLOCATED = "ALLOCATED"
    BACKORDERED = "BACKORDERED"
    SHIPPED = "SHIPPED"
    CANCELED = "CANCELED"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """What was bought of one SKU. ``canceled_units`` will never leave."""

    id: str
    sku: Sku
    units: int
    canceled_units: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Somebody asked for the order not to be sent. What can still be stopped is stopped."""

    reason_code: str
    requested_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """Somebody said which locations the order comes from. It holds until all that was to be routed then has a location."""

    locations: tuple[str, ...]
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was bought. ``version`` counts its changes, 1..n; each is an event. ``pickup_slot`` is when that slot begins.

    ``backordered``: no location has what it still waits for. ``parked_because``: a person is to say what becomes of that; None: it
    is tried again by itself. ``cancel_waiting_at``: what still waits then is canceled. ``wave_at``: it is routed then,
    together with others. The last three are what routing goes by. ``value_cents`` is what the customer pays for the goods; None:
    nobody said.
    """

    id: OrderId
    number: str
    channel: str
    placed_at: datetime
    to: Address
    method: Method
    preference: Preference
    lines: tuple[OrderLine, ...]
    external_id: str | None = None
    pickup_at: str | None = None
    pickup_slot: datetime | None = None
    reservation: ReservationId | None = None
    status: OrderStatus = OrderStatus.PLACED
    version: int = 0
    backordered: bool = False
    parked_because: str | None = None
    cancel_waiting_at: datetime | None = None
    wave_at: datetime | None = None
    customer_class: str | None = None
    value_cents: int | None = None
    policy: str | None = None
    from_location: str | None = None
    deliver_by: date | None = None
    no_later: bool = False
    directed: Direction | None = None
    cancellation: Cancellation | None = None
    fulfillment_orders: tuple[FulfillmentOrder, ...] = field(default=())

    @property
    def promised_by(self) -> datetime | None:
        """When all that is not called off is with the customer, as was promised. None: nobody promised anything of some of it."""
        times = [work.deliver_by for work in self.fulfillment_orders if work.is_open or work.shipments]
        known = [each for each in times if each is not None]
        return max(known) if known and len(known) == len(times) and not self.unrouted else None

    @property
    def supported_actions(self) -> tuple[OrderAction, ...]:
        """What a client may ask for now."""
        return (OrderAction.CANCEL,) if self.status in _CANCELABLE and self.cancellation is None else ()

    @property
    def skus(self) -> frozenset[Sku]:
        """Every SKU on whose shelves it may have promises: its goods, and what it took of the capacity of locations."""
        return frozenset(
            (*(line.sku for line in self.lines), *(each.sku for work in self.fulfillment_orders for each in work.booked))
        )

    @property
    def unrouted(self) -> tuple[Units, ...]:
        """Units that no location has been given yet."""
        rest: dict[Sku, int] = {}
        for line in self.lines:
            rest[line.sku] = rest.get(line.sku, 0) + line.units - line.canceled_units
        for work in self.fulfillment_orders:
            given = tally(work.lines) if work.is_open else work.shipped  # what is open will leave, or has left
            for sku, units in given.items():
                rest[sku] = rest.get(sku, 0) - units
        return tuple(Units(sku=sku, units=units) for sku, units in rest.items() if units > 0)

    def quantities(self) -> dict[str, dict[UnitState, int]]:
        """Units of each line (by its id) in each state; lines of the same SKU fill up in their own order."""
        pools = {
            UnitState.SHIPPED: dict(self._shipped),
            UnitState.ALLOCATED: tally(line for work in self.fulfillment_orders if work.is_open for line in work.remaining),
        }
        found: dict[str, dict[UnitState, int]] = {}
        for line in self.lines:
            left = line.units - line.canceled_units
            states: dict[UnitState, int] = {}
            for state, pool in pools.items():
                taken = min(left, pool.get(line.sku, 0))
                pool[line.sku] = pool.get(line.sku, 0) - taken
                left -= taken
                states[state] = taken
            states[UnitState.BACKORDERED if self.backordered else UnitState.OPEN] = left
            states[UnitState.CANCELED] = line.canceled_units
            found[line.id] = {state: units for state, units in states.items() if units}
        return found

    def work(self, fulfillment_order: FulfillmentOrderId) -> FulfillmentOrder:
        """The part of the work with that id.

        Raises:
            NotFound: This order has no such work.
        """
        for work in self.fulfillment_orders:
            if work.id == fulfillment_order:
                return work
        raise NotFound(what="fulfillment order", name=fulfillment_order)

    def with_work(self, changed: FulfillmentOrder) -> "Order":
        """The same order with this work in the place of what had its id."""
        works = tuple(changed if work.id == changed.id else work for work in self.fulfillment_orders)
        return replace(self, fulfillment_orders=works)

    def after(self, step: OrderStep) -> "Order":
        """The same order after this happened to it.

        Raises:
            NotAllowedInState: The table has no such row.
        """
        status = TRANSITIONS.get((self.status, step))
        if status is None:
            raise NotAllowedInState(
                what="order",
                action=step.value,
                state=self.status.value,
                supported=tuple(action.value for action in self.supported_actions),
            )
        return replace(self, status=status, version=self.version + 1)

    def settled(self) -> "Order":
        """The same order with the status that its work now gives it, one version on.

        What is asked, in this order: is anything still to come, has anything left, does anything lack a location?
        """
        unrouted = self.unrouted
        to_come = bool(unrouted) or any(work.is_open for work in self.fulfillment_orders)
        left = any(work.shipped for work in self.fulfillment_orders)
        routed = (
            self
            if unrouted or not self.backordered
            else replace(self, backordered=False, parked_because=None, cancel_waiting_at=None)
        )
        if not to_come:
            return routed.after(OrderStep.FULFILL if left else OrderStep.CANCEL)
        if left:
            return routed.after(OrderStep.SHIP)
        if unrouted:
            return routed.after(OrderStep.BACKORDER if self.backordered else OrderStep.UNROUTE)
        return routed.after(OrderStep.ROUTE)

    def without_unrouted(self) -> "Order":
        """The same order with every unit that has no location canceled."""
        rest = dict(tally(self.unrouted))
        lines = []
        for line in reversed(self.lines):
            dropped = min(rest.get(line.sku, 0), line.units - line.canceled_units)
            rest[line.sku] = rest.get(line.sku, 0) - dropped
            lines.append(replace(line, canceled_units=line.canceled_units + dropped))
        return replace(self, lines=tuple(reversed(lines)))

    @property
    def _shipped(self) -> dict[Sku, int]:
        return tally(Units(sku=sku, units=units) for work in self.fulfillment_orders for sku, units in work.shipped.items())
