"""The gateway as people run it: a process of its own, started from a configuration file."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from gateway.demo.world import TOKENS
from gateway.domain.principals import Role
from tests.harness import Graph
from tests.scenarios.questions import eventually

SECRETS: Mapping[str, str] = {
    "DOM_OPERATOR": TOKENS[Role.OPERATOR],
    "DOM_STOREFRONT": TOKENS[Role.STOREFRONT],
    "ODOO_KEY": "odoo-sandbox-key",
    "SQUARE_TOKEN": "square-sandbox-token",
    "SHIPBOB_TOKEN": "shipbob-sandbox-token",
}
CONFIGURATION = """
[server]
port = {port}

[store]
url = "{store}"

[work]
status_poll_s = {status_poll_s}
jobs_poll_s = 0.1
jobs_deadline_s = {jobs_deadline_s}

[[tokens]]
name = "operator"
role = "OPERATOR"
secret = "env:DOM_OPERATOR"

[[tokens]]
name = "shop"
role = "STOREFRONT"
secret = "env:DOM_STOREFRONT"

[sources.odoo]
connector = "odoo"
url = "{odoo}"
database = "demo"
login = "gateway"
api_key = "env:ODOO_KEY"

[sources.square]
connector = "square"
url = "{square}"
access_token = "env:SQUARE_TOKEN"

[sources.shipbob]
connector = "shipbob"
url = "{shipbob}"
token = "env:SHIPBOB_TOKEN"
channel_id = "1001"
shipping_method = "Standard"
rate_per_s = 1000.0
"""


@dataclass(frozen=True, slots=True)
class Running:
    """One ``dom serve``."""

    process: asyncio.subprocess.Process
    graph: Graph
    port: int

    async def killed(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        await self.process.wait()


def configured(
    folder: Path,
    urls: Mapping[str, str],
    *,
    name: str = "dom",
    store: str | None = None,
    status_poll_s: float = 0.1,
    jobs_deadline_s: float = 45.0,
) -> tuple[Path, int]:
    """A configuration file in front of these sandboxes, and the port that it names. Without a store: a SQLite file beside it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    file = folder / f"{name}.toml"
    kept = {"store": store or f"sqlite:///{folder}/dom.sqlite3", "status_poll_s": status_poll_s, "jobs_deadline_s": jobs_deadline_s}
    file.write_text(CONFIGURATION.format(port=port, **kept, **urls), encoding="utf-8")
    return file, port


async def started(config: Path) -> asyncio.subprocess.Process:
    """``dom serve`` on that file, as a process; nobody waits for it yet."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gateway", "serve", "--config", str(config)),
        env={**os.environ, **SECRETS},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process, *, within_s: float = 20.0) -> tuple[int, list[str]]:
    """Its exit code and the lines that it wrote to standard error."""
    async with asyncio.timeout(within_s):
        _, errors = await process.communicate()
    return process.returncode or 0, errors.decode().splitlines()


@asynccontextmanager
async def serving_process(config: Path, port: int) -> AsyncIterator[Running]:
    """``dom serve`` on that file, once it answers. It is ended hard, if nobody ended it before."""
    process = await started(config)
    drained = asyncio.create_task(_drain(process))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as client:
            running = Running(process=process, graph=Graph(client), port=port)
            await eventually(lambda: _ready(running), wait_s=30)
            yield running
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
        await drained


async def _drain(process: asyncio.subprocess.Process) -> None:
    """Read what it logs, lest it waits for somebody to."""
    assert process.stderr is not None
    while await process.stderr.read(65_536):
        pass


async def _ready(running: Running) -> bool:
    assert running.process.returncode is None, "it ended instead of serving"
    try:
        return (await running.graph.client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False
