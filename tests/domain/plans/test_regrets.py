from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.domain.plans.instance import Instance
from gateway.domain.plans.regrets import Counterfactual, counterfactuals, regrets
from gateway.domain.plans.solve import solve
from tests.domain.plans.problems import every_plan, tiny, typical

SEEDS = st.integers(0, 2**32)


@settings(max_examples=200, deadline=None)
@given(seed=SEEDS)
def test_a_regret_is_what_the_best_plan_with_that_location_costs_more(seed: int) -> None:
    order = tiny(seed)
    plan = solve(order)
    assume(plan is not None)
    assert plan is not None
    plans = list(every_plan(order))
    least = [min((cents for cents, packages in plans if place in packages), default=np.inf) for place in range(len(order.stock))]
    assert regrets(order, plan).tolist() == [cents - plan.cents for cents in least]


@pytest.mark.parametrize("lines", [1, 2, 7])
def test_a_location_is_used_when_it_asks_for_a_little_less_than_its_regret(lines: int) -> None:
    for seed in range(4):
        order = typical(seed, lines=lines, locations=15)
        plan = solve(order)
        assert plan is not None
        found = regrets(order, plan)
        assert found[plan.locations].tolist() == [0.0] * len(plan.locations)
        for place in np.flatnonzero(np.isfinite(found) & (found > 0)).tolist():
            for less, used in ((found[place] + 1, True), (found[place] - 1, False)):
                cents = order.package_cents.copy()
                cents[place] -= less
                other = solve(replace(order, package_cents=cents))
                assert other is not None
                assert (place in other.locations) == used


def test_what_is_too_large_to_say_is_not_said() -> None:
    order = typical(1, lines=25, locations=12)
    order.stock[-1] = 0
    plan = solve(order)
    assert plan is not None
    found = regrets(order, plan)
    others = sorted(set(range(11)) - set(plan.locations.tolist()))
    assert np.isnan(found[others]).all()
    assert np.isinf(found[-1])
    assert (found[plan.locations] == 0).all()
    assert counterfactuals(order, plan) == ()


def given_more(order: Instance, place: int, units: np.ndarray, room: int) -> Instance:
    stock, rooms = order.stock.copy(), order.room.copy()
    stock[place] += units
    rooms[place] += room
    return replace(order, stock=stock, room=rooms)


def value(order: Instance) -> tuple[float, int]:
    plan = solve(order)
    assert plan is not None
    return plan.cents, len(plan.locations)


def check(order: Instance, each: Counterfactual) -> None:
    cents, packages = value(order)
    better = solve(given_more(order, each.location, each.units, each.room))
    assert better is not None
    assert each.location in better.locations
    assert better.cents == cents - each.saves_cents
    assert (better.cents, len(better.locations)) < (cents, packages)
    for line in np.flatnonzero(each.units):
        fewer = each.units.copy()
        fewer[line] -= 1
        assert value(given_more(order, each.location, fewer, each.room)) == (cents, packages)
    if each.room:
        assert value(given_more(order, each.location, each.units, each.room - 1)) == (cents, packages)


@settings(max_examples=200, deadline=None)
@given(seed=SEEDS)
def test_what_a_location_lacked_would_have_been_enough_and_one_unit_less_would_not(seed: int) -> None:
    order = tiny(seed)
    plan = solve(order)
    assume(plan is not None)
    assert plan is not None
    found = counterfactuals(order, plan)
    for each in found:
        check(order, each)
    for place in set(range(len(order.stock))) - set(plan.locations.tolist()) - {each.location for each in found}:
        everything = given_more(order, place, order.wanted - order.stock[place], 10)
        assert value(everything) == (plan.cents, len(plan.locations))
