"""Live stock: one batched read per source, shared by everyone who asks, kept for as long as the source says it stays fresh.

A slow or dead source costs the deadline and never the answer: what it last said comes back marked ``STALE`` with its age, or
nothing does and the level is ``UNKNOWN``. Nobody who stops waiting stops the read for the others.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Final

import msgspec
import structlog
from cachetools import LRUCache
from msgspec.structs import replace

from connectors.contract import ContractBroken, Sku, SourceError, StockBatch, StockReader, Throttled, Transient
from gateway.domain.books import ShelfKey
from gateway.domain.identity import SourceName
from gateway.domain.refusals import StoreUnavailable
from gateway.domain.sightings import Sightings
from gateway.domain.stock import Reading, Shelf, outdated
from gateway.ports import Clock, Source, Store
from gateway.services.demand import Demand
from gateway.services.network import Network

log = structlog.get_logger(__name__)

EPOCHS_WAIT_S: Final = 0.5
LATE: Final = "DEADLINE"
NOT_CARRIED: Final = "does not carry this SKU"
MOVED: Final = "moved while it was being read"

_NUMBERS: Final = attrgetter("location", "available", "on_hand", "committed", "incoming")


class Freshness(StrEnum):
    """How far a number can be trusted.

    Attributes:
        LIVE: Read for this request.
        CACHED: Read lately: inside the source's freshness window.
        STALE: Older: the source did not answer.
        UNKNOWN: Never read, or never counted there.
    """

    LIVE = "LIVE"
    CACHED = "CACHED"
    STALE = "STALE"
    UNKNOWN = "UNKNOWN"


CURRENT: Final = frozenset({Freshness.LIVE, Freshness.CACHED})


class SourceStatus(StrEnum):
    """Whether a source answers.

    Attributes:
        OK: It answered.
        DEGRADED: It is late, or asks us to slow down.
        DOWN: It failed.
    """

    OK = "OK"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"


class Kept(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one source said of one SKU, and when it was asked. No readings: it does not carry the SKU.

    A struct that the collector does not know, as ``Reading`` is. ``moved``: the source has said since that it is no longer so.
    """

    readings: tuple[Reading, ...]
    asked_at: datetime
    asked_at_s: float
    name: str | None = None
    moved: bool = False

    def is_fresh(self, oldest_s: float) -> bool:
        """Whether it was asked for since then, and still holds."""
        return self.asked_at_s >= oldest_s and not self.moved


class Said(msgspec.Struct, frozen=True, kw_only=True):  # made by the hundred for one query: a struct is made in C
    """One source's part in the answer about one SKU."""

    source: SourceName
    freshness: Freshness
    status: SourceStatus
    reason: str | None
    latency_ms: float | None
    kept: Kept | None
    fresh_until: datetime | None

    @property
    def is_current(self) -> bool:
        """Whether it may be promised on."""
        return self.freshness in CURRENT


Answers = Mapping[Sku, tuple[Said, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A read under way, and since when: whoever joins it takes its answer as live, though it was begun before they asked."""

    begun_s: float
    task: "asyncio.Task[None]"


@dataclass(slots=True)
class Epochs:
    """The epochs of all sources, read once for all reads that begin together, and not before one of them needs it."""

    store: Store
    _read: "asyncio.Task[Mapping[SourceName, int]] | None" = None

    async def now(self) -> Mapping[SourceName, int]:
        """How many acknowledgments of each source had been committed when this was first asked; empty while nobody can tell.

        Stock can be shown without: what the store would have said is only newer than what was seen before.
        """
        if self._read is None:
            self._read = asyncio.ensure_future(self._ask())
        return await asyncio.shield(self._read)

    async def _ask(self) -> Mapping[SourceName, int]:
        try:
            async with asyncio.timeout(EPOCHS_WAIT_S):
                return await self.store.epochs()
        except (StoreUnavailable, TimeoutError):
            return {}


@dataclass(slots=True, kw_only=True)
class Desk:
    """All that is asked of one source's stock. What was read serves for ``stale_for_s``, if nothing newer can be had."""

    source: Source
    reader: StockReader
    network: Network
    store: Store
    clock: Clock
    cache: LRUCache[Sku, Kept]
    stale_for_s: float
    changed: Callable[[Collection[Sku]], None]
    latency_ms: float | None = None
    last_read_at: datetime | None = None
    failure: SourceError | None = None
    _sightings: Sightings = field(init=False)
    _flights: dict[Sku, Flight] = field(default_factory=dict)
    _moved_meanwhile: set[Sku] = field(default_factory=set)
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    def __post_init__(self) -> None:
        self._sightings = Sightings(delay_s=self.source.connector.info.visibility_delay_s)

    @property
    def fresh_for_s(self) -> float:
        """How long what was read may be served without asking again."""
        return self.source.connector.info.fresh_for_s

    def due(self, skus: Sequence[Sku], *, age_s: float) -> list[Sku]:
        """Those of these that it carries, and that have moved or are older than that."""
        oldest_s = self.clock.monotonic() - age_s
        known = self._known([sku for sku in skus if sku not in self._flights])
        return [sku for sku, kept in known.items() if kept is not None and kept.readings and not kept.is_fresh(oldest_s)]

    async def read(self, skus: Sequence[Sku], *, age_s_max: float | None, deadline_s: float, epochs: Epochs) -> dict[Sku, Said]:
        """What this source has to say of these SKUs, in at most ``deadline_s``; never an exception."""
        window_s = self.fresh_for_s
        oldest_s = self.clock.monotonic() - (window_s if age_s_max is None else min(age_s_max, window_s))
        kept = self._known(skus)
        wanted = [sku for sku, each in kept.items() if each is None or not each.is_fresh(oldest_s)]
        begun_s = await self._join(wanted, deadline_s, epochs) if wanted else {}
        kept |= self._known(wanted)
        window = timedelta(seconds=window_s)
        return {
            sku: self._said(sku, each, live=sku in begun_s, oldest_s=min(oldest_s, begun_s.get(sku, oldest_s)), window=window)
            for sku, each in kept.items()
        }

    def expire(self, skus: Collection[Sku]) -> None:
        """The source says these moved: what is kept of them, or being read, is no longer fresh, though better than nothing."""
        self._moved_meanwhile.update(self._flights.keys() & skus)
        for sku in skus:
            if (kept := self.cache.get(sku)) is not None:
                self.cache[sku] = replace(kept, moved=True)

    def catch_up(self, shelves: Mapping[ShelfKey, Shelf]) -> None:
        """What is kept of these is no longer fresh, where others have taken something off that it does not contain."""
        for (sku, location), shelf in shelves.items():
            kept = self.cache.get(sku)
            if kept is not None and any(each.location == location and outdated(each, shelf) for each in kept.readings):
                self._sightings.prove(shelf.settled_epoch)
                self.cache[sku] = replace(kept, moved=True)

    def known(self, sku: Sku) -> Kept | None:
        """What is known of that SKU, without asking, if it is not too old to be of any use."""
        return self._known((sku,))[sku]

    async def aclose(self) -> None:
        """Stop reading."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _known(self, skus: Collection[Sku]) -> dict[Sku, Kept | None]:
        since_s = self.clock.monotonic() - self.stale_for_s
        found = ((sku, self.cache.get(sku)) for sku in skus)
        return {sku: kept if kept is not None and kept.asked_at_s >= since_s else None for sku, kept in found}

    async def _join(self, wanted: Sequence[Sku], deadline_s: float, epochs: Epochs) -> dict[Sku, float]:
        """Wait for the reads in flight, after starting one for what is not being read yet. Returns when each was begun."""
        fresh = [sku for sku in wanted if sku not in self._flights]
        if fresh:
            flight = Flight(begun_s=self.clock.monotonic(), task=asyncio.create_task(self._fetch(fresh, epochs)))
            self._tasks.add(flight.task)
            flight.task.add_done_callback(self._tasks.discard)
            self._flights.update(dict.fromkeys(fresh, flight))
        flights = {sku: self._flights[sku] for sku in wanted}
        await asyncio.wait({flight.task for flight in flights.values()}, timeout=deadline_s)
        return {sku: flight.begun_s for sku, flight in flights.items()}

    async def _fetch(self, skus: Sequence[Sku], epochs: Epochs) -> None:
        """One read of the source. The epoch is taken first: what is acknowledged later is not in this number."""
        started_at, started_s = self.clock.now(), self.clock.monotonic()
        try:
            newest = (await epochs.now()).get(self.source.name, 0)
            self._sightings.see(newest, self.clock.monotonic())
            epoch = self._sightings.shown(self.clock.monotonic())
            batch = await self.reader.read_stock(skus)
            if not self.network.knows(self.source.name):
                raise Transient("its locations are not known yet")
            self._keep(batch, skus, epoch=epoch, at=started_at, at_s=started_s)
            self.failure = None
            self.last_read_at = started_at
        except SourceError as error:
            self.failure = error
        except Exception as error:  # another author's bug is that source's failure, not everybody's
            log.exception("connector_crashed", source=self.source.name)
            self.failure = ContractBroken(f"the connector failed: {type(error).__name__}")
        finally:
            self.latency_ms = (self.clock.monotonic() - started_s) * 1000
            for sku in skus:
                self._flights.pop(sku, None)
                self._moved_meanwhile.discard(sku)

    def _keep(self, batch: StockBatch, asked: Sequence[Sku], *, epoch: int, at: datetime, at_s: float) -> None:
        found: dict[Sku, list[Reading]] = {sku: [] for sku in asked}
        places = {remote: self.network.at(self.source.name, remote) for remote in {level.location for level in batch.levels}}
        for level in batch.levels:
            location = places[level.location]
            if location is not None and level.sku in found:
                found[level.sku].append(
                    Reading(
                        sku=level.sku,
                        location=location.id,
                        epoch=epoch,
                        read_at=at,
                        on_hand=level.on_hand,
                        available=level.available,
                        committed=level.committed,
                        incoming=level.incoming,
                        as_of=level.as_of,
                    )
                )
        moved = []
        for sku, readings in found.items():
            before = self.cache.get(sku)
            if before is not None and before.asked_at_s > at_s:
                continue  # two reads overlapped: the one that was asked for later knows better
            moved_meanwhile = sku in self._moved_meanwhile
            self.cache[sku] = Kept(
                readings=tuple(readings), asked_at=at, asked_at_s=at_s, name=batch.names.get(sku), moved=moved_meanwhile
            )
            if before is not None and set(map(_NUMBERS, before.readings)) != set(map(_NUMBERS, readings)):
                moved.append(sku)
        if moved:
            self.changed(moved)

    def _said(self, sku: Sku, kept: Kept | None, *, live: bool, oldest_s: float, window: timedelta) -> Said:
        """What to answer about one SKU, with what is kept of it now."""
        if kept is not None and kept.is_fresh(oldest_s):
            freshness, status = Freshness.LIVE if live else Freshness.CACHED, SourceStatus.OK
            reason = None if kept.readings else NOT_CARRIED
        elif kept is not None and kept.moved and kept.asked_at_s >= oldest_s and sku not in self._flights:
            freshness, status, reason = Freshness.STALE, SourceStatus.OK, MOVED
        else:
            late = sku in self._flights or self.failure is None
            freshness = Freshness.UNKNOWN if kept is None else Freshness.STALE
            status = SourceStatus.DEGRADED if late or isinstance(self.failure, Throttled) else SourceStatus.DOWN
            reason = LATE if late else str(self.failure)
        return Said(
            source=self.source.name,
            freshness=freshness,
            status=status,
            reason=reason,
            latency_ms=self.latency_ms,
            kept=kept,
            fresh_until=None if kept is None else kept.asked_at + window,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """All desks together."""

    desks: Mapping[SourceName, Desk]
    store: Store
    demand: Demand

    async def read(self, skus: Collection[Sku], *, deadline_s: float, age_s_max: float | None = None) -> Answers:
        """What every source has to say of every one of these SKUs, in at most ``deadline_s`` altogether.

        ``age_s_max``: nothing older will do; a source's own freshness window bounds it from above.
        """
        wanted = tuple(dict.fromkeys(skus))
        if not wanted:
            return {}
        self.demand.note(wanted)
        epochs = Epochs(self.store)
        said = await asyncio.gather(
            *(desk.read(wanted, age_s_max=age_s_max, deadline_s=deadline_s, epochs=epochs) for desk in self.desks.values())
        )
        return {sku: tuple(each[sku] for each in said) for sku in wanted}

    def catch_up(self, shelves: Mapping[ShelfKey, Shelf]) -> None:
        """See to it that these are read anew, where another gateway has promised on newer readings than ours."""
        for desk in self.desks.values():
            desk.catch_up(shelves)

    async def renew(self, skus: Collection[Sku]) -> None:
        """See to it that these are read anew, as far as our books prove our readings of them outdated."""
        self.catch_up(await self.store.shelves(skus))

    def doubt(self, source: SourceName, skus: Collection[Sku]) -> None:
        """What this source said of these SKUs is not to be promised on again before it has been asked again."""
        if source in self.desks:
            self.desks[source].expire(skus)

    async def aclose(self) -> None:
        """Stop reading."""
        await asyncio.gather(*(desk.aclose() for desk in self.desks.values()))
