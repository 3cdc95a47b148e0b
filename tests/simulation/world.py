"""One schedule: a world made from a seed, its story, and what was wrong with it."""

import asyncio
import gc
import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any, Final

import structlog

from connectors.contract import Idempotency, RemoteRef, Sku, SourceKind, StockDrop
from gateway.domain.identity import SourceName
from gateway.domain.refusals import Overloaded, StoreUnavailable
from gateway.storage.documents import micros
from gateway.storage.failures import told
from tests.simulation.bugs import planted
from tests.simulation.chance import Chance, weather
from tests.simulation.checks import oversold, picture, unrest, wrong
from tests.simulation.clients import Crowd, Follower, beside
from tests.simulation.disk import disk
from tests.simulation.gateways import HASTY, SETTINGS, START, Gateway
from tests.simulation.loop import LIFE, Stuck, VirtualLoop
from tests.simulation.server import Server
from tests.simulation.sources import Place

ROUGH_S: Final = 30.0
PEACE_S: Final = 3_600.0
LOOK_EVERY_S: Final = 5.0
BEFORE_S: Final = 2.0
AFTERMATH_S: Final = 10.0
CLOCKS_WRONG_S: Final = (-3_600.0, -20.0, 20.0, 3_600.0)
SKUS: Final = (Sku("MUG"), Sku("CUP"))
RARE: Final = Sku("HAT")
MUST_NOT_HAPPEN: Final = frozenset(
    {"job_crashed", "command_crashed", "connector_crashed", "write_failed", "relay_stalled", "job_stuck", "not_verified"}
)
COLLECT_EVERY: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of the trace."""

    at_s: float
    who: str
    what: str

    def __str__(self) -> str:
        return f"{self.at_s:9.3f}  {self.who:<10} {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What became of a schedule. ``digest`` is of everything that happened in it, in order."""

    seed: int
    violations: tuple[str, ...]
    trace: tuple[Moment, ...]
    digest: str
    turns: int
    virtual_s: float
    orders: int


@dataclass(slots=True, kw_only=True)
class World:
    """Everything there is, for one schedule."""

    seed: int
    loop: VirtualLoop
    chance: Chance
    trace: list[Moment] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    server: Server = field(init=False)
    stock_max: int = field(init=False)
    places: Sequence[Place] = field(init=False)
    gateways: Sequence[Gateway] = field(init=False)
    crowd: Crowd = field(init=False)
    followers: Sequence[Follower] = field(init=False)

    def __post_init__(self) -> None:
        shop = disk().emptied(lambda: micros(START) + int(self.loop.now_s * 1_000_000))
        self.server = Server(disk=shop, chance=self.chance, found=self.found)
        self.stock_max = self.chance.one_of((2, 5, 5))
        self.places = tuple(self._place(*each) for each in _PLACES)
        self.chance.one_of(self.places).stock[RARE] = 1
        settings = self.chance.one_of((SETTINGS, SETTINGS, HASTY))
        self.gateways = tuple(
            Gateway(
                name=name,
                loop=self.loop,
                chance=self.chance,
                server=self.server,
                places={place.name: place for place in self.places},
                settings=settings,
                note=self.note,
                found=self.found,
            )
            for name in ("north", "south")
        )
        self.crowd = Crowd(
            chance=self.chance,
            gateways=self.gateways,
            places=self.places,
            skus=SKUS,
            rare=RARE,
            note=self.note,
            found=self.found,
        )
        self.followers = tuple(
            Follower(name=name, chance=self.chance, gateways=self.gateways, found=self.found) for name in ("ledger", "mailer")
        )

    def _place(self, name: str, kind: SourceKind, drop: StockDrop, idempotency: Idempotency, shows_after_s_max: float) -> Place:
        return Place(
            shows_after_s_max=shows_after_s_max,
            name=name,
            kind=kind,
            drop=drop,
            idempotency=idempotency,
            stock={sku: self.chance.units(0, self.stock_max) for sku in SKUS} | {RARE: 0},
            chance=self.chance,
            note=self.note,
            found=self.found,
            moved=self._hint,
        )

    # ------------------------------------------------------------------------------------------ what is noted
    def note(self, who: str, what: str) -> None:
        """Something happened."""
        self.trace.append(Moment(at_s=self.loop.now_s, who=who, what=what))

    def found(self, problem: str) -> None:
        """Something happened that must not."""
        if problem not in self.violations:
            self.violations.append(problem)
            self.note("VIOLATION", problem)

    def logged(self, _logger: object, level: str, line: Any) -> Any:
        """The gateways' own log goes into the trace; what only a bug can cause is a violation."""
        life = LIFE.get()
        error = sys.exc_info()[1]
        said = str(line.pop("event"))
        self.note(life.name if life else "?", f"{said} {line} {error!r}" if error else f"{said} {line}")
        rough = not self.chance.calm or (life is not None and life.frozen_until_s + AFTERMATH_S > self.loop.now_s)
        unlucky = isinstance(error, Exception) and isinstance(told(error), StoreUnavailable)
        expected = isinstance(error, Overloaded) or (rough and unlucky)
        if said in MUST_NOT_HAPPEN and not expected:
            self.found(f"{said}: {error!r}")
        raise structlog.DropEvent

    def _hint(self, place: Place, ref: RemoteRef) -> None:
        """A place may tell one of the gateways that something moved."""
        if self.chance.happens(0.3):
            gateway = self.chance.one_of(self.gateways)
            name = SourceName(place.name)
            beside(gateway, lambda services: services.tracking.look_at(services.sources[name], (ref,)))

    # ------------------------------------------------------------------------------------------ the story
    async def story(self) -> None:
        """Rough times, then peace; then everything must come to rest, and the books must be right."""
        for gateway in self.gateways:
            gateway.start()
        follows = [self.loop.create_task(each.follow()) for each in self.followers]
        orders = self.chance.units(3, 8)
        rush_s = self.chance.one_of((0.0, 2.0, 10.0, ROUGH_S))
        opens_s = self.chance.seconds(0.0, ROUGH_S - rush_s)
        visits = [self.crowd.shop(opens_s + self.chance.seconds(0.0, rush_s)) for _ in range(orders)]
        visits += [self.crowd.tend(self.chance.seconds(ROUGH_S / 4, ROUGH_S * 2)) for _ in range(self.chance.units(0, 4))]
        if self.chance.happens(0.3):
            visits.append(self.crowd.dash(opens_s))
        happenings = [self.trouble(), self.watch(ROUGH_S), self.crowd.browse(opens_s - BEFORE_S), *visits]
        await asyncio.gather(*happenings)
        self.calm()
        await self._rest()
        for follow in follows:
            follow.cancel()
        self.end()
        if self.violations:
            return
        books = picture(self.server.disk, START + timedelta(seconds=self.loop.now_s))
        for problem in await wrong(books, self.server, self.places, self.crowd):
            self.found(problem)
        for complaint in self.loop.complained():
            self.found(complaint)

    def end(self) -> None:
        """Nothing goes on any more."""
        for gateway in self.gateways:
            gateway.kill()

    async def trouble(self) -> None:
        """Processes die, clocks jump, places go down, goods arrive."""
        for _ in range(self.chance.units(0, 5)):
            await asyncio.sleep(self.chance.seconds(0.0, ROUGH_S / 3))
            gateway = self.chance.one_of(self.gateways)
            match self.chance.one_of(("kill", "kill", "freeze", "stop", "clock", "down", "goods")):
                case "kill":
                    gateway.kill()
                    self.loop.call_later(self.chance.seconds(0.0, 20.0), self._revive, gateway)
                case "freeze":
                    gateway.freeze(self.chance.one_of((5.0, 20.0, 100.0)))
                case "stop":
                    gateway.stop()
                    self.loop.call_later(self.chance.seconds(0.0, 20.0), self._revive, gateway)
                case "clock":
                    gateway.clock.wrong_s = self.chance.one_of(CLOCKS_WRONG_S)
                    self.note(gateway.life.name, f"has a clock that is {gateway.clock.wrong_s} s wrong")
                case "down":
                    place = self.chance.one_of(self.places)
                    place.down_until_s = self.loop.now_s + self.chance.seconds(1.0, 20.0)
                    self.note(place.name, f"is down until {place.down_until_s:.3f}")
                case _:
                    place, sku = self.chance.one_of(self.places), self.chance.one_of(SKUS)
                    place.stock[sku] += 2
                    self.note(place.name, f"gets 2 {sku}")

    def _revive(self, gateway: Gateway) -> None:
        if not gateway.life.alive:
            gateway.start()

    def calm(self) -> None:
        """From now on, nothing fails any more."""
        self.note("peace", "begins")
        self.chance.calm = True
        for place in self.places:
            place.down_until_s = 0.0
        for gateway in self.gateways:
            self._revive(gateway)

    async def watch(self, for_s: float) -> None:
        """Look now and then whether too much was promised."""
        until = self.loop.now_s + for_s
        while self.loop.now_s < until:
            await asyncio.sleep(LOOK_EVERY_S)
            self._look()

    def _look(self) -> list[str]:
        """Whether too much was promised; returns what is still to happen."""
        books = picture(self.server.disk, START + timedelta(seconds=self.loop.now_s))
        for problem in oversold(books, self.places):
            self.found(problem)
        return list(unrest(books, self.server.disk, self.followers)) if self.chance.calm else []

    async def _rest(self) -> None:
        until = self.loop.now_s + PEACE_S
        pause_s = LOOK_EVERY_S
        while left := self._look():
            if self.violations:
                return
            if self.loop.now_s > until:
                for problem in left:
                    self.found(f"not at rest after an hour: {problem}")
                return
            await self.crowd.redo()
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.2, 60.0)
            for gateway in self.gateways:
                self._revive(gateway)


_PLACES: Final = (
    ("depot", SourceKind.WAREHOUSE, StockDrop.ON_ACCEPT, Idempotency.LOOKUP, 0.0),
    ("partner", SourceKind.THIRD_PARTY_LOGISTICS, StockDrop.ON_ACCEPT, Idempotency.KEY, 4.0),
    ("store", SourceKind.STORE_POS, StockDrop.ON_SHIP, Idempotency.KEY, 0.0),
)


def play(seed: int, bug: str | None = None) -> Played:
    """Play the schedule of that seed, the same one each time; with that bug planted, if one is named."""
    random = Random(seed)
    loop = VirtualLoop(Random(random.getrandbits(64)))  # type: ignore[abstract]  # what it lacks is never asked for
    world = World(seed=seed, loop=loop, chance=Chance(random=random, weather=weather(random)))
    with planted(bug), _logging(world), _without_collector(seed):
        try:
            loop.run_until_complete(world.story())
        except Stuck as stuck:
            world.found(str(stuck))
        except Exception as error:  # noqa: BLE001  # the seed must be told, whatever it is
            world.found(f"the story broke off: {error!r}")
        trace, turns, virtual_s = tuple(world.trace), loop.turns, loop.now_s
        world.chance.calm = True
        world.end()
        loop.clear_up()
    ended = hashlib.sha256("\n".join(map(str, trace)).encode())
    ended.update(repr((turns, virtual_s, random.random())).encode())
    return Played(
        seed=seed,
        violations=tuple(world.violations),
        trace=trace,
        digest=ended.hexdigest(),
        turns=turns,
        virtual_s=virtual_s,
        orders=len(world.crowd.promised),
    )


@contextmanager
def _logging(world: World) -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(processors=[world.logged], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def _without_collector(seed: int) -> Iterator[None]:
    """Garbage is collected between schedules only: when it happens must not depend on how much memory there is."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if seed % COLLECT_EVERY == 0:
            gc.collect()
        if was_on:
            gc.enable()
