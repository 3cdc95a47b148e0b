"""Prices of scarce stock: they must prove what they say, and be worth what a unit is worth."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.plans.instance import Floats, Ints
from gateway.domain.plans.pool import Pool, pool_of, sent_cents, used
from gateway.domain.plans.prices import Prices, dual_ascent


def orders_of_one_item(*, cents: Floats, stock: list[int]) -> tuple[Pool, Ints]:
    """Orders of one unit; ``cents[r, l]`` is what it costs from each location."""
    shelves = np.array(stock)[:, None]
    pool = pool_of(
        items=np.zeros((len(cents), 1), dtype=np.int64),
        units=np.ones((len(cents), 1), dtype=np.int64),
        package_cents=cents,
        unit_cents=np.zeros((*cents.shape, 1)),
        stock=shelves,
    )
    return pool, shelves


def cheapest_together(pool: Pool, stock: Ints, room: Ints) -> float:
    """Every way to serve all orders, tried."""
    ways = list(product(range(len(stock)), repeat=pool.lines * pool.orders))
    best = np.inf
    for way in ways:
        locations = np.array(way).reshape(pool.lines, pool.orders)
        taken = used(pool, locations, shape=(1, *stock.shape))[0]
        if (taken <= stock).all() and (taken.sum(axis=1) <= room).all():
            best = min(best, float(sent_cents(pool, locations).sum()))
    return best


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_nothing_that_can_be_done_costs_less_than_the_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    stock, room = rng.integers(0, 4, (3, 3)), rng.integers(1, 6, 3)
    stock[2], room[2] = 9, 99  # somewhere there is always enough, or nothing could be done at all
    pool = pool_of(
        items=np.array([rng.choice(3, 2, replace=False) for _ in range(3)]),
        units=rng.integers(1, 3, (3, 2)),
        package_cents=rng.uniform(100, 900, (3, 3)),
        unit_cents=rng.uniform(0, 300, (3, 3, 1)),
        stock=stock,
        split_cents=20.0,
    )
    found = dual_ascent([pool], stock, room, rounds=40)
    assert found.bound_cents[0] <= cheapest_together(pool, stock, room) + 1e-6


def test_the_last_unit_is_worth_what_the_next_best_would_save_by_it() -> None:
    # Both want the one unit nearby. It saves the first order 400 cents and the second 700, which therefore gets it.
    pool, stock = orders_of_one_item(cents=np.array([[100.0, 500.0], [100.0, 800.0]]), stock=[1, 9])
    found = dual_ascent([pool], stock)
    assert 395 < found.pi[0, 0, 0] < 705
    assert found.pi[0, 1, 0] == 0
    assert 599 < found.bound_cents[0] < 600 + 1e-6


def test_room_has_a_price_where_there_is_stock_enough() -> None:
    pool, stock = orders_of_one_item(cents=np.array([[100.0, 500.0], [100.0, 800.0]]), stock=[9, 9])
    found = dual_ascent([pool], stock, np.array([1, 9]))
    assert 395 < found.kappa[0, 0] < 705
    assert (found.pi == 0).all()
    assert 599 < found.bound_cents[0] < 600 + 1e-6


def test_with_enough_of_everything_nothing_has_a_price_and_the_bound_is_what_the_orders_cost() -> None:
    pool, stock = orders_of_one_item(cents=np.array([[100.0, 500.0], [300.0, 200.0]]), stock=[9, 9])
    found = dual_ascent([pool], stock, rounds=10)
    assert (found.pi == 0).all()
    assert found.bound_cents.tolist() == [300]


def test_markets_are_priced_as_if_each_were_alone() -> None:
    rng = np.random.default_rng(2)
    stock = np.array([[[2], [99]], [[5], [99]]])
    cents = rng.uniform(100, 900, (12, 2))
    market = np.arange(12) % 2
    both = pool_of(
        items=np.zeros((12, 1), dtype=np.int64),
        units=np.ones((12, 1), dtype=np.int64),
        package_cents=cents,
        unit_cents=np.zeros((12, 2, 1)),
        stock=stock,
        market=market,
    )
    together = dual_ascent([both], stock, step_cents=100.0)
    for number in (0, 1):
        pool, shelves = orders_of_one_item(cents=cents[market == number], stock=stock[number, :, 0].tolist())
        alone = dual_ascent([pool], shelves, step_cents=100.0)
        np.testing.assert_allclose(together.pi[number], alone.pi[0])
        np.testing.assert_allclose(together.bound_cents[number], alone.bound_cents[0])


def test_an_order_that_nobody_can_serve_is_left_out() -> None:
    pool, stock = orders_of_one_item(cents=np.array([[100.0], [200.0]]), stock=[2])
    pool.line_cents[:, :, 1] = np.inf
    assert dual_ascent([pool], stock, rounds=5).bound_cents.tolist() == [100]


def test_prices_begin_where_they_were_left() -> None:
    pool, stock = orders_of_one_item(cents=np.array([[100.0, 500.0], [100.0, 800.0]]), stock=[1, 9])
    left: Prices = dual_ascent([pool], stock)
    again = dual_ascent([pool], stock, start=left, step_cents=1.0, rounds=1)
    assert (again.pi == left.pi).all()
    assert again.bound_cents == left.bound_cents
