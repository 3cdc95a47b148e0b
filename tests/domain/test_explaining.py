"""Why each location was not chosen, and what would have had to be otherwise."""

from dataclasses import replace
from datetime import time, timedelta
from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Method, Sku
from gateway.domain import routing
from gateway.domain.geography import GeoPoint
from gateway.domain.identity import LocationId
from gateway.domain.plans import Instance, Plan
from gateway.domain.routing import (
    UNKNOWN,
    Candidates,
    Code,
    Considered,
    Constraints,
    Decision,
    Preference,
    Problem,
    Reason,
    Term,
    Unroutable,
    explain,
)
from gateway.domain.routing.sites import UNNAMED
from tests.domain.problems import FAR, HOME, NEAR, NOON, A, B, C, Case, candidate, decide, problem, sent

FARTHER = GeoPoint(latitude=45, longitude=-70)
LAWFUL = st.integers(0, 2**32)


def of(decision: Decision, name: str) -> Considered:
    return next(each for each in decision.considered if each.location == name)


def why(decision: Decision, name: str) -> str:
    each = of(decision, name)
    return str(each.against or each.excluded_because)


def drawn(seed: int) -> Case:
    """A few places with whatever can be against them."""
    random = Random(seed)
    wanted = {sku: random.choice([1, 1, 2, 3]) for sku in random.sample((A, B, C), k=random.randint(1, 3))}
    places = [
        replace(
            candidate(
                f"L{place}",
                {sku: random.choice([None, 0, 1, 2, 3, 9]) for sku in wanted},
                random.choice([NEAR, FAR, FARTHER, HOME]),
                random.choice([None] * 9 + ["REJECTED_BEFORE"]),
            ),
            handling_cents=random.choice([0, 0, 20, 55]),
            pick_cents=random.choice([0, 0, 100, 310]),
            room=random.choice([10**9, 10**9, 1, 2]),
            methods=frozenset(random.choice([Method] * 9 + [[Method.PICKUP]])),
        )
        for place in range(random.randint(2, 5))
    ]
    case = problem(wanted, *places, preference=random.choice(list(Preference)))
    return replace(case, constraints=Constraints(split_lines=random.random() < 0.7))


def decided(case: Case) -> Decision | None:
    try:
        return decide(case)
    except Unroutable:
        return None


def given_to(case: Case, name: LocationId, *, stock: dict[Sku, int], room: int | None = None, less_cents: int = 0) -> Case:
    """The same case, but for one place."""
    return replace(
        case,
        candidates=tuple(
            replace(
                each,
                available={**each.available, **stock},
                room=each.room if room is None else room,
                pick_cents=each.pick_cents - less_cents,
            )
            if each.location == name
            else each
            for each in case.candidates
        ),
    )


# ------------------------------------------------------------------------------------------------------- laws
@settings(max_examples=150, deadline=None)
@given(LAWFUL)
def test_with_what_it_lacked_a_location_is_chosen_and_with_one_unit_less_nothing_changes(seed: int) -> None:
    case = drawn(seed)
    decision = decided(case)
    for each in decision.considered if decision is not None else ():
        if each.counterfactual is not None:
            check_counterfactual(case, decide(case), each)


def value(decision: Decision) -> tuple[int, int]:
    return decision.cost_cents, len(decision.packages)


def check_counterfactual(case: Case, decision: Decision, each: Considered) -> None:
    had = each.counterfactual
    assert had is not None
    stock = {short.sku: short.needs for short in had.short}
    better = decide(given_to(case, each.location, stock=stock, room=had.room))
    assert each.location in sent(better)
    assert better.cost_cents == decision.cost_cents - had.saves_cents
    assert value(better) < value(decision)
    for sku, needs in stock.items():
        fewer = given_to(case, each.location, stock={**stock, sku: needs - 1}, room=had.room)
        assert value(decide(fewer)) == value(decision)
    if had.room is not None:
        assert value(decide(given_to(case, each.location, stock=stock, room=had.room - 1))) == value(decision)


@settings(max_examples=150, deadline=None)
@given(LAWFUL)
def test_so_much_cheaper_a_location_is_chosen_and_a_cent_less_saves_nothing(seed: int) -> None:
    case = drawn(seed)
    decision = decided(case)
    for each in decision.considered if decision is not None else ():
        if each.cheaper_cents is not None and decision is not None:
            cheaper = decide(given_to(case, each.location, stock={}, less_cents=each.cheaper_cents))
            assert each.location in sent(cheaper)
            assert cheaper.cost_cents == decision.cost_cents - 1
            as_dear = decide(given_to(case, each.location, stock={}, less_cents=each.cheaper_cents - 1))
            assert as_dear.cost_cents == decision.cost_cents
            dearer = decide(given_to(case, each.location, stock={}, less_cents=each.cheaper_cents - 2))
            assert dearer.cost_cents == decision.cost_cents
            assert each.location not in sent(dearer)


@settings(max_examples=150, deadline=None)
@given(LAWFUL)
def test_every_location_that_was_not_chosen_has_a_reason_and_its_terms_add_up(seed: int) -> None:
    case = drawn(seed)
    decision = decided(case)
    if decision is None:
        return
    assert sorted(each.location for each in decision.considered) == sorted(each.location for each in case.candidates)
    for each in decision.considered:
        reason = each.against or each.excluded_because
        assert (reason is None) == each.chosen
        assert each.excluded_because is None or each.regret_cents is None
        if reason is not None and reason.than is not None:
            assert each.regret_cents is not None
            assert reason.cents >= each.regret_cents
            assert len(decision.packages) > 1 or each.alone_cents == decision.cost_cents + reason.cents


# ------------------------------------------------------------------------------------------------------- each reason
def test_what_is_merely_farther_says_by_how_much() -> None:
    decision = decide(problem({A: 1}, candidate("near", {A: 9}), candidate("far", {A: 9}, FAR)))
    assert of(decision, "far").against == Reason(
        code=Code.ZONE, zone=7, than=LocationId("near"), terms=((Term.POSTAGE.value, of(decision, "far").regret_cents or 0),)
    )
    assert "would have cost 4.03 more (it is farther: postage +4.03)." in explain(decision, {})


def test_what_is_better_in_nothing_is_told_apart_from_what_is_better_in_something() -> None:
    near = replace(candidate("near", {A: 9}), pick_cents=10)
    worse = replace(candidate("worse", {A: 9}), pick_cents=50)
    farther = replace(candidate("farther", {A: 9}, FAR), pick_cents=0)
    decision = decide(problem({A: 1}, near, worse, farther))
    assert why(decision, "worse") == "DOMINATED_BY: pick +0.40"
    assert why(decision, "farther") == "COST: postage +4.03, pick -0.10"
    assert "(pick +0.40, and in nothing better than Reno)" in explain(decision, {LocationId("near"): "Reno"})


def test_what_costs_the_same_has_no_term_against_it() -> None:
    decision = decide(problem({A: 1}, candidate("a", {A: 9}), candidate("b", {A: 9})))
    assert of(decision, "b").against == Reason(code=Code.COST, than=LocationId("a"))


def test_where_the_order_is_split_a_location_is_compared_with_the_package_that_it_could_send() -> None:
    decision = decide(problem({A: 1, B: 1}, candidate("a", {A: 9}), candidate("b", {B: 9}), candidate("c", {B: 9}, FAR)))
    assert (of(decision, "c").against or Reason(code="")).than == "b"
    assert of(decision, "c").regret_cents == (of(decision, "c").against or Reason(code="")).cents


def test_safety_stock_is_told_apart_from_no_stock_and_from_silence() -> None:
    case = problem({A: 3}, candidate("a", {A: 9}), candidate("b", {A: 1}), candidate("c", {A: 0}), candidate("d", {A: None}))
    stated = replace(
        case.problem(),
        safety_units={UNNAMED: 2},
        read_at={UNNAMED: NOON - timedelta(minutes=5)},
    )
    decision = routing.decide(stated)
    assert why(decision, "b") == "SAFETY_STOCK: A needs 3, has 1 beside 2 kept back"
    assert why(decision, "c") == "STOCK: A needs 3, has 0"
    assert why(decision, "d") == "SOURCE_UNKNOWN: A, last heard of 300 s ago"


def test_room_that_is_too_small_is_told_with_what_is_needed() -> None:
    full, small = replace(candidate("full", {A: 9}), room=0), replace(candidate("small", {A: 9}), room=2)
    decision = decide(problem({A: 3}, candidate("far", {A: 9}, FAR), full, small))
    assert why(decision, "full") == "CAPACITY: needs room for 3, has it for 0"
    assert of(decision, "full").excluded_because is not None
    assert why(decision, "small") == "CAPACITY: needs room for 3, has it for 2"
    assert of(decision, "small").regret_cents is not None
    assert "It would have shipped from full, saving" in explain(decision, {})
    assert "had that had room for 3." in explain(decision, {})


def late(problem: Problem, days: list[int], day_cents: int) -> Problem:
    """By every service the same."""
    return replace(problem, days_late=np.array([[each] * len(problem.tariff.routed) for each in days]), late_day_cents=day_cents)


def test_a_location_that_would_be_late_says_how_many_days() -> None:
    case = problem({A: 1}, candidate("far", {A: 9}, FAR), candidate("near", {A: 9}), candidate("never", {A: 9})).problem()
    decision = routing.decide(late(case, [0, 2, routing.NEVER], 1_000))
    assert why(decision, "near") == "PROMISE: 2 days late, postage -4.03, late +20.00"
    assert why(decision, "never") == "PROMISE: too late"


def test_a_location_that_would_be_in_time_but_for_its_cutoff_says_when_that_was() -> None:
    places = [candidate(name, {A: 9}) for name in ("near", "never", "slow")]
    case = problem({A: 1}, candidate("far", {A: 9}, FAR), *places, candidate("spent", {A: 0})).problem()
    missed = {
        LocationId("near"): time(14),
        LocationId("never"): time(9, 30),
        LocationId("far"): time(8),
        LocationId("spent"): time(8),
    }
    decision = routing.decide(replace(late(case, [0, 2, routing.NEVER, 1, 1], 1_000), missed=missed))
    assert why(decision, "near") == "CUTOFF: 2 days late, after the cutoff at 14:00, postage -4.03, late +20.00"
    assert why(decision, "never") == "CUTOFF: too late, after the cutoff at 09:30"
    assert why(decision, "slow") == "PROMISE: 1 day late, postage -4.03, late +10.00"
    assert why(decision, "spent") == "STOCK: A needs 1, has 0"
    assert of(decision, "far").chosen
    with pytest.raises(Unroutable) as refused:
        routing.decide(replace(late(case, [routing.NEVER] * 5, 1_000), missed=missed))
    told = {str(each.location): str(each.excluded_because) for each in refused.value.considered}
    assert (told["near"], told["slow"]) == ("CUTOFF: too late, after the cutoff at 14:00", "PROMISE: too late")


def test_a_rule_that_keeps_a_location_out_is_named() -> None:
    rule = Reason(code=Code.HARD_RULE, detail="groceries: never from")
    case = problem({A: 1}, candidate("a", {A: 9}), candidate("b", {A: 9}), candidate("c", {A: 9})).problem()
    decision = routing.decide(replace(case, excluded={LocationId("b"): rule, LocationId("c"): Reason(code=Code.CLOSED)}))
    assert why(decision, "b") == "HARD_RULE: groceries: never from"
    assert why(decision, "c") == "CLOSED"


def test_what_a_rule_keeps_out_would_not_have_been_chosen_with_more_stock() -> None:
    near = candidate("near", {A: 0}, excluded_because="REJECTED_BEFORE")
    decision = decide(problem({A: 1}, near, candidate("far", {A: 1}, FAR)))
    assert of(decision, "near").counterfactual is None


def test_a_rule_of_thumb_admits_what_was_cheaper() -> None:
    def the_last(instance: Instance) -> Plan:
        row = len(instance.stock) - 1
        cents = float(instance.package_cents[row] + instance.postage.cents(instance.grams, instance.wanted)[instance.lane[row], 0])
        return Plan(locations=np.array([row]), units=instance.wanted[None, :], cents=cents, bound_cents=0.0)

    case = replace(problem({A: 1}, candidate("a", {A: 9}), candidate("b", {A: 9}, FAR)), strategy="the last").problem()
    decision = routing.decide(case, {"the last": the_last})
    assert sent(decision) == {"b": {A: 1}}
    assert why(decision, "a") == "STRATEGY: postage -4.03"


# ------------------------------------------------------------------------------------------------------- in words
def test_the_chosen_come_first_even_where_cost_is_not_what_the_plan_was_chosen_by() -> None:
    case = replace(problem({A: 1}, candidate("dear", {A: 9}, FAR), candidate("near", {A: 9})), strategy="highest_stock").problem()
    decision = routing.decide(replace(case, available=np.array([[9], [5]])))
    assert [(each.location, each.chosen) for each in decision.considered] == [("dear", True), ("near", False)]
    assert (of(decision, "near").regret_cents or 0) < 0


def test_a_counterfactual_is_told_with_what_it_had_and_would_have_needed() -> None:
    decision = decide(problem({A: 2}, candidate("near", {A: 1}), candidate("far", {A: 9}, FAR)))
    told = explain(decision, {LocationId("near"): "Reno"})
    saving = (of(decision, "near").counterfactual or pytest.fail("there is one")).saves_cents / 100
    assert f"It would have shipped from Reno, saving {saving:.2f}, had that had 2 of A (has 1)." in told


def test_an_explanation_stays_short_however_many_locations_there_are() -> None:
    places = [candidate(f"L{number}", {A: number % 3, B: number % 2}, FAR) for number in range(60)]
    told = explain(decide(problem({A: 2, B: 1}, candidate("near", {A: 1}), *places)), {})
    assert told.count(". ") < 8


def test_how_often_a_location_turns_work_down_is_told_where_it_counted() -> None:
    case = problem({A: 1}, candidate("near", {A: 1})).problem()
    decision = routing.decide(replace(case, package_terms={Term.REJECTION: np.array([50])}))
    assert "Reno turns down about 1 order in 12." in explain(decision, {LocationId("near"): "Reno"}, {LocationId("near"): 1 / 12})


# ------------------------------------------------------------------------------------------------------- as it is kept
def test_only_what_there_is_to_say_is_kept_and_what_was_kept_before_can_be_read() -> None:
    places = [candidate(f"source:{number:03}", {A: number % 4}, FAR if number % 7 else NEAR) for number in range(200)]
    decision = decide(problem({A: 2}, *places))
    kept = msgspec.json.encode(decision)
    assert msgspec.json.decode(kept, type=Decision) == decision
    assert len(kept) < 50 * len(places)
    in_rows = replace(decision, considered=tuple(decision.considered))
    assert msgspec.json.decode(msgspec.json.encode(in_rows), type=Decision) == in_rows
    assert explain(in_rows, {}) == explain(decision, {})
    before = b'{"location":"a","chosen":false,"excluded_because":{"code":"STOCK","detail":"A needs 2, has 0"},"regret_cents":null}'
    assert str(msgspec.json.decode(before, type=Considered).excluded_because) == "STOCK: A needs 2, has 0"


@settings(max_examples=100, deadline=None)
@given(LAWFUL)
def test_locations_with_the_same_reason_share_it_and_each_has_its_own(seed: int) -> None:
    decision = decided(drawn(seed))
    if decision is None:
        return
    assert isinstance(decision.considered, Candidates)
    reasons = [each.against or each.excluded_because for each in decision.considered]
    assert len(set(decision.considered.reasons)) == len(decision.considered.reasons)
    assert set(decision.considered.reasons) == {reason for reason in reasons if reason is not None}
    assert [each.chosen for each in decision.considered] == sorted((each.chosen for each in decision.considered), reverse=True)


def test_what_nobody_knows_is_no_number_in_a_counterfactual() -> None:
    case = problem({A: 1}, candidate("near", {A: None}), candidate("far", {A: 9}, FAR))
    assert case.problem().available[1, 0] == UNKNOWN
    (short,) = (of(decide(case), "near").counterfactual or pytest.fail("there is one")).short
    assert (short.needs, short.has) == (1, None)
    assert "had that had 1 of A (nobody knows)." in explain(decide(case), {})
