"""What a rule leaves of the locations, and what it makes them cost."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Sku
from gateway.domain.geography import PostalArea
from gateway.domain.locations import LocationKind
from gateway.domain.policies import (
    Ban,
    Candidacy,
    HardRules,
    Market,
    PackageWeight,
    Places,
    Rule,
    RulePart,
    UnitWeight,
    Weights,
    companions,
)
from tests.domain.policies.plainly import barred, narrowed, weighed
from tests.domain.policies.shelves import ALL, CUP, DEPOT, GAS, LOOP, MUG, PARTNER, SOHO, order

STORES = Places(kinds=(LocationKind.STORE,))


def rule(*, hard: HardRules = HardRules(), weights: Weights = Weights(), **candidates: Any) -> Rule:  # noqa: B008  # they are values
    return Rule(name="r", candidates=Candidacy(**candidates), hard=hard, weights=weights)


@pytest.mark.parametrize(
    ("narrow", "left"),
    [
        ({}, {"depot-east", "store-loop", "store-soho", "3pl-west"}),
        ({"places": (Places(codes=("store-*", "3pl-*")),)}, {"store-loop", "store-soho", "3pl-west"}),
        ({"places": (Places(codes=("*-east",)), Places(sources=("bob*",)))}, {"depot-east", "3pl-west"}),
        ({"places": (Places(codes=("pos:*-loop", "bobs:store-*")),)}, {"store-loop"}),
        ({"places": (Places(codes=("*-loop",), kinds=(LocationKind.WAREHOUSE,)),)}, set()),
        ({"except_places": (STORES, Places(sources=("bobs",)))}, {"depot-east"}),
        ({"places": (Places(groups=("flag*", "outlets")),)}, {"store-soho"}),
        ({"places": (Places(groups=("east",)),), "except_places": (Places(groups=("flagship",)),)}, {"depot-east"}),
        ({"except_places": (Places(groups=("*",)),)}, {"store-loop", "3pl-west"}),
        ({"miles_max": 700}, {"depot-east", "store-loop"}),
        ({"stock_age_seconds_max": 60}, {"depot-east", "3pl-west"}),
    ],
)
def test_only_candidates_are_left(narrow: dict[str, Any], left: set[str]) -> None:
    excluded = narrowed(rule(**narrow), order(), ALL)
    assert {each.code for each in ALL if each.location not in excluded} == left


def test_what_is_not_known_is_not_near_and_not_fresh() -> None:
    assert narrowed(rule(miles_max=10_000), order(), [SOHO])[SOHO.location].part is RulePart.DISTANCE
    assert narrowed(rule(stock_age_seconds_max=10_000), order(), [SOHO])[SOHO.location].part is RulePart.STOCK_AGE


def test_an_exclusion_says_which_rule_and_which_part_of_it() -> None:
    hard = HardRules(never_from=(Ban(places=STORES),), markets=(Market(countries=("CA",), places=Places(codes=("3pl-*",))),))
    found = narrowed(rule(hard=hard, miles_max=1_000), order(), ALL)
    told = {location: (each.code, each.detail) for location, each in found.items()}
    assert told == {
        LOOP.location: ("HARD_RULE", "r: NEVER_FROM"),
        SOHO.location: ("HARD_RULE", "r: DISTANCE"),
        PARTNER.location: ("HARD_RULE", "r: DISTANCE"),
    }


def test_what_must_not_leave_from_a_location_does_not_keep_it_from_sending_the_rest() -> None:
    hard = HardRules(never_from=(Ban(skus=("GAS-*",), places=STORES), Ban(skus=("CUP-*",), places=Places(codes=("*-loop",)))))
    assert narrowed(rule(hard=hard), order(GAS, MUG), ALL) == {}
    assert barred(rule(hard=hard), {GAS, MUG, CUP}, LOOP) == {GAS, CUP}
    assert barred(rule(hard=hard), {GAS, MUG, CUP}, SOHO) == {GAS}
    assert barred(rule(hard=hard), {GAS, MUG, CUP}, DEPOT) == set()
    assert set(narrowed(rule(hard=hard), order(GAS), ALL)) == {LOOP.location, SOHO.location}


def test_a_location_serves_the_countries_of_all_its_markets_and_without_any_every_country() -> None:
    markets = (Market(countries=("US",), places=STORES), Market(countries=("CA", "MX"), places=Places(codes=("*-loop",))))
    here = rule(hard=HardRules(markets=markets))

    def served(area: str) -> set[str]:
        excluded = narrowed(here, order(area=PostalArea(area)), ALL)
        return {each.code for each in ALL if each.location not in excluded}

    assert served("US:60601") == {"depot-east", "store-loop", "store-soho", "3pl-west"}
    assert served("CA:M5V") == {"depot-east", "store-loop", "3pl-west"}
    assert served("DE") == {"depot-east", "3pl-west"}


def test_goods_that_share_a_group_leave_from_one_location() -> None:
    apart = rule(hard=HardRules(together=(("MUG-*", "SAUCER-*"), ("CUP-*",))))
    assert set(companions(apart, {MUG, CUP, GAS})) == {frozenset({MUG}), frozenset({CUP})}
    chained = rule(hard=HardRules(together=(("MUG-*",), ("CUP-*", "GAS-*"), ("MUG-1", "CUP-1"))))
    assert companions(chained, {MUG, CUP, GAS}) == (frozenset({MUG, CUP, GAS}),)
    assert companions(chained, {Sku("OTHER")}) == ()


SKUS = st.frozensets(st.sampled_from([Sku(letter) for letter in "ABCDEF"]))
GROUPS = st.lists(st.lists(st.sampled_from("ABCDEF"), min_size=1, max_size=3).map(tuple), max_size=4).map(tuple)


@given(SKUS, GROUPS)
def test_groups_of_companions_never_overlap_and_tear_no_group_apart(
    skus: frozenset[Sku], groups: tuple[tuple[str, ...], ...]
) -> None:
    found = companions(rule(hard=HardRules(together=groups)), skus)
    assert sum(len(each) for each in found) == len(frozenset().union(*found))
    for group in groups:
        here = {sku for sku in skus if sku in group}
        assert not here or any(here <= each for each in found)


def test_weights_that_speak_of_the_same_location_add_up() -> None:
    weights = Weights(
        packages=(
            PackageWeight(places=STORES, pick_cents=250, preference_cents=-100),
            PackageWeight(places=Places(codes=("*-loop",)), pick_cents=50, preference_cents=300),
        ),
        units=(
            UnitWeight(places=STORES, handling_cents=10),
            UnitWeight(places=STORES, skus=("MUG-*",), handling_cents=5, markdown_cents=120),
        ),
    )
    here = weighed(rule(weights=weights), [MUG, CUP], LOOP)
    assert (here.pick_cents, here.preference_cents) == (300, 200)
    assert (dict(here.handling_cents), dict(here.markdown_cents)) == ({MUG: 15, CUP: 10}, {MUG: 120, CUP: 0})
    elsewhere = weighed(rule(weights=weights), [MUG, CUP], DEPOT)
    assert (elsewhere.pick_cents, elsewhere.preference_cents, elsewhere.handling_cents, elsewhere.markdown_cents) == (0, 0, {}, {})
