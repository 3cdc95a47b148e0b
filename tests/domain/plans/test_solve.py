from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.plans.instance import Instance, Plan
from gateway.domain.plans.lots import IMPOSSIBLE_CENTS, Offers
from gateway.domain.plans.solve import EFFORT, solve
from tests.domain.plans.problems import BY_ZONE, Packages, allowed, cents_of, every_plan, tiny, typical

SEEDS = st.integers(0, 2**32)
HIGHS_ORDERS = 500
solving = import_module("gateway.domain.plans.solve")  # the package has a function of that name


def packages_of(plan: Plan) -> Packages:
    return {location: tuple(units) for location, units in zip(plan.locations.tolist(), plan.units.tolist(), strict=True)}


def check(order: Instance, plan: Plan) -> None:
    """It covers the order, keeps the rules and costs what it says."""
    packages = packages_of(plan)
    assert list(packages) == sorted(packages)
    assert (plan.units.sum(axis=0) == order.wanted).all()
    assert (plan.units.sum(axis=1) > 0).all()
    assert (plan.units <= order.stock[plan.locations]).all()
    assert not order.whole_lines or ((plan.units == 0) | (plan.units == order.wanted)).all()
    assert allowed(order, packages)
    assert plan.cents == cents_of(order, packages)
    assert plan.bound_cents <= plan.cents


@settings(max_examples=300, deadline=None)
@given(seed=SEEDS)
def test_nothing_is_cheaper_than_the_plan_and_of_equals_it_has_fewest_packages(seed: int) -> None:
    order = tiny(seed)
    plan = solve(order)
    best = min(((cents, len(packages)) for cents, packages in every_plan(order)), default=None)
    if plan is None:
        assert best is None
    else:
        check(order, plan)
        assert plan.optimal
        assert (plan.cents, len(plan.locations)) == best


@settings(max_examples=150, deadline=None)
@given(seed=SEEDS)
def test_an_order_that_is_too_large_to_look_at_every_part_of_gets_an_honest_bound(seed: int) -> None:
    order = replace(tiny(seed), packages_max=None)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(solving, "PAIRS_MAX", 0)
        plan = solve(order)
    best = min((cents for cents, _ in every_plan(order)), default=np.inf)
    if plan is not None:
        check(order, plan)
        assert plan.bound_cents <= best <= plan.cents


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_what_is_solved_among_the_locations_that_a_better_plan_could_use_is_the_best_of_all(seed: int) -> None:
    order = typical(seed, lines=3, locations=12, carried=0.3)
    offers = Offers.of(order)
    plan, best = solving._large(offers, EFFORT), solve(order)
    assert plan is not None
    assert best is not None
    check(order, plan)
    assert (plan.cents, plan.optimal) == (best.cents, True)


def test_highs_finds_nothing_cheaper_for_random_orders_with_any_rules() -> None:
    milp = pytest.importorskip("tests.domain.plans.milp", reason="HiGHS is not installed (extra: test)")
    for seed in range(HIGHS_ORDERS):
        order = tiny(seed, lines_max=4, locations_max=5)
        plan = solve(order)
        assert (None if plan is None else plan.cents) == milp.cheapest_cents(order, milp.every_package(order)), seed


@pytest.mark.parametrize("rooms", [False, True])
@pytest.mark.parametrize(("lines", "locations"), [(12, 100), (20, 200), (200, 50)])
def test_a_large_order_gets_a_plan_and_a_gap(lines: int, locations: int, *, rooms: bool) -> None:
    order = typical(3, lines=lines, locations=locations)
    if rooms:
        order = replace(order, room=np.full(locations, 2 + order.wanted.sum() // 8))
    plan = solve(order, effort=EFFORT // 10)
    assert plan is not None
    check(order, plan)
    assert plan.bound_cents > 0.7 * plan.cents


def test_the_order_of_the_locations_does_not_matter() -> None:
    for seed in range(50):
        order = typical(seed, lines=4, locations=20, rooms=True)
        turned = replace(
            order,
            **{
                name: getattr(order, name)[::-1]
                for name in ("stock", "room", "package_cents", "unit_cents", "lane", "miles", "rank")
            },
        )
        one, other = solve(order), solve(turned)
        assert (one and one.cents) == (other and other.cents)


@pytest.mark.parametrize("rooms", [False, True])
def test_many_locations_are_priced_like_a_few_of_them_at_a_time(*, rooms: bool) -> None:
    nobody_goes_there = np.array([[np.inf if lane == 2 else 0.0] for lane in range(len(BY_ZONE.zone))])
    order = typical(3, lines=8, locations=200, rooms=rooms)
    offers = Offers.of(replace(order, postage=replace(BY_ZONE, package_cents=nobody_goes_there)))
    together = offers.costs()
    apart = np.hstack([offers.only(np.arange(first, first + 20)).costs() for first in range(0, 200, 20)])
    possible = apart < IMPOSSIBLE_CENTS
    assert (possible == (together < IMPOSSIBLE_CENTS)).all()
    assert (together[possible] == apart[possible]).all()


def test_lines_that_must_travel_together_do_and_cost_no_less() -> None:
    for seed in range(50):
        order = typical(seed, lines=4, locations=30)
        free, bound = solve(order), solve(replace(order, together=((0, 3), (1, 2))))
        assert free is not None
        if bound is not None:
            check(replace(order, together=((0, 3), (1, 2))), bound)
            assert bound.cents >= free.cents


def test_without_locations_there_is_no_plan() -> None:
    order = typical(1, lines=2, locations=1)
    nobody = {name: getattr(order, name)[:0] for name in ("stock", "room", "package_cents", "unit_cents", "lane", "miles", "rank")}
    assert solve(replace(order, **nobody)) is None


def test_without_stock_anywhere_there_is_no_plan() -> None:
    for lines in (1, 3, 30):
        order = typical(1, lines=lines, locations=10)
        order.stock[:, -1] = 0
        assert solve(order) is None
