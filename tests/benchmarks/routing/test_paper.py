"""The benchmark must count right, and play orders as fast as it does without cutting a corner."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.domain.plans.instance import Floats, Strategy
from gateway.domain.plans.pool import best, sent_cents
from gateway.domain.plans.strategies import STRATEGIES
from tests.benchmarks.routing import paper, policies
from tests.benchmarks.routing import places as where
from tests.benchmarks.routing.places import Places, places
from tests.benchmarks.routing.policies import (
    Priced,
    Ruled,
    bound_cents,
    by_highest_stock,
    closing,
    forecast,
    learned,
    opening,
    order_of,
)
from tests.benchmarks.routing.replay import replayed
from tests.benchmarks.routing.world import Size, World, drawn

TINY = Size(items=6, lines_max=3, kinds_per_size=2, carried=0.75, arrivals=150)


def tiny(arrivals: int = TINY.arrivals) -> World:
    """Three regions, three centers, two sequences."""
    miles = np.array([[10.0, 900.0, 2000.0], [900.0, 10.0, 1200.0], [2100.0, 1200.0, 10.0]])
    here = Places(source="a test", people=np.array([5.0, 3.0, 1.0]), miles=miles)
    return drawn(replace(TINY, arrivals=arrivals), here, sequences=2, rng=np.random.default_rng(1))


def one_by_one(world: World, strategy: Strategy | None) -> list[float]:
    """Every order decided anew when it comes: by the rule, or at no prices."""
    costs = []
    for arrivals in world.arrivals:
        stock, cents = world.stock.astype(np.float64), 0.0
        for arrival in arrivals[arrivals < world.orders].tolist():
            lot = np.searchsorted(world.starts, arrival, side="right") - 1
            number = np.array([arrival - world.starts[lot]])
            order = world.pools[lot].of(number)
            locations = (
                best(order, np.where(stock > 0, 0.0, np.inf)).locations
                if strategy is None
                else Ruled(world=world, strategy=strategy).locations(order, number, stock[None])
            )
            stock[locations[:, 0], order.items[:, 0]] -= 1
            cents += float(sent_cents(order, locations)[0])
        assert stock.min() >= 0
        costs.append(cents)
    return costs


@pytest.mark.parametrize("strategy", [None, *(STRATEGIES[rule] for rule in paper.RULES)])
def test_playing_from_a_table_costs_what_deciding_one_order_after_another_costs(strategy: Strategy | None) -> None:
    world = tiny()
    desk = Priced(world=world) if strategy is None else Ruled(world=world, strategy=strategy)
    costs = replayed(world, desk, [0])
    assert costs.tolist() == pytest.approx(one_by_one(world, strategy))


def test_highest_stock_costs_what_the_rule_itself_costs() -> None:
    world = tiny()
    rule = STRATEGIES["highest_stock"]

    def cents(arrivals: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> float:
        stock, total = world.stock.copy(), 0.0
        for arrival in arrivals[arrivals < world.orders].tolist():
            lot = np.searchsorted(world.starts, arrival, side="right") - 1
            order = world.pools[lot].of(np.array([arrival - world.starts[lot]]))
            items = order.items[:, 0]
            # The rule sees how much there is, the dummy only where nobody has any.
            locations = np.full((len(items), 1), len(stock) - 1)
            lines = np.flatnonzero(stock[:-1, items].any(axis=0))
            if len(lines):
                plan = rule(order_of(world, arrival % len(world.miles), stock[:-1, items[lines]]))
                assert plan is not None
                locations[lines, 0] = plan.locations[plan.units.argmax(axis=0)]
            stock[locations[:, 0], items] -= 1
            total += float(sent_cents(order, locations)[0])
        return total

    assert by_highest_stock(world).tolist() == pytest.approx([cents(arrivals) for arrivals in world.arrivals])


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
