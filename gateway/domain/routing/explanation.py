"""A decision in sentences, for a person who has to explain it to a customer."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from gateway.domain.identity import LocationId
from gateway.domain.routing.decision import Considered, Decision, Package
from gateway.domain.routing.problem import Preference

ALTERNATIVES_MAX: Final = 3
EXCLUDED_MAX: Final = 5

AIMS: Final[Mapping[Preference, str]] = {
    Preference.CHEAPEST: "the least cost",
    Preference.FASTEST: "the fewest days in transit, which are counted as a cost",
    Preference.FEWEST_PARCELS: "the fewest parcels, each further one of which is counted as a cost",
}


def explain(decision: Decision, names: Mapping[LocationId, str]) -> str:
    """Say what comes from where and why, one sentence each. A location without a name is called by its id."""
    sentences = [
        *(_package(package, names) for package in decision.packages),
        _cost(decision),
        *_guesses(decision, names),
        *_alternatives(decision, names),
        *_excluded(decision, names),
    ]
    return " ".join(sentences)


def _package(package: Package, names: Mapping[LocationId, str]) -> str:
    lines = _listed([f"{line.units} × {line.sku}" for line in package.lines])
    if package.zone is None:
        return f"{_name(package.location, names)} hands over {lines}."
    far = f", {package.miles:,.0f} miles away," if package.miles is not None else ""
    days = f"{package.transit_days} day{'' if package.transit_days == 1 else 's'}"
    by = f" by {package.service}" if package.service is not None else ""
    return f"{_name(package.location, names)}{far} sends {lines}{by} in about {days} (zone {package.zone})."


def _cost(decision: Decision) -> str:
    terms: Counter[str] = Counter()
    for package in decision.packages:
        for term in package.costs:
            terms[term.name] += term.cents
    parts = _listed([f"{name} {_money(cents)}" for name, cents in terms.items()])
    total = f"This costs {_money(decision.cost_cents)}" + (f" ({parts})" if parts else "")
    if decision.optimal:
        return f"{total}; the aim was {AIMS[decision.preference]}, and no plan does better."
    return f"{total}; the aim was {AIMS[decision.preference]}, and no plan saves more than {decision.optimality_gap:.1%} of it."


def _guesses(decision: Decision, names: Mapping[LocationId, str]) -> list[str]:
    far = [_name(package.location, names) for package in decision.packages if package.zone is not None and package.miles is None]
    return [f"How far it is from {_listed(far)} is unknown, so the farthest zone was assumed."] if far else []


def _alternatives(decision: Decision, names: Mapping[LocationId, str]) -> list[str]:
    others = [each for each in decision.considered if not each.chosen and each.regret_cents is not None]
    return [_alternative(each, _name(each.location, names)) for each in others[:ALTERNATIVES_MAX]]


def _alternative(other: Considered, name: str) -> str:
    if not other.regret_cents:
        return f"A plan with {name} would have cost the same."
    return f"The best plan with {name} would have cost {_money(other.regret_cents)} more."


def _excluded(decision: Decision, names: Mapping[LocationId, str]) -> list[str]:
    excluded = [each for each in decision.considered if each.excluded_because is not None]
    told = [f"{_name(each.location, names)} could not take part ({each.excluded_because})." for each in excluded[:EXCLUDED_MAX]]
    rest = len(excluded) - len(told)
    return [*told, f"Nor could {rest} other{'' if rest == 1 else 's'}."] if rest else told


def _name(location: LocationId, names: Mapping[LocationId, str]) -> str:
    return names.get(location, location)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _money(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02}"
