"""The practical limit in Python: an endpoint without a gateway in it.

It makes the same upstream requests with the same httpx, decodes what comes, and encodes the document that the gateway answered
with. No graph, no resilience, no promises, no provenance: what it takes is what nobody could save.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click
import httpx
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.contract import Sku, StockLister, StockReader
from connectors.registry import Tools
from gateway.settings import SourceSettings
from gateway.system import SystemClock
from tests.benchmarks.stage import START_S_MAX, Server, answering, free_port, process


class Asked(msgspec.Struct):
    """One upstream request."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    content: bytes


class Known(msgspec.Struct):
    """What is asked for together: the upstream requests that it takes, and the document that it is answered with."""

    upstream: list[Asked]
    document: dict[str, Any]


class _Variables(msgspec.Struct):
    skus: list[str]


class _Body(msgspec.Struct):
    query: str
    variables: _Variables


class Recording(httpx.AsyncBaseTransport):
    """The network, and a note of every request that goes out to it."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._network = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        self.asked.append(Asked(request.method, str(request.url), list(request.headers.multi_items()), content))
        return await self._network.handle_async_request(request)

    async def aclose(self) -> None:
        await self._network.aclose()


async def recorded(sources: Sequence[SourceSettings], sets: Sequence[Sequence[str]]) -> list[list[Asked]]:
    """What our connectors send, once they are warm, to read each of these sets of SKUs."""
    clock, network = SystemClock(), Recording()
    connectors = [
        each.spec.open(each.connection, Tools(now=clock.now, monotonic=clock.monotonic, transport=network)) for each in sources
    ]
    found: list[list[Asked]] = [[] for _ in sets]
    for connector in connectors:
        assert isinstance(connector, StockReader)
        assert isinstance(connector, StockLister)
        page = await connector.skus(None)
        while page.next is not None:
            page = await connector.skus(page.next)
        for known, skus in zip(found, sets, strict=True):
            wanted = [Sku(sku) for sku in skus]
            await connector.read_stock(wanted)  # learns what is not there
            network.asked.clear()
            await connector.read_stock(wanted)
            known.extend(network.asked)
        await connector.aclose()
    await network.aclose()
    return found


def app_of(known: dict[str, Known]) -> Starlette:
    """The endpoint, by the first SKU that is asked for: ``/live`` asks the sources, ``/hot`` has asked them before."""
    http = httpx.AsyncClient(trust_env=False, timeout=30)

    async def ask(asked: Asked) -> Any:
        answer = await http.request(asked.method, asked.url, headers=asked.headers, content=asked.content)
        return msgspec.json.decode(answer.content)

    async def what(request: Request) -> Known:
        return known[msgspec.json.decode(await request.body(), type=_Body).variables.skus[0]]

    async def live(request: Request) -> Response:
        wanted = await what(request)
        await asyncio.gather(*(ask(each) for each in wanted.upstream))
        return _json(wanted.document)

    async def hot(request: Request) -> Response:
        return _json((await what(request)).document)

    async def ready(_request: Request) -> Response:
        return _json({})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with http:
            yield

    routes = [Route("/live", live, methods=["POST"]), Route("/hot", hot, methods=["POST"]), Route("/readyz", ready)]
    return Starlette(routes=routes, lifespan=lifespan)


def _json(content: object) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")


@asynccontextmanager
async def bare(known: dict[str, Known], folder: Path) -> AsyncIterator[Server]:
    """The endpoint in a process of its own."""
    file, log, port = folder / "bare.json", folder / "bare.log", free_port()
    file.write_bytes(msgspec.json.encode(known))
    async with process("tests.benchmarks.bare", str(file), str(port), log=log) as running:
        async with asyncio.timeout(START_S_MAX):
            await answering(f"http://127.0.0.1:{port}/readyz", running, log)
        yield Server(url=f"http://127.0.0.1:{port}", pid=running.pid)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("port", type=int)
def main(*, file: Path, port: int) -> None:
    known = msgspec.json.decode(file.read_bytes(), type=dict[str, Known])
    uvicorn.run(app_of(known), port=port, log_config=None, access_log=False)


if __name__ == "__main__":
    main()
