"""What a customer would like to have."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from connectors.contract import Address, Method
from gateway.domain.fulfillments import Units
from gateway.domain.identity import LocationId
from gateway.domain.orders import Order
from gateway.domain.reservations import Reservation
from gateway.domain.routing import Preference


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to go where, and how.

    ``kept`` is the hold that becomes this order: the day that it was promised for stays. ``from_location`` is where the customer
    would like it to come from. Policies ask about ``channel``, ``customer_class``, ``value_cents`` and ``placed_at`` (None: now);
    ``policy`` None: the one for everybody. ``deliver_by`` is the day that the customer was promised; each day after it is a cost,
    or out of the question (``no_later``).
    """

    lines: tuple[Units, ...]
    to: Address
    method: Method = Method.SHIP
    preference: Preference = Preference.CHEAPEST
    from_location: LocationId | None = None
    pickup_at: LocationId | None = None
    pickup_slot: datetime | None = None
    kept: Reservation | None = None
    channel: str = ""
    customer_class: str | None = None
    value_cents: int | None = None
    policy: str | None = None
    placed_at: datetime | None = None
    deliver_by: date | None = None
    no_later: bool = False

    @classmethod
    def of(cls, order: Order, lines: tuple[Units, ...], kept: Reservation | None = None) -> Self:
        """These units of an order."""
        return cls(
            lines=lines,
            to=order.to,
            method=order.method,
            preference=order.preference,
            from_location=None if order.from_location is None else LocationId(order.from_location),
            pickup_at=None if order.pickup_at is None else LocationId(order.pickup_at),
            pickup_slot=order.pickup_slot,
            kept=kept,
            channel=order.channel,
            customer_class=order.customer_class,
            value_cents=order.value_cents,
            policy=order.policy,
            placed_at=order.placed_at,
            deliver_by=order.deliver_by,
            no_later=order.no_later,
        )
