"""Many clients at once, each on a connection of its own.

The client is a few lines on asyncio's streams, because it shares two cores with what it measures: httpx would cost more than some
of the answers do.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

from tests.benchmarks.report import Figures

ANSWER_S_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection that is kept alive."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: str

    async def post(self, body: bytes) -> bytes:
        """The body of the answer, whatever its status."""
        self.writer.write(f"{self.head}content-length: {len(body)}\r\n\r\n".encode() + body)
        async with asyncio.timeout(ANSWER_S_MAX):
            headers = (await self.reader.readuntil(b"\r\n\r\n")).lower()
            _, _, rest = headers.partition(b"\r\ncontent-length:")
            return await self.reader.readexactly(int(rest.partition(b"\r\n")[0]))


@asynccontextmanager
async def connected(url: str, token: str = "") -> AsyncIterator[Connection]:
    """A connection to that address."""
    at = urlsplit(url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port, limit=2**20)
    head = f"POST {at.path} HTTP/1.1\r\nhost: {at.netloc}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
    try:
        yield Connection(reader, writer, head)
    finally:
        writer.close()
        await writer.wait_closed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How long it took altogether, and each request for itself, sorted."""

    wall_s: float
    latencies_ms: tuple[float, ...]

    def figures(self) -> Figures:
        """Throughput and the latencies that matter."""
        return {
            "per_s": len(self.latencies_ms) / self.wall_s,
            "p50_ms": percentile(self.latencies_ms, 0.50),
            "p99_ms": percentile(self.latencies_ms, 0.99),
        }


def percentile(ordered: Sequence[float], part: float) -> float:
    """The value that so much of them do not exceed; there must be one."""
    return ordered[round((len(ordered) - 1) * part)]


async def drive(
    url: str,
    *,
    token: str,
    clients: int,
    requests: int,
    body: Callable[[int, int], bytes],
    look: Callable[[bytes], None],
    advance: Callable[[], object],
) -> Load:
    """So many requests by so many clients, each sending its next when it has its answer.

    ``body`` makes a request from the numbers of client and request; ``look`` sees every answer; ``advance`` moves a progress bar.
    """
    latencies_ms: list[float] = []
    numbers = count()
    go = asyncio.Event()

    async def client(number: int) -> None:
        async with connected(url, token) as connection:
            await go.wait()
            while (turn := next(numbers)) < requests:
                sent = body(number, turn)
                started_s = time.perf_counter()
                answer = await connection.post(sent)
                latencies_ms.append((time.perf_counter() - started_s) * 1000)
                look(answer)
                advance()

    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(client(number))
        started_s = time.perf_counter()
        go.set()
    return Load(wall_s=time.perf_counter() - started_s, latencies_ms=tuple(sorted(latencies_ms)))
