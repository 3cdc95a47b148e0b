"""All orders of a wave at once, in the time that a wave has, against first come, first served."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from rich.console import Console
from rich.progress import Progress

from gateway.domain.plans.batch import plan_together, wave_of
from tests.benchmarks.report import Figures, Report, medians
from tests.benchmarks.routing import parser
from tests.benchmarks.routing.markets import BACK_ORDER_CENTS, Market, Orders, market

STOCK_TIMES: Final = 1.05  # what is ordered
CARRIED: Final = 0.3  # of all items, by a location
ORDERS_PER_ITEM: Final = 10
EFFORT: Final = 10**6  # as much as there is time for
HURRY_S: Final = 2e-4  # for each order: what it takes to come to an end


@dataclass(frozen=True, kw_only=True)
class Size:
    """So many orders and locations, the seconds that planning may take, and the gap it is to reach."""

    orders: int
    locations: int
    seconds: float
    goal_percent: float

    def __str__(self) -> str:
        return f"{self.orders} x {self.locations} in {self.seconds:.0f} s"


SIZES: Final = (
    Size(orders=1_000, locations=100, seconds=3, goal_percent=0.8),
    Size(orders=5_000, locations=200, seconds=20, goal_percent=2),
    Size(orders=10_000, locations=200, seconds=12, goal_percent=5),
    Size(orders=10_000, locations=200, seconds=30, goal_percent=2.5),
)
LONG: Final = Size(orders=10_000, locations=200, seconds=120, goal_percent=1.5)


def day(orders: int, locations: int, rng: np.random.Generator) -> tuple[Market, Orders]:
    """A market with little more than what is ordered, and in the wrong places."""
    picks = rng.integers(50, 300, locations).astype(float)
    empty = market(locations=locations, goods=orders // ORDERS_PER_ITEM, pick_cents=picks, rng=rng)
    wanted = empty.orders(orders, rng)
    return empty.stocked(np.ceil(STOCK_TIMES * wanted.wanted), carried=np.full(locations, CARRIED), rng=rng), wanted


def in_turn_cents(there: Market, orders: Orders) -> float:
    """First come, first served: each order takes the plan that is cheapest for it alone."""
    goods = there.stock.shape[1]
    waiting = np.full((1, goods), np.iinfo(np.int32).max)
    stock = np.vstack([there.stock, waiting]).T.copy()
    room = np.full(len(stock[0]), np.iinfo(np.int32).max)
    nothing = np.zeros(stock.shape)
    cents = 0.0
    for table in orders.tables():
        plan = table.within(stock, room).cheapest(nothing)
        stock[table.items[0], plan.locations[0]] -= table.units[0]
        cents += float(table.sent_cents(plan.locations)[0])
    return cents


def measure(size: Size, seed: int) -> Figures:
    """Both on one day. Gaps are to our own proven bound; ``cpu_seconds`` are what this process had of the ``seconds``.

    Raises:
        AssertionError: More is sent than there is.
    """
    rng = np.random.default_rng(seed)
    there, wanted = day(size.orders, size.locations, rng)
    begun = time.perf_counter()
    in_turn = in_turn_cents(there, wanted)
    in_turn_seconds = time.perf_counter() - begun
    pools = wanted.pools(there.stock)
    start, cpu = time.perf_counter(), time.process_time()
    deadline = start + size.seconds - HURRY_S * size.orders
    together = plan_together(
        wave_of(pools, there.stock, back_order_cents=BACK_ORDER_CENTS),
        generator=rng,
        effort=EFFORT,
        keep_going=lambda: time.perf_counter() < deadline,
    )
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    assert (there.stock >= wanted.sent(together)).all(), "sent what is not there"
    return {
        "gap_percent": 100 * together.gap,
        "goal_percent": size.goal_percent,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "in_turn_gap_percent": 100 * (in_turn / together.bound_cents - 1),
        "in_turn_seconds": in_turn_seconds,
        "waiting_lines": float(sum((plan < 0).sum() for plan in together.plans)),
    }


def main(argv: Sequence[str]) -> int:
    """The exit status: 0, as goals depend on the machine."""
    options = parser("All orders of a wave at once, and first come, first served.", instances=1)
    options.add_argument("--long", action="store_true", help="Also two minutes for the largest.")
    given = options.parse_args(argv)
    sizes = (*SIZES, LONG) if given.long else SIZES
    aside = Console(stderr=True)
    runs: dict[str, list[Figures]] = {str(size): [] for size in sizes}
    with Progress(console=aside, transient=True, disable=not aside.is_terminal) as progress:
        task = progress.add_task("planning", total=len(sizes) * given.instances)
        for size in sizes:
            for instance in range(given.instances):
                runs[str(size)].append(measure(size, given.seed + instance))
                progress.advance(task)
    report = Report(
        name="routing batch",
        rounds=given.instances,
        setup=f"orders of 1 to 5 lines, stock {STOCK_TIMES} times what is ordered; gaps to our own proven bound",
        figures={name: medians(rounds) for name, rounds in runs.items()},
    )
    if given.as_json:
        print(report.json())
    else:
        report.show(Console(width=200))
    return 0
