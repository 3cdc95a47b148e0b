"""Orders of the past, routed again: as they were, and otherwise."""

from dataclasses import replace

import numpy as np
import pytest

from gateway.domain.plans.strategies import UnknownStrategy
from gateway.domain.policies import (
    DEFAULT,
    Ban,
    Fallback,
    FallbackStep,
    HardRules,
    Objective,
    PackageWeight,
    Places,
    RoutingPolicy,
    Rule,
    Weights,
)
from gateway.domain.routing import Sites
from gateway.domain.whatif import Case, Comparison, Contender, compare, going_by, resampled, ruled_by, strategies_of
from gateway.domain.whatif.comparing import MOVES_MAX
from tests.domain.problems import FAR, A, candidate, problem
from tests.domain.whatif.streams import SKUS, Street, allocations

IN_FORCE = Contender(name="in force")


def policy(*rules: Rule, name: str = DEFAULT, version: int = 2) -> RoutingPolicy:
    return RoutingPolicy(name=name, version=version, rules=rules, changes=())


def compared(cases: list[Case], *others: Contender, in_force: Contender = IN_FORCE) -> Comparison:
    return compare(cases, in_force, others, strategies_of([in_force, *others]))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("room", [None, 30])
def test_replaying_what_is_in_force_gives_the_allocations_that_really_were(seed: int, room: int | None) -> None:
    street = Street(seed=seed, room=room, units_max=8)
    cases = street.kept(street.routed_by(IN_FORCE))
    found = compared(cases)
    assert len(cases) > 30
    assert found.unlike == 0
    assert found.scores[0].unfillable == 0


def test_what_was_routed_by_something_else_is_told_apart() -> None:
    street = Street()
    found = compared(street.kept(street.routed_by(going_by("closest"))))
    assert found.unlike is not None
    assert found.unlike > 5


@pytest.mark.parametrize(("seed", "strategy"), [(1, "closest"), (2, "fewest_splits"), (3, "priority")])
def test_another_way_sees_the_shelves_that_it_would_have_left(seed: int, strategy: str) -> None:
    """Played over the history of one way, another does just what it would have done had it been in force all the time."""
    street = Street(seed=seed)
    really = street.routed_by(IN_FORCE)
    found = compared(street.kept(really), going_by(strategy))
    would_have = street.routed_by(going_by(strategy))
    would_have_been = compared(street.kept(would_have), in_force=going_by(strategy))
    assert len(really) == street.orders, "nothing was refused, so both have seen every order"
    assert would_have_been.unlike == 0
    assert found.scores[1].packages_per_order == would_have_been.scores[0].packages_per_order
    assert found.scores[1].cost_cents == would_have_been.scores[0].cost_cents
    assert found.scores[1].emptied_in_stores == would_have_been.scores[0].emptied_in_stores
    moved = [one != other for one, other in zip(allocations(really), allocations(would_have), strict=True)]
    assert found.scores[1].moved == sum(moved)
    assert sum(moved) > 3


def near_and_far(orders: int, *, near: int = 1, far: int = 9) -> list[Case]:
    """Orders for one A each, all seeing the same shelves: who takes the near one takes it from those that follow."""
    stated = problem({A: 1}, candidate("near", {A: near}), candidate("far", {A: far}, FAR)).problem()
    return [Case(id=f"order {number}", problem=stated) for number in range(orders)]


def from_near(cents: int) -> Rule:
    """Each package from near costs so much more."""
    return Rule(name="near", weights=Weights(packages=(PackageWeight(places=NEAR_PLACE, pick_cents=cents),)))


NEAR_PLACE = Places(codes=("near",))


def coded(cases: list[Case]) -> list[Case]:
    """The same with locations that policies can name."""
    sites = Sites.of(replace(site, code=site.location) for site in cases[0].problem.sites.all)
    return [replace(case, problem=replace(case.problem, sites=sites)) for case in cases]


def test_each_way_keeps_its_own_shelves() -> None:
    cases = coded(near_and_far(3))
    shy = ruled_by(policy(from_near(100_000)), {})
    found = compared(cases, shy, in_force=IN_FORCE)
    assert [(move.order, move.before, move.after) for move in found.moves] == [("order 0", ("near",), ("far",))]
    assert found.unlike is None, "none of them was real"
    (move,) = found.moves
    assert move.dearer_cents is not None
    assert move.dearer_cents > 0


def test_what_is_left_nowhere_is_unfillable_and_the_others_are_compared() -> None:
    cases = coded(near_and_far(4, near=1, far=2))
    never = ruled_by(policy(Rule(name="never near", hard=HardRules(never_from=(Ban(places=NEAR_PLACE),)))), {})
    in_force, other = compared(cases, never).scores
    assert (in_force.filled, in_force.unfillable) == (3, 1)
    assert (other.filled, other.unfillable) == (2, 2)
    assert other.compared == 2
    lost = [move for move in compared(cases, never).moves if move.dearer_cents is None]
    assert [(move.order, move.after) for move in lost] == [("order 2", ())]


def test_an_order_that_would_wait_for_stock_counts_as_unfillable() -> None:
    waiting = Rule(name="wait", fallbacks=(Fallback(step=FallbackStep.BACK_ORDER),))
    stated = problem({A: 2}, candidate("near", {A: 1})).problem()
    found = compared([Case(id="order", problem=stated)], ruled_by(policy(waiting), {}))
    assert [score.unfillable for score in found.scores] == [1, 1]
    assert [(move.before, move.after) for move in found.moves] == [((), ("near",))], "one unit is sent, one waits"


def test_all_are_paid_by_the_weights_in_force_and_wishes_cost_nothing() -> None:
    cases = coded(near_and_far(1))
    dear_near = Contender(name="in force", policies={DEFAULT: policy(from_near(300))})
    wished = Rule(name="wish", weights=Weights(packages=(PackageWeight(places=NEAR_PLACE, preference_cents=400),)))
    in_force, other = compared(cases, ruled_by(policy(wished), {}), in_force=dear_near).scores
    assert in_force.costs["pick"] == 300
    assert other.costs == in_force.costs, "it comes from there either way, and is paid the same, whatever it is wished"


def test_a_policy_takes_the_place_of_the_one_of_its_name_and_orders_of_others_stay_with_theirs() -> None:
    shy = policy(from_near(100_000), name="express")
    ordinary, express = coded(near_and_far(2, near=9))
    in_force = Contender(name="in force", policies={"express": policy(name="express", version=1)})
    found = compared([ordinary, replace(express, policy="express")], ruled_by(shy, in_force.policies), in_force=in_force)
    assert [move.order for move in found.moves] == ["order 1"]
    assert found.scores[1].name == "express@2"


def test_promises_that_are_kept_are_counted_where_something_was_promised() -> None:
    cases = near_and_far(2)
    late = np.array([[0, 0], [3, 0]])[:, : len(cases[0].problem.tariff.routed)]
    unhurried = replace(cases[0].problem.tariff, late_day_cents=0)
    promised = [replace(case, problem=replace(case.problem, days_late=late, tariff=unhurried)) for case in cases]
    far_first = sorted(site.location for site in cases[0].problem.sites.all)
    assert far_first == ["far", "near"]
    assert compared(cases).scores[0].promises_kept is None
    assert compared(promised).scores[0].promises_kept == 0.5, "the near one is late, and the second order comes from afar"


def test_many_moves_are_shown_by_what_they_cost() -> None:
    street = Street(orders=150)
    found = compared(street.kept(street.routed_by(IN_FORCE)), going_by("closest"))
    dearer = [abs(move.dearer_cents) for move in found.moves if move.dearer_cents is not None]
    assert found.scores[1].moved > len(found.moves) == MOVES_MAX
    assert dearer == sorted(dearer, reverse=True)


def test_whoever_waits_no_longer_stops_it() -> None:
    class GoneError(Exception):
        pass

    def gone() -> None:
        raise GoneError

    with pytest.raises(GoneError):
        compare(near_and_far(2), IN_FORCE, [], {}, gone)


def test_simulated_orders_are_bought_and_sent_as_orders_were_and_the_same_seed_gives_the_same() -> None:
    street = Street(orders=40, units_max=6)
    history = street.kept(street.routed_by(IN_FORCE))
    simulated, again, other = (resampled(history, 100, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert [case.problem.demand for case in simulated] == [case.problem.demand for case in again]
    assert [case.problem.demand for case in simulated] != [case.problem.demand for case in other]
    assert {case.problem.demand for case in simulated} <= {case.problem.demand for case in history}
    assert {case.problem.destination for case in simulated} <= {case.problem.destination for case in history}
    of_one = [case.problem.available[:, 0].tolist() for case in simulated if case.problem.demand[0].sku == SKUS[0]]
    assert len(of_one) > 1
    assert of_one == [of_one[0]] * len(of_one), "all begin with the stock that was seen last"
    scores = compared(simulated, going_by("closest")).scores
    assert scores[0].unfillable > 0, "nothing arrives, so it runs out"
    assert resampled([], 10, np.random.default_rng(5)) == []


def test_what_was_turned_down_and_decided_again_counts_once_as_it_was_decided_last() -> None:
    street = Street(orders=20)
    records = street.routed_by(IN_FORCE)
    again = replace(records[3], id="9999", decision=replace(records[3].decision, packages=()))
    part = replace(records[4], id="9998", order=records[3].order)
    cases = street.kept([*records, part, again])
    assert [case.id for case in cases] == [
        *(str(record.order) for record in records if record is not records[3]),
        "order-0003",
        "order-0003",
    ]
    assert [case.taken is not None and case.taken.any() for case in cases[-2:]] == [True, False]


def test_a_policy_whose_strategy_is_no_longer_installed_routes_as_it_would_where_orders_cost_least() -> None:
    gone = ruled_by(policy(Rule(name="gone", objective=Objective(strategy="was here"))), {})
    found = compared(near_and_far(2), gone)
    assert (found.scores[1].moved, found.scores[1].filled) == (0, 2)
    with pytest.raises(UnknownStrategy):
        going_by("was here")
