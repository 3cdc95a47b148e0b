"""What a query costs nine systems: requests that they count themselves, against what their limits make necessary."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

import httpx
import msgspec

from connectors.client import chunked
from connectors.sandbox.network import System
from tests.benchmarks.sources_stand import FIRST_SKU, Stand, skus_of, told
from tests.benchmarks.sources_stand import ask as ask_once
from tests.benchmarks.stage import TOKEN

SKUS_PER_FIELD: Final = 250  # what one field may be asked for; the fields of an operation are read together
TRIES: Final = 4
AGE_S_MIN: Final = 1
AGE_PER_READ: Final = 10
ANSWER_S_MAX: Final = 120.0
HEADERS: Final = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
ANOTHER: Final = f"SKU-{FIRST_SKU - 1:04d}"


class _Item(msgspec.Struct):
    complete: bool
    notice: str | None


class _Answer(msgspec.Struct):
    data: dict[str, list[_Item]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a query of so many SKUs costs each system, and what so many at once do. ``needed``: by the limits in the graph.

    ``partial`` says which queries a source did not answer wholly, and why. ``without_books`` were answered without what we have
    promised, because too many others were reading that.
    """

    skus: int
    needed: Mapping[System, int]
    by_one: Mapping[System, int]
    by_many: Mapping[System, int]
    partial: Sequence[str]
    without_books: int

    def wrong(self, many: int) -> list[str]:
        """Where it is not what is needed."""
        return [f"{self.skus} SKUs: {what}" for what in self.partial] + [
            f"{self.skus} SKUs: {who} cost {system} {asked[system]} requests, not {needed}"
            for who, asked in (("one query", self.by_one), (f"{many} queries at once", self.by_many))
            for system, needed in self.needed.items()
            if asked[system] != needed
        ]


def query(skus: Sequence[str], age_s: int) -> bytes:
    """The request, with as many fields as it takes. Nothing older than ``age_s`` will do."""
    fields = [
        f"of_{number}: inventory(skus: {msgspec.json.encode(some).decode()}, maxAgeSeconds: {age_s}) {{ complete notice }}"
        for number, some in enumerate(chunked(skus, SKUS_PER_FIELD))
    ]
    return msgspec.json.encode({"query": f"{{ {' '.join(fields)} }}"})


async def measure(found: Stand, *, skus: int, many: int, advance: Callable[[], object]) -> Asked:
    """Ask once, and so often at once, after what was read before has become older than these allow."""
    wanted = skus_of(skus)

    partial: list[str] = []
    without_books = 0

    async def ask(times: int, age_s: int) -> None:
        nonlocal without_books
        body = query(wanted, age_s)
        limits = httpx.Limits(max_connections=times)
        async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_S_MAX, limits=limits, headers=HEADERS) as client:
            answers = await asyncio.gather(*(client.post(found.gateway.url, content=body) for _ in range(times)))
        items = [_items(answer.content) for answer in answers]
        without_books = sum(any(item.notice for item in each) for each in items)
        lacking = sum(len(each) != skus or not all(item.complete or item.notice for item in each) for each in items)
        if lacking:
            why = {name: each.status_reason for name, each in (await told(found)).items() if each.status_reason}
            partial.append(f"{lacking} of {times} queries were not answered wholly: {why}")
        advance()

    began_s = time.perf_counter()
    await ask(1, 0)  # whoever does not carry them learns that now
    # An age counts from the beginning of a read: the last of many must still come in time for the first one's.
    age_s = ceil(AGE_S_MIN + AGE_PER_READ * (time.perf_counter() - began_s))
    by_one = await _asked(found, lambda: ask(1, 0), aged_s=0)
    by_many = await _asked(found, lambda: ask(many, age_s), aged_s=age_s)
    limits = {name: each.capabilities.batch_skus_max for name, each in (await told(found)).items()}
    needed = {name: ceil(skus / limit) for name, limit in limits.items()}
    return Asked(skus=skus, needed=needed, by_one=by_one, by_many=by_many, partial=partial, without_books=without_books)


async def _asked(found: Stand, query_it: Callable[[], Awaitable[None]], *, aged_s: int) -> dict[System, int]:
    """What that costs each system, the first time that nothing else was asked of it meanwhile."""
    undisturbed: dict[System, int] = {}
    latest: dict[System, int] = {}
    for _ in range(TRIES):
        await asyncio.sleep(aged_s * 1.01)
        await ask_once(found, query([ANOTHER], 0))  # the mill's files have been looked at now
        before, files = await told(found), _files(found)
        await found.sandboxes.forget()
        await query_it()
        journals, after = await found.sandboxes.asked_each(), await told(found)
        for name, now in after.items():
            latest[name] = journals[name] if name in found.over_http else now.reads.calls - before[name].reads.calls
            # Feeds are polled by themselves, once a minute at least, and the mill goes on writing files.
            if now.feed == before[name].feed and (name != "flat_file" or files == _files(found)):
                undisturbed.setdefault(name, latest[name])
        if len(undisturbed) == len(latest):
            break
    return {**latest, **undisturbed}


def _files(found: Stand) -> list[str]:
    return sorted(file.name for file in found.files.iterdir())


def _items(answer: bytes) -> list[_Item]:
    return [item for field in msgspec.json.decode(answer, type=_Answer).data.values() for item in field]
