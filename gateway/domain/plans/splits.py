"""The location-by-location program: the cheapest plan in which no location sends two packages."""

from functools import lru_cache
from itertools import pairwise

import numpy as np

from gateway.domain.plans.instance import Floats, Ints
from gateway.domain.plans.lots import IMPOSSIBLE_CENTS
from gateway.domain.plans.subsets import INDEX, Shape, partitions

Sent = list[tuple[int, int]]
"""Which location sends which part: a column of the costs, and a state."""


def cheapest_split(costs: Floats, shape: Shape, packages_max: int | None = None) -> Sent:
    """The cheapest plan of everything, the lowest columns first; empty where there is none.

    After each location there is known, for every state, the least cost of sending it from the locations so far:
    ``least[r] = min over parts u of r of before[r − u] + costs[u, l]``, any units of any lines, whatever costs are like.

    Args:
        costs: Of each part from each location. ``[S, L]``
        shape: Of the states.
        packages_max: How many packages there may be; None: any number.
    """
    states, starts, parts, rests = _every_part(shape)
    # By how many packages there have been, if that matters.
    least = np.full((1 if packages_max is None else packages_max + 1, len(costs)), np.inf)
    least[:, 0] = 0
    steps = [least]
    for column in costs.T:
        fewer = least if packages_max is None else least[:-1]
        sending = np.minimum.reduceat(fewer[:, rests] + column[parts], starts, axis=1)
        least = least.copy()
        within = least if packages_max is None else least[1:]
        within[:, states] = np.minimum(within[:, states], sending)
        steps.append(least)
    return _sent(costs, steps, shape) if least[-1, -1] < IMPOSSIBLE_CENTS else []


def _sent(costs: Floats, steps: list[Floats], shape: Shape) -> Sent:
    """Walk back from everything sent to nothing sent."""
    found: Sent = []
    allowed, state = len(steps[0]) - 1, len(costs) - 1
    lots = partitions(shape).lots
    for location, (before, after) in reversed(list(enumerate(pairwise(steps)))):
        if after[allowed, state] == before[allowed, state]:
            continue
        allowed -= len(before) > 1
        parts = np.flatnonzero((lots[: state + 1] <= lots[state]).all(axis=1))[1:]
        part = int(parts[(before[allowed, state - parts] + costs[parts, location]).argmin()])
        found.append((location, part))
        state -= part
    return found[::-1]


# One of them may be some megabytes; few orders need any.
@lru_cache(maxsize=8)
def _every_part(shape: Shape) -> tuple[Ints, Ints, Ints, Ints]:
    """All states but the first, where the parts of each begin, the parts, and what each leaves."""
    state = part = np.zeros(1, dtype=np.int64)
    for levels in shape:
        has, gives = np.tril_indices(levels)
        state, part = np.add.outer(state * levels, has).ravel(), np.add.outer(part * levels, gives).ravel()
    order = np.lexsort((part, state))
    state, part = state[order][part[order] > 0], part[order][part[order] > 0]
    states, starts = np.unique(state, return_index=True)
    return states, starts, part.astype(INDEX), (state - part).astype(INDEX)
