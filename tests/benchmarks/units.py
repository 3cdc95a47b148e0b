"""What one of each thing costs: the small table that ``scale`` calculates from, kept in ``units.json``.

CPU is that of a gateway at work for many at once, without what it uses while nothing happens. Placing an order and asking its
source to send it are told apart by having the source's answer wait until all orders are placed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.storage.database import READERS_MAX, opened
from gateway.storage.statements import add
from gateway.storage.tables import shelf
from gateway.system import SystemClock
from tests.benchmarks import place_order, writer
from tests.benchmarks.databases import Counts, Database, Databases, Kind
from tests.benchmarks.follower import following
from tests.benchmarks.load import drive
from tests.benchmarks.machine import rss_mib
from tests.benchmarks.order_mix import HOLD, LOOK, STOCK
from tests.benchmarks.report import Report
from tests.benchmarks.stage import TOKEN, Run, Sandboxes, Variant, at_work

KEPT: Final = Path(__file__).parent / "units.json"
FRESH_FOR_S: Final = 3_600.0
CLIENTS: Final = 16
FOLLOWERS: Final = 40
SETS: Final = 2 * CLIENTS
SETS_FIRST: Final = 13  # the SKUs before it are shaped by hand
SKUS_IN_A_SET: Final = 5
PRODUCTS: Final = SETS_FIRST + SETS * SKUS_IN_A_SET
IDLE_S: Final = 3.0
TELL_S: Final = 2.0
QUIET_S_MAX: Final = 600.0
LATE_MS: Final = 4_000  # less than what an attempt at a source may take
CREATES: Final = '"create"'
SHELVES: Final = 10_000


class Cpu(msgspec.Struct, kw_only=True, frozen=True):
    """Milliseconds of CPU: in the gateway, and in the database's server, where it has one."""

    gateway_ms: float
    database_ms: float = 0.0


class Units(msgspec.Struct, kw_only=True, frozen=True):
    """What one of each costs on one database.

    An order has five lines at one location; its bytes, rows and log are those of the order placed, told, and asked of its source.
    ``event``: handing one event to one follower. ``idle``: a second in which nothing happens. A transaction takes
    ``transaction_ms`` and ``order_in_transaction_ms`` for each order in it. Log is PostgreSQL's: SQLite does not count it.
    """

    place: Cpu
    job: Cpu
    hold: Cpu
    stock_cold: Cpu
    stock_hot: Cpu
    look_up: Cpu
    event: Cpu
    idle: Cpu
    requests_per_job: float
    events_per_order: float
    bytes_per_order: Mapping[str, float]
    rows_per_order: Mapping[str, float]
    log_bytes_per_order: float
    bytes_per_hold: float
    log_bytes_per_hold: float
    bytes_per_shelf: float
    transaction_ms: float
    order_in_transaction_ms: float
    gateway_mib: float
    connections: int = READERS_MAX + 1


class Kept(msgspec.Struct, kw_only=True, frozen=True):
    """The table in ``units.json``, and what it was measured on."""

    machine: Mapping[str, str]
    units: Mapping[Kind, Units]


def kept() -> Kept:
    """What was last measured and kept."""
    return msgspec.json.decode(KEPT.read_bytes(), type=Kept)


def keep(found: Kept) -> None:
    """Have it calculated from."""
    KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")


@dataclass(slots=True, kw_only=True)
class Meter:
    """Measures what a gateway uses for so many of something, but for what it would have used anyway."""

    run: Run
    idle: Cpu = field(default_factory=lambda: Cpu(gateway_ms=0.0))

    @asynccontextmanager
    async def of(self, many: int) -> AsyncIterator[list[Cpu]]:
        """The cost of each of so many things that the block does; known after it."""
        costs: list[Cpu] = []
        before, started_s = self.run.used(), time.monotonic()
        yield costs
        used, wall_s = self.run.used().since(before), time.monotonic() - started_s
        spent = used.figures(1)
        costs.append(
            Cpu(
                gateway_ms=round((spent["gateway_cpu_ms"] - wall_s * self.idle.gateway_ms) / many, 3),
                database_ms=round((spent["database_cpu_ms"] - wall_s * self.idle.database_ms) / many, 3),
            )
        )

    async def each(self, many: int, body: Callable[[int], bytes]) -> Cpu:
        """The cost of a request, of so many."""
        async with self.of(many) as costs:
            await ask(self.run, many, body)
        return costs[0]


async def ask(run: Run, many: int, body: Callable[[int], bytes]) -> None:
    """So many requests by clients at once; each must succeed."""

    await drive(
        run.server.url,
        token=TOKEN,
        clients=CLIENTS,
        requests=many,
        body=lambda _, number: body(number),
        look=must_succeed,
        advance=lambda: None,
    )


def must_succeed(answer: bytes) -> None:
    """See to it that nothing went wrong: what fails costs something else."""
    assert b'"errors":' not in answer, answer
    assert b'"userErrors":[{' not in answer, answer


async def measure(
    kind: Kind,
    made: Databases,
    sources: Sandboxes,
    *,
    operations: int,
    late_ms: int = LATE_MS,
    advance: Callable[[], object],
) -> Units:
    """Everything about one database."""
    async with at_work(Variant(kind=kind), made, sources.urls, fresh_for_s=FRESH_FOR_S) as run:
        await ask(run, CLIENTS * 2, place_order.body)
        await ask(run, SETS, stock(None))
        await quiet(run.database)
        meter = Meter(run=run)
        async with meter.of(1) as waited:
            await asyncio.sleep(IDLE_S)
        meter.idle = Cpu(gateway_ms=waited[0].gateway_ms / IDLE_S, database_ms=waited[0].database_ms / IDLE_S)
        reads = {
            "stock_cold": await meter.each(operations, stock(0)),
            "stock_hot": await meter.each(operations, stock(None)),
            "look_up": await meter.each(operations, await look_up(run)),
            "idle": meter.idle,
        }
        advance()
        held = await _holds(meter, operations)
        advance()
        placed = await _orders(meter, sources, operations, late_ms)
        advance()
        event = await _event(meter, sources, operations, late_ms, placed["place"])
        gateway_mib = rss_mib(run.server.pid)
    advance()
    return msgspec.convert(
        {
            **msgspec.to_builtins({**reads, **held, **placed, "event": event}),
            **await _transaction(kind, made, operations),
            "bytes_per_shelf": await _shelf(await made.new(kind)),
            "gateway_mib": gateway_mib,
        },
        type=Units,
    )


async def _holds(meter: Meter, many: int) -> dict[str, Any]:
    before = await counted(meter.run.database)
    hold = await meter.each(many, held)
    taken = (await counted(meter.run.database)).since(before)
    return {
        "hold": hold,
        "bytes_per_hold": sum(taken.bytes_by_table.values()) / many,
        "log_bytes_per_hold": taken.log_bytes / many,
    }


async def _orders(meter: Meter, sources: Sandboxes, many: int, late_ms: int) -> dict[str, Any]:
    """Placed while the source keeps everybody waiting; then asked of it."""
    before, events = await counted(meter.run.database), await told(meter.run.database)
    await sources.forget()
    async with meter.of(many) as place, sources.slow("odoo", body=CREATES, delay_ms=late_ms):
        await ask(meter.run, many, lambda number: place_order.body(1_000_000 + number))
    async with meter.of(many) as job:
        await quiet(meter.run.database)
    new_events = await told(meter.run.database) - events
    taken = (await counted(meter.run.database)).since(before)
    return {
        "place": place[0],
        "job": job[0],
        "requests_per_job": await sources.asked() / many,
        "events_per_order": new_events / many,
        "bytes_per_order": {name: value / many for name, value in taken.bytes_by_table.items()},
        "rows_per_order": {name: value / many for name, value in taken.rows_by_table.items()},
        "log_bytes_per_order": taken.log_bytes / many,
    }


async def _event(meter: Meter, sources: Sandboxes, many: int, late_ms: int, place: Cpu) -> Cpu:
    """What placing orders costs more while they are followed."""
    database = meter.run.database
    async with (
        sources.slow("odoo", body=CREATES, delay_ms=late_ms),
        following(meter.run.server.url, streams=FOLLOWERS) as followed,
        meter.of(1) as costs,
    ):
        await ask(meter.run, many, lambda number: place_order.body(2_000_000 + number))
        while await database.number("SELECT count(*) FROM event WHERE seq IS NULL"):
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)  # for the last of them to be handed on
    await quiet(database)
    handed = max(followed.heard.events, 1)
    return Cpu(
        gateway_ms=max(costs[0].gateway_ms - many * place.gateway_ms, 0) / handed,
        database_ms=max(costs[0].database_ms - many * place.database_ms, 0) / handed,
    )


async def _transaction(kind: Kind, made: Databases, many: int) -> dict[str, float]:
    """From the writer alone: a straight line through transactions of one order and of many."""
    took_ms = {}
    for batch_max in (writer.ALONE, writer.GROUPED):
        way = writer.Way(kind=kind, batch_max=batch_max, planned=True)
        found = await writer.written(await made.new(kind), way, many, lambda: None)
        took_ms[found["orders"] / found["transactions"]] = found["orders"] / found["per_s"] / found["transactions"] * 1000
    (few, few_ms), (grouped, grouped_ms) = sorted(took_ms.items())
    order_ms = (grouped_ms - few_ms) / (grouped - few)
    return {"transaction_ms": few_ms - few * order_ms, "order_in_transaction_ms": order_ms}


async def _shelf(database: Database) -> float:
    """Bytes of one SKU at one location."""
    before = await database.counts()
    rows = [(f"SKU-{number:06d}", "warehouse:1", 0, 1, 0, 1, b"[]") for number in range(SHELVES)]
    async with opened(database.url, SystemClock()) as found, found.writing.begin() as connection:
        await add(connection, shelf, rows)
    return sum((await database.counts()).since(before).bytes_by_table.values()) / SHELVES


# ---------------------------------------------------------------------------------------------- what is asked
def stock(age: int | None) -> Callable[[int], bytes]:
    """Stock of five SKUs, others for each client: they would share reads. ``age``: 0, read now; None, from memory while fresh."""
    query = STOCK.replace("($skus: [String!]!)", "($skus: [String!]!, $age: Int)").replace(
        "(skus: $skus)", "(skus: $skus, maxAgeSeconds: $age)"
    )
    sets = [[f"SKU-{SETS_FIRST + SKUS_IN_A_SET * each + number:04d}" for number in range(SKUS_IN_A_SET)] for each in range(SETS)]
    bodies = [_body(query, skus=skus, age=age) for skus in sets]
    return lambda number: bodies[number % SETS]


async def look_up(run: Run) -> Callable[[int], bytes]:
    """One order by its id."""
    body = LOOK.replace("$id: ID!", "$number: String!").replace("id: $id", "number: $number")
    numbers = await run.database.texts("SELECT number FROM customer_order LIMIT 100")
    return lambda number: _body(body, number=numbers[number % len(numbers)])


def held(number: int) -> bytes:
    """A hold of two lines."""
    lines = [{"sku": sku, "units": 1} for sku in place_order.SKUS[:2]]
    return _body(HOLD, input={"idempotencyKey": f"hold-{number}", "lines": lines, "ttlSeconds": 3_600})


async def quiet(database: Database) -> None:
    """Wait until nothing waits to be asked of a source any more, and all events have their number."""
    async with asyncio.timeout(QUIET_S_MAX):
        while await database.number(place_order.JOBS_DUE) or await database.number("SELECT count(*) FROM event WHERE seq IS NULL"):
            await asyncio.sleep(0.2)


async def counted(database: Database) -> Counts:
    """What the database has taken so far. A session of PostgreSQL that is at work tells it once a second."""
    if database.kind is Kind.POSTGRES:
        await asyncio.sleep(TELL_S)
    return await database.counts()


async def told(database: Database) -> int:
    """Events so far."""
    return await database.number("SELECT count(*) FROM event")


def _body(query: str, **variables: object) -> bytes:
    return msgspec.json.encode({"query": query, "variables": variables})


# ---------------------------------------------------------------------------------------------- for people
def report(found: Mapping[Kind, Units], *, operations: int) -> Report:
    """A row for each cost, a column for each database."""
    flat = {kind: dict(_flat(msgspec.to_builtins(units))) for kind, units in found.items()}
    names: Sequence[str] = list(dict.fromkeys(name for each in flat.values() for name in each))
    return Report(
        name="units",
        rounds=1,
        setup=f"what one of each costs, from {operations} of each",
        figures={name: {kind.value: each[name] for kind, each in flat.items() if name in each} for name in names},
    )


def _flat(costs: Mapping[str, Any]) -> list[tuple[str, float]]:
    return [
        (f"{name}: {part}" if part else name, value)
        for name, cost in costs.items()
        for part, value in (cost.items() if isinstance(cost, dict) else [("", cost)])
    ]
