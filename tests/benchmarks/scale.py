"""How much of everything a merchant of some size needs, on paper: formulas over the unit costs, and their check against a run."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import ceil
from typing import Final

from tests.benchmarks import place_order, units
from tests.benchmarks.databases import Databases, Kind
from tests.benchmarks.follower import following
from tests.benchmarks.load import connected
from tests.benchmarks.report import Figures, Report
from tests.benchmarks.stage import TOKEN, Run, Sandboxes, Variant, at_work
from tests.benchmarks.units import Cpu, Units

SECONDS_A_DAY: Final = 86_400
DAYS_A_MONTH: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """Who asks. ``orders_per_s`` in the busiest minutes of the year; ``subscribers`` follow every event of every order."""

    orders_per_s: float
    sku_locations: int
    subscribers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What goes on around an order, and how much room is left: assumptions, each to be replaced by one's own.

    ``cold_part`` of the stock queries finds no fresh answer in memory. ``mean_part``: what the mean of a month is of the peak.
    ``busy_part`` of a core may be in use at the peak. ``days_open``: how long an order is looked at and changed.
    """

    holds_per_order: float = 0.5
    stock_queries_per_order: float = 20.0
    cold_part: float = 0.2
    look_ups_per_order: float = 3.0
    parcels_per_order: float = 1.2
    mean_part: float = 0.2
    busy_part: float = 0.6
    days_open: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Beyond which the next rung of the ladder is due."""

    connections: int = 200
    growth_gb_per_month: float = 100.0
    database_cores: float = 32.0
    log_mb_per_s: float = 200.0
    followers_part: float = 0.5
    gateways: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What it takes, at the peak but for growth. Cores are used ones; gateways leave the room that was asked for."""

    gateway_cores: float
    followers_part: float
    gateways: int
    database_cores: float
    transactions_per_s: float
    log_mb_per_s: float
    growth_gb_per_month: float
    hot_gb: float
    connections: int
    rungs: tuple[str, ...] = ()

    def figures(self) -> Figures:
        """The numbers."""
        return {each.name: round(getattr(self, each.name), 3) for each in fields(self) if each.name != "rungs"}


def needs(merchant: Merchant, costs: Mapping[Kind, Units], habits: Habits | None = None, limits: Limits | None = None) -> Needs:
    """On the first rung of the ladder that bears it: one process with SQLite, if that does."""
    habits, limits = habits or Habits(), limits or Limits()
    if Kind.SQLITE in costs:
        small = _needs(merchant, costs[Kind.SQLITE], habits)
        if small.gateways == 1:
            return replace(small, rungs=("one process, SQLite",), connections=0)
    large = _needs(merchant, costs[Kind.POSTGRES], habits)
    return replace(large, rungs=tuple(_rungs(large, limits)))


def cpu(merchant: Merchant, costs: Units, habits: Habits) -> Cpu:
    """Milliseconds of CPU in a second of the peak, without idling."""
    per_order = {
        "place": 1.0,
        "job": habits.parcels_per_order,
        "hold": habits.holds_per_order,
        "stock_cold": habits.stock_queries_per_order * habits.cold_part,
        "stock_hot": habits.stock_queries_per_order * (1 - habits.cold_part),
        "look_up": habits.look_ups_per_order,
        "event": costs.events_per_order * merchant.subscribers,
    }
    spent: dict[str, Cpu] = {name: getattr(costs, name) for name in per_order}
    return Cpu(
        gateway_ms=merchant.orders_per_s * sum(times * spent[name].gateway_ms for name, times in per_order.items()),
        database_ms=merchant.orders_per_s * sum(times * spent[name].database_ms for name, times in per_order.items()),
    )


def transactions_per_s(merchant: Merchant, costs: Units, habits: Habits, gateways: int) -> float:
    """Flushes to disk. Each write has its own while there is time for that; then those that wait share one.

    Of an order: its placing, the claims and ends of its jobs, the numbering of its events.
    """
    writes_per_s = merchant.orders_per_s * (2 + 2 * habits.parcels_per_order + habits.holds_per_order) / gateways
    shared = (1000 - writes_per_s * costs.order_in_transaction_ms) / costs.transaction_ms
    return gateways * max(min(writes_per_s, shared), 0.0)


def log_bytes_per_s(merchant: Merchant, costs: Units, habits: Habits) -> float:
    """What is written to the log of PostgreSQL, without the pages that it adds after each checkpoint."""
    return merchant.orders_per_s * (costs.log_bytes_per_order + habits.holds_per_order * costs.log_bytes_per_hold)


def _needs(merchant: Merchant, costs: Units, habits: Habits) -> Needs:
    spent = cpu(merchant, costs, habits)
    followed_ms = merchant.orders_per_s * costs.events_per_order * merchant.subscribers * costs.event.gateway_ms
    room_ms = 1000 * habits.busy_part - costs.idle.gateway_ms
    gateways = max(ceil(spent.gateway_ms / room_ms), 1)
    bytes_per_order = sum(costs.bytes_per_order.values()) + habits.holds_per_order * costs.bytes_per_hold
    orders_per_day = merchant.orders_per_s * habits.mean_part * SECONDS_A_DAY
    return Needs(
        gateway_cores=(spent.gateway_ms + gateways * costs.idle.gateway_ms) / 1000,
        followers_part=followed_ms / spent.gateway_ms if spent.gateway_ms else 0.0,
        gateways=gateways,
        database_cores=(spent.database_ms + gateways * costs.idle.database_ms) / 1000,
        transactions_per_s=transactions_per_s(merchant, costs, habits, gateways),
        log_mb_per_s=log_bytes_per_s(merchant, costs, habits) / 1e6,
        growth_gb_per_month=orders_per_day * DAYS_A_MONTH * bytes_per_order / 1e9,
        hot_gb=(merchant.sku_locations * costs.bytes_per_shelf + orders_per_day * habits.days_open * bytes_per_order) / 1e9,
        connections=gateways * costs.connections,
    )


def _rungs(found: Needs, limits: Limits) -> list[str]:
    due = {
        "gateways on one PostgreSQL": True,
        "PgBouncer and read replicas": found.connections > limits.connections,
        "partitions by month": found.growth_gb_per_month > limits.growth_gb_per_month,
        "PostgreSQL distributed by location group": (
            found.database_cores > limits.database_cores or found.log_mb_per_s > limits.log_mb_per_s
        ),
        "a broker for fan-out": found.followers_part > limits.followers_part and found.gateways > limits.gateways,
    }
    return [rung for rung, is_due in due.items() if is_due]


def report(merchant: Merchant, found: Needs, machine: Mapping[str, str]) -> Report:
    """The answer, on the machine that the unit costs were measured on."""
    return Report(
        name="scale",
        rounds=1,
        setup=f"{merchant.orders_per_s:g} orders/s, {merchant.sku_locations:,} SKU-locations, "
        f"{merchant.subscribers:,} subscribers: {' + '.join(found.rungs)}",
        figures={"needs": found.figures()},
        machine=machine,
        versions={},
    )


# ---------------------------------------------------------------------------------------------- against a run
POINTS: Final = (
    Merchant(orders_per_s=2, sku_locations=60, subscribers=2),
    Merchant(orders_per_s=6, sku_locations=60, subscribers=4),
)

HERE: Final = Habits(parcels_per_order=1.0)


async def check(
    costs: Mapping[Kind, Units],
    kinds: Sequence[Kind],
    made: Databases,
    sources: Sandboxes,
    *,
    points: Sequence[Merchant] = POINTS,
    seconds: int,
    advance: Callable[[], object],
) -> Report:
    """Predicted against measured, until all that was ordered has been asked for."""
    found: dict[str, Figures] = {}
    for kind in kinds:
        for merchant in points:
            async with at_work(Variant(kind=kind), made, sources.urls, fresh_for_s=units.FRESH_FOR_S) as run:
                measured, wall_s = await _measured(run, merchant, seconds, advance)
            predicted = _predicted(merchant, costs[kind], seconds, wall_s)
            for name, value in measured.items():
                if value:
                    error_percent = 100 * (predicted[name] - value) / value
                    row = {"predicted": predicted[name], "measured": value, "error_percent": error_percent}
                    found[f"{kind}, {merchant.orders_per_s:g} orders/s: {name}"] = row
    return Report(
        name="scale",
        rounds=1,
        setup=f"small merchants for {seconds} s each: as calculated, and as it was",
        figures=found,
    )


def _predicted(merchant: Merchant, costs: Units, seconds: int, wall_s: float) -> Figures:
    spent = cpu(merchant, costs, HERE)
    return {
        "gateway_cpu_s": (seconds * spent.gateway_ms + wall_s * costs.idle.gateway_ms) / 1000,
        "database_cpu_s": (seconds * spent.database_ms + wall_s * costs.idle.database_ms) / 1000,
        "log_mb": seconds * log_bytes_per_s(merchant, costs, HERE) / 1e6,
    }


async def _measured(run: Run, merchant: Merchant, seconds: int, advance: Callable[[], object]) -> tuple[Figures, float]:
    """Orders and what goes with them at that pace, until all their work is asked for."""
    await units.ask(run, units.CLIENTS, lambda number: place_order.body(3_000_000 + number))
    await units.quiet(run.database)
    look_up = await units.look_up(run)
    async with following(run.server.url, streams=merchant.subscribers):
        counts, before, started_s = await units.counted(run.database), run.used(), time.monotonic()
        await _paced(run, merchant.orders_per_s, _round(HERE, look_up), seconds, advance)
        await units.quiet(run.database)
        used, wall_s = run.used().since(before).figures(1000), time.monotonic() - started_s
        taken = (await units.counted(run.database)).since(counts)
    return {
        "gateway_cpu_s": used["gateway_cpu_ms"],
        "database_cpu_s": used["database_cpu_ms"],
        "log_mb": taken.log_bytes / 1e6,
    }, wall_s


def _round(habits: Habits, look_up: Callable[[int], bytes]) -> Callable[[int], list[bytes]]:
    """The requests around the order of that number: parts of a request come about every so many orders."""
    cold_queries = habits.stock_queries_per_order * habits.cold_part
    asked: Sequence[tuple[float, Callable[[int], bytes]]] = (
        (habits.stock_queries_per_order - cold_queries, units.stock(None)),
        (cold_queries, units.stock(0)),
        (habits.holds_per_order, units.held),
        (habits.look_ups_per_order, look_up),
        (1.0, place_order.body),
    )

    def bodies(number: int) -> list[bytes]:
        return [body(number) for times, body in asked for _ in range(int(times * (number + 1) + 1e-9) - int(times * number + 1e-9))]

    return bodies


async def _paced(
    run: Run, orders_per_s: float, bodies: Callable[[int], list[bytes]], seconds: int, advance: Callable[[], object]
) -> None:
    """Every order begins at its time, whatever became of those before it."""
    began_s = time.monotonic()

    async def shop(number: int) -> None:
        async with connected(run.server.url, TOKEN) as connection:
            for body in bodies(number):
                units.must_succeed(await connection.post(body))
        advance()

    async with asyncio.TaskGroup() as group:
        for number in range(round(orders_per_s * seconds)):
            await asyncio.sleep(max(began_s + number / orders_per_s - time.monotonic(), 0))
            group.create_task(shop(number))
