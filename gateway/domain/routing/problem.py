"""What a routing decision is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connectors.contract import Method, Sku
from gateway.domain.geography import GeoPoint, PostalArea
from gateway.domain.identity import LocationId
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

NOWHERE: Final = PostalArea("")
"""The postal area of what nobody knows, or needs, the area of."""

UNITS_MAX: Final = 1_000_000  # with the bounds on prices it keeps every sum of an exact program inside 64 bits


class Preference(StrEnum):
    """What to give up money for.

    Attributes:
        CHEAPEST: As little money as possible.
        FASTEST: As few days in transit as possible; each is counted as a cost.
        FEWEST_PARCELS: As few parcels as possible; each further one is counted as a cost.
    """

    CHEAPEST = "CHEAPEST"
    FASTEST = "FASTEST"
    FEWEST_PARCELS = "FEWEST_PARCELS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What everything costs; nothing else weighs in a decision.

    Each of the ``services`` has a price for each of the ``zones``; one at least is routed. ``parcel_cents`` is the price of each
    parcel after the first beyond its postage: packing, and a customer who waits at home twice. The last two are what the
    preferences are worth: a parcel saved under ``FEWEST_PARCELS``, and each unit's day in transit under ``FASTEST``.
    """

    services: tuple[CarrierService, ...] = (US_GROUND, US_EXPRESS)
    zones: ZoneTable = US_ZONES
    parcel_cents: int = 150
    fewest_parcels_cents: int = 10_000
    fastest_unit_day_cents: int = 1_000

    def __post_init__(self) -> None:
        if not any(each.routed for each in self.services):
            raise ValueError("at least one service has to be routed, or nothing could be sent")
        if len({(each.carrier, each.name) for each in self.services}) != len(self.services):
            raise ValueError("each service of a carrier has a name of its own")
        for each in self.services:
            if each.zones != self.zones.farthest:
                raise ValueError(f"{each.name} has prices for {each.zones} zones, but there are {self.zones.farthest}")
        for name in ("parcel_cents", "fewest_parcels_cents", "fastest_unit_day_cents"):
            within(name, getattr(self, name), CENTS_MAX)

    def split_cents(self, preference: Preference) -> int:
        """The price of each parcel after the first."""
        # Never less than usual: a dearer parcel cannot lead to more of them.
        return max(self.parcel_cents, self.fewest_parcels_cents) if preference is Preference.FEWEST_PARCELS else self.parcel_cents

    def waiting_cents(self, preference: Preference, days: int) -> int:
        """The price of that many days for one unit."""
        return self.fastest_unit_day_cents * days if preference is Preference.FASTEST else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """So many units of one SKU are wanted, or come from somewhere."""

    sku: Sku
    units: int

    def __post_init__(self) -> None:
        if not 1 <= self.units <= UNITS_MAX:
            raise ValueError(f"between 1 and {UNITS_MAX} units of {self.sku}, not {self.units}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A location that may be asked.

    ``available`` is what may be promised there; None is unknown and is not used, a missing SKU is not carried. ``area`` is its own
    postal area.
    ``preference_cents`` is what we would pay to ship from here rather than elsewhere: at most the parcel's own postage counts,
    so that no parcel is sent for the sake of it. ``excluded_because`` is a hard rule decided elsewhere, e.g. ``INACTIVE``.
    """

    location: LocationId
    position: GeoPoint | None
    available: Mapping[Sku, int | None]
    methods: frozenset[Method]
    handling_cents_per_unit: int = 0
    preference_cents: int = 0
    excluded_because: str | None = None
    area: PostalArea = NOWHERE

    def __post_init__(self) -> None:
        within("handling_cents_per_unit", self.handling_cents_per_unit, CENTS_MAX)
        within("preference_cents", abs(self.preference_cents), CENTS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One order, the places that may serve it, and what counts.

    Lines of the same SKU are one. ``destination`` None: nobody knows where it goes, so every parcel goes to the farthest zone, but
    where a rule knows the zone between two postal areas. ``unit_grams`` is what one of the units weighs, on average.
    """

    demand: tuple[Demand, ...]
    destination: GeoPoint | None
    method: Method
    candidates: tuple[Candidate, ...]
    tariff: Tariff
    preference: Preference
    split_lines_allowed: bool = True
    pickup_at: LocationId | None = None
    destination_area: PostalArea = NOWHERE
    unit_grams: int = UNIT_GRAMS

    def __post_init__(self) -> None:
        within("unit_grams", self.unit_grams, GRAMS_MAX)
        if not self.demand:
            raise ValueError("an order wants at least one unit")
        if (self.method is Method.PICKUP) != (self.pickup_at is not None):
            raise ValueError("a pickup, and nothing else, has a location where it is picked up")
        if len({candidate.location for candidate in self.candidates}) != len(self.candidates):
            raise ValueError("each location is a candidate once")
        for sku, units in self.wanted().items():
            within(sku, units, UNITS_MAX)

    def wanted(self) -> dict[Sku, int]:
        """Units of each SKU, in the order of the lines."""
        units: dict[Sku, int] = {}
        for line in self.demand:
            units[line.sku] = units.get(line.sku, 0) + line.units
        return units
