"""What is still going to be ordered, learnt from what was, and the prices of stock that follow from it.

An order is of a kind (which items, how many of each) and goes to a region. Both are numbered, and how many orders there are of each
is an array ``[kinds, regions]``.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from gateway.domain.plans.instance import Floats, Ints
from gateway.domain.plans.pool import Pool
from gateway.domain.plans.prices import ROUNDS, Prices, dual_ascent, first_step

NEVER: Final = 1e-9
LAST_STEP: Final = 0.1
PLENTY: Final = 1e9
NAMES: Final = ("pi", "kappa", "bound_cents")


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
    unserved_cents: float | None = None,
    step_cents: float | None = None,
    rounds: int = ROUNDS,
) -> Prices:
    """What a unit is worth to the orders to come, on average over scenarios; also the average bound.

    Each scenario has prices of its own. Their average is what a unit is worth before it is known which comes true. Where more is
    wanted than there is anywhere, prices would climb as long as they are let: ``unserved_cents`` is what they come to rest at.

    Args:
        kinds: Every order that may come, once; market and weight are not looked at.
        expected: How often each of them comes, for each pool, in every scenario of every market. ``[B, scenarios, R]``
        stock: Now. ``[B, L, K]``
        room: Now; None: any number. ``[B, L]``
        start: The prices until now. ``[B, …]``
        unserved_cents: What it costs not to send a unit at all, so that nothing is worth more; None: everything must be sent.
        step_cents: See ``dual_ascent``.
        rounds: See ``dual_ascent``.
    """
    markets, many = expected[0].shape[:2]
    shelves = np.repeat(np.asarray(stock, dtype=np.float64), many, axis=0)
    rooms = None if room is None else np.repeat(np.asarray(room, dtype=np.float64), many, axis=0)
    at = start and Prices(**{name: np.repeat(getattr(start, name), many, axis=0) for name in NAMES})
    orders = [asked(pool, counts.reshape(markets * many, -1), shelves) for pool, counts in zip(kinds, expected, strict=True)]
    step = first_step(orders) if step_cents is None else step_cents
    if unserved_cents is not None:
        orders = [_or_not_at_all(pool, unserved_cents) for pool in orders]
        shelves, rooms = _one_more(shelves, PLENTY), None if rooms is None else _one_more(rooms, PLENTY)
        at = at and replace(at, pi=_one_more(at.pi, 0.0), kappa=_one_more(at.kappa, 0.0))
    found = dual_ascent(orders, shelves, rooms, start=at, step_cents=step, rounds=rounds, last_step=LAST_STEP, averaged=rounds // 2)
    pi, kappa, bound_cents = (
        getattr(found, name).reshape(markets, many, *getattr(found, name).shape[1:]).mean(axis=1) for name in NAMES
    )
    locations = np.shape(stock)[1]
    return Prices(pi=pi[:, :locations], kappa=kappa[:, :locations], bound_cents=bound_cents)


def _or_not_at_all(pool: Pool, unserved_cents: float) -> Pool:
    """The same orders with one more location, where whatever is left comes from that nobody sends."""
    return replace(
        pool,
        package_cents=np.concatenate([pool.package_cents, np.full((1, pool.orders), pool.split_cents)]),
        line_cents=np.concatenate([pool.line_cents, unserved_cents * pool.units[None]]),
    )


def _one_more(array: Floats, value: float) -> Floats:
    """With one more location. ``[B, L, …]``."""
    return np.concatenate([array, np.full((len(array), 1, *array.shape[2:]), value)], axis=1)


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
