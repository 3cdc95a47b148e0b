"""Hand-made parts for tests of promises: a clock to turn, two places, and a writer on a database of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from copy import copy
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from connectors.contract import Address, Method, RemoteLocationId, Sku
from gateway.domain.books import Books
from gateway.domain.fulfillments import Units
from gateway.domain.geography import Centroids
from gateway.domain.identity import LocationId, ReservationId, SourceName
from gateway.domain.locations import Location, LocationKind
from gateway.domain.routing import Tariff
from gateway.domain.stock import Reading
from gateway.ports import Clock, Once, Touches
from gateway.services.atlas import Atlas
from gateway.services.orders import Place, Purchase
from gateway.services.reservations import Hold
from gateway.services.routing import Landscape
from gateway.storage.database import Database, opened
from gateway.storage.queries import SqlStore
from gateway.storage.upkeep import SqlUpkeep
from gateway.storage.writer import GroupCommitWriter
from gateway.system import uuid7_maker
from tests.storages import Storage, in_file

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
MUG, CUP = Sku("MUG"), Sku("CUP")
EAST, WEST = LocationId("east"), LocationId("west")
SOURCE_OF = {EAST: SourceName("warehouse"), WEST: SourceName("shop")}
HOME = Address(lines=("1 Main St",), city="Chicago", postal_code="60601", country_code="US")
PLACES = tuple(
    Location(
        id=location,
        code=location,
        name=location.title(),
        kind=LocationKind.WAREHOUSE,
        source=source,
        remote_id=RemoteLocationId(location),
        time_zone="UTC",
    )
    for location, source in SOURCE_OF.items()
)


@dataclass
class HandClock:
    """A clock that moves when it is told to, and a database's with it that reads its ``dial``."""

    at: datetime = START
    dial: Path | None = None

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - START).total_seconds()

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.show()

    def show(self) -> None:
        if self.dial is not None:
            written = self.dial.with_suffix(".new")
            written.write_text(self.at.isoformat())
            written.replace(self.dial)


def numbered() -> Callable[[], str]:
    """Ids that can be told apart at sight: 0001, 0002, ..."""
    numbers = count(1)
    return lambda: f"{next(numbers):04}"


def reading(sku: Sku, location: LocationId, available: int | None, *, epoch: int = 0) -> Reading:
    return Reading(sku=sku, location=location, epoch=epoch, read_at=START, available=available)


def landscape(
    *readings: Reading,
    silent: frozenset[SourceName] = frozenset(),
    places: tuple[Location, ...] = PLACES,
    at: datetime = START,
) -> Landscape:
    """The world as these readings show it."""
    return Landscape(
        at=at,
        atlas=Atlas(locations=places),
        readings={(each.sku, each.location): each for each in readings},
        silent=silent,
        unheard=frozenset(),
        safety_units={},
        centroids=Centroids(points={}),
        tariff=Tariff(),
    )


def units(*wanted: tuple[Sku, int]) -> tuple[Units, ...]:
    return tuple(Units(sku=sku, units=each) for sku, each in wanted)


def hold(wanted: int, *, of: int, ttl_s: float = 60, at: LocationId | None = None) -> Hold:
    """Keep so many mugs of the ``of`` that are in the east."""
    return Hold(lines=units((MUG, wanted)), at=at, ttl=timedelta(seconds=ttl_s), landscape=landscape(reading(MUG, EAST, of)))


def place(
    wanted: int, *, of: int, epoch: int = 0, external_id: str | None = None, reservation: ReservationId | None = None
) -> Place:
    """Order so many mugs of the ``of`` that are in the east."""
    purchase = Purchase(
        channel="web",
        lines=units((MUG, wanted)),
        to=HOME,
        method=Method.SHIP,
        external_id=external_id,
        reservation=reservation,
    )
    return Place(purchase=purchase, landscape=landscape(reading(MUG, EAST, of, epoch=epoch)), by="shop")


def once(key: str, request: str = "same", *, principal: str = "shop") -> Once:
    return Once(principal=principal, operation="orderPlace", key=key, request_hash=request)


@dataclass(frozen=True, kw_only=True)
class Command:
    """Whatever ``does`` does to the books."""

    does: Callable[[Books], Any]
    touches: Touches = field(default_factory=Touches)

    def decide(self, books: Books) -> Any:
        return self.does(books)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A database and everything that writes to it and reads from it."""

    clock: HandClock
    database: Database
    writer: GroupCommitWriter
    store: SqlStore
    upkeep: SqlUpkeep
    commits: list[frozenset[Sku]]
    working: asyncio.Future[None]
    logs: Sequence[Any]


@asynccontextmanager
async def desk(
    where: Path | Storage, *, clock: HandClock | None = None, own_clock: Clock | None = None, **limits: Any
) -> AsyncIterator[Desk]:
    """The writer at work on that storage, or on ``dom.sqlite3`` in that folder. ``commits`` gets a line for each transaction.

    ``clock`` is the database's. ``own_clock`` is what the gateway makes its ids by, should it go wrong.
    """
    storage = in_file(where) if isinstance(where, Path) else where
    clock = clock or HandClock()
    clock.dial = storage.dial
    clock.show()
    with capture_logs() as logs:  # and no pages of tracebacks, which take seconds to draw
        async with opened(storage.url, clock) as database, _desk(database, clock, own_clock or clock, limits, logs) as on:
            yield on


@asynccontextmanager
async def _desk(
    database: Database, clock: HandClock, own_clock: Clock, limits: dict[str, Any], logs: Sequence[Any]
) -> AsyncIterator[Desk]:
    commits: list[frozenset[Sku]] = []
    writer = GroupCommitWriter(
        database=database,
        clock=own_clock,
        new_id=uuid7_maker(own_clock.now),
        committed=lambda each: commits.append(each.skus),
        **limits,
    )
    async with at_work(writer.run) as working:
        yield Desk(
            clock=clock,
            database=database,
            writer=writer,
            store=SqlStore(database=database),
            upkeep=SqlUpkeep(writer=writer),
            commits=commits,
            working=working,
            logs=logs,
        )


@asynccontextmanager
async def at_work(loop: Callable[[], Awaitable[None]]) -> AsyncIterator[asyncio.Future[None]]:
    """Run this beside what is inside."""
    task = asyncio.ensure_future(loop())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def all_of(*asked: Awaitable[Any]) -> list[Any]:
    """What became of each, refusals and bugs included."""
    return await asyncio.gather(*asked, return_exceptions=True)


def picture(books: Books) -> dict[str, Any]:
    """Everything in the books, but for how to undo the last command."""
    return {each.name: copy(getattr(books, each.name)) for each in fields(books) if each.name not in {"_undo", "new_id"}}
