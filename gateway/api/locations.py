"""Sources and locations: where stock lives."""

from typing import Any

import strawberry

from connectors.contract import capabilities_of
from gateway.api.describe import described
from gateway.api.enums import Capability, Idempotency, LocationKind, Method, SourceKind, SourceStatus, StockDrop
from gateway.api.identifiers import global_id
from gateway.api.node import Node
from gateway.api.scalars import Instant
from gateway.domain.identity import SourceName
from gateway.domain.locations import Location as Place
from gateway.domain.principals import Right
from gateway.ports import Source as Configured
from gateway.ports import Sources
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
class SourceHealth:
    """What a source said when it was asked just now how it is.

    Attributes:
        ok: Whether it answered.
        latency_ms: How long that took, in milliseconds.
        remote_version: The version of its software, if it tells.
        credential_expires_at: When our credential runs out, if that is known.
        detail: More, for a person.
    """

    ok: bool
    latency_ms: float | None
    remote_version: str | None
    credential_expires_at: Instant | None
    detail: str


@described
@strawberry.type
class Source(Node):
    """An external system of record, reached by a connector.

    Attributes:
        name: What the operator calls it; unique.
        label: Its name for people.
        kind: What it looks after.
        connector: The kind of connector that reaches it.
        capabilities: What it can be asked for.
        stock_drop: When its own number goes down for an order of ours.
        idempotency: What keeps a repeated request from happening twice there.
        safety_stock: Units kept back from promises at each of its locations.
        fresh_for_seconds: How long one of its numbers may be served without asking again.
        batch_skus_max: SKUs it can be asked for at once.
        status: Whether its last read of stock succeeded.
        status_reason: Why its last read of stock failed.
        latency_ms: How long its last read of stock took, in milliseconds.
        last_read_at: When its stock was last read with success.
    """

    name: str
    label: str
    kind: SourceKind
    connector: str
    capabilities: list[Capability]
    stock_drop: StockDrop
    idempotency: Idempotency
    safety_stock: int
    fresh_for_seconds: float
    batch_skus_max: int
    status: SourceStatus
    status_reason: str | None
    latency_ms: float | None
    last_read_at: Instant | None
    configured: strawberry.Private[Configured]

    @strawberry.field
    async def health(self, info: strawberry.Info[Any, None]) -> SourceHealth:
        """Ask it now how it is: one request to the source."""
        info.context.must(Right.READ_SOURCES)
        health = await self.configured.connector.health()
        expires_at = health.credential_expires_at
        return SourceHealth(
            ok=health.ok,
            latency_ms=health.latency_ms,
            remote_version=health.remote_version,
            credential_expires_at=None if expires_at is None else Instant(expires_at),
            detail=health.detail,
        )

    @strawberry.field
    def locations(self, info: strawberry.Info[Any, None]) -> list["Location"]:
        """The places it looks after, by code."""
        return [Location.of(place, self) for place in info.context.services.network.of_source(self.configured.name)]

    @staticmethod
    def of(source: Configured, desk: Desk | None) -> "Source":
        """The source as the graph shows it, and how its desk for stock fares, if it has one."""
        about = source.connector.info
        failure = None if desk is None else desk.failure
        read_at = None if desk is None else desk.last_read_at
        return Source(
            id=global_id("Source", source.name),
            name=source.name,
            label=source.label,
            kind=source.kind,
            connector=about.connector,
            capabilities=sorted(capabilities_of(source.connector)),
            stock_drop=about.stock_drop,
            idempotency=about.idempotency,
            safety_stock=source.safety_units,
            fresh_for_seconds=about.fresh_for_s,
            batch_skus_max=about.batch_skus_max,
            status=SourceStatus.OK if failure is None else SourceStatus.DOWN,
            status_reason=None if failure is None else str(failure),
            latency_ms=None if desk is None else desk.latency_ms,
            last_read_at=None if read_at is None else Instant(read_at),
            configured=source,
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
