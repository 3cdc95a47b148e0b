"""Gateways that run the real code, stop dead at any instant, and come back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, TypeVar
from uuid import UUID

from gateway.api.context import Services
from gateway.app import Parts, running
from gateway.domain.identity import SourceName
from gateway.ports import Clock, Source
from gateway.settings import Events, Settings, Stock, Store, Work
from gateway.storage.database import Database
from tests.simulation.chance import Chance
from tests.simulation.driver import database
from tests.simulation.lines import Line, SimulatedConnector
from tests.simulation.loop import Life, VirtualLoop, context_of
from tests.simulation.server import Server
from tests.simulation.sources import Place

T = TypeVar("T")

START: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
SETTINGS: Final = Settings(
    sources=(),
    tokens=(),
    store=Store(batch_max=4, verify_s=86_400.0),
    stock=Stock(deadline_s=1.5, stale_for_s=600.0, feeds_s=0, renew_skus_max=0, reconcile_s=0),
    # A lease is a third longer than the deadline: that third must be longer than a request can be on its way.
    work=Work(jobs_poll_s=15.0, jobs_deadline_s=12.0, status_poll_s=15.0, status_page=3),
    events=Events(poll_s=15.0, ring_max=8),
)
HASTY: Final = replace(SETTINGS, work=replace(SETTINGS.work, submit_attempts_max=1, stop_attempts_max=1))
"""What fails once is left for a person."""

SERVER_WAITS_S: Final = 30.0
"""For how long the server lets a transaction do nothing."""


class Unreachable(Exception):
    """The gateway is away, or went away before it answered."""


@dataclass(slots=True)
class WallClock:
    """A gateway's own clock: it can be wrong."""

    loop: VirtualLoop
    wrong_s: float = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.loop.now_s + self.wrong_s)

    def monotonic(self) -> float:
        return self.loop.now_s


def ids(clock: Clock, random: Random) -> Callable[[], str]:
    """Version 7 UUIDs as the real maker makes them, but for where their randomness comes from."""
    last_ms, counter = 0, 0

    def make() -> str:
        nonlocal last_ms, counter
        now_ms = int(clock.now().timestamp() * 1000)
        last_ms, counter = (now_ms, 0) if now_ms > last_ms else (last_ms, counter + 1)
        return str(UUID(int=(last_ms << 80) | (7 << 76) | (counter << 64) | (0b10 << 62) | random.getrandbits(62)))

    return make


@dataclass(slots=True, kw_only=True)
class Gateway:
    """One of several. ``services`` is None while it is not up."""

    name: str
    loop: VirtualLoop
    chance: Chance
    server: Server
    places: Mapping[str, Place]
    settings: Settings
    note: Callable[[str, str], None]
    found: Callable[[str], None]
    lives: list[Life] = field(default_factory=list)
    services: Services | None = None
    _asked: dict[asyncio.Future[Any], None] = field(default_factory=dict)
    _work: asyncio.Task[None] | None = None
    clock: WallClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = WallClock(self.loop)

    @property
    def life(self) -> Life:
        """Its present process, or its last one."""
        return self.lives[-1]

    def start(self) -> None:
        """Begin a new process."""
        self.lives.append(Life(f"{self.name}.{len(self.lives) + 1}"))
        self.note(self.life.name, "starts")
        self._work = self.loop.create_task(self._live(self.life), context=context_of(self.life))

    def kill(self) -> None:
        """The process is no more: none of its tasks ever runs again. The server notices; whoever waits for it hears nothing."""
        if not self.life.alive:
            return
        self.note(self.life.name, "is killed")
        self.life.alive = False
        self.server.hang_up(self.life)
        self._gone()

    def freeze(self, for_s: float) -> None:
        """Nothing of it runs for a while; a server that waits too long for it hangs up."""
        self.note(self.life.name, f"is frozen for {for_s} s")
        self.life.frozen_until_s = self.loop.now_s + for_s
        if for_s > SERVER_WAITS_S:
            self.loop.call_later(SERVER_WAITS_S, self.server.hang_up, self.life, context=context_of(None))

    def stop(self) -> None:
        """It is told to stop, as for a new version: it finishes what it must."""
        self.note(self.life.name, "is stopped")
        if self._work is not None:
            self._work.cancel()

    def _gone(self) -> None:
        self.services = None
        for answer in self._asked:
            if not answer.done():
                answer.set_exception(Unreachable())
        self._asked.clear()

    async def _live(self, life: Life) -> None:
        parts = Parts(
            clock=self.clock,
            new_id=ids(self.clock, self.chance.random),
            spread=lambda: self.chance.seconds(0.5, 1.0),
            sources={
                SourceName(place.name): Source(
                    name=SourceName(place.name),
                    label=place.name,
                    kind=place.kind,
                    connector=SimulatedConnector(line=Line(place=place, chance=self.chance, stall=self.freeze), info=place.info),
                )
                for place in self.places.values()
            },
            open_store=self._opened,
        )
        try:
            async with running(self.settings, parts) as self.services:
                self.note(life.name, "is up")
                await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.note(life.name, "has stopped")
        except Exception as error:  # noqa: BLE001  # whatever it is: a process must not fall over
            self.note(life.name, f"fell over: {error!r}")
            self._judge(error)
        finally:
            life.alive = False
            self._gone()

    def _judge(self, error: Exception) -> None:
        """It may give up while it starts and the database is away, and is started again; never while it is up."""
        if self.services is not None or self.chance.calm:
            self.found(f"{self.life.name} fell over: {error!r}")

    @asynccontextmanager
    async def _opened(self, _url: str, clock: Clock) -> AsyncIterator[Database]:
        doors = database(self.server, clock)
        try:
            yield doors
        finally:
            await doors.aclose()

    async def ask(self, what: Callable[[Services], Awaitable[T]]) -> T:
        """What it answers.

        Raises:
            Unreachable: It is not up, or dies before it answers; what was asked for may have been done.
        """
        if self.services is None:
            raise Unreachable
        answer: asyncio.Future[T] = self.loop.create_future()
        self._asked[answer] = None
        self.loop.create_task(self._answer(what, self.services, answer), context=context_of(self.life))
        try:
            return await answer
        finally:
            self._asked.pop(answer, None)

    async def _answer(self, what: Callable[[Services], Awaitable[T]], services: Services, answer: asyncio.Future[T]) -> None:
        try:
            outcome = await what(services)
        except asyncio.CancelledError:
            if not answer.done():
                answer.set_exception(Unreachable())
            raise
        except Exception as error:  # noqa: BLE001  # the client judges
            if not answer.done():
                answer.set_exception(error)
        else:
            if not answer.done():
                answer.set_result(outcome)
