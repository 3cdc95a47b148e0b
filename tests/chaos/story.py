"""A whole run: a network, gateways, customers and followers; a storm; calm; and what came of it."""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from gateway.storage.queries import SqlStore
from gateway.storage.verification.snapshot import beside
from gateway.system import SystemClock
from tests.chaos import checks
from tests.chaos.customers import HOT, SKUS, Customers
from tests.chaos.followers import Follower
from tests.chaos.gateways import Gateway, supervised
from tests.chaos.grounds import Ground
from tests.chaos.storm import Storm, people_at_work
from tests.harness import Sandbox, network
from tests.scenarios.processes import configured

HOT_UNITS = 40
REST_WITHIN_S = 300.0
CLOSE_WITHIN_S = 120.0
CATCH_UP_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How bad it gets. Of two ``gateways``, the clock of the second one is turned.

    ``job_deadline_s`` bounds what a gateway may have been doing when it was killed.
    """

    kills: int
    seed: int = 7
    gateways: int = 1
    customers: int = 6
    followers: int = 3
    think_s: float = 0.1
    job_deadline_s: float = 15.0


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What was done and what is wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    recoveries_s: list[float] = field(default_factory=list)
    rest_s: float = 0.0
    violations: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


async def play(plan: Plan, ground: Ground, *, advance: Callable[[], object] = lambda: None) -> Outcome:
    """All of it, on that database."""
    random = Random(plan.seed)
    outcome = Outcome(skipped=[] if ground.disk is not None else ["the full disk: mounting a small one is not allowed here"])
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dom-chaos-")))
        urls, sandboxes = await stack.enter_async_context(network(products=12))
        stocked = await stock(sandboxes)
        clock = folder / "ahead" if plan.gateways > 1 else None
        gateways = [await stack.enter_async_context(each) for each in _gateways(plan, ground, folder, urls, clock)]
        store = SqlStore(database=beside(ground.url, SystemClock()))
        stack.push_async_callback(store.database.aclose)
        customers = Customers(gateways=gateways, random=random)
        followers = [Follower(gateways=gateways, random=random) for _ in range(plan.followers)]
        storm = Storm(gateways=gateways, ground=ground, sandboxes=sandboxes, random=random, clock=clock)
        await stack.enter_async_context(_beside(people_at_work(sandboxes, random), *(each.follow() for each in followers)))
        shopping = [customers.shop(number, think_s=plan.think_s) for number in range(plan.customers)]
        async with _beside(*shopping) as tasks:
            await storm.rage(plan.kills, advance=advance)
            customers.closing.set()
            _, late = await asyncio.wait(tasks, timeout=CLOSE_WITHIN_S)
            outcome.violations += [f"{len(late)} customers never got an answer"] if late else []
        began_s = time.monotonic()
        outcome.violations += await _rested(store)
        outcome.rest_s = time.monotonic() - began_s
        outcome.violations += customers.violations
        outcome.violations += await checks.broken_promises(store, customers)
        outcome.violations += await checks.wrong_effects(store, sandboxes)
        outcome.violations += await checks.oversold(store, stocked)
        outcome.violations += await checks.missed(store, followers, wait_s=CATCH_UP_WITHIN_S)
        outcome.violations += [found for each in followers for found in each.violations]
        outcome.violations += await checks.differences(folder / "gateway-0.toml")
        outcome.violations += [found for each in gateways for found in each.ended_by_itself]
        outcome.recoveries_s = sorted(took_s for each in gateways for took_s in each.recoveries_s)
        outcome.counts = customers.counts + storm.counts + await checks.ends(store)
        outcome.counts["events followed"] = sum(len(each.seen) for each in followers)
        outcome.counts["connections of followers"] = sum(each.connections for each in followers)
    return outcome


def _gateways(
    plan: Plan, ground: Ground, folder: Path, urls: Mapping[str, str], clock: Path | None
) -> Iterator[AbstractAsyncContextManager[Gateway]]:
    """Processes, each with a port of its own; the clock of the second one can be wrong."""
    for number in range(plan.gateways):
        config, port = configured(
            folder, urls, name=f"gateway-{number}", store=ground.url, status_poll_s=0.5, jobs_deadline_s=plan.job_deadline_s
        )
        serve = ["gateway", "serve", "--config", str(config)]
        if clock is not None and number == 1:
            clock.write_text("0")
            serve = ["tests.chaos.launcher", str(config), str(clock)]
        yield supervised(config.stem, (sys.executable, "-m", *serve), port, folder / f"{config.stem}.log")


async def _rested(store: SqlStore) -> list[str]:
    """Wait until there is nothing left to do. Returns what is, should that never be."""
    deadline = time.monotonic() + REST_WITHIN_S
    while (left := await checks.unrest(store)) is not None and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
    return [] if left is None else [f"after {REST_WITHIN_S:.0f} s there is still something to do: {left}"]


@asynccontextmanager
async def _beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Have this done beside what is inside. Should one fail, that is told at the end."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for each in ended:
        if isinstance(each, Exception):
            raise each


async def stock(sandboxes: Mapping[str, Sandbox]) -> dict[str, int]:
    """Have few of one SKU, plenty of the others. Returns how many there are of each."""
    found: Counter[str] = Counter()
    for sandbox in sandboxes.values():
        for sku in SKUS:
            places = (await sandbox.client.get("/_sandbox/stock", params={"sku": sku})).json()
            for place, units in places.items():
                if sku == HOT:
                    await sandbox.count(place, sku, HOT_UNITS)
                found[sku] += HOT_UNITS if sku == HOT else units
    return dict(found)
