"""Holds, as the graph shows them."""

import strawberry

from gateway.api.context import Operation
from gateway.api.describe import described
from gateway.api.enums import ReservationState
from gateway.api.errors import UserError
from gateway.api.identifiers import global_id
from gateway.api.locations import Location
from gateway.api.node import Node
from gateway.api.scalars import Instant
from gateway.domain.reservations import Reservation as Hold


@described
@strawberry.type
class ReservationLine:
    """Units kept of one SKU.

    Attributes:
        sku: Of what.
        units: How many.
        location: Where; null when they are kept wherever routing will want them.
    """

    sku: str
    units: int
    location: Location | None


@described
@strawberry.type
class Reservation(Node):
    """A promise to keep units for a while, all or nothing over its lines.

    Attributes:
        state: What became of it.
        expires_at: Until when it holds.
        lines: What is kept.
        pickup_slot: When the pickup slot begins that is kept with it, if one is.
    """

    state: ReservationState
    expires_at: Instant
    lines: list[ReservationLine]
    pickup_slot: Instant | None

    @staticmethod
    def of(hold: Hold, operation: Operation) -> "Reservation":
        """The hold as the graph shows it."""
        lines = []
        for line in hold.stock:
            place = operation.services.network.get(line.location)
            location = None if place is None else operation.places.location(place)
            lines.append(ReservationLine(sku=line.sku, units=line.units, location=location))
        return Reservation(
            id=global_id("Reservation", hold.id),
            state=hold.state,
            expires_at=Instant(hold.expires_at),
            lines=lines,
            pickup_slot=None if hold.pickup_slot is None else Instant(hold.pickup_slot),
        )


@described
@strawberry.type
class ReservationPayload:
    """What became of the request.

    Attributes:
        reservation: The hold; null when it was refused.
        user_errors: Why it was refused; empty when it was not.
    """

    reservation: Reservation | None
    user_errors: list[UserError]
