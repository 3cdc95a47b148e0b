"""Many orders as arrays, and the cheapest plan of each at given prices of stock and room: what one dual step or one wave asks.

Orders come last in every array, so that a step over all of them runs along memory. Orders of equally many lines make one pool.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import combinations
from math import prod
from typing import Final

import numpy as np

from gateway.domain.plans.instance import Floats, Ints
from gateway.domain.plans.subsets import partition, parts

CELLS_MAX: Final = 2**16  # parts × orders of one chunk: what a core keeps close at hand
# Where there are few locations and many lines, the sets of locations that may send are fewer than the parts of an order.
SET_LOCATIONS_MAX: Final = 12
SET_LINES_MIN: Final = 5
SET_CELLS: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """R orders of n lines each, over the same L locations and K items. All costs are cents; infinity: impossible.

    A line travels whole. A package of some lines from location l costs ``package_cents[l] + Σ line_cents[l, i]``.

    Attributes:
        items: What each line asks for; distinct within an order. ``[n, R]``
        units: How many units of it. ``[n, R]``
        package_cents: For sending anything at all, the split of one more package included. ``[L, R]``
        line_cents: For sending all units of a line; infinity where they cannot all come from there. ``[L, n, R]``
        split_cents: What every order is given back, because its first package is no split.
        weight: How many such orders there are, or are expected. ``[R]``
        market: Orders of different markets share neither stock nor prices. ``[R]``
    """

    items: Ints
    units: Ints
    package_cents: Floats
    line_cents: Floats
    split_cents: float = 0.0
    weight: Floats
    market: Ints

    @property
    def lines(self) -> int:
        """Of each order."""
        return len(self.items)

    @property
    def orders(self) -> int:
        """How many."""
        return len(self.weight)

    def of(self, orders: Ints | slice) -> "Pool":
        """Some of the orders, by index or mask."""
        arrays = {each.name: getattr(self, each.name)[..., orders] for each in fields(self) if each.name != "split_cents"}
        return Pool(**arrays, split_cents=self.split_cents)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Priced:
    """The cheapest plan of each order of a pool, at prices.

    Attributes:
        cents: What it costs with the prices; infinity: a line can come from nowhere. ``[R]``
        locations: Where each line comes from; lines from the same location are one package. Arbitrary where impossible. ``[n, R]``
    """

    cents: Floats
    locations: Ints


def pool_of(
    *,
    items: Ints,
    units: Ints,
    package_cents: Floats,
    unit_cents: Floats,
    stock: Ints,
    split_cents: float = 0.0,
    weight: Floats | None = None,
    market: Ints | None = None,
) -> Pool:
    """A pool from arrays with orders first, as they are written down.

    Args:
        items: ``[R, n]``
        units: ``[R, n]``
        package_cents: ``[R, L]``
        unit_cents: For each unit of a line, or of any: ``[R, L, n]`` or ``[R, L, 1]``.
        stock: A line cannot come from where there is less than its units. ``[L, K]`` or by market ``[B, L, K]``.
        split_cents: For each package after the first.
        weight: How many such orders there are; one each where left out. ``[R]``
        market: Which stock counts; the only one where left out. ``[R]``
    """
    orders = len(items)
    markets = np.zeros(orders, dtype=np.int64) if market is None else market
    shelves = stock if stock.ndim == 3 else stock[None]
    there = shelves[markets[:, None] if len(shelves) > 1 else 0, :, items]  # [R, n, L]
    line_cents = np.where(there >= units[..., None], unit_cents.swapaxes(1, 2) * units[..., None], np.inf)
    return Pool(
        items=np.ascontiguousarray(items.T),
        units=np.ascontiguousarray(units.T),
        package_cents=np.ascontiguousarray(package_cents.T) + split_cents,
        line_cents=np.ascontiguousarray(line_cents.transpose(2, 1, 0)),
        split_cents=split_cents,
        weight=np.ones(orders) if weight is None else weight,
        market=markets,
    )


def best(pool: Pool, pi: Floats, kappa: Floats | None = None) -> Priced:
    """The cheapest plan of every order when each unit of stock and of room has its price besides.

    One package of each location is not enforced: where packages cost no less than nothing a second one from there only costs more.

    Args:
        pool: The orders.
        pi: The price of a unit of stock; infinity: must not be touched. ``[L, K]`` or by market ``[B, L, K]``.
        kappa: The price of a unit of room, the same for every item. ``[L]`` or ``[B, L]``.
    """
    prices = pi if pi.ndim == 3 else pi[None]
    if kappa is not None:
        prices = prices + (kappa if kappa.ndim == 2 else kappa[None])[..., None]
    locations, goods = prices.shape[1:]
    by_location = np.ascontiguousarray(prices.transpose(1, 0, 2)).reshape(locations, -1)
    cells = pool.market * goods + pool.items
    by_sets = locations <= SET_LOCATIONS_MAX and pool.lines >= SET_LINES_MIN
    plan, size = (_by_sets, SET_CELLS) if by_sets else (_by_parts, 2**pool.lines)
    cents, senders = np.empty(pool.orders), np.empty(pool.items.shape, dtype=np.int64)
    for rows in _chunks(pool, size):
        cents[rows], senders[:, rows] = plan(pool, rows, by_location, cells[:, rows])
    return Priced(cents=cents - pool.split_cents, locations=senders)


def used(pool: Pool, locations: Ints, *, shape: tuple[int, ...], weight: Floats | None = None) -> Floats:
    """Units of each item that these plans take from each location, times the weight of the orders: ``[B, L, K]``, the ``shape``.

    An order with weight 0 counts for nothing, wherever its lines come from.
    """
    cells = (pool.market * shape[1] + locations) * shape[2] + pool.items
    units = pool.units * (pool.weight if weight is None else weight)
    taken: Floats = np.bincount(cells.ravel(), weights=units.ravel(), minlength=prod(shape)).astype(np.float64, copy=False)
    return taken.reshape(shape)


def sent_cents(pool: Pool, locations: Ints) -> Floats:
    """What these plans cost without any price: every location's package once, and every line. ``[R]``."""
    orders = np.arange(pool.orders)
    cents = -np.full(pool.orders, pool.split_cents)
    for line, location in enumerate(locations):
        first = (locations[:line] != location).all(axis=0)
        cents += pool.line_cents[location, line, orders] + np.where(first, pool.package_cents[location, orders], 0.0)
    return cents


def _chunks(pool: Pool, cells: int) -> Iterator[slice]:
    size = max(1, CELLS_MAX // cells)
    return (slice(start, start + size) for start in range(0, pool.orders, size))


def _by_parts(pool: Pool, rows: slice, prices: Floats, cells: Ints) -> tuple[Floats, Ints]:
    """Cents, the split of the first package included, and where lines come from: every part as one package, then partitions."""
    units, package_cents, line_cents = pool.units[:, rows], pool.package_cents[:, rows], pool.line_cents[:, :, rows]
    shape = (2,) * pool.lines
    cents = np.empty((2**pool.lines, units.shape[1]))
    least = np.full_like(cents, np.inf)
    sender = np.zeros(cents.shape, dtype=np.int64)
    for location in range(len(prices)):
        cents[0] = package_cents[location]
        line = line_cents[location] + prices[location].take(cells) * units
        for index, each in enumerate(line[::-1]):  # the last line has the lowest bit
            np.add(cents[: 1 << index], each, out=cents[1 << index : 2 << index])
        cheaper = cents < least
        np.copyto(least, cents, where=cheaper)
        np.copyto(sender, location, where=cheaper)
    least[0] = 0
    total = partition(least.T, shape)
    packages = parts(least.T, total, shape)  # [rows, k]
    senders = sender[packages, np.arange(len(packages))[:, None]]
    holds = packages[..., None] >> np.arange(pool.lines)[::-1] & 1  # [rows, k, n]; each line in one of them
    return total[:, -1], np.einsum("rkn,rk->nr", holds, senders)


def _by_sets(pool: Pool, rows: slice, prices: Floats, cells: Ints) -> tuple[Floats, Ints]:
    """The same: every set of locations, smaller ones first, until one package more is worth its price to no order."""
    package_cents = pool.package_cents[:, rows]
    line_cents = pool.line_cents[:, :, rows] + prices[:, cells] * pool.units[:, rows]
    # No set of so many locations costs less: the cheapest packages, and every line from where it is cheapest.
    floor = np.sort(package_cents, axis=0).cumsum(axis=0) + line_cents.min(axis=0).sum(axis=0)
    least = np.full(floor.shape[1], np.inf)
    members = np.zeros(len(least), dtype=np.int64)
    left, packages, lines = np.arange(len(least)), np.zeros((1, len(least))), np.full((1, *line_cents.shape[1:]), np.inf)
    for size in range(len(prices)):
        left_open = floor[size, left] < least[left]
        if not left_open.any():
            break
        left, packages, lines = left[left_open], packages[:, left_open], lines[..., left_open]
        smaller, last, sets = _sets(len(prices), size + 1)
        packages = packages[smaller] + package_cents[:, left][last]
        lines = np.minimum(lines[smaller], line_cents[..., left][last])
        cents = packages + lines.sum(axis=1)
        cheapest = cents.argmin(axis=0)
        cents = cents[cheapest, np.arange(len(left))]
        better = cents < least[left]
        least[left[better]], members[left[better]] = cents[better], sets[cheapest[better]]
    sends = (members >> np.arange(len(prices))[:, None] & 1).astype(bool)
    return least, np.where(sends[:, None], line_cents, np.inf).argmin(axis=0)


@lru_cache(maxsize=256)
def _sets(locations: int, size: int) -> tuple[Ints, Ints, Ints]:
    """All sets of so many locations: which smaller one each grows from, by what location, and its members as bits."""
    smaller = {each: index for index, each in enumerate(combinations(range(locations), size - 1))}
    sets = list(combinations(range(locations), size))
    grown = [(smaller[each[:-1]], each[-1], sum(1 << location for location in each)) for each in sets]
    return tuple(np.array(grown, dtype=np.int64).T)
