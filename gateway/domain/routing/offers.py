"""The part of a problem that a search needs: plain arrays of stock and prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from connectors.contract import Method
from gateway.domain.geography import miles_between, zone_of
from gateway.domain.routing.decision import CostTerm
from gateway.domain.routing.problem import Candidate, Problem, ZoneRate

Ints = NDArray[np.int64]

HANDED_OVER: Final = ZoneRate(package_cents=0, unit_cents=0, transit_days=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a candidate asks for a parcel, and for each unit in it. ``zone`` is None where nothing is shipped."""

    candidate: Candidate
    zone: int | None
    miles: float | None
    rate: ZoneRate
    unit_waiting_cents: int

    @property
    def bonus_cents(self) -> int:
        """What a parcel is taken to be cheaper for the sake of the location: never below nothing."""
        return min(self.candidate.preference_cents, self.rate.package_cents)

    @property
    def package_cents(self) -> int:
        """The price of sending anything at all, that of a further parcel aside."""
        return self.rate.package_cents - self.bonus_cents

    @property
    def unit_cents(self) -> int:
        """The price of each unit, whatever its SKU."""
        return self.rate.unit_cents + self.candidate.handling_cents_per_unit + self.unit_waiting_cents

    def costs(self, units: int, split_cents: int) -> tuple[CostTerm, ...]:
        """The terms of a package of so many units."""
        terms = (
            ("postage", self.rate.package_cents + units * self.rate.unit_cents),
            ("handling", units * self.candidate.handling_cents_per_unit),
            ("parcel", split_cents),
            ("waiting", units * self.unit_waiting_cents),
            ("preference", -self.bonus_cents),
        )
        return tuple(CostTerm(name=name, cents=cents) for name, cents in terms if cents)


def offer_of(candidate: Candidate, problem: Problem) -> Offer:
    """What the candidate asks under the problem's tariff."""
    if problem.method is Method.PICKUP:
        return Offer(candidate=candidate, zone=None, miles=None, rate=HANDED_OVER, unit_waiting_cents=0)
    miles = miles_between(candidate.position, problem.destination) if candidate.position and problem.destination else None
    zone = zone_of(miles)
    rate = problem.tariff.zones[zone - 1]
    waiting_cents = problem.tariff.waiting_cents(problem.preference, rate.transit_days)
    return Offer(candidate=candidate, zone=zone, miles=miles, rate=rate, unit_waiting_cents=waiting_cents)


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
        offers = [offer_of(candidate, problem) for candidate in candidates]
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
