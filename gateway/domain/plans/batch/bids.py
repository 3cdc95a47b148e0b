"""What stock and room are worth to a wave: prices that climb where more is asked for than there is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gateway.domain.plans.batch.waves import Wave
from gateway.domain.plans.instance import Floats, Ints
from gateway.domain.plans.prices import Climb

KeepGoing = Callable[[], bool]
"""Asked often; False: come to an end with what there is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bids:
    """Prices in cents, and what they prove.

    Attributes:
        pi: Of a unit of stock. ``[K, L]``
        kappa: Of a unit of room, whatever the item. ``[L]``
        bound_cents: No plan of all orders costs less.
    """

    pi: Floats
    kappa: Floats
    bound_cents: float = -np.inf

    @property
    def cents(self) -> Floats:
        """Of a unit that is sent. ``[K, L]``."""
        return self.pi + self.kappa

    def of(self, goods: Ints) -> "Bids":
        """Those of some items."""
        return Bids(pi=self.pi[goods], kappa=self.kappa)

    def over(self, goods: Ints, newer: "Bids") -> "Bids":
        """These, with newer ones for some items and for all room."""
        pi = self.pi.copy()
        pi[goods] = newer.pi
        return Bids(pi=pi, kappa=newer.kappa)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """How prices climb: in so many ``rounds``, at first by ``first_cents`` a round, in the end by ``last`` of that."""

    rounds: int
    first_cents: float
    last: float


def climbed(wave: Wave, bids: Bids, steps: Steps, keep_going: KeepGoing) -> Bids:
    """The bids with the best bound of some rounds; of one at least."""
    pi_climb, kappa_climb = Climb(bids.pi.shape), Climb(bids.kappa.shape)
    best = now = bids
    for step_cents in steps.first_cents * steps.last ** np.linspace(0, 1, steps.rounds):
        choices = wave.cheapest(now.cents)
        worth_cents = (now.pi * wave.stock).sum() + (now.kappa * wave.room).sum()
        now = Bids(pi=now.pi, kappa=now.kappa, bound_cents=sum(float(each.cents.sum()) for each in choices) - float(worth_cents))
        best = max(best, now, key=lambda each: each.bound_cents)
        if not keep_going():
            break
        taken = wave.taken([each.locations for each in choices])
        now = Bids(
            pi=pi_climb.up(now.pi, (taken - wave.stock).astype(np.float64), step_cents),
            kappa=kappa_climb.up(now.kappa, (taken.sum(axis=0) - wave.room).astype(np.float64), step_cents),
        )
    return best
