"""What cannot be meant is found when it is written, and nothing else is."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.locations import LocationKind
from gateway.domain.policies import (
    Ban,
    Candidacy,
    Criterion,
    Fallback,
    FallbackStep,
    HardRules,
    Market,
    Objective,
    Places,
    Rule,
    RulePart,
    When,
    contradictions,
)
from tests.domain.policies.plainly import narrowed
from tests.domain.policies.shelves import NOON, location, order

WAREHOUSES, STORES, PARTNERS = (Places(kinds=(kind,)) for kind in LocationKind)
EAST = Places(codes=("*-east",))


def told(*rules: Rule) -> list[tuple[str, str]]:
    return [("/".join(each.path), each.problem) for each in contradictions(rules)]


def paths(**parts: Any) -> list[str]:
    return [path.partition("/")[2] for path, _ in told(Rule(name="r", **parts))]


def never(*bans: Ban, **more: Any) -> HardRules:
    return HardRules(never_from=bans, **more)


def fallbacks(*steps: FallbackStep) -> tuple[Fallback, ...]:
    return tuple(Fallback(step=step) for step in steps)


def test_an_order_cannot_be_placed_after_the_end_of_its_rule() -> None:
    assert paths(when=When(placed_from=NOON, placed_to=NOON)) == ["when/placedTo"]


def test_an_order_cannot_be_worth_less_than_the_least_that_its_rule_wants() -> None:
    for least, below in ((5_000, 5_000), (5_000, 0)):
        assert paths(when=When(value_cents_from=least, value_cents_to=below)) == ["when/valueCentsTo"]
    assert paths(when=When(value_cents_from=0, value_cents_to=1)) == []


@pytest.mark.parametrize(
    "never_from",
    [
        (Ban(),),
        (Ban(places=WAREHOUSES), Ban(places=STORES), Ban(places=PARTNERS)),
        (Ban(skus=("GAS-*",)),),
        (Ban(places=STORES), Ban(skus=("GAS-*",), places=WAREHOUSES), Ban(skus=("GAS-*",), places=PARTNERS)),
    ],
)
def test_goods_that_may_leave_from_nowhere_are_found(never_from: tuple[Ban, ...]) -> None:
    assert paths(hard=never(*never_from)) == ["hard/neverFrom"]


def test_candidates_count_that_are_all_excluded_or_all_forbidden() -> None:
    stores_in_the_east = Places(codes=("chicago-east", "new-*-east"), kinds=(LocationKind.STORE,))
    assert paths(candidates=Candidacy(places=(stores_in_the_east,), except_places=(EAST,))) == ["candidates/exceptPlaces"]
    assert paths(candidates=Candidacy(places=(stores_in_the_east,)), hard=never(Ban(places=EAST))) == ["hard/neverFrom"]
    half = Candidacy(places=(EAST, WAREHOUSES), except_places=(EAST,))
    assert paths(candidates=half, hard=never(Ban(places=WAREHOUSES))) == ["hard/neverFrom"]
    assert paths(candidates=half) == []
    assert paths(candidates=Candidacy(places=(EAST,), except_places=(stores_in_the_east,))) == []


def test_a_group_covers_the_groups_whose_names_fit_its_pattern() -> None:
    east, outlets = Places(groups=("outlets-*",)), Places(groups=("outlets-east", "outlets-*-west"), kinds=(LocationKind.STORE,))
    assert paths(candidates=Candidacy(places=(outlets,), except_places=(east,))) == ["candidates/exceptPlaces"]
    assert paths(candidates=Candidacy(places=(east,), except_places=(outlets,))) == []
    assert paths(candidates=Candidacy(except_places=(Places(groups=("*",)),))) == [], "most locations are in no group"


def test_what_must_stay_in_one_package_is_not_torn_between_locations() -> None:
    torn = (Ban(skus=("GAS-*",), places=STORES), Ban(skus=("TIE-*",), places=WAREHOUSES), Ban(skus=("TIE-*",), places=PARTNERS))
    assert paths(hard=never(*torn, packages_max=1)) == ["hard/packagesMax"]
    assert paths(hard=never(*torn, together=(("MUG-*",), ("GAS-1", "TIE-*")))) == ["hard/together/1"]
    assert paths(hard=never(*torn, packages_max=2)) == []
    assert paths(hard=never(*torn, together=(("GAS-*", "MUG-*"),))) == []
    parked = fallbacks(FallbackStep.PARK)
    assert paths(hard=never(*torn, packages_max=1), fallbacks=parked) == [], "it says what becomes of such orders"


def test_a_rule_for_a_country_asks_some_location_that_serves_it() -> None:
    to_canada, markets = When(destinations=("CA:M5V", "CA:H")), (Market(countries=("US", "MX")),)
    assert told(Rule(name="r", when=to_canada, hard=HardRules(markets=markets))) == [
        ("0/hard/markets", "no location that it asks serves CA.")
    ]
    assert paths(hard=HardRules(markets=markets)) == []
    assert paths(when=When(destinations=("CA", "US:606")), hard=HardRules(markets=markets)) == []
    assert paths(when=to_canada, hard=HardRules(markets=(Market(countries=("US",), places=STORES),))) == []


def test_criteria_go_with_a_lexicographic_objective_and_with_nothing_else() -> None:
    by_miles = (Criterion.PACKAGES, Criterion.MILES)
    assert paths(objective=Objective(strategy="lexicographic", criteria=by_miles)) == []
    for wrong in (
        Objective(strategy="lexicographic"),
        Objective(criteria=by_miles),
        Objective(strategy="lexicographic", criteria=(Criterion.MILES, Criterion.MILES)),
        Objective(strategy="lexicographic", criteria=(Criterion.COST, Criterion.MILES)),
    ):
        assert paths(objective=wrong) == ["objective/criteria"]


@pytest.mark.parametrize(
    ("fallback", "path"),
    [
        (Fallback(step=FallbackStep.RELAX), "fallbacks/0/relaxes"),
        (Fallback(step=FallbackStep.PARK, relaxes=(RulePart.DISTANCE,)), "fallbacks/0/relaxes"),
        (Fallback(step=FallbackStep.RELAX, relaxes=(RulePart.DISTANCE, RulePart.MARKETS)), "fallbacks/0/relaxes"),
        (Fallback(step=FallbackStep.AUTO_CANCEL), "fallbacks/0/afterHours"),
        (Fallback(step=FallbackStep.PARK, after_hours=3), "fallbacks/0/afterHours"),
    ],
)
def test_a_fallback_says_all_that_it_needs_and_no_more(fallback: Fallback, path: str) -> None:
    assert paths(candidates=Candidacy(miles_max=50), fallbacks=(fallback,)) == [path]


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ((FallbackStep.PARK, FallbackStep.NEXT_RULE), ["fallbacks/1"]),
        ((FallbackStep.NEXT_RULE, FallbackStep.NEXT_RULE), ["fallbacks/1"]),
        ((FallbackStep.BACK_ORDER, FallbackStep.BACK_ORDER), ["fallbacks/1"]),
        ((FallbackStep.BACK_ORDER, FallbackStep.PARK), ["fallbacks"]),
        ((FallbackStep.NEXT_RULE, FallbackStep.PARK), []),
    ],
)
def test_fallbacks_end_once(steps: tuple[FallbackStep, ...], found: list[str]) -> None:
    rules = (Rule(name="r", when=When(channels=("web",)), fallbacks=fallbacks(*steps)), Rule(name="next"))
    assert [path.partition("/")[2] for path, _ in told(*rules)] == found


def test_rules_do_not_hide_or_shadow_each_other() -> None:
    web, rest = Rule(name="web", when=When(channels=("web",))), Rule(name="rest")
    assert told(web, rest) == []
    assert told(rest, web) == [("1/when", "it is never reached, since rest before it matches every order.")]
    assert told(web, web) == [("1/name", "another rule has the same name.")]
    leading = Rule(name="leading", fallbacks=fallbacks(FallbackStep.NEXT_RULE))
    assert told(leading, rest) == []
    assert told(rest, leading) == [
        ("1/when", "it is never reached, since rest before it matches every order."),
        ("1/fallbacks", "there is no next rule."),
    ]


WORDS = st.sampled_from(["a", "b", "ab", "a*", "*b", "*", "a*b"])
SOME = st.lists(WORDS, max_size=2).map(tuple)
KINDS = st.lists(st.sampled_from(list(LocationKind)), max_size=3, unique=True).map(tuple)
PLACES = st.builds(Places, codes=SOME, kinds=KINDS, sources=SOME, groups=SOME)
SEVERAL = st.lists(PLACES, max_size=3).map(tuple)
CODES = ["a", "b", "ab", "ba", "aab", "abc", "cb", "c", "a*", "*"]
GROUPS = [frozenset[str](), frozenset({"a"}), frozenset({"ab", "c"}), frozenset({"b", "xb"})]
UNIVERSE = [
    location(code, kind, source, groups=groups)
    for (code, kind), (source, groups) in product(product(CODES, LocationKind), product(("a", "b", "ab", "xb", "c"), GROUPS))
]


@given(SEVERAL, SEVERAL, SEVERAL, st.lists(PLACES.map(lambda each: Market(countries=("CA",), places=each)), max_size=3).map(tuple))
def test_a_rule_that_is_said_to_leave_no_location_leaves_none(
    asked: tuple[Places, ...], excluded: tuple[Places, ...], forbidden: tuple[Places, ...], markets: tuple[Market, ...]
) -> None:
    hard = HardRules(never_from=tuple(Ban(places=each) for each in forbidden), markets=markets)
    rule = Rule(name="r", when=When(destinations=("US",)), candidates=Candidacy(places=asked, except_places=excluded), hard=hard)
    if paths(when=rule.when, candidates=rule.candidates, hard=hard):
        for each in UNIVERSE:
            assert narrowed(rule, order(), [each]), each
