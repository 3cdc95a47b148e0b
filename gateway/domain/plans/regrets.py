"""Why here: what every other location would have cost, and what it would have needed."""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.domain.plans.instance import Floats, Instance, Ints, Plan
from gateway.domain.plans.lots import FORBIDDEN_CENTS, IMPOSSIBLE_CENTS, PACKAGE_CENTS, Offers, priced_whole, unsplit
from gateway.domain.plans.relaxation import Relaxation, distinct, relaxed
from gateway.domain.plans.solve import EFFORT, tractable
from gateway.domain.plans.splits import Sent
from gateway.domain.plans.subsets import first_parts, partitions

# Coarse enough that what tells equals apart is gone, fine enough for prices that are no whole cents.
PARTS_OF_A_CENT: Final = 256.0
CELLS_MAX: Final = 2_100_000
"""Parts of an order at locations, for regrets to be told; ``MISSING_CELLS_MAX`` for counterfactuals."""
MISSING_CELLS_MAX: Final = 500_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counterfactual:
    """What a location that was not chosen would have needed, at least, for a better plan to use it.

    With all of this the best plan costs ``saves_cents`` less, or as much in fewer packages; with one unit less of anything, it
    costs what it does.

    Attributes:
        units: Of each line, beyond what it may send. ``[n]``
        room: Units, beyond what it may send altogether.
    """

    location: int
    units: Ints
    room: int
    saves_cents: float


def regrets(instance: Instance, plan: Plan) -> Floats:
    """What the best plan in which a location sends something costs more than the chosen one. ``[L]``.

    Infinity: there is no such plan. Not a number: too large to say.
    """
    if unsplit(instance):
        cents, able = priced_whole(instance)
        return np.where(able, cents - cents[plan.locations[0]], np.inf)
    offers = Offers.of(instance)
    if not (plan.optimal and tractable(offers) and offers.cells <= CELLS_MAX):
        unknown = np.where((instance.stock > 0).any(axis=1) & (instance.room > 0), np.nan, np.inf)
        unknown[plan.locations] = 0.0
        return unknown
    others = _Others.of(offers, plan)
    costs = others.relaxation.costs
    total = costs[1:] + others.relaxation.rest_cents[1:, None]
    part = total.argmin(axis=0) + 1
    least = total[part - 1, np.arange(len(part))]
    doubtful = others.doubtful(part, np.arange(len(part))) & (least < IMPOSSIBLE_CENTS)
    doubtful[plan.locations] = False
    for location in np.flatnonzero(doubtful).tolist():
        least[location] = others.with_cents(location, costs[:, location])
    found: Floats = np.where(least < IMPOSSIBLE_CENTS, others.more_cents(least), np.inf)
    found[plan.locations] = 0.0
    return found


def counterfactuals(instance: Instance, plan: Plan) -> tuple[Counterfactual, ...]:
    """What locations lacked that were not chosen for lack of stock or room, by location; nothing where it is too large to say."""
    if plan.optimal and unsplit(instance):
        cents, _ = priced_whole(instance)
        location = np.flatnonzero(cents < plan.cents - PACKAGE_CENTS / 2)
        units = np.broadcast_to(instance.wanted, (len(location), len(instance.wanted)))
        return _missing(instance, location, units, _rounded(plan.cents - cents[location]))
    offers = Offers.of(instance)
    if not (plan.optimal and tractable(offers) and offers.cells <= MISSING_CELLS_MAX):
        return ()
    others = _Others.of(offers, plan)
    costs = offers.costs(however_little=True)
    total = costs + others.relaxation.rest_cents[:, None]
    total[0], total[:, plan.locations] = np.inf, np.inf
    part, location = np.nonzero(total < others.limit_cents)
    if not part.size:
        return ()
    cents = total[part, location]
    for index in np.flatnonzero(others.doubtful(part, location)).tolist():
        place = int(location[index])
        cents[index] = costs[part[index], place] + others.rest_cents(place, int(part[index]))
    better = cents < others.limit_cents
    units = partitions(offers.cut.shape).lots[part[better]] @ offers.cut.units
    return _missing(instance, location[better], units, -others.more_cents(cents[better]))


def _missing(instance: Instance, location: Ints, sent: Ints, saves_cents: Floats) -> tuple[Counterfactual, ...]:
    """What locations lack to send so many units ``[k, n]``: of each the least that would do, of equals what saves most."""
    if not location.size:
        return ()
    units = np.maximum(sent - instance.stock[location], 0)
    room = np.maximum(sent.sum(axis=1) - instance.room[location], 0)
    order = np.lexsort((-saves_cents, units.sum(axis=1) + room, location))
    each = order[np.unique(location[order], return_index=True)[1]]
    columns = location[each].tolist(), units[each], room[each].tolist(), saves_cents[each].tolist()
    return tuple(
        Counterfactual(location=at, units=more, room=space, saves_cents=saved)
        for at, more, space, saved in zip(*columns, strict=True)
    )


def _rounded(cents: Floats) -> Floats:
    found: Floats = np.rint(cents * PARTS_OF_A_CENT) / PARTS_OF_A_CENT
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Others:
    """All packages but one, of any location: what they cost at least, and really.

    ``least_cents`` is what the chosen plan costs, as a sum of packages. What is worked out once is kept: what the others send,
    by the part that is left to them, and everything without a location.
    """

    relaxation: Relaxation
    least_cents: float
    sent: dict[int, Sent] = field(default_factory=dict)
    without: dict[int, Relaxation] = field(default_factory=dict)

    # Whoever asks for regrets asks for counterfactuals next.
    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, offers: Offers, plan: Plan) -> "_Others":
        relaxation = relaxed(offers)
        if relaxation.first is None and relaxation.packages_max is None:
            relaxation = replace(relaxation, first=first_parts(relaxation.part_cents, relaxation.best, relaxation.shape))
        least_cents = plan.cents + offers.instance.split_cents + PACKAGE_CENTS * len(plan.locations)
        return cls(relaxation=relaxation, least_cents=least_cents)

    @property
    def limit_cents(self) -> float:
        """Below it, a plan is better than the chosen one: not only by what sums are rounded by."""
        return self.least_cents - PACKAGE_CENTS / 2

    def more_cents(self, cents: Floats) -> Floats:
        """How much more than the chosen plan."""
        return _rounded(cents - self.least_cents)

    def doubtful(self, part: Ints, location: Ints) -> NDArray[np.bool_]:
        """Where it is not certain what the others cost when a location sends that part: one would have to send twice. ``[k]``."""
        twice = np.zeros(self.relaxation.costs.shape, dtype=np.bool_)
        parts, others = [], []
        for each in set(part.tolist()):
            sent = self._sent(each)
            if distinct(sent):
                parts += [each] * len(sent)
                others += [other for other, _ in sent]
            else:
                twice[each] = True
        twice[parts, others] = True
        return twice[part, location]

    def with_cents(self, location: int, costs: Floats) -> float:
        """The cheapest plan in which a location sends something, at these costs of all parts from there. ``[S]``."""
        best = np.inf
        bound = costs + self._without(location).rest_cents
        for part in np.argsort(bound[1:], kind="stable") + 1:
            if not bound[part] < min(best, IMPOSSIBLE_CENTS):
                break
            cents = costs[part] + self.rest_cents(location, int(part))
            best = cents if np.isnan(cents) else min(best, cents)
        return float(best)

    def rest_cents(self, location: int, part: int) -> float:
        """What the others cost when a location sends that part. Not a number: too large to say."""
        sent = self._sent(part)
        if distinct(sent) and location not in {other for other, _ in sent}:
            return float(self.relaxation.rest_cents[part])
        others = self._without(location)
        state = len(others.costs) - 1 - part
        if distinct(others.sent(state, 1)):
            return float(others.rest_cents[part])
        rest = others.after(part, location)
        sent, proven = rest.plan(EFFORT)
        if not proven:
            return float("nan")
        return sum(float(rest.costs[state, place]) for place, state in sent) if sent else np.inf

    def _sent(self, part: int) -> Sent:
        """What the others send, if a location could send twice."""
        if part not in self.sent:
            self.sent[part] = self.relaxation.sent(len(self.relaxation.costs) - 1 - part, 1)
        return self.sent[part]

    def _without(self, location: int) -> Relaxation:
        if location not in self.without:
            everywhere = self.relaxation
            where, part_cents = everywhere.where.copy(), everywhere.part_cents.copy()
            moved = np.flatnonzero(where == location)
            costs = everywhere.costs[moved]
            costs[:, location] = FORBIDDEN_CENTS
            where[moved] = costs.argmin(axis=1)
            part_cents[moved] = costs[np.arange(len(moved)), where[moved]]
            found = Relaxation.at(where, part_cents, everywhere.costs, everywhere.shape, everywhere.packages_max)
            self.without[location] = found
        return self.without[location]
