"""An order as if a location could send any number of packages: never dearer than the truth, and mostly the truth."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat

import numpy as np

from gateway.domain.plans.instance import Floats, Ints
from gateway.domain.plans.lots import FORBIDDEN_CENTS, IMPOSSIBLE_CENTS, Offers
from gateway.domain.plans.splits import Sent, cheapest_split
from gateway.domain.plans.subsets import Shape, cheapest, pairs_of, partition, partition_within, partitions, trace


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relaxation:
    """Each part from where it is cheapest, and the order from the parts that are cheapest together.

    Attributes:
        costs: Of each part from each location. ``[S, L]``
        where: The location from which each part is cheapest, the first of equals. ``[S]``
        part_cents: What it costs from there. ``[S]``
        best: The least cost of every state, ``[S]``; or, where packages are limited, in at most 0, 1, … packages, ``[k, S]``.
        first: A part of a cheapest partition of every state; None: not known.
    """

    shape: Shape
    costs: Floats
    packages_max: int | None
    where: Ints
    part_cents: Floats
    best: Floats
    first: list[int] | None

    @classmethod
    def of(cls, costs: Floats, shape: Shape, packages_max: int | None) -> "Relaxation":
        """Relax it. ``packages_max`` is at least 1; None: any number."""
        where = costs.argmin(axis=1)
        return cls.at(where, costs[np.arange(len(where)), where], costs, shape, packages_max)

    @classmethod
    def at(cls, where: Ints, part_cents: Floats, costs: Floats, shape: Shape, packages_max: int | None) -> "Relaxation":
        """The same, when it is known where each part is cheapest and what it costs from there."""
        table, first = partitions(shape), None
        if packages_max is not None:
            best = partition_within(part_cents, shape, packages_max)
        elif table.by_hand:
            by_hand, first = cheapest(part_cents.tolist(), table)
            best = np.array(by_hand)
        else:
            best = partition(part_cents, shape)
        return cls(shape=shape, costs=costs, packages_max=packages_max, where=where, part_cents=part_cents, best=best, first=first)

    @property
    def cents(self) -> float:
        """No plan costs less."""
        return float(self.best[..., -1].min())

    @property
    def rest_cents(self) -> Floats:
        """What every part leaves to other packages costs at least. ``[S]``."""
        return (self.best if self.packages_max is None else self.best[-2])[::-1]

    def sent(self, state: int, packages: int = 0) -> Sent:
        """A cheapest way to send that state after so many packages; a location may be in it twice."""
        if self.first is not None:
            found = []
            while state:
                found.append((int(self.where[self.first[state]]), self.first[state]))
                state -= self.first[state]
            return found
        rests = repeat(self.best) if self.packages_max is None else self.best[: self.packages_max - packages][::-1]
        return [(int(self.where[part]), part) for part in trace(self.part_cents, rests, self.shape, state)]

    def plan(self, effort: int) -> tuple[Sent, bool]:
        """The cheapest plan in which no location sends twice, and whether nothing is cheaper; empty: none was found.

        ``effort`` is how many pairs of a state and a part of it may be looked at.
        """
        if self.cents >= IMPOSSIBLE_CENTS:
            return [], True
        relaxed = self.sent(len(self.costs) - 1)
        if distinct(relaxed):
            return relaxed, True
        found, limit = self._each_elsewhere(relaxed)
        needed = np.flatnonzero((self.costs[1:] + self.rest_cents[1:, None]).min(axis=0) <= limit)
        if len(needed) * pairs_of(self.shape) > effort:
            return found, False
        split = cheapest_split(self.costs[:, needed], self.shape, self.packages_max)
        return [(int(needed[column]), part) for column, part in split], True

    def after(self, part: int, location: int) -> "Relaxation":
        """What a location that sends that part leaves to the others, as an order of its own; it leaves something."""
        lots = partitions(self.shape).lots
        left = lots[-1] - lots[part]
        costs = self.costs[(lots <= left).all(axis=1)]
        costs[:, location] = FORBIDDEN_CENTS
        return Relaxation.of(costs, tuple((left + 1).tolist()), None if self.packages_max is None else self.packages_max - 1)

    def _each_elsewhere(self, relaxed: Sent) -> tuple[Sent, float]:
        """The same parts, each from another location, and what that costs; where that does not work, nothing, and no limit."""
        taken: list[int] = []
        found, total = [], 0.0
        for part in sorted((part for _, part in relaxed), key=self._regret_cents, reverse=True):
            cents = self.costs[part].copy()
            cents[taken] = FORBIDDEN_CENTS
            taken.append(int(cents.argmin()))
            total += float(cents[taken[-1]])
            found.append((taken[-1], part))
        return (found, total) if total < IMPOSSIBLE_CENTS else ([], IMPOSSIBLE_CENTS)

    def _regret_cents(self, part: int) -> float:
        """What a part costs more if it may not come from where it is cheapest."""
        first, second = np.partition(self.costs[part], 1)[:2] if self.costs.shape[1] > 1 else (0.0, 0.0)
        return float(second - first)


# Whoever asks why asks about what was solved last.
@lru_cache(maxsize=2)
def relaxed(offers: Offers) -> Relaxation:
    """All of it, with whatever is at the locations."""
    return Relaxation.of(offers.costs(), offers.cut.shape, offers.packages_max)


def distinct(sent: Sent) -> bool:
    """Whether no location sends twice."""
    return len({location for location, _ in sent}) == len(sent)
