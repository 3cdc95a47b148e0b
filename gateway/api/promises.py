"""A promise to a customer, and how it came about."""

import strawberry

from gateway.api.context import Operation
from gateway.api.describe import described
from gateway.api.locations import Location
from gateway.api.scalars import Day, Instant
from gateway.domain import delivery


@described
@strawberry.type
class PromisePart:
    """One step on the way to a promised date.

    Attributes:
        name: `order`, `cutoff`, `backlog`, `processing`, `collection`, `transit`, `delivery` or `pickup`.
        at: When it is over.
        why: What it is, and why it takes so long, by the clock of where it happens.
    """

    name: str
    at: Instant
    why: str


@described
@strawberry.type
class Promise:
    """When goods leave, and when they are with the customer. Of a pickup, all of it is when they are ready.

    Attributes:
        ship_by: When they have left, at the latest.
        earliest: They are not there before.
        deliver_by: They are there by then.
        deliver_on: The day of that, by the customer's calendar.
        time_zone: The customer's time zone, an IANA name.
        confidence: The share of parcels by this service that are there in time, 0 to 1; null while nobody has counted.
        location: Where they leave from.
        carrier: Who carries them; null for a pickup.
        service: By which service; null for a pickup.
        cutoff_at: Ordered by then, the promise is the same, unless others are faster to order what is left.
        parts: How it was worked out, step by step.
    """

    ship_by: Instant
    earliest: Instant
    deliver_by: Instant
    deliver_on: Day
    time_zone: str
    confidence: float | None
    location: Location
    carrier: str | None
    service: str | None
    cutoff_at: Instant
    parts: list[PromisePart]

    @staticmethod
    def of(found: delivery.Promise | None, operation: Operation) -> "Promise | None":
        """The promise as the graph shows it; null where there is none, or its location is gone."""
        place = None if found is None else operation.services.network.get(found.location)
        if found is None or place is None:
            return None
        return Promise(
            ship_by=Instant(found.ship_by),
            earliest=Instant(found.earliest),
            deliver_by=Instant(found.deliver_by),
            deliver_on=Day(found.deliver_on),
            time_zone=found.time_zone,
            confidence=found.confidence,
            location=operation.places.location(place),
            carrier=found.carrier,
            service=found.service,
            cutoff_at=Instant(found.cutoff_at),
            parts=[PromisePart(name=part.name, at=Instant(part.at), why=part.why) for part in found.parts],
        )
