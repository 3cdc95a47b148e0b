"""What became of an order that was routed one way, and what that costs by the same measure for all of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from connectors.contract import Sku
from gateway.domain.identity import LocationId
from gateway.domain.plans import Ints, Strategy
from gateway.domain.policies import FallbackStep, RoutingPolicy, Rule, course, matching
from gateway.domain.routing import BACK_ORDER_CENTS, Demand, Package, Problem, Term, Unroutable, choose, ruled

PAID: Final = frozenset({Term.POSTAGE, Term.PARCEL, Term.PICK, Term.HANDLING, Term.REJECTION, Term.MARKDOWN})
"""What is paid, or lost, for a plan. The others say what is wished for, and what units are worth to others: they cost nothing."""
Allocation = Mapping[LocationId, tuple[Demand, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an order was routed; without packages, not at all.

    Attributes:
        packages: What each location sends.
        waits: Whether any of it has to wait for stock, or for a person.
        costs: What is paid, by term, in cents.
        late_days: The most days that a package comes after the promised one; None: nothing was promised.
    """

    packages: tuple[Package, ...] = ()
    waits: bool = True
    costs: Mapping[Term, int]
    late_days: int | None = None

    @property
    def filled(self) -> bool:
        """Whether all of it is sent."""
        return not self.waits

    @property
    def cents(self) -> int:
        """What is paid."""
        return sum(self.costs.values())

    @property
    def miles(self) -> float | None:
        """How far the packages go together; None: not known of each."""
        far = [package.miles for package in self.packages if package.miles is not None]
        return sum(far) if len(far) == len(self.packages) else None

    @property
    def allocation(self) -> Allocation:
        """What comes from where."""
        return {package.location: package.lines for package in self.packages}

    def taken(self, problem: Problem) -> Ints:
        """The units that it takes. ``[L, n]``."""
        found = np.zeros_like(problem.available)
        column = {line.sku: number for number, line in enumerate(problem.demand)}
        for package in self.packages:
            for line in package.lines:
                found[problem.sites.row[package.location], column[line.sku]] = line.units
        return found


NOT_AT_ALL: Final = Outcome(costs={})


def routed(problem: Problem, policy: RoutingPolicy, measure: Rule, strategies: Mapping[str, Strategy]) -> Outcome:
    """What that policy makes of the order, as orders that come are routed. ``measure`` is the rule by whose weights it is paid."""
    way = course(policy, problem.facts)
    attempts = [ruled(problem, by.rule) for by in way.passes]
    if way.ending is FallbackStep.BACK_ORDER:
        attempts.append(ruled(replace(problem, back_order_cents=BACK_ORDER_CENTS), way.passes[-1].rule))
    for attempt in attempts:
        try:
            choice = choose(attempt, strategies, proven=False)
        except Unroutable:
            continue
        packages, waits = choice.pricing.packages(choice.plan)
        return Outcome(
            packages=packages,
            waits=bool(waits),
            costs=_paid(problem, measure, packages),
            late_days=_late_days(problem, packages),
        )
    return NOT_AT_ALL


def measure_of(policy: RoutingPolicy, problem: Problem) -> Rule:
    """The rule by whose weights an order is paid: that which this policy has for it, of which nothing but the weights count."""
    rule = matching(policy, problem.facts)
    return Rule(name=rule.name, weights=rule.weights)


def _paid(problem: Problem, measure: Rule, packages: Sequence[Package]) -> dict[Term, int]:
    weights = measure.weights
    priced = ruled(problem, measure) if weights.packages or weights.units else problem
    further_cents = problem.tariff.parcel_cents if weights.split_cents is None else weights.split_cents
    found: Counter[Term] = Counter({Term.PARCEL: further_cents * max(len(packages) - 1, 0)})
    for package in packages:
        row = problem.sites.row[package.location]
        found[Term.POSTAGE] += sum(term.cents for term in package.costs if term.name == Term.POSTAGE)
        units = _units(problem, package)
        found.update({term: int(cents[row]) for term, cents in priced.package_terms.items()})
        found.update({term: int((cents[row] * units).sum()) for term, cents in priced.unit_terms.items()})
    return {term: found[term] for term in Term if term in PAID and found[term]}


def _units(problem: Problem, package: Package) -> Ints:
    sent: dict[Sku, int] = {line.sku: line.units for line in package.lines}
    return np.array([sent.get(line.sku, 0) for line in problem.demand], dtype=np.int64)


def _late_days(problem: Problem, packages: Sequence[Package]) -> int | None:
    if problem.days_late is None or not packages:
        return None
    column = {(service.carrier, service.name): number for number, service in enumerate(problem.tariff.routed)}
    rows = problem.sites.row
    return max(int(problem.days_late[rows[each.location], column[each.carrier or "", each.service or ""]]) for each in packages)
