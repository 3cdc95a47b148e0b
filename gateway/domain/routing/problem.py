"""What a routing decision is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from typing import Final

import numpy as np

from connectors.contract import Method, Sku
from gateway.domain.geography import GeoPoint
from gateway.domain.identity import LocationId, SourceName
from gateway.domain.plans import Ints
from gateway.domain.policies import Criterion, OrderFacts
from gateway.domain.rates import (
    CENTS_MAX,
    GRAMS_MAX,
    UNIT_GRAMS,
    US_EXPRESS,
    US_GROUND,
    US_ZONES,
    CarrierService,
    ZoneTable,
    within,
)
from gateway.domain.routing.reason import Reason
from gateway.domain.routing.sites import Sites

UNITS_MAX: Final = 1_000_000
UNKNOWN: Final = int(np.iinfo(np.int64).min)
"""How many units there are, where nobody knows: never zero."""
NEVER: Final = int(np.iinfo(np.int64).max)
"""How many days late a service is that does not go there at all, or that may not be late but is."""
BACK_ORDER_CENTS: Final = 100_000
"""What a unit weighs that waits although it could be sent: it is sent, whatever that costs."""
TOGETHER: Final = "together"
"""The strategy of an order that was planned together with others."""
EXACT: Final = "exact"
"""The strategy that finds the plan of least cost, and proves it."""


class Preference(StrEnum):
    """What to give up money for.

    Attributes:
        CHEAPEST: As little money as possible.
        FASTEST: As few days in transit as possible; each is counted as a cost.
        FEWEST_PARCELS: As few parcels as possible; each further one is counted as a cost.
        GREENEST: As few miles on the road as possible; each is counted as a cost.
    """

    CHEAPEST = "CHEAPEST"
    FASTEST = "FASTEST"
    FEWEST_PARCELS = "FEWEST_PARCELS"
    GREENEST = "GREENEST"


class Term(StrEnum):
    """Everything that weighs in a decision. All of it is money, so that it can be added up, and audited.

    Attributes:
        POSTAGE: What the carrier takes for the parcel.
        WAITING: What the customer would pay for not waiting: for each unit's day in transit.
        LATE: For each day after the one that was promised.
        PARCEL: For each parcel after the first, beyond its postage: packing, and a customer who waits at home twice.
        PICK: For a package that is picked there at all.
        HANDLING: For each unit that is picked there.
        PREFERENCE: Less, where the merchant or the customer would rather have it come from; more, where they would rather not.
        DISTANCE: For each mile, where the customer would rather have fewer of them.
        REJECTION: What routing it again costs, as often as that location turns work down.
        BID: For each unit: what it is worth there to customers still to come.
        ROOM: For each unit: what the work is worth there to customers still to come.
        MARKDOWN: Less, for each unit that would otherwise be sold off there.
        BACK_ORDER: For each unit that has to wait for stock.
    """

    POSTAGE = "postage"
    WAITING = "waiting"
    LATE = "late"
    PARCEL = "parcel"
    PICK = "pick"
    HANDLING = "handling"
    PREFERENCE = "preference"
    DISTANCE = "distance"
    REJECTION = "rejection"
    BID = "bid"
    ROOM = "room"
    MARKDOWN = "markdown"
    BACK_ORDER = "back-order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What parcels cost, and what customers' preferences are worth.

    Each of the ``services`` has a price for each of the ``zones``; one at least is routed. ``parcel_cents`` is the price of each
    parcel after the first beyond its postage. The others are what the preferences are worth: a parcel saved under
    ``FEWEST_PARCELS``, each unit's day in transit under ``FASTEST``, a parcel's hundred miles under ``GREENEST``, and that it comes
    from the location that the customer named. ``late_day_cents`` is what each of a parcel's days after the promised one weighs.
    """

    services: tuple[CarrierService, ...] = (US_GROUND, US_EXPRESS)
    zones: ZoneTable = US_ZONES
    parcel_cents: int = 150
    fewest_parcels_cents: int = 10_000
    fastest_unit_day_cents: int = 1_000
    greenest_hundred_miles_cents: int = 100
    named_location_cents: int = 1_000
    late_day_cents: int = 500

    def __post_init__(self) -> None:
        if not any(each.routed for each in self.services):
            raise ValueError("at least one service has to be routed, or nothing could be sent")
        if len({(each.carrier, each.name) for each in self.services}) != len(self.services):
            raise ValueError("each service of a carrier has a name of its own")
        for each in self.services:
            if each.zones != self.zones.farthest:
                raise ValueError(f"{each.name} has prices for {each.zones} zones, but there are {self.zones.farthest}")
        for name in (
            "parcel_cents",
            "fewest_parcels_cents",
            "fastest_unit_day_cents",
            "greenest_hundred_miles_cents",
            "named_location_cents",
            "late_day_cents",
        ):
            within(name, getattr(self, name), CENTS_MAX)

    @property
    def routed(self) -> tuple[CarrierService, ...]:
        """The services by which orders may be sent, the faster of two first."""
        return tuple(sorted((each for each in self.services if each.routed), key=lambda each: each.transit_days))

    def split_cents(self, preference: Preference) -> int:
        """The price of each parcel after the first."""
        # Never less than usual: a dearer parcel cannot lead to more of them.
        return max(self.parcel_cents, self.fewest_parcels_cents) if preference is Preference.FEWEST_PARCELS else self.parcel_cents

    def unit_day_cents(self, preference: Preference) -> int:
        """The price of one unit's day in transit."""
        return self.fastest_unit_day_cents if preference is Preference.FASTEST else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """So many units of one SKU are wanted, or come from somewhere."""

    sku: Sku
    units: int

    def __post_init__(self) -> None:
        if not 1 <= self.units <= UNITS_MAX:
            raise ValueError(f"between 1 and {UNITS_MAX} units of {self.sku}, not {self.units}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What may not be, whatever it costs.

    ``together`` are groups of SKUs that travel in one package; those that are not in the order do not count. ``split_lines``: the
    units of one SKU may come from several locations. ``packages_max`` None: any number of packages.
    """

    split_lines: bool = True
    together: tuple[frozenset[Sku], ...] = ()
    packages_max: int | None = None

    def __post_init__(self) -> None:
        if self.packages_max is not None and self.packages_max < 1:
            raise ValueError(f"an order needs at least one package, not {self.packages_max}")


class Constraint(StrEnum):
    """What may keep an order for which there is enough of everything from being served; in words that finish "if this gave way".

    Attributes:
        WHOLE_LINES: All units of a SKU come from one location.
        TOGETHER: Some SKUs travel in one package.
        PACKAGES_MAX: There may be so many packages only.
        ROOM: Locations can do so much only.
        PROMISE: It may not be late.
    """

    WHOLE_LINES = "lines may not be split"
    TOGETHER = "SKUs that travel together"
    PACKAGES_MAX = "the number of packages"
    ROOM = "what locations have room for"
    PROMISE = "the promised day"


FREE: Final = Constraints()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """One order of n lines, the L sites that may serve it, and what counts.

    Attributes:
        facts: What policies ask about the order.
        at: When the world was seen so.
        demand: What is wanted, each SKU once.
        grams: What one unit of each line weighs.
        sites: Every location there is.
        available: Units of each line that may be promised at each site: ``UNKNOWN``, or below zero where too many are. ``[L, n]``
        read_at: When the oldest reading was asked for that counts, by source.
        safety_units: Units of each SKU that are kept back at each location of a source: ``available`` is without them.
        excluded: Locations that a rule decided elsewhere keeps out.
        room: Units that each site may do altogether; None: any number. ``[L]``
        destination: None: nobody knows where it goes; every parcel is then priced for the farthest zone, but where a rule knows it.
        pickup_at: Where it is picked up; given for pickups, and only for them.
        split_cents: What each package after the first weighs.
        unit_day_cents: What each unit's day in transit weighs.
        package_terms: What weighs for a package from each site, in cents. ``[L]``
        unit_terms: What weighs for each unit from each site, in cents. ``[L, n]``, or ``[L, 1]`` where all lines are alike.
        days_late: Days after the promised one by each of ``tariff.routed``, or ``NEVER``; None: nothing was promised. ``[L, V]``
        missed: Of those that are late by each of them: the cutoff of today, on the clock there, without which they would not be.
        late_day_cents: What each of those days weighs.
        back_order_cents: What each unit weighs that waits for stock; None: none may wait.
        constraints: What may not be.
        strategy: By which rule it is chosen among what may be.
        criteria: What plans are compared by, one after the other, where the strategy is lexicographic.
    """

    facts: OrderFacts
    at: datetime
    demand: tuple[Demand, ...]
    grams: tuple[int, ...]
    sites: Sites
    available: Ints
    method: Method
    destination: GeoPoint | None
    tariff: Tariff
    preference: Preference = Preference.CHEAPEST
    read_at: Mapping[SourceName, datetime] = field(default_factory=dict)
    safety_units: Mapping[SourceName, int] = field(default_factory=dict)
    excluded: Mapping[LocationId, Reason] = field(default_factory=dict)
    room: Ints | None = None
    pickup_at: LocationId | None = None
    split_cents: int = 0
    unit_day_cents: int = 0
    package_terms: Mapping[Term, Ints] = field(default_factory=dict)
    unit_terms: Mapping[Term, Ints] = field(default_factory=dict)
    days_late: Ints | None = None
    missed: Mapping[LocationId, time] = field(default_factory=dict)
    late_day_cents: int = 0
    back_order_cents: int | None = None
    constraints: Constraints = FREE
    strategy: str = EXACT
    criteria: tuple[Criterion, ...] = ()

    def __post_init__(self) -> None:
        if not self.demand:
            raise ValueError("an order wants at least one unit")
        if len(self.demand) > 1 and len({line.sku for line in self.demand}) != len(self.demand):
            raise ValueError("each SKU is wanted once")
        if (self.method is Method.PICKUP) != (self.pickup_at is not None):
            raise ValueError("a pickup, and nothing else, has a location where it is picked up")
        if self.available.shape != (len(self.sites), len(self.demand)) or len(self.grams) != len(self.demand):
            raise ValueError("there is a row for each site and a column for each line")
        within("grams", min(self.grams), GRAMS_MAX)
        within("grams", max(self.grams), GRAMS_MAX)

    def wanted(self) -> dict[Sku, int]:
        """Units of each SKU, in the order of the lines."""
        return {line.sku: line.units for line in self.demand}


def merged(demand: tuple[Demand, ...]) -> tuple[Demand, ...]:
    """The demand with lines of the same SKU made one, in the order of the first of them."""
    units: dict[Sku, int] = {}
    for line in demand:
        units[line.sku] = units.get(line.sku, 0) + line.units
    return tuple(Demand(sku=sku, units=count) for sku, count in units.items())


def weighed(demand: tuple[Demand, ...], grams: Mapping[Sku, int], unit_grams: int = UNIT_GRAMS) -> tuple[int, ...]:
    """What a unit of each line weighs."""
    return tuple(grams.get(line.sku, unit_grams) for line in demand)
