"""Why here: what the regret of every location, and what it would have needed, take on ready arrays; and whether they are true."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import process_time

import numpy as np
from rich.console import Console

from gateway.domain.plans import Counterfactual, Instance, Plan, counterfactuals, regrets, solve
from gateway.domain.routing import choose
from gateway.domain.routing.considering import considered
from tests.benchmarks.report import Report
from tests.benchmarks.routing import parser, shop
from tests.domain.plans.problems import typical

SIZES = ((1, 200), (2, 200), (3, 200), (4, 200), (5, 200), (5, 2_000), (10, 200))
CHECKED_MAX = 20
"""Orders of each size whose every statement is tried out by solving them again."""
WIDE = 200


def milliseconds(explain: Callable[[Instance, Plan], object], cases: Sequence[tuple[Instance, Plan]]) -> list[float]:
    """Of each, right after it was solved, when the tables of their shapes are there."""
    found = []
    for again in (False, True):
        for order, plan in cases:
            solve(order)
            begun = process_time()
            explain(order, plan)
            if again:
                found.append((process_time() - begun) * 1e3)
    return found


def told_milliseconds(seed: int, lines: int, many: int) -> list[float]:
    """Of orders at a shop: all that is said of every location, in the words of the domain, right after they were routed."""
    market, found = shop.drawn(seed), []
    for again in (False, True):
        for wish in shop.wishes(market, [lines] * many, seed):
            choice = choose(market.problem(wish))
            begun = process_time()
            considered(choice.pricing, choice.plan)
            if again:
                found.append((process_time() - begun) * 1e3)
    return found


def untrue_regrets(order: Instance, plan: Plan) -> int:
    """Of locations that were not chosen: without it in the plan nothing changes; paid as much as it costs more, it takes part."""
    found = regrets(order, plan)
    untrue = 0
    for location in np.flatnonzero(np.isfinite(found) & (found > 0)).tolist():
        for paid, taken in ((found[location] + 1, True), (found[location] - 1, False)):
            cents = order.package_cents.copy()
            cents[location] -= paid
            best = solve(replace(order, package_cents=cents))
            untrue += best is None or (location in best.locations) != taken
    return untrue


def untrue_counterfactuals(order: Instance, plan: Plan) -> int:
    """All of it makes the plan that much cheaper, with that location; one unit less of anything leaves it as it is."""

    def value(each: Counterfactual, units: np.ndarray, room: int) -> tuple[float, int, bool]:
        stock, rooms = order.stock.copy(), order.room.copy()
        stock[each.location] += units
        rooms[each.location] += room
        best = solve(replace(order, stock=stock, room=rooms))
        assert best is not None
        return best.cents, len(best.locations), each.location in best.locations

    untrue = 0
    for each in counterfactuals(order, plan):
        cents, _, taken = value(each, each.units, each.room)
        untrue += not taken or cents != plan.cents - each.saves_cents
        for line in np.flatnonzero(each.units).tolist():
            fewer = each.units.copy()
            fewer[line] -= 1
            untrue += value(each, fewer, each.room)[:2] != (plan.cents, len(plan.locations))
    return untrue


def run(*, instances: int, seed: int, sizes: Sequence[tuple[int, int]] = SIZES) -> Report:
    """``instances`` orders of each size, a fifth of them of the largest."""
    figures, tried, wrong = {}, 0, []
    for lines, locations in sizes:
        many = max(instances if lines <= 5 else instances // 5, 1)
        orders = [typical(seed + each, lines=lines, locations=locations) for each in range(many)]
        cases = [(order, plan) for order in orders if (plan := solve(order)) is not None and plan.optimal]
        regret_ms, counterfactual_ms = milliseconds(regrets, cases), milliseconds(counterfactuals, cases)
        figures[f"{lines} × {locations}"] = {
            "regrets p50 ms": round(float(np.median(regret_ms)), 3),
            "regrets p99 ms": round(float(np.quantile(regret_ms, 0.99)), 3),
            "counterfactuals p50 ms": round(float(np.median(counterfactual_ms)), 3),
            "counterfactuals p99 ms": round(float(np.quantile(counterfactual_ms, 0.99)), 3),
            "counterfactuals each": round(sum(len(counterfactuals(*case)) for case in cases) / len(cases), 1),
        }
        for order, plan in cases[:CHECKED_MAX] if lines * locations <= 1_000 else ():
            tried += 1
            untrue = untrue_regrets(order, plan) + untrue_counterfactuals(order, plan)
            wrong += [f"{lines} × {locations}: {untrue} statements about an order are untrue"] if untrue else []
    for lines in range(1, 6):
        told_ms = told_milliseconds(seed, lines, instances)
        figures[f"{lines} × {shop.LOCATIONS}, all in words"] = {
            "p50 ms": round(float(np.median(told_ms)), 3),
            "p99 ms": round(float(np.quantile(told_ms, 0.99)), 3),
        }
    return Report(
        name="routing explain",
        rounds=1,
        setup=f"{instances} orders of each size (lines × locations), each line at half of the locations; milliseconds of a core",
        figures=figures,
        facts={"orders whose every statement was tried out": tried, "of which something was untrue": len(wrong)},
        wrong=wrong,
    )


def main(argv: Sequence[str]) -> int:
    """Run it and show what it found; 1 if an explanation was untrue."""
    given = parser(str(__doc__), instances=100).parse_args(argv)
    report = run(instances=given.instances, seed=given.seed)
    if given.as_json:
        print(report.json())
    else:
        report.show(Console(width=None if sys.stdout.isatty() else WIDE))
    return 1 if report.wrong else 0
