"""The cheapest plan of one order, with its proof.

First as if a location could send several packages, which is mostly proof enough; where one would have to, location by location
among those that a better plan could use. Orders with too many parts for that are bounded and searched by facilities, and solved
among the locations that this leaves.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from gateway.domain.plans.facilities import Facilities
from gateway.domain.plans.instance import Instance, Plan
from gateway.domain.plans.lots import IMPOSSIBLE_CENTS, Offers, priced_whole, unsplit
from gateway.domain.plans.packages import Packages
from gateway.domain.plans.relaxation import relaxed
from gateway.domain.plans.subsets import partitions

EFFORT: Final = 20_000_000
"""Steps of a few nanoseconds that a decision may take, beside what is always done: a tenth of a second, about."""
CELLS_MAX: Final = 3_500_000
PAIRS_MAX: Final = 1_700_000


def solve(instance: Instance, *, effort: int = EFFORT) -> Plan | None:
    """The cheapest plan; of equals, one with fewest packages.

    None: there is no plan; or, where an order is not ``tractable``, none was found that keeps to rooms and number of packages.
    """
    if not instance.stock.size:
        return None
    if unsplit(instance):
        return _unsplit(instance)
    offers = Offers.of(instance)
    if not tractable(offers):
        return _large(offers, effort)
    found, bound_cents = _small(offers, effort)
    if found:
        return found.plan(offers, bound_cents)
    return None if bound_cents >= IMPOSSIBLE_CENTS else _large(offers, effort)


def tractable(offers: Offers) -> bool:
    """Whether every part of the order can be looked at, from every location."""
    return offers.cells <= CELLS_MAX and offers.pairs <= PAIRS_MAX


def _unsplit(instance: Instance) -> Plan | None:
    """From where it is cheapest to send everything."""
    cents, able = priced_whole(instance)
    location = int(np.where(able, cents, np.inf).argmin())
    if not able[location]:
        return None
    least = float(cents[location])
    return Plan(locations=np.array([location]), units=instance.wanted[None], cents=least, bound_cents=least)


def _small(offers: Offers, effort: int) -> tuple[Packages | None, float]:
    """The best plan found, and the bound of all plans."""
    relaxation = relaxed(offers)
    sent, proven = relaxation.plan(effort)
    if not sent:
        return None, np.inf if proven else relaxation.cents
    sent.sort()
    cents = sum(float(relaxation.costs[part, location]) for location, part in sent)
    lots = partitions(offers.cut.shape).lots[[part for _, part in sent]]
    found = Packages(locations=tuple(location for location, _ in sent), lots=lots, cents=cents)
    return found, cents if proven else relaxation.cents


def _large(offers: Offers, effort: int) -> Plan | None:
    """The best plan found by search, or among the locations that a better plan could use."""
    facilities = Facilities.of(offers)
    if not facilities.sufficient:
        return None
    best, bids = facilities.search(effort)
    kept = bids.needed(best.cents)
    if not kept.size:
        return best.plan(offers, best.cents)
    bound_cents, fewer = bids.cents, offers.only(kept)
    if tractable(fewer):
        found, rest_cents = _small(fewer, effort)
        bound_cents = max(bound_cents, min(rest_cents, best.cents))
    else:
        found = _whole(fewer, effort)
    if found and found.cents < best.cents:
        best = replace(found, locations=tuple(kept[list(found.locations)].tolist()))
    return best.plan(offers, bound_cents) if best.cents < IMPOSSIBLE_CENTS else None


def _whole(offers: Offers, effort: int) -> Packages | None:
    """The best plan that splits no line, in the lots of those offers."""
    whole = Offers.of(replace(offers.instance, whole_lines=True))
    found = _small(whole, effort)[0] if tractable(whole) else None
    return found and replace(found, lots=offers.cut.lots_of(found.lots @ whole.cut.units))
