"""The places there are: what the sources say of their locations, corrected by what the operator says."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from connectors.contract import RemoteLocation, RemoteLocationId, SourceError, SourceKind
from gateway.domain.geography import Centroids, GeoPoint
from gateway.domain.identity import LocationId, SourceName
from gateway.domain.locations import Location, LocationKind
from gateway.domain.refusals import NotFound
from gateway.ports import Correction, Source, Sources, Store, Upkeep
from gateway.services.atlas import Atlas
from gateway.services.bells import rung

log = structlog.get_logger(__name__)

KIND: Final[Mapping[SourceKind, LocationKind]] = {
    SourceKind.WAREHOUSE: LocationKind.WAREHOUSE,
    SourceKind.STORE_POS: LocationKind.STORE,
    SourceKind.THIRD_PARTY_LOGISTICS: LocationKind.THIRD_PARTY,
}


@dataclass(slots=True, kw_only=True)
class Network:
    """Every location, by our id. Kept in the database, so that a source that is silent at start has locations all the same.

    ``refresh_s`` is how often sources are asked again; after a failure it is ``retry_s``.
    """

    sources: Sources
    store: Store
    upkeep: Upkeep
    centroids: Centroids
    corrections: Mapping[tuple[SourceName, RemoteLocationId], Correction]
    refresh_s: float
    retry_s: float
    deadline_s: float
    _by_id: dict[LocationId, Location] = field(default_factory=dict)
    _atlas: Atlas = field(default_factory=lambda: Atlas(locations=()))
    _stale: asyncio.Event = field(default_factory=asyncio.Event)

    async def load(self) -> None:
        """Recall what was known, then ask every source once; those that are silent, again soon."""
        await self._recall()
        if not await self.refresh():
            self._stale.set()

    async def run(self) -> None:
        """Ask again now and then, soon after something unknown turned up or a source did not answer; never more often than that."""
        complete = True
        while True:
            await rung(self._stale, self.refresh_s if complete else self.retry_s)
            self._stale.clear()
            try:
                complete = await self.refresh()
            except Exception:  # the database is away: what is known stays known
                log.exception("locations_not_kept")
                complete = False
            await asyncio.sleep(self.retry_s)

    async def refresh(self) -> bool:
        """Ask every source which locations it has. False if one did not answer; another gateway may have heard from it."""
        await self._recall()
        answers = await asyncio.gather(*(self._ask(source) for source in self.sources.values()))
        found = [location for answer in answers if answer is not None for location in answer]
        self._adopt(found)
        await self.upkeep.remember_locations(found)
        return None not in answers

    def all(self) -> tuple[Location, ...]:
        """Every location of a configured source, by code."""
        return self._atlas.locations

    def atlas(self) -> Atlas:
        """The same, with all that is worked out of them; the same object for as long as nothing changes."""
        return self._atlas

    def of_source(self, source: SourceName) -> tuple[Location, ...]:
        """The locations that this source looks after, by code."""
        return tuple(each for each in self.all() if each.source == source)

    def get(self, location: LocationId) -> Location | None:
        """That location, if it is known."""
        return self._by_id.get(location)

    def by_code(self, code: str) -> Location | None:
        """The location that people call so."""
        return next((each for each in self._by_id.values() if each.code == code), None)

    async def require(self, location: str, *, path: tuple[str, ...]) -> Location:
        """That location; perhaps another gateway has heard of it since.

        Raises:
            NotFound: It is not known.
        """
        if LocationId(location) not in self._by_id:
            await self._recall()
        found = self._by_id.get(LocationId(location))
        if found is None:
            raise NotFound(what="location", name=location, path=path)
        return found

    def knows(self, source: SourceName) -> bool:
        """Whether any location of that source is known. If not, it is asked soon."""
        found = any(each.source == source for each in self._by_id.values())
        if not found:
            self._stale.set()
        return found

    def at(self, source: SourceName, remote: RemoteLocationId) -> Location | None:
        """The location that a source calls so. Unknown ones are asked for soon."""
        found = self._by_id.get(identity(source, remote))
        if found is None:
            self._stale.set()
        return found

    async def _recall(self) -> None:
        self._adopt(self._corrected(each) for each in await self.store.locations())

    def _adopt(self, locations: Iterable[Location]) -> None:
        found = self._by_id | {each.id: each for each in locations if each.source in self.sources}
        if found != self._by_id:
            self._by_id = found
            self._atlas = Atlas(locations=tuple(sorted(found.values(), key=lambda each: each.code)))

    async def _ask(self, source: Source) -> tuple[Location, ...] | None:
        try:
            async with asyncio.timeout(self.deadline_s):
                remote = await source.connector.locations()
        except (SourceError, TimeoutError) as error:
            log.warning("locations_unknown", source=source.name, reason=str(error) or "no answer in time")
            return None
        except Exception:  # another author's bug is that source's failure, not everybody's
            log.exception("connector_crashed", source=source.name)
            return None
        return tuple(self._described(source, each) for each in remote)

    def _described(self, source: Source, remote: RemoteLocation) -> Location:
        known = Location(
            id=identity(source.name, remote.id),
            code=slug(remote.name) or slug(f"{source.name}-{remote.id}"),
            name=remote.name,
            kind=KIND[source.kind],
            source=source.name,
            remote_id=remote.id,
            time_zone=zone_named(remote.time_zone),
            position=self.centroids.locate(remote.address) if remote.address is not None else None,
            address=remote.address,
            methods=remote.methods,
            hours=remote.hours,
            active=remote.active,
        )
        return self._corrected(known)

    def _corrected(self, location: Location) -> Location:
        return corrected(location, self.corrections.get((location.source, location.remote_id), Correction()))


def identity(source: SourceName, remote: RemoteLocationId) -> LocationId:
    """Our id of a place: it stays the same for as long as the source calls it so."""
    return LocationId(f"{source}:{remote}")


def zone_named(name: str | None) -> str:
    """The time zone that a source names; UTC, if it names none that there is."""
    try:
        return ZoneInfo(name or "UTC").key
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones, such as America
        log.warning("time_zone_unknown", name=name)
        return "UTC"


def slug(name: str) -> str:
    """A name as people type it in an address bar: lower case, words joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def corrected(location: Location, correction: Correction) -> Location:
    """The location with what the operator says in place of what the source says, and within the limits that the operator sets."""
    position = location.position
    if correction.latitude is not None and correction.longitude is not None:
        position = GeoPoint(latitude=correction.latitude, longitude=correction.longitude)
    return replace(
        location,
        code=correction.code or location.code,
        name=correction.name or location.name,
        time_zone=correction.time_zone or location.time_zone,
        methods=correction.methods if correction.methods is not None else location.methods,
        active=location.active if correction.active is None else correction.active,
        position=position,
        units_per_day=correction.units_per_day,
        slot_minutes=correction.slot_minutes,
        pickups_per_slot=correction.pickups_per_slot,
        schedule=correction.schedule,
        groups=correction.groups,
    )
