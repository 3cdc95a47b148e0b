"""A day of a retailer who ships from four distribution centers and 96 stores, by every policy, against hindsight."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean
from typing import Final

import numpy as np
from rich.console import Console
from rich.progress import Progress

from gateway.domain.plans.batch import plan_together, wave_of
from gateway.domain.plans.batch.bids import Bids, Steps, climbed
from gateway.domain.plans.instance import UNLIMITED, Floats, Instance, Ints, Strategy
from gateway.domain.plans.postage import NO_POSTAGE
from gateway.domain.plans.strategies import STRATEGIES
from tests.benchmarks.report import Report
from tests.benchmarks.routing import parser
from tests.benchmarks.routing.markets import BACK_ORDER_CENTS, Market, Orders, market

CENTERS: Final = 4
STORES: Final = 96
ORDERS: Final = 3_000
GOODS: Final = 300
STOCK_TIMES: Final = 1.05  # what is expected to be ordered
CENTER_CARRIES: Final = 0.9
STORE_CARRIES: Final = 0.2
CENTER_PICK_CENTS: Final = 100.0
STORE_PICK_CENTS: Final = 250.0
POOL: Final = 1_000
EPOCH: Final = 300  # orders, after which prices are made anew
SCENARIOS: Final = 10
FIRST: Final = Steps(rounds=80, first_cents=300, last=0.01)
AGAIN: Final = Steps(rounds=15, first_cents=30, last=0.1)  # prices only follow
EFFORT: Final = 40
HINDSIGHT: Final = Steps(rounds=400, first_cents=400, last=0.002)

RULES: Final = ("highest_stock", "priority", "closest", "fewest_splits")


def shop(rng: np.random.Generator) -> Market:
    """Stock follows what is expected, not what comes."""
    kinds = np.repeat([0, 1], [CENTERS, STORES])
    empty = market(
        locations=CENTERS + STORES,
        goods=GOODS,
        pick_cents=np.array([CENTER_PICK_CENTS, STORE_PICK_CENTS])[kinds],
        rng=rng,
    )
    expected = np.mean([empty.orders(ORDERS, rng).wanted for _ in range(20)], axis=0)
    return empty.stocked(np.ceil(STOCK_TIMES * expected), carried=np.array([CENTER_CARRIES, STORE_CARRIES])[kinds], rng=rng)


def by_rule(orders: Orders, rule: Strategy) -> float:
    """Each order as it comes, by a rule of thumb; lines that no location has whole wait."""
    there = orders.market
    stock = there.stock.copy()
    cents = 0.0
    for number, lines in enumerate(orders.lines):
        items, units, region = orders.items[number, :lines], orders.units[number, :lines], orders.regions[number]
        leaves = (stock[:, items] >= units).any(axis=0)
        cents += BACK_ORDER_CENTS * units[~leaves].sum()
        if leaves.any():
            plan = rule(_instance(there, region, units[leaves], stock[:, items[leaves]]))
            assert plan is not None, "every line is somewhere"
            stock[np.ix_(plan.locations, items[leaves])] -= plan.units
            cents += plan.cents
    return cents


def _instance(there: Market, region: int, units: Ints, stock: Ints) -> Instance:
    locations, lines = stock.shape
    return Instance(
        wanted=units,
        stock=stock,
        room=np.full(locations, UNLIMITED),
        package_cents=there.package_cents[region],
        unit_cents=np.repeat(there.unit_cents[region][:, None], lines, axis=1),
        postage=NO_POSTAGE,
        lane=np.zeros(locations, dtype=np.int64),
        grams=np.ones(lines, dtype=np.int64),
        whole_lines=True,
        miles=there.miles[region],
        rank=np.arange(locations),
    )


class Foresight:
    """What stock is worth to orders that nobody has seen: the mean over days that might come, from the rates alone."""

    def __init__(self, there: Market, rng: np.random.Generator) -> None:
        self._market, self._rng = there, rng
        self._bids: list[Bids | None] = [None] * SCENARIOS

    def pi(self, stock: Ints, known: Orders, ahead: int) -> Floats:
        """With this stock, these orders, and so many more to come. ``[L, K]``."""
        for index, bids in enumerate(self._bids):
            orders = known.then(self._market.orders(ahead, self._rng))
            wave = wave_of(orders.pools(stock), stock, back_order_cents=BACK_ORDER_CENTS)
            free = Bids(pi=np.zeros(wave.stock.shape), kappa=np.zeros(wave.room.shape))
            self._bids[index] = climbed(wave, bids or free, AGAIN if bids else FIRST, lambda: True)
        pi: Floats = np.mean([each.pi[:, :-1].T for each in self._bids if each], axis=0)
        return pi


def in_turn(orders: Orders, foresight: Foresight | None) -> float:
    """Each order as it comes, exactly; at prices of what is still to come, or at none."""
    there = orders.market
    stock = np.vstack([there.stock, np.full((1, GOODS), UNLIMITED)]).T.copy()
    room = np.full(stock.shape[1], UNLIMITED)
    prices = np.zeros(stock.shape)
    cents = 0.0
    for number, table in enumerate(orders.tables()):
        if foresight is not None and number % EPOCH == 0:
            prices[:, :-1] = foresight.pi(stock[:, :-1].T, orders.of(slice(0, 0)), len(orders) - number).T
        plan = table.within(stock, room).cheapest(prices)
        stock[table.items[0], plan.locations[0]] -= table.units[0]
        cents += float(table.sent_cents(plan.locations)[0])
    return cents


def in_pools(orders: Orders, foresight: Foresight | None, rng: np.random.Generator) -> float:
    """A thousand orders wait for each other; without foresight as if the day ended with them."""
    stock = orders.market.stock.copy()
    cents = 0.0
    for begin in range(0, len(orders), POOL):
        some = orders.of(slice(begin, begin + POOL))
        ahead = len(orders) - begin - len(some)
        pi = np.zeros(stock.shape) if foresight is None or not ahead else foresight.pi(stock, some, ahead)
        pools = [replace(pool, line_cents=pool.line_cents + pi[:, pool.items] * pool.units) for pool in some.pools(stock)]
        plan = plan_together(wave_of(pools, stock, back_order_cents=BACK_ORDER_CENTS), generator=rng, effort=EFFORT)
        sent = some.sent(plan)
        stock -= sent
        cents += plan.cents - float((pi * sent).sum())
    assert (stock >= 0).all()
    return cents


def hindsight_cents(orders: Orders) -> float:
    """What no policy can be below, not even one that knows all orders of the day in the morning."""
    wave = wave_of(orders.pools(orders.market.stock), orders.market.stock, back_order_cents=BACK_ORDER_CENTS)
    free = Bids(pi=np.zeros(wave.stock.shape), kappa=np.zeros(wave.room.shape))
    return climbed(wave, free, HINDSIGHT, lambda: True).bound_cents


def policies(seed: int) -> Mapping[str, Callable[[Orders], float]]:
    """What a day costs, by policy."""
    rules = {name: partial(by_rule, rule=STRATEGIES[name]) for name in RULES}
    return rules | {
        "exact": lambda day: in_turn(day, None),
        "exact_bid": lambda day: in_turn(day, Foresight(day.market, np.random.default_rng([seed, 1]))),
        "pools": lambda day: in_pools(day, None, np.random.default_rng([seed, 2])),
        "pools_bid": lambda day: in_pools(
            day, Foresight(day.market, np.random.default_rng([seed, 3])), np.random.default_rng([seed, 4])
        ),
    }


def main(argv: Sequence[str]) -> int:
    """The exit status: 0, as goals depend on what is drawn."""
    given = parser("A day of a retailer, by every policy.", instances=1).parse_args(argv)
    names = list(policies(0))
    aside = Console(stderr=True)
    days: list[dict[str, float]] = []
    with Progress(console=aside, transient=True, disable=not aside.is_terminal) as progress:
        task = progress.add_task("days", total=len(names) * given.instances)
        for seed in range(given.seed, given.seed + given.instances):
            rng = np.random.default_rng(seed)
            day = shop(rng).orders(ORDERS, rng)
            cents = {"hindsight": hindsight_cents(day)}
            for name, policy in policies(seed).items():
                cents[name] = policy(day)
                progress.advance(task)
            days.append(cents)
    report = _report(names, days)
    if given.as_json:
        print(report.json())
    else:
        report.show(Console(width=200))
    return 0


def _report(names: Sequence[str], days: Sequence[Mapping[str, float]]) -> Report:
    """Gaps to hindsight, and how much of the gap of exact plans in turn is closed; ratios are to hindsight. Means over the days."""

    def gap(name: str) -> float:
        return fmean(100 * (day[name] / day["hindsight"] - 1) for day in days)

    def closed(name: str) -> float:
        return fmean(100 * (day["exact"] - day[name]) / (day["exact"] - day["hindsight"]) for day in days)

    return Report(
        name="routing retail",
        rounds=len(days),
        setup=f"{CENTERS} distribution centers and {STORES} stores, {ORDERS} orders a day; "
        "gaps to the bound of hindsight are means over the days",
        figures={name: {"gap_percent": gap(name), "gap_closed_percent": closed(name)} for name in names},
        ratios={name: 1 + gap(name) / 100 for name in names},
    )
