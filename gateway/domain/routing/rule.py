"""The routing rule: from which locations an order comes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from connectors.contract import Sku
from gateway.domain.identity import LocationId
from gateway.domain.plans import Plan, Strategy, solve
from gateway.domain.plans import strategies as rules_of_thumb
from gateway.domain.plans.strategies import STRATEGIES, lexicographic
from gateway.domain.routing.considering import considered, turned_down
from gateway.domain.routing.cutoffs import after_cutoffs
from gateway.domain.routing.decision import Decision, Unroutable
from gateway.domain.routing.pricing import Pricing
from gateway.domain.routing.problem import EXACT, TOGETHER, UNITS_MAX, UNKNOWN, Constraint, Problem


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """The plan chosen, and the arrays that it was chosen on."""

    pricing: Pricing
    plan: Plan


def decide(problem: Problem, strategies: Mapping[str, Strategy] = STRATEGIES) -> Decision:
    """Choose the packages that together cost least, or as the problem's strategy does, and say why no other site was chosen.

    Of plans that cost the same: the fewest packages, then the locations that sort first.

    Raises:
        Unroutable: No plan covers the order.
    """
    choice = choose(problem, strategies)
    return told(choice.pricing, choice.plan)


def chosen_together(problem: Problem, packages: Mapping[LocationId, Mapping[Sku, int]]) -> Decision | None:
    """The decision whose packages were chosen together with those of other orders: no more than priced, bounded and explained here.

    It is bounded by what the order would cost alone. None: it cannot be had at all.
    """
    pricing = Pricing.of(problem)
    alone = solve(pricing.instance) if len(pricing.instance.stock) else None
    if alone is None:
        return None
    rows = sorted(packages, key=problem.sites.row.__getitem__)
    plan = Plan(
        locations=np.array([problem.sites.row[location] for location in rows], dtype=np.int64),
        units=np.array([[packages[location].get(line.sku, 0) for line in problem.demand] for location in rows], dtype=np.int64),
        cents=0.0,
        bound_cents=0.0,
    )
    cents = float(sum(package.cost_cents for package in pricing.packages(plan)[0]))
    decision = told(pricing, replace(plan, cents=cents, bound_cents=min(alone.bound_cents, cents)))
    return replace(decision, strategy=TOGETHER)


def told(pricing: Pricing, plan: Plan) -> Decision:
    """A plan in the words of the domain, with what speaks against every other site."""
    packages, waits = pricing.packages(plan)
    return Decision(
        preference=pricing.problem.preference,
        packages=packages,
        waits=waits,
        cost_cents=round(plan.cents),
        lower_bound_cents=round(plan.bound_cents),
        considered=after_cutoffs(considered(pricing, plan), pricing.problem.missed),
        strategy=pricing.problem.strategy,
    )


def choose(problem: Problem, strategies: Mapping[str, Strategy] = STRATEGIES, *, proven: bool = True) -> Choice:
    """Choose the plan alone, without saying why. Unless it is to be ``proven``, a rule of thumb's plan may have no bound.

    Raises:
        Unroutable: No plan covers the order.
    """
    pricing = Pricing.of(problem)
    plan = None if problem.strategy == EXACT else _strategy(problem, strategies)(pricing.unclipped())
    if plan is None or proven:
        best = solve(pricing.instance) if len(pricing.instance.stock) else None
        plan = best if plan is None or best is None else replace(plan, bound_cents=best.bound_cents)
    if plan is None:
        raise _unroutable(pricing)
    return Choice(pricing=pricing, plan=plan)


def _strategy(problem: Problem, strategies: Mapping[str, Strategy]) -> Strategy:
    """The one that the problem names. One that is gone since its rule was written is the exact one: no order waits for it."""
    if problem.criteria:
        return lexicographic(*(rules_of_thumb.Criterion[each.name] for each in problem.criteria))
    return strategies.get(problem.strategy, solve)


def _unroutable(pricing: Pricing) -> Unroutable:
    problem, usable = pricing.problem, pricing.usable
    known = np.where(usable[:, None], np.clip(problem.available, 0, UNITS_MAX), 0)
    most = known.sum(axis=0) if problem.constraints.split_lines else known.max(axis=0, initial=0)
    short = {line.sku: (line.units, has) for line, has in zip(problem.demand, most.tolist(), strict=True) if has < line.units}
    silent = (problem.available[usable] == UNKNOWN).any(axis=0).tolist()
    unknown = frozenset(line.sku for line, unsaid in zip(problem.demand, silent, strict=True) if unsaid)
    return Unroutable(
        short=short,
        unknown=unknown,
        considered=after_cutoffs(turned_down(pricing), problem.missed),
        constraints=() if short else _in_the_way(problem),
    )


def _in_the_way(problem: Problem) -> tuple[Constraint, ...]:
    """The constraints without which there were a plan: those that suffice alone, else all of them."""
    imposed = problem.constraints
    lifted = {
        Constraint.WHOLE_LINES: None if imposed.split_lines else _free(problem, split_lines=True),
        Constraint.TOGETHER: _free(problem, together=()) if imposed.together else None,
        Constraint.PACKAGES_MAX: None if imposed.packages_max is None else _free(problem, packages_max=None),
        Constraint.ROOM: None if problem.room is None else replace(problem, room=None),
        Constraint.PROMISE: None if problem.days_late is None else replace(problem, days_late=None),
    }
    there = {each: without for each, without in lifted.items() if without is not None}
    suffices = [each for each, without in there.items() if solve(Pricing.of(without).instance) is not None]
    return tuple(suffices or there)


def _free(problem: Problem, **given_up: Any) -> Problem:
    return replace(problem, constraints=replace(problem.constraints, **given_up))
