"""What one source that hangs does to the answers about all nine, until its breaker opens, while it is open, and afterwards."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

import msgspec

from connectors.client import Limits
from connectors.sandbox.faults import FaultKind
from connectors.sandbox.network import System
from tests.benchmarks.load import connected, percentile
from tests.benchmarks.report import Figures
from tests.benchmarks.sources_stand import Stand, ask, skus_of, told
from tests.benchmarks.stage import TOKEN

OPEN_S: Final = Limits().breaker_open_s
LOOK_EVERY_S: Final = 0.1
GIVE_UP_S: Final = 60.0
LATE: Final = "DEADLINE"

QUERY: Final = """query ($skus: [String!]!) { inventory(skus: $skus, maxAgeSeconds: 0) { sku complete
  levels { location { code } source { name } available } sources { source { name } freshness reason } } }"""


class _Code(msgspec.Struct):
    code: str


class _Name(msgspec.Struct):
    name: str


class _Level(msgspec.Struct):
    location: _Code
    source: _Name
    available: int | None


class _Said(msgspec.Struct):
    source: _Name
    freshness: str
    reason: str | None


class _Item(msgspec.Struct):
    sku: str
    complete: bool
    levels: list[_Level]
    sources: list[_Said]


class _Items(msgspec.Struct):
    inventory: list[_Item]


class _Answer(msgspec.Struct):
    data: _Items


_decode = msgspec.json.Decoder(_Answer)
Numbers = Mapping[tuple[str, str, str], int | None]


@dataclass(slots=True, kw_only=True)
class Seen:
    """What the clients saw. ``late``: answers that waited for the source in vain; ``prompt``: that did not wait for it."""

    late_ms: list[float] = field(default_factory=list)
    prompt_ms: list[float] = field(default_factory=list)
    differing: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """``while_closed`` and ``while_open`` are requests that the source saw meanwhile; ``to_recover``, once it was healed."""

    seen: Seen
    opened_after_s: float
    open_s: float
    while_closed: int
    while_open: int
    to_recover: int
    recovered_after_s: float

    def wrong(self, system: System) -> list[str]:
        """What is not as it must be."""
        probes_max = 1 + int(self.open_s / OPEN_S)
        found = {
            f"{self.seen.differing} answers had other numbers of other sources than before": self.seen.differing > 0,
            f"{self.seen.lost} answers had lost what {system} last said": self.seen.lost > 0,
            f"{system} saw {self.while_open} requests in {self.open_s:.1f} s while its breaker was open": self.while_open
            > probes_max,
            f"{system} saw {self.to_recover} requests, not one probe, before it was live again": self.to_recover != 1,
            f"no query ever waited for {system}": not self.seen.late_ms,
        }
        return [what for what, is_so in found.items() if is_so]

    def figures(self, deadline_s: float) -> Mapping[str, Figures]:
        """How long answers took."""
        answered = {"late": self.seen.late_ms, "not waiting": self.seen.prompt_ms}
        rows: dict[str, dict[str, float]] = {
            f"one hung, {name}": {"answers": len(each), "p50_ms": percentile(each, 0.50), "p99_ms": percentile(each, 0.99)}
            for name, found in (*answered.items(), ("all", list(chain(*answered.values()))))
            if (each := sorted(found))
        }
        for row in rows.values():
            row["p99_beyond_deadline_ms"] = row["p99_ms"] - deadline_s * 1000
        return rows

    def facts(self) -> Figures:
        """The rest."""
        return {
            "seconds until the breaker opened": self.opened_after_s,
            "requests until it opened": self.while_closed,
            "seconds it was watched while open": self.open_s,
            "requests while it was open": self.while_open,
            "requests from healing to the first live answer": self.to_recover,
            "seconds from healing to the first live answer": self.recovered_after_s,
        }


async def measure(
    found: Stand, system: System, *, clients: int, skus: int, pause_s: float, open_s: float, advance: Callable[[], object]
) -> Measured:
    """Clients who ask for SKUs of their own, each again a pause after its last answer; watched for ``open_s`` once it is open."""
    every = skus_of(clients * skus)
    sets = [every[start : start + skus] for start in range(0, len(every), skus)]
    before = [(await _asked(found, each))[0] for each in sets]
    seen = Seen()
    await found.sandboxes.forget()
    began_s = time.perf_counter()
    async with found.sandboxes.failing(system, FaultKind.HANG):
        asking = [
            asyncio.create_task(_client(found, system, each, before=numbers, pause_s=pause_s, seen=seen, advance=advance))
            for each, numbers in zip(sets, before, strict=True)
        ]
        try:
            await _until_open(found, system)
            opened_s, while_closed = time.perf_counter(), await _requests(found, system)
            await asyncio.sleep(open_s)
            while_open = await _requests(found, system) - while_closed
            watched_s = time.perf_counter() - opened_s
        finally:
            await _stopped(asking)
    await found.sandboxes.forget()
    healed_s = time.perf_counter()
    async with asyncio.timeout(GIVE_UP_S):
        while system not in (await _asked(found, sets[0]))[1]:
            await asyncio.sleep(LOOK_EVERY_S)
    return Measured(
        seen=seen,
        opened_after_s=opened_s - began_s,
        open_s=watched_s,
        while_closed=while_closed,
        while_open=while_open,
        to_recover=await _requests(found, system),
        recovered_after_s=time.perf_counter() - healed_s,
    )


async def _client(
    found: Stand,
    system: System,
    skus: Sequence[str],
    *,
    before: Numbers,
    pause_s: float,
    seen: Seen,
    advance: Callable[[], object],
) -> None:
    async with connected(found.gateway.url, TOKEN) as connection:
        while True:
            began_s = time.perf_counter()
            answer = await connection.post(_body(skus))
            took_ms = (time.perf_counter() - began_s) * 1000
            items = _decode.decode(answer).data.inventory
            late = any(said.reason == LATE and said.source.name == system for item in items for said in item.sources)
            (seen.late_ms if late else seen.prompt_ms).append(took_ms)
            now = _numbers(items)
            seen.differing += any(now.get(key) != units for key, units in before.items() if key[1] != system)
            seen.lost += any(now.get(key) != units for key, units in before.items() if key[1] == system)
            advance()
            await asyncio.sleep(pause_s)


async def _asked(found: Stand, skus: Sequence[str]) -> tuple[Numbers, set[str]]:
    """The numbers of these SKUs, and the sources that have just said all they have of them."""
    items = _decode.decode(await ask(found, _body(skus))).data.inventory
    said = [each for item in items for each in item.sources]
    return _numbers(items), {each.source.name for each in said} - {each.source.name for each in said if each.freshness != "LIVE"}


def _numbers(items: Sequence[_Item]) -> dict[tuple[str, str, str], int | None]:
    return {(item.sku, level.source.name, level.location.code): level.available for item in items for level in item.levels}


def _body(skus: Sequence[str]) -> bytes:
    return msgspec.json.encode({"query": QUERY, "variables": {"skus": skus}})


async def _requests(found: Stand, system: System) -> int:
    return (await found.sandboxes.asked_each())[system]


async def _until_open(found: Stand, system: System) -> None:
    async with asyncio.timeout(GIVE_UP_S):
        while (await told(found))[system].reads.breaker != "OPEN":
            await asyncio.sleep(LOOK_EVERY_S)


async def _stopped(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
