"""A server on a real socket that does with its connections what it is told."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import monotonic
from types import MappingProxyType

import httpx

from connectors.client import Client, Limits
from connectors.client.letter import Letter
from connectors.registry import Tools

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=monotonic)
CAP_BYTES = 100_000


class Source:
    """A server that reads each request whole, remembers it, and answers as told."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.connections = 0
        self.dropped = asyncio.Event()
        self.busy = asyncio.Semaphore(0)
        self.tasks: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.add(asyncio.create_task(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b"0")
                self.requests.append(head + await reader.readexactly(int(length)))
                self.busy.release()
                await self.answer(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.dropped.set()
        finally:
            writer.close()


@asynccontextmanager
async def listening(
    answer: Answer, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, Source]]:
    """Its URL, and what it sees."""
    source = Source(answer)
    server = await asyncio.start_server(source.accept, host, 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}", source
    finally:
        server.close()
        await server.wait_closed()
        for task in source.tasks:
            task.cancel()
        await asyncio.gather(*source.tasks, return_exceptions=True)


@asynccontextmanager
async def speaking(
    answer: Answer, *, attempt_timeout_s: float = 2.0, attempts_max: int = 1
) -> AsyncIterator[tuple[Client, Source]]:
    """A client, and what it speaks with."""
    async with listening(answer) as (url, source):
        limits = Limits(attempt_timeout_s=attempt_timeout_s, attempts_max=attempts_max, response_bytes_max=CAP_BYTES)
        client = Client(base_url=url, tools=TOOLS, limits=limits)
        try:
            yield client, source
        finally:
            await client.aclose()


def letter(
    url: str, method: str = "POST", content: bytes | None = b"{}", *, headers: Mapping[str, str] = MappingProxyType({})
) -> Letter:
    return Letter(method=method, url=httpx.URL(url), asked="", headers=headers, content=content)


def raw(head: str, body: bytes = b"", *, close: bool = False) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {head}\r\n\r\n".encode() + body)
        await writer.drain()
        if close:
            writer.close()

    return answer


def whole(body: bytes, *headers: str) -> Answer:
    return raw("\r\n".join(["200 OK", f"content-length: {len(body)}", *headers]), body)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def say_nothing(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()
