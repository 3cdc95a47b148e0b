from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from connectors.contract import Method, Sku
from gateway.domain.geography import GeoPoint, miles_between
from gateway.domain.identity import LocationId
from gateway.domain.plans import solve
from gateway.domain.rates import US_EXPRESS, US_GROUND, ZoneRate, ZoneTable
from gateway.domain.routing import (
    Code,
    Considered,
    Constraints,
    Decision,
    Demand,
    Preference,
    Reason,
    Tariff,
    Unroutable,
    explain,
    rule,
)
from tests.domain.problems import (
    FAR,
    HOME,
    NEAR,
    A,
    B,
    C,
    Candidate,
    Case,
    by_the_unit,
    candidate,
    decide,
    large_problem,
    problem,
    sent,
)


def of(decision: Decision, name: str) -> Considered:
    return next(each for each in decision.considered if each.location == name)


# --------------------------------------------------------------------------------- an oracle that shares no code with the rule
def every_plan(case: Case) -> Iterator[tuple[int, dict[LocationId, tuple[int, ...]]]]:
    """All ways to send the order, with their price by the definition."""
    wanted: dict[Sku, int] = {}
    for line in case.demand:
        wanted[line.sku] = wanted.get(line.sku, 0) + line.units
    places = [each for each in case.candidates if case.method in each.methods and each.excluded_because is None]
    ways = []
    for sku, units in wanted.items():
        stock = [max(each.available.get(sku) or 0, 0) for each in places]
        parts = product(*(range(min(units, limit) + 1) for limit in stock))
        ways.append([part for part in parts if sum(part) == units and (case.constraints.split_lines or max(part) == units)])
    for plan in product(*ways):
        packages = [tuple(column) for column in zip(*plan, strict=True)]
        sending = [index for index, units in enumerate(packages) if any(units)]
        further = case.tariff.parcel_cents
        if case.preference is Preference.FEWEST_PARCELS:
            further = max(further, case.tariff.fewest_parcels_cents)
        cents = sum(price_of(case, places[index], sum(packages[index])) for index in sending)
        yield cents + further * (len(sending) - 1), {places[index].location: packages[index] for index in sending}


def price_of(case: Case, place: Candidate, units: int) -> int:
    """Of a parcel with so many units, by whichever service takes least."""
    miles = miles_between(place.position, case.destination) if place.position and case.destination else None
    zone = 7 if miles is None else sum(miles > most for most in (50, 150, 300, 600, 1000, 1400, 1800))

    def asked(count: int) -> int:
        found = []
        for service in case.tariff.services:
            assert service.further is not None
            waiting = service.transit_days[zone] * case.tariff.fastest_unit_day_cents
            parcel = service.steps[0].cents[zone] - service.further.cents[zone] + count * service.further.cents[zone]
            found.append(parcel + (count * waiting if case.preference is Preference.FASTEST else 0))
        return min(found)

    green = case.preference is Preference.GREENEST
    far = round((1800 if miles is None else miles) / 100 * case.tariff.greenest_hundred_miles_cents) if green else 0
    return asked(units) + far - min(place.preference_cents, asked(1)) + units * place.handling_cents


SMALL_RATES = st.builds(
    ZoneRate,
    package_cents=st.sampled_from([0, 1, 5, 20]),
    unit_cents=st.sampled_from([0, 1, 4, 9]),
    transit_days=st.integers(0, 3),
)
SMALL_ZONES = st.tuples(*[SMALL_RATES] * 4).map(lambda rates: tuple(rates[zone // 2] for zone in range(8)))
SMALL_TARIFFS = st.builds(
    Tariff,
    services=st.lists(SMALL_ZONES, min_size=1, max_size=2).map(
        lambda several: tuple(by_the_unit(rates, f"service {place}") for place, rates in enumerate(several))
    ),
    parcel_cents=st.sampled_from([0, 1, 7]),
    fewest_parcels_cents=st.sampled_from([0, 40, 500]),
    fastest_unit_day_cents=st.sampled_from([1, 10]),
)
SMALL_STOCK = st.dictionaries(st.sampled_from((A, B, C)), st.sampled_from([None, -1, 0, 1, 1, 2, 3, 9]))
POSITIONS = st.sampled_from([None, NEAR, FAR, GeoPoint(latitude=40, longitude=-98), GeoPoint(latitude=40, longitude=-90)])


@st.composite
def small_problems(draw: st.DrawFn) -> Case:
    places = draw(st.integers(1, 4))
    return Case(
        demand=tuple(
            draw(
                st.lists(
                    st.builds(Demand, sku=st.sampled_from((A, B, C)[: 3 if places < 4 else 2]), units=st.integers(1, 3)),
                    min_size=1,
                    max_size=3,
                    unique_by=lambda line: line.sku,
                )
            )
        ),
        destination=draw(st.sampled_from([HOME, HOME, HOME, None])),
        method=Method.SHIP,
        candidates=tuple(
            Candidate(
                location=LocationId(f"L{number}"),
                position=draw(POSITIONS),
                available=draw(SMALL_STOCK),
                methods=draw(st.sampled_from([frozenset(Method)] * 8 + [frozenset({Method.PICKUP})])),
                handling_cents=draw(st.integers(0, 5)),
                preference_cents=draw(st.sampled_from([0, 0, 3, -3, 50])),
                excluded_because=draw(st.sampled_from([None] * 9 + ["INACTIVE"])),
            )
            for number in range(places)
        ),
        tariff=draw(SMALL_TARIFFS),
        preference=draw(st.sampled_from(Preference)),
        constraints=draw(st.builds(Constraints, split_lines=st.booleans())),
    )


def covering(case: Case) -> Decision:
    """The decision, once it is sure that it sends what was wanted, from stock that is known, and adds up."""
    decision = decide(case)
    wanted, stock = case.wanted(), {each.location: each.available for each in case.candidates}
    assert len({package.location for package in decision.packages}) == len(decision.packages)
    assert {sku: sum(units.get(sku, 0) for units in sent(decision).values()) for sku in wanted} == wanted
    for place, units in sent(decision).items():
        assert all((stock[LocationId(place)][sku] or 0) >= count for sku, count in units.items())
    assert decision.lower_bound_cents <= decision.cost_cents == sum(package.cost_cents for package in decision.packages)
    assert sorted(each.location for each in decision.considered) == sorted(stock)
    assert {each.location for each in decision.considered if each.chosen} == set(sent(decision))
    return decision


@settings(max_examples=300, deadline=None)
@given(small_problems())
def test_the_decision_and_every_regret_equal_those_of_looking_at_all_plans(case: Case) -> None:
    plans = list(every_plan(case))
    if not plans:
        with pytest.raises(Unroutable):
            decide(case)
        return
    decision = covering(case)
    best = min(cents for cents, _ in plans)
    assert decision.cost_cents == decision.lower_bound_cents == best
    assert decision.optimal
    assert len(decision.packages) == min(len(plan) for cents, plan in plans if cents == best)
    for each in decision.considered:
        including = [cents for cents, plan in plans if each.location in plan]
        alone = [cents for cents, plan in plans if set(plan) == {each.location}]
        assert each.regret_cents == (min(including) - best if including else None), each
        assert each.alone_cents == (alone[0] if alone else None), each
        assert (each.excluded_because is None) == bool(including), each
        assert (each.against is not None) == (bool(including) and not each.chosen), each


@settings(max_examples=50, deadline=None)
@given(small_problems(), st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_does_not_matter(case: Case, random: Random) -> None:
    shuffled = list(case.candidates)
    random.shuffle(shuffled)
    assert outcome(replace(case, candidates=tuple(shuffled))) == outcome(case)


def outcome(case: Case) -> object:
    try:
        return decide(case)
    except Unroutable as refusal:
        return refusal.short, refusal.unknown, refusal.considered


@settings(max_examples=50, deadline=None)
@given(small_problems())
def test_fewest_parcels_are_never_more_than_the_cheapest(case: Case) -> None:
    try:
        fewest = decide(replace(case, preference=Preference.FEWEST_PARCELS))
    except Unroutable:
        return  # the same for both
    assert len(fewest.packages) <= len(decide(replace(case, preference=Preference.CHEAPEST)).packages)


# ------------------------------------------------------------------------------------------------------- what it decides
def test_a_line_is_split_only_where_it_must_be() -> None:
    split = decide(problem({A: 3}, candidate("near", {A: 2}), candidate("far", {A: 2}, FAR)))
    assert sent(split) == {"near": {A: 2}, "far": {A: 1}}
    whole = decide(problem({A: 3}, candidate("near", {A: 2}), candidate("far", {A: 2}, FAR), candidate("all", {A: 3}, FAR)))
    assert sent(whole) == {"all": {A: 3}}


def test_lines_that_may_not_be_split_come_whole_or_not_at_all() -> None:
    halves = problem({A: 3}, candidate("one", {A: 2}), candidate("two", {A: 2}))
    with pytest.raises(Unroutable) as refusal:
        decide(replace(halves, constraints=Constraints(split_lines=False)))
    assert refusal.value.short == {A: (3, 2)}
    assert {each.excluded_because for each in refusal.value.considered} == {Reason(code=Code.STOCK, sku=A, needs=3, has=2)}


def test_lines_of_one_sku_are_one() -> None:
    twice = replace(problem({A: 1}, candidate("near", {A: 2}), candidate("far", {A: 9}, FAR)), demand=(Demand(sku=A, units=2),) * 2)
    assert sent(decide(twice)) == {"far": {A: 4}}


def test_unknown_stock_is_neither_zero_nor_used() -> None:
    case = problem({A: 2}, candidate("silent", {A: None}), candidate("none", {}), candidate("one", {A: 1}))
    with pytest.raises(Unroutable) as refusal:
        decide(case)
    assert refusal.value.short == {A: (2, 1)}
    assert refusal.value.unknown == {A}
    reasons = {each.location: str(each.excluded_because or "") for each in refusal.value.considered}
    assert reasons == {"none": "STOCK: A needs 2, has 0", "one": "STOCK: A needs 2, has 1", "silent": "SOURCE_UNKNOWN: A"}


def test_no_candidates_are_a_refusal_with_everything_short() -> None:
    with pytest.raises(Unroutable) as refusal:
        decide(problem({A: 2, B: 1}))
    assert refusal.value.short == {A: (2, 0), B: (1, 0)}
    assert list(refusal.value.considered) == []


def test_a_hard_rule_excludes_whatever_the_stock() -> None:
    near, far = candidate("near", {A: 9}, excluded_because="REJECTED_BEFORE"), candidate("far", {A: 9}, FAR)
    decision = decide(problem({A: 1}, near, far))
    assert sent(decision) == {"far": {A: 1}}
    assert of(decision, "near") == Considered(location=LocationId("near"), excluded_because=Reason(code="REJECTED_BEFORE"))


def test_fastest_takes_the_near_stock_that_cheapest_leaves() -> None:
    near, far = candidate("near", {A: 1}), candidate("far", {A: 1, B: 1}, FAR)
    assert set(sent(decide(problem({A: 1, B: 1}, near, far)))) == {"far"}
    assert set(sent(decide(problem({A: 1, B: 1}, near, far, preference=Preference.FASTEST)))) == {"near", "far"}


def test_a_preferred_location_is_worth_what_it_says_and_no_parcel_of_its_own() -> None:
    near, far = candidate("near", {A: 2}), candidate("far", {A: 2}, FAR)
    regret = of(decide(problem({A: 1}, near, far)), "far").regret_cents
    assert regret is not None
    assert set(sent(decide(problem({A: 1}, near, replace(far, preference_cents=regret - 1))))) == {"near"}
    assert set(sent(decide(problem({A: 1}, near, replace(far, preference_cents=regret + 1))))) == {"far"}
    assert len(decide(problem({A: 2}, near, replace(far, preference_cents=100_000))).packages) == 1


def test_the_first_of_two_equal_locations_is_chosen_and_the_other_has_no_regret() -> None:
    decision = decide(problem({A: 1}, candidate("b", {A: 1}), candidate("a", {A: 1})))
    assert [(each.location, each.chosen, each.regret_cents) for each in decision.considered] == [("a", True, 0), ("b", False, 0)]


def test_a_pickup_comes_from_its_location_without_postage() -> None:
    here = replace(candidate("here", {A: 1}, FAR), methods=frozenset(Method), handling_cents=20)
    case = replace(problem({A: 1}, here, candidate("near", {A: 9})), method=Method.PICKUP, pickup_at=LocationId("here"))
    decision = decide(case)
    (package,) = decision.packages
    assert (package.location, package.zone, package.transit_days, decision.cost_cents) == ("here", None, 0, 20)
    assert str(of(decision, "near").excluded_because) == "NOT_THE_PICKUP_LOCATION"
    assert "hands over 1 × A" in explain(decision, {})


def test_a_pickup_where_none_is_offered_is_a_refusal() -> None:
    case = replace(problem({A: 1}, candidate("here", {A: 1})), method=Method.PICKUP, pickup_at=LocationId("here"))
    with pytest.raises(Unroutable) as refusal:
        decide(case)
    assert [str(each.excluded_because) for each in refusal.value.considered] == ["METHOD: does not offer PICKUP"]


def test_an_unknown_destination_is_priced_as_the_farthest_and_the_explanation_says_so() -> None:
    decision = decide(replace(problem({A: 1}, candidate("near", {A: 1})), destination=None))
    (package,) = decision.packages
    assert (package.zone, package.miles) == (8, None)
    assert "How far it is from Reno is unknown, so the farthest zone was assumed." in explain(
        decision, {LocationId("near"): "Reno"}
    )


def test_the_explanation_names_places_prices_the_next_best_and_who_could_not_take_part() -> None:
    case = problem({A: 2, B: 1}, candidate("near", {A: 2, B: 1}), candidate("far", {A: 9}, FAR), candidate("none", {}))
    assert explain(decide(case), {LocationId("near"): "Reno"}) == (
        "Reno, 26 miles away, sends 2 × A and 1 × B by Ground in about 1 day (zone 1). "
        "This costs 9.45 (postage 9.45); the aim was the least cost, and no plan does better. "
        "The best plan with far would have cost 13.63 more, as it has 0 of 1 × B. "
        "none (STOCK: A needs 2, has 0; and 1 more) could not take part."
    )


# ----------------------------------------------------------------------------------------------------------- large orders
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(small_problems())
def test_a_plan_that_is_not_proven_covers_the_order_and_its_bound_is_honest(case: Case) -> None:
    costs = [cents for cents, _ in every_plan(case)]
    assume(costs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule, "solve", partial(solve, effort=0))
        decision = covering(case)
    assert decision.lower_bound_cents <= min(costs) <= decision.cost_cents
    assert decision.optimal == (decision.lower_bound_cents == decision.cost_cents)


def test_an_order_of_two_hundred_lines_gets_a_plan_and_an_honest_bound() -> None:
    decision = covering(large_problem(1, lines=200, places=40, units_max=3))
    assert not decision.optimal
    assert 0 < decision.optimality_gap < 1
    assert all((each.regret_cents == 0) == each.chosen for each in decision.considered)
    assert "no plan saves more than" in explain(decision, {})


@pytest.mark.parametrize("seed", range(10))
def test_a_million_units_a_line_are_no_harder_than_few(seed: int) -> None:
    covering(large_problem(seed, lines=4, places=12, units_max=1_000_000))


@pytest.mark.parametrize("seed", range(10))
def test_common_lots_make_a_large_line_small(seed: int) -> None:
    rates = [ZoneRate(package_cents=50 + zone, unit_cents=0, transit_days=1) for zone in range(8)]
    per_parcel = Tariff(services=(by_the_unit(rates),))
    few = replace(large_problem(seed, lines=2, places=6, units_max=4), tariff=per_parcel, preference=Preference.CHEAPEST)
    lots = replace(
        few,
        demand=tuple(in_lots(line) for line in few.demand),
        candidates=tuple(
            replace(each, available={sku: LOT * (units or 0) for sku, units in each.available.items()}) for each in few.candidates
        ),
    )
    packages = tuple(replace(each, lines=tuple(in_lots(line) for line in each.lines)) for each in decide(few).packages)
    assert decide(lots).packages == packages
    assert decide(lots).optimal


LOT = 100_000


def in_lots(line: Demand) -> Demand:
    return Demand(sku=line.sku, units=line.units * LOT)


# -------------------------------------------------------------------------------------------------- what cannot be asked
@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Demand(sku=A, units=0),
        lambda: Demand(sku=A, units=1_000_001),
        lambda: problem({}).problem(),
        lambda: replace(problem({A: 1}), demand=(Demand(sku=A, units=600_000),) * 2).problem(),
        lambda: problem({A: 1}, candidate("one", {}), candidate("one", {})).problem(),
        lambda: replace(problem({A: 1}), method=Method.PICKUP).problem(),
        lambda: Tariff(services=()),
        lambda: Tariff(services=(US_EXPRESS,)),
        lambda: Tariff(services=(US_GROUND, US_GROUND)),
        lambda: Tariff(zones=ZoneTable(miles_max=(100,))),
        lambda: replace(problem({A: 1}), unit_grams=-1).problem(),
        lambda: Constraints(packages_max=0),
        lambda: Tariff(parcel_cents=-1),
        lambda: ZoneRate(package_cents=10**9, unit_cents=0, transit_days=0),
    ],
)
def test_a_problem_that_makes_no_sense_cannot_be_made(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(ValueError):
        wrong()
