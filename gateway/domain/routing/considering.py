"""What speaks against every location that was not chosen."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from gateway.domain.plans import Counterfactual as Missing
from gateway.domain.plans import Floats, Ints, Plan, counterfactuals, regrets
from gateway.domain.routing.decision import Considered, Counterfactual, Shortage
from gateway.domain.routing.pricing import Pricing
from gateway.domain.routing.problem import UNKNOWN, Problem
from gateway.domain.routing.reason import Code, Reason
from gateway.domain.routing.swaps import Swap


def considered(pricing: Pricing, plan: Plan) -> tuple[Considered, ...]:
    """Every site: the chosen, then the others by regret, then those of unknown regret, then those that could not take part."""
    problem, many = pricing.problem, len(pricing.problem.sites)
    regret = regrets(pricing.instance, plan)[:many]
    sent = [each for each in zip(plan.locations.tolist(), plan.units, strict=True) if each[0] < many]
    rules = _rules(problem)
    swaps = [Swap.of(pricing, row, units) for row, units in sent]
    alone = swaps[0].cents + plan.cents if len(plan.locations) == len(swaps) == 1 else pricing.alone_cents()
    reasons = _reasons(pricing, rules, swaps)
    for row, _ in sent:
        reasons[row] = None
    had: list[Counterfactual | None] = [None] * many
    for each in counterfactuals(pricing.instance, plan):
        if each.location < many and each.location not in rules:
            had[each.location] = _counterfactual(pricing, each)
    chosen, out = np.zeros(many, dtype=np.bool_), np.isinf(regret)
    chosen[[row for row, _ in sent]] = True
    rows = zip(
        problem.sites.all,
        chosen.tolist(),
        out.tolist(),
        reasons,
        _cents(regret),
        _cents(alone),
        had,
        strict=True,
    )
    found = [
        Considered(
            location=site.location,
            chosen=took,
            excluded_because=why if kept_out else None,
            against=None if kept_out else why,
            regret_cents=more_cents,
            alone_cents=alone_cents,
            counterfactual=needed,
        )
        for site, took, kept_out, why, more_cents, alone_cents, needed in rows
    ]
    first = np.where(chosen, -1.0, np.where(np.isnan(regret), _BEHIND_ALL, regret))
    return tuple([found[row] for row in first.argsort(kind="stable").tolist()])


def turned_down(pricing: Pricing) -> tuple[Considered, ...]:
    """Every site, where no plan covers the order: what it lacks to do all of it."""
    sites = pricing.problem.sites.all
    reasons = _reasons(pricing, _rules(pricing.problem), ())
    return tuple(Considered(location=site.location, excluded_because=why) for site, why in zip(sites, reasons, strict=True))


def _rules(problem: Problem) -> dict[int, Reason]:
    """The sites that a rule keeps out, and which."""
    row, sites = problem.sites.row, problem.sites.all
    other = Reason(code=Code.METHOD, detail=f"does not offer {problem.method}")
    found = dict.fromkeys(np.flatnonzero(~problem.sites.offering[problem.method]).tolist(), other)
    if problem.pickup_at is not None:
        found |= {row: _NOT_THE_PICKUP_LOCATION for row, site in enumerate(sites) if site.location != problem.pickup_at}
    return found | {row[location]: reason for location, reason in problem.excluded.items() if location in row}


def _reasons(pricing: Pricing, rules: dict[int, Reason], swaps: Sequence[Swap]) -> list[Reason | None]:
    """Why each does not send one of these packages: the one that costs least more from there, else the one it lacks least for.

    Without any, the order is one package.
    """
    many = len(pricing.problem.sites)
    units = np.array([swap.units for swap in swaps] or [pricing.instance.wanted])
    cents = np.array([swap.cents for swap in swaps] or [np.full(many, np.inf)])
    short = pricing.instance.stock[:many] < units[:, None, :]
    able = np.isfinite(cents).any(axis=0)
    best = np.where(able, cents.argmin(axis=0), short.sum(axis=2).argmin(axis=0))
    found: list[Reason | None] = [None] * many
    for number, swap in enumerate(swaps):
        rows = np.flatnonzero(able & (best == number))
        for row, reason in zip(rows.tolist(), swap.reasons(rows), strict=True):
            found[row] = reason
    able[list(rules)] = True
    rows = np.flatnonzero(~able)
    for row, lack in zip(rows.tolist(), _lacks(pricing, rows, units[best[rows]]), strict=True):
        found[row] = lack
    for row, rule in rules.items():
        found[row] = rule
    return found


def _lacks(pricing: Pricing, rows: Ints, units: Ints) -> list[Reason | None]:
    """What each of these lacks to send so many units ``[k, n]``: rather what it certainly has too little of."""
    problem = pricing.problem
    available, short = problem.available[rows], pricing.instance.stock[rows] < units
    certain = short & (available != UNKNOWN) & (available + _kept_back(problem, rows)[:, None] < units)
    first = certain.argmax(axis=1)
    at = np.arange(len(rows)), first
    columns = first, units[at], np.maximum(available[at], 0), short.sum(axis=1) - 1
    each = list(zip(*(column.tolist() for column in columns), strict=True))
    told = {
        lack: Reason(code=Code.STOCK, sku=problem.demand[lack[0]].sku, needs=lack[1], has=lack[2], more_skus=lack[3])
        for lack in set(each)
    }
    return [
        told[lack] if certainly else _rarer(pricing, int(rows[number]), units[number])
        for number, (lack, certainly) in enumerate(zip(each, certain[at].tolist(), strict=True))
    ]


def _rarer(pricing: Pricing, row: int, units: Ints) -> Reason | None:
    """What it keeps back, what nobody knows of it, what it has no room for, or that it would take too long."""
    problem, room = pricing.problem, int(pricing.instance.room[row])
    lines = np.flatnonzero(pricing.instance.stock[row] < units).tolist()
    if not lines:
        full = Reason(code=Code.CAPACITY, needs=int(units.sum()), has=room)
        return full if room < units.sum() else None if problem.days_late is None else _TOO_LATE
    more, source = len(lines) - 1, problem.sites.all[row].source
    for line in lines:
        has, sku = int(problem.available[row, line]), problem.demand[line].sku
        if has != UNKNOWN:
            kept = problem.safety_units[source]
            return Reason(code=Code.SAFETY_STOCK, sku=sku, needs=int(units[line]), has=max(has, 0), kept_back=kept, more_skus=more)
    read_at = problem.read_at.get(source)
    age_s = None if read_at is None else int((problem.at - read_at).total_seconds())
    return Reason(code=Code.SOURCE_UNKNOWN, sku=problem.demand[lines[0]].sku, age_s=age_s, more_skus=more)


def _kept_back(problem: Problem, rows: Ints) -> Ints:
    """Units of safety stock of each SKU at each of these. ``[k]``."""
    if not any(problem.safety_units.values()):  # mostly
        return np.zeros(len(rows), dtype=np.int64)
    return np.array([problem.safety_units.get(problem.sites.all[row].source, 0) for row in rows.tolist()], dtype=np.int64)


def _cents(cents: Floats) -> list[int | None]:
    known = np.isfinite(cents)
    whole = np.rint(np.where(known, cents, 0.0)).astype(np.int64).astype(object)
    whole[~known] = None
    found: list[int | None] = whole.tolist()
    return found


def _counterfactual(pricing: Pricing, missing: Missing) -> Counterfactual:
    problem, row = pricing.problem, missing.location
    short = []
    for line in np.flatnonzero(missing.units).tolist():
        has = int(problem.available[row, line])
        needs = int(pricing.instance.stock[row, line] + missing.units[line])
        short.append(Shortage(sku=problem.demand[line].sku, needs=needs, has=None if has == UNKNOWN else max(has, 0)))
    return Counterfactual(
        saves_cents=round(missing.saves_cents),
        short=tuple(short),
        room=int(pricing.instance.room[row]) + missing.room if missing.room else None,
    )


_BEHIND_ALL: Final = 1e300
_NOT_THE_PICKUP_LOCATION: Final = Reason(code=Code.NOT_THE_PICKUP_LOCATION)
_TOO_LATE: Final = Reason(code=Code.PROMISE)
