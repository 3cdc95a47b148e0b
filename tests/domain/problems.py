"""Routing problems of a few places, by hand or at random."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import numpy as np

from connectors.contract import Method, Sku
from gateway.domain import routing
from gateway.domain.geography import GeoPoint, PostalArea
from gateway.domain.identity import LocationId
from gateway.domain.policies import OrderFacts
from gateway.domain.rates import UNIT_GRAMS, CarrierService, PriceStep, ZoneRate
from gateway.domain.routing import (
    FREE,
    NOWHERE,
    UNKNOWN,
    Constraints,
    Decision,
    Demand,
    Preference,
    Problem,
    Reason,
    Site,
    Sites,
    Tariff,
    Term,
    merged,
    weighed,
)

TARIFF = Tariff()
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOME = GeoPoint(latitude=40, longitude=-100)
NEAR = GeoPoint(latitude=40, longitude=-100.5)
FAR = GeoPoint(latitude=26, longitude=-80)
A, B, C = Sku("A"), Sku("B"), Sku("C")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A place, with all that is particular to it. ``preference_cents`` is what it is worth to send from there."""

    location: LocationId
    position: GeoPoint | None
    available: Mapping[Sku, int | None]
    methods: frozenset[Method]
    handling_cents: int = 0
    preference_cents: int = 0
    pick_cents: int = 0
    room: int = 10**9
    excluded_because: str | None = None
    area: PostalArea = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A problem, place by place."""

    demand: tuple[Demand, ...]
    candidates: tuple[Candidate, ...]
    destination: GeoPoint | None = HOME
    method: Method = Method.SHIP
    tariff: Tariff = TARIFF
    preference: Preference = Preference.CHEAPEST
    constraints: Constraints = FREE
    pickup_at: LocationId | None = None
    destination_area: PostalArea = NOWHERE
    unit_grams: int = UNIT_GRAMS
    back_order_cents: int | None = None
    strategy: str = "exact"

    def wanted(self) -> dict[Sku, int]:
        return {line.sku: line.units for line in merged(self.demand)}

    def problem(self) -> Problem:
        demand = merged(self.demand)
        places = sorted(self.candidates, key=lambda each: each.location)
        available = [[each.available.get(line.sku, 0) for line in demand] for each in places]
        counted = [[UNKNOWN if units is None else units for units in row] for row in available]
        return Problem(
            facts=OrderFacts(
                channel="web",
                method=self.method,
                skus=frozenset(line.sku for line in demand),
                area=self.destination_area,
                placed_at=NOON,
                customer_class=None,
            ),
            at=NOON,
            demand=demand,
            grams=weighed(demand, {}, self.unit_grams),
            sites=Sites.of(
                Site(location=each.location, position=each.position, methods=each.methods, area=each.area) for each in places
            ),
            available=np.array(counted, dtype=np.int64).reshape(len(places), len(demand)),
            method=self.method,
            destination=self.destination,
            tariff=self.tariff,
            preference=self.preference,
            excluded={each.location: Reason(code=each.excluded_because) for each in places if each.excluded_because is not None},
            room=None if all(each.room == 10**9 for each in places) else np.array([each.room for each in places]),
            pickup_at=self.pickup_at,
            split_cents=self.tariff.split_cents(self.preference),
            unit_day_cents=self.tariff.unit_day_cents(self.preference),
            package_terms={
                Term.PICK: np.array([each.pick_cents for each in places], dtype=np.int64),
                Term.PREFERENCE: np.array([-each.preference_cents for each in places], dtype=np.int64),
            },
            unit_terms={Term.HANDLING: np.array([[each.handling_cents] for each in places], dtype=np.int64).reshape(-1, 1)},
            back_order_cents=self.back_order_cents,
            constraints=self.constraints,
            strategy=self.strategy,
        )


def decide(case: Case) -> Decision:
    return routing.decide(case.problem())


def candidate(
    name: str, available: Mapping[Sku, int | None], position: GeoPoint | None = NEAR, excluded_because: str | None = None
) -> Candidate:
    return Candidate(
        location=LocationId(name),
        position=position,
        available=available,
        methods=frozenset({Method.SHIP}),
        excluded_because=excluded_because,
    )


def problem(wanted: Mapping[Sku, int], *candidates: Candidate, preference: Preference = Preference.CHEAPEST) -> Case:
    return Case(
        demand=tuple(Demand(sku=sku, units=units) for sku, units in wanted.items()), candidates=candidates, preference=preference
    )


def by_the_unit(rates: Sequence[ZoneRate], name: str = "by the unit") -> CarrierService:
    """A service that takes a sum for the parcel and one for each unit of the usual weight."""
    return CarrierService(
        name=name,
        carrier="Carrier",
        steps=(PriceStep(grams=UNIT_GRAMS, cents=tuple(each.package_cents + each.unit_cents for each in rates)),),
        further=PriceStep(grams=UNIT_GRAMS, cents=tuple(each.unit_cents for each in rates)),
        transit_days=tuple(each.transit_days for each in rates),
    )


def sent(decision: Decision) -> dict[str, dict[Sku, int]]:
    return {package.location: {line.sku: line.units for line in package.lines} for package in decision.packages}


def large_problem(seed: int, lines: int, places: int, units_max: int) -> Case:
    """The first two places have every other line, so that there always is a plan."""
    random = Random(seed)
    wanted = {Sku(f"S{line}"): random.randint(1, units_max) for line in range(lines)}

    def stock(place: int, line: int, units: int) -> int:
        return units * ((line + place) % 2) if place < 2 else random.choice([0, 0, units // 2, units, 2 * units])

    return problem(
        wanted,
        *(
            candidate(
                f"L{place}",
                {sku: stock(place, line, units) for line, (sku, units) in enumerate(wanted.items())},
                GeoPoint(latitude=random.uniform(28, 47), longitude=random.uniform(-120, -75)),
            )
            for place in range(places)
        ),
        preference=random.choice(list(Preference)),
    )
