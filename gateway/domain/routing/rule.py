"""The routing rule: from which locations an order comes."""

from collections.abc import Mapping, Sequence
from operator import attrgetter

import numpy as np

from connectors.contract import Sku
from gateway.domain.identity import LocationId
from gateway.domain.routing.approximate import approximate_plan
from gateway.domain.routing.decision import Considered, Decision, Package, Reason, Unroutable
from gateway.domain.routing.exact import exact_plan
from gateway.domain.routing.offers import Ints, Market, Plan
from gateway.domain.routing.problem import UNITS_MAX, Candidate, Demand, Problem


def decide(problem: Problem) -> Decision:
    """Choose the packages that together cost least.

    Proven best for orders of up to eleven lines or so; larger ones get a good plan and a bound. Each location sends at most one
    package; a line is split only where that costs less or must be. Of plans that cost the same: the fewest packages, then the
    cheapest units, then the locations that sort first. So the order of the candidates does not matter.

    Raises:
        Unroutable: No plan covers the order.
    """
    demand = problem.wanted()
    reasons = {each.location: reason for each in problem.candidates if (reason := _rule_against(each, problem))}
    usable = sorted((each for each in problem.candidates if each.location not in reasons), key=attrgetter("location"))

    wanted = np.array(list(demand.values()), dtype=np.int64)
    known = _known_units(usable, tuple(demand))
    # All of a line or nothing, unless lines may be split.
    units = np.minimum(known, wanted) if problem.split_lines_allowed else np.where(known >= wanted, wanted, 0)
    gives = units.any(axis=1)
    offering = [usable[index] for index in np.flatnonzero(gives)]
    for index in np.flatnonzero(~gives):
        reasons[usable[index].location] = _nothing_usable(usable[index], demand, known[index])

    most = known.sum(axis=0) if problem.split_lines_allowed else known.max(axis=0, initial=0)
    short = {sku: (want, has) for (sku, want), has in zip(demand.items(), most.tolist(), strict=True) if has < want}
    if short:
        unknown = frozenset(sku for sku in demand if any(each.available.get(sku, 0) is None for each in usable))
        no_plan = tuple(Considered(location=each.location) for each in offering)
        raise Unroutable(short=short, unknown=unknown, considered=no_plan + _turned_down(reasons))

    market = Market.of(problem, offering, units[gives], wanted)
    plan = exact_plan(market) or approximate_plan(market)
    return Decision(
        preference=problem.preference,
        packages=_packages(market, plan, tuple(demand)),
        cost_cents=plan.cost_cents,
        lower_bound_cents=plan.lower_bound_cents,
        considered=_taking_part(market, plan) + _turned_down(reasons),
    )


def _rule_against(candidate: Candidate, problem: Problem) -> Reason | None:
    if candidate.excluded_because is not None:
        return Reason(code=candidate.excluded_because)
    if problem.pickup_at not in {None, candidate.location}:
        return Reason(code="NOT_THE_PICKUP_LOCATION")
    if problem.method not in candidate.methods:
        return Reason(code="METHOD", detail=f"does not offer {problem.method}")
    return None


def _known_units(candidates: Sequence[Candidate], skus: tuple[Sku, ...]) -> Ints:
    """Units of each SKU that each candidate surely has: none where it is unknown, or counted below zero."""
    known = [[_counted(each.available.get(sku)) for sku in skus] for each in candidates]
    return np.array(known, dtype=np.int64).reshape(len(candidates), len(skus))


def _counted(units: int | None) -> int:
    return min(units, UNITS_MAX) if units and units > 0 else 0


def _nothing_usable(candidate: Candidate, demand: Mapping[Sku, int], known: Ints) -> Reason:
    unknown = [sku for sku in demand if candidate.available.get(sku, 0) is None]
    if unknown:
        return Reason(code="SOURCE_UNKNOWN", detail=unknown[0] + _and_more(len(unknown) - 1))
    sku, units = next(iter(demand.items()))
    return Reason(code="STOCK", detail=f"{sku} needs {units}, has {known[0]}{_and_more(len(demand) - 1)}")


def _and_more(skus: int) -> str:
    return f"; and {skus} more" if skus else ""


def _packages(market: Market, plan: Plan, skus: tuple[Sku, ...]) -> tuple[Package, ...]:
    """The largest package first; the others pay for being one more parcel."""
    rows = [(market.offers[index], units) for index, units in zip(plan.chosen, market.filled(plan.chosen).tolist(), strict=True)]
    rows.sort(key=lambda row: (-sum(row[1]), row[0].candidate.location))
    return tuple(
        Package(
            location=offer.candidate.location,
            lines=tuple(Demand(sku=sku, units=count) for sku, count in zip(skus, units, strict=True) if count),
            zone=offer.zone,
            miles=offer.miles,
            transit_days=offer.postage.rate.transit_days,
            service=None if offer.postage.service is None else offer.postage.service.name,
            carrier=None if offer.postage.service is None else offer.postage.service.carrier,
            costs=offer.costs(sum(units), market.split_cents if number else 0),
        )
        for number, (offer, units) in enumerate(rows)
    )


def _taking_part(market: Market, plan: Plan) -> tuple[Considered, ...]:
    """The chosen, then the others by regret, then those of unknown regret."""
    chosen = frozenset(plan.chosen)
    found = [
        Considered(location=offer.candidate.location, chosen=index in chosen, regret_cents=regret, alone_cents=alone)
        for index, (offer, regret, alone) in enumerate(zip(market.offers, plan.regrets, market.alone_cents(), strict=True))
    ]
    return tuple(sorted(found, key=_rank))


def _rank(considered: Considered) -> tuple[bool, bool, int, str]:
    regret = considered.regret_cents
    return not considered.chosen, regret is None, regret or 0, considered.location


def _turned_down(reasons: Mapping[LocationId, Reason]) -> tuple[Considered, ...]:
    return tuple(Considered(location=location, excluded_because=reasons[location]) for location in sorted(reasons))
