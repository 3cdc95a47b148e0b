"""A day in a minute: customers look, hold, buy and call off, people ship, others follow; then the books are checked."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from statistics import linear_regression
from typing import Any, Final

import msgspec

from gateway.storage.database import opened
from gateway.storage.verification import verify
from gateway.system import SystemClock
from tests.benchmarks import place_order
from tests.benchmarks.databases import Database, Databases
from tests.benchmarks.follower import Heard, following
from tests.benchmarks.load import Connection, connected, percentile
from tests.benchmarks.machine import family, rss_mib
from tests.benchmarks.report import Figures, Report
from tests.benchmarks.stage import TOKEN, Run, Sandboxes, Variant, at_work

PRODUCTS: Final = 60
SKUS: Final = tuple(f"SKU-{number:04d}" for number in range(13, 53))
DEEP_UNITS: Final = 1_000_000
REMEMBERED: Final = 50
QUIET_S_MAX: Final = 60.0
POLL_S: Final = 0.25


class Operation(StrEnum):
    """What a client does."""

    STOCK = "stock"
    LOOK = "look up"
    HOLD = "hold"
    EXTEND = "extend"
    RELEASE = "release"
    PLACE = "place"
    CANCEL = "cancel"
    SHIP = "ship"


WEIGHTS: Final[Mapping[Operation, int]] = {
    Operation.STOCK: 40,
    Operation.LOOK: 15,
    Operation.HOLD: 12,
    Operation.EXTEND: 3,
    Operation.RELEASE: 3,
    Operation.PLACE: 20,
    Operation.CANCEL: 2,
    Operation.SHIP: 5,
}

EXPECTED_REFUSALS: Final = {"NOT_ALLOWED_IN_STATE", "VERSION_CONFLICT"}
"""A location was quicker than whoever ships or calls off."""

STOCK = "query ($skus: [String!]!) { inventory(skus: $skus) { sku availableToPromise complete levels { available } } }"
LOOK = """query ($id: ID!) { order(by: {id: $id}) { number status lines { sku units }
  fulfillmentOrders { status requestStatus location { code } } } }"""
HOLD = """mutation ($input: ReservationCreateInput!) { done: reservationCreate(input: $input) {
  reservation { id } userErrors { code } } }"""
EXTEND = """mutation ($input: ReservationExtendInput!) { done: reservationExtend(input: $input) {
  reservation { id } userErrors { code } } }"""
RELEASE = """mutation ($input: ReservationReleaseInput!) { done: reservationRelease(input: $input) {
  reservation { id } userErrors { code } } }"""
PLACE = """mutation ($input: OrderPlaceInput!) { done: orderPlace(input: $input) {
  order { id number fulfillmentOrders { id lines { sku units } } } userErrors { code } } }"""
CANCEL = """mutation ($input: OrderCancelInput!) { done: orderCancel(input: $input) {
  order { id status } userErrors { code } } }"""
SHIP = """mutation ($input: FulfillmentOrderShipInput!) { done: fulfillmentOrderShip(input: $input) {
  fulfillmentOrder { id status } userErrors { code } } }"""

Lines = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """An order, and its works with what each sends."""

    id: str
    works: tuple[tuple[str, Lines], ...]


@dataclass(slots=True, kw_only=True)
class Customer:
    """One client, and what it remembers of what it did."""

    name: str
    connection: Connection
    random: Random
    latencies_ms: dict[Operation, list[float]]
    refused: Counter[str]
    wrong: Counter[str]
    holds: deque[tuple[str, Lines]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    orders: deque[Bought] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _done: int = 0

    async def act(self) -> None:
        """Do something, of what can be done now."""
        (wanted,) = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))
        if wanted in {Operation.EXTEND, Operation.RELEASE} and not self.holds:
            wanted = Operation.HOLD
        if wanted in {Operation.LOOK, Operation.CANCEL, Operation.SHIP} and not self.orders:
            wanted = Operation.PLACE
        await {
            Operation.STOCK: self.ask_for_stock,
            Operation.LOOK: self.look_up,
            Operation.HOLD: self.hold,
            Operation.EXTEND: self.extend,
            Operation.RELEASE: self.release,
            Operation.PLACE: self.place,
            Operation.CANCEL: self.cancel,
            Operation.SHIP: self.ship,
        }[wanted]()

    async def ask_for_stock(self) -> None:
        data = await self._ask(Operation.STOCK, STOCK, skus=self.random.sample(SKUS, 5))
        if not all(item["complete"] for item in data.get("inventory", ())):
            self.wrong["stock is not complete"] += 1

    async def look_up(self) -> None:
        await self._ask(Operation.LOOK, LOOK, id=self.random.choice(self.orders).id)

    async def hold(self) -> None:
        lines = self._lines()
        done = await self._change(Operation.HOLD, HOLD, lines=lines, ttlSeconds=600)
        if done is not None:
            self.holds.append((done["reservation"]["id"], lines))

    async def extend(self) -> None:
        held, _ = self.random.choice(self.holds)
        await self._change(Operation.EXTEND, EXTEND, id=held, ttlSeconds=600)

    async def release(self) -> None:
        held, _ = self.holds.popleft()
        await self._change(Operation.RELEASE, RELEASE, id=held)

    async def place(self) -> None:
        """Half of those who hold something buy it."""
        held, lines = self.holds.popleft() if self.holds and self.random.random() < 0.5 else (None, self._lines())
        done = await self._change(Operation.PLACE, PLACE, channel="web", lines=lines, to=place_order.DESTINATION, reservation=held)
        if done is not None:
            order = done["order"]
            works = tuple((work["id"], work["lines"]) for work in order["fulfillmentOrders"])
            self.orders.append(Bought(id=order["id"], works=works))

    async def cancel(self) -> None:
        order = self.random.choice(self.orders)
        self.orders.remove(order)
        await self._change(Operation.CANCEL, CANCEL, id=order.id, reasonCode="CUSTOMER")

    async def ship(self) -> None:
        """All that one location has of the oldest order."""
        work, lines = self.orders.popleft().works[0]
        await self._change(Operation.SHIP, SHIP, id=work, packages=[{"carrier": "UPS", "lines": lines}])

    def _lines(self) -> Lines:
        return [{"sku": sku, "units": 1} for sku in self.random.sample(SKUS, self.random.randint(1, 5))]

    async def _change(self, operation: Operation, query: str, **given: Any) -> dict[str, Any] | None:
        """What was done; None if it was refused."""
        self._done += 1
        asked = {"idempotencyKey": f"{self.name}-{self._done}"} | given
        done: dict[str, Any] = (await self._ask(operation, query, input=asked)).get("done") or {"userErrors": [{"code": "NULL"}]}
        for error in done["userErrors"]:
            (self.refused if error["code"] in EXPECTED_REFUSALS else self.wrong)[f"{operation}: {error['code']}"] += 1
        return None if done["userErrors"] else done

    async def _ask(self, operation: Operation, query: str, **variables: Any) -> dict[str, Any]:
        body = msgspec.json.encode({"query": query, "variables": variables})
        started_s = time.perf_counter()
        answer: dict[str, Any] = msgspec.json.decode(await self.connection.post(body))
        self.latencies_ms[operation].append((time.perf_counter() - started_s) * 1000)
        for error in answer.get("errors", ()):
            self.wrong[f"{operation}: {error['message']}"] += 1
        return answer.get("data") or {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run: the figures of each operation, facts about the whole, and what is wrong."""

    figures: Mapping[Operation, Figures]
    facts: Mapping[str, float]
    wrong: list[str]


async def fill(sources: Sandboxes) -> None:
    """Enough of everything in one warehouse; elsewhere there is what there is."""
    for sku in SKUS:
        await sources.count("odoo", "wh-dallas", sku, DEEP_UNITS)


async def measure(
    variant: Variant,
    made: Databases,
    sources: Sandboxes,
    *,
    seconds: int,
    clients: int,
    followers: int,
    seed: int,
    advance: Callable[[], object],
) -> Measured:
    """One run on an empty database, and what ``dom verify`` says of it afterwards."""
    latencies_ms: dict[Operation, list[float]] = {each: [] for each in Operation}
    refused: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    async with at_work(variant, made, sources.urls) as run:
        async with following(run.server.url, streams=followers) as followed:
            before = run.used()
            async with _weighed(run) as weights, asyncio.TaskGroup() as group:
                for number in range(clients):
                    random = Random(f"{seed}/{number}")
                    group.create_task(
                        _shop(run, seconds, number, random=random, latencies_ms=latencies_ms, refused=refused, wrong=wrong)
                    )
                group.create_task(_each_second(seconds, advance))
            used = run.used().since(before)
            jobs_left = await run.database.number(place_order.JOBS_DUE)
            quiet_s = await _quiet(run.database)
            told = await _all_told(run.database)
            await asyncio.sleep(1)  # for the last of them to reach the followers
        database = run.database
    differences = await _differences(database)
    orders = len(latencies_ms[Operation.PLACE])
    facts = {
        "orders_per_s": orders / seconds,
        "operations_per_s": sum(map(len, latencies_ms.values())) / seconds,
        **used.figures(sum(map(len, latencies_ms.values()))),
        "rss_slope_mib_per_min": _slope(weights),
        **_heard(followed.heard),
        "jobs_left_at_the_end": jobs_left,
        "quiet_after_s": quiet_s,
        "refused": sum(refused.values()),
        "differences": differences,
    }
    return Measured(
        figures={each: _figures(found, seconds) for each, found in latencies_ms.items() if found},
        facts=facts,
        wrong=[
            *(f"{what} ({times} times)" for what, times in wrong.items()),
            *_mistakes(followed.heard, told * followers, differences, quiet_s),
        ],
    )


def report(runs: Mapping[str, Measured], *, seconds: int, clients: int, followers: int) -> Report:
    """All runs together."""
    return Report(
        name="order_mix",
        rounds=1,
        setup=f"{seconds} s of {', '.join(WEIGHTS)} by {clients} clients, with {followers} followers, each on a new database",
        figures={f"{name}: {each}": found for name, run in runs.items() for each, found in run.figures.items()},
        facts={f"{name}: {fact}": value for name, run in runs.items() for fact, value in run.facts.items()},
        wrong=[f"{name}: {each}" for name, run in runs.items() for each in run.wrong],
    )


async def _shop(run: Run, seconds: int, number: int, *, random: Random, **kept: Any) -> None:
    until_s = time.monotonic() + seconds
    async with connected(run.server.url, TOKEN) as connection:
        customer = Customer(name=f"client-{number}", connection=connection, random=random, **kept)
        while time.monotonic() < until_s:
            await customer.act()


async def _each_second(seconds: int, advance: Callable[[], object]) -> None:
    for _ in range(seconds):
        await asyncio.sleep(1)
        advance()


@asynccontextmanager
async def _weighed(run: Run) -> AsyncIterator[list[tuple[float, float]]]:
    """Minutes since the block began, and the memory that a process of the gateway has then on average, every half second."""
    weights: list[tuple[float, float]] = []
    began_s = time.monotonic()

    async def weigh() -> None:
        while True:
            pids = family(run.server.pid)
            weights.append(((time.monotonic() - began_s) / 60, rss_mib(run.server.pid) / len(pids)))
            await asyncio.sleep(0.5)

    weighing = asyncio.create_task(weigh())
    try:
        yield weights
    finally:
        weighing.cancel()


def _slope(weights: list[tuple[float, float]]) -> float:
    """MiB a minute for each process, once it is warm: in the last two thirds."""
    warm = weights[len(weights) // 3 :]
    if len(warm) < 2:
        return 0.0
    return linear_regression([minute for minute, _ in warm], [mib for _, mib in warm]).slope


async def _quiet(database: Database) -> float:
    """Seconds until nothing waits to be asked of a source any more."""
    started_s = time.monotonic()
    while await database.number(place_order.JOBS_DUE) and time.monotonic() - started_s < QUIET_S_MAX:
        await asyncio.sleep(POLL_S)
    return time.monotonic() - started_s


async def _all_told(database: Database) -> int:
    """Events that there are, once they all have a number."""
    async with asyncio.timeout(QUIET_S_MAX):
        while await database.number("SELECT count(*) FROM event WHERE seq IS NULL"):
            await asyncio.sleep(POLL_S)
    return await database.number("SELECT count(*) FROM event")


async def _differences(database: Database) -> int:
    async with opened(database.url, SystemClock()) as found:
        return sum((await verify(found)).violations.values())


def _figures(latencies_ms: list[float], seconds: int) -> Figures:
    ordered = sorted(latencies_ms)
    return {
        "operations": len(ordered),
        "per_s": len(ordered) / seconds,
        "p50_ms": percentile(ordered, 0.50),
        "p99_ms": percentile(ordered, 0.99),
    }


def _heard(heard: Heard) -> Figures:
    lags_ms = sorted(heard.lags_ms)
    if not lags_ms:
        return {"events_heard": 0}
    return {
        "events_heard": heard.events,
        "event_lag_p50_ms": percentile(lags_ms, 0.50),
        "event_lag_p99_ms": percentile(lags_ms, 0.99),
    }


def _mistakes(heard: Heard, told: int, differences: int, quiet_s: float) -> list[str]:
    mistakes = {
        f"{differences} differences in the books": differences > 0,
        f"followers heard {heard.events} events of {told}": heard.events != told,
        f"followers heard {heard.gaps} versions out of order": heard.gaps > 0,
        f"something still waits to be asked of a source after {quiet_s:.0f} s": quiet_s >= QUIET_S_MAX,
    }
    return [mistake for mistake, is_so in mistakes.items() if is_so]
