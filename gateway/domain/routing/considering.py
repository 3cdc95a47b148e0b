"""What speaks against every location that was not chosen."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.domain.plans import Counterfactual as Missing
from gateway.domain.plans import Floats, Ints, Plan, counterfactuals, regrets
from gateway.domain.routing.candidates import Candidates, Counterfactual, Shortage
from gateway.domain.routing.pricing import Bools, Pricing
from gateway.domain.routing.problem import UNKNOWN, Problem
from gateway.domain.routing.reason import Code, Reason
from gateway.domain.routing.swaps import Swap


def considered(pricing: Pricing, plan: Plan) -> Candidates:
    """Every site: the chosen, then the others by regret, then those of unknown regret, then those that could not take part."""
    sites, many = pricing.problem.sites, len(pricing.problem.sites)
    regret = regrets(pricing.instance, plan)[:many]
    sent = [each for each in zip(plan.locations.tolist(), plan.units, strict=True) if each[0] < many]
    rules = _rules(pricing.problem)
    swaps = [Swap.of(pricing, row, units) for row, units in sent]
    alone = swaps[0].cents + plan.cents if len(plan.locations) == len(swaps) == 1 else pricing.alone_cents()
    told = _Told(many)
    _tell(told, pricing, rules, swaps)
    first = np.where(np.isnan(regret), _BEHIND_ALL, regret)
    chosen = [row for row, _ in sent]
    told.why[chosen], first[chosen] = _NONE, -np.inf
    order = first.argsort(kind="stable")
    known, excluded = int(np.isfinite(regret).sum()), int(np.isinf(regret).sum())
    place = order.argsort()
    missing = [each for each in counterfactuals(pricing.instance, plan) if each.location < many and each.location not in rules]
    return Candidates(
        locations=tuple(sites.locations[order].tolist()),
        chosen=len(sent),
        excluded=excluded,
        regret_cents=tuple(np.rint(regret[order[:known]]).astype(np.int64).tolist()),
        alone_cents=tuple(_cents(alone[order[: many - excluded]])),
        reasons=tuple(told.reasons),
        why=tuple(told.why[order].tolist()),
        counterfactuals={int(place[each.location]): _counterfactual(pricing, each) for each in missing},
    )


def turned_down(pricing: Pricing) -> Candidates:
    """Every site, where no plan covers the order: what it lacks to do all of it."""
    sites = pricing.problem.sites
    told = _Told(len(sites))
    _tell(told, pricing, _rules(pricing.problem), ())
    return Candidates(
        locations=tuple(sites.locations.tolist()), excluded=len(sites), reasons=tuple(told.reasons), why=tuple(told.why.tolist())
    )


class _Told:
    """Reasons, each once, and which of them is against each of so many sites; −1: none."""

    def __init__(self, sites: int) -> None:
        self.why = np.full(sites, _NONE, dtype=np.int64)
        self.reasons: dict[Reason, int] = {}

    def tell(self, rows: Ints, alike: Sequence[Hashable], reason: Callable[[int], Reason | None]) -> None:
        """Of these rows, those with the same in ``alike`` have the same reason."""
        one = dict(zip(alike, rows.tolist(), strict=True))
        number = {each: self.number(reason(row)) for each, row in one.items()}
        self.why[rows] = [number[each] for each in alike]

    def number(self, reason: Reason | None) -> int:
        """Which one it is."""
        return _NONE if reason is None else self.reasons.setdefault(reason, len(self.reasons))


def _rules(problem: Problem) -> dict[int, Reason]:
    """The sites that a rule keeps out, and which."""
    row, sites = problem.sites.row, problem.sites.all
    other = Reason(code=Code.METHOD, detail=f"does not offer {problem.method}")
    found = dict.fromkeys(problem.sites.without[problem.method], other)
    if problem.pickup_at is not None:
        found |= {row: _NOT_THE_PICKUP_LOCATION for row, site in enumerate(sites) if site.location != problem.pickup_at}
    return found | {row[location]: reason for location, reason in problem.excluded.items() if location in row}


def _tell(told: _Told, pricing: Pricing, rules: dict[int, Reason], swaps: Sequence[Swap]) -> None:
    """Why each does not send one of these packages: the one that costs least more from there, else the one it lacks least for.

    Without any, the order is one package.
    """
    units = np.array([swap.units for swap in swaps] or [pricing.instance.wanted])
    able, package = _compared(pricing, swaps, units)
    asked = np.ones(len(able), dtype=np.bool_)
    asked[[*rules, *(swap.row for swap in swaps)]] = False
    for number, swap in enumerate(swaps):
        (rows,) = (asked & able & (package == number)).nonzero()
        told.tell(rows, swap.alike(rows), swap.reason)
    (rows,) = (asked & ~able).nonzero()
    lacks = _Lacks.of(pricing, units, package)
    told.tell(rows, lacks.alike(rows), lacks.reason)
    for row, rule in rules.items():
        told.why[row] = told.number(rule)


def _compared(pricing: Pricing, swaps: Sequence[Swap], units: Ints) -> tuple[Bools, Ints]:
    """Which could send one of these packages, and which package each is compared with. ``[L]`` both."""
    many = len(pricing.problem.sites)
    if len(swaps) == 1:  # mostly
        return np.isfinite(swaps[0].cents), np.zeros(many, dtype=np.int64)
    cents = np.array([swap.cents for swap in swaps] or [np.full(many, np.inf)])
    short = pricing.instance.stock[:many] < units[:, None, :]
    able = np.isfinite(cents).any(axis=0)
    return able, np.where(able, cents.argmin(axis=0), short.sum(axis=2).argmin(axis=0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lacks:
    """What each site lacks to send a package: rather what it certainly has too little of.

    ``units`` are of each package, and ``package`` is the number of that which each is asked for. ``certainty`` is how certain it is
    that it has too little of ``line``, and ``more`` how many lines it has too little of beside. ``[L]``
    """

    pricing: Pricing
    units: Ints
    package: Ints
    certainty: Ints
    line: Ints
    more: Ints

    @classmethod
    def of(cls, pricing: Pricing, units: Ints, package: Ints) -> "_Lacks":
        problem, wanted = pricing.problem, units[package] if len(units) > 1 else units
        short, unknown = pricing.instance.stock[: len(problem.sites)] < wanted, problem.available == UNKNOWN
        certainty = np.where(unknown, _UNKNOWN, _CERTAIN)
        if any(problem.safety_units.values()):
            kept_back = ~unknown & (problem.available + _kept_back(problem)[:, None] >= wanted)
            certainty[kept_back] = _KEPT_BACK
        certainty *= short
        line = certainty.argmax(axis=1)
        return cls(
            pricing=pricing,
            units=units,
            package=package,
            certainty=certainty[np.arange(len(line)), line],
            line=line,
            more=np.add.reduce(short, axis=1) - 1,
        )

    def alike(self, rows: Ints) -> list[Hashable]:
        """Something for each of these that is the same where the reason is."""
        certainty, line = self.certainty[rows], self.line[rows]
        has = self.pricing.problem.available[rows, line]
        if len(self.units) == 1 and (certainty == _CERTAIN).all():  # mostly
            # Of a line of which there is too little there is less than can be wanted.
            key = (np.maximum(has, 0) * len(self.units[0]) + line) * len(self.units[0]) + self.more[rows]
            keys: list[Hashable] = key.tolist()
            return keys
        room, source = self.pricing.instance.room[rows], self.pricing.problem.sites.sources[1][rows]
        return list(
            zip(
                *(column.tolist() for column in (self.package[rows], certainty, line, has, self.more[rows], room, source)),
                strict=True,
            )
        )

    def reason(self, row: int) -> Reason | None:
        """What this one lacks."""
        problem, units = self.pricing.problem, self.units[self.package[row]]
        certainty, line, more = int(self.certainty[row]), int(self.line[row]), int(self.more[row])
        sku, needs, has = problem.demand[line].sku, int(units[line]), max(int(problem.available[row, line]), 0)
        source = problem.sites.all[row].source
        if certainty == _CERTAIN:
            return Reason(code=Code.STOCK, sku=sku, needs=needs, has=has, more_skus=more)
        if certainty == _KEPT_BACK:
            kept = problem.safety_units[source]
            return Reason(code=Code.SAFETY_STOCK, sku=sku, needs=needs, has=has, kept_back=kept, more_skus=more)
        if certainty == _UNKNOWN:
            read_at = problem.read_at.get(source)
            age_s = None if read_at is None else int((problem.at - read_at).total_seconds())
            return Reason(code=Code.SOURCE_UNKNOWN, sku=sku, age_s=age_s, more_skus=more)
        needs, has = int(units.sum()), int(self.pricing.instance.room[row])
        if has < needs:
            return Reason(code=Code.CAPACITY, needs=needs, has=has)
        return None if problem.days_late is None else _TOO_LATE


def _kept_back(problem: Problem) -> Ints:
    """Units of safety stock of each SKU at each site. ``[L]``."""
    names, source = problem.sites.sources
    return np.array([problem.safety_units.get(name, 0) for name in names], dtype=np.int64)[source]


def _cents(cents: Floats) -> list[int | None]:
    known = np.isfinite(cents)
    whole = np.rint(np.where(known, cents, 0.0)).astype(np.int64).astype(object)
    whole[~known] = None
    found: list[int | None] = whole.tolist()
    return found


def _counterfactual(pricing: Pricing, missing: Missing) -> Counterfactual:
    problem, row = pricing.problem, missing.location
    columns = problem.demand, problem.available[row].tolist(), pricing.instance.stock[row].tolist(), missing.units.tolist()
    return Counterfactual(
        saves_cents=round(missing.saves_cents),
        short=tuple(
            Shortage(sku=line.sku, needs=had + lacking, has=None if has == UNKNOWN else max(has, 0))
            for line, has, had, lacking in zip(*columns, strict=True)
            if lacking
        ),
        room=int(pricing.instance.room[row]) + missing.room if missing.room else None,
    )


_NONE: Final = -1
_UNKNOWN, _KEPT_BACK, _CERTAIN = 1, 2, 3
"""How certain it is that a site has too little; 0: it has not."""
_BEHIND_ALL: Final = 1e300
_NOT_THE_PICKUP_LOCATION: Final = Reason(code=Code.NOT_THE_PICKUP_LOCATION)
_TOO_LATE: Final = Reason(code=Code.PROMISE)
