"""What is to be kept, longer, or no longer."""

import strawberry

from gateway.api.describe import described
from gateway.api.inputs.checks import Check, LineInput
from gateway.api.scalars import Instant
from gateway.domain.fulfillments import Units
from gateway.domain.identity import LocationId, ReservationId


@described
@strawberry.input
class ReservationCreateInput:
    """What to keep, where and for how long.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        lines: What; all of it or nothing.
        location: Where; without it the units are kept wherever routing will want them. What they need of the location's capacity
            for today is kept with them.
        pickup_slot: When the pickup slot of that location begins that is kept with them; see its `pickupSlots`.
        ttl_seconds: For how long, up to a day.
    """

    idempotency_key: str
    lines: list[LineInput]
    location: strawberry.ID | None = None
    pickup_slot: Instant | None = None
    ttl_seconds: int = 900

    def meant(self) -> tuple[tuple[Units, ...], LocationId | None]:
        """The lines and the location."""
        check = Check()
        lines = check.lines(self.lines, ("input", "lines"))
        location = check.location(self.location, ("input", "location"))
        check.slot(self.pickup_slot, ("input", "pickupSlot"))
        check.done()
        return lines, location


@described
@strawberry.input
class ReservationExtendInput:
    """How much longer to keep it.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which reservation.
        ttl_seconds: From now on, up to a day.
    """

    idempotency_key: str
    id: strawberry.ID
    ttl_seconds: int = 900


@described
@strawberry.input
class ReservationMoveInput:
    """Where to keep the units from now on. They are kept there or, if that cannot be, stay kept where they are.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which reservation.
        location: Where; null: wherever routing will want them.
        pickup_slot: When the pickup slot of that location begins that is kept with them; without it, none is any more.
    """

    idempotency_key: str
    id: strawberry.ID
    location: strawberry.ID | None = None
    pickup_slot: Instant | None = None

    def meant(self) -> tuple[ReservationId, LocationId | None]:
        """The hold and the location."""
        check = Check()
        reservation = check.key("Reservation", self.id, ("input", "id"))
        location = check.location(self.location, ("input", "location"))
        check.slot(self.pickup_slot, ("input", "pickupSlot"))
        check.done()
        return ReservationId(reservation or ""), location


@described
@strawberry.input
class ReservationReleaseInput:
    """What to keep no longer.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which reservation.
    """

    idempotency_key: str
    id: strawberry.ID
