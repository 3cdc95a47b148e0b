"""Sandboxes behind real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NoReturn

import uvicorn
from starlette.types import ASGIApp

from connectors.sandbox.amazon_mcf import AmazonMcfSandbox
from connectors.sandbox.controls import Sandbox, app_of
from connectors.sandbox.flat_file import FlatFileSandbox
from connectors.sandbox.http import HttpSandbox
from connectors.sandbox.medusa import MedusaSandbox
from connectors.sandbox.network import Network
from connectors.sandbox.odoo import OdooSandbox
from connectors.sandbox.shipbob import ShipBobSandbox
from connectors.sandbox.shopify import ShopifySandbox
from connectors.sandbox.sql import SqlSandbox
from connectors.sandbox.square import SquareSandbox

_GRACE_S: Final = 1.0
_KEEP_ALIVE_S: Final = 75
_MESSAGE_BYTES_MAX: Final = 2**20
LOOKS_EVERY_S: Final = 0.2
EXPORTS_EVERY_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A sandbox at work: where its ``/_sandbox`` is, and what a gateway is given as its address."""

    controls: str
    address: str


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


def sandboxes(network: Network, folder: Path) -> dict[str, Sandbox]:
    """One of each system that has places in the network. Those that work with files keep them in the folder."""
    makers: Mapping[str, Callable[[], Sandbox]] = {
        "odoo": lambda: OdooSandbox(network),
        "square": lambda: SquareSandbox(network),
        "shipbob": lambda: ShipBobSandbox(network),
        "shopify": lambda: ShopifySandbox(network),
        "amazon_mcf": lambda: AmazonMcfSandbox(network),
        "medusa": lambda: MedusaSandbox(network),
        "http": lambda: HttpSandbox(network),
        "flat_file": lambda: FlatFileSandbox(network, folder / "mill"),
        "sql": lambda: SqlSandbox(network, folder / "erp.sqlite3"),
    }
    return {system: make() for system, make in makers.items() if network.places_of(system)}


@asynccontextmanager
async def at_work(network: Network, folder: Path, *, port_base: int = 0) -> AsyncIterator[dict[str, Running]]:
    """All of them behind sockets, and the mill at its files. ``port_base`` is the first of their ports; 0: any that are free."""
    async with AsyncExitStack() as stack:
        running: dict[str, Running] = {}
        for number, (system, sandbox) in enumerate(sandboxes(network, folder).items()):
            port = port_base and port_base + number
            controls = await stack.enter_async_context(serving(app_of(sandbox), port=port))
            running[system] = Running(controls=controls, address=_address(sandbox) or controls)
            if isinstance(sandbox, FlatFileSandbox):
                milling = asyncio.create_task(sandbox.run(every_s=LOOKS_EVERY_S, export_every_s=EXPORTS_EVERY_S))
                stack.push_async_callback(_over, milling)
        yield running


def _address(sandbox: Sandbox) -> str | None:
    """Where a gateway finds what is not asked over HTTP."""
    match sandbox:
        case FlatFileSandbox(folder=folder):
            return str(folder)
        case SqlSandbox(url=url):
            return url
        case _:
            return None


async def _over(task: asyncio.Task[NoReturn]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
