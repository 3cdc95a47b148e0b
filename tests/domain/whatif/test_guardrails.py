"""What a change may at most do."""

import pytest

from gateway.domain.policies import DEFAULT, Ban, HardRules, RoutingPolicy, Rule
from gateway.domain.whatif import Breach, Contender, Guardrails, Measure, breaches, compare, going_by, ruled_by, strategies_of
from tests.domain.whatif.streams import SKUS, Street

IN_FORCE = Contender(name="in force")
STREET = Street(orders=80)
WORSE = going_by("closest")
CASES = STREET.kept(STREET.routed_by(IN_FORCE))
FOUND = compare(CASES, IN_FORCE, [WORSE], strategies_of([WORSE]))
_, SCORE = FOUND.scores


@pytest.mark.parametrize(
    ("measure", "knob", "measured"),
    [
        (Measure.COST_PERCENT, "cost_percent_max", 100 * (SCORE.dearer_share or 0)),
        (Measure.PACKAGES_PERCENT, "packages_percent_max", 100 * (SCORE.more_packages_share or 0)),
    ],
)
def test_a_guardrail_holds_back_what_is_worse_than_it_says_and_nothing_else(measure: Measure, knob: str, measured: float) -> None:
    assert measured > 0
    assert breaches(Guardrails(**{knob: measured}), FOUND) == ()  # type: ignore[arg-type]  # a percentage
    limit = measured - 0.01
    told = breaches(Guardrails(**{knob: limit}), FOUND)  # type: ignore[arg-type]  # a percentage
    assert told == (Breach(measure=measure, measured=measured, limit=limit),)


def test_nothing_can_be_told_from_no_orders() -> None:
    nothing = compare([], IN_FORCE, [WORSE], strategies_of([WORSE]))
    (told,) = breaches(Guardrails(cost_percent_max=5), nothing)
    assert (told.measure, told.measured, told.limit) == (Measure.ORDERS, 0, 1)
    assert breaches(Guardrails(orders_min=0), nothing) == ()
    assert (nothing.since, nothing.until, nothing.scores[1].cost_per_order_cents) == (None, None, None)


def test_orders_that_go_unfilled_are_counted_beyond_those_that_do_in_force() -> None:
    nowhere = HardRules(never_from=(Ban(skus=(SKUS[0],)),))
    dropped = RoutingPolicy(name=DEFAULT, version=1, rules=(Rule(name="dropped", hard=nowhere),), changes=())
    wanted = sum(SKUS[0] in case.problem.facts.skus for case in CASES)
    comparison = compare(CASES, IN_FORCE, [ruled_by(dropped, {})], {})
    assert wanted > 5
    told = breaches(Guardrails(unfillable_max=wanted - 1), comparison)
    assert told == (Breach(measure=Measure.UNFILLABLE, measured=wanted, limit=wanted - 1),)
    assert breaches(Guardrails(unfillable_max=wanted), comparison) == ()
