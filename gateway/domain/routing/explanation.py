"""A decision in sentences, for a person who has to explain it to a customer."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from gateway.domain.identity import LocationId
from gateway.domain.routing.candidates import Candidates, Considered, Counterfactual
from gateway.domain.routing.decision import Decision, Package
from gateway.domain.routing.problem import Demand, Preference, Term
from gateway.domain.routing.reason import Code, Reason, money

PACKAGES_MAX: Final = 4
ALTERNATIVES_MAX: Final = 2
COUNTERFACTUALS_MAX: Final = 1
EXCLUDED_MAX: Final = 3

AIMS: Final[Mapping[Preference, str]] = {
    Preference.CHEAPEST: "the least cost",
    Preference.FASTEST: "the fewest days in transit, which are counted as a cost",
    Preference.FEWEST_PARCELS: "the fewest parcels, each further one of which is counted as a cost",
    Preference.GREENEST: "the fewest miles on the road, which are counted as a cost",
}

Names = Mapping[LocationId, str]
Odds = Mapping[LocationId, float]
NO_ODDS: Final[Odds] = {}


def explain(decision: Decision, names: Names, odds: Odds = NO_ODDS) -> str:
    """Say what comes from where and why, one sentence each. A location without a name is called by its id.

    ``odds`` is how likely each location is to turn work down: it is told where that weighed.
    """
    sentences = [
        *_packages(decision, names),
        *([f"{_lines(decision.waits)} waits for stock."] if decision.waits else []),
        _cost(decision),
        *_guesses(decision, names),
        *_rejections(decision, names, odds),
        *_alternatives(decision, names),
        *_counterfactuals(decision, names),
        *_excluded(decision, names),
    ]
    return " ".join(sentences)


def _packages(decision: Decision, names: Names) -> list[str]:
    rest = [package.location for package in decision.packages[PACKAGES_MAX:]]
    told = [_package(package, names) for package in decision.packages[:PACKAGES_MAX]]
    return [*told, f"The rest comes from {_listed(_name(each, names) for each in rest)}."] if rest else told


def _package(package: Package, names: Names) -> str:
    if package.zone is None:
        return f"{_name(package.location, names)} hands over {_lines(package.lines)}."
    far = f", {package.miles:,.0f} miles away," if package.miles is not None else ""
    days = f"{package.transit_days} day{'' if package.transit_days == 1 else 's'}"
    by = f" by {package.service}" if package.service is not None else ""
    return f"{_name(package.location, names)}{far} sends {_lines(package.lines)}{by} in about {days} (zone {package.zone})."


def _cost(decision: Decision) -> str:
    terms: Counter[str] = Counter()
    for package in decision.packages:
        for term in package.costs:
            terms[term.name] += term.cents
    parts = _listed(f"{name} {money(cents)}" for name, cents in terms.items())
    total = f"This costs {money(decision.cost_cents)}" + (f" ({parts})" if parts else "")
    if decision.optimal:
        return f"{total}; the aim was {AIMS[decision.preference]}, and no plan does better."
    return f"{total}; the aim was {AIMS[decision.preference]}, and no plan saves more than {decision.optimality_gap:.1%} of it."


def _guesses(decision: Decision, names: Names) -> list[str]:
    far = [_name(package.location, names) for package in decision.packages if package.zone is not None and package.miles is None]
    return [f"How far it is from {_listed(far)} is unknown, so the farthest zone was assumed."] if far else []


def _rejections(decision: Decision, names: Names, odds: Odds) -> list[str]:
    """Of those that turn down most, where it was counted as a cost."""
    counted = [
        package.location
        for package in decision.packages
        if odds.get(package.location) and any(term.name == Term.REJECTION for term in package.costs)
    ]
    worst = max(counted, key=odds.__getitem__, default=None)
    return [] if worst is None else [f"{_name(worst, names)} turns down about 1 order in {1 / odds[worst]:.0f}."]


def _alternatives(decision: Decision, names: Names) -> list[str]:
    others = (each for each in decision.considered if not each.chosen and each.regret_cents is not None)
    return [_alternative(each, names) for each in islice(others, ALTERNATIVES_MAX)]


def _alternative(other: Considered, names: Names) -> str:
    name = _name(other.location, names)
    if not other.regret_cents:
        return f"A plan with {name} would have cost the same."
    why = "" if other.against is None else _why(other.against, other.regret_cents, names)
    return f"The best plan with {name} would have cost {money(other.regret_cents)} more{why}."


def _why(reason: Reason, regret_cents: int, names: Names) -> str:
    """What makes the difference; terms are told only where they are all of it."""
    if reason.needs is not None and reason.sku is not None:
        return f", as it has {reason.has} of {reason.needs} × {reason.sku}"
    if reason.cents != regret_cents or reason.than is None:
        return ""
    farther = "it is farther: " if reason.code == Code.ZONE else ""
    no_better = f", and in nothing better than {_name(reason.than, names)}" if reason.code == Code.DOMINATED_BY else ""
    return f" ({farther}{_listed(f'{name} {money(cents, signed=True)}' for name, cents in reason.terms)}{no_better})"


def _counterfactuals(decision: Decision, names: Names) -> list[str]:
    considered = decision.considered
    places = considered.counterfactuals if isinstance(considered, Candidates) else range(len(considered))
    candidates = map(considered.__getitem__, places)
    had = [(each.counterfactual, each.location) for each in candidates if each.counterfactual is not None]
    had.sort(key=lambda each: (-each[0].saves_cents, each[1]))
    return [_counterfactual(needed, _name(location, names)) for needed, location in had[:COUNTERFACTUALS_MAX]]


def _counterfactual(needed: Counterfactual, name: str) -> str:
    saving = f"saving {money(needed.saves_cents)}" if needed.saves_cents else "in fewer parcels"
    short = [f"{each.needs} of {each.sku} ({'nobody knows' if each.has is None else f'has {each.has}'})" for each in needed.short]
    room = [] if needed.room is None else [f"room for {needed.room}"]
    return f"It would have shipped from {name}, {saving}, had that had {_listed([*short, *room])}."


def _excluded(decision: Decision, names: Names) -> list[str]:
    first, many = _first_excluded(decision), len(decision.considered)
    excluded = [decision.considered[place] for place in range(first, min(first + EXCLUDED_MAX, many))]
    told = [f"{_name(each.location, names)} ({each.excluded_because})" for each in excluded]
    rest = many - first - len(told)
    others = [f"{rest} other{'' if rest == 1 else 's'}"] if rest else []
    return [f"{_listed([*told, *others])} could not take part."] if told else []


def _first_excluded(decision: Decision) -> int:
    """The place of the first candidate that could not take part: they come last."""
    return bisect_left(decision.considered, True, key=lambda each: each.excluded_because is not None)


def _lines(lines: Iterable[Demand]) -> str:
    return _listed(f"{line.units} × {line.sku}" for line in lines)


def _name(location: LocationId, names: Names) -> str:
    return names.get(location, location)


def _listed(words: Iterable[str]) -> str:
    *most, last = [*words] or [""]
    return f"{', '.join(most)} and {last}" if most else last
