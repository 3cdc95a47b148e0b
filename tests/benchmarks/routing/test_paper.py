"""The benchmark must count right, and play orders as fast as it does without cutting a corner."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.domain.plans.instance import Floats, Instance, Ints, Strategy
from gateway.domain.plans.pool import Pool, sent_cents
from gateway.domain.plans.postage import NO_POSTAGE
from gateway.domain.plans.strategies import STRATEGIES
from tests.benchmarks.routing import paper, policies
from tests.benchmarks.routing import places as where
from tests.benchmarks.routing.places import Places, places
from tests.benchmarks.routing.policies import Priced, bound_cents, closing, forecast, learned, opening
from tests.benchmarks.routing.replay import replayed
from tests.benchmarks.routing.world import Size, World, drawn

TINY = Size(items=6, lines_max=3, kinds_per_size=2, carried=0.75, arrivals=150)


def tiny(arrivals: int = TINY.arrivals) -> World:
    """Three regions, three centers, two sequences."""
    miles = np.array([[10.0, 900.0, 2000.0], [900.0, 10.0, 1200.0], [2100.0, 1200.0, 10.0]])
    here = Places(source="a test", people=np.array([5.0, 3.0, 1.0]), miles=miles)
    return drawn(replace(TINY, arrivals=arrivals), here, sequences=2, rng=np.random.default_rng(1))


def decided(world: World, arrival: int, stock: Ints, strategy: Strategy) -> tuple[Pool, Ints]:
    """The order, and where its lines come from: by the strategy from the centers that have them, else from the dummy."""
    lot = int(np.searchsorted(world.starts, arrival, side="right")) - 1
    order = world.pools[lot].of(np.array([arrival - world.starts[lot]]))
    there = stock[:-1, order.items[:, 0]]
    centers, region = len(there), arrival % len(world.miles)
    locations = np.full(order.items.shape, centers)
    lines = np.flatnonzero(there.any(axis=0))
    if len(lines):
        plan = strategy(
            Instance(
                wanted=np.ones(len(lines), dtype=np.int64),
                stock=there[:, lines],
                room=np.full(centers, len(lines)),
                package_cents=world.package_cents[:-1],
                unit_cents=np.repeat(world.unit_cents[region, :-1, None], len(lines), axis=1),
                postage=NO_POSTAGE,
                lane=np.zeros(centers, dtype=np.int64),
                grams=np.ones(len(lines), dtype=np.int64),
                miles=world.miles[region],
                rank=np.arange(centers),
            )
        )
        assert plan is not None
        locations[lines, 0] = plan.locations[plan.units.argmax(axis=0)]
    return order, locations


def one_by_one(world: World, strategy: Strategy) -> list[float]:
    """What it costs to decide every order anew when it comes."""
    costs = []
    for arrivals in world.arrivals:
        stock, cents = world.stock.copy(), 0.0
        for arrival in arrivals[arrivals < world.orders].tolist():
            order, locations = decided(world, arrival, stock, strategy)
            stock[locations[:, 0], order.items[:, 0]] -= 1
            cents += float(sent_cents(order, locations)[0])
        assert stock.min() >= 0
        costs.append(cents)
    return costs


@pytest.mark.parametrize("rule", [*paper.RULES, "highest_stock"])
def test_playing_from_a_table_costs_what_the_strategy_itself_costs_one_order_after_another(rule: str) -> None:
    world = tiny()
    costs = paper.POLICIES[rule](world, paper.EFFORTS["paper_s"], np.random.default_rng(1))
    assert costs.tolist() == pytest.approx(one_by_one(world, STRATEGIES[rule]))


@pytest.mark.parametrize("expected", [forecast, lambda world, at: learned(world, at, np.random.default_rng(1), 2)])
def test_prices_bring_the_cost_closer_to_what_it_must_be(
    expected: Callable[[World, int], Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "BOUND_ROUNDS", 60)
    world = tiny(arrivals=900)
    plain = replayed(world, Priced(world=world), [0])
    looks = sorted({*opening(900), *closing(900, many=6)})
    priced = replayed(world, Priced(world=world, expected=lambda at: expected(world, at)), looks)
    bound = bound_cents(world)
    assert (priced >= bound).all()
    assert (priced - bound).sum() < 0.8 * (plain - bound).sum()


def test_looks_begin_at_once_and_come_closer_together_toward_the_end() -> None:
    looks = closing(10_000, many=40)
    assert looks[0] == 0
    assert max(looks) < 10_000
    assert np.diff(looks)[-1] < np.diff(looks)[0] / 10
    assert opening(10_000) == [0, 20, 40, 80, 160, 320, 640, 1280]


def test_without_the_paper_s_places_there_are_ours_and_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(where, "PAPER", tmp_path)
    small, large = places("paper_s"), places("paper_l")
    assert small.miles.shape == (10, 5)
    assert large.miles.shape == (99, 10)
    assert "not the paper's" in small.source
    assert 2400 < small.miles[0, 0] < 2600  # New York and Stockton


def test_the_paper_s_places_are_taken_where_they_lie() -> None:
    if not where.PAPER.exists():
        pytest.skip("the paper's places are not at hand")
    assert places("paper_l").miles.shape == (99, 10)
    assert places("paper_s").source == "the paper's places"


def test_a_job_finds_the_same_again_and_something_else_on_another_instance() -> None:
    job = paper.Job(benchmark="paper_s", policy="highest_stock", instance=0, sequences=1, seed=7)
    first, again, other = (paper._run(each)[1].tolist() for each in (job, job, replace(job, instance=1)))
    assert first == again
    assert first != other
