"""A network with its stock and all that is ordered from it, drawn as in Jasin and Sinha (2015) and Ma (2023)."""

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Final

import numpy as np

from gateway.domain.plans.instance import Floats, Ints
from gateway.domain.plans.pool import Pool, pool_of
from tests.benchmarks.routing.places import Places

PACKAGE_CENTS: Final = 875.9
UNIT_CENTS: Final = 42.3
UNIT_MILE_CENTS: Final = 0.0541
NOT_SERVED_TIMES: Final = 2
ENOUGH: Final = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large an instance is."""

    items: int
    lines_max: int
    kinds_per_size: int
    carried: float
    arrivals: int


SIZES: Final = {
    "paper_s": Size(items=20, lines_max=5, kinds_per_size=5, carried=0.75, arrivals=10_000),
    "paper_l": Size(items=100, lines_max=10, kinds_per_size=10, carried=0.5, arrivals=100_000),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """One instance. The last location is the dummy that serves what nobody can, at a price.

    Kinds of orders are numbered by size; an arrival is ``kind · regions + region``, or ``orders`` where nothing is ordered.

    Attributes:
        miles: From each region to each center. ``[J, L − 1]``
        package_cents: ``[L]``
        unit_cents: ``[J, L]``
        baskets: The items of each kind, for each number of lines. ``[kinds, n]``
        shares: Of all arrivals, what is this kind from this region; the rest is empty. ``[kinds, J]``
        stock: ``[L, K]``
        arrivals: ``[sequences, T]``
    """

    miles: Floats
    package_cents: Floats
    unit_cents: Floats
    baskets: tuple[Ints, ...]
    shares: Floats
    stock: Ints
    arrivals: Ints

    @cached_property
    def pools(self) -> list[Pool]:
        """Every kind from every region, once."""
        return [self._pool(basket) for basket in self.baskets]

    @cached_property
    def starts(self) -> list[int]:
        """The first order of each pool, and how many there are."""
        return list(accumulate((pool.orders for pool in self.pools), initial=0))

    @property
    def orders(self) -> int:
        """How many there may be: kinds times regions."""
        return self.shares.size

    def by_pool(self, counts: Floats) -> list[Floats]:
        """The same numbers of orders, cut by pool along the last axis."""
        return [np.ascontiguousarray(counts[..., begin:end]) for begin, end in pairwise(self.starts)]

    def seen(self, until: int) -> Floats:
        """How often each order had come by then, in each sequence. ``[sequences, orders]``."""
        counted = [np.bincount(arrivals[:until], minlength=self.orders + 1)[:-1] for arrivals in self.arrivals]
        return np.array(counted, dtype=np.float64)

    def _pool(self, basket: Ints) -> Pool:
        kind, region = (axis.ravel() for axis in np.indices((len(basket), len(self.miles))))
        items = basket[kind]
        return pool_of(
            items=items,
            units=np.ones_like(items),
            package_cents=np.broadcast_to(self.package_cents, (len(kind), len(self.package_cents))),
            unit_cents=self.unit_cents[region][:, :, None],
            stock=self.stock,
        )


def drawn(size: Size, places: Places, *, sequences: int, rng: np.random.Generator) -> World:
    """One instance and so many sequences of arrivals."""
    miles = places.miles
    unit_cents = UNIT_CENTS + UNIT_MILE_CENTS * miles
    size_share = rng.uniform(size=size.lines_max + 1)  # the first is the empty order
    baskets, kind_shares = [], []
    for lines in range(1, size.lines_max + 1):
        baskets.append(np.array([np.sort(rng.choice(size.items, lines, replace=False)) for _ in range(size.kinds_per_size)]))
        share = rng.uniform(size=size.kinds_per_size)
        kind_shares.append(share / share.sum() * size_share[lines] / size_share.sum())
    shares = np.outer(np.concatenate(kind_shares), places.people / places.people.sum())
    stock = _stock(size, miles, _demand(baskets, shares, size), rng)
    chances = np.append(shares.ravel(), size_share[0] / size_share.sum())
    return World(
        miles=miles,
        package_cents=np.append(np.full(miles.shape[1], PACKAGE_CENTS), NOT_SERVED_TIMES * PACKAGE_CENTS),
        unit_cents=np.column_stack([unit_cents, np.full(len(miles), NOT_SERVED_TIMES * unit_cents.max())]),
        baskets=tuple(baskets),
        shares=shares,
        stock=stock,
        arrivals=rng.choice(len(chances), size=(sequences, size.arrivals), p=chances / chances.sum()),
    )


def _demand(baskets: list[Ints], shares: Floats, size: Size) -> Floats:
    """Units expected of each item in each region. ``[K, J]``."""
    demand = np.zeros((size.items, shares.shape[1]))
    for basket, share in zip(baskets, np.split(shares, len(baskets)), strict=True):
        for items in basket.T:
            np.add.at(demand, items, size.arrivals * share)
    return demand


def _stock(size: Size, miles: Floats, demand: Floats, rng: np.random.Generator) -> Ints:
    """What the regions to which a center is the closest that carries an item are expected to want, and half a deviation more."""
    centers = miles.shape[1]
    carried = rng.uniform(size=(centers, size.items)) < size.carried
    while (nowhere := ~carried.any(axis=0)).any():
        carried[:, nowhere] = rng.uniform(size=(centers, nowhere.sum())) < size.carried
    closest = np.where(carried[None], miles[:, :, None], np.inf).argmin(axis=1)  # [J, K]
    mean = np.zeros((centers, size.items))
    np.add.at(mean, (closest, np.arange(size.items)), demand.T)
    units = np.rint(mean + 0.5 * np.sqrt(mean * (1 - mean / size.arrivals))).astype(np.int64)
    return np.vstack([units, np.full((1, size.items), ENOUGH)])
