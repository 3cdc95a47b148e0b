"""Facts about orders, in order, to whoever follows: nothing dropped, nothing kept per follower.

One relay numbers events without gaps. One tail per process reads them into a ring. A follower has only a position: while it is
inside the ring it reads from there, and when it fell behind (or has just come back with an old cursor) it reads from the database.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from gateway.domain.events import OrderEvent
from gateway.domain.refusals import CursorExpired
from gateway.ports import Clock, Store, Upkeep
from gateway.services.bells import rung

log = structlog.get_logger(__name__)

PAGE: Final = 200
FORGET_EVERY_S: Final = 600.0


@dataclass(slots=True, kw_only=True)
class Events:
    """``ring_max`` events are kept at hand; ``poll_s`` bounds how late an event of another process is seen.

    ``heard`` is told of every event, whichever process wrote it. Events older than ``keep_events`` and idempotency keys older than
    ``keep_requests`` are forgotten.
    """

    store: Store
    upkeep: Upkeep
    clock: Clock
    bell: asyncio.Event
    poll_s: float
    ring_max: int
    keep_events: timedelta
    keep_requests: timedelta
    heard: Callable[[Sequence[OrderEvent]], None]
    newest: int = 0
    _ring: deque[OrderEvent] = field(default_factory=deque)
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def load(self) -> None:
        """Begin at what has been numbered so far."""
        _, self.newest = await self.store.event_bounds()

    async def run(self) -> None:
        """Number and hand on until canceled."""
        forgotten_s = self.clock.monotonic()
        while True:
            try:
                await self._turn()
                if self.clock.monotonic() - forgotten_s > FORGET_EVERY_S:
                    forgotten_s = self.clock.monotonic()
                    now = self.clock.now()
                    await self.upkeep.forget(events_before=now - self.keep_events, requests_before=now - self.keep_requests)
            except Exception:  # the database is away: events wait in it
                log.exception("relay_stalled")
                await asyncio.sleep(self.poll_s)

    async def _turn(self) -> None:
        await rung(self.bell, self.poll_s)
        self.bell.clear()
        while await self.upkeep.sequence_events(limit=PAGE):
            await self._read()
        await self._read()

    async def _read(self) -> None:
        while fresh := await self.store.events(after=self.newest, limit=PAGE):
            async with self._moved:
                self._ring.extend(fresh)
                while len(self._ring) > self.ring_max:
                    self._ring.popleft()
                self.newest = fresh[-1].seq
                self._moved.notify_all()
            self.heard(fresh)

    async def follow(self, after: int | None, wanted: Callable[[OrderEvent], bool]) -> AsyncIterator[OrderEvent]:
        """Every wanted event after that sequence number (None: from now on), in order, for ever.

        Raises:
            CursorExpired: Events are no longer kept that far back, or the cursor is not of this network.
        """
        position = self.newest if after is None else after
        await self._check(position)
        while True:
            async with self._moved:
                while self.newest <= position:
                    await self._moved.wait()
            for event in await self._after(position):
                position = event.seq
                if wanted(event):
                    yield event

    async def _after(self, position: int) -> tuple[OrderEvent, ...]:
        if self._ring and self._ring[0].seq <= position + 1:
            return tuple(event for event in self._ring if event.seq > position)
        events = await self.store.events(after=position, limit=PAGE)
        if events and events[0].seq != position + 1:
            raise CursorExpired
        return events

    async def _check(self, position: int) -> None:
        oldest, newest = await self.store.event_bounds()
        if position > newest or (oldest and position < oldest - 1):
            raise CursorExpired
