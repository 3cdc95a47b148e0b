"""Many sequences of arrivals, each order decided when it comes, at the speed of a table.

What is decided for an order depends on prices and on which shelves are empty, and both seldom change. So there is a plan for every
order that may come, which is looked up, and only the plans that use a shelf are made again when it has gone empty.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

import numpy as np

from gateway.domain.plans.instance import Floats, Ints
from gateway.domain.plans.pool import Pool, sent_cents
from tests.benchmarks.routing.world import World

Advance = Callable[[], object]


class Desk(Protocol):
    """Decides. What it chooses must still be its choice when a shelf that the plan does not use has gone empty, unless it
    ``sees_all``: then only what goes empty of other items may not matter."""

    sees_all: bool

    def reopen(self, at: int, stock: Floats) -> None:
        """So many orders have come in each sequence, and this is left. ``[sequences, L, K]``."""

    def locations(self, pool: Pool, orders: Ints, stock: Floats) -> Ints:
        """Where each line of these orders comes from ``[n, R]``.

        The market of an order in ``pool`` is its sequence, and ``orders`` says which it is of those with as many lines.
        """


class _Run:
    """One sequence: what is left, what it has cost, and the plan for every order."""

    def __init__(self, world: World, arrivals: Ints) -> None:
        self.stock: list[int] = world.stock.ravel().tolist()
        self.cents = 0.0
        self.shelves: list[Iterable[int]] = [()] * (world.orders + 1)
        self.costs = [0.0] * (world.orders + 1)
        self._arrivals = arrivals.tolist()
        self._at = 0

    def advance(self, until: int) -> list[int]:
        """Serve orders until one has emptied shelves, which are returned, or so many have come."""
        stock, shelves, costs, arrivals = self.stock, self.shelves, self.costs, self._arrivals
        cents, at, empty = self.cents, self._at, False
        while at < until and not empty:
            order = arrivals[at]
            at += 1
            cents += costs[order]
            for shelf in shelves[order]:
                stock[shelf] -= 1
                empty = empty or not stock[shelf]
        self.cents, self._at = cents, at
        return [shelf for shelf in shelves[order] if not stock[shelf]] if empty else []


def replayed(world: World, desk: Desk, epochs: Iterable[int], advance: Advance = lambda: None) -> Floats:
    """What each sequence costs in cents; at each epoch the desk is reopened and all plans are made anew."""
    runs = [_Run(world, arrivals) for arrivals in world.arrivals]
    plans = _Plans(world, runs, desk)
    for begin, end in pairwise([*epochs, world.arrivals.shape[1]]):
        desk.reopen(begin, plans.stock)
        plans.make()
        live = list(enumerate(runs))
        while live:
            emptied = {number: run.advance(end) for number, run in live}
            live = [(number, run) for number, run in live if emptied[number]]
            plans.repair(emptied)
        advance()
    return np.array([run.cents for run in runs])


class _Plans:
    """The plans of all orders of all runs: as arrays, so that they are made together, and handed to the runs as lists."""

    def __init__(self, world: World, runs: list[_Run], desk: Desk) -> None:
        self._world, self._runs, self._desk = world, runs, desk
        self._kind = [np.tile(np.arange(pool.orders), len(runs)) for pool in world.pools]
        self._run = [np.repeat(np.arange(len(runs)), pool.orders) for pool in world.pools]
        self._shelves = [
            np.zeros((pool.lines, len(kind)), dtype=np.int64) for pool, kind in zip(world.pools, self._kind, strict=True)
        ]

    @property
    def stock(self) -> Floats:
        """What is left. ``[sequences, L, K]``."""
        return np.array([run.stock for run in self._runs], dtype=np.float64).reshape(-1, *self._world.stock.shape)

    def make(self) -> None:
        """All of them."""
        stock = self.stock
        for lot, kinds in enumerate(self._kind):
            self._plan(lot, np.arange(len(kinds)), stock)

    def repair(self, emptied: dict[int, list[int]]) -> None:
        """Those that take something from a shelf that is empty now, or would look at it."""
        gone = np.zeros((len(self._runs), self._world.stock.size), dtype=bool)
        for number, shelves in emptied.items():
            gone[number, shelves] = True
        stock = self.stock
        items = np.asarray(gone.reshape(-1, *self._world.stock.shape).any(axis=1))
        for lot, taken in enumerate(self._shelves):
            of_run = self._run[lot]
            wanted = self._world.pools[lot].items[:, self._kind[lot]]
            touched = items[of_run, wanted] if self._desk.sees_all else gone[of_run, taken]
            self._plan(lot, np.flatnonzero(touched.any(axis=0)), stock)

    def _plan(self, lot: int, rows: Ints, stock: Floats) -> None:
        if not len(rows):
            return
        kinds, of_run = self._kind[lot][rows], self._run[lot][rows]
        pool = replace(self._world.pools[lot].of(kinds), market=of_run)
        locations = self._desk.locations(pool, kinds, stock)
        shelves = locations * self._world.stock.shape[1] + pool.items
        self._shelves[lot][:, rows] = shelves
        cents, start = sent_cents(pool, locations), self._world.starts[lot]
        for number, kind, cost, taken in zip(of_run.tolist(), kinds.tolist(), cents.tolist(), shelves.T.tolist(), strict=True):
            run = self._runs[number]
            run.costs[start + kind] = cost
            run.shelves[start + kind] = taken
