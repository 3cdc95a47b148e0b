"""The packages of a plan, as if other locations sent them: what that would cost more, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress
from typing import Final, Self

import numpy as np

from gateway.domain.plans import Floats, Ints
from gateway.domain.routing.pricing import Bools, Pricing
from gateway.domain.routing.problem import EXACT, Term
from gateway.domain.routing.reason import Code, Reason

BY_DISTANCE: Final = frozenset({Term.POSTAGE, Term.WAITING, Term.DISTANCE})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Swap:
    """A package of the plan, and every site in place of the one that sends it.

    Attributes:
        row: Who sends it.
        units: Of each line. ``[n]``
        able: Which could. ``[L]``
        cents: What it costs more from each; infinity: it could not. ``[L]``
        terms: Which part of that comes from what: k of them, without those that are alike everywhere.
        term_cents: How much does. ``[k, L]``
        option: By which service each would send it. ``[L]``
    """

    pricing: Pricing
    row: int
    units: Ints
    able: Bools
    cents: Floats
    terms: tuple[Term, ...]
    term_cents: Ints
    option: Ints

    @classmethod
    def of(cls, pricing: Pricing, row: int, units: Ints) -> Self:
        """Price the package that this one sends from everywhere."""
        instance, many = pricing.instance, len(pricing.problem.sites)
        costs, option, reached = _costs(pricing, units)
        named = [term for term in Term if term in costs]
        all_cents = np.array([costs[term] for term in named]).reshape(len(named), many)
        all_cents -= all_cents[:, row : row + 1]
        differ = np.flatnonzero(all_cents.any(axis=1))
        terms, term_cents = tuple(named[each] for each in differ.tolist()), all_cents[differ]
        able = (instance.stock[:many] >= units).all(axis=1) & (instance.room[:many] >= units.sum()) & reached
        return cls(
            pricing=pricing,
            row=row,
            units=units,
            able=able,
            cents=np.where(able, term_cents.sum(axis=0), np.inf),
            terms=terms,
            term_cents=term_cents.astype(np.int64),
            option=option,
        )

    def reasons(self, rows: Ints) -> list[Reason]:
        """Why it does not come from these, each of which could send it. Those that are alike share a reason."""
        problem, codes = self.pricing.problem, self._codes(rows)
        zones = np.where(codes == _ZONE, self.pricing.zones[rows], 0)
        days = np.zeros_like(rows) if problem.days_late is None else problem.days_late[rows, self.option[rows]]
        columns = codes, zones, np.where(codes == _PROMISE, days, 0), *self.term_cents[:, rows]
        each = list(zip(*(column.tolist() for column in columns), strict=True))
        names, than = [term.value for term in self.terms], problem.sites.all[self.row].location
        told = {
            found: Reason(
                code=_CODES[found[0]],
                zone=found[1] or None,
                days=found[2] or None,
                than=than,
                terms=tuple(compress(zip(names, found[3:], strict=True), found[3:])),
            )
            for found in set(each)
        }
        return [told[found] for found in each]

    def _codes(self, rows: Ints) -> Ints:
        """What speaks against each, as a place among the codes."""
        if not self.terms:
            return np.full(len(rows), _COST)
        cents = self.term_cents[:, rows]
        other = np.array([term not in BY_DISTANCE for term in self.terms])
        farther = (self.pricing.zones[rows] > self.pricing.zones[self.row]) & ~cents[other].any(axis=0)
        late = np.array([term is Term.LATE for term in self.terms])[cents.argmax(axis=0)]
        cheaper = (self.cents[rows] < 0) & (self.pricing.problem.strategy != EXACT)
        found = np.where(late, _PROMISE, np.where(farther, _ZONE, np.where(self._no_better(rows), _DOMINATED, _COST)))
        codes: Ints = np.where(cheaper, _STRATEGY, np.where(cents.max(axis=0) <= 0, _COST, found))
        return codes

    def _no_better(self, rows: Ints) -> Bools:
        """Which of them have no more of anything, and cost no less in any part."""
        instance = self.pricing.instance
        stock = (instance.stock[rows] <= instance.stock[self.row]).all(axis=1)
        found: Bools = stock & (instance.room[rows] <= instance.room[self.row]) & (self.term_cents[:, rows] >= 0).all(axis=0)
        return found


_CODES: Final = (Code.STRATEGY, Code.COST, Code.PROMISE, Code.ZONE, Code.DOMINATED_BY)
_STRATEGY, _COST, _PROMISE, _ZONE, _DOMINATED = range(len(_CODES))


def _costs(pricing: Pricing, units: Ints) -> tuple[Mapping[Term, Floats], Ints, Bools]:
    """What a package of these units costs from each site, by what for; by which service; and whether any takes it there."""
    instance, many, postage = pricing.instance, len(pricing.problem.sites), pricing.instance.postage
    found: dict[Term, Floats] = {term: cents.astype(np.float64) for term, cents in pricing.package_terms.items()}
    found |= {
        term: (cents @ units if cents.shape[1] == len(units) else cents[:, 0] * units.sum()).astype(np.float64)
        for term, cents in pricing.unit_terms.items()
    }
    if postage.free:
        return found, np.zeros(many, dtype=np.int64), np.ones(many, dtype=np.bool_)
    lane, count = instance.lane[:many], int(units.sum())
    asked = postage.by_service(np.array([instance.grams @ units]), np.array([count]))[:, :, 0]
    option = asked.argmin(axis=1)
    lanes = np.arange(len(option))
    total, waiting, late = asked[lanes, option], postage.unit_cents[lanes, option] * count, postage.package_cents[lanes, option]
    reached = np.isfinite(total)
    late = np.where(reached, late, 0.0)
    found[Term.POSTAGE] = np.where(reached, total - waiting - late, 0.0)[lane]
    found |= {Term.WAITING: waiting[lane], Term.LATE: late[lane]}
    return found, option[lane], reached[lane]
