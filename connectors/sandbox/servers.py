"""Sandboxes behind real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Literal

import uvicorn
from starlette.types import ASGIApp

from connectors.sandbox.controls import Sandbox
from connectors.sandbox.network import Network
from connectors.sandbox.odoo import OdooSandbox
from connectors.sandbox.shipbob import ShipBobSandbox
from connectors.sandbox.square import SquareSandbox

_GRACE_S: Final = 1.0
_KEEP_ALIVE_S: Final = 75
_MESSAGE_BYTES_MAX: Final = 2**20


@asynccontextmanager
async def serving(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0, sockets: bool = False) -> AsyncIterator[str]:
    """Serve an application from this event loop and yield its URL. Port 0: any free one; ``sockets``: WebSockets too.

    Leaving drops the connections that are still open. Signal handlers are left alone, which is why this drives the parts of
    ``uvicorn.Server`` instead of its ``serve``.
    """
    ws: Literal["websockets-sansio", "none"] = "websockets-sansio" if sockets else "none"
    config = uvicorn.Config(
        app, log_config=None, access_log=False, ws=ws, ws_max_size=_MESSAGE_BYTES_MAX, timeout_keep_alive=_KEEP_ALIVE_S
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    listener = _listener(host, port)
    await server.startup(sockets=[listener])
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        await _stop(server)


def _listener(host: str, port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only where the protocol is named; it would cost 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


async def _stop(server: uvicorn.Server) -> None:
    for listening in server.servers:
        listening.close()
    for connection in list(server.server_state.connections):
        if connection.transport is not None:
            connection.transport.abort()
    if answering := set(server.server_state.tasks):
        _, late = await asyncio.wait(answering, timeout=_GRACE_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    for listening in server.servers:
        await listening.wait_closed()
    await server.lifespan.shutdown()


def sandboxes(network: Network) -> dict[str, Sandbox]:
    """One of each vendor, over the same network."""
    return {"odoo": OdooSandbox(network), "square": SquareSandbox(network), "shipbob": ShipBobSandbox(network)}
