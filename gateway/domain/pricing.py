"""Price books: what the last unit is worth elsewhere, written down for a while.

A book is never changed, only followed by a newer one. Who finds none, or one that is too old, decides as if all prices were zero:
then every order has its own cheapest plan, which is what there is without a forecast.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from connectors.contract import Sku
from gateway.domain.identity import LocationId
from gateway.domain.plans.instance import Floats


class PriceMode(StrEnum):
    """What is done with the prices of scarce stock.

    Attributes:
        OFF: There are none.
        SHADOW: They are worked out and shown, and it is said what they would have changed; orders are routed without.
        ON: Orders are routed by them.
    """

    OFF = "off"
    SHADOW = "shadow"
    ON = "on"


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingTerms:
    """How the last units of scarce stock are priced: ``off``, ``shadow`` (worked out and shown, not gone by) or ``on``.

    A book of prices is worked out every ``every_s`` from the last ``sales_max`` orders, if there are ``sales_min``; an order counts
    half as much for every ``half_life_days`` of its age. It looks ``horizon_days`` ahead, which is when new stock comes.
    """

    mode: PriceMode = PriceMode.SHADOW
    every_s: int = 600
    sales_max: int = 3_000
    sales_min: int = 200
    half_life_days: int = 14
    horizon_days: int = 7

    def __post_init__(self) -> None:
        for name, most in (("every_s", 86_400), ("sales_max", 20_000), ("half_life_days", 365), ("horizon_days", 365)):
            if not 1 <= getattr(self, name) <= most:
                raise ValueError(f"{name} is between 1 and {most}, not {getattr(self, name)}")
        if not 1 <= self.sales_min <= self.sales_max:
            raise ValueError(f"sales_min is between 1 and sales_max, not {self.sales_min}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """Bid prices of one moment, in cents; what is not in it is worth nothing elsewhere.

    Attributes:
        version: Each book has a higher one than those before it.
        built_at: When the stock and the orders were looked at from which it comes.
        horizon: How far ahead it looks.
        bids: What a unit of a SKU at a location is worth to the orders to come.
        rooms: What it is worth to them that a location can send one more unit, whatever it is.
        bound_cents: What the orders that are expected cost at least, altogether.
    """

    version: int
    built_at: datetime
    horizon: timedelta
    bids: Mapping[LocationId, Mapping[Sku, int]]
    rooms: Mapping[LocationId, int]
    bound_cents: int

    def bid_cents(self, location: LocationId, sku: Sku) -> int:
        """What taking a unit costs beside everything else. Never negative."""
        return self.bids.get(location, NOTHING).get(sku, 0)

    def room_cents(self, location: LocationId) -> int:
        """What taking room for a unit costs beside everything else. Never negative."""
        return self.rooms.get(location, 0)

    def stale(self, now: datetime, after: timedelta) -> bool:
        """Whether nobody should decide by it any more."""
        return now - self.built_at > after


NOTHING: Final[Mapping[Sku, int]] = {}


def book_of(
    *,
    version: int,
    built_at: datetime,
    horizon: timedelta,
    locations: Sequence[LocationId],
    skus: Sequence[Sku],
    pi: Floats,
    kappa: Floats,
    bound_cents: float,
) -> PriceBook:
    """A book of such prices, in whole cents.

    Args:
        version: Of the book.
        built_at: See there.
        horizon: See there.
        locations: In the order of the arrays. L
        skus: In the order of the arrays. K
        pi: ``[L, K]``
        kappa: ``[L]``
        bound_cents: Rounded down: a bound must stay one.
    """
    bids = {
        location: {sku: cents for sku, cents in zip(skus, row, strict=True) if cents}
        for location, row in zip(locations, pi.round().astype(int).tolist(), strict=True)
    }
    rooms = zip(locations, kappa.round().astype(int).tolist(), strict=True)
    return PriceBook(
        version=version,
        built_at=built_at,
        horizon=horizon,
        bids={location: prices for location, prices in bids.items() if prices},
        rooms={location: cents for location, cents in rooms if cents},
        bound_cents=int(bound_cents // 1),
    )
