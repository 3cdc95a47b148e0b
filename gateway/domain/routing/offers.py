"""The part of a problem that a search needs: plain arrays of stock and prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from connectors.contract import Method
from gateway.domain.geography import miles_between
from gateway.domain.rates import CarrierService, ZoneRate
from gateway.domain.routing.decision import CostTerm
from gateway.domain.routing.problem import Candidate, Problem

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Postage:
    """What a service takes in one zone. ``unit_waiting_cents`` is what its days count, for each unit."""

    service: CarrierService | None
    rate: ZoneRate
    unit_waiting_cents: int = 0

    def cents(self, units: int) -> int:
        """The price of one parcel with so many units."""
        return self.rate.package_cents + units * (self.rate.unit_cents + self.unit_waiting_cents)


HANDED_OVER: Final = Postage(service=None, rate=ZoneRate(package_cents=0, unit_cents=0, transit_days=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a candidate asks for a parcel, and for each unit in it. ``zone`` is None where nothing is shipped."""

    candidate: Candidate
    zone: int | None
    miles: float | None
    postage: Postage

    @property
    def bonus_cents(self) -> int:
        """What a parcel is taken to be cheaper for the sake of the location: never below nothing."""
        return min(self.candidate.preference_cents, self.postage.rate.package_cents)

    @property
    def package_cents(self) -> int:
        """The price of sending anything at all, that of a further parcel aside."""
        return self.postage.rate.package_cents - self.bonus_cents

    @property
    def unit_cents(self) -> int:
        """The price of each unit, whatever its SKU."""
        return self.postage.rate.unit_cents + self.candidate.handling_cents_per_unit + self.postage.unit_waiting_cents

    def costs(self, units: int, split_cents: int) -> tuple[CostTerm, ...]:
        """The terms of a package of so many units."""
        terms = (
            ("postage", self.postage.rate.package_cents + units * self.postage.rate.unit_cents),
            ("handling", units * self.candidate.handling_cents_per_unit),
            ("parcel", split_cents),
            ("waiting", units * self.postage.unit_waiting_cents),
            ("preference", -self.bonus_cents),
        )
        return tuple(CostTerm(name=name, cents=cents) for name, cents in terms if cents)


class PriceList:
    """What the order asks of carriers: in each zone, by the service that suits its preference there."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._units = sum(problem.wanted().values())
        self._services = tuple(service for service in problem.tariff.services if service.routed)
        self._unit_day_cents = problem.tariff.waiting_cents(problem.preference, 1)
        self._postage: dict[int, Postage] = {}

    def offer(self, candidate: Candidate) -> Offer:
        """What the candidate asks."""
        problem = self._problem
        if problem.method is Method.PICKUP:
            return Offer(candidate=candidate, zone=None, miles=None, postage=HANDED_OVER)
        miles = miles_between(candidate.position, problem.destination) if candidate.position and problem.destination else None
        zone = problem.tariff.zones.zone(miles, candidate.area, problem.destination_area)
        if zone not in self._postage:
            self._postage[zone] = best_postage(self._services, zone, self._units, problem.unit_grams, self._unit_day_cents)
        return Offer(candidate=candidate, zone=zone, miles=miles, postage=self._postage[zone])


# Worked out once for all orders of a size: it would take a tenth of the time of a decision among a dozen locations.
@lru_cache(maxsize=10_000)
def best_postage(services: tuple[CarrierService, ...], zone: int, units: int, unit_grams: int, unit_day_cents: int) -> Postage:
    """By the service by which so many units cost least as one parcel, days that count included; of equals the fastest."""

    def by(service: CarrierService) -> Postage:
        rate = service.rate(zone, units=units, unit_grams=unit_grams)
        return Postage(service=service, rate=rate, unit_waiting_cents=rate.transit_days * unit_day_cents)

    return min(map(by, services), key=lambda each: (each.cents(units), each.rate.transit_days))


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """All offers: the cheapest unit first, then the cheapest parcel, then by location.

    ``units[l, i]`` is what offer l can give of line i, at most ``wanted[i]``. ``package_cents`` has in it the price of a further
    parcel, ``split_cents``, which the first does not pay.
    """

    offers: tuple[Offer, ...]
    wanted: Ints
    units: Ints
    package_cents: Ints
    unit_cents: Ints
    split_cents: int
    split_lines_allowed: bool

    @classmethod
    def of(cls, problem: Problem, candidates: Sequence[Candidate], units: Ints, wanted: Ints) -> Self:
        """Price the candidates, which come by location and can give these units, and put them in order."""
        prices = PriceList(problem)
        offers = [prices.offer(candidate) for candidate in candidates]
        split_cents = problem.tariff.split_cents(problem.preference)
        package_cents = np.array([offer.package_cents + split_cents for offer in offers], dtype=np.int64)
        unit_cents = np.array([offer.unit_cents for offer in offers], dtype=np.int64)
        order = np.lexsort((package_cents, unit_cents))
        return cls(
            offers=tuple(offers[index] for index in order.tolist()),
            wanted=wanted,
            units=units[order],
            package_cents=package_cents[order],
            unit_cents=unit_cents[order],
            split_cents=split_cents,
            split_lines_allowed=problem.split_lines_allowed,
        )

    def filled(self, chosen: Sequence[int]) -> Ints:
        """Units of each line from each of these offers (ascending), the cheapest unit first."""
        offered: Ints = self.units[list(chosen)]
        before = offered.cumsum(axis=0) - offered
        filled: Ints = np.minimum(np.maximum(self.wanted - before, 0), offered)
        return filled

    def cost_cents(self, chosen: Sequence[int]) -> int:
        """What the order costs from these offers, filled so; an offer that gives nothing sends no parcel."""
        units = self.filled(chosen).sum(axis=1)
        rows = list(chosen)
        parcels = self.package_cents[rows][units > 0].sum()
        return int(parcels + self.unit_cents[rows] @ units) - self.split_cents

    def alone_cents(self) -> list[int | None]:
        """What the order costs from each offer alone; None where that is not enough."""
        whole = (self.units == self.wanted).all(axis=1)
        cents = self.package_cents + self.unit_cents * self.wanted.sum() - self.split_cents
        return [price if enough else None for price, enough in zip(cents.tolist(), whole.tolist(), strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The offers chosen, ascending, the cost and its proven lower bound; for each offer its regret, where that is known."""

    chosen: tuple[int, ...]
    cost_cents: int
    lower_bound_cents: int
    regrets: tuple[int | None, ...]
