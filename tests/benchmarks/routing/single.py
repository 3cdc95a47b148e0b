"""One order at a time, exactly: how long it takes on ready arrays, how many in a second, and whether HiGHS agrees."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from time import process_time

import numpy as np
from rich.console import Console

from gateway.domain.plans import Instance, Plan, solve
from tests.benchmarks.report import Report
from tests.benchmarks.routing import parser, shop
from tests.domain.plans.milp import cheapest_by_the_pound_cents, cheapest_cents, every_package
from tests.domain.plans.problems import tiny, typical

SIZES = ((1, 200), (2, 200), (3, 200), (4, 200), (5, 200), (5, 2_000), (10, 200), (10, 500), (20, 200), (200, 200))
MIX = (0.6, 0.2, 0.1, 0.05, 0.05)
"""The shares of orders of one line, two and so on."""
LINES_OF_HIGHS_MAX = 10
HIGHS_ORDERS = 5
WIDE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What became of each order, and how long it took."""

    plans: tuple[Plan | None, ...]
    seconds: tuple[float, ...]

    def figures(self) -> dict[str, float]:
        """In milliseconds and percent."""
        plans = [plan for plan in self.plans if plan is not None]
        gaps = [1 - plan.bound_cents / plan.cents for plan in plans]
        return {
            "p50 ms": round(float(np.median(self.seconds)) * 1e3, 3),
            "p99 ms": round(float(np.quantile(self.seconds, 0.99)) * 1e3, 3),
            "proven optimal %": round(100 * sum(plan.optimal for plan in plans) / len(plans), 1),
            "gap % at most": round(100 * max(gaps), 2),
        }


def timed(orders: Sequence[Instance]) -> Timed:
    """Each alone, one after another, when the tables of their shapes are there."""
    for order in orders:
        solve(order)
    plans, seconds = [], []
    for order in orders:
        begun = process_time()
        plans.append(solve(order))
        seconds.append(process_time() - begun)
    return Timed(plans=tuple(plans), seconds=tuple(seconds))


def beside_highs(orders: Sequence[Instance], plans: Sequence[Plan | None]) -> tuple[dict[str, float], list[str]]:
    """How long HiGHS takes for some of them, and where it does not find the same."""
    seconds, wrong = [], []
    for order, plan in zip(orders, plans, strict=True):
        begun = process_time()
        cents = cheapest_by_the_pound_cents(order)
        seconds.append(process_time() - begun)
        if plan is None or cents is None or not plan.bound_cents <= cents <= plan.cents or (plan.optimal and cents < plan.cents):
            wrong.append(f"HiGHS says {cents}, we {plan and (plan.bound_cents, plan.cents)}")
    return {"HiGHS p50 ms": round(float(np.median(seconds)) * 1e3, 1)}, wrong


def disagreements(orders: int, seed: int) -> list[str]:
    """Of so many random orders with any rules, those for which HiGHS does not find the same."""
    wrong = []
    for each in range(orders):
        order = tiny(seed + each, lines_max=4, locations_max=6)
        plan, cents = solve(order), cheapest_cents(order, every_package(order))
        if (plan and plan.cents) != cents:
            wrong.append(f"order {seed + each}: HiGHS says {cents}, we {plan and plan.cents}")
    return wrong


def run(*, instances: int, seed: int, agreement: int, sizes: Sequence[tuple[int, int]] = SIZES) -> Report:
    """``instances`` orders of each size, a fifth of them of the largest; ``agreement`` small ones of any kind beside HiGHS."""
    figures: dict[str, dict[str, float]] = {}
    wrong = disagreements(agreement, seed)
    for lines, locations in sizes:
        many = max(instances if lines <= LINES_OF_HIGHS_MAX // 2 else instances // 5, 1)
        orders = [typical(seed + each, lines=lines, locations=locations) for each in range(many)]
        found = timed(orders)
        figures[f"{lines} × {locations}"] = found.figures()
        if lines <= LINES_OF_HIGHS_MAX:
            theirs, differing = beside_highs(orders[:HIGHS_ORDERS], found.plans[:HIGHS_ORDERS])
            figures[f"{lines} × {locations}"] |= theirs
            wrong += differing
    mix = Random(seed).choices(range(1, len(MIX) + 1), weights=MIX, k=10 * instances)
    found = timed([typical(seed + each, lines=lines, locations=200) for each, lines in enumerate(mix)])
    shares = " ".join(f"{100 * share:.0f}" for share in MIX)
    figures["mix × 200"] = found.figures()
    market = shop.drawn(seed)
    asked = shop.wishes(market, mix, seed)
    unlike = sum(shop.packages(market.problem, wish) != shop.packages(market.problem_read, wish) for wish in asked[:instances])
    wrong += [f"{unlike} orders are not the same from columns and from readings"] if unlike else []
    return Report(
        name="routing single",
        rounds=1,
        setup=f"{instances} orders of each size (lines × locations), each line at half of the locations; milliseconds of a core; "
        f"the mix is {shares} % of 1 to {len(MIX)} lines",
        figures=figures,
        facts={
            "decisions a second, mix at 200 locations": round(len(mix) / sum(found.seconds)),
            "the same end to end, from columns of stock to packages": shop.per_second(market.problem, asked),
            "the same from readings and shelves, each column anew": shop.per_second(market.problem_read, asked),
            "random orders compared with HiGHS": agreement + sum("HiGHS p50 ms" in row for row in figures.values()) * HIGHS_ORDERS,
            "disagreements": len(wrong),
        },
        wrong=wrong,
    )


def main(argv: Sequence[str]) -> int:
    """Run it and show what it found; 1 if HiGHS disagrees."""
    options = parser(str(__doc__), instances=300)
    options.add_argument("--agreement", type=int, default=200, help="Small random orders beside HiGHS. Default: %(default)s.")
    given = options.parse_args(argv)
    report = run(instances=given.instances, seed=given.seed, agreement=given.agreement)
    if given.as_json:
        print(report.json())
    else:
        report.show(Console(width=None if sys.stdout.isatty() else WIDE))
    return 1 if report.wrong else 0
