"""Followers of all orders, in a process of their own: how late they hear of what happened, and whether they hear all of it."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import click
import msgspec

from tests.benchmarks.load import connected
from tests.benchmarks.stage import START_S_MAX, TOKEN, ended, process

NOW = "{ orders { eventCursor } }"
FOLLOW = """subscription ($after: String) { orderEvents(after: $after) {
  cursor type occurredAt version actor order { id number status } } }"""
READY = b"following\n"


class Heard(msgspec.Struct, kw_only=True):
    """What all streams of one process heard together. A gap: a version of an order came that is not the next one."""

    events: int = 0
    gaps: int = 0
    lags_ms: list[float] = []


class _Order(msgspec.Struct):
    id: str


class _Happened(msgspec.Struct, rename="camel"):
    occurred_at: datetime
    version: int
    order: _Order


class _Events(msgspec.Struct, rename="camel"):
    order_events: _Happened


class _Result(msgspec.Struct):
    data: _Events


class _Page(msgspec.Struct, rename="camel"):
    event_cursor: str


class _Orders(msgspec.Struct):
    orders: _Page


class _Answer(msgspec.Struct):
    data: _Orders


_result = msgspec.json.Decoder(_Result)


@dataclass(slots=True)
class Following:
    """Followers at work. ``heard`` is filled once the block around them ends."""

    heard: Heard


@asynccontextmanager
async def following(url: str, *, streams: int) -> AsyncIterator[Following]:
    """So many followers of every event from now on, in a process of their own."""
    found = Following(Heard())
    async with process("tests.benchmarks.follower", url, "--streams", str(streams), log=None) as running:
        assert running.stdout is not None
        async with asyncio.timeout(START_S_MAX):
            said = await running.stdout.readline()
        assert said == READY, said
        yield found
        found.heard = msgspec.json.decode(await ended(running), type=Heard)


@click.command()
@click.argument("url")
@click.option("--streams", default=1)
def main(*, url: str, streams: int) -> None:
    """Follow until told to stop, then say what was heard."""
    click.echo(msgspec.json.encode(asyncio.run(_follow_all(url, streams))))


async def _follow_all(url: str, streams: int) -> Heard:
    heard, stop = Heard(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with connected(url, TOKEN) as connection:
        answer = msgspec.json.decode(await connection.post(msgspec.json.encode({"query": NOW})), type=_Answer)
    open_streams = [await _opened(url, answer.data.orders.event_cursor) for _ in range(streams)]
    tasks = [asyncio.create_task(_listen(reader, heard)) for reader, _ in open_streams]
    click.echo(READY, nl=False)
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for _, writer in open_streams:
        writer.close()
    return heard


async def _opened(url: str, cursor: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream of server-sent events whose head has come."""
    at = urlsplit(url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port, limit=2**20)
    body = msgspec.json.encode({"query": FOLLOW, "variables": {"after": cursor}})
    writer.write(
        f"POST {at.path} HTTP/1.1\r\nhost: {at.netloc}\r\nauthorization: Bearer {TOKEN}\r\naccept: text/event-stream\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        + body
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head.splitlines()[0], head
    return reader, writer


async def _listen(reader: asyncio.StreamReader, heard: Heard) -> None:
    """Lines that begin with ``data:`` are results; the rest frames them."""
    versions: dict[str, int] = {}
    async for line in reader:
        if not line.startswith(b"data: {"):
            continue
        happened = _result.decode(line[6:]).data.order_events
        heard.events += 1
        heard.lags_ms.append((datetime.now(UTC) - happened.occurred_at).total_seconds() * 1000)
        heard.gaps += happened.version != versions.get(happened.order.id, happened.version - 1) + 1
        versions[happened.order.id] = happened.version


if __name__ == "__main__":
    main()
