"""Everything that goes wrong, on purpose and by a seed."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

from tests.chaos.gateways import Gateway
from tests.chaos.grounds import Ground
from tests.harness import Sandbox

KILL_EVERY_S = (0.2, 3.0)
CUT_OFF_EVERY_KILLS = 6
HOUR_S = 3_600.0
FAULTS: Sequence[Mapping[str, Any]] = (
    {"kind": "LATENCY", "delay_ms": 300},
    {"kind": "HANG", "times": 3},
    {"kind": "LOST_ANSWER", "times": 4},
    {"kind": "TRUNCATED", "times": 2},
    {"kind": "STATUS", "status": 503, "times": 6},
    {"kind": "THROTTLED", "times": 4},
    {"kind": "HTML", "times": 2},
)


@dataclass(slots=True, kw_only=True)
class Storm:
    """Ends gateways, cuts off the database, fills up the disk, turns a clock, and makes sources fail.

    ``clock`` is the file that says how wrong one gateway's clock is, if one can be.
    """

    gateways: Sequence[Gateway]
    ground: Ground
    sandboxes: Mapping[str, Sandbox]
    random: Random
    clock: Path | None
    counts: Counter[str] = field(default_factory=Counter)

    async def rage(self, kills: int, *, advance: Callable[[], object]) -> None:
        """So many kills, and everything else in between; then it is calm."""
        sources = asyncio.create_task(self._trouble_sources())
        jumps = dict(zip((kills // 3, kills // 2, 2 * kills // 3), (HOUR_S, -HOUR_S, 0.0), strict=True)) if kills >= 3 else {}
        try:
            for kill in range(kills):
                if kill in jumps:
                    self._turn_the_clock(jumps[kill])
                if self.ground.server is not None and kill % CUT_OFF_EVERY_KILLS == CUT_OFF_EVERY_KILLS - 1:
                    await self.ground.cut_off(self.random.uniform(0, 2))
                    self.counts["database cut off"] += 1
                if kill == kills // 2 and self.ground.disk is not None and kills >= CUT_OFF_EVERY_KILLS:
                    await self.ground.fill_up(3)
                    self.counts["disk full"] += 1
                await self._kill()
                advance()
        finally:
            sources.cancel()
            await asyncio.gather(sources, return_exceptions=True)
            self._turn_the_clock(0.0)
            for each in self.sandboxes.values():
                await each.heal()

    async def _kill(self) -> None:
        """End one that answers, at any moment."""
        while not any(each.ready for each in self.gateways):
            await asyncio.sleep(0.02)
        await asyncio.sleep(self.random.uniform(*KILL_EVERY_S))
        self.random.choice([each for each in self.gateways if each.ready] or list(self.gateways)).kill()
        self.counts["kills"] += 1

    async def _trouble_sources(self) -> None:
        for _ in itertools.count():
            sandbox = self.random.choice(list(self.sandboxes.values()))
            await sandbox.fault(**self.random.choice(FAULTS))
            self.counts["source faults"] += 1
            await asyncio.sleep(self.random.uniform(0.2, 1.5))
            await sandbox.heal()
            await asyncio.sleep(self.random.uniform(0, 2))

    def _turn_the_clock(self, ahead_s: float) -> None:
        if self.clock is not None:
            self.clock.write_text(str(ahead_s))
            self.counts["clock jumps"] += bool(ahead_s)


SHIPPABLE = {"assigned", "RESERVED", "Processing"}


async def people_at_work(sandboxes: Mapping[str, Sandbox], random: Random) -> None:
    """At every location they take on and send what has come in, and turn down a little of it, until canceled."""
    while True:
        for sandbox in sandboxes.values():
            for order in await sandbox.orders():
                with suppress(httpx.HTTPStatusError):  # canceled meanwhile
                    if order["state"] == "PROPOSED":
                        await sandbox.act(order["ref"], "accept")
                    elif order["state"] in SHIPPABLE and random.random() < 0.03:
                        await sandbox.act(order["ref"], "reject", reason="OUT_OF_STOCK")
                    elif order["state"] in SHIPPABLE and random.random() < 0.3:
                        await sandbox.act(order["ref"], "ship", carrier="UPS", tracking_number=f"1Z{order['ref']}")
        await asyncio.sleep(0.2)
