"""What the last units of scarce stock are worth, and the room to send them."""

from datetime import timedelta
from typing import Final

import strawberry

from gateway.api.context import Operation
from gateway.api.describe import described
from gateway.api.enums import PriceMode
from gateway.api.locations import Location
from gateway.api.money import Money
from gateway.api.scalars import Instant
from gateway.domain.pricing import PriceBook as Book

BIDS_MAX: Final = 100


@described
@strawberry.type
class Bid:
    """The price of the last units of a SKU at a location.

    Attributes:
        sku: Of what.
        price: What one more unit there is worth to the orders still to come.
    """

    sku: str
    price: Money


@described
@strawberry.type
class LocationPrices:
    """The prices of one location; what is missing is not scarce.

    Attributes:
        location: Which one.
        room: What it would be worth if it could send one more unit, whatever it is.
        bids: What its scarcest units are worth, the dearest first; at most 100.
    """

    location: Location
    room: Money
    bids: list[Bid]


@described
@strawberry.type
class PricesInShadow:
    """What the prices would have changed of orders that were routed without them, since this gateway started.

    Attributes:
        orders: So many were looked at.
        moved: So many would have come from elsewhere.
        paid: What those would have cost more.
        spared: What the stock that they would have left is worth to others.
    """

    orders: int
    moved: int
    paid: Money
    spared: Money


@described
@strawberry.type
class PriceBook:
    """What units of scarce stock are worth to the orders still to come, learnt from those that came.

    Attributes:
        mode: What is done with it.
        version: Goes up with each book.
        built_at: When it was worked out.
        looks_until: The end of the time that it looks ahead to.
        stale: It is too old: all prices count as zero until there is a newer one.
        bound: What all orders of that time are expected to cost at least.
        locations: The prices, by location.
        in_shadow: What they would have changed; null where orders are routed by them.
    """

    mode: PriceMode
    version: int
    built_at: Instant
    looks_until: Instant
    stale: bool
    bound: Money
    locations: list[LocationPrices]
    in_shadow: PricesInShadow | None

    @staticmethod
    def of(operation: Operation) -> "PriceBook | None":
        """The newest book. None: there is none yet."""
        prices = operation.services.prices
        book = prices.newest
        if book is None:
            return None
        shadow = PricesInShadow(
            orders=prices.shadow.orders,
            moved=prices.shadow.moved,
            paid=Money.of(prices.shadow.paid_cents),
            spared=Money.of(prices.shadow.spared_cents),
        )
        return PriceBook(
            mode=prices.terms.mode,
            version=book.version,
            built_at=Instant(book.built_at),
            looks_until=Instant(book.built_at + timedelta(seconds=book.horizon.total_seconds())),
            stale=prices.current is None,
            bound=Money.of(book.bound_cents),
            locations=_locations(book, operation),
            in_shadow=shadow if prices.terms.mode is PriceMode.SHADOW else None,
        )


def _locations(book: Book, operation: Operation) -> list[LocationPrices]:
    found = []
    for location in sorted({*book.bids, *book.rooms}):
        place = operation.services.network.get(location)
        if place is not None:
            bids = sorted(book.bids.get(location, {}).items(), key=lambda each: (-each[1], each[0]))[:BIDS_MAX]
            found.append(
                LocationPrices(
                    location=operation.places.location(place),
                    room=Money.of(book.room_cents(location)),
                    bids=[Bid(sku=sku, price=Money.of(cents)) for sku, cents in bids],
                )
            )
    return found
