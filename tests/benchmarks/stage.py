"""The processes that are measured: sandboxes, and the gateway in front of them. The load comes from yet another process."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import msgspec

from connectors.sandbox.faults import FaultKind
from connectors.sandbox.network import THREE, System
from tests.benchmarks.databases import Database, Databases, Kind
from tests.benchmarks.machine import cpu_of, cpu_s, family

TOKEN = "benchmark-token"
SECRETS = {
    "BENCHMARK_TOKEN": TOKEN,
    "BENCHMARK_ODOO_KEY": "odoo-sandbox-key",
    "BENCHMARK_SQUARE_TOKEN": "square-sandbox-token",
    "BENCHMARK_SHIPBOB_TOKEN": "shipbob-sandbox-token",
}
START_S_MAX = 60.0
POLL_S = 0.05
STOP_S_MAX = 15.0
BATCH_MAX = 256

CONFIGURATION = """
[server]
port = {port}
ide = false

[store]
url = "{store}"
batch_max = {batch_max}

[stock]
deadline_s = 30.0  # a loaded machine must not turn into partial answers
feeds_s = 0  # what nobody asked for is not what is measured
renew_skus_max = 0
reconcile_s = 0

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
    """A server, and the first of its processes."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A way to run the gateway. ``batch_max``: commands that may share a transaction."""

    kind: Kind
    workers: int = 1
    batch_max: int = BATCH_MAX

    @property
    def name(self) -> str:
        """For people."""
        named = f"{self.kind}, {self.workers} workers" if self.workers > 1 else f"{self.kind}"
        return named if self.batch_max > 1 else f"{named}, one to a transaction"


def variants(kinds: Sequence[Kind], workers: Sequence[int]) -> list[Variant]:
    """Each of these databases with each number of workers that it can have."""
    return [Variant(kind=kind, workers=many) for kind in kinds for many in (workers if kind is Kind.POSTGRES else (1,))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A gateway at work on a new database."""

    server: Server
    database: Database

    def used(self) -> "Used":
        """The CPU that it has used so far."""
        pids = family(self.server.pid)
        database_s = 0.0 if self.database.pid is None else cpu_s(self.database.pid)
        return Used(gateway_s={pid: cpu_of(pid) for pid in pids}, database_s=database_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """CPU seconds, by process of the gateway, and of the database's server."""

    gateway_s: Mapping[int, float]
    database_s: float

    def since(self, before: "Used") -> "Used":
        """What was used since then."""
        spent = {pid: now - before.gateway_s.get(pid, 0) for pid, now in self.gateway_s.items()}
        return Used(gateway_s=spent, database_s=self.database_s - before.database_s)

    def figures(self, times: int) -> dict[str, float]:
        """For each of so many; and how much of it was the busiest process', where there were several."""
        total_s = sum(self.gateway_s.values())
        each = {"gateway_cpu_ms": total_s * 1000 / times, "database_cpu_ms": self.database_s * 1000 / times}
        return each | {"busiest_percent": 100 * max(self.gateway_s.values()) / total_s if total_s else 100.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandboxes:
    """One process with sandboxes: ``urls`` are where their controls are, ``addresses`` what a gateway is given."""

    urls: Mapping[str, str]
    addresses: Mapping[str, str]
    pid: int

    async def asked(self) -> int:
        """Requests that came in since the last ``forget``, over all of them."""
        return sum((await self.asked_each()).values())

    async def asked_each(self) -> dict[str, int]:
        """The same by system. What is not asked over HTTP counts none."""
        async with httpx.AsyncClient(trust_env=False) as client:
            return {name: (await client.get(f"{url}/_sandbox/journal")).json()["count"] for name, url in self.urls.items()}

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

    def slow(self, system: str, *, delay_ms: int, body: str = "") -> AbstractAsyncContextManager[None]:
        """Inside the block, requests with that in their body are answered late."""
        return self.failing(system, FaultKind.LATENCY, body=body, delay_ms=delay_ms)

    @asynccontextmanager
    async def failing(self, system: str, fault: FaultKind, *, body: str = "", delay_ms: int = 0) -> AsyncIterator[None]:
        """Inside the block, requests with that in their body are answered so."""
        async with httpx.AsyncClient(trust_env=False) as client:
            faults = f"{self.urls[system]}/_sandbox/faults"
            so = {"kind": fault, "match_body": body, "delay_ms": delay_ms}
            (await client.post(faults, json=so)).raise_for_status()
            try:
                yield
            finally:
                (await client.delete(faults)).raise_for_status()


@asynccontextmanager
async def sandboxes(*, products: int, systems: Sequence[System] = THREE) -> AsyncIterator[Sandboxes]:
    """Sandboxes of these systems in a process of their own."""
    chosen = [argument for system in systems for argument in ("--system", system)]
    async with process("connectors.sandbox", "--products", str(products), "--addresses", *chosen, log=None) as running:
        assert running.stdout is not None
        async with asyncio.timeout(START_S_MAX):
            urls = msgspec.json.decode(await running.stdout.readline(), type=dict[str, str])
            addresses = msgspec.json.decode(await running.stdout.readline(), type=dict[str, str])
        yield Sandboxes(urls=urls, addresses=addresses, pid=running.pid)


@asynccontextmanager
async def gateway(
    urls: Mapping[str, str], folder: Path, database: Database, variant: Variant, *, fresh_for_s: float = 5.0
) -> AsyncIterator[Server]:
    """The gateway in processes of its own, once it is ready; what it says is in that folder."""
    port = free_port()
    configuration = configured(folder, port=port, fresh_for_s=fresh_for_s, store=database.url, batch_max=variant.batch_max, **urls)
    async with serving(configuration, port=port, workers=variant.workers, sources=len(urls)) as server:
        yield server


@asynccontextmanager
async def serving(
    configuration: Path, *, port: int, workers: int = 1, sources: int, environment: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Server]:
    """A gateway of that configuration, which names the port and so many sources; what it says is in the file's folder."""
    log, arguments = configuration.parent / "gateway.log", ("--config", str(configuration), "--workers", str(workers))
    async with process("gateway", "serve", *arguments, log=log, environment=environment) as running:
        url = f"http://127.0.0.1:{port}"
        await answering(f"{url}/readyz", running, log)
        await until_warm(log, sources * workers)
        yield Server(url=f"{url}/graphql", pid=running.pid)


_numbers = count(1)


@asynccontextmanager
async def at_work(variant: Variant, made: Databases, urls: Mapping[str, str], *, fresh_for_s: float = 5.0) -> AsyncIterator[Run]:
    """The gateway on a new database."""
    database = await made.new(variant.kind)
    async with gateway(urls, made.folder / f"gateway-{next(_numbers)}", database, variant, fresh_for_s=fresh_for_s) as server:
        yield Run(server=server, database=database)


@asynccontextmanager
async def process(
    module: str, *arguments: str, log: Path | None, environment: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A module of ours as a process; its complaints go to ``log``, and what is in ``environment`` it finds beside our own."""
    errors: Any = asyncio.subprocess.DEVNULL if log is None else log.open("wb")
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=errors, env={**os.environ, **SECRETS, **environment},
    )  # fmt: skip
    if log is not None:
        errors.close()
    try:
        yield running
    finally:
        await ended(running)


async def ended(running: asyncio.subprocess.Process) -> bytes:
    """Tell it to stop, and its family if it does not; what it printed and nobody has read."""
    pids = family(running.pid) if running.returncode is None else []
    if running.returncode is None:
        running.terminate()
    try:
        async with asyncio.timeout(STOP_S_MAX):
            printed, _ = await running.communicate()
    except TimeoutError:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        printed, _ = await running.communicate()
    return printed or b""


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


async def until_warm(log: Path, times: int) -> None:
    """Wait until so many times a process of the gateway has learnt the ids of a source's products."""
    async with asyncio.timeout(START_S_MAX):
        while text(log).count("source_warm") < times:
            await asyncio.sleep(POLL_S)


def configured(folder: Path, **values: object) -> Path:
    """The gateway's configuration file in that folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "dom.toml"
    file.write_text(CONFIGURATION.format(**values), encoding="utf-8")
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
