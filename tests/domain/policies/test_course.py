"""Which rules an order goes by, and what becomes of it when they leave nothing."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.contract import Method, Sku
from gateway.domain.geography import PostalArea
from gateway.domain.policies import (
    LEAST_COST,
    Candidacy,
    Fallback,
    FallbackStep,
    HardRules,
    OrderFacts,
    RoutingPolicy,
    Rule,
    RulePart,
    When,
    course,
    matching,
    relaxed,
)
from gateway.domain.policies.contradictions import parts_of
from gateway.domain.policies.rule import Ban, Market, Places
from tests.domain.policies.shelves import CUP, GAS, MUG, NOON, order

NEXT, BACK_ORDER, PARK = (Fallback(step=step) for step in (FallbackStep.NEXT_RULE, FallbackStep.BACK_ORDER, FallbackStep.PARK))
DAY = timedelta(days=1)
EVERYTHING = Rule(
    name="strict",
    candidates=Candidacy(places=(Places(codes=("store-*",)),), miles_max=50, stock_age_seconds_max=60),
    hard=HardRules(
        together=(("MUG-*", "CUP-*"),),
        never_from=(Ban(skus=("GAS-*",), places=Places(codes=("store-*",))),),
        markets=(Market(countries=("US",)),),
        packages_max=1,
        whole_lines=True,
    ),
)


def policy(*rules: Rule) -> RoutingPolicy:
    return RoutingPolicy(name="default", version=1, rules=rules, changes=())


def relax(*parts: RulePart) -> Fallback:
    return Fallback(step=FallbackStep.RELAX, relaxes=parts)


@pytest.mark.parametrize(
    ("when", "matched", "passed_by"),
    [
        ({"channels": ("web*",)}, order(channel="web-de"), order(channel="app")),
        ({"methods": (Method.PICKUP,)}, order(method=Method.PICKUP), order()),
        ({"customer_classes": ("gold", "staff-*")}, order(customer_class="staff-it"), order(customer_class=None)),
        ({"skus": ("GAS-*",)}, order(MUG, GAS), order(MUG, CUP)),
        ({"only_skus": ("GAS-*", "MUG-*")}, order(MUG, GAS), order(MUG, CUP)),
        ({"destinations": ("US:606", "CA")}, order(area=PostalArea("CA:M5V2T6")), order(area=PostalArea("US:10001"))),
        ({"placed_from": NOON, "placed_to": NOON + DAY}, order(), order(placed_at=NOON + DAY)),
        ({"placed_from": NOON + DAY}, order(placed_at=NOON + DAY), order()),
        ({"tags": ("frag*", "gift")}, order(tags=("fragile", "heavy")), order(tags=("heavy",))),
        ({"tags": ("*",)}, order(tags=("heavy",)), order()),
        ({"value_cents_from": 5_000}, order(value_cents=5_000), order(value_cents=4_999)),
        ({"value_cents_to": 5_000}, order(value_cents=4_999), order(value_cents=5_000)),
        ({"value_cents_from": 0}, order(value_cents=0), order()),
        ({"value_cents_to": 5_000}, order(value_cents=0), order()),
        ({"skus": ("A[1]?*",)}, order(Sku("A[1]?x")), order(Sku("A1yx"))),
    ],
)
def test_the_first_rule_that_matches_counts(when: dict[str, Any], matched: OrderFacts, passed_by: OrderFacts) -> None:
    some, others = Rule(name="some", when=When(**when)), Rule(name="others")
    assert matching(policy(some, others), matched) is some
    assert matching(policy(some, others), passed_by) is others
    assert matching(policy(some), passed_by) is LEAST_COST, "no rule matches: least cost, as without a policy"


def test_without_fallbacks_there_is_one_pass_and_no_ending() -> None:
    found = course(policy(EVERYTHING), order())
    assert [each.rule for each in found.passes] == [EVERYTHING]
    assert (found.ending, found.cancel_after_hours) == (None, None)


def test_each_pass_does_without_more_than_the_one_before() -> None:
    parts = (RulePart.STOCK_AGE, RulePart.DISTANCE, RulePart.PACKAGES_MAX)
    soft = Rule(name="soft", candidates=EVERYTHING.candidates, hard=EVERYTHING.hard, fallbacks=(*map(relax, parts), PARK))
    found = course(policy(soft), order())
    assert [each.relaxed for each in found.passes] == [(), parts[:1], parts[:2], parts]
    assert [parts_of(soft) - parts_of(each.rule) for each in found.passes] == [set(), {*parts[:1]}, {*parts[:2]}, {*parts}]
    assert {each.rule.name for each in found.passes} == {"soft"}, "explanations name the rule, whatever it does without"
    assert found.ending is FallbackStep.PARK


@pytest.mark.parametrize("part", RulePart)
def test_a_rule_can_do_without_each_of_its_parts_and_keeps_the_others(part: RulePart) -> None:
    assert parts_of(EVERYTHING) == set(RulePart)
    assert parts_of(relaxed(EVERYTHING, [part])) == set(RulePart) - {part}


def test_the_next_rule_is_the_next_that_matches_and_says_what_then() -> None:
    first = Rule(name="first", fallbacks=(relax(RulePart.MARKETS), NEXT, PARK))
    pickups = Rule(name="pickups", when=When(methods=(Method.PICKUP,)))
    last = Rule(name="last", fallbacks=(BACK_ORDER, Fallback(step=FallbackStep.AUTO_CANCEL, after_hours=72)))
    shipped = course(policy(first, pickups, last), order())
    assert [each.rule.name for each in shipped.passes] == ["first", "first", "last"]
    assert (shipped.ending, shipped.cancel_after_hours) == (FallbackStep.BACK_ORDER, 72)
    picked_up = course(policy(first, pickups, last), order(method=Method.PICKUP))
    assert [each.rule.name for each in picked_up.passes] == ["first", "first", "pickups"]
    assert picked_up.ending is None, "the next rule has no ending, and it is the one that counts"
    alone = course(policy(first, pickups), order())
    assert [each.rule.name for each in alone.passes] == ["first", "first"]
    assert alone.ending is FallbackStep.PARK, "no other rule matches: the first goes on"


def test_an_order_that_is_canceled_some_time_waits_for_stock_until_then() -> None:
    hours = Fallback(step=FallbackStep.AUTO_CANCEL, after_hours=48)
    found = course(policy(Rule(name="patient", fallbacks=(hours,))), order())
    assert (found.ending, found.cancel_after_hours) == (FallbackStep.BACK_ORDER, 48)
    parked = course(policy(Rule(name="asking", fallbacks=(hours, PARK))), order())
    assert (parked.ending, parked.cancel_after_hours) == (FallbackStep.PARK, 48)
