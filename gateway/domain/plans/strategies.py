"""Rules of thumb, as other systems have them, and the exact plan beside them: what a merchant is used to, and what it costs.

A rule knows no bound. Each takes only what there is and what there is room for, and keeps together what must stay together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from importlib.metadata import entry_points
from math import ceil, log2
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.domain.plans.instance import Floats, Instance, Ints, Plan, Strategy
from gateway.domain.plans.postage import NO_POSTAGE
from gateway.domain.plans.solve import solve

Bools = NDArray[np.bool_]

GROUP: Final = "dom.strategies"
RANKED: Final = 10
UNKNOWN_MILES: Final = 12_451.0  # half around the Earth
SCORE_MAX: Final = 2.0**38  # what a search takes for possible
STEPS_MILES: Final = (1, 8, 64, 512)


class Criterion(StrEnum):
    """What plans may be compared by; less is better."""

    PACKAGES = "packages"
    MILES = "miles"
    RANK = "rank"
    COST = "cost"


class UnknownStrategy(LookupError):
    """Nothing that is installed offers a strategy of that name, or it cannot be imported. The message says which."""


def priority(instance: Instance) -> Plan | None:
    """Each line from the locations in the merchant's order, as Magento, Vendure and Solidus do."""
    return _in_order(instance, instance.rank[:, None])


def closest(instance: Instance) -> Plan | None:
    """Each line from the closest locations that have it, as Magento's distance priority does."""
    return _in_order(instance, instance.miles[:, None])


def highest_stock(instance: Instance) -> Plan | None:
    """Each line from where there is most of it, as Saleor does; ``stock`` may say more than is wanted."""
    return _in_order(instance, -instance.stock)


def lexicographic(*criteria: Criterion) -> Strategy:
    """The best plan by the first criterion; among equals by the second, and so on. Miles and ranks count once a package.

    Raises:
        ValueError: There is something after the cost, where nothing is left to decide.
    """
    if Criterion.COST in criteria[:-1]:
        raise ValueError("the cost comes last: nothing that comes after it could decide anything")

    def plan(instance: Instance) -> Plan | None:
        found = solve(_scored(instance, criteria))
        return found and _costed(instance, found)

    return plan


def weighted(percentages: Mapping[Criterion, float]) -> Strategy:
    """Locations by points, and each line from the best of them that have it.

    On every criterion the worst location that has anything gets no points and the best all; ``percentages`` say what each counts.
    The cost is that of sending all that is wanted, and instead of packages it counts how much of the order would be missing.
    """

    def plan(instance: Instance) -> Plan | None:
        measures = _measures(instance)
        serves: Bools = instance.stock.max(axis=1) > 0
        badness = np.zeros(len(serves))
        for criterion, share in percentages.items():
            badness += share * _scaled(measures[criterion], serves)
        return _in_order(instance, badness[:, None])

    return plan


def ranked(many: int = RANKED) -> Strategy:
    """The exact plan from so many locations for each line, those from which the line alone is cheapest, as IBM does."""

    def plan(instance: Instance) -> Plan | None:
        alone = np.stack([_alone_cents(instance, line) for line in range(len(instance.wanted))], axis=1)
        place = np.where(instance.stock > 0, alone, np.inf).argsort(axis=0, kind="stable").argsort(axis=0)
        found = solve(replace(instance, stock=np.where(place < many, instance.stock, 0)))
        return found and replace(found, bound_cents=-np.inf)

    return plan


STRATEGIES: Final[Mapping[str, Strategy]] = MappingProxyType(
    {
        "exact": solve,
        "priority": priority,
        "closest": closest,
        "highest_stock": highest_stock,
        "fewest_splits": lexicographic(Criterion.PACKAGES, Criterion.MILES),
        "lexicographic": lexicographic(Criterion.PACKAGES, Criterion.RANK, Criterion.MILES),
        "weighted": weighted({Criterion.MILES: 0.4, Criterion.PACKAGES: 0.4, Criterion.RANK: 0.2}),
        "rank_ten": ranked(),
    }
)


def strategy_of(name: str) -> Strategy:
    """The strategy of that name: ours, or one that is installed by the entry point ``dom.strategies``, imported now.

    Raises:
        UnknownStrategy: Not installed, or broken.
    """
    if name in STRATEGIES:
        return STRATEGIES[name]
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        raise UnknownStrategy(f"no strategy {name!r} is installed; there is {', '.join([*STRATEGIES, *sorted(points)])}")
    try:
        found: Strategy = points[name].load()
    except (ImportError, AttributeError) as error:
        raise UnknownStrategy(f"strategy {name!r} ({points[name].value}) cannot be imported: {error}") from error
    if not callable(found):
        raise UnknownStrategy(f"strategy {name!r}: {points[name].value} cannot be called")
    return found


def _in_order(instance: Instance, badness: Floats | Ints) -> Plan | None:
    """Each line from the locations with the least badness, of equals the first, as much as each has. ``[L, n]`` or ``[L, 1]``."""
    units, room = np.zeros_like(instance.stock), instance.room.copy()
    order = np.broadcast_to(badness.argsort(axis=0, kind="stable"), units.shape)
    for lines, whole in _groups(instance):
        left = instance.wanted[lines].copy()
        for location in order[:, lines[0]]:
            gives = np.minimum(instance.stock[location, lines], left)
            if not whole:
                gives = np.minimum(gives, room[location])
            elif (gives < left).any() or gives.sum() > room[location]:
                continue
            units[location, lines] = gives
            room[location] -= gives.sum()
            left -= gives
        if left.any():
            return None
    locations = np.flatnonzero(units.any(axis=1))
    return _costed(instance, Plan(locations=locations, units=units[locations], cents=np.inf, bound_cents=-np.inf))


def _groups(instance: Instance) -> Iterator[tuple[list[int], bool]]:
    """Lines that come from one location together, and whether all of their units do."""
    yield from ((list(lines), True) for lines in instance.together)
    bound = {line for lines in instance.together for line in lines}
    yield from (([line], instance.whole_lines) for line in range(len(instance.wanted)) if line not in bound)


def _costed(instance: Instance, plan: Plan) -> Plan | None:
    """What such a plan costs for this order; None where it may not be."""
    if instance.packages_max is not None and len(plan.locations) > instance.packages_max:
        return None
    cents = _packages_cents(instance, plan.locations, plan.units).sum() + instance.split_cents * (len(plan.locations) - 1)
    return replace(plan, cents=float(cents), bound_cents=-np.inf) if np.isfinite(cents) else None


def _packages_cents(instance: Instance, locations: Ints, units: Ints) -> Floats:
    """What each package costs, the split aside. ``[k]``; ``units`` are ``[k, n]``."""
    postage = instance.postage.cents(units @ instance.grams, units.sum(axis=1))[instance.lane[locations], np.arange(len(locations))]
    # What nobody sends may have no finite price.
    lines = np.where(units > 0, instance.unit_cents[locations], 0.0) * units
    cents: Floats = instance.package_cents[locations] + postage + lines.sum(axis=1)
    return cents


def _alone_cents(instance: Instance, line: int) -> Floats:
    """What this line alone costs from each location, as much as it has of it. ``[L]``."""
    units = np.zeros_like(instance.stock)
    units[:, line] = np.minimum(instance.stock[:, line], instance.wanted[line])
    return _packages_cents(instance, np.arange(len(units)), units)


def _measures(instance: Instance) -> Mapping[Criterion, Floats]:
    """What locations are compared by. ``[L]``."""
    everywhere = np.arange(len(instance.stock))
    return {
        Criterion.PACKAGES: (instance.wanted - np.minimum(instance.stock, instance.wanted)).sum(axis=1).astype(np.float64),
        Criterion.MILES: np.minimum(instance.miles, UNKNOWN_MILES),
        Criterion.RANK: instance.rank.astype(np.float64),
        Criterion.COST: _packages_cents(instance, everywhere, np.broadcast_to(instance.wanted, instance.stock.shape)),
    }


def _scaled(measure: Floats, counted: Bools) -> Floats:
    """From 0 for the least of those that count to 1 for the most."""
    among = measure[counted & np.isfinite(measure)]
    if not among.size or among.min() == among.max():
        return np.where(np.isfinite(measure), 0.0, 1.0)
    scaled: Floats = np.clip((measure - among.min()) / (among.max() - among.min()), 0.0, 1.0)
    return scaled


def _scored(instance: Instance, criteria: Sequence[Criterion]) -> Instance:
    """An order whose cheapest plan is the best by these criteria: powers of two keep them apart."""
    for step_miles in STEPS_MILES:
        scored, most = _stacked(instance, criteria, step_miles)
        if most <= SCORE_MAX:
            break
    return scored


def _stacked(instance: Instance, criteria: Sequence[Criterion], step_miles: float) -> tuple[Instance, float]:
    """That order, with miles in such steps; and what no score is above."""
    measures = {
        Criterion.PACKAGES: np.ones(len(instance.stock)),
        Criterion.MILES: np.rint(np.minimum(instance.miles, UNKNOWN_MILES) / step_miles),
        Criterion.RANK: np.unique(instance.rank, return_inverse=True)[1].astype(np.float64),
    }
    packages = min(len(instance.stock), int(instance.wanted.sum()))
    if Criterion.COST in criteria:
        scored, scale = instance, _power(_cents_max(instance, packages))
    else:
        scored, scale = _free(instance), 1.0
    score = scored.package_cents
    for criterion in reversed([each for each in criteria if each is not Criterion.COST]):
        score = score + scale * measures[criterion]
        scale = _power(scale * (packages * float(measures[criterion].max(initial=0)) + 1))
    return replace(scored, package_cents=score), scale


def _free(instance: Instance) -> Instance:
    """The same order where nothing that is possible costs anything."""
    return replace(
        instance,
        package_cents=np.where(np.isfinite(instance.package_cents), 0.0, np.inf),
        unit_cents=np.where(np.isfinite(instance.unit_cents), 0.0, np.inf),
        postage=NO_POSTAGE,
        lane=np.zeros_like(instance.lane),
        split_cents=0.0,
    )


def _cents_max(instance: Instance, packages: int) -> float:
    """What no plan costs more than."""
    heaviest = instance.postage.cents(np.array([instance.wanted @ instance.grams]), np.array([instance.wanted.sum()]))
    of_package = np.abs(instance.package_cents) + instance.split_cents + heaviest[instance.lane, 0]
    most = [np.where(np.isfinite(each), np.abs(each), 0.0) for each in (of_package, instance.unit_cents)]
    return packages * float(most[0].max(initial=0)) + float(instance.wanted @ most[1].max(axis=0, initial=0)) + 1


def _power(number: float) -> float:
    """The next power of two."""
    return 2.0 ** ceil(log2(number))
