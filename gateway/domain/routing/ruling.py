"""What a merchant's rule makes of a problem."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from connectors.contract import Sku
from gateway.domain.plans import Ints
from gateway.domain.policies import LEAST_COST, LocationFacts, Rule, barred, companions, narrowed, weighed
from gateway.domain.routing.problem import Constraints, Preference, Problem, Term
from gateway.domain.routing.reason import Reason


def ruled(problem: Problem, rule: Rule) -> Problem:
    """The problem as the rule wants it solved: with fewer locations, its constraints, its weights and its strategy."""
    weights, preferred = rule.weights, problem.tariff.split_cents(problem.preference)
    priced = replace(
        problem,
        split_cents=_weightier(weights.split_cents, problem.tariff.split_cents(Preference.CHEAPEST), preferred),
        unit_day_cents=_weightier(weights.waiting_cents_per_unit_day, 0, problem.tariff.unit_day_cents(problem.preference)),
        late_day_cents=weights.late_cents_per_day or 0,
        strategy=rule.objective.strategy,
    )
    return priced if rule == LEAST_COST else _narrowed(priced, rule)


def _narrowed(problem: Problem, rule: Rule) -> Problem:
    skus = [line.sku for line in problem.demand]
    places = _places(problem)
    excluded = {
        location: Reason(code=each.code, detail=each.detail) for location, each in narrowed(rule, problem.facts, places).items()
    }
    package_terms, unit_terms = dict(problem.package_terms), dict(problem.unit_terms)
    if rule.weights.packages or rule.weights.units:
        each = [weighed(rule, skus, place) for place in places]
        _add(package_terms, Term.PICK, [one.pick_cents for one in each])
        _add(package_terms, Term.PREFERENCE, [-one.preference_cents for one in each])
        _add(unit_terms, Term.HANDLING, [[one.handling_cents.get(sku, 0) for sku in skus] for one in each])
        _add(unit_terms, Term.MARKDOWN, [[-one.markdown_cents.get(sku, 0) for sku in skus] for one in each])
    return replace(
        problem,
        available=_allowed(problem.available, rule, skus, places),
        excluded=excluded | dict(problem.excluded),
        package_terms=package_terms,
        unit_terms=unit_terms,
        constraints=Constraints(
            split_lines=not rule.hard.whole_lines,
            together=companions(rule, skus),
            packages_max=rule.hard.packages_max,
        ),
    )


def _weightier(ruled_cents: int | None, usual_cents: int, preferred_cents: int) -> int:
    """What the rule says instead of what is usual; but never less than what the customer's preference is worth."""
    if ruled_cents is None:
        return preferred_cents
    return max(ruled_cents, preferred_cents if preferred_cents > usual_cents else 0)


def _places(problem: Problem) -> list[LocationFacts]:
    """What rules ask about each site."""
    miles = problem.sites.miles_to(problem.destination).tolist()
    return [
        LocationFacts(
            location=site.location,
            code=site.code,
            kind=site.kind,
            source=site.source,
            miles=None if np.isnan(far) else far,
            stock_age_s=None if (read_at := problem.read_at.get(site.source)) is None else (problem.at - read_at).total_seconds(),
        )
        for site, far in zip(problem.sites.all, miles, strict=True)
    ]


def _allowed(available: Ints, rule: Rule, skus: Sequence[Sku], places: Sequence[LocationFacts]) -> Ints:
    """What may leave from each site of what is there."""
    if not rule.hard.never_from:
        return available
    allowed = available.copy()
    for row, place in enumerate(places):
        for sku in barred(rule, skus, place):
            allowed[row, skus.index(sku)] = 0
    return allowed


def _add(terms: dict[Term, Ints], term: Term, cents: Sequence[object]) -> None:
    found = np.array(cents, dtype=np.int64)
    if found.any():
        terms[term] = found + terms.get(term, 0)
