"""The writer alone, without HTTP and without sources: what sharing transactions is worth, and what an order costs on disk."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.contract import Address, Method, RemoteLocationId, Sku
from gateway.domain.fulfillments import Units
from gateway.domain.geography import Centroids, GeoPoint
from gateway.domain.identity import LocationId, SourceName
from gateway.domain.locations import Location, LocationKind
from gateway.domain.orders import Order
from gateway.domain.routing import Tariff
from gateway.domain.stock import Reading
from gateway.ports import Once
from gateway.services.orders import Place, Purchase
from gateway.services.routing import Landscape
from gateway.storage.database import opened
from gateway.storage.writer import GroupCommitWriter
from gateway.system import SystemClock, uuid7_maker
from tests.benchmarks.report import Figures, Report, medians, quotient

SKUS = tuple(Sku(f"SKU-{number:04d}") for number in range(1, 6))
PLACES = 12
GROUPED, ALONE = 64, 1
SUBMITTERS = 200

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
        locations=locations,
        readings=readings,
        silent=frozenset(),
        unheard=frozenset(),
        safety_units={},
        centroids=Centroids(points={}),
        tariff=Tariff(),
    )


async def measure(folder: Path, *, rounds: int, orders: int, orders_alone: int, advance: Callable[[], object]) -> Report:
    """Transactions shared by up to 64 orders against a transaction for each, turn about."""
    runs: dict[int, list[Figures]] = {GROUPED: [], ALONE: []}
    for turn in range(rounds):
        for batch_max, many in ((GROUPED, orders), (ALONE, orders_alone)):
            runs[batch_max].append(await _run(folder / f"{turn}-{batch_max}.sqlite3", batch_max, many, advance))
    grouped, alone = medians(runs[GROUPED]), medians(runs[ALONE])
    accepted = [each["accepted"] for each in runs[GROUPED]]
    return Report(
        name="writer",
        rounds=rounds,
        setup=f"orders of {len(SKUS)} lines over {PLACES} places by {SUBMITTERS} submitters",
        figures={f"at most {GROUPED} in a transaction": grouped, f"{ALONE} in a transaction": alone},
        ratios={"grouped / alone (per_s)": quotient(grouped, alone, "per_s")},
        facts={"accepted": accepted[-1]},
        wrong=[] if set(accepted) == {orders} else [f"{accepted} accepted, not {orders} each"],
    )


async def _run(file: Path, batch_max: int, orders: int, advance: Callable[[], object]) -> Figures:
    clock = SystemClock()
    seen, new_id = landscape(clock.now()), uuid7_maker(clock.now)
    url = f"sqlite:///{file}"
    async with opened(url, clock):
        pass  # closing it folds its log into the file
    empty_bytes = _size(file)
    async with opened(url, clock) as database:
        writer = GroupCommitWriter(
            database=database, clock=clock, new_id=new_id, committed=lambda _: None, batch_max=batch_max, wait_max_s=600
        )
        running = asyncio.create_task(writer.run())
        before_rows = await _rows_written(database.writing)
        cpu_started_s, started_s = time.process_time(), time.perf_counter()
        accepted = await _submit_all(writer, seen, orders, advance)
        wall_s, cpu_ended_s = time.perf_counter() - started_s, time.process_time()
        after_rows = await _rows_written(database.writing)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    return {
        "per_s": orders / wall_s,
        "cpu_ms_per_order": (cpu_ended_s - cpu_started_s) * 1000 / orders,
        "bytes_per_order": (_size(file) - empty_bytes) / orders,
        "rows_per_order": (after_rows - before_rows) / orders,
        "accepted": accepted,
    }


async def _submit_all(writer: GroupCommitWriter, seen: Landscape, orders: int, advance: Callable[[], object]) -> int:
    numbers = iter(range(orders))
    accepted = 0

    async def submitter() -> None:
        nonlocal accepted
        for number in numbers:
            once = Once(principal="benchmark", operation="orderPlace", key=str(number), request_hash="-")
            order = await writer.submit(Place(purchase=_purchase(number), landscape=seen, by="benchmark"), returns=Order, once=once)
            accepted += order.version > 1
            advance()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(SUBMITTERS, orders)):
            group.create_task(submitter())
    return accepted


def _purchase(number: int) -> Purchase:
    lines = tuple(Units(sku=sku, units=1) for sku in SKUS)
    return Purchase(channel="web", external_id=f"web-{number}", lines=lines, to=TO, method=Method.SHIP)


def _size(file: Path) -> int:
    return file.stat().st_size


async def _rows_written(engine: AsyncEngine) -> int:
    """Rows that this engine's one connection has inserted, updated or deleted so far."""
    async with engine.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        changes: int = raw.total_changes
    return changes
