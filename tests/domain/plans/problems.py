"""Orders as arrays, at random; and all plans of a tiny one, by the definition of what a plan costs."""

from collections.abc import Iterator, Sequence
from itertools import product
from random import Random

import numpy as np

from gateway.domain.plans.instance import UNLIMITED, Instance
from gateway.domain.plans.postage import NO_POSTAGE, Postage
from gateway.domain.rates import UNIT_GRAMS, US_EXPRESS, US_GROUND, CarrierService, PriceStep

Packages = dict[int, tuple[int, ...]]
"""Units of each line by location."""

BY_THE_BOX = CarrierService(
    name="By the box",
    carrier="Carrier",
    steps=(PriceStep(grams=300, cents=(500,) * 8), PriceStep(grams=1000, cents=(900,) * 8)),
    transit_days=(2,) * 8,
)

BY_ZONE = Postage(services=(US_GROUND,), zone=np.arange(1, 9), package_cents=np.zeros((8, 1)), unit_cents=np.zeros((8, 1)))


def tiny(seed: int, *, lines_max: int = 3, locations_max: int = 3) -> Instance:
    """A few lines of up to three units at a few locations, with any of the rules."""
    random = Random(seed)
    lines, locations = random.randint(1, lines_max), random.randint(1, locations_max)
    wanted = [random.choice([1, 1, 2, 3]) for _ in range(lines)]
    postage = random.choice([NO_POSTAGE, _postage(random)])
    lanes = len(postage.zone)
    return Instance(
        wanted=np.array(wanted),
        stock=np.array([[min(random.choice([0, 1, 2, 3, 3]), most) for most in wanted] for _ in range(locations)]),
        room=np.array([random.choice([UNLIMITED, UNLIMITED, UNLIMITED, 1, 2, 3]) for _ in range(locations)]),
        package_cents=np.array([float(random.randint(-50, 300)) for _ in range(locations)]),
        unit_cents=np.array([[float(random.randint(-20, 200)) for _ in wanted] for _ in range(locations)]),
        postage=postage,
        lane=np.array([random.randrange(lanes) for _ in range(locations)]),
        grams=np.array([random.choice([100, 250, 454]) for _ in wanted]),
        split_cents=float(random.choice([0, 150])),
        whole_lines=random.random() < 0.25,
        together=random.choice([(), ((0, lines - 1),)]) if lines > 1 else (),
        packages_max=random.choice([None, None, None, 1, 2]),
        miles=np.zeros(locations),
        rank=np.arange(locations),
    )


def typical(
    seed: int,
    *,
    lines: int,
    locations: int,
    units: Sequence[float] = (0.85, 0.1, 0.05),
    carried: float = 0.5,
    rooms: bool = False,
) -> Instance:
    """An order of a day like any other, each line at that share of the locations, which are in eight zones.

    ``units`` are the shares of lines of one unit, two and so on. Weights are whole pounds, as the tariff is.
    """
    random = np.random.default_rng(seed)
    wanted = random.choice(len(units), size=lines, p=units) + 1
    has = random.random((locations, lines)) < carried
    has[random.integers(locations, size=lines), np.arange(lines)] = True
    stock = np.where(has, random.integers(1, 4, size=(locations, lines)), 0)
    short = np.maximum(wanted - stock.sum(axis=0), 0)
    stock[0] += short
    return Instance(
        wanted=wanted,
        stock=np.minimum(stock, wanted),
        room=random.choice([1, 2, UNLIMITED], size=locations) if rooms else np.full(locations, UNLIMITED),
        package_cents=random.integers(0, 200, size=locations).astype(float),
        unit_cents=random.integers(20, 120, size=(locations, lines)).astype(float),
        postage=BY_ZONE,
        lane=random.integers(0, 8, size=locations),
        grams=UNIT_GRAMS * random.integers(1, 5, size=lines),
        split_cents=150.0,
        miles=np.zeros(locations),
        rank=np.arange(locations),
    )


def _postage(random: Random) -> Postage:
    services = tuple(random.sample([US_GROUND, US_EXPRESS, BY_THE_BOX], k=random.randint(1, 3)))
    return Postage(
        services=services,
        zone=np.array([1, 8]),
        package_cents=np.array(
            [[float(random.choice([0, 40, np.inf]) if place else 0) for place in range(len(services))] for _ in "ab"]
        ),
        unit_cents=np.array([[float(random.choice([0, 15])) for _ in services] for _ in "ab"]),
    )


def every_plan(order: Instance) -> Iterator[tuple[float, Packages]]:
    """All of them, with their costs."""
    locations = range(len(order.stock))
    ways = []
    for line, wanted in enumerate(order.wanted.tolist()):
        parts = product(*(range(int(order.stock[location, line]) + 1) for location in locations))
        ways.append([part for part in parts if sum(part) == wanted and (not order.whole_lines or max(part) == wanted)])
    for way in product(*ways):
        packages = {location: units for location in locations if any(units := tuple(part[location] for part in way))}
        if allowed(order, packages):
            yield cents_of(order, packages), packages


def allowed(order: Instance, packages: Packages) -> bool:
    """Whether a plan that covers the order keeps its other rules."""
    few = order.packages_max is None or len(packages) <= order.packages_max
    fits = all(sum(units) <= order.room[location] for location, units in packages.items())
    wanted = order.wanted.tolist()
    return (
        few
        and fits
        and all(
            all(units[line] == wanted[line] for line in group) or not any(units[line] for line in group)
            for units in packages.values()
            for group in order.together
        )
    )


def cents_of(order: Instance, packages: Packages) -> float:
    """The price of a plan, package by package."""
    return sum(package_cents(order, location, units) for location, units in packages.items()) + order.split_cents * (
        len(packages) - 1
    )


def package_cents(order: Instance, location: int, units: Sequence[int]) -> float:
    """What one costs, the split aside."""
    lane, grams = int(order.lane[location]), int(np.dot(units, order.grams))
    postage = min(
        (
            service.price_cents(int(order.postage.zone[lane]), grams)
            + order.postage.package_cents[lane, place]
            + sum(units) * order.postage.unit_cents[lane, place]
            for place, service in enumerate(order.postage.services)
        ),
        default=0.0,
    )
    return float(order.package_cents[location] + np.dot(units, order.unit_cents[location]) + postage)
