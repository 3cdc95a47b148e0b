"""Rules of thumb: each does what the system it comes from does, and never what cannot be done."""

from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.plans import strategies
from gateway.domain.plans.instance import Instance, Plan
from gateway.domain.plans.postage import NO_POSTAGE
from gateway.domain.plans.solve import solve
from gateway.domain.plans.strategies import (
    STRATEGIES,
    Criterion,
    UnknownStrategy,
    closest,
    highest_stock,
    lexicographic,
    priority,
    ranked,
    strategy_of,
    weighted,
)
from tests.domain.plans.problems import allowed, cents_of, tiny


def order(stock: list[list[int]], *, wanted: list[int], miles: list[float], **more: Any) -> Instance:
    """A package costs 500 and a cent a mile, a unit 10; the merchant prefers the first location."""
    locations, lines = len(stock), len(wanted)
    instance = Instance(
        wanted=np.array(wanted),
        stock=np.array(stock),
        room=np.full(locations, 99),
        package_cents=500.0 + np.array(miles),
        unit_cents=np.full((locations, lines), 10.0),
        postage=NO_POSTAGE,
        lane=np.zeros(locations, dtype=np.int64),
        grams=np.ones(lines, dtype=np.int64),
        miles=np.array(miles, dtype=np.float64),
        rank=np.arange(locations),
    )
    return replace(instance, **more)


def sent(plan: Plan | None) -> dict[int, list[int]]:
    """Units by location."""
    assert plan is not None
    return dict(zip(plan.locations.tolist(), plan.units.tolist(), strict=True))


# The second location is far but has everything; the third is near and has much of the first item.
SPREAD = order([[1, 0], [1, 1], [5, 0], [0, 2]], wanted=[1, 1], miles=[300.0, 2000.0, 10.0, 40.0])


def test_priority_takes_each_line_from_the_first_location_that_has_it() -> None:
    assert sent(priority(SPREAD)) == {0: [1, 0], 1: [0, 1]}


def test_closest_takes_each_line_from_next_door_however_many_packages_that_makes() -> None:
    assert sent(closest(SPREAD)) == {2: [1, 0], 3: [0, 1]}


def test_highest_stock_takes_each_line_from_where_there_is_most() -> None:
    assert sent(highest_stock(replace(SPREAD, miles=np.zeros(4)))) == {2: [1, 0], 3: [0, 1]}


def test_fewest_splits_sends_one_package_from_afar_and_of_equal_splits_the_closest() -> None:
    fewest = STRATEGIES["fewest_splits"]
    assert sent(fewest(SPREAD)) == {1: [1, 1]}
    assert sent(fewest(order([[1, 0], [0, 1], [1, 0], [0, 1]], wanted=[1, 1], miles=[300.0, 2000.0, 10.0, 40.0]))) == {
        2: [1, 0],
        3: [0, 1],
    }


def test_criteria_count_in_the_order_in_which_they_are_named() -> None:
    assert sent(lexicographic(Criterion.MILES, Criterion.PACKAGES)(SPREAD)) == {2: [1, 0], 3: [0, 1]}
    assert sent(lexicographic(Criterion.RANK)(order([[1], [1]], wanted=[1], miles=[9.0, 1.0]))) == {0: [1]}
    assert sent(lexicographic(Criterion.PACKAGES, Criterion.COST)(SPREAD)) == {1: [1, 1]}
    cheap_far = order([[1], [1]], wanted=[1], miles=[900.0, 30.0], package_cents=np.array([1.0, 800.0]))
    assert sent(lexicographic(Criterion.PACKAGES, Criterion.COST)(cheap_far)) == {0: [1]}
    assert sent(lexicographic(Criterion.PACKAGES, Criterion.MILES, Criterion.COST)(cheap_far)) == {1: [1]}


def test_nothing_may_come_after_the_cost() -> None:
    with pytest.raises(ValueError, match="the cost comes last"):
        lexicographic(Criterion.COST, Criterion.MILES)


def test_points_weigh_how_far_and_how_complete_a_location_is() -> None:
    near = weighted({Criterion.MILES: 0.9, Criterion.PACKAGES: 0.1})
    complete = weighted({Criterion.MILES: 0.1, Criterion.PACKAGES: 0.9})
    assert sent(near(SPREAD)) == {2: [1, 0], 3: [0, 1]}
    assert sent(complete(SPREAD)) == {1: [1, 1]}


def test_looking_at_the_best_few_for_each_line_only_can_miss_the_plan_that_saves_a_package() -> None:
    # For each line alone there are two cheaper locations than the one that has both.
    apart = order([[1, 0], [1, 0], [0, 1], [0, 1], [1, 1]], wanted=[1, 1], miles=[10.0, 20.0, 10.0, 20.0, 300.0])
    exact, pruned = solve(apart), ranked(2)(apart)
    assert exact is not None
    assert pruned is not None
    assert sent(exact) == {4: [1, 1]}
    assert sent(pruned) == {0: [1, 0], 2: [0, 1]}
    assert pruned.cents - exact.cents == (500 + 10) * 2 - (500 + 300)
    assert pruned.bound_cents == -np.inf


def test_a_line_is_split_only_where_it_may_be() -> None:
    few = order([[2], [1], [3]], wanted=[3], miles=[1.0, 2.0, 900.0])
    assert sent(closest(few)) == {0: [2], 1: [1]}
    assert sent(closest(replace(few, whole_lines=True))) == {2: [3]}
    assert sent(closest(replace(few, room=np.array([1, 1, 1])))) == {0: [1], 1: [1], 2: [1]}
    assert closest(replace(few, packages_max=1)) is None


def test_what_travels_together_comes_from_one_location() -> None:
    assert sent(closest(replace(SPREAD, together=((0, 1),)))) == {1: [1, 1]}


def test_where_there_is_no_location_or_nothing_in_stock_no_strategy_finds_a_plan() -> None:
    nowhere = order([[1]], wanted=[1], miles=[1.0])
    none = replace(
        nowhere,
        **{name: getattr(nowhere, name)[:0] for name in ("stock", "room", "package_cents", "unit_cents", "lane", "miles", "rank")},
    )
    bare = replace(nowhere, stock=np.array([[0]]))
    dear = lexicographic(Criterion.PACKAGES, Criterion.COST)
    for strategy in (*STRATEGIES.values(), dear, weighted({Criterion.COST: 1.0})):
        assert strategy(none) is None
        assert strategy(bare) is None


def plans_of(seed: int) -> tuple[Instance, dict[str, Plan]]:
    """An order with any of the rules there are, and what each strategy finds for it."""
    instance = tiny(seed, locations_max=5)
    rng = np.random.default_rng(seed)
    locations = len(instance.stock)
    placed = replace(instance, miles=rng.integers(0, 3000, locations).astype(np.float64), rank=rng.permutation(locations))
    found = {name: strategy(placed) for name, strategy in STRATEGIES.items()}
    return placed, {name: plan for name, plan in found.items() if plan is not None}


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_rule_does_what_may_not_be_done_or_costs_less_than_the_exact_plan(seed: int) -> None:
    instance, plans = plans_of(seed)
    for name, plan in plans.items():
        packages = dict(zip(plan.locations.tolist(), map(tuple, plan.units.tolist()), strict=True))
        assert (plan.units.sum(axis=0) == instance.wanted).all(), name
        assert (plan.units <= instance.stock[plan.locations]).all(), name
        assert (plan.units.sum(axis=1) <= instance.room[plan.locations]).all(), name
        assert allowed(instance, packages), name
        assert plan.cents == cents_of(instance, packages), name
        assert plan.cents >= plans["exact"].cents, name


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_fewest_splits_never_makes_more_packages_than_any_other_rule(seed: int) -> None:
    _, plans = plans_of(seed)
    counts = {name: len(plan.locations) for name, plan in plans.items()}
    assert not counts or counts["fewest_splits"] == min(counts.values())


def test_strategies_of_others_are_found_by_entry_point_and_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = [
        EntryPoint("nearest", "gateway.domain.plans.strategies:closest", strategies.GROUP),
        EntryPoint("broken", "no_such_package:plan", strategies.GROUP),
        EntryPoint("number", "gateway.domain.plans.strategies:RANKED", strategies.GROUP),
    ]
    monkeypatch.setattr(strategies, "entry_points", lambda group: EntryPoints(theirs).select(group=group))
    assert strategy_of("nearest") is closest
    assert strategy_of("exact") is solve
    for name, message in (
        ("nowhere", "no strategy 'nowhere' is installed; there is exact, .*broken, nearest, number"),
        ("broken", "cannot be imported"),
        ("number", "cannot be called"),
    ):
        with pytest.raises(UnknownStrategy, match=message):
            strategy_of(name)
