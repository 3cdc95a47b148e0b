"""Orders of equally many lines, with what every package of theirs costs, and the cheapest plan of each at given prices.

Orders come first in every array and locations last: most of the work is to find the best of many locations for one package, for
ever fewer orders. (A ``Pool`` keeps orders last: right for many orders of few locations, and slow for few orders of many.)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.domain.plans.instance import Floats, Instance, Ints
from gateway.domain.plans.pool import Pool
from gateway.domain.plans.subsets import partitions

LINES_MAX: Final = 8  # an order has 2**8 packages, and 4,140 ways to be cut into them
CELLS_MAX: Final = 2**16  # orders × packages × locations of one chunk: what a core keeps close at hand


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choices:
    """A plan for each order.

    Attributes:
        cents: What it costs, prices included. ``[R]``
        locations: Where each line comes from; lines from the same location are one package. ``[R, n]``
    """

    cents: Floats
    locations: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """R orders of n lines each, and L locations, the last of which is to wait.

    Attributes:
        items: What each line asks for; distinct within an order. ``[R, n]``
        units: How many units of it. ``[R, n]``
        cents: Of each package from each location; infinity: impossible. Packages are the states of ``subsets`` but the first, which
            is nothing. ``[R, 2**n - 1, L]``
        split_cents: What each order is given back, because its first package is no split. ``[R]``
    """

    items: Ints
    units: Ints
    cents: Floats
    split_cents: Floats

    def of(self, orders: Ints) -> "Table":
        """Some of the orders, by index."""
        return Table(
            items=self.items[orders], units=self.units[orders], cents=self.cents[orders], split_cents=self.split_cents[orders]
        )

    def within(self, stock: Ints, room: Ints) -> "Table":
        """The same orders where there is only so much: ``[K, L]``, ``[L]``."""
        cents = self.cents
        missing = stock[self.items] < self.units[..., None]
        if missing.any():
            cents = cents + packages(np.where(missing, np.inf, 0.0))
        if self.units.sum(axis=1).max(initial=0) > room.min():
            package_units = self.units @ _holds(self.items.shape[1]).T
            cents = np.where(package_units[..., None] > room, np.inf, cents)
        return Table(items=self.items, units=self.units, cents=cents, split_cents=self.split_cents)

    def cheapest(self, prices: Floats, *, but: Ints | None = None) -> Choices:
        """The plan of each order that costs least when each unit of stock has its price besides ``[K, L]``.

        With ``but`` ``[R, n]``, no line comes from its location there.
        """
        orders, states = len(self.items), self.cents.shape[1] + 1
        cents, senders = np.zeros((orders, states)), np.zeros((orders, states), dtype=np.int64)
        for chunk in self._chunks():
            surcharge = prices[self.items[chunk]] * self.units[chunk][..., None]
            if but is not None:
                np.put_along_axis(surcharge, but[chunk][..., None], np.inf, axis=2)
            priced = packages(surcharge)
            priced += self.cents[chunk]
            senders[chunk, 1:] = priced.argmin(axis=2)
            cents[chunk, 1:] = priced.min(axis=2)
        return self._cut(cents, senders)

    def sent_cents(self, locations: Ints) -> Floats:
        """What these plans cost without any price: each location's lines as one package. ``[R]``."""
        cents = -self.split_cents.astype(np.float64)
        bits = 1 << np.arange(locations.shape[1])[::-1]
        every = np.arange(len(locations))
        for line, location in enumerate(locations.T):
            here = locations == location[:, None]
            first = ~here[:, :line].any(axis=1)
            cents[first] += self.cents[every[first], (here @ bits)[first] - 1, location[first]]
        return cents

    def taken(self, locations: Ints, shape: tuple[int, int]) -> Ints:
        """The units of each item that these plans take from each location. ``[K, L]``, which is ``shape``."""
        cells = self.items * shape[1] + locations
        return np.bincount(cells.ravel(), weights=self.units.ravel(), minlength=shape[0] * shape[1]).astype(np.int64).reshape(shape)

    def _chunks(self) -> Iterator[slice]:
        _, packages, locations = self.cents.shape
        size = max(1, CELLS_MAX // (packages * locations))
        return (slice(start, start + size) for start in range(0, len(self.items), size))

    def _cut(self, cents: Floats, senders: Ints) -> Choices:
        """Each order cut into the packages that cost least together, the fewest among equals. ``[R, 2**n]`` both."""
        packages_of, package_of = _cuts(self.items.shape[1])
        totals = cents[:, packages_of].sum(axis=2)
        cut, every = totals.argmin(axis=1), np.arange(len(totals))
        return Choices(cents=totals[every, cut] - self.split_cents, locations=senders[every[:, None], package_of[cut]])


@lru_cache(maxsize=LINES_MAX)
def _cuts(lines: int) -> tuple[Ints, Ints]:
    """Ways to cut an order, fewest packages first: the packages, filled up with nothing, and that of each line. ``[B, n]`` both."""
    found: list[list[int]] = [[]]
    for line in range(lines):
        bit = 1 << (lines - 1 - line)
        joined = [
            [each | bit if at == place else each for at, each in enumerate(cut)] for cut in found for place in range(len(cut))
        ]
        found = joined + [[*cut, bit] for cut in found]
    found.sort(key=len)
    packages_of = np.array([cut + [0] * (lines - len(cut)) for cut in found])
    held = packages_of[:, :, None] >> np.arange(lines)[::-1] & 1  # [B, packages, n]
    return packages_of, np.take_along_axis(packages_of, held.argmax(axis=1), axis=1)


def table_of(pool: Pool, back_order_cents: float) -> Table:
    """The table of a pool, with one more location, where every unit waits for so much; what waits is one more package.

    Raises:
        ValueError: The pool has several markets, weights, or more lines than ``LINES_MAX``.
    """
    if pool.market.any() or (pool.weight != 1).any():
        raise ValueError("orders that are planned together are of one market, and each is one")
    _check_lines(pool.lines)
    cents = packages(pool.line_cents.transpose(2, 1, 0)) + pool.package_cents.T[:, None]
    return _with_waiting(pool.items.T, pool.units.T, cents, np.full(pool.orders, pool.split_cents), back_order_cents)


def table_of_orders(orders: Sequence[Instance], items: Ints, back_order_cents: float) -> Table:
    """The same of single orders of equally many lines, and the items of these ``[R, n]``: with postage, and what stays together.

    Lines travel whole, in as many packages as pay off. What stays together also waits together.

    Raises:
        ValueError: There are more lines than ``LINES_MAX``, or an order may not have as many packages as lines.
    """
    _check_lines(items.shape[1])
    if any(order.packages_max is not None and order.packages_max < items.shape[1] for order in orders):
        raise ValueError("orders that may have only so many packages are not planned together with others")
    table = _with_waiting(
        items,
        np.stack([order.wanted for order in orders]),
        np.stack([_order_cents(order) for order in orders]),
        np.array([order.split_cents for order in orders]),
        back_order_cents,
    )
    table.cents[np.stack([_apart(order) for order in orders])] = np.inf
    return table


def packages(lines: Floats) -> Floats:
    """The sums of all packages of these lines ``[R, n, L]``, numbered as the states of ``subsets``. ``[R, 2**n - 1, L]``."""
    orders, count, locations = lines.shape
    sums = np.empty((orders, 2**count - 1, locations))
    for index in range(count):
        line, before = lines[:, count - 1 - index], 2**index - 1  # the last line has the lowest bit
        sums[:, before] = line
        np.add(sums[:, :before], line[:, None], out=sums[:, before + 1 : 2 * before + 1])
    return sums


def _holds(lines: int) -> Ints:
    """Which lines are in each package, one or none of each. ``[2**n - 1, n]``."""
    return partitions((2,) * lines).lots[1:]


def _check_lines(lines: int) -> None:
    if lines > LINES_MAX:
        raise ValueError(f"orders of at most {LINES_MAX} lines are planned together, not of {lines}")


def _with_waiting(items: Ints, units: Ints, cents: Floats, split_cents: Floats, back_order_cents: float) -> Table:
    waiting = packages(units[..., None] * np.float64(back_order_cents)) + split_cents[:, None, None]
    return Table(
        items=np.ascontiguousarray(items),
        units=np.ascontiguousarray(units),
        cents=np.concatenate([cents, waiting], axis=2),
        split_cents=split_cents,
    )


def _order_cents(order: Instance) -> Floats:
    """What every package of an order costs from every location. ``[2**n - 1, L]``."""
    holds = _holds(len(order.wanted))
    units = holds * order.wanted
    many = units.sum(axis=1)
    cents = order.package_cents + order.split_cents + units @ order.unit_cents.T
    cents += order.postage.cents(units @ order.grams, many)[order.lane].T
    missing = (units[:, None] > order.stock).any(axis=2) | (many[:, None] > order.room)
    return np.where(missing, np.inf, cents)


def _apart(order: Instance) -> NDArray[np.bool_]:
    """Which packages hold some of what stays together, and not all of it. ``[2**n - 1]``."""
    holds = _holds(len(order.wanted)).astype(bool)
    apart = np.zeros(len(holds), dtype=bool)
    for lines in order.together:
        held = holds[:, list(lines)]
        apart |= held.any(axis=1) & ~held.all(axis=1)
    return apart
