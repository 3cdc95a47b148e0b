"""What a merchant's rules make of orders, on books in memory."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.contract import Sku
from gateway.domain.books import Books
from gateway.domain.fulfillments import tally
from gateway.domain.identity import LocationId
from gateway.domain.invariants import standing_still
from gateway.domain.orders import Order, OrderStatus
from gateway.domain.policies import (
    DEFAULT,
    Ban,
    Candidacy,
    Criterion,
    Fallback,
    FallbackStep,
    HardRules,
    Market,
    Objective,
    PackageWeight,
    Places,
    PolicyState,
    RoutingPolicy,
    Rule,
    RulePart,
    UnitWeight,
    Weights,
    When,
)
from gateway.domain.refusals import InsufficientStock, NoCandidate, NotFound, Refusals
from gateway.domain.stock import NETWORK
from gateway.services.orders import Place, Purchase, Reroute
from gateway.services.routing import Landscape, Outlook
from tests.samples import CUP, EAST, HOME, MUG, START, WEST, landscape, numbered, reading, units

WAITS = Fallback(step=FallbackStep.BACK_ORDER)
PARKS = Fallback(step=FallbackStep.PARK)


def policy(*rules: Rule, name: str = DEFAULT) -> RoutingPolicy:
    return RoutingPolicy(name=name, version=3, rules=rules, changes=(), state=PolicyState.ACTIVE)


def world(*rules: Rule, mugs: tuple[int, int] = (9, 9), cups: tuple[int, int] = (9, 9)) -> Landscape:
    """So much in the east and the west, and a policy of these rules."""
    seen = landscape(
        reading(MUG, EAST, mugs[0]), reading(MUG, WEST, mugs[1]), reading(CUP, EAST, cups[0]), reading(CUP, WEST, cups[1])
    )
    return replace(seen, outlook=Outlook(policies={DEFAULT: policy(*rules)}))


def placed(seen: Landscape, on: Books | None = None, *, mugs: int = 0, cups: int = 0, **more: Any) -> Order:
    lines = units(*((sku, count) for sku, count in ((MUG, mugs), (CUP, cups)) if count))
    bought = replace(Purchase(channel="web", lines=lines, to=HOME), **more)
    on = on or Books(now=START, new_id=numbered())
    with on.attempt():
        return Place(purchase=bought, landscape=seen, by="shop").decide(on)


def origins(order: Order) -> dict[LocationId, dict[Sku, int]]:
    return {work.location: dict(tally(work.lines)) for work in order.fulfillment_orders}


def only(code: str) -> Candidacy:
    return Candidacy(places=(Places(codes=(code,)),))


def test_the_first_rule_that_matches_says_who_is_asked() -> None:
    shop = Rule(name="web goes west", when=When(channels=("web",)), candidates=only("west"))
    assert origins(placed(world(shop), mugs=1)) == {WEST: {MUG: 1}}
    assert origins(placed(world(shop), mugs=1, channel="store")) == {EAST: {MUG: 1}}


def test_what_must_never_leave_from_somewhere_comes_from_elsewhere_and_the_rest_with_it() -> None:
    hard = HardRules(never_from=(Ban(skus=("M*",), places=Places(codes=("east",))),))
    assert origins(placed(world(Rule(name="no mugs there", hard=hard)), mugs=1, cups=1)) == {WEST: {MUG: 1, CUP: 1}}


def test_a_location_outside_the_market_is_named_with_its_rule_when_nothing_is_left() -> None:
    abroad = Market(countries=("CA",))
    with pytest.raises(Refusals) as told:
        placed(world(Rule(name="export", hard=HardRules(markets=(abroad,)))), mugs=1)
    (refusal,) = told.value.each
    assert isinstance(refusal, NoCandidate)
    assert "HARD_RULE: export: MARKETS" in str(refusal)


def test_a_limit_on_packages_that_nothing_keeps_to_is_named_and_gives_way_where_the_rule_says_so() -> None:
    one = Rule(name="one parcel", hard=HardRules(packages_max=1))
    torn = {"mugs": (9, 0), "cups": (0, 9)}
    with pytest.raises(Refusals, match="the number of packages"):
        placed(world(one, **torn), mugs=1, cups=1)
    relaxing = replace(one, fallbacks=(Fallback(step=FallbackStep.RELAX, relaxes=(RulePart.PACKAGES_MAX,)),))
    books = Books(now=START, new_id=numbered())
    assert origins(placed(world(relaxing, **torn), books, mugs=1, cups=1)) == {EAST: {MUG: 1}, WEST: {CUP: 1}}
    (kept,) = books.decisions
    assert (kept.policy, kept.policy_version, kept.rule, kept.relaxed) == (DEFAULT, 3, "one parcel", ("PACKAGES_MAX",))


def test_when_a_rule_leaves_nothing_the_next_one_that_matches_is_gone_by() -> None:
    first = Rule(name="west only", candidates=only("west"), fallbacks=(Fallback(step=FallbackStep.NEXT_RULE),))
    then = Rule(name="then anywhere")
    books = Books(now=START, new_id=numbered())
    assert origins(placed(world(first, then, mugs=(9, 0)), books, mugs=2)) == {EAST: {MUG: 2}}
    assert books.decisions[0].rule == "then anywhere"


def test_weights_move_orders_and_are_told_as_costs() -> None:
    books = Books(now=START, new_id=numbered())
    old = UnitWeight(places=Places(codes=("west",)), markdown_cents=40)
    seen = world(Rule(name="clear the west", weights=Weights(units=(old,))))
    assert origins(placed(seen, books, mugs=2)) == {WEST: {MUG: 2}}
    costs = {term.name: term.cents for term in books.decisions[0].decision.packages[0].costs}
    assert costs["markdown"] == -80
    preferred = Rule(name="west", weights=Weights(packages=(PackageWeight(places=Places(codes=("west",)), preference_cents=5),)))
    assert origins(placed(world(preferred), mugs=2)) == {WEST: {MUG: 2}}


def test_together_and_whole_lines_hold() -> None:
    torn = {"mugs": (9, 2), "cups": (1, 9)}
    free = placed(world(**torn), mugs=4, cups=2)
    assert len(free.fulfillment_orders) == 2
    with pytest.raises(Refusals, match="SKUs that travel together"):
        placed(world(Rule(name="set", hard=HardRules(together=(("*",),))), **torn), mugs=4, cups=2)
    with pytest.raises(Refusals):
        placed(world(Rule(name="whole", hard=HardRules(whole_lines=True)), mugs=(2, 2)), mugs=4)


def test_without_a_fallback_what_is_short_is_refused_as_ever() -> None:
    with pytest.raises(Refusals) as told:
        placed(world(Rule(name="strict"), mugs=(1, 1)), mugs=3)
    assert [type(each) for each in told.value.each] == [InsufficientStock]


def test_what_may_wait_for_stock_is_sent_as_far_as_it_is_there_and_the_rest_follows() -> None:
    on = Books(now=START, new_id=numbered())
    rule = Rule(name="patient", fallbacks=(WAITS,))
    order = placed(world(rule, mugs=(2, 0)), on, mugs=5, cups=1)
    assert (order.status, order.backordered) == (OrderStatus.BACKORDERED, True)
    assert origins(order) == {EAST: {MUG: 2, CUP: 1}}
    assert on.shelf(MUG, NETWORK).committed_units == 3, "what waits is promised"
    again = Reroute(order=order.id, landscape=world(rule, mugs=(2, 1))).decide(on)
    assert origins(again) == {EAST: {MUG: 2, CUP: 1}, WEST: {MUG: 1}}
    assert on.shelf(MUG, NETWORK).committed_units == 2
    done = Reroute(order=order.id, landscape=world(rule, mugs=(9, 9))).decide(on)
    assert (done.status, done.unrouted, done.backordered) == (OrderStatus.ROUTED, (), False)
    assert on.shelf(MUG, NETWORK).committed_units == 0


def test_what_waits_for_a_person_says_so_and_goes_when_there_is_a_way() -> None:
    on = Books(now=START, new_id=numbered())
    rule = Rule(name="ask Ada", candidates=only("west"), fallbacks=(PARKS,))
    order = placed(world(rule, mugs=(9, 0)), on, mugs=2)
    assert order.status is OrderStatus.BACKORDERED
    assert order.parked_because == "Rule 'ask Ada' wants a person to look."
    assert [job.kind for job in on.jobs] == ["ROUTE"]
    same = Reroute(order=order.id, landscape=world(rule, mugs=(9, 0))).decide(on)
    assert same == order, "nothing is said twice"
    routed = Reroute(order=order.id, landscape=world(rule, mugs=(0, 2))).decide(on)
    assert (routed.status, routed.parked_because) == (OrderStatus.ROUTED, None)


def test_what_has_waited_for_as_long_as_it_may_is_canceled_and_what_left_stays() -> None:
    on = Books(now=START, new_id=numbered())
    rule = Rule(name="a day", fallbacks=(WAITS, Fallback(step=FallbackStep.AUTO_CANCEL, after_hours=24)))
    order = placed(world(rule, mugs=(1, 0)), on, mugs=2)
    assert order.cancel_waiting_at == START + timedelta(hours=24)
    on.now = START + timedelta(hours=23)
    assert Reroute(order=order.id, landscape=world(rule, mugs=(1, 0))).decide(on).unrouted == units((MUG, 1))
    on.now = START + timedelta(hours=24)
    canceled = Reroute(order=order.id, landscape=world(rule, mugs=(1, 0))).decide(on)
    assert (canceled.status, canceled.unrouted) == (OrderStatus.ROUTED, ())
    assert [line.canceled_units for line in canceled.lines] == [1]
    assert on.shelf(MUG, NETWORK).committed_units == 0


def test_an_order_names_a_policy_that_is_in_force_or_is_refused() -> None:
    seen = world()
    gifts = Outlook(policies={"gifts": policy(Rule(name="from the west", candidates=only("west")), name="gifts")})
    assert origins(placed(replace(seen, outlook=gifts), mugs=1, policy="gifts")) == {WEST: {MUG: 1}}
    with pytest.raises((Refusals, NotFound), match="routing policy"):
        placed(seen, mugs=1, policy="gifts")


def test_the_location_that_a_customer_names_is_taken_where_that_costs_little() -> None:
    assert origins(placed(world(), mugs=1, from_location=WEST)) == {WEST: {MUG: 1}}


def test_orders_of_a_wave_wait_with_their_units_promised_and_are_routed_when_it_is_over() -> None:
    on = Books(now=START + timedelta(minutes=7), new_id=numbered())
    seen = world(Rule(name="every ten minutes", batch_minutes=10), mugs=(3, 0))
    order = placed(seen, on, mugs=2)
    assert (order.status, order.wave_at) == (OrderStatus.PLACED, START + timedelta(minutes=10))
    assert [(job.kind, job.run_at) for job in on.jobs] == [("ROUTE", START + timedelta(minutes=10))]
    assert on.shelf(MUG, NETWORK).committed_units == 2
    with pytest.raises(Refusals):
        placed(seen, on, mugs=2)
    on.now = START + timedelta(minutes=10)
    routed = Reroute(order=order.id, landscape=seen).decide(on)
    assert (routed.status, routed.wave_at) == (OrderStatus.ROUTED, None)
    assert origins(routed) == {EAST: {MUG: 2}}
    assert on.shelf(MUG, NETWORK).committed_units == 0


def test_a_rule_may_go_by_a_rule_of_thumb_or_by_criteria_and_the_decision_says_what_that_costs() -> None:
    on = Books(now=START, new_id=numbered())
    most = Rule(name="most stock", objective=Objective(strategy="highest_stock"))
    assert origins(placed(world(most, mugs=(3, 9)), on, mugs=1)) == {WEST: {MUG: 1}}
    (kept,) = on.decisions
    assert (kept.decision.strategy, kept.decision.lower_bound_cents <= kept.decision.cost_cents) == ("highest_stock", True)
    preferred = PackageWeight(places=Places(codes=("west",)), preference_cents=1)
    ranked = Objective(strategy="lexicographic", criteria=(Criterion.RANK,))
    by_rank = Rule(name="by rank", objective=ranked, weights=Weights(packages=(preferred,)))
    assert origins(placed(world(by_rank), mugs=1)) == {WEST: {MUG: 1}}


def test_a_strategy_that_is_gone_since_its_rule_was_written_makes_no_order_wait() -> None:
    gone = Rule(name="gone", objective=Objective(strategy="somebody-elses"))
    assert origins(placed(world(gone), mugs=1)) == {EAST: {MUG: 1}}


def test_what_waits_for_a_person_only_so_long_is_canceled_though_nobody_looked() -> None:
    on = Books(now=START, new_id=numbered())
    rule = Rule(name="ask", candidates=only("west"), fallbacks=(PARKS, Fallback(step=FallbackStep.AUTO_CANCEL, after_hours=2)))
    order = placed(world(rule, mugs=(9, 0)), on, mugs=2)
    assert [job.run_at for job in on.jobs] == [START + timedelta(hours=2), START]
    assert Reroute(order=order.id, landscape=world(rule, mugs=(9, 0))).decide(on) == order
    assert len(on.jobs) == 2, "one reminder is enough"
    on.now = START + timedelta(hours=2)
    assert Reroute(order=order.id, landscape=world(rule, mugs=(9, 0))).decide(on).status is OrderStatus.CANCELED


def test_what_waits_for_a_person_is_not_said_to_stand_still() -> None:
    on = Books(now=START, new_id=numbered())
    rule = Rule(name="ask", candidates=only("west"), fallbacks=(PARKS,))
    order = placed(world(rule, mugs=(9, 0)), on, mugs=2)
    assert list(standing_still(order, ())) == []
    assert list(standing_still(replace(order, parked_because=None), ())) != []
