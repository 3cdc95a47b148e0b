"""What is compared: rules of thumb, exact plans of one order, and exact plans at prices."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import log2
from typing import Final

import numpy as np

from gateway.domain.plans.forecast import asked, bid_prices, scenarios, shrunk
from gateway.domain.plans.instance import Floats, Ints
from gateway.domain.plans.lots import Bools
from gateway.domain.plans.pool import Pool, best
from gateway.domain.plans.prices import Prices, dual_ascent
from tests.benchmarks.routing.world import World

STEP_CENTS: Final = 80.0  # after the first time, prices only follow
FIRST_ROUNDS: Final = 100
ROUNDS: Final = 20
BOUND_ROUNDS: Final = 400
FIRST_LOOK: Final = 20
FAR: Final = 2.0**24
RANK: Final = 2.0**16  # counts for more than the miles of all packages, and less than a package
LAST_LOOK: Final = 0.005  # of all arrivals are left when prices are made for the last time


def closing(arrivals: int, *, many: int) -> list[int]:
    """When prices are made anew: each time the same part of what was left has come, for the last orders decide most."""
    kept = LAST_LOOK ** (1 / many)
    return sorted({int(arrivals * (1 - kept**number)) for number in range(many)})


def opening(arrivals: int) -> list[int]:
    """When they are made besides without a forecast: whenever as much again has been seen, for the first quarter."""
    doublings = range(int(log2(arrivals / FIRST_LOOK / 4)) + 1)
    return [0, *(FIRST_LOOK * 2**number for number in doublings)]


@dataclass(kw_only=True)
class Priced:
    """Exact plans at prices; without any, exact plans."""

    world: World
    sees_all = False
    expected: Callable[[int], Floats] | None = None
    pi: Floats = field(init=False)
    prices: Prices | None = None

    def reopen(self, at: int, stock: Floats) -> None:
        """Ask for prices."""
        expected = None if self.expected is None else self.expected(at)
        if expected is None or not expected.any():
            self.pi = np.zeros(stock.shape)
            return
        first = self.prices is None
        self.prices = bid_prices(
            self.world.pools,
            self.world.by_pool(expected),
            stock,
            start=self.prices,
            step_cents=None if first else STEP_CENTS,
            rounds=FIRST_ROUNDS if first else ROUNDS,
        )
        self.pi = self.prices.pi

    def locations(self, pool: Pool, _orders: Ints, stock: Floats) -> Ints:
        """The cheapest."""
        return best(pool, np.where(stock > 0, self.pi, np.inf)).locations


@dataclass(kw_only=True)
class PerLine:
    """Each line from the first location that has it; ``order`` is that of each region, as numbers. ``[J, L]``"""

    order: Floats
    sees_all = False

    def reopen(self, _at: int, _stock: Floats) -> None:
        """Rules look at no clock."""

    def locations(self, pool: Pool, orders: Ints, stock: Floats) -> Ints:
        """The first."""
        there = stock[pool.market, :, pool.items] > 0  # [n, R, L]
        first: Ints = np.where(there, self.order[orders % len(self.order)], np.inf).argmin(axis=-1)
        return first


@dataclass(kw_only=True)
class FewestSplits:
    """As few packages as there can be, and then the least of what each center counts for; the dummy only for what nobody else has.

    ``then``: from each region. ``[J, L − 1]``
    """

    then: Floats
    sees_all = False

    def reopen(self, _at: int, _stock: Floats) -> None:
        """Rules look at no clock."""

    def locations(self, pool: Pool, orders: Ints, stock: Floats) -> Ints:
        """Those of the cheapest plan where such things are what plans cost."""
        then = np.rint(with_dummy(self.then)).T[:, orders % len(self.then)]
        line_cents = np.zeros_like(pool.line_cents)
        line_cents[-1] = FAR * FAR
        scored = replace(pool, package_cents=FAR + then, line_cents=line_cents)
        return best(scored, np.where(stock > 0, 0.0, np.inf)).locations


@dataclass(kw_only=True)
class Weighted:
    """Centers by points for miles, for how much of the order they have, and for their rank; each line from the best that has it."""

    world: World
    sees_all = True

    def reopen(self, _at: int, _stock: Floats) -> None:
        """Rules look at no clock."""

    def locations(self, pool: Pool, orders: Ints, stock: Floats) -> Ints:
        """Those with the most points."""
        miles = self.world.miles[orders % len(self.world.miles)]  # [R, L − 1]
        there = stock[pool.market, :, pool.items] > 0  # [n, R, L]
        has = there[..., :-1].sum(axis=0)
        missing = there[..., :-1].any(axis=-1).sum(axis=0)[:, None] - has
        rank = np.broadcast_to(np.arange(miles.shape[1]), miles.shape)
        badness = np.zeros(miles.shape)
        for share, measure in ((0.4, miles), (0.4, missing), (0.2, rank)):
            badness += share * _scaled(measure.astype(np.float64), has > 0)
        first: Ints = np.where(there, with_dummy(badness), np.inf).argmin(axis=-1)
        return first


def _scaled(measure: Floats, counted: Bools) -> Floats:
    """Row by row, from 0 for the least of those that count to 1 for the most; 0 where there is no difference."""
    least = np.where(counted, measure, np.inf).min(axis=1, keepdims=True)
    most = np.where(counted, measure, -np.inf).max(axis=1, keepdims=True)
    differ = most > least
    scaled: Floats = np.clip((measure - np.where(differ, least, 0.0)) / np.where(differ, most - least, np.inf), 0.0, 1.0)
    return scaled


def with_dummy(numbers: Floats) -> Floats:
    """The same for each region and center, and for the dummy more than any. ``[J, L]``."""
    return np.column_stack([numbers, np.full(len(numbers), FAR)])


def by_highest_stock(world: World) -> Floats:
    """What it costs to take each line from where there is most of it. That changes with every order: it has a loop of its own."""
    return np.array([_highest_stock(world, arrivals) for arrivals in world.arrivals])


def _highest_stock(world: World, arrivals: Ints) -> float:
    shelves = world.stock[:-1].T.tolist()
    regions, unit_cents, package_cents = len(world.miles), world.unit_cents.tolist(), world.package_cents.tolist()
    baskets = [basket for pool in world.baskets for basket in pool.tolist()]
    cents, dummy = 0.0, len(package_cents) - 1
    for arrival in arrivals[arrivals < world.orders].tolist():
        kind, region = divmod(arrival, regions)
        senders = set()
        for item in baskets[kind]:
            shelf = shelves[item]
            most = max(shelf)
            sender = shelf.index(most) if most else dummy
            if most:
                shelf[sender] -= 1
            senders.add(sender)
            cents += unit_cents[region][sender]
        cents += sum(package_cents[sender] for sender in senders)
    return cents


def bound_cents(world: World) -> Floats:
    """What no policy can be below that knew all arrivals: the bound of the configuration program. ``[sequences]``."""
    counts = world.by_pool(world.seen(world.arrivals.shape[1]))
    stock = np.broadcast_to(world.stock, (len(world.arrivals), *world.stock.shape))
    orders = [asked(pool, each, stock) for pool, each in zip(world.pools, counts, strict=True)]
    return dual_ascent(orders, stock, rounds=BOUND_ROUNDS).bound_cents


def forecast(world: World, at: int) -> Floats:
    """What is still expected when the shares are known. ``[sequences, 1, orders]``."""
    sequences, arrivals = world.arrivals.shape
    return np.broadcast_to(world.shares.ravel() * (arrivals - at), (sequences, 1, world.orders))


def learned(world: World, at: int, rng: np.random.Generator, many: int) -> Floats:
    """What may come, as far as the arrivals until now and their number tell. ``[sequences, many, orders]``."""
    sequences, arrivals = world.arrivals.shape
    if not at:
        return np.zeros((sequences, many, world.orders))
    seen = world.seen(at).reshape(sequences, *world.shares.shape)
    drawn = [scenarios(shrunk(each), orders=each.sum() * (arrivals - at) / at, many=many, rng=rng) for each in seen]
    return np.array(drawn).reshape(sequences, many, -1)
