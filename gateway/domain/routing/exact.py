"""The best plan, proven, and the regret of every offer.

A dynamic program over what is still wanted. Once it is settled which offers send a parcel, the cheapest unit goes first: an
offer gives all that it can of what cheaper ones have left. So each offer, in the order of the market, is either passed over or
takes all that it can, and ``least[r] = min(least[r], price(r) + least[r − taken(r)])`` is exact, split lines included.

That relies on two things: the price of a package is a sum for the parcel, never negative, plus a price per unit; and the price
per unit is the same for every SKU of an offer. A tariff by weight would need a program that may take any part at each step.
"""

from math import gcd, prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.domain.routing.offers import Ints, Market, Plan

STATES_MAX: Final = 20_000
CELLS_MAX: Final = 1_000_000  # states × offers
STEPS_MAX: Final = 10_000_000  # states × offers²: beyond, regrets are left out
DOMINATORS_MAX: Final = 64
UNREACHED: Final = 4 * 10**18  # more than any cost, and any cost can still be added to it


def exact_plan(market: Market) -> Plan | None:
    """The cheapest plan; among equals the fewest packages, then the first offers of the market. None: too large to say.

    The market must be able to serve the order. Where a line is so many units that only its common lots can be looked at, a
    regret may be too high by what a part of a lot would save; the plan is exact nevertheless.
    """
    for levels_of in (_every_level, _lots):
        levels = [levels_of(market, line) for line in range(len(market.wanted))]
        states = prod(len(each) for each in levels)
        if states <= STATES_MAX and states * len(market.offers) <= CELLS_MAX:
            return _solve(market, [np.array(each, dtype=np.int64) for each in levels])
    return None


def _every_level(market: Market, line: int) -> range | tuple[int, ...]:
    """What may be left of a line: any number of units.

    Where nobody has a part of it, whoever gives any may as well give all; or all but the one unit that a regret asks of another.
    """
    wanted, units = int(market.wanted[line]), market.units[:, line]
    if not market.split_lines_allowed:
        return 0, wanted
    if ((units > 0) & (units < wanted)).any():
        return range(wanted + 1)
    return tuple(sorted({0, wanted - 1, wanted}))


def _lots(market: Market, line: int) -> range:
    """What may be left of a line when it moves in lots that divide it and every stock of it."""
    wanted = int(market.wanted[line])
    lot = gcd(wanted, int(np.gcd.reduce(market.units[:, line])))
    return range(0, wanted + 1, lot)


def _solve(market: Market, levels: list[Ints]) -> Plan:
    kept = _undominated(market)
    after, taken = _takings(market.units[kept], levels)
    # Costs are counted in parts of a cent, one part for each package (kept, and one beside): fewer packages win.
    parts = len(kept) + 2
    price = (market.package_cents[kept, None] + market.unit_cents[kept, None] * taken) * parts + 1
    each_left_out = after.size * len(kept) <= STEPS_MAX
    least, takes = _least(after, price, -market.split_cents * parts, each_left_out=each_left_out)
    cost_cents = int(least[-1, -1]) // parts

    # No plan needs a dominated offer, so the table with all kept offers is also the one without it.
    without = np.full(len(market.offers), len(least) - 1)
    if each_left_out:
        without[kept] = np.arange(len(kept))
    regrets: list[int | None] = (_with_one_unit(market, levels, least[without], parts) // parts - cost_cents).tolist()
    chosen = _chosen(kept, takes, after)
    for offer in () if each_left_out else kept.tolist():
        regrets[offer] = 0 if offer in chosen else None
    return Plan(chosen=chosen, cost_cents=cost_cents, lower_bound_cents=cost_cents, regrets=tuple(regrets))


def _undominated(market: Market) -> NDArray[np.intp]:
    """The offers that an optimal plan may need, for this demand or any part of it.

    An offer is not needed when another has all of every line that it has any of, and asks no more for the parcel and the unit.
    """
    whole, some = market.units == market.wanted, market.units > 0
    likely = np.sort(np.lexsort((market.package_cents, -whole.sum(axis=1)))[:DOMINATORS_MAX])
    # The product counts the lines that the left has some of, and the right not all. BLAS knows floats only.
    covers = some.astype(np.float32) @ (~whole[likely]).T.astype(np.float32) == 0
    earlier = likely < np.arange(len(some))[:, None]  # its units cost no more
    no_dearer = market.package_cents[likely] <= market.package_cents[:, None]
    return np.flatnonzero(~(covers & earlier & no_dearer).any(axis=1))


def _takings(units: Ints, levels: list[Ints]) -> tuple[Ints, Ints]:
    """For each offer and state: the state after it gave all it can, and how many units that were.

    A state is what is left of every line, numbered with the last line fastest: 0 is nothing, the last is everything.
    """
    after = taken = np.zeros((len(units), 1), dtype=np.int64)
    for line, level in enumerate(levels):
        left = np.maximum(level - units[:, line, None], 0)
        after = _across(after * len(level), np.searchsorted(level, left))
        taken = _across(taken, level - left)
    return after, taken


def _across(states: Ints, line: Ints) -> Ints:
    """Add every level of one more line to every state, row by row."""
    return (states[:, :, None] + line[:, None, :]).reshape(len(states), -1)


def _least(after: Ints, price: Ints, empty: int, *, each_left_out: bool) -> tuple[Ints, NDArray[np.bool_]]:
    """The least cost of every state, and where each offer is worth taking when all that follow it are at hand.

    The last row of costs is with all offers; when ``each_left_out``, row l is without offer l. ``empty`` is the cost of nothing.
    """
    offers, states = after.shape
    least = np.full((offers + 1 if each_left_out else 1, states), UNREACHED, dtype=np.int64)
    least[:, 0] = empty
    takes = np.zeros((offers, states), dtype=np.bool_)
    for offer in reversed(range(offers)):
        if each_left_out:
            least[offer] = least[-1]
        others = least[offer + 1 :] if each_left_out else least
        with_it = others[:, after[offer]] + price[offer]
        takes[offer] = with_it[-1] <= others[-1]
        np.minimum(others, with_it, out=others)
    return least, takes


def _chosen(kept: NDArray[np.intp], takes: NDArray[np.bool_], after: Ints) -> tuple[int, ...]:
    """Walk from everything wanted to nothing."""
    chosen, state = [], after.shape[1] - 1
    for index, offer in enumerate(kept.tolist()):
        if takes[index, state]:
            chosen.append(offer)
            state = int(after[index, state])
    return tuple(chosen)


def _with_one_unit(market: Market, levels: list[Ints], least_without: Ints, parts: int) -> Ints:
    """The least cost of everything when each offer gives at least one unit, and the others what it leaves."""
    fits = np.ones((len(market.offers), 1), dtype=np.bool_)
    given = np.zeros((1, 1), dtype=np.int64)
    for line, level in enumerate(levels):
        gives = market.wanted[line] - level
        fits = (fits[:, :, None] & (gives <= market.units[:, line, None])[:, None, :]).reshape(len(fits), -1)
        given = _across(given, gives[None, :])
    cost = (market.package_cents[:, None] + market.unit_cents[:, None] * given) * parts + 1 + least_without
    # In the last state everything is left, so nothing was given.
    least: Ints = np.where(fits, cost, UNREACHED)[:, :-1].min(axis=1)
    return least
