"""Learning what is ordered: from few orders carefully, from many as they are."""

import numpy as np

from gateway.domain.plans.forecast import asked, bid_prices, scenarios, shrunk
from gateway.domain.plans.instance import Ints
from gateway.domain.plans.pool import Pool, pool_of
from gateway.domain.plans.prices import dual_ascent


def test_few_orders_are_spread_as_if_all_regions_wanted_the_same() -> None:
    # Ten orders: it may well be chance that the second kind was seen in the second region only.
    seen = np.array([[4.0, 4.0], [0.0, 2.0]])
    pulled = shrunk(seen)
    assert pulled.sum() == seen.sum()
    assert pulled[1, 0] > 0.4
    assert pulled[0].sum() == seen[0].sum()
    assert pulled[:, 1].sum() == seen[:, 1].sum()


def test_many_orders_that_say_otherwise_are_believed() -> None:
    seen = np.array([[4000.0, 4000.0], [0.0, 2000.0]])
    assert shrunk(seen)[1, 0] < 10


def test_shrinking_brings_counts_closer_to_the_truth_where_regions_are_alike_and_hardly_spoils_them_where_they_are_not() -> None:
    rng = np.random.default_rng(1)
    alike = np.outer(rng.uniform(size=30), rng.uniform(size=10))
    unlike = rng.uniform(size=(30, 10)) ** 3
    errors = {}
    for name, shares in (("alike", alike / alike.sum()), ("unlike", unlike / unlike.sum())):
        seen = rng.multinomial(2000, shares.ravel()).reshape(shares.shape).astype(float)
        errors[name] = np.abs(shrunk(seen) / 2000 - shares).sum() / np.abs(seen / 2000 - shares).sum()
    assert errors["alike"] < 0.5
    assert errors["unlike"] < 1.1


def test_nothing_seen_stays_nothing() -> None:
    assert shrunk(np.zeros((3, 2))).tolist() == np.zeros((3, 2)).tolist()


def test_scenarios_have_as_many_orders_as_are_expected_and_differ_more_the_less_was_seen() -> None:
    rng = np.random.default_rng(2)
    little, much = (scenarios(np.full((2, 2), each), orders=1000.0, many=400, rng=rng) for each in (3.0, 3000.0))
    for drawn in (little, much):
        assert drawn.shape == (400, 2, 2)
        assert abs(drawn.sum(axis=(1, 2)).mean() - 1000) < 10
        assert abs(drawn.mean(axis=0) - 250).max() < 20
    assert little.std(axis=0).min() > 3 * much.std(axis=0).max()


def shop() -> tuple[Pool, Ints]:
    """One unit nearby that saves one kind of order 400 cents and another 700; elsewhere there is enough."""
    stock = np.array([[3], [99]])
    pool = pool_of(
        items=np.zeros((2, 1), dtype=np.int64),
        units=np.ones((2, 1), dtype=np.int64),
        package_cents=np.array([[100.0, 500.0], [100.0, 800.0]]),
        unit_cents=np.zeros((2, 2, 1)),
        stock=stock,
    )
    return pool, stock


def test_a_unit_is_worth_more_the_surer_it_is_that_it_will_be_wanted() -> None:
    pool, stock = shop()
    counts = np.array(
        [[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [9.0, 9.0]], [[9.0, 9.0], [9.0, 9.0]]]
    )  # three markets, two scenarios
    prices = bid_prices([pool], [counts], np.repeat(stock[None], 3, axis=0))
    never, perhaps, surely = prices.pi[:, 0, 0]
    assert never == 0
    assert 650 < surely < 705
    assert abs(perhaps - surely / 2) < 1
    assert (prices.pi[:, 1] == 0).all()


def test_prices_need_not_look_at_orders_that_do_not_come_or_locations_that_have_nothing() -> None:
    pool, stock = shop()
    stock = np.array([[[0], [99]], [[3], [99]]])
    coming = asked(pool, np.array([[2.0, 0.0], [0.0, 5.0]]), stock)
    assert coming.market.tolist() == [0, 1]
    assert coming.weight.tolist() == [2.0, 5.0]
    assert coming.line_cents[:, 0].tolist() == [[np.inf, 0.0], [0.0, 0.0]]
    bound = dual_ascent([coming], stock).bound_cents
    assert bound[0] == 2 * 500
    assert 3 * 100 + 2 * 800 - 1 < bound[1] < 3 * 100 + 2 * 800 + 1e-6


def test_room_is_priced_beside_stock() -> None:
    pool, stock = shop()
    prices = bid_prices([pool], [np.array([[[9.0, 9.0]]])], np.array([[[50], [99]]]), np.array([[3, 99]]))
    assert 650 < prices.kappa[0, 0] < 705
    assert (prices.pi == 0).all()
    assert stock.shape == prices.pi.shape[1:]


def test_where_more_is_wanted_than_there_is_anywhere_a_unit_is_worth_what_it_costs_to_send_nothing() -> None:
    pool, _ = shop()
    few, wanted, room = np.array([[[3], [4]]]), np.array([[[9.0, 9.0]]]), np.array([[99, 99]])
    prices = bid_prices([pool], [wanted], few, room, unserved_cents=2000.0)
    again = bid_prices([pool], [wanted], few, room, unserved_cents=2000.0, start=prices, step_cents=5.0, rounds=10)
    for found in (prices, again):
        assert found.pi.shape == few.shape
        assert 1890 < found.pi[0, 0, 0] < 1910  # what comes from there costs 100
        assert 1490 < found.pi[0, 1, 0] < 1510
    assert bid_prices([pool], [wanted], few, room).pi[0, 0, 0] > 2100
