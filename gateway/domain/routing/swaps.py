"""The packages of a plan, as if other locations sent them: what that would cost more, and why."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from operator import itemgetter
from typing import Final, Self

import numpy as np

from gateway.domain.plans import Floats, Ints, priced, priced_whole
from gateway.domain.routing.pricing import Bools, Pricing
from gateway.domain.routing.problem import EXACT, Term
from gateway.domain.routing.reason import Code, Reason

BY_DISTANCE: Final = frozenset({Term.POSTAGE, Term.WAITING, Term.DISTANCE})
CARRIED: Final = (Term.POSTAGE, Term.WAITING, Term.LATE)
"""What depends on the lane, in the order of terms, before all others."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Swap:
    """A package of the plan, and every site in place of the one that sends it.

    Attributes:
        row: Who sends it.
        units: Of each line. ``[n]``
        cents: What it costs more from each; infinity: it could not. ``[L]``
        no_more: Which of them have no more of anything, so that they are no better by that. ``[L]``
        carried: What carriers take for it on each lane, for each of ``CARRIED``, by the cheapest service; and which one that is.
        site_terms: What else it costs, where that is not alike everywhere, in the order of terms. ``[L]`` each
    """

    pricing: Pricing
    row: int
    units: Ints
    cents: Floats
    no_more: Bools
    carried: Sequence[tuple[tuple[int, int, int], int]]
    site_terms: Mapping[Term, Ints]

    @classmethod
    def of(cls, pricing: Pricing, row: int, units: Ints) -> Self:
        """Price the package that this one sends from everywhere."""
        instance, many = pricing.instance, len(pricing.problem.sites)
        everything = bool((units == instance.wanted).all())
        cents, able = priced_whole(instance) if everything else priced(instance, units)
        no_more = instance.room[:many] <= instance.room[row]
        if not everything:  # of everything, nobody has more
            no_more &= (instance.stock[:many] <= instance.stock[row]).all(axis=1)
        return cls(
            pricing=pricing,
            row=row,
            units=units,
            cents=np.where(able, cents - cents[row], np.inf)[:many],
            no_more=no_more,
            carried=_carried(pricing, units),
            site_terms=_site_terms(pricing, units),
        )

    def alike(self, rows: Ints) -> list[Hashable]:
        """Something for each of these, each of which could send it, that is the same where the reason is."""
        lanes: list[Hashable] = (self.pricing.instance.lane[rows] * 2 + self.no_more[rows]).tolist()
        if not self.site_terms:  # mostly
            return lanes
        return list(zip(lanes, *(cents[rows].tolist() for cents in self.site_terms.values()), strict=True))

    def reason(self, row: int) -> Reason:
        """Why it does not come from this one, which could send it."""
        problem, zones, lane = self.pricing.problem, self.pricing.zones, self.pricing.instance.lane
        (here, option), (there, _) = self.carried[lane[row]], self.carried[lane[self.row]]
        differ: list[tuple[Term, int]] = [
            (term, cents - less) for term, cents, less in zip(CARRIED, here, there, strict=True) if cents != less
        ]
        if self.site_terms:
            more = ((term, int(cents[row] - cents[self.row])) for term, cents in self.site_terms.items())
            differ += [each for each in more if each[1]]
        code = self._code(row, differ)
        days = problem.days_late[row, option] if code is Code.PROMISE and problem.days_late is not None else 0
        return Reason(
            code=code,
            zone=int(zones[row]) if code is Code.ZONE else None,
            days=int(days) or None,
            than=problem.sites.all[self.row].location,
            terms=tuple(differ),
        )

    def _code(self, row: int, differ: Sequence[tuple[Term, int]]) -> Code:
        """What speaks against it, by what it costs more."""
        most, cents = max(differ, key=itemgetter(1), default=(None, 0))
        if self.pricing.problem.strategy != EXACT and sum(each for _, each in differ) < 0:
            return Code.STRATEGY
        if cents <= 0:
            return Code.COST
        if most is Term.LATE:
            return Code.PROMISE
        if self.pricing.zones[row] > self.pricing.zones[self.row] and all(term in BY_DISTANCE for term, _ in differ):
            return Code.ZONE
        return Code.DOMINATED_BY if self.no_more[row] and all(each >= 0 for _, each in differ) else Code.COST


def _carried(pricing: Pricing, units: Ints) -> list[tuple[tuple[int, int, int], int]]:
    """What carriers take on each lane, and by which service; nothing where nobody goes."""
    postage, count = pricing.instance.postage, int(units.sum())
    if postage.free:
        return [((0, 0, 0), 0)] * len(postage.zone)
    if postage.plain:  # mostly
        total = postage.cents(np.array([pricing.instance.grams @ units]), np.array([count]))[:, 0]
        return [((int(cents), 0, 0), 0) for cents in total.tolist()]
    asked = postage.by_service(np.array([pricing.instance.grams @ units]), np.array([count]))[:, :, 0].tolist()
    found = []
    for total, package, unit in zip(asked, postage.package_cents.tolist(), postage.unit_cents.tolist(), strict=True):
        cents = min(total)
        option = total.index(cents)
        waiting, late = int(unit[option]) * count, int(package[option]) if cents < inf else 0
        found.append(((int(cents) - waiting - late if cents < inf else 0, waiting, late), option))
    return found


def _site_terms(pricing: Pricing, units: Ints) -> Mapping[Term, Ints]:
    """What a package of these units costs from each site beside, by what for, where it is not alike everywhere."""
    if not (pricing.package_terms or pricing.unit_terms):  # mostly
        return {}
    found = dict(pricing.package_terms)
    for term, cents in pricing.unit_terms.items():
        found[term] = cents @ units if cents.shape[1] == len(units) else cents[:, 0] * units.sum()
    return {term: found[term] for term in Term if term in found and (found[term] != found[term][0]).any()}
