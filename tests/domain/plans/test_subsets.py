from itertools import repeat

import numpy as np
import pytest

from gateway.domain.plans.subsets import (
    Floats,
    Shape,
    first_parts,
    partition,
    partition_within,
    partitions,
    parts,
    states_of,
    trace,
)

SHAPES: list[Shape] = [(2,), (5,), (2, 2), (3, 2, 2), (4, 3, 2), (2,) * 5, (3, 3, 3, 3), (2,) * 7]


def some_costs(shape: Shape, *, orders: int) -> Floats:
    costs = np.random.default_rng(len(shape)).integers(1, 100, size=(orders, states_of(shape))).astype(float)
    costs[:, 0] = 0
    return costs


def by_definition(costs: Floats, shape: Shape) -> Floats:
    lots = partitions(shape).lots
    best = np.zeros(len(lots))
    for state in range(1, len(lots)):
        found = [part for part in range(1, state + 1) if (lots[part] <= lots[state]).all()]
        best[state] = min(costs[part] + best[state - part] for part in found)
    return best


@pytest.mark.parametrize("shape", SHAPES)
def test_every_state_is_partitioned_as_cheaply_as_can_be_for_one_order_and_for_many(shape: Shape) -> None:
    costs = some_costs(shape, orders=3)
    together = partition(costs, shape)
    for order, best in zip(costs, together, strict=True):
        assert best.tolist() == by_definition(order, shape).tolist()
        assert best.tolist() == partition(order, shape).tolist()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_parts_of_a_partition_are_the_whole_and_cost_what_it_costs(shape: Shape) -> None:
    costs = some_costs(shape, orders=3)
    best = partition(costs, shape)
    found = parts(costs, best, shape)
    assert (found.sum(axis=-1) == costs.shape[-1] - 1).all()
    assert np.take_along_axis(costs, found, axis=-1).sum(axis=-1).tolist() == best[:, -1].tolist()
    for order, values in zip(costs, best, strict=True):
        first = first_parts(order, values, shape)
        assert all(order[part] + values[state - part] == values[state] for state, part in enumerate(first))
        assert all(first[1:])
        traced = trace(order, repeat(values), shape, len(order) - 1)
        assert sum(traced) == len(order) - 1
        assert sum(order[part] for part in traced) == values[-1]


@pytest.mark.parametrize("shape", SHAPES)
def test_fewer_packages_cost_no_less_and_as_many_as_there_are_lots_are_enough(shape: Shape) -> None:
    (costs,) = some_costs(shape, orders=1)
    lots = sum(shape) - len(shape)
    within = partition_within(costs, shape, lots)
    assert within[1, 1:].tolist() == costs[1:].tolist()
    assert (within[1:] <= within[:-1]).all()
    assert within[-1].tolist() == partition(costs, shape).tolist()
