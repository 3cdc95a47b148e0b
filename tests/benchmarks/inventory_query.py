"""Live stock of 50 SKUs over three systems, as a product page asks for it, against an endpoint with no gateway in it."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from gateway.configuration import load
from tests.benchmarks.bare import Known, bare, recorded
from tests.benchmarks.databases import Kind, databases
from tests.benchmarks.load import connected, drive
from tests.benchmarks.machine import cpu_s
from tests.benchmarks.report import Figures, Report, medians, quotient
from tests.benchmarks.stage import SECRETS, TOKEN, Sandboxes, Server, Variant, gateway, sandboxes

SKUS = 50
FIRST_SKU = 13  # the ones before it are shaped by hand
LIVE, HOT = 0, None  # the age in seconds that the query allows
UPSTREAM = 3
BARE_HOT_TIMES = 10

QUERY = """query ($skus: [String!]!, $age: Int) { inventory(skus: $skus, maxAgeSeconds: $age) {
  sku name availableToPromise complete
  levels { location { code name } source { name } available availableToPromise asOf staleAfter freshness }
  sources { source { name } status freshness reason asOf } } }"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something that is measured. ``age``: what the query allows; ``asks``: upstream requests that one query must cost.

    ``times``: so many times as many requests, where one costs too little CPU for the clock that counts it.
    """

    name: str
    server: Server
    address: str
    clients: int
    age: int | None
    asks: int
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """All that runs, and a set of SKUs for each client: sets that overlap would share reads in flight."""

    sandboxes: Sandboxes
    gateways: Mapping[str, Server]
    bare: Server
    sets: Sequence[Sequence[str]]

    def subjects(self, clients: Sequence[int]) -> list[Subject]:
        """The gateway on each database and its measure, live and from memory."""
        return [
            Subject(
                name=f"{name} {word}, {many} at once",
                server=server,
                address=address,
                clients=many,
                age=age,
                asks=asks,
                times=BARE_HOT_TIMES if address.endswith("/hot") else 1,
            )
            for many in clients
            for age, asks, word in ((LIVE, UPSTREAM, "live"), (HOT, 0, "hot"))
            for name, server, address in (
                *((name, server, server.url) for name, server in self.gateways.items()),
                ("bare", self.bare, f"{self.bare.url}/{word}"),
            )
        ]


def skus_of(clients: int) -> list[list[str]]:
    """Fifty SKUs for each client, none twice."""
    return [[f"SKU-{FIRST_SKU + SKUS * client + number:04d}" for number in range(SKUS)] for client in range(clients)]


def query(skus: Sequence[str], age: int | None) -> bytes:
    """The request."""
    return msgspec.json.encode({"query": QUERY, "variables": {"skus": skus, "age": age}})


@asynccontextmanager
async def stand(folder: Path, clients: int, kinds: Sequence[Kind]) -> AsyncIterator[Stand]:
    """Sandboxes, a gateway on each database and the bare endpoint, each in a process of its own."""
    sets = skus_of(clients)
    async with AsyncExitStack() as stack:
        sources = await stack.enter_async_context(sandboxes(products=FIRST_SKU + SKUS * clients))
        made = await stack.enter_async_context(databases(folder, kinds))
        gateways = {}
        for kind in kinds:
            database, variant = await made.new(kind), Variant(kind=kind)
            running = gateway(sources.urls, folder / kind, database, variant, fresh_for_s=3_600)
            gateways[kind.value] = await stack.enter_async_context(running)
        for kind in kinds:  # each learns what is not there; all answer alike
            known = await known_of(gateways[kind.value], folder / kind, sets)
        measure = await stack.enter_async_context(bare(known, folder))
        yield Stand(sandboxes=sources, gateways=gateways, bare=measure, sets=sets)


async def known_of(measured: Server, folder: Path, sets: Sequence[Sequence[str]]) -> dict[str, Known]:
    """What the bare endpoint has to know: the upstream requests of each set, and the gateway's own answer."""
    upstream = await recorded(load(folder / "dom.toml", SECRETS).sources, sets)
    async with connected(measured.url, TOKEN) as connection:
        answers = [msgspec.json.decode(await connection.post(query(skus, LIVE))) for skus in sets]
    return {skus[0]: Known(asked, answer) for skus, asked, answer in zip(sets, upstream, answers, strict=True)}


async def measure(found: Stand, *, rounds: int, requests: int, clients: Sequence[int], advance: Callable[[], object]) -> Report:
    """Every subject in every round, one after the other: what disturbs this machine disturbs them alike."""
    subjects = found.subjects(clients)
    runs: dict[str, list[Figures]] = {each.name: [] for each in subjects}
    wrong: list[str] = []
    for _ in range(rounds):
        for subject in subjects:
            run, answer = await _run(found, subject, requests * subject.times, advance)
            runs[subject.name].append(run)
            wrong += _mistakes(subject, run, answer)
    figures = {name: medians(each) for name, each in runs.items()}
    groups = [subjects[start : start + len(found.gateways) + 1] for start in range(0, len(subjects), len(found.gateways) + 1)]
    pairs = [(each.name, group[-1].name) for group in groups for each in group[:-1]]
    return Report(
        name="inventory_query",
        rounds=rounds,
        setup=f"{SKUS} SKUs over 3 sources, {requests} queries each",
        figures=figures,
        ratios={
            f"{one} / {other} ({name})": quotient(figures[one], figures[other], name)
            for one, other in pairs
            for name in ("server_cpu_ms", "p50_ms")
        },
        facts={
            f"{name}: upstream_requests_per_query": figures[f"{name} live, 1 at once"]["upstream_requests_per_query"]
            for name in found.gateways
        },
        wrong=tuple(dict.fromkeys(wrong)),
    )


async def _run(found: Stand, subject: Subject, requests: int, advance: Callable[[], object]) -> tuple[Figures, bytes]:
    bodies = [query(skus, subject.age) for skus in found.sets]
    answers: list[bytes] = [b""]

    def look(answer: bytes) -> None:
        answers[0] = answer

    await found.sandboxes.forget()
    before = cpu_s(subject.server.pid), cpu_s(found.sandboxes.pid)
    load = await drive(
        subject.address,
        token=TOKEN,
        clients=subject.clients,
        requests=requests,
        body=lambda client, _: bodies[client],
        look=look,
        advance=advance,
    )
    after = cpu_s(subject.server.pid), cpu_s(found.sandboxes.pid)
    return {
        **load.figures(),
        "server_cpu_ms": (after[0] - before[0]) * 1000 / requests,
        "sandbox_cpu_ms": (after[1] - before[1]) * 1000 / requests,
        "upstream_requests_per_query": await found.sandboxes.asked() / requests,
        "response_bytes": len(answers[0]),
    }, answers[0]


def _mistakes(subject: Subject, figures: Figures, answer: bytes) -> list[str]:
    """What is not as it must be."""
    asked = figures["upstream_requests_per_query"]
    found = [] if asked == subject.asks else [f"{subject.name}: {asked} upstream requests per query, not {subject.asks}"]
    reply: dict[str, Any] = msgspec.json.decode(answer)
    items = (reply.get("data") or {}).get("inventory") or []
    if len(items) != SKUS or not all(item["complete"] for item in items):
        found.append(f"{subject.name}: the answer is not complete: {answer[:200]!r}")
    return found
