"""Holds with a time to live, and their life as a table."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from connectors.contract import Sku
from gateway.domain.capacity import day_named, is_made_up
from gateway.domain.identity import LocationId, ReservationId
from gateway.domain.refusals import ReservationExpired


class ReservationState(StrEnum):
    """What became of a hold.

    Attributes:
        ACTIVE: The units are kept.
        COMMITTED: The units became part of an order.
        RELEASED: The units were given back.
        EXPIRED: Its time ran out, and the units were given back.
    """

    ACTIVE = "ACTIVE"
    COMMITTED = "COMMITTED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


class ReservationStep(StrEnum):
    """What can happen to a hold."""

    EXTEND = "EXTEND"
    MOVE = "MOVE"
    COMMIT = "COMMIT"
    RELEASE = "RELEASE"
    EXPIRE = "EXPIRE"


TRANSITIONS: Final[Mapping[tuple[ReservationState, ReservationStep], ReservationState]] = {
    (ReservationState.ACTIVE, ReservationStep.EXTEND): ReservationState.ACTIVE,
    (ReservationState.ACTIVE, ReservationStep.MOVE): ReservationState.ACTIVE,
    (ReservationState.ACTIVE, ReservationStep.COMMIT): ReservationState.COMMITTED,
    (ReservationState.ACTIVE, ReservationStep.RELEASE): ReservationState.RELEASED,
    (ReservationState.ACTIVE, ReservationStep.EXPIRE): ReservationState.EXPIRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLine:
    """Units kept of one SKU; at ``NETWORK`` they are kept somewhere, wherever routing will want them."""

    sku: Sku
    units: int
    location: LocationId


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A promise to keep units for a while, all or nothing over its lines.

    Some lines are of made-up SKUs: what it keeps of a location's capacity. ``pickup_slot`` is when that slot begins.
    """

    id: ReservationId
    lines: tuple[HeldLine, ...]
    created_at: datetime
    expires_at: datetime
    state: ReservationState = ReservationState.ACTIVE
    pickup_slot: datetime | None = None

    @property
    def stock(self) -> tuple[HeldLine, ...]:
        """What it keeps of goods."""
        return tuple(line for line in self.lines if not is_made_up(line.sku))

    @property
    def location(self) -> LocationId:
        """Where it keeps them; ``NETWORK``: wherever routing will want them."""
        return self.lines[0].location

    @property
    def day(self) -> Sku | None:
        """The shelf of the local day whose capacity it keeps, if its location's capacity is counted."""
        return next((line.sku for line in self.lines if day_named(line.sku) is not None), None)

    def after(self, step: ReservationStep) -> "Reservation":
        """The same hold after this happened to it.

        Raises:
            ReservationExpired: It is over.
        """
        state = TRANSITIONS.get((self.state, step))
        if state is None:
            raise ReservationExpired(reservation=self.id, state=self.state.value)
        return replace(self, state=state)
