"""What shipping would cost."""

import strawberry

from gateway.api.context import Operation
from gateway.api.describe import described
from gateway.api.locations import Location, Source
from gateway.api.money import Money
from gateway.api.scalars import Amount, Instant
from gateway.services import quotes


@described
@strawberry.type
class ShippingQuote:
    """What sending all of it by one service would cost; or that somebody who was asked did not say, and why.

    Attributes:
        provider: Who says so: `rates` are our own tables, others are providers of carriers' rates, or sources, by name.
        source: The source that would send it itself, and says so; null for all others.
        locations: Where it would leave from; empty when whoever says so decides that.
        carrier: Who would carry it, if that is known.
        service: By which service; null for a failure.
        amount: What it would cost, all parcels together; null when nobody says.
        transit_days: Working days on the way of the slowest parcel, if they are known.
        ships_by: When the last parcel would have left, at the latest, if that is known.
        arrives_by: When the last parcel would have arrived, at the latest, if that is known.
        failure: Why there is nothing else to say: a code that stays, and what happened; null for a quote.
    """

    provider: str
    source: Source | None
    locations: list[Location]
    carrier: str | None
    service: str | None
    amount: Money | None
    transit_days: int | None
    ships_by: Instant | None
    arrives_by: Instant | None
    failure: str | None

    @staticmethod
    def of(found: quotes.ShippingQuote, operation: Operation) -> "ShippingQuote":
        """The quote as the graph shows it; locations that are gone are left out."""
        places = [place for each in found.locations if (place := operation.services.network.get(each)) is not None]
        return ShippingQuote(
            provider=found.provider,
            source=None if found.source is None else operation.places.source(found.source),
            locations=[operation.places.location(place) for place in places],
            carrier=found.carrier,
            service=found.service,
            amount=_money(found),
            transit_days=found.transit_days,
            ships_by=None if found.ships_by is None else Instant(found.ships_by),
            arrives_by=None if found.arrives_by is None else Instant(found.arrives_by),
            failure=found.failure,
        )


def _money(found: quotes.ShippingQuote) -> Money | None:
    if found.amount is None or found.currency is None:
        return None
    return Money(amount=Amount(found.amount), currency_code=found.currency)
