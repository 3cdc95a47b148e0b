"""The partition program: the cheapest way to cut what is wanted into packages that are each priced by themselves.

A state says how much of each line there is. States are numbered with mixed radix, the last line fastest: 0 is nothing, the last is
everything, and taking part ``u`` out of state ``r`` leaves ``r − u``, in numbers as in lots. Of all parts of a state only those are
looked at that hold some of its first line, so that no partition is met twice.

    best[r] = min over parts u of r of costs[u] + best[r − u],   best[0] = 0
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

Shape = tuple[int, ...]
"""How many levels each line has: one more than the lots that it may be cut into."""

SMALL_PAIRS_MAX: Final = 5_000
# Up to so many pairs, plain Python solves one order sooner than the few calls to numpy that each layer takes.
BY_HAND_PAIRS_MAX: Final = 600
INDEX: Final = np.int32  # the tables are large, and are read from memory


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """States of equally many lots, with their pairs: those of the j-th begin at ``starts[j]``, the state itself last."""

    states: Ints
    starts: Ints
    parts: Ints
    rests: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Partitions:
    """What there is to know about a shape.

    Attributes:
        lots: Of each line in each state. ``[S, m]``
        layers: All states but the first, fewest lots first.
        wholes: The state of each pair, those of one layer after another; as are ``parts`` and ``rests``. ``[pairs]``
        by_hand: For each state but the first its other parts, each with its rest; empty where there are too many.
    """

    lots: Ints
    layers: tuple[Layer, ...]
    wholes: Ints
    parts: Ints
    rests: Ints
    by_hand: tuple[tuple[tuple[int, int], ...], ...]


def states_of(shape: Shape) -> int:
    """How many states there are."""
    return prod(shape)


@lru_cache(maxsize=4096)
def pairs_of(shape: Shape) -> int:
    """How many pairs of a state and a part of it there are, its first line or not: what a program over them costs, about."""
    return prod(levels * (levels + 1) // 2 for levels in shape)


def partitions(shape: Shape) -> Partitions:
    """The tables of a shape, which are kept."""
    return _small(shape) if pairs_of(shape) <= SMALL_PAIRS_MAX else _large(shape)


def partition(costs: Floats, shape: Shape) -> Floats:
    """The least cost of every state; ``costs`` are of each state as one package. ``[..., S]`` both; the first state is free."""
    table = partitions(shape)
    if costs.ndim == 1 and table.by_hand:
        return np.array(cheapest(costs.tolist(), table)[0])
    # States first: then each step of the program is over numbers that lie side by side.
    priced = np.ascontiguousarray(np.moveaxis(costs, -1, 0))
    best = np.zeros_like(priced)
    if table.by_hand:
        for state, pairs in enumerate(table.by_hand, start=1):
            best[state] = priced[state]
            for part, rest in pairs:
                np.minimum(best[state], priced[part] + best[rest], out=best[state])
    else:
        for layer in table.layers:
            best[layer.states] = np.minimum.reduceat(priced[layer.parts] + best[layer.rests], layer.starts)
    return np.moveaxis(best, 0, -1)


def cheapest(costs: Sequence[float], table: Partitions) -> tuple[list[float], list[int]]:
    """The same for one order, where ``table`` is small enough to be done by hand; and the first part of each state."""
    best, first = [0.0], [0]
    for state, pairs in enumerate(table.by_hand, start=1):
        least, taken = costs[state], state
        for part, rest in pairs:
            cents = costs[part] + best[rest]
            if cents < least:
                least, taken = cents, part
        best.append(least)
        first.append(taken)
    return best, first


def partition_within(costs: Floats, shape: Shape, parts_max: int) -> Floats:
    """The least cost of every state in at most 0, 1, … ``parts_max`` packages ``[parts_max + 1, S]``; ``costs`` are ``[S]``."""
    table = partitions(shape)
    best = np.full((parts_max + 1, len(costs)), np.inf)
    best[:, 0] = 0
    for fewer, within in pairwise(best):
        for layer in table.layers:
            within[layer.states] = np.minimum.reduceat(costs[layer.parts] + fewer[layer.rests], layer.starts)
    return best


def first_parts(costs: Floats, best: Floats, shape: Shape) -> list[int]:
    """A part of a cheapest partition of every state, the first of equals; ``best`` is what ``partition`` says of ``costs``."""
    first, table = np.zeros(len(costs), dtype=np.int64), partitions(shape)
    # From the last on, so that the first of equals stays.
    found = np.flatnonzero(costs[table.parts] + best[table.rests] == best[table.wholes])[::-1]
    first[table.wholes[found]] = table.parts[found]
    return first.tolist()


def trace(costs: Floats, rests: Iterable[Floats], shape: Shape, state: int) -> list[int]:
    """The parts of one cheapest partition of a state.

    Args:
        costs: Of each state as one package.
        rests: The least costs of what is left after the first part, after the second, …: always the same, unless packages are few.
        shape: Of the states.
        state: What is wanted.
    """
    found: list[int] = []
    for best in rests:
        if not state:
            break
        options = _parts_of(shape, state)
        found.append(int(options[(costs[options] + best[state - options]).argmin()]))
        state -= found[-1]
    return found


def parts(costs: Floats, best: Floats, shape: Shape) -> Ints:
    """The parts of a cheapest partition of everything, for many orders, as states with zeros behind them.

    ``best`` is what ``partition`` says of the same ``costs``; both are ``[..., S]``.

    Returns:
        ``[..., k]``; k is how many parts the longest has.
    """
    priced, least = (array.reshape(-1, array.shape[-1]) for array in (costs, best))
    options, rows = _options(shape), np.arange(len(priced))
    left = np.full(len(rows), len(options) - 1)
    found: list[Ints] = []
    while left.any():
        option = options[left]
        cents = priced[rows[:, None], option] + least[rows[:, None], left[:, None] - option]
        found.append(option[rows, cents.argmin(axis=1)])
        left = left - found[-1]
    return np.stack(found, axis=-1).reshape(*costs.shape[:-1], len(found))


@lru_cache(maxsize=64)
def _options(shape: Shape) -> Ints:
    """The parts of each state in a row, filled up with the state itself. ``[S, k]``."""
    found = [_parts_of(shape, state) for state in range(1, states_of(shape))]
    filled = np.repeat(np.arange(len(found) + 1)[:, None], max(map(len, found)), axis=1)
    for state, options in enumerate(found, start=1):
        filled[state, : len(options)] = options
    return filled


@lru_cache(maxsize=1024)
def _parts_of(shape: Shape, state: int) -> Ints:
    """Those that hold some of its first line, itself the last; ``state`` is not 0."""
    lots = partitions(shape).lots[: state + 1]
    first = lots[-1].nonzero()[0][0]
    return np.flatnonzero((lots <= lots[-1]).all(axis=1) & (lots[:, first] > 0))


@lru_cache(maxsize=256)
def _small(shape: Shape) -> Partitions:
    return _tables(shape)


# One of them may be some megabytes.
@lru_cache(maxsize=12)
def _large(shape: Shape) -> Partitions:
    return _tables(shape)


def _tables(shape: Shape) -> Partitions:
    lots = np.indices(shape).reshape(len(shape), -1).T.copy()
    state, part = _pairs(shape)
    by_hand: list[list[tuple[int, int]]] = [[] for _ in lots[1:]]
    if len(part) <= BY_HAND_PAIRS_MAX:
        for whole, some in zip(state.tolist(), part.tolist(), strict=True):
            if some < whole:
                by_hand[whole - 1].append((some, whole - some))
    many = lots.sum(axis=1)
    order = _by_lots(state, many)
    wholes: Ints = state[order].astype(INDEX)
    parts: Ints = part[order].astype(INDEX)
    rests = wholes - parts
    return Partitions(
        lots=lots,
        layers=tuple(_layers(many, wholes, parts, rests)),
        wholes=wholes,
        parts=parts,
        rests=rests,
        by_hand=tuple(map(tuple, by_hand)) if len(part) <= BY_HAND_PAIRS_MAX else (),
    )


def _pairs(shape: Shape) -> tuple[Ints, Ints]:
    """Every state but the first with each of its parts that hold some of its first line; parts of a state ascend."""
    state = part = np.zeros(1, dtype=np.int64)
    for levels in shape:
        has, gives = np.tril_indices(levels)
        state, part = (np.add.outer(levels * before, now).ravel() for before, now in ((state, has), (part, gives)))
        kept = (part > 0) | (state == 0)
        state, part = state[kept], part[kept]
    return state[1:], part[1:]


def _by_lots(state: Ints, lots: Ints) -> Ints:
    """The order of pairs by how many lots their states have, then by state."""
    # Small numbers are sorted digit by digit, much faster than by comparing them.
    place = np.empty(len(lots), dtype=np.uint16 if len(lots) <= 2**16 else np.int64)
    place[lots.argsort(kind="stable")] = np.arange(len(lots))
    return place[state].argsort(kind="stable")


def _layers(lots: Ints, wholes: Ints, parts: Ints, rests: Ints) -> Iterator[Layer]:
    """Of pairs in that order."""
    states = lots.argsort(kind="stable")
    many = np.bincount(wholes, minlength=len(lots))[states]
    ends = many.cumsum()
    for mine in np.split(np.arange(len(lots)), np.flatnonzero(np.diff(lots[states])) + 1)[1:]:
        begin, end = ends[mine[0] - 1], ends[mine[-1]]
        yield Layer(states=states[mine], starts=ends[mine] - many[mine] - begin, parts=parts[begin:end], rests=rests[begin:end])
