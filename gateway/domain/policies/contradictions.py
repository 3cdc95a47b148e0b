"""What in a policy cannot be meant, found when it is written: no order could ever be routed by it, or it says nothing.

Only what is certain is told. Whether places overlap is judged by their patterns, since locations come and go.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.domain.locations import LocationKind
from gateway.domain.policies.patterns import fits
from gateway.domain.policies.rule import LEXICOGRAPHIC, Ban, Criterion, FallbackStep, Places, Rule, RulePart, When

ENDINGS: Final = frozenset({FallbackStep.BACK_ORDER, FallbackStep.PARK})
LAST: Final = ENDINGS | {FallbackStep.AUTO_CANCEL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Something in a rule that cannot be meant. ``path`` leads to it from the first rule, in the words of the graph."""

    rule: str
    path: tuple[str, ...]
    problem: str


Found = Iterator[tuple[tuple[str, ...], str]]
"""Paths inside a rule, and what is wrong there."""


def contradictions(rules: Sequence[Rule]) -> tuple[Contradiction, ...]:
    """All that cannot be meant in the rules of a policy, in themselves and one after another."""
    return tuple(
        Contradiction(rule=rule.name, path=(str(place), *path), problem=problem)
        for place, rule in enumerate(rules)
        for path, problem in (*_within(rule), *_among(rules, place))
    )


def _within(rule: Rule) -> Found:
    for finder in (_never, _nowhere, _torn, _unserved, _aimless, _amiss, _too_much):
        yield from finder(rule)


def _among(rules: Sequence[Rule], place: int) -> Found:
    rule, earlier = rules[place], rules[:place]
    if any(other.name == rule.name for other in earlier):
        yield ("name",), "another rule has the same name."
    shadow = next((other for other in earlier if other.when == When() and not _leads_on(other)), None)
    if shadow is not None:
        yield ("when",), f"it is never reached, since {shadow.name} before it matches every order."
    if _leads_on(rule) and place == len(rules) - 1:
        yield ("fallbacks",), "there is no next rule."


def _leads_on(rule: Rule) -> bool:
    return any(fallback.step is FallbackStep.NEXT_RULE for fallback in rule.fallbacks)


# ---------------------------------------------------------------------------------------------- one rule
def _never(rule: Rule) -> Found:
    when = rule.when
    if when.placed_from is not None and when.placed_to is not None and when.placed_from >= when.placed_to:
        yield ("when", "placedTo"), "no order is placed at or after its end."
    if when.value_cents_from is not None and when.value_cents_to is not None and when.value_cents_from >= when.value_cents_to:
        yield ("when", "valueCentsTo"), "no order is worth that or more, and less."


def _nowhere(rule: Rule) -> Found:
    """Every candidate is excluded, or forbidden to send."""
    asked, excluded = _corners(rule.candidates.places), rule.candidates.except_places
    if _all_in(asked, excluded):
        yield ("candidates", "exceptPlaces"), "every location that it asks is excluded again."
        return
    for skus in sorted({ban.skus for ban in rule.hard.never_from}):
        bans = [ban.places for ban in rule.hard.never_from if ban.skus in {(), skus}]
        if _all_in(asked, (*excluded, *bans)):
            what = " or ".join(skus) or "what is ordered"
            yield ("hard", "neverFrom"), f"{what} must not leave from any location that it asks."
            return


def _torn(rule: Rule) -> Found:
    """What has to leave from one location, although each is forbidden to send some of it. A fallback would say what then."""
    asked, hard = _corners(rule.candidates.places), rule.hard
    groups: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("hard", "together", str(place)), group) for place, group in enumerate(hard.together)
    ]
    if hard.packages_max == 1:
        groups.append((("hard", "packagesMax"), ("*",)))
    for path, group in groups if not rule.fallbacks else ():
        bans = [ban for ban in hard.never_from if not ban.skus or _touches(ban, group)]
        differ = len({ban.skus for ban in bans if ban.skus}) > 1
        if differ and _all_in(asked, (*rule.candidates.except_places, *(ban.places for ban in bans))):
            yield path, "this has to leave from one location, but every location must not send some of it."


def _unserved(rule: Rule) -> Found:
    """Orders are asked for of which no candidate serves the country."""
    wanted, markets = {area[:2] for area in rule.when.destinations}, rule.hard.markets
    served = {country for market in markets for country in market.countries}
    places = (*rule.candidates.except_places, *(market.places for market in markets))
    if wanted and markets and not wanted & served and _all_in(_corners(rule.candidates.places), places):
        yield ("hard", "markets"), f"no location that it asks serves {', '.join(sorted(wanted))}."


def _aimless(rule: Rule) -> Found:
    """Criteria go with ``lexicographic``, and with nothing else."""
    criteria, path = rule.objective.criteria, ("objective", "criteria")
    if (rule.objective.strategy == LEXICOGRAPHIC) is not bool(criteria):
        yield path, f"criteria and the strategy `{LEXICOGRAPHIC}` come together."
    if len(set(criteria)) < len(criteria):
        yield path, "a criterion comes twice."
    if Criterion.COST in criteria[:-1]:
        yield path, "what comes after the cost decides nothing."


def _amiss(rule: Rule) -> Found:
    """Fallbacks that lack something, have too much, or do without what is not there."""
    for place, fallback in enumerate(rule.fallbacks):
        path = ("fallbacks", str(place))
        if (fallback.step is FallbackStep.RELAX) is not bool(fallback.relaxes):
            yield (*path, "relaxes"), f"parts to do without and {FallbackStep.RELAX.value} come together."
        for part in fallback.relaxes:
            if part not in parts_of(rule):
                yield (*path, "relaxes"), f"it has no {part.value} to do without."
        if (fallback.step is FallbackStep.AUTO_CANCEL) is not (fallback.after_hours is not None):
            yield (*path, "afterHours"), f"hours and {FallbackStep.AUTO_CANCEL.value} come together."


def _too_much(rule: Rule) -> Found:
    """Fallbacks after the last, and those that come twice."""
    steps = [fallback.step for fallback in rule.fallbacks]
    for place, step in enumerate(steps):
        before = steps[:place]
        if step not in LAST and not LAST.isdisjoint(before):
            yield ("fallbacks", str(place)), f"{step.value} comes too late: the order waits already."
        if step is not FallbackStep.RELAX and step in before:
            yield ("fallbacks", str(place)), f"{step.value} comes twice."
    if set(steps) >= ENDINGS:
        yield ("fallbacks",), "an order waits for stock or for a person, not for both."


def parts_of(rule: Rule) -> frozenset[RulePart]:
    """The parts that the rule has."""
    has = {
        RulePart.CANDIDATES: rule.candidates.places or rule.candidates.except_places,
        RulePart.DISTANCE: rule.candidates.miles_max is not None,
        RulePart.STOCK_AGE: rule.candidates.stock_age_seconds_max is not None,
        RulePart.NEVER_FROM: rule.hard.never_from,
        RulePart.MARKETS: rule.hard.markets,
        RulePart.TOGETHER: rule.hard.together,
        RulePart.WHOLE_LINES: rule.hard.whole_lines,
        RulePart.PACKAGES_MAX: rule.hard.packages_max is not None,
    }
    return frozenset(part for part, there in has.items() if there)


# ---------------------------------------------------------------------------------------------- places
def _corners(places: Sequence[Places]) -> list[Places]:
    """The same locations, taken apart by kind, so that what covers them may be put together of several parts."""
    return [replace(each, kinds=(kind,)) for each in places or (Places(),) for kind in each.kinds or tuple(LocationKind)]


def _all_in(asked: Iterable[Places], places: Sequence[Places]) -> bool:
    """Whether every location of the one is surely in the other."""
    return all(any(_covers(wide, each) for wide in places) for each in asked)


def _covers(wide: Places, narrow: Places) -> bool:
    """Whether every location of the narrow is one of the wide."""
    kinds = not wide.kinds or set(narrow.kinds) <= set(wide.kinds)
    texts = ((wide.codes, narrow.codes), (wide.sources, narrow.sources), (wide.groups, narrow.groups))
    return kinds and all(_as_wide(*each) for each in texts)


def _as_wide(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    # A pattern read as a text fits a wider one: its star can only be swallowed by a star.
    return not wide or (bool(narrow) and all(fits(pattern, wide) for pattern in narrow))


def _touches(ban: Ban, group: tuple[str, ...]) -> bool:
    """Whether some SKUs surely are of both: a pattern of the one lies within the other."""
    return any(fits(pattern, group) for pattern in ban.skus) or any(fits(pattern, ban.skus) for pattern in group)
