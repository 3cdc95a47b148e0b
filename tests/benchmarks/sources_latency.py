"""What the gateway adds to the slowest of nine sources: its queries, against the same reads by the connectors alone."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import msgspec

from connectors.contract import Sku, StockLister, StockReader
from connectors.registry import Tools
from connectors.sandbox.network import System
from gateway.system import SystemClock
from tests.benchmarks import inventory_query
from tests.benchmarks.load import connected, percentile
from tests.benchmarks.machine import cpu_of
from tests.benchmarks.report import Figures
from tests.benchmarks.sources_stand import Stand, skus_of
from tests.benchmarks.stage import TOKEN

TOTALS: Final = """query ($skus: [String!]!, $age: Int) { inventory(skus: $skus, maxAgeSeconds: $age) {
  sku availableToPromise complete } }"""
QUERIES: Final[Mapping[str, str]] = {"totals": TOTALS, "product page": inventory_query.QUERY}


@dataclass(frozen=True, slots=True)
class Direct:
    """The connectors of all sources in this process, with nothing around them."""

    readers: Sequence[StockReader]

    async def read(self, skus: Sequence[Sku]) -> tuple[float, float]:
        """Have all of them read at once; how many milliseconds the slowest one took, and how many of the CPU all of them did."""
        began_s, used_s = time.perf_counter(), time.process_time()
        await asyncio.gather(*(reader.read_stock(skus) for reader in self.readers))
        return (time.perf_counter() - began_s) * 1000, (time.process_time() - used_s) * 1000


@contextmanager
def spared() -> Iterator[None]:
    """Inside the block, the collector of cycles leaves alone what was there before, as it does in the gateway."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@asynccontextmanager
async def direct(found: Stand) -> AsyncIterator[Direct]:
    """Connectors that know the products, configured as the gateway's are."""
    clock = SystemClock()
    readers = []
    async with AsyncExitStack() as stack:
        for source in found.sources:
            connector = source.spec.open(source.connection, Tools(now=clock.now, monotonic=clock.monotonic))
            stack.push_async_callback(connector.aclose)
            assert isinstance(connector, StockReader)
            assert isinstance(connector, StockLister)
            page = await connector.skus(None)
            while page.next is not None:
                page = await connector.skus(page.next)
            readers.append(connector)
        stack.enter_context(spared())
        yield Direct(readers)


async def measure(
    found: Stand, *, skus: int, pairs: int, slow: System, delay_ms: int, advance: Callable[[], object]
) -> dict[str, Figures]:
    """In turn, a read by the connectors and a query; with all sources as fast as they are, and with one of them slow."""
    wanted = skus_of(skus)
    figures = {}
    async with direct(found) as alone:
        for weather, late in (("", nullcontext()), (f", {slow} {delay_ms} ms slow", found.sandboxes.slow(slow, delay_ms=delay_ms))):
            async with late:
                for name, document in QUERIES.items():
                    body = msgspec.json.encode({"query": document, "variables": {"skus": wanted, "age": 0}})
                    figures[f"{name}{weather}"] = await _pairs(found, alone, wanted, body, pairs=pairs, advance=advance)
    return figures


async def _pairs(
    found: Stand, alone: Direct, skus: Sequence[str], body: bytes, *, pairs: int, advance: Callable[[], object]
) -> Figures:
    reads_ms: list[float] = []
    added_ms: list[float] = []
    alone_cpu_ms, gateway_cpu_ms = 0.0, 0.0
    async with connected(found.gateway.url, TOKEN) as connection:
        for pair in range(-1, pairs):  # the first one finds connections closed
            source_ms, cpu_ms = await alone.read([Sku(sku) for sku in skus])
            used_s, began_s = cpu_of(found.gateway.pid), time.perf_counter()
            answer = await connection.post(body)
            query_ms = (time.perf_counter() - began_s) * 1000
            reads_ms.append(source_ms)
            if pair >= 0:
                added_ms.append(query_ms - source_ms)
                alone_cpu_ms += cpu_ms
                gateway_cpu_ms += (cpu_of(found.gateway.pid) - used_s) * 1000
                advance()
            if b'"complete":false' in answer or b'"complete":true' not in answer:
                raise RuntimeError(f"the answer is not complete: {answer[:200]!r}")
    added_ms.sort()
    return {
        "slowest_source_p50_ms": percentile(sorted(reads_ms[1:]), 0.50),
        "added_p50_ms": percentile(added_ms, 0.50),
        "added_p99_ms": percentile(added_ms, 0.99),
        "next_read_added_p99_ms": percentile(sorted(after - before for before, after in pairwise(reads_ms)), 0.99),
        "gateway_cpu_ms": gateway_cpu_ms / pairs,
        "added_cpu_ms": (gateway_cpu_ms - alone_cpu_ms) / pairs,
    }
