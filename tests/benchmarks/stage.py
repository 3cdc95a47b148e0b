"""The processes that are measured: sandboxes, and the gateway in front of them. The load comes from yet another process."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

TOKEN = "benchmark-token"
SECRETS = {
    "BENCHMARK_TOKEN": TOKEN,
    "BENCHMARK_ODOO_KEY": "odoo-sandbox-key",
    "BENCHMARK_SQUARE_TOKEN": "square-sandbox-token",
    "BENCHMARK_SHIPBOB_TOKEN": "shipbob-sandbox-token",
}
START_S_MAX = 60.0
POLL_S = 0.05

CONFIGURATION = """
[server]
port = {port}
ide = false

[store]
url = "sqlite:///{database}"

[stock]
deadline_s = 30.0  # a loaded machine must not turn into partial answers

[[tokens]]
name = "benchmark"
role = "OPERATOR"
secret = "env:BENCHMARK_TOKEN"

[sources.odoo]
connector = "odoo"
url = "{odoo}"
database = "demo"
login = "gateway"
api_key = "env:BENCHMARK_ODOO_KEY"
fresh_for_s = {fresh_for_s}
absent_for_s = 3600.0  # looking for what is not there, once a minute, is not what is measured

[sources.square]
connector = "square"
url = "{square}"
access_token = "env:BENCHMARK_SQUARE_TOKEN"
fresh_for_s = {fresh_for_s}
absent_for_s = 3600.0  # looking for what is not there, once a minute, is not what is measured

[sources.shipbob]
connector = "shipbob"
url = "{shipbob}"
token = "env:BENCHMARK_SHIPBOB_TOKEN"
channel_id = "1001"
shipping_method = "Standard"
fresh_for_s = {fresh_for_s}
absent_for_s = 3600.0  # looking for what is not there, once a minute, is not what is measured
rate_per_s = 100_000.0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server, and the process that it runs in."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandboxes:
    """One process with three sandboxes."""

    urls: Mapping[str, str]
    pid: int

    async def asked(self) -> int:
        """Requests that came in since the last ``forget``, over all three."""
        async with httpx.AsyncClient(trust_env=False) as client:
            return sum([(await client.get(f"{url}/_sandbox/journal")).json()["count"] for url in self.urls.values()])

    async def forget(self) -> None:
        """Begin the journals anew."""
        async with httpx.AsyncClient(trust_env=False) as client:
            for url in self.urls.values():
                (await client.delete(f"{url}/_sandbox/journal")).raise_for_status()

    async def count(self, system: str, place: str, sku: str, units: int) -> None:
        """Somebody counted a shelf."""
        async with httpx.AsyncClient(trust_env=False) as client:
            counted = {"place": place, "sku": sku, "units": units}
            (await client.post(f"{self.urls[system]}/_sandbox/stock", json=counted)).raise_for_status()


@asynccontextmanager
async def sandboxes(*, products: int) -> AsyncIterator[Sandboxes]:
    """The three sandboxes in a process of their own."""
    async with process("connectors.sandbox", "--products", str(products), log=None) as running:
        assert running.stdout is not None
        async with asyncio.timeout(START_S_MAX):
            urls: dict[str, str] = msgspec.json.decode(await running.stdout.readline())
        yield Sandboxes(urls=urls, pid=running.pid)


@asynccontextmanager
async def gateway(urls: Mapping[str, str], folder: Path, *, fresh_for_s: float = 5.0) -> AsyncIterator[Server]:
    """The gateway in a process of its own, with a database in that folder, once it is ready."""
    port, log = free_port(), folder / "gateway.log"
    configuration = configured(folder, port=port, fresh_for_s=fresh_for_s, **urls)
    async with process("gateway", "serve", "--config", str(configuration), log=log) as running:
        url = f"http://127.0.0.1:{port}"
        await answering(f"{url}/readyz", running, log)
        await until_warm(log)
        yield Server(url=f"{url}/graphql", pid=running.pid)


@asynccontextmanager
async def process(module: str, *arguments: str, log: Path | None) -> AsyncIterator[asyncio.subprocess.Process]:
    """A module of ours as a process; its complaints go to ``log``."""
    errors: Any = asyncio.subprocess.DEVNULL if log is None else log.open("wb")
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE, stderr=errors, env={**os.environ, **SECRETS}
    )
    if log is not None:
        errors.close()
    try:
        yield running
    finally:
        if running.returncode is None:
            running.terminate()
        try:
            async with asyncio.timeout(15):
                await running.communicate()
        except TimeoutError:
            running.kill()
            await running.communicate()


async def answering(url: str, running: asyncio.subprocess.Process, log: Path) -> None:
    """Wait until a server answers with success."""
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(START_S_MAX):
        while running.returncode is None:
            try:
                if (await client.get(url)).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(POLL_S)
    raise RuntimeError(f"it stopped before it answered:\n{text(log)}")


async def until_warm(log: Path) -> None:
    """Wait until the gateway has learnt the ids of every source's products."""
    async with asyncio.timeout(START_S_MAX):
        while text(log).count("source_warm") < 3:
            await asyncio.sleep(POLL_S)


def configured(folder: Path, **values: object) -> Path:
    """The gateway's configuration file in that folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "dom.toml"
    file.write_text(CONFIGURATION.format(database=folder / "dom.sqlite3", **values), encoding="utf-8")
    return file


def text(log: Path) -> str:
    """What has been logged so far."""
    return log.read_text(encoding="utf-8")


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
