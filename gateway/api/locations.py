"""Sources and locations: where stock lives."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import strawberry

from connectors.contract import Observed
from gateway.api.describe import described
from gateway.api.enums import LocationKind, Method, SourceKind, SourceStatus
from gateway.api.identifiers import global_id
from gateway.api.node import Node
from gateway.api.scalars import Day, Instant
from gateway.api.sources import SourceCapabilities, SourceFeed, SourceHealth, SourceReconciliation, SourceTraffic
from gateway.domain.identity import SourceName
from gateway.domain.locations import Location as Place
from gateway.domain.principals import Right
from gateway.ports import Source as Configured
from gateway.ports import Sources
from gateway.services.capacity import DayCapacity, SlotCapacity, day_capacity, slot_capacities
from gateway.services.readings import Desk, Readings


@described
@strawberry.type
class GeoPoint:
    """A place on Earth, in degrees (WGS 84).

    Attributes:
        latitude: North is positive.
        longitude: East is positive.
    """

    latitude: float
    longitude: float


@described
@strawberry.type
class OpeningHours:
    """One open period of a weekday, in the location's own time zone.

    Attributes:
        weekday: 0 is Monday.
        opens_at: Wall time, HH:MM.
        closes_at: Wall time, HH:MM.
    """

    weekday: int
    opens_at: str
    closes_at: str


@described
@strawberry.type
class Source(Node):
    """An external system of record, reached by a connector.

    Attributes:
        name: What the operator calls it; unique.
        label: Its name for people.
        kind: What it looks after.
        connector: The kind of connector that reaches it.
        safety_stock: Units kept back from promises at each of its locations.
        status: Whether its last read of stock succeeded.
        status_reason: Why its last read of stock failed.
        latency_ms: How long its last read of stock took, in milliseconds.
        last_read_at: When its stock was last read with success.
    """

    name: str
    label: str
    kind: SourceKind
    connector: str
    safety_stock: int
    status: SourceStatus
    status_reason: str | None
    latency_ms: float | None
    last_read_at: Instant | None
    configured: strawberry.Private[Configured]

    @strawberry.field
    def capabilities(self) -> SourceCapabilities:
        """What it can do, and how far its numbers carry a promise."""
        return SourceCapabilities.of(self.configured)

    @strawberry.field
    def traffic(self, info: strawberry.Info[Any, None]) -> list[SourceTraffic]:
        """How asking it has been going; empty where its connector does not tell."""
        info.context.must(Right.READ_SOURCES)
        connector = self.configured.connector
        lines = connector.traffic() if isinstance(connector, Observed) else {}
        return [SourceTraffic(intent=intent, **asdict(line)) for intent, line in sorted(lines.items())]

    @strawberry.field
    def feed(self, info: strawberry.Info[Any, None]) -> SourceFeed | None:
        """How hearing from it what moved has been going. Null: it cannot be asked that."""
        info.context.must(Right.READ_SOURCES)
        feed = info.context.services.feeds.feeds.get(self.configured.name)
        if feed is None:
            return None
        return SourceFeed(heard=feed.heard, heard_at=_instant(feed.heard_at), failure=feed.failure)

    @strawberry.field
    def reconciliation(self, info: strawberry.Info[Any, None]) -> SourceReconciliation | None:
        """What the newest comparison with all of its stock came to. Null: there was none yet."""
        info.context.must(Right.READ_SOURCES)
        found = info.context.services.reconciliation.done.get(self.configured.name)
        if found is None:
            return None
        return SourceReconciliation(
            started_at=Instant(found.started_at),
            finished_at=_instant(found.finished_at),
            skus=found.skus,
            levels=found.levels,
            drifted_levels=found.drifted_levels,
            drifted_units=found.drifted_units,
            failure=found.failure,
        )

    @strawberry.field
    async def health(self, info: strawberry.Info[Any, None]) -> SourceHealth:
        """Ask it now how it is: one request to the source, or a few."""
        info.context.must(Right.READ_SOURCES)
        health = await self.configured.connector.health()
        return SourceHealth(
            ok=health.ok,
            latency_ms=health.latency_ms,
            remote_version=health.remote_version,
            credential_expires_at=_instant(health.credential_expires_at),
            detail=health.detail,
        )

    @strawberry.field
    def locations(self, info: strawberry.Info[Any, None]) -> list["Location"]:
        """The places it looks after, by code."""
        return [Location.of(place, self) for place in info.context.services.network.of_source(self.configured.name)]

    @staticmethod
    def of(source: Configured, desk: Desk | None) -> "Source":
        """The source as the graph shows it, and how its desk for stock fares, if it has one."""
        failure = None if desk is None else desk.failure
        return Source(
            id=global_id("Source", source.name),
            name=source.name,
            label=source.label,
            kind=source.kind,
            connector=source.connector.info.connector,
            safety_stock=source.safety_units,
            status=SourceStatus.OK if failure is None else SourceStatus.DOWN,
            status_reason=None if failure is None else str(failure),
            latency_ms=None if desk is None else desk.latency_ms,
            last_read_at=None if desk is None else _instant(desk.last_read_at),
            configured=source,
        )


@described
@strawberry.type
class LocationCapacity:
    """What a location can do on one day of its own.

    Attributes:
        date: Which day.
        units: Units that it can send or hand over on that day.
        booked: How many of them are held or booked.
        available: How many more it has room for.
    """

    date: Day
    units: int
    booked: int
    available: int

    @staticmethod
    def of(found: DayCapacity) -> "LocationCapacity":
        """The day as the graph shows it."""
        available = max(found.units - found.booked, 0)
        return LocationCapacity(date=Day(found.day), units=found.units, booked=found.booked, available=available)


@described
@strawberry.type
class PickSuccess:
    """How likely a location is to do the work that it is given, by what became of such work; what is longer ago counts less.

    Attributes:
        probability: From 0 to 1; where little is known, near that of all locations of its kind.
        picks: How much work that rests on.
    """

    probability: float
    picks: float


@described
@strawberry.type
class PickupSlot:
    """A time in which a location hands over pickups.

    Attributes:
        start: When it begins: this is what orders and reservations name it by.
        end: When it is over.
        capacity: Pickups that can be handed over in it; null: as many as come.
        booked: How many of them are held or booked; null where they are not counted, as there may be as many as come.
        available: How many more can be booked, none once it has begun; null: as many as come.
    """

    start: Instant
    end: Instant
    capacity: int | None
    booked: int | None
    available: int | None

    @staticmethod
    def of(found: SlotCapacity) -> "PickupSlot":
        """The slot as the graph shows it."""
        left = None if found.pickups is None else max(found.pickups - (found.booked or 0), 0)
        return PickupSlot(
            start=Instant(found.slot.start),
            end=Instant(found.slot.end),
            capacity=found.pickups,
            booked=found.booked,
            available=0 if found.begun else left,
        )


@described
@strawberry.type
class Location(Node):
    """A place that can fulfill: never called a node, that word is Relay's.

    Attributes:
        code: What people call it; unique.
        name: Its name.
        kind: What it is to its customers.
        source: The system that looks after its stock.
        position: Where it is, if that is known.
        time_zone: IANA name.
        methods: How goods can leave it.
        hours: When it is open; empty when its source does not say.
        active: Whether it may be given work.
        groups: What routing policies may call it, together with others.
    """

    code: str
    name: str
    kind: LocationKind
    source: Source
    position: GeoPoint | None
    time_zone: str
    methods: list[Method]
    hours: list[OpeningHours]
    active: bool
    groups: list[str]
    place: strawberry.Private[Place]

    @strawberry.field
    async def capacity(self, info: strawberry.Info[Any, None], on: Day) -> LocationCapacity | None:
        """What it can do on that day of its own. Null: it has no limit, and nothing is counted.

        Args:
            on: Which day.
        """
        info.context.must(Right.READ_STOCK)
        found = await day_capacity(info.context.services.store, self.place, on)
        return None if found is None else LocationCapacity.of(found)

    @strawberry.field
    async def pickup_slots(self, info: strawberry.Info[Any, None], on: Day) -> list[PickupSlot]:
        """Its pickup slots that begin on that day of its own, in order. Empty, if it has none.

        Args:
            on: Which day.
        """
        info.context.must(Right.READ_STOCK)
        services = info.context.services
        found = await slot_capacities(services.store, self.place, on, now=services.clock.now())
        return [PickupSlot.of(each) for each in found]

    @strawberry.field
    def pick_success(self, info: strawberry.Info[Any, None]) -> PickSuccess:
        """How likely it is to do the work that it is given: what it turns down is routed again, and that weighs."""
        found = info.context.services.rejections.success(self.place)
        return PickSuccess(probability=found.probability, picks=found.picks)

    @staticmethod
    def of(place: Place, source: Source) -> "Location":
        """The place as the graph shows it."""
        point = place.position
        return Location(
            id=global_id("Location", place.id),
            code=place.code,
            name=place.name,
            kind=place.kind,
            source=source,
            position=None if point is None else GeoPoint(latitude=point.latitude, longitude=point.longitude),
            time_zone=place.time_zone,
            methods=sorted(place.methods),
            hours=[
                OpeningHours(weekday=each.weekday, opens_at=f"{each.opens_at:%H:%M}", closes_at=f"{each.closes_at:%H:%M}")
                for each in place.hours
            ],
            active=place.active,
            groups=sorted(place.groups),
            place=place,
        )


class Places:
    """Sources and locations as the graph shows them, made when first mentioned, and shared by the whole operation."""

    def __init__(self, sources: Sources, readings: Readings) -> None:
        self._configured = sources
        self._readings = readings
        self._sources: dict[SourceName, Source] = {}
        self._locations: dict[str, Location] = {}

    def source(self, name: SourceName) -> Source:
        """That source."""
        found = self._sources.get(name)
        if found is None:
            found = self._sources[name] = Source.of(self._configured[name], self._readings.desks.get(name))
        return found

    def sources(self) -> list[Source]:
        """All of them, by name."""
        return [self.source(name) for name in sorted(self._configured)]

    def location(self, place: Place) -> Location:
        """That location."""
        found = self._locations.get(place.id)
        if found is None:
            found = self._locations[place.id] = Location.of(place, self.source(place.source))
        return found


def _instant(at: datetime | None) -> Instant | None:
    return None if at is None else Instant(at)
