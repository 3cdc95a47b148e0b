"""The gateway behind a real socket, and a client of its sockets that sees every frame."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from connectors.sandbox.servers import serving
from gateway.app import create_app
from gateway.demo.world import TOKENS, demo_settings
from gateway.domain.principals import Role
from gateway.settings import Settings
from tests.harness import Graph, Sandbox, network, unchanged

PROTOCOL = "graphql-transport-ws"
PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Served:
    """A gateway that listens, and everything around it."""

    app: Starlette
    url: str
    graph: Graph
    sandboxes: Mapping[str, Sandbox]

    @asynccontextmanager
    async def dial(
        self, *, headers: Mapping[str, str] | None = None, protocols: Sequence[str] = (PROTOCOL,), origin: str | None = None
    ) -> AsyncIterator["Line"]:
        """A socket on which nothing has been said."""
        address = self.url.replace("http", "ws", 1) + "/graphql"
        named = [Subprotocol(each) for each in protocols]
        more = dict(headers or {}) | ({"origin": origin} if origin else {})
        async with connect(address, subprotocols=named or None, additional_headers=more, proxy=None) as connection:
            yield Line(connection)

    @asynccontextmanager
    async def socket(self, role: Role = Role.OPERATOR) -> AsyncIterator["Line"]:
        """A socket that is ready for operations."""
        async with self.dial() as line:
            await line.begin({"Authorization": f"Bearer {TOKENS[role]}"})
            yield line


@dataclass(frozen=True, slots=True)
class Line:
    """One socket."""

    connection: ClientConnection

    async def say(self, message: object) -> None:
        """A message, or a frame as it is."""
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        """The next message. Frames are text: a browser cannot read the others as JSON."""
        async with asyncio.timeout(PATIENCE_S):
            frame = await self.connection.recv()
        assert isinstance(frame, str)
        found: dict[str, Any] = json.loads(frame)
        return found

    async def begin(self, payload: Mapping[str, Any]) -> None:
        """Say who we are."""
        await self.say({"type": "connection_init", "payload": payload})
        assert (await self.hear())["type"] == "connection_ack"

    async def ask(self, id: str, query: str, **variables: Any) -> None:  # noqa: A002  # the protocol's name
        """Begin an operation."""
        await self.say({"type": "subscribe", "id": id, "payload": {"query": query, "variables": variables}})

    async def next(self, id: str) -> dict[str, Any]:  # noqa: A002  # the protocol's name
        """The data of the next result, which is of that operation."""
        message = await self.hear()
        assert (message["type"], message["id"]) == ("next", id), message
        assert "errors" not in message["payload"], message
        data: dict[str, Any] = message["payload"]["data"]
        return data

    async def query(self, id: str, query: str, **variables: Any) -> dict[str, Any]:  # noqa: A002  # the protocol's name
        """The data of an operation with one result."""
        await self.ask(id, query, **variables)
        data = await self.next(id)
        assert await self.hear() == {"id": id, "type": "complete"}
        return data

    async def closed(self) -> tuple[int, str]:
        """The code and the reason with which the other side ends it."""
        with suppress(ConnectionClosed):
            while True:
                await self.hear()
        assert self.connection.close_code is not None
        return self.connection.close_code, self.connection.close_reason or ""


@asynccontextmanager
async def served(folder: Path, *, tune: Callable[[Settings], Settings] = unchanged) -> AsyncIterator[Served]:
    """Sandboxes and a gateway that listens."""
    async with network() as (urls, sandboxes):
        app = create_app(tune(demo_settings(urls, database=folder / "dom.sqlite3")))
        async with (
            serving(app, sockets=True) as url,
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client,
        ):
            yield Served(app, url, Graph(client), sandboxes)
