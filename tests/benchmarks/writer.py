"""The writer alone, without HTTP and without sources: what sharing transactions is worth, and what an order costs on disk.

The writer and those who submit to it share the thread of the loop. SQLite works in other threads of this process, PostgreSQL in
processes of its own.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import event
from sqlalchemy.engine import Engine

from connectors.contract import Address, Method, RemoteLocationId, Sku
from gateway.domain.fulfillments import Units
from gateway.domain.geography import Centroids, GeoPoint
from gateway.domain.identity import LocationId, SourceName
from gateway.domain.locations import Location, LocationKind
from gateway.domain.orders import Order
from gateway.domain.routing import Tariff
from gateway.domain.sourcing import DecisionRecord
from gateway.domain.stock import Reading
from gateway.ports import Once
from gateway.services.atlas import Atlas
from gateway.services.orders import Place, Purchase
from gateway.services.routing import Landscape, record, route
from gateway.storage.database import Database as OpenDatabase
from gateway.storage.database import opened
from gateway.storage.writer import GroupCommitWriter
from gateway.system import SystemClock, uuid7_maker
from tests.benchmarks.databases import Counts, Database, Databases, Kind
from tests.benchmarks.machine import cpu_s, written_bytes
from tests.benchmarks.report import Figures, Report, medians, quotient

SKUS = tuple(Sku(f"SKU-{number:04d}") for number in range(1, 6))
PLACES = 12
GROUPED, ALONE = 256, 1
SUBMITTERS = 200
WARM = 8

TO = Address(
    lines=("1 Main St",), city="Dallas", region="TX", postal_code="75201", country_code="US", latitude=32.8, longitude=-96.8
)


def landscape(now: datetime) -> Landscape:
    """Twelve places, each with more than enough of everything."""
    source = SourceName("warehouses")
    locations = tuple(
        Location(
            id=LocationId(f"{source}:{number}"),
            code=f"place-{number}",
            name=f"Place {number}",
            kind=LocationKind.WAREHOUSE,
            source=source,
            remote_id=RemoteLocationId(str(number)),
            time_zone="UTC",
            position=GeoPoint(latitude=30 + number, longitude=-90 - number),
        )
        for number in range(PLACES)
    )
    readings = {
        (sku, place.id): Reading(sku=sku, location=place.id, epoch=0, read_at=now, available=10_000_000)
        for place in locations
        for sku in SKUS
    }
    return Landscape(
        at=now,
        atlas=Atlas(locations=locations),
        readings=readings,
        silent=frozenset(),
        unheard=frozenset(),
        safety_units={},
        centroids=Centroids(points={}),
        tariff=Tariff(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How orders are written. ``planned``: where they come from was worked out before, as the gateway does it."""

    kind: Kind
    batch_max: int
    planned: bool

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.kind}, {self.batch_max} to a transaction, {'planned before' if self.planned else 'decided inside'}"


def ways(kinds: Sequence[Kind], *, planned: Sequence[bool] = (True, False)) -> list[Way]:
    """All of them."""
    return [
        Way(kind=kind, batch_max=batch_max, planned=each) for kind in kinds for each in planned for batch_max in (GROUPED, ALONE)
    ]


async def measure(
    made: Databases,
    *,
    kinds: Sequence[Kind],
    rounds: int,
    orders: int,
    orders_alone: int,
    advance: Callable[[], object],
    planned: Sequence[bool] = (True, False),
) -> Report:
    """Transactions shared by up to 256 orders against a transaction for each, turn about."""
    runs: dict[Way, list[Figures]] = {way: [] for way in ways(kinds, planned=planned)}
    for _ in range(rounds):
        for way, found in runs.items():
            many = orders if way.batch_max == GROUPED else orders_alone
            found.append(await written(await made.new(way.kind), way, many, advance))
    figures = {way: medians(found) for way, found in runs.items()}
    wrong = [
        f"{way.name}: {found['accepted']:.0f} accepted, not {found['orders']:.0f}"
        for way, each in runs.items()
        for found in each
        if found["accepted"] != found["orders"]
    ]
    return Report(
        name="writer",
        rounds=rounds,
        setup=f"orders of {len(SKUS)} lines over {PLACES} places by {SUBMITTERS} submitters",
        figures={way.name: found for way, found in figures.items()},
        ratios={
            f"{kind}, {'planned before' if each else 'decided inside'}: {GROUPED} / {ALONE} (per_s)": quotient(
                figures[Way(kind=kind, batch_max=GROUPED, planned=each)],
                figures[Way(kind=kind, batch_max=ALONE, planned=each)],
                "per_s",
            )
            for kind in kinds
            for each in planned
        },
        wrong=wrong,
    )


async def written(database: Database, way: Way, orders: int, advance: Callable[[], object]) -> Figures:
    """One run on a new database. The first orders only make statements ready and are not counted."""
    clock = SystemClock()
    seen, new_id = landscape(clock.now()), uuid7_maker(clock.now)
    plan = _plan(seen, new_id()) if way.planned else None
    async with opened(database.url, clock) as found:
        writer = GroupCommitWriter(
            database=found, clock=clock, new_id=new_id, committed=lambda _: None, batch_max=way.batch_max, wait_max_s=600
        )
        async with _running(writer):
            await _submit_all(writer, seen, plan, range(WARM), lambda: None)
            before = await _counted(found, database)
            async with _rows_written(found, database.kind) as rows:
                with _asked(found.writing.sync_engine) as asked:
                    started = _Spent.now(database)
                    accepted = await _submit_all(writer, seen, plan, range(WARM, WARM + orders), advance)
                    spent = _Spent.now(database)
            taken = (await _counted(found, database)).since(before)
    return {
        "per_s": orders / (spent.wall_s - started.wall_s),
        **_cpu(spent, started, orders),
        **_taken(taken, spent.written_bytes - started.written_bytes, rows[0], orders),
        "transactions_per_order": asked["commit"] / orders,
        "statements_per_order": asked["statement"] / orders,
        "transactions": asked["commit"],
        "orders": orders,
        "accepted": accepted,
    }


def _cpu(spent: "_Spent", before: "_Spent", orders: int) -> Figures:
    """Of the thread of the loop, of the others in this process, and of the database's processes, for each order."""
    loop_s = spent.loop_s - before.loop_s
    return {
        "loop_cpu_ms": loop_s * 1000 / orders,
        "threads_cpu_ms": (spent.process_s - before.process_s - loop_s) * 1000 / orders,
        "database_cpu_ms": (spent.database_s - before.database_s) * 1000 / orders,
    }


def _taken(taken: Counts, written: int, rows: int, orders: int) -> Figures:
    """On disk, for each order. What SQLite logs is what it writes: a page goes to the log, and from there to the file."""
    return {
        "bytes_per_order": sum(taken.bytes_by_table.values()) / orders,
        "log_bytes_per_order": (taken.log_bytes or written) / orders,
        "rows_per_order": (sum(taken.rows_by_table.values()) or rows) / orders,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spent:
    """What had been spent at one instant."""

    wall_s: float
    loop_s: float
    process_s: float
    database_s: float
    written_bytes: int

    @staticmethod
    def now(database: Database) -> "_Spent":
        return _Spent(
            wall_s=time.perf_counter(),
            loop_s=time.thread_time(),
            process_s=time.process_time(),
            database_s=0.0 if database.pid is None else cpu_s(database.pid),
            written_bytes=written_bytes(),
        )


@asynccontextmanager
async def _running(writer: GroupCommitWriter) -> AsyncIterator[None]:
    running = asyncio.create_task(writer.run())
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@contextmanager
def _asked(engine: Engine) -> Iterator[Counter[str]]:
    """Statements and transactions over that engine inside the block. A statement over many rows counts once."""
    asked: Counter[str] = Counter()

    def statement(*_: object) -> None:
        asked["statement"] += 1

    def commit(*_: object) -> None:
        asked["commit"] += 1

    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "commit", commit)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", statement)
        event.remove(engine, "commit", commit)


@asynccontextmanager
async def _rows_written(found: OpenDatabase, kind: Kind) -> AsyncIterator[list[int]]:
    """Rows that SQLite's one writing connection inserts, updates or deletes inside the block; known after it."""
    rows = [0]
    before = await _total_changes(found) if kind is Kind.SQLITE else 0
    yield rows
    if kind is Kind.SQLITE:
        rows[0] = await _total_changes(found) - before


async def _counted(found: OpenDatabase, database: Database) -> Counts:
    """What the database has taken so far, all that was written included."""
    if database.kind is Kind.POSTGRES:
        async with found.writing.begin() as connection:
            await connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
    return await database.counts()


async def _total_changes(found: OpenDatabase) -> int:
    async with found.writing.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        changes: int = raw.total_changes
    return changes


async def _submit_all(
    writer: GroupCommitWriter, seen: Landscape, plan: DecisionRecord | None, orders: range, advance: Callable[[], object]
) -> int:
    numbers = iter(orders)
    accepted = 0

    async def submitter() -> None:
        nonlocal accepted
        for number in numbers:
            once = Once(principal="benchmark", operation="orderPlace", key=str(number), request_hash="-")
            command = Place(purchase=_purchase(number), landscape=seen, by="benchmark", plan=plan)
            order = await writer.submit(command, returns=Order, once=once)
            accepted += order.version > 1
            advance()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(SUBMITTERS, len(orders))):
            group.create_task(submitter())
    return accepted


def _plan(seen: Landscape, decision: str) -> DecisionRecord:
    found = record(seen, route(seen, _purchase(0).wish(), {}, {}), order=None, decision_id=decision, at=seen.at)
    assert found is not None
    return found


def _purchase(number: int) -> Purchase:
    lines = tuple(Units(sku=sku, units=1) for sku in SKUS)
    return Purchase(channel="web", external_id=f"web-{number}", lines=lines, to=TO, method=Method.SHIP)
