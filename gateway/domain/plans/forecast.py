"""What is still going to be ordered, learnt from what was, and the prices of stock that follow from it.

An order is of a kind (which items, how many of each) and goes to a region. Both are numbered, and how many orders there are of each
is an array ``[kinds, regions]``.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from gateway.domain.plans.instance import Floats, Ints
from gateway.domain.plans.pool import Pool
from gateway.domain.plans.prices import ROUNDS, Prices, dual_ascent

NEVER: Final = 1e-9
LAST_STEP: Final = 0.1


def decayed(kinds: Ints, regions: Ints, ages: Floats, *, half_life: float, shape: tuple[int, int]) -> Floats:
    """How many orders of each kind and region there were, each counting half as much for every half-life of its age.

    Args:
        kinds: Of each order. ``[E]``
        regions: Of each order. ``[E]``
        ages: Of each order, in the unit of the half-life. ``[E]``
        half_life: Infinity: all count the same.
        shape: How many kinds and regions there are.
    """
    seen = np.zeros(shape)
    np.add.at(seen, (kinds, regions), 0.5 ** (ages / half_life))
    return seen


def shrunk(seen: Floats) -> Floats:
    """The same orders, pulled toward what would be expected if every region asked for the same things.

    The less the counts contradict that, the further: by the Pearson statistic against its degrees of freedom, in the way of James
    and Stein. Few orders say little about a kind in a region, but soon much about the kind, and about the region.
    """
    total = seen.sum()
    if not total:
        return seen
    alike = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / total
    distance = ((seen - alike)[alike > 0] ** 2 / alike[alike > 0]).sum()
    freedom = (np.count_nonzero(alike.sum(axis=1)) - 1) * (np.count_nonzero(alike.sum(axis=0)) - 1)
    own = max(0.0, 1 - freedom / distance) if distance > 0 else 0.0
    pulled: Floats = own * seen + (1 - own) * alike
    return pulled


def scenarios(seen: Floats, *, orders: float, many: int, rng: np.random.Generator) -> Floats:
    """What may be ordered: draws of the shares that would have shown these orders, and of the orders that come by them.

    Args:
        seen: Orders of each kind and region; fractions count. ``[kinds, regions]``
        orders: How many are expected.
        many: How many draws.
        rng: Where chance comes from.

    Returns:
        ``[many, kinds, regions]``
    """
    rates = rng.standard_gamma(np.maximum(seen, NEVER), size=(many, *seen.shape))
    coming: Floats = rng.poisson(rates * (orders / rates.sum(axis=(1, 2), keepdims=True))).astype(np.float64)
    return coming


def bid_prices(
    kinds: Sequence[Pool],
    expected: Sequence[Floats],
    stock: Ints | Floats,
    room: Ints | Floats | None = None,
    *,
    start: Prices | None = None,
    step_cents: float | None = None,
    rounds: int = ROUNDS,
) -> Prices:
    """What a unit is worth to the orders to come, on average over scenarios; also the average bound.

    Each scenario has prices of its own. Their average is what a unit is worth before it is known which comes true.

    Args:
        kinds: Every order that may come, once; market and weight are not looked at.
        expected: How often each of them comes, for each pool, in every scenario of every market. ``[B, scenarios, R]``
        stock: Now. ``[B, L, K]``
        room: Now; None: any number. ``[B, L]``
        start: The prices until now. ``[B, …]``
        step_cents: See ``dual_ascent``.
        rounds: See ``dual_ascent``.
    """
    markets, many = expected[0].shape[:2]
    shelves = np.repeat(np.asarray(stock, dtype=np.float64), many, axis=0)
    found = dual_ascent(
        [asked(pool, counts.reshape(markets * many, -1), shelves) for pool, counts in zip(kinds, expected, strict=True)],
        shelves,
        None if room is None else np.repeat(np.asarray(room, dtype=np.float64), many, axis=0),
        start=start and _each(start, lambda array: np.repeat(array, many, axis=0)),
        step_cents=step_cents,
        rounds=rounds,
        last_step=LAST_STEP,
        averaged=rounds // 2,
    )
    return _each(found, lambda array: array.reshape(markets, many, *array.shape[1:]).mean(axis=1))


def _each(prices: Prices, change: Callable[[Floats], Floats]) -> Prices:
    return Prices(pi=change(prices.pi), kappa=change(prices.kappa), bound_cents=change(prices.bound_cents))


def asked(kinds: Pool, counts: Floats, stock: Ints | Floats) -> Pool:
    """Those of the orders that come at all, in each market, and only from where there is enough.

    Args:
        kinds: Every order that may come, once; market and weight are not looked at.
        counts: How often each of them comes. ``[B, R]``
        stock: ``[B, L, K]``
    """
    market, kind = counts.nonzero()
    asked = kinds.of(kind)
    enough = stock[market, :, asked.items].transpose(2, 0, 1) >= asked.units  # [L, n, R]
    line_cents = np.where(enough, asked.line_cents, np.inf)
    return replace(asked, weight=counts[market, kind], market=market, line_cents=line_cents)
