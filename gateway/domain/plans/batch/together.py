"""The plan of a wave, and how far it may be from the best there is."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gateway.domain.plans.batch.bids import Bids, KeepGoing, Steps, climbed
from gateway.domain.plans.batch.dives import dived
from gateway.domain.plans.batch.neighborhoods import improved
from gateway.domain.plans.batch.waves import Plans, Wave
from gateway.domain.plans.instance import Floats, Ints

WAITING: Final = -1
"""The location of lines that wait."""
EFFORT: Final = 100
ROUNDS: Final = 100
FIRST_STEP: Final = 0.4  # of what a package costs
LAST_STEP: Final = 0.003  # of the first
DIVE_ROUNDS: Final = 10
DIVE_STEP: Final = 0.06  # of what a package costs
DIVE_LAST_STEP: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchPlan:
    """Where all orders come from, together possible.

    Attributes:
        plans: The location of each line of each table's orders, or ``WAITING``. ``[R, n]`` each.
        cents: What all packages cost, and all waiting.
        bound_cents: No plan costs less.
        pi: What one more unit of stock would be worth, about. ``[L, K]``
        kappa: What one more unit of room would be worth, about. ``[L]``
    """

    plans: tuple[Ints, ...]
    cents: float
    bound_cents: float
    pi: Floats
    kappa: Floats

    @property
    def gap(self) -> float:
        """How much more than the bound it costs, as a part of the bound."""
        return (self.cents - self.bound_cents) / abs(self.bound_cents) if self.cents > self.bound_cents else 0.0


def plan_together(
    wave: Wave, *, generator: np.random.Generator, effort: int = EFFORT, keep_going: KeepGoing = lambda: True
) -> BatchPlan:
    """Plan all orders with what there is; the same for the same input, as long as it is let go on.

    Args:
        wave: The orders. Lines wait where nothing is left, or where that costs less.
        generator: Chooses what is planned anew.
        effort: How often some orders are planned anew.
        keep_going: Asked many times; once it says no, what is missing is planned in a hurry.
    """
    free = Bids(pi=np.zeros(wave.stock.shape), kappa=np.zeros(wave.room.shape))
    if not wave.orders:
        return _batch_plan(wave, replace(free, bound_cents=0.0), [table.items for table in wave.tables])
    package_cents = _package_cents(wave)
    steps = Steps(rounds=ROUNDS, first_cents=FIRST_STEP * package_cents, last=LAST_STEP)
    bids = climbed(wave, free, steps, keep_going)
    again = Steps(rounds=DIVE_ROUNDS, first_cents=DIVE_STEP * package_cents, last=DIVE_LAST_STEP)
    plans = dived(wave, bids, again, keep_going)
    plans = improved(wave, plans, bids, again, generator, effort=effort, keep_going=keep_going)
    return _batch_plan(wave, bids, plans)


def _batch_plan(wave: Wave, bids: Bids, plans: Plans) -> BatchPlan:
    return BatchPlan(
        plans=tuple(np.where(each == wave.waiting, WAITING, each) for each in plans),
        cents=wave.sent_cents(plans),
        bound_cents=bids.bound_cents,
        pi=bids.pi[:, :-1].T,
        kappa=bids.kappa[:-1],
    )


def _package_cents(wave: Wave) -> float:
    """What the cheapest package of an order costs, on average, whether it costs or saves."""
    cheapest = [table.cents.min(axis=(1, 2)) for table in wave.tables]
    return float(np.abs(np.concatenate(cheapest)).mean())
