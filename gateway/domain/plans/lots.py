"""An order cut into lots, and what every location asks for every part of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.domain.plans.instance import Floats, Instance, Ints
from gateway.domain.plans.subsets import Shape, pairs_of, partitions, states_of

Bools = NDArray[np.bool_]

IMPOSSIBLE_CENTS: Final = 2.0**40
"""What is at least so dear cannot be done. Not infinity: it is multiplied by zero where it does not matter."""
FORBIDDEN_CENTS: Final = 2 * IMPOSSIBLE_CENTS
"""What is asked for what cannot be done: still impossible, whatever is saved elsewhere."""
PACKAGE_CENTS: Final = 2.0**-16
"""Added for each package: of plans that cost the same, the one with fewest packages. It leaves sums of whole cents exact."""

# Instead of another large array to be added to a product, there may be more to multiply, which has to be prepared.
FACTORED_CELLS_MIN: Final = 16_000
FACTORED_LANES_MAX: Final = 32
ALONE_STEPS_MAX: Final = 250_000
"""Of a product that BLAS makes without another thread, for which it may wait longer than for all of it where cores are busy."""

ONE_LOT: Final[Shape] = (2,)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """How the lines of an order move: unit by unit, or whole, or several together. m of them, those of most lots first.

    Attributes:
        shape: One more than the lots of each.
        lines: Which lines those are.
        firsts: The first line of each. ``[m]``
        units: Of each line in one lot. ``[m, n]``
        by_unit: Each lot is one unit of one line.
    """

    shape: Shape
    lines: tuple[Ints, ...]
    firsts: Ints
    units: Ints
    by_unit: bool

    @classmethod
    def of(cls, instance: Instance) -> "Cut":
        """As its rules allow."""
        return _cut(instance.wanted.tobytes(), instance.together, whole_lines=instance.whole_lines)

    def lots_of(self, units: Ints) -> Ints:
        """In lots, what is units of each line. ``[k, n]`` → ``[k, m]``."""
        lots: Ints = units[:, self.firsts] // self.units[np.arange(len(self.firsts)), self.firsts]
        return lots


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Offers:
    """An instance in lots: what each of L locations has, and asks.

    Attributes:
        stock: Lots that it may send. ``[m, L]``
        lot_cents: ``[m, L]``
        package_cents: As if it were not the first, with what tells equals apart. ``[L]``
    """

    instance: Instance
    cut: Cut
    stock: Ints
    lot_cents: Floats
    package_cents: Floats

    # Whoever asks why asks about what was solved last.
    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, instance: Instance) -> "Offers":
        """Cut it."""
        cut = Cut.of(instance)
        stock, cents = instance.stock.T, instance.unit_cents.T
        if cut.by_unit:
            stock, cents = stock[cut.firsts], cents[cut.firsts]
        else:
            each = zip(cut.lines, cut.units, strict=True)
            stock = np.stack([(stock[lines] // units[lines, None]).min(axis=0) for lines, units in each])
            cents = cut.units @ cents
        package_cents = instance.package_cents + (instance.split_cents + PACKAGE_CENTS)
        return cls(instance=instance, cut=cut, stock=stock, lot_cents=cents, package_cents=package_cents)

    @property
    def packages_max(self) -> int | None:
        """How many packages there may be, where that is fewer than there are lots."""
        most, lots = self.instance.packages_max, sum(self.cut.shape) - len(self.cut.shape)
        return most if most is not None and most < lots else None

    @property
    def cells(self) -> int:
        """How many costs there are: of each part from each location."""
        return states_of(self.cut.shape) * len(self.package_cents)

    @property
    def pairs(self) -> int:
        """How much work there is for each location, at most."""
        return pairs_of(self.cut.shape)

    def only(self, locations: Ints) -> "Offers":
        """Those of some locations."""
        instance = self.instance
        fewer = replace(
            instance,
            stock=instance.stock[locations],
            room=instance.room[locations],
            package_cents=instance.package_cents[locations],
            unit_cents=instance.unit_cents[locations],
            lane=instance.lane[locations],
            miles=instance.miles[locations],
            rank=instance.rank[locations],
        )
        return Offers.of(fewer)

    def cents_of(self, locations: Ints, lots: Ints) -> Floats:
        """What packages of so many lots ``[k, m]`` cost from these locations, if they can send them. ``[k]``."""
        instance, units = self.instance, lots @ self.cut.units
        cents: Floats = self.package_cents[locations] + (lots * self.lot_cents[:, locations].T).sum(axis=1)
        if not instance.postage.free:
            postage = instance.postage.cents(units @ instance.grams, units.sum(axis=1))
            cents += postage[instance.lane[locations], np.arange(len(locations))]
        return cents

    def costs(self, *, however_little: bool = False) -> Floats:
        """What each part costs from each location, impossible where it cannot be sent. ``[S, L]``.

        The first row, for sending nothing, says nothing. ``however_little``: as if there were stock and room for everything.
        """
        terms, instance, many = _terms(self.cut.shape), self.instance, len(self.cut.shape)
        rows = np.zeros((terms.counts.shape[1], len(self.package_cents)))
        rows[-1] = self.package_cents
        if however_little:
            rows[:many] = self.lot_cents
        else:
            rows[:many] = np.where(self.stock > 0, self.lot_cents, FORBIDDEN_CENTS)
            if len(terms.more_of):
                rows[many:-1][self.stock[terms.more_of] == terms.lots_before] = FORBIDDEN_CENTS
        units = _units(self.cut)
        grams = partitions(self.cut.shape).lots @ (self.cut.units @ instance.grams)
        costs = _with_postage(terms.counts, rows, instance.postage.cents(grams, units).T, instance.lane)
        if not however_little and instance.room.min() < units[-1]:
            costs += FORBIDDEN_CENTS * (units[:, None] > instance.room)
        return costs


def unsplit(instance: Instance) -> bool:
    """Whether everything has to come from one location."""
    return instance.packages_max == 1 or Cut.of(instance).shape == ONE_LOT


def priced(instance: Instance, units: Ints) -> tuple[Floats, Bools]:
    """What a package of these units costs from each location, whatever it has; and which of them can send it. ``[L]`` both."""
    postage, count = instance.postage, units.sum()
    cents = instance.unit_cents @ units + instance.package_cents
    if not postage.free:
        cents += postage.cents((units @ instance.grams)[None], count[None])[:, 0].take(instance.lane)
    able = np.logical_and.reduce(instance.stock >= units, axis=1)
    able &= instance.room >= count
    able &= cents < IMPOSSIBLE_CENTS
    return cents, able


# It is asked for to solve an order, and again to say why.
@lru_cache(maxsize=2)
def priced_whole(instance: Instance) -> tuple[Floats, Bools]:
    """The same of all that is wanted. Only to be read."""
    return priced(instance, instance.wanted)


@lru_cache(maxsize=4096)
def _cut(wanted: bytes, together: Sequence[Sequence[int]], *, whole_lines: bool) -> Cut:
    units = np.frombuffer(wanted, dtype=np.int64)
    grouped = {line for group in together for line in group}
    alone = [(1 if whole_lines else many, [line]) for line, many in enumerate(units.tolist()) if line not in grouped]
    found = sorted(alone + [(1, sorted(group)) for group in together if group], key=lambda each: (-each[0], each[1]))
    matrix = np.zeros((len(found), len(units)), dtype=np.int64)
    for row, (lots, lines) in zip(matrix, found, strict=True):
        row[lines] = units[lines] // lots
    return Cut(
        shape=tuple(lots + 1 for lots, _ in found),
        lines=tuple(np.array(lines) for _, lines in found),
        firsts=np.array([lines[0] for _, lines in found]),
        units=matrix,
        by_unit=len(found) == len(units) == matrix.sum(),
    )


def _with_postage(counts: Floats, rows: Floats, postage: Floats, lane: Ints) -> Floats:
    """The product of ``counts`` ``[S, k]`` and ``rows`` ``[k, L]``, and the ``postage`` ``[S, lanes]`` of each location's lane."""
    lanes = postage.shape[1]
    if len(counts) * len(lane) < FACTORED_CELLS_MIN or lanes > FACTORED_LANES_MAX:
        costs = _product(counts, rows)
        costs += postage.take(lane, axis=1)
        return costs
    by_lane = lane == np.arange(lanes)[:, None]
    return _product(np.hstack((counts, np.minimum(postage, FORBIDDEN_CENTS))), np.vstack((rows, by_lane)))


def _product(left: Floats, right: Floats) -> Floats:
    """The product of two matrices, a few rows at a time."""
    found = np.empty((len(left), right.shape[1]))
    step = max(ALONE_STEPS_MAX // right.size, 1)
    for begin in range(0, len(left), step):
        np.matmul(left[begin : begin + step], right, out=found[begin : begin + step])
    return found


@lru_cache(maxsize=64)
def _units(cut: Cut) -> Ints:
    """How many units each part has. ``[S]``."""
    units: Ints = partitions(cut.shape).lots @ cut.units.sum(axis=1)
    return units


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Terms:
    """The costs of all parts are the product of ``counts`` ``[S, rows]`` and of rows by location.

    Each of the m lines has a row that says what any of its lots costs, and is impossible where there is none. Each further lot
    ``[rows − m − 1]`` has one that is impossible where there are just the lots before it, of line ``more_of``. The last row is the
    package.
    """

    counts: Floats
    more_of: Ints
    lots_before: Ints


@lru_cache(maxsize=64)
def _terms(shape: Shape) -> _Terms:
    lots, many = partitions(shape).lots, np.array(shape)
    more_of = np.repeat(np.arange(len(shape)), many - 2)
    lots_before = np.concatenate([np.arange(1, levels - 1) for levels in shape])
    package = np.ones((len(lots), 1))
    return _Terms(
        counts=np.hstack([lots, lots[:, more_of] > lots_before, package]), more_of=more_of, lots_before=lots_before[:, None]
    )
