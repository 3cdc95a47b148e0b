"""What carriers ask for a package, by its lane, its weight and its units."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.domain.rates.services import CarrierService

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

REPETITIONS_KEPT: Final = 100
"""Of what repeats itself in a tariff, this much is kept in a table; packages that are heavier are priced by the tariff itself."""


@dataclass(frozen=True, kw_only=True, eq=False)  # without slots: what is worked out of it stays with it
class Postage:
    """The prices of some services on some lanes: whatever is priced alike from an origin to the destination is one lane.

    Attributes:
        services: V of them, with prices for as many zones each; none: nobody asks for anything.
        zone: The zone of each lane, 1 is the nearest. ``[lanes]``
        package_cents: Beside the tariff, such as for being late; infinity: not by this service. ``[lanes, V]``
        unit_cents: For each unit, beside the tariff, such as for waiting. ``[lanes, V]``
    """

    services: tuple[CarrierService, ...]
    zone: Ints
    package_cents: Floats
    unit_cents: Floats

    @property
    def free(self) -> bool:
        """Whether there is nothing to pay."""
        return not self.services

    @property
    def plain(self) -> bool:
        """Whether there is nothing to pay beside the tariff."""
        return self._alone is not None

    def cents(self, grams: Ints, units: Ints) -> Floats:
        """What packages of such weights and so many units cost on each lane, each by its cheapest service. ``[lanes, S]``."""
        if self.free:
            return np.zeros((len(self.zone), len(grams)))
        if self._alone is not None:  # nearly always
            limits, cents = self._alone
            if grams.max(initial=0) <= limits[-1]:
                return cents.take(limits.searchsorted(grams), axis=0).T
        by_service = self.by_service(grams, units)
        least: Floats = by_service[:, 0] if len(self.services) == 1 else by_service.min(axis=1)
        return least

    def service(self, lane: int, grams: int, units: int) -> int:
        """The cheapest service, the first of equals; there is one at least."""
        zone = int(self.zone[lane])
        cents = [service.price_cents(zone, grams) for service in self.services]
        if not self.plain:
            cents = [
                sum(each) for each in zip(cents, (self.package_cents[lane] + self.unit_cents[lane] * units).tolist(), strict=True)
            ]
        return cents.index(min(cents))

    def by_service(self, grams: Ints, units: Ints) -> Floats:
        """What packages of such weights and so many units cost. ``[lanes, V, S]``."""
        limits, kept = _kept(self.services)
        light = grams.max(initial=0) <= limits[-1]
        cents: Floats = kept.take(limits.searchsorted(grams), axis=2) if light else _tariffs(self.services, grams)
        return cents[self.zone - 1] + (self.package_cents[:, :, None] + self.unit_cents[:, :, None] * units)

    @cached_property
    def _alone(self) -> tuple[Ints, Floats] | None:
        """Weights between which no price changes, and up to each the cheapest of each lane ``[K, lanes]``.

        None: there is more than the tariff.
        """
        if self.package_cents.any() or self.unit_cents.any():
            return None
        limits, kept = _kept(self.services)
        return limits, np.ascontiguousarray(kept.min(axis=1).T[:, self.zone - 1])

    def floor(self, lightest: int, heaviest: int) -> tuple[Floats, Floats, Floats]:
        """Three sums, for a package, each of its grams and each of its units, that a service's price is not below.

        They hold between those two weights, and are the price itself at the heavier one where no corner of the tariff is lower.

        Returns:
            ``[lanes, V]`` each; one column of zeros where nobody asks for anything.
        """
        if self.free:
            nothing = np.zeros((len(self.zone), 1))
            return nothing, nothing, nothing
        floors = np.array([_floor(service, lightest, heaviest) for service in self.services])
        package, gram = floors.transpose(1, 2, 0)[:, self.zone - 1]
        return package + self.package_cents, gram, self.unit_cents


NO_POSTAGE: Final = Postage(
    services=(), zone=np.ones(1, dtype=np.int64), package_cents=np.zeros((1, 0)), unit_cents=np.zeros((1, 0))
)
"""One lane on which nobody asks for anything: what is picked up, or priced by the location alone."""


@lru_cache(maxsize=64)
def _kept(services: tuple[CarrierService, ...]) -> tuple[Ints, Floats]:
    """Weights between which no price changes, and the prices up to each of them: all prices of packages that are not very heavy."""
    corners: set[int] = set()
    heaviest = min(_heaviest_kept(service) for service in services)
    for service in services:
        limits = [step.grams for step in service.steps]
        period = limits[-1] if service.further is None else service.further.grams
        for start in limits if service.further is None else limits[-1:]:
            corners.update(range(start, heaviest + 1, period))
        corners.update(limits)
    grams = np.array(sorted(corner for corner in corners if corner <= heaviest))
    return grams, _tariffs(services, grams)


def _heaviest_kept(service: CarrierService) -> int:
    last = service.steps[-1].grams
    return last + REPETITIONS_KEPT * (last if service.further is None else service.further.grams)


def _tariffs(services: Sequence[CarrierService], grams: Ints) -> Floats:
    """By zone, service and weight."""
    return np.stack([_tariff(service, grams) for service in services], axis=1)


def _tariff(service: CarrierService, grams: Ints) -> Floats:
    """Its ``price_cents`` for many weights, by zone. ``[zones, S]``."""
    limits, cents, further = _steps(service)
    if service.further is not None:
        begun = np.maximum(-(-(grams - limits[-1]) // service.further.grams), 0)
        total: Floats = cents[:, limits.searchsorted(np.minimum(grams, limits[-1]))] + begun * further
        return total
    full, rest = np.divmod(grams, limits[-1])
    return full * cents[:, -1:] + np.where((rest > 0) | (full == 0), cents[:, limits.searchsorted(rest)], 0.0)


@lru_cache(maxsize=256)
def _steps(service: CarrierService) -> tuple[Ints, Floats, Floats]:
    """The most that each step weighs ``[k]``, its price by zone ``[zones, k]``, and what further weight costs ``[zones, 1]``."""
    further = [0] * service.zones if service.further is None else service.further.cents
    limits = np.array([step.grams for step in service.steps], dtype=np.int64)
    cents = np.array([step.cents for step in service.steps], dtype=np.float64).T
    return limits, cents, np.array(further, dtype=np.float64)[:, None]


def _floor(service: CarrierService, lightest: int, heaviest: int) -> tuple[Floats, Floats]:
    """A line through the tariff at the heaviest that is as steep as it is on the whole, lowered until it is nowhere above it."""
    grams = np.array([lightest, *_corners(service, lightest, heaviest), heaviest])
    cents = _tariff(service, grams)
    gram = (cents[:, -1] - cents[:, 0]) / max(heaviest - lightest, 1)
    # Between two corners a tariff is flat, so that it is only at the heavier one that it may be as low as the line.
    package = (cents - gram[:, None] * grams)[:, 1:].min(axis=1)
    return package, gram


def _corners(service: CarrierService, lightest: int, heaviest: int) -> list[int]:
    """The heaviest weights of steps: each of the first steps, and, of those that repeat themselves, the first and the last."""
    limits = [step.grams for step in service.steps]
    last, period = limits[-1], limits[-1] if service.further is None else service.further.grams
    repeated = limits if service.further is None else [last]
    weights = set(limits)
    for weight in repeated:
        first = -(-max(lightest - weight, 0) // period)
        weights |= {weight + first * period, weight + (heaviest - weight) // period * period}
    return sorted(weight for weight in weights if lightest <= weight <= heaviest)
