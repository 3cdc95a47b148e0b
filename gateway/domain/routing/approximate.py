"""A good plan and an honest bound, for orders that are too large to solve."""

from typing import Final

import numpy as np

from gateway.domain.routing.offers import Market, Plan

ROUNDS_MAX: Final = 4
TRIALS_MAX: Final = 8


def approximate_plan(market: Market) -> Plan:
    """Choose greedily, then drop, exchange and add offers while that pays. The market must be able to serve the order."""
    chosen = _greedy(market)
    for _ in range(ROUNDS_MAX):
        better = _improved(market, chosen)
        if better == chosen:
            break
        chosen = better
    cost_cents = market.cost_cents(chosen)
    lower_bound_cents = lower_bound_of(market)
    regrets: list[int | None] = [None] * len(market.offers)
    for offer in chosen:
        regrets[offer] = 0
    return Plan(chosen=tuple(chosen), cost_cents=cost_cents, lower_bound_cents=lower_bound_cents, regrets=tuple(regrets))


def lower_bound_of(market: Market) -> int:
    """A cost that no plan can be below, in cents."""
    return max(_parcels_apart(market), _parcels_shared(market)) - market.split_cents


def _parcels_apart(market: Market) -> int:
    """Every unit where it is cheapest, as if each offer sent a parcel; and one parcel, or two where no offer has everything."""
    offered = market.units
    before = offered.cumsum(axis=0) - offered
    cheapest_units = np.minimum(np.maximum(market.wanted - before, 0), offered).sum(axis=1)
    parcels = 1 if (offered == market.wanted).all(axis=1).any() else 2
    return int(market.unit_cents @ cheapest_units + np.sort(market.package_cents)[:parcels].sum())


def _parcels_shared(market: Market) -> int:
    """The most that the lines can bid, so that what they bid an offer above its units never exceeds the price of its parcel.

    A feasible dual of the linear relaxation, found by ascent, one line at a time (Erlenkotter 1978, for facility location).
    """
    # In thousandths of a cent, rounded down: a bid that is too low is only a weaker bound.
    unit, package = market.unit_cents * 1000, market.package_cents * 1000
    spread = unit + package // market.units.sum(axis=1)
    bids = np.where(market.units > 0, spread[:, None], np.iinfo(np.int64).max).min(axis=0)
    slack = package - (market.units * np.maximum(bids - unit[:, None], 0)).sum(axis=1)
    for line, bid in enumerate(bids):
        has = np.flatnonzero(market.units[:, line])
        units, above = market.units[has, line], np.maximum(unit[has], bid)
        raised = (above + slack[has] // units).min()
        slack[has] -= units * np.maximum(raised - above, 0)
        bids[line] = raised
    return -(-int(market.wanted @ bids) // 1000)


def _greedy(market: Market) -> list[int]:
    """Always the offer whose next parcel costs least for each unit still wanted."""
    chosen: list[int] = []
    left = market.wanted.copy()
    while left.any():
        useful = np.minimum(market.units, left).sum(axis=1)
        useful[chosen] = 0
        price = np.where(useful > 0, market.package_cents / np.maximum(useful, 1) + market.unit_cents, np.inf)
        best = int(price.argmin())
        chosen.append(best)
        left -= np.minimum(market.units[best], left)
    return sorted(chosen)


def _improved(market: Market, chosen: list[int]) -> list[int]:
    """The best of this plan and its neighbors, found one step at a time."""
    best, best_cents = chosen, market.cost_cents(chosen)
    for leaving in [None, *chosen]:
        if leaving is not None and leaving not in best:
            continue
        for trial in _neighbors(market, [offer for offer in best if offer != leaving]):
            cents = market.cost_cents(trial)
            if cents < best_cents:
                best, best_cents = trial, cents
    return [best[index] for index in np.flatnonzero(market.filled(best).any(axis=1))]


def _neighbors(market: Market, staying: list[int]) -> list[list[int]]:
    """These offers alone, if they suffice; and with one of the cheapest that completes them."""
    left = market.wanted - market.filled(staying).sum(axis=0)
    completes = np.flatnonzero((market.units >= left).all(axis=1))
    price = market.package_cents[completes] + market.unit_cents[completes] * left.sum()
    found = [
        sorted([*staying, offer])
        for offer in completes[np.argsort(price, kind="stable")[:TRIALS_MAX]].tolist()
        if offer not in staying
    ]
    return found if left.any() else [staying, *found]
