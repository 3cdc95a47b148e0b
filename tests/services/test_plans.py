"""Plans that were made before anything was locked."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.domain.fulfillments import tally
from gateway.domain.geography import Centroids
from gateway.domain.identity import LocationId
from gateway.domain.orders import Order
from gateway.domain.reservations import Reservation
from gateway.domain.routing import Decision, Tariff
from gateway.domain.sourcing import DecisionRecord
from gateway.domain.stock import Shelf
from gateway.services.atlas import Atlas
from gateway.services.demand import Demand
from gateway.services.network import Network
from gateway.services.readings import Readings
from gateway.services.routing import Routing
from tests.harness import run
from tests.samples import EAST, MUG, WEST, Desk, desk, numbered
from tests.services.limited import TODAY, books, hold, place, planned, world


def test_a_plan_that_still_fits_is_taken_as_it_is_and_one_that_does_not_is_made_anew() -> None:
    on, seen = books(), world(of=5)
    plan = planned(5, seen)
    (first,) = place(5, seen, plan=plan).decide(on).fulfillment_orders
    (second,) = place(5, seen, plan=plan).decide(on).fulfillment_orders
    assert [first.location] == [package.location for package in plan.decision.packages]
    assert second.location != first.location
    assert [record.decision == plan.decision for record in on.decisions] == [True, False]
    assert len({record.id for record in on.decisions}) == 2


def doubled(decision: Decision) -> Decision:
    return replace(decision, packages=decision.packages * 2)


def emptied(decision: Decision) -> Decision:
    return replace(decision, packages=())


def displaced(decision: Decision) -> Decision:
    (package,) = decision.packages
    return replace(decision, packages=(replace(package, location=LocationId("nowhere")),))


@pytest.mark.parametrize("spoilt", [doubled, emptied, displaced])
def test_a_plan_that_is_not_what_was_bought_is_not_taken(spoilt: Callable[[Decision], Decision]) -> None:
    on, seen = books(), world()
    plan = planned(2, seen)
    order: Order = place(2, seen, plan=replace(plan, decision=spoilt(plan.decision))).decide(on)
    assert [tally(work.lines) for work in order.fulfillment_orders] == [{MUG: 2}]


def test_a_plan_for_a_place_that_may_not_do_it_is_not_taken() -> None:
    on, seen = books(), world(of=5)
    plan = planned(5, seen)
    (planned_at,) = (package.location for package in plan.decision.packages)
    closed = tuple(replace(each, active=each.id != planned_at) for each in seen.atlas.locations)
    (work,) = place(5, replace(seen, atlas=Atlas(locations=closed)), plan=plan).decide(on).fulfillment_orders
    assert work.location != planned_at


def planner(on: Desk) -> Routing:
    """Routing that plans; whoever only plans asks no source."""
    network = Network(
        sources={},
        store=on.store,
        upkeep=on.upkeep,
        centroids=Centroids(points={}),
        corrections={},
        refresh_s=60,
        retry_s=1,
        deadline_s=1,
    )
    return Routing(
        readings=Readings(desks={}, store=on.store, demand=Demand(skus_max=9)),
        store=on.store,
        upkeep=on.upkeep,
        network=network,
        sources={},
        centroids=Centroids(points={}),
        tariff=Tariff(),
        clock=on.clock,
        new_id=numbered(),
        deadline_s=1,
    )


def origins(plan: DecisionRecord | None) -> list[str]:
    """Where the plan has it come from."""
    assert plan is not None
    return [package.location for package in plan.decision.packages]


def test_a_plan_is_made_on_what_was_committed_last_and_on_nothing_where_that_is_too_little(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            routing, seen = planner(on), world(of=5)
            wish = place(5, seen).purchase.wish()
            (first,) = origins(routing.plan(wish, seen))
            routing.learn([Shelf(sku=MUG, location=LocationId(first), committed_units=1)])
            (second,) = origins(routing.plan(wish, seen))
            assert second != first
            routing.learn([Shelf(sku=MUG, location=LocationId(second), held_units=5)])
            assert routing.plan(wish, seen) is None
            routing.learn([Shelf(sku=MUG, location=LocationId(second))])
            assert origins(routing.plan(wish, seen)) == [second]

    run(story)


@pytest.mark.parametrize("where", [EAST, WEST])
def test_a_plan_for_what_is_held_comes_from_where_it_is_held(tmp_path: Path, where: LocationId) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            routing, seen = planner(on), world(of=5, where=(where,), east=5, west=5)
            kept = await on.writer.submit(hold(5, seen, at=where), returns=Reservation)
            routing.learn((await on.store.shelves([MUG, TODAY])).values())
            asked = place(5, seen, kept=kept.id)
            assert routing.plan(asked.purchase.wish(), seen) is None
            plan = routing.plan(asked.purchase.wish(kept), seen)
            assert origins(plan) == [where]
            order = await on.writer.submit(replace(asked, plan=plan), returns=Order)
            (decided,) = (await on.store.decisions([order.id]))[order.id]
            assert plan is not None
            assert decided == replace(plan, id=decided.id, order=order.id)

    run(story)
