"""Keeping what we know of stock warm: hearing from sources what moved, and reading again, ahead of time, what people ask for.

A source that can tell what moved is asked so, as often as its numbers are to be fresh. What moved is no longer taken for fresh, and
what of it is in demand is read at once. Of the other sources, what is in demand is read again before it is too old to be served.
So a question about what many ask for finds its answer at hand, and costs no request.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from connectors.client import chunked
from connectors.contract import ContractBroken, Cursor, Sku, SourceError, StockFeed, Transient
from gateway.domain.identity import SourceName
from gateway.ports import Clock
from gateway.services.demand import Demand
from gateway.services.readings import Desk, Epochs

log = structlog.get_logger(__name__)

ROUNDS_PER_WINDOW: Final = 2
ROUND_S_MIN, ROUND_S_MAX = 0.5, 60.0
PAGES_MAX: Final = 100
SHARE_OF_RATE: Final = 0.5  # the rest is for those who wait for an answer
FADE_EVERY_S: Final = 30.0
BACKOFF_S_MAX: Final = 300.0


@dataclass(slots=True, kw_only=True)
class Feed:
    """How hearing from one source fares. ``heard`` counts what it said had moved."""

    cursor: Cursor | None = None
    heard: int = 0
    heard_at: datetime | None = None
    failure: str | None = None
    failures: int = 0


@dataclass(slots=True, kw_only=True)
class Feeds:
    """Keeps every desk warm. ``renew_skus_max`` SKUs in demand are read again ahead of time; 0: none.

    Sources are asked what moved every ``hear_s``, or less often where numbers are fresh for longer than twice that; 0: never.
    ``spread`` gives numbers in [0.5, 1], so that gateways do not ask all at once. ``moved`` is told what sources say has moved.
    """

    desks: Mapping[SourceName, Desk]
    demand: Demand
    clock: Clock
    spread: Callable[[], float]
    moved: Callable[[SourceName, Collection[Sku]], None]
    hear_s: float
    renew_skus_max: int
    deadline_s: float
    feeds: dict[SourceName, Feed] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.feeds |= {name: Feed() for name, desk in self.desks.items() if isinstance(desk.reader, StockFeed)}

    async def run(self) -> None:
        """Keep up with every source until canceled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._fade())
            for name, desk in self.desks.items():
                if self.hear_s and name in self.feeds:
                    group.create_task(self._again_and_again(desk, self._hear_and_renew, self._hear_again_s))
                if self.renew_skus_max:
                    group.create_task(self._again_and_again(desk, self.renew, _half_window_s))

    async def _fade(self) -> None:
        while True:
            await asyncio.sleep(FADE_EVERY_S)
            self.demand.fade()

    async def _again_and_again(self, desk: Desk, does: Callable[[Desk], Awaitable[None]], every_s: Callable[[Desk], float]) -> None:
        while True:
            await asyncio.sleep(max(ROUND_S_MIN, self.spread() * every_s(desk)))
            try:
                await does(desk)
            except Exception:  # a bug with one source must not leave the others cold
                log.exception("source_not_kept_up_with", source=desk.source.name)

    def _hear_again_s(self, desk: Desk) -> float:
        patience = float(2 ** min(self.feeds[desk.source.name].failures, 10))
        return min(BACKOFF_S_MAX, max(self.hear_s, _half_window_s(desk)) * patience)

    async def _hear_and_renew(self, desk: Desk) -> None:
        await self.hear(desk)
        await self.renew(desk)

    # ------------------------------------------------------------------------------------------ what it says
    async def hear(self, desk: Desk) -> None:
        """Ask the source what has moved since it was last asked; if it fails, from the same place on next time."""
        feed, reader = self.feeds.get(desk.source.name), desk.reader
        if feed is None or not isinstance(reader, StockFeed):
            return
        try:
            async with asyncio.timeout(max(self.deadline_s, desk.fresh_for_s)):
                await self._hear(desk, reader, feed)
        except (SourceError, TimeoutError) as error:
            feed.failures += 1
            feed.failure = str(error) or str(Transient("no answer in time"))
            log.warning("feed_silent", source=desk.source.name, reason=feed.failure)
        else:
            feed.failures, feed.failure, feed.heard_at = 0, None, self.clock.now()

    async def _hear(self, desk: Desk, reader: StockFeed, feed: Feed) -> None:
        for _ in range(PAGES_MAX):
            said = await reader.stock_changes(feed.cursor)
            if said.skus:
                self.moved(desk.source.name, said.skus)
            feed.heard += len(said.skus)
            feed.cursor = said.cursor  # only now: had we died before, it would be told again
            if not said.more:
                return
        raise ContractBroken(f"what moved did not end after {PAGES_MAX} pages")

    # ------------------------------------------------------------------------------------------ what is in demand
    async def renew(self, desk: Desk) -> None:
        """Read again what is in demand and will soon be too old, or has moved, most wanted first."""
        due = desk.due(self.demand.hottest(self.renew_skus_max), age_s=desk.fresh_for_s / ROUNDS_PER_WINDOW)
        about = desk.source.connector.info
        if about.rate_per_s is not None:
            reads = max(1, int(about.rate_per_s * SHARE_OF_RATE * desk.fresh_for_s / ROUNDS_PER_WINDOW))
            due = due[: reads * about.batch_skus_max]
        epochs = Epochs(desk.store)
        for some in chunked(due, about.batch_skus_max):
            await desk.read(some, age_s_max=0, deadline_s=self.deadline_s, epochs=epochs)


def _half_window_s(desk: Desk) -> float:
    return min(ROUND_S_MAX, desk.fresh_for_s / ROUNDS_PER_WINDOW)
