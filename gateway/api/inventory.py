"""Stock, with its provenance. Levels are plain values: nothing is resolved per field."""

import strawberry

from gateway.api.context import Operation
from gateway.api.describe import described
from gateway.api.enums import Freshness, SourceStatus
from gateway.api.identifiers import global_id
from gateway.api.locations import Location, Source
from gateway.api.node import Node
from gateway.api.scalars import Instant
from gateway.services.inventory import Item
from gateway.services.inventory import StockLevel as Level
from gateway.services.readings import Said


@described
@strawberry.type
class StockLevel:
    """One SKU at one location, in whole units. Null means unknown, never zero.

    Attributes:
        sku: Of what.
        location: Where.
        source: Who says so.
        on_hand: Units that are physically there.
        available: Units that the source would let go.
        committed: Units that the source has promised to others or to us.
        incoming: Units on their way to the location.
        reserved: Units that we hold here for customers who have not decided yet; null while our own books cannot be read.
        allocated: Units that we have bound to orders here and that the source's number does not contain yet; null likewise.
        safety_stock: Units kept back from promises.
        available_to_promise: Units that may still be promised from here, after our holds and allocations; negative if too many are.
        as_of: When the source counted, or else when we asked.
        stale_after: Until when this may be served without asking again.
        freshness: How far it can be trusted.
    """

    sku: str
    location: Location
    source: Source
    on_hand: int | None
    available: int | None
    committed: int | None
    incoming: int | None
    reserved: int | None
    allocated: int | None
    safety_stock: int
    available_to_promise: int | None
    as_of: Instant | None
    stale_after: Instant | None
    freshness: Freshness

    @staticmethod
    def of(level: Level, location: Location) -> "StockLevel":
        """The level as the graph shows it."""
        return StockLevel(
            sku=level.sku,
            location=location,
            source=location.source,
            on_hand=level.on_hand,
            available=level.available,
            committed=level.committed,
            incoming=level.incoming,
            reserved=level.reserved,
            allocated=level.allocated,
            safety_stock=level.safety_stock,
            available_to_promise=level.available_to_promise,
            as_of=None if level.as_of is None else Instant(level.as_of),
            stale_after=None if level.stale_after is None else Instant(level.stale_after),
            freshness=level.freshness,
        )


@described
@strawberry.type
class SourceReading:
    """What one source contributed to an answer.

    Attributes:
        source: Which one.
        status: Whether it answered.
        freshness: Whether it was asked now, lately, long ago or never with success.
        reason: Why there is nothing newer, or nothing at all.
        latency_ms: How long its last read took, in milliseconds.
        as_of: When it was asked for what is shown.
    """

    source: Source
    status: SourceStatus
    freshness: Freshness
    reason: str | None
    latency_ms: float | None
    as_of: Instant | None

    @staticmethod
    def of(said: Said, source: Source) -> "SourceReading":
        """What the source said, as the graph shows it."""
        return SourceReading(
            source=source,
            status=said.status,
            freshness=said.freshness,
            reason=said.reason,
            latency_ms=said.latency_ms,
            as_of=None if said.kept is None else Instant(said.kept.asked_at),
        )


@described
@strawberry.type
class InventoryItem(Node):
    """One SKU over the whole network, in whole units. Totals are over the levels that are known; null where none is.

    Attributes:
        sku: The merchant's own code for the product.
        name: What its sources call it.
        available_to_promise: Units that may still be promised from anywhere: known levels less holds and demand without a location.
        on_hand: Units that are physically there.
        available: Units that the sources would let go.
        incoming: Units on their way.
        reserved: Units that we hold for customers who have not decided yet; null while our own books cannot be read.
        allocated: Units that we have bound to orders, those without a location included; null likewise.
        complete: False when some source that may carry it did not answer: the numbers are then lower bounds. False for the past.
        carried: False when every source says that it has no such product.
        levels: Where it is.
        sources: What each source contributed; empty for the past.
        notice: Why what we have promised, and may still promise, is not known; null when it is.
    """

    sku: str
    name: str | None
    available_to_promise: int | None
    on_hand: int | None
    available: int | None
    incoming: int | None
    reserved: int | None
    allocated: int | None
    complete: bool
    carried: bool
    levels: list[StockLevel]
    sources: list[SourceReading]
    notice: str | None

    @staticmethod
    def of(item: Item, operation: Operation) -> "InventoryItem":
        """The item as the graph shows it. There may be hundreds of levels: they are made if they are asked for."""
        places = operation.places
        levels = item.levels if operation.mentions("levels") else ()
        said = item.said if operation.mentions("sources") else ()
        return InventoryItem(
            id=global_id("InventoryItem", item.sku),
            sku=item.sku,
            name=item.name,
            available_to_promise=item.available_to_promise,
            on_hand=item.on_hand,
            available=item.available,
            incoming=item.incoming,
            reserved=item.reserved,
            allocated=item.allocated,
            complete=item.complete,
            carried=item.carried,
            levels=[StockLevel.of(level, places.location(level.location)) for level in levels],
            sources=[SourceReading.of(each, places.source(each.source)) for each in said],
            notice=item.notice,
        )


@described
@strawberry.type
class InventoryChange:
    """The latest value of what moved; ticks in between are left out.

    Attributes:
        levels: Each level that is not what it was.
    """

    levels: list[StockLevel]
