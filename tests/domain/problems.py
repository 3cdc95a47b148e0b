"""Routing problems of a few places, by hand or at random."""

from collections.abc import Mapping, Sequence
from random import Random

from connectors.contract import Method, Sku
from gateway.domain.geography import GeoPoint
from gateway.domain.identity import LocationId
from gateway.domain.rates import UNIT_GRAMS, CarrierService, PriceStep, ZoneRate
from gateway.domain.routing import Candidate, Decision, Demand, Preference, Problem, Tariff

HOME = GeoPoint(latitude=40, longitude=-100)
NEAR = GeoPoint(latitude=40, longitude=-100.5)
FAR = GeoPoint(latitude=26, longitude=-80)
A, B, C = Sku("A"), Sku("B"), Sku("C")


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


def problem(wanted: Mapping[Sku, int], *candidates: Candidate, preference: Preference = Preference.CHEAPEST) -> Problem:
    return Problem(
        demand=tuple(Demand(sku=sku, units=units) for sku, units in wanted.items()),
        destination=HOME,
        method=Method.SHIP,
        candidates=candidates,
        tariff=Tariff(),
        preference=preference,
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


def large_problem(seed: int, lines: int, places: int, units_max: int) -> Problem:
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
