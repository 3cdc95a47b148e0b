"""Settle the most certain orders at the prices of now, let prices find themselves anew for the rest, and go on until none is left.

So do Caprara, Fischetti and Toth (1999) for covering problems: prices that were right before the certain orders had theirs are
wrong for the few that are left, which are those that matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.domain.plans.batch.bids import Bids, KeepGoing, Steps, climbed
from gateway.domain.plans.batch.waves import Plans, Wave
from gateway.domain.plans.instance import Floats, Ints

SETTLED: Final = 0.15  # of the orders that are left, at most, each time
FEW: Final = 12  # which are settled at once


def dived(wave: Wave, bids: Bids, steps: Steps, keep_going: KeepGoing) -> Plans:
    """A plan for every order, all together possible. ``bids`` are of all items, and right for this wave."""
    plans = [np.empty_like(table.items) for table in wave.tables]
    left = [np.arange(len(table.items)) for table in wave.tables]
    rest = wave.part(left, wave.stock, wave.room)
    while rest.orders:
        going = keep_going()
        if going:
            bids = bids.over(rest.goods, climbed(rest, bids.of(rest.goods), steps, keep_going))
        most = max(FEW, round(SETTLED * rest.orders)) if going else rest.orders
        settled = _settled(rest, bids.of(rest.goods).cents, most)
        for plan, orders, each in zip(plans, left, settled, strict=True):
            plan[orders[each.certain]] = each.locations[each.certain]
        taken = rest.taken([np.where(each.certain[:, None], each.locations, rest.waiting) for each in settled])
        unsettled = [np.flatnonzero(~each.certain) for each in settled]
        left = [orders[some] for orders, some in zip(left, unsettled, strict=True)]
        rest = rest.part(unsettled, rest.stock - taken, rest.room - taken.sum(axis=0))
    return plans


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Settled:
    """The plans of a table ``[R, n]``, and which of them are certain ``[R]``."""

    locations: Ints
    certain: NDArray[np.bool_]


def _settled(wave: Wave, prices: Floats, most: int) -> list[_Settled]:
    """The orders that lose most if they do not get their plans now, as long as these are possible together; one at least."""
    choices = wave.cheapest(prices)
    others = [table.cheapest(prices, but=each.locations).cents for table, each in zip(wave.tables, choices, strict=True)]
    losses = np.concatenate([other - each.cents for other, each in zip(others, choices, strict=True)])
    rank = np.empty(wave.orders, dtype=np.int64)
    rank[np.argsort(-losses, kind="stable")] = np.arange(wave.orders)
    locations = [each.locations for each in choices]
    certain = (rank < most) & _fitting(wave, locations, rank)
    if not certain.any():
        # Alone, only a plan that would send two packages from one location for want of room there is not possible.
        first = rank.argmin()
        certain[first] = True
        ends = np.cumsum([len(each) for each in locations])
        table = int(np.searchsorted(ends, first, side="right"))
        locations[table][first - ends[table]] = wave.waiting
    cuts = np.cumsum([len(each) for each in locations])[:-1]
    return [_Settled(locations=plan, certain=each) for plan, each in zip(locations, np.split(certain, cuts), strict=True)]


def _fitting(wave: Wave, plans: Sequence[Ints], rank: Ints) -> NDArray[np.bool_]:
    """Which orders find all they want if all that rank before them got what they want, by order."""
    locations = len(wave.room)
    sent_from = np.concatenate([each.ravel() for each in plans])
    cells = np.concatenate([table.items.ravel() for table in wave.tables]) * locations + sent_from
    units = np.concatenate([table.units.ravel() for table in wave.tables])
    lines = np.concatenate([np.full(len(table.items), table.items.shape[1]) for table in wave.tables])
    orders = np.repeat(np.arange(len(lines)), lines)
    fits = np.ones(len(lines), dtype=bool)
    for places, there in ((cells, wave.stock.ravel()), (sent_from, wave.room)):
        order = np.lexsort((rank[orders], places))
        wanted = units[order].cumsum()
        place = places[order]
        # What was wanted of other places before.
        first = np.searchsorted(place, place)
        wanted -= wanted[first] - units[order][first]
        fits[orders[order[wanted > there[place]]]] = False
    return fits
