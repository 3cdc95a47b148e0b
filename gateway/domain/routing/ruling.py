"""What a merchant's rule makes of a problem."""

from dataclasses import replace

import numpy as np

from gateway.domain.plans import Ints
from gateway.domain.policies import LEAST_COST, Rule, companions
from gateway.domain.policies.grounds import Floats, excluded, forbidden, weighed_all
from gateway.domain.routing.problem import Constraints, Preference, Problem, Term
from gateway.domain.routing.reason import Reason


def ruled(problem: Problem, rule: Rule) -> Problem:
    """The problem as the rule wants it solved: with fewer locations, its constraints, its weights and its strategy."""
    weights, preferred = rule.weights, problem.tariff.split_cents(problem.preference)
    priced = replace(
        problem,
        split_cents=_weightier(weights.split_cents, problem.tariff.split_cents(Preference.CHEAPEST), preferred),
        unit_day_cents=_weightier(weights.waiting_cents_per_unit_day, 0, problem.tariff.unit_day_cents(problem.preference)),
        late_day_cents=_said(weights.late_cents_per_day, problem.tariff.late_day_cents),
        strategy=rule.objective.strategy,
        criteria=rule.objective.criteria,
    )
    return priced if rule == LEAST_COST else _narrowed(priced, rule)


def _narrowed(problem: Problem, rule: Rule) -> Problem:
    skus, grounds = [line.sku for line in problem.demand], problem.sites.grounds
    against = excluded(
        rule, problem.facts, grounds, miles=problem.sites.miles_to(problem.destination), stock_age_s=_stock_age_s(problem)
    )
    package_terms, unit_terms = dict(problem.package_terms), dict(problem.unit_terms)
    if rule.weights.packages or rule.weights.units:
        cents = weighed_all(rule, skus, grounds)
        _add(package_terms, Term.PICK, cents.pick_cents)
        _add(package_terms, Term.PREFERENCE, -cents.preference_cents)
        _add(unit_terms, Term.HANDLING, cents.handling_cents)
        _add(unit_terms, Term.MARKDOWN, -cents.markdown_cents)
    return replace(
        problem,
        available=np.where(forbidden(rule, skus, grounds), 0, problem.available) if rule.hard.never_from else problem.available,
        excluded={at: Reason(code=why.code, detail=why.detail) for at, why in against.items()} | dict(problem.excluded),
        package_terms=package_terms,
        unit_terms=unit_terms,
        constraints=Constraints(
            split_lines=not rule.hard.whole_lines,
            together=companions(rule, skus),
            packages_max=rule.hard.packages_max,
        ),
    )


def _said(ruled_cents: int | None, usual_cents: int) -> int:
    return usual_cents if ruled_cents is None else ruled_cents


def _weightier(ruled_cents: int | None, usual_cents: int, preferred_cents: int) -> int:
    """What the rule says instead of what is usual; but never less than what the customer's preference is worth."""
    if ruled_cents is None:
        return preferred_cents
    return max(ruled_cents, preferred_cents if preferred_cents > usual_cents else 0)


def _stock_age_s(problem: Problem) -> Floats:
    """How old the oldest reading of each site is; NaN where there is none. ``[L]``."""
    ages = {source: (problem.at - read_at).total_seconds() for source, read_at in problem.read_at.items()}
    return np.array([ages.get(site.source, np.nan) for site in problem.sites.all])


def _add(terms: dict[Term, Ints], term: Term, cents: Ints) -> None:
    if cents.any():
        terms[term] = cents + terms.get(term, 0)
