"""The benchmarks of routing in a tiny form: what they find must be true; how long it takes is not looked at."""

import numpy as np

from tests.benchmarks.routing import batch, explain, paper, retail, single


def test_one_order_at_a_time_is_what_highs_finds_and_the_same_from_columns_as_from_readings() -> None:
    found = single.run(instances=2, seed=7, agreement=20, sizes=((1, 20), (3, 20), (20, 20)))
    assert found.wrong == []
    assert found.facts["random orders compared with HiGHS"] > 20
    assert {"1 × 20", "3 × 20", "20 × 20", "mix × 200"} == set(found.figures)
    assert all(figures["gap % at most"] >= 0 for figures in found.figures.values())


def test_every_regret_and_counterfactual_of_a_few_orders_is_true() -> None:
    found = explain.run(instances=2, seed=7, sizes=((1, 10), (3, 10)))
    assert found.wrong == []
    assert found.facts["orders whose every statement was tried out"] == 4


def test_a_wave_planned_together_costs_no_more_than_in_turn_and_no_less_than_its_bound() -> None:
    figures = batch.measure(batch.Size(orders=100, locations=10, seconds=1, goal_percent=1), seed=7)
    assert 0 <= figures["gap_percent"] <= figures["in_turn_gap_percent"]


def test_no_policy_has_a_cheaper_day_than_hindsight() -> None:
    rng = np.random.default_rng(7)
    day = retail.shop(rng).orders(20, rng)
    bound = retail.hindsight_cents(day)
    cents = {name: policy(day) for name, policy in retail.policies(7).items()}
    assert {"exact", "exact_bid", "pools", "pools_bid", *retail.RULES} == set(cents)
    assert min(cents.values()) >= bound > 0


def test_exact_plans_beat_a_rule_of_thumb_on_a_network_of_the_paper() -> None:
    found = paper.measure("paper_s", instances=1, sequences=1, seed=7, policies=("exact", "highest_stock"))
    assert 1 <= found.ratios["exact"] < found.ratios["highest_stock"]
