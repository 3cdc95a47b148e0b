"""Nine sandboxes and a gateway in front of them, where nothing is read but what the load asks for."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from connectors.sandbox import configured
from connectors.sandbox.network import ALL, System
from gateway.configuration import load
from gateway.settings import SourceSettings
from tests.benchmarks.databases import Kind, databases
from tests.benchmarks.load import connected
from tests.benchmarks.stage import SECRETS, TOKEN, Sandboxes, Server, free_port, sandboxes, serving

FIRST_SKU: Final = 13  # the ones before it are shaped by hand

CONFIGURATION: Final = """
[server]
port = {port}
ide = false

[store]
url = "{store}"

[queries]
cost_max = 1_000_000  # of one document for 500 SKUs

[stock]
deadline_s = {deadline_s}
renew_skus_max = 0
reconcile_s = 0

[[tokens]]
name = "benchmark"
role = "OPERATOR"
secret = "env:BENCHMARK_TOKEN"

"""

Keys = Mapping[str, float]
LONG: Final[Keys] = {"fresh_for_s": 3600.0, "attempt_timeout_s": 60.0, "total_timeout_s": 120.0}  # for a loaded machine
FORGETFUL: Final[Keys] = {**LONG, "absent_for_s": 3600.0}  # looking for what is not there, once a minute, is not what is measured
EXACT: Final[Mapping[System, Keys]] = {
    "odoo": FORGETFUL,
    "square": FORGETFUL,
    "shipbob": {**FORGETFUL, "rate_per_s": 100_000.0},
    "shopify": FORGETFUL,
    "amazon_mcf": {**LONG, "rate_per_s": 100_000.0},
    "medusa": LONG,
    "http": LONG,
    "flat_file": {**LONG, "list_every_s": 0.001},  # each read looks for newer files
    "sql": LONG,
}
"""What is said of each source beyond how a user would configure it: so that each request that it gets is one that was asked for."""


class Line(msgspec.Struct):
    """How asking fares."""

    intent: str
    breaker: str
    calls: int


class _Capabilities(msgspec.Struct, rename="camel"):
    batch_skus_max: int


class _Feed(msgspec.Struct, rename="camel"):
    heard_at: datetime | None


class Told(msgspec.Struct, rename="camel"):
    """What the graph says of a source."""

    name: System
    status_reason: str | None
    capabilities: _Capabilities
    traffic: list[Line]
    feed: _Feed | None

    @property
    def reads(self) -> Line:
        """How reading it fares."""
        return next(line for line in self.traffic if line.intent == "READ")


class _Sources(msgspec.Struct):
    sources: list[Told]


class _Answer(msgspec.Struct):
    data: _Sources


SOURCES: Final = "{ sources { name statusReason capabilities { batchSkusMax } traffic { intent breaker calls } feed { heardAt } } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """All that runs. ``sources`` are configured as those of the gateway are."""

    sandboxes: Sandboxes
    gateway: Server
    sources: Sequence[SourceSettings]

    @property
    def files(self) -> Path:
        """Where the mill puts its stock files."""
        return Path(self.sandboxes.addresses["flat_file"]) / "stock"

    @property
    def over_http(self) -> frozenset[str]:
        """What is asked over HTTP, so that it keeps a journal."""
        return frozenset(name for name, address in self.sandboxes.addresses.items() if address.startswith("http"))


async def ask(found: Stand, body: bytes) -> bytes:
    """One request on a connection of its own: the gateway hangs up on those that keep it waiting."""
    async with connected(found.gateway.url, TOKEN) as connection:
        return await connection.post(body)


async def told(found: Stand) -> dict[System, Told]:
    """What the gateway says of its sources now; none of them is asked anything for it."""
    answer = msgspec.json.decode(await ask(found, msgspec.json.encode({"query": SOURCES})), type=_Answer)
    return {each.name: each for each in answer.data.sources}


def skus_of(count: int) -> list[str]:
    """So many SKUs."""
    return [f"SKU-{number:04d}" for number in range(FIRST_SKU, FIRST_SKU + count)]


@asynccontextmanager
async def stand(
    folder: Path, *, skus: int, deadline_s: float, more: Mapping[System, Keys] = MappingProxyType({})
) -> AsyncIterator[Stand]:
    """Sandboxes with so many SKUs in one process, the gateway in another. ``more`` is configured beside what is anyway."""
    keys = {system: {**EXACT[system], **more.get(system, {})} for system in ALL}
    async with sandboxes(products=FIRST_SKU + skus, systems=ALL) as sources, databases(folder, []) as made:
        database = await made.new(Kind.SQLITE)
        port, file = free_port(), folder / "dom.toml"
        tables = "\n".join(_with(configured.configured({name: sources.addresses[name]}), keys[name]) for name in ALL)
        file.write_text(CONFIGURATION.format(port=port, store=database.url, deadline_s=deadline_s) + tables, encoding="utf-8")
        secrets = {**SECRETS, **configured.environment(sources.addresses)}
        async with serving(file, port=port, sources=len(ALL), environment=secrets) as server:
            yield Stand(sandboxes=sources, gateway=server, sources=load(file, secrets).sources)


def _with(table: str, keys: Keys) -> str:
    """The table of one source with these keys, which take the place of those that are called the same."""
    head, *rest = table.splitlines()
    kept = [line for line in rest if line.partition(" = ")[0] not in keys]
    return "\n".join([head, *(f"{name} = {value}" for name, value in keys.items()), *kept])
