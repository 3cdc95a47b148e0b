"""What a gateway takes to remember stock, in a process of its own: bytes for each level, and whether there is an end to them."""

import asyncio
import gc
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

import click
import msgspec

from connectors.client import chunked
from connectors.contract import (
    ConnectorInfo,
    Health,
    Idempotency,
    RemoteLevel,
    RemoteLocation,
    RemoteLocationId,
    Sku,
    SourceKind,
    StockBatch,
    StockDrop,
)
from gateway.app import Parts, running
from gateway.domain.identity import SourceName
from gateway.ports import Source
from gateway.services.readings import Readings
from gateway.settings import Settings, Stock, Store, StoreUrl
from tests.benchmarks.machine import rss_mib

BATCH: Final = 1_000
MORE: Final = 1.2
DEADLINE_S: Final = 600.0
BYTES_PER_LEVEL_EXPECTED: Final = 300  # more than it takes, so that a machine is not brought to its knees
HALL: Final = SourceName("hall")


class Memory(msgspec.Struct, kw_only=True):
    """Memory in MiB before, with so many levels kept, and after a fifth more SKUs were read. ``kept``: SKUs that were then.

    ``gc_ms`` is how long the collector stops everything to look through all of it, ``gc_objects`` how many it looks at.
    """

    skus: int
    levels: int
    empty_mib: float
    full_mib: float
    more_mib: float
    kept: int
    gc_ms: float
    gc_objects: int

    @property
    def bytes_per_level(self) -> float:
        """What each takes, the caches' own part included."""
        return (self.full_mib - self.empty_mib) * 2**20 / self.levels

    def wrong(self) -> list[str]:
        """What is not as it must be."""
        return [f"{self.kept} SKUs are kept, not {self.skus}"] if self.kept != self.skus else []


@dataclass(slots=True, kw_only=True)
class Hall:
    """A source with many locations, each of which has some of everything. No two levels share a number or a time."""

    info: ConnectorInfo
    locations_: Sequence[RemoteLocation]

    async def aclose(self) -> None:
        pass

    async def health(self) -> Health:
        return Health(ok=True)

    async def locations(self) -> tuple[RemoteLocation, ...]:
        return tuple(self.locations_)

    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        random = Random(skus[0])
        began = datetime(2026, 1, 1, tzinfo=UTC)
        levels = []
        for sku in skus:
            for place in self.locations_:
                on_hand, committed = random.randrange(2_000), random.randrange(50)
                levels.append(
                    RemoteLevel(
                        sku=sku,
                        location=place.id,
                        on_hand=on_hand,
                        available=on_hand - committed,
                        committed=committed,
                        as_of=began + timedelta(seconds=random.randrange(10**7)),
                    )
                )
        return StockBatch(levels=tuple(levels), names={sku: f"Product {sku}" for sku in skus})


def fitting(skus: int, locations: int) -> int:
    """So many SKUs, or fewer where that would take more than half of the memory that there is."""
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    free_kib = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    return min(skus, free_kib * 1024 // 2 // (BYTES_PER_LEVEL_EXPECTED * locations))


async def measured(*, skus: int, locations: int) -> Memory:
    """Start one, and let it start another process that fills a gateway's memory."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, "--skus", str(skus), "--locations", str(locations), stdout=asyncio.subprocess.PIPE
    )
    try:
        printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return msgspec.json.decode(printed, type=Memory)


async def filled(folder: Path, *, skus: int, locations: int) -> Memory:
    """Fill the memory of a gateway in this process with so many SKUs, and then with a fifth more."""
    info = ConnectorInfo(
        kind=SourceKind.WAREHOUSE,
        connector="hall",
        stock_drop=StockDrop.ON_ACCEPT,
        visibility_delay_s=0,
        idempotency=Idempotency.KEY,
        batch_skus_max=BATCH,
        fresh_for_s=3_600,
    )
    places = [RemoteLocation(id=RemoteLocationId(f"{number}"), name=f"Hall {number}") for number in range(locations)]
    source = Source(name=HALL, label="Halls", kind=SourceKind.WAREHOUSE, connector=Hall(info=info, locations_=places))
    settings = Settings(
        sources=(),
        tokens=(),
        store=Store(url=StoreUrl(f"sqlite:///{folder / 'dom.sqlite3'}"), verify_s=0),
        stock=Stock(skus_kept_max=skus, renew_skus_max=0, reconcile_s=0),
    )
    async with running(settings, Parts(sources={HALL: source})) as services:
        desk = services.readings.desks[HALL]
        empty_mib = _mib()
        await _read(services.readings, 0, skus)
        full_mib, levels = _mib(), sum(len(kept.readings) for kept in desk.cache.values())
        began_s = time.perf_counter()
        gc.collect()
        gc_ms, gc_objects = (time.perf_counter() - began_s) * 1000, len(gc.get_objects())
        await _read(services.readings, skus, round(skus * MORE))
        return Memory(
            skus=skus,
            levels=levels,
            empty_mib=empty_mib,
            full_mib=full_mib,
            more_mib=_mib(),
            kept=len(desk.cache),
            gc_ms=gc_ms,
            gc_objects=gc_objects,
        )


async def _read(readings: Readings, start: int, end: int) -> None:
    for some in chunked([Sku(f"SKU-{number:07d}") for number in range(start, end)], BATCH):
        await readings.read(some, deadline_s=DEADLINE_S)


def _mib() -> float:
    gc.collect()
    return rss_mib(os.getpid())


@click.command()
@click.option("--skus", type=int)
@click.option("--locations", type=int)
def main(*, skus: int, locations: int) -> None:
    """Say what it takes."""
    with tempfile.TemporaryDirectory(prefix="dom-benchmark-") as folder:
        click.echo(msgspec.json.encode(asyncio.run(filled(Path(folder), skus=skus, locations=locations))))


if __name__ == "__main__":
    main()
