"""Many orders at once must be what each order is alone."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.plans import pool as pools
from gateway.domain.plans.instance import Floats, Instance, Ints
from gateway.domain.plans.pool import Pool, best, pool_of, sent_cents, used
from gateway.domain.plans.postage import NO_POSTAGE
from gateway.domain.plans.solve import solve

GOODS = 7


def drawn(rng: np.random.Generator, *, orders: int, locations: int, lines: int, markets: int = 1) -> tuple[Pool, Ints]:
    """Orders of whole cents, and the stock they were made with."""
    stock = rng.integers(0, 4, (markets, locations, GOODS))
    pool = pool_of(
        items=np.array([rng.choice(GOODS, lines, replace=False) for _ in range(orders)]),
        units=rng.integers(1, 3, (orders, lines)),
        package_cents=rng.integers(100, 900, (orders, locations)).astype(np.float64),
        unit_cents=rng.integers(1, 300, (orders, locations, lines)).astype(np.float64),
        stock=stock,
        split_cents=50.0,
        market=rng.integers(0, markets, orders),
    )
    return pool, stock


def tried(pool: Pool, pi: Floats, order: int) -> float:
    """Every line from everywhere."""
    locations = np.array(list(product(range(len(pool.package_cents)), repeat=pool.lines))).T
    alone = pool.of(np.full(locations.shape[1], order))
    prices = pi[pool.market[order]][locations, alone.items] * alone.units
    return float((sent_cents(alone, locations) + prices.sum(axis=0)).min())


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), lines=st.integers(1, 6), locations=st.integers(1, 4))
def test_every_order_has_the_plan_that_trying_everything_finds_at_the_prices_of_its_market(
    seed: int, lines: int, locations: int
) -> None:
    rng = np.random.default_rng(seed)
    pool, stock = drawn(rng, orders=4, locations=locations, lines=lines, markets=2)
    pi = rng.integers(0, 200, stock.shape).astype(np.float64)
    kappa = rng.integers(0, 90, stock.shape[:2]).astype(np.float64)
    priced = best(pool, pi, kappa)
    assert priced.cents.tolist() == [tried(pool, pi + kappa[..., None], order) for order in range(pool.orders)]


def test_a_plan_costs_what_its_packages_and_the_prices_of_its_units_cost() -> None:
    rng = np.random.default_rng(3)
    pool, stock = drawn(rng, orders=300, locations=3, lines=4)
    pi = rng.integers(0, 200, stock.shape).astype(np.float64)
    priced = best(pool, pi)
    served = np.isfinite(priced.cents)
    assert 0 < served.sum() < pool.orders
    taken = used(pool, priced.locations, shape=pi.shape, weight=served.astype(np.float64))
    assert taken.sum() == pool.units[:, served].sum()
    assert (sent_cents(pool, priced.locations)[served].sum() + (taken * pi).sum()) == priced.cents[served].sum()


def test_without_prices_it_is_the_exact_plan_of_each_order() -> None:
    rng = np.random.default_rng(4)
    pool, stock = drawn(rng, orders=40, locations=6, lines=3)
    wanted = pool.units.T
    for order, cents in enumerate(best(pool, np.zeros(stock.shape)).cents):
        there = stock[0][:, pool.items[:, order]]
        line_cents = pool.line_cents[:, :, order]
        alone = Instance(
            wanted=wanted[order],
            stock=np.minimum(there, wanted[order]),
            room=np.full(6, 99),
            package_cents=pool.package_cents[:, order] - 50,
            unit_cents=np.where(np.isfinite(line_cents), line_cents / wanted[order], 0),
            postage=NO_POSTAGE,
            lane=np.zeros(6, dtype=np.int64),
            grams=np.ones(3, dtype=np.int64),
            split_cents=50.0,
            whole_lines=True,
            miles=np.zeros(6),
            rank=np.arange(6),
        )
        plan = solve(alone)
        assert cents == (np.inf if plan is None else plan.cents)


def test_large_pools_are_cut_into_chunks_that_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, stock = drawn(np.random.default_rng(5), orders=100, locations=4, lines=6)
    whole = best(pool, np.zeros(stock.shape))
    monkeypatch.setattr(pools, "CELLS_MAX", 3 * pools.SET_CELLS)
    parts = best(pool, np.zeros(stock.shape))
    assert (parts.cents == whole.cents).all()
    assert (parts.locations == whole.locations).all()


def test_a_pool_may_be_empty() -> None:
    pool, stock = drawn(np.random.default_rng(5), orders=2, locations=4, lines=3)
    none = best(pool.of(np.zeros(0, dtype=np.int64)), np.zeros(stock.shape))
    assert none.cents.shape == (0,)
    assert none.locations.shape == (3, 0)


def test_what_must_not_be_touched_has_an_infinite_price() -> None:
    pool, stock = drawn(np.random.default_rng(6), orders=50, locations=4, lines=2)
    pi = np.zeros(stock.shape)
    pi[0, 1] = np.inf
    priced = best(pool, pi)
    assert (priced.locations[:, np.isfinite(priced.cents)] != 1).all()
    assert (best(pool, np.zeros(stock.shape)).locations == 1).any()
