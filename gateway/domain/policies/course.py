"""Which rules an order goes by, in turn, and what becomes of it when none of them leaves anything."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.domain.policies.facts import OrderFacts
from gateway.domain.policies.patterns import matches
from gateway.domain.policies.policy import RoutingPolicy
from gateway.domain.policies.rule import LEAST_COST, Fallback, FallbackStep, Rule, RulePart


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One attempt at routing an order. ``rule`` is already without the parts ``relaxed``."""

    rule: Rule
    relaxed: tuple[RulePart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What to try in turn, and what to do when nothing of it has a plan.

    ``ending`` is BACK_ORDER or PARK; None: as without a policy. ``cancel_after_hours`` counts from when the order was placed.
    """

    passes: tuple[Pass, ...]
    ending: FallbackStep | None = None
    cancel_after_hours: int | None = None


def matching(policy: RoutingPolicy, order: OrderFacts) -> Rule:
    """The first rule that matches the order; ``LEAST_COST`` where none does."""
    return next((rule for rule in policy.rules if matches(rule.when, order)), LEAST_COST)


def course(policy: RoutingPolicy, order: OrderFacts) -> Course:
    """The rule that matches the order, and all that its fallbacks lead to."""
    rules = [rule for rule in policy.rules if matches(rule.when, order)]
    return _course(rules or [LEAST_COST])


def _course(rules: Sequence[Rule]) -> Course:
    rule, rest = rules[0], rules[1:]
    passes, found = [Pass(rule=rule)], Course(passes=())
    for fallback in rule.fallbacks:
        if fallback.step is FallbackStep.RELAX:
            given_up = tuple(dict.fromkeys((*passes[-1].relaxed, *fallback.relaxes)))
            passes.append(Pass(rule=relaxed(rule, given_up), relaxed=given_up))
        elif fallback.step is FallbackStep.NEXT_RULE and rest:
            found = _course(rest)
            break
        else:
            found = _ended(found, fallback)
    return replace(found, passes=(*passes, *found.passes))


def _ended(course: Course, fallback: Fallback) -> Course:
    """An order that is to be canceled some time waits for stock until then, unless it waits for a person."""
    if fallback.step is FallbackStep.AUTO_CANCEL:
        return replace(course, ending=course.ending or FallbackStep.BACK_ORDER, cancel_after_hours=fallback.after_hours)
    return course if fallback.step is FallbackStep.NEXT_RULE else replace(course, ending=fallback.step)


def relaxed(rule: Rule, parts: Iterable[RulePart]) -> Rule:
    """The same rule without these parts."""
    for part in parts:
        rule = _WITHOUT[part](rule)
    return rule


_WITHOUT: Final[Mapping[RulePart, Callable[[Rule], Rule]]] = {
    RulePart.CANDIDATES: lambda rule: replace(rule, candidates=replace(rule.candidates, places=(), except_places=())),
    RulePart.DISTANCE: lambda rule: replace(rule, candidates=replace(rule.candidates, miles_max=None)),
    RulePart.STOCK_AGE: lambda rule: replace(rule, candidates=replace(rule.candidates, stock_age_seconds_max=None)),
    RulePart.NEVER_FROM: lambda rule: replace(rule, hard=replace(rule.hard, never_from=())),
    RulePart.MARKETS: lambda rule: replace(rule, hard=replace(rule.hard, markets=())),
    RulePart.TOGETHER: lambda rule: replace(rule, hard=replace(rule.hard, together=())),
    RulePart.WHOLE_LINES: lambda rule: replace(rule, hard=replace(rule.hard, whole_lines=False)),
    RulePart.PACKAGES_MAX: lambda rule: replace(rule, hard=replace(rule.hard, packages_max=None)),
}
