"""What the last unit is worth elsewhere: prices of scarce stock and room, and what no plan of all orders can be below.

The prices are the dual of the configuration program, in which every order chooses one of its plans: the Lagrangian of shared stock
and room. Its value at any prices is a lower bound. They climb by Adam (Kingma and Ba 2015), which gives every price a step of its
own: with one step for all, prices of items that move at different rates stall. The steps shrink, so as to end on a corner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.domain.plans.instance import Floats, Ints
from gateway.domain.plans.pool import Pool, best, used

ROUNDS: Final = 200
FIRST_STEP: Final = 0.4
LAST_STEP: Final = 0.003  # of the first
MOMENTUM: Final = 0.8
MEMORY: Final = 0.9  # of how large the excess was lately
ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prices:
    """Prices in cents, by market.

    Attributes:
        pi: Of a unit of stock. ``[B, L, K]``
        kappa: Of a unit of room, whatever the item. ``[B, L]``
        bound_cents: No plan of all orders of the market costs less, each counted as often as it is weighted. Orders that no
            location can serve are left out. ``[B]``
    """

    pi: Floats
    kappa: Floats
    bound_cents: Floats


def dual_ascent(
    pools: Sequence[Pool],
    stock: Ints | Floats,
    room: Ints | Floats | None = None,
    *,
    start: Prices | None = None,
    step_cents: float | None = None,
    rounds: int = ROUNDS,
    last_step: float = LAST_STEP,
    averaged: int = 0,
) -> Prices:
    """The best bound of so many rounds, and the prices that have it; the same for the same input.

    Args:
        pools: The orders of all markets.
        stock: Units of each item, finite. ``[L, K]``, or by market ``[B, L, K]``.
        room: Units that each location may send altogether, finite; None: any number. ``[L]`` or ``[B, L]``.
        start: Prices to begin with; zero where left out.
        step_cents: How far a price moves in the first round; where left out as far as is right from zero prices.
        rounds: How often all orders are priced.
        last_step: The last step as a share of the first.
        averaged: Where not 0, the prices are the average after each of so many last rounds: amid the best ones, not in a corner.
    """
    shelves = np.asarray(stock, dtype=np.float64)
    shelves = shelves if shelves.ndim == 3 else shelves[None]
    rooms = None if room is None else np.broadcast_to(np.asarray(room, dtype=np.float64), shelves.shape[:2])
    unproven = np.full(len(shelves), -np.inf)
    pi, kappa = (np.zeros(shelves.shape), np.zeros(shelves.shape[:2])) if start is None else (start.pi, start.kappa)
    found = Prices(pi=pi, kappa=kappa, bound_cents=unproven)
    climb, room_climb = Climb(pi.shape), Climb(kappa.shape)
    step = first_step(pools) if step_cents is None else step_cents
    mean_pi, mean_kappa = np.zeros_like(pi), np.zeros_like(kappa)
    for number, each in enumerate(step * last_step ** np.linspace(0, 1, rounds)):
        cents, taken = _priced(pools, pi, kappa, shelves.shape)
        worth = (pi * shelves).sum(axis=(1, 2)) + (0.0 if rooms is None else (kappa * rooms).sum(axis=1))
        found = _better(found, Prices(pi=pi, kappa=kappa, bound_cents=cents - worth))
        pi = climb.up(pi, taken - shelves, each)
        if rooms is not None:
            kappa = room_climb.up(kappa, taken.sum(axis=2) - rooms, each)
        if number >= rounds - averaged:
            mean_pi += pi / averaged
            mean_kappa += kappa / averaged
    return Prices(pi=mean_pi, kappa=mean_kappa, bound_cents=found.bound_cents) if averaged else found


class Climb:
    """Where the prices of one kind are heading."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._heading, self._square, self._fresh = np.zeros(shape), np.zeros(shape), 1.0

    def up(self, price: Floats, excess: Floats, step_cents: float) -> Floats:
        """Dearer where more is asked than there is, cheaper where less; never below nothing."""
        self._heading += (1 - MOMENTUM) * (excess - self._heading)
        self._square += (1 - MEMORY) * (excess**2 - self._square)
        self._fresh *= MEMORY
        usual = np.sqrt(self._square / (1 - self._fresh)) + ROUNDING
        return np.maximum(0.0, price + step_cents * self._heading / usual)


def _better(one: Prices, other: Prices) -> Prices:
    """By market, those with the better bound."""
    better = other.bound_cents > one.bound_cents
    return Prices(
        pi=np.where(better[:, None, None], other.pi, one.pi),
        kappa=np.where(better[:, None], other.kappa, one.kappa),
        bound_cents=np.where(better, other.bound_cents, one.bound_cents),
    )


def first_step(pools: Sequence[Pool]) -> float:
    """How far prices that begin at zero may move at first: a part of what the cheapest package of an order costs, on average."""
    cheapest = [pool.package_cents.min(axis=0) for pool in pools if pool.orders]
    return FIRST_STEP * float(np.concatenate(cheapest).mean()) if cheapest else 0.0


def _priced(pools: Sequence[Pool], pi: Floats, kappa: Floats, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """The cents of all orders by market, and the units that they would take. ``[B]``, ``[B, L, K]``."""
    cents, taken = np.zeros(shape[0]), np.zeros(shape)
    for pool in pools:
        priced = best(pool, pi, kappa)
        weight = np.where(np.isfinite(priced.cents), pool.weight, 0.0)
        cents += np.bincount(pool.market, weights=weight * np.where(weight > 0, priced.cents, 0.0), minlength=shape[0])
        taken += used(pool, priced.locations, shape=shape, weight=weight)
    return cents, taken
