"""The doors for following."""

from collections.abc import AsyncGenerator
from typing import Final

import strawberry

from connectors.contract import Sku
from gateway.api.context import Info
from gateway.api.describe import described
from gateway.api.identifiers import key_of, seq_of
from gateway.api.inputs.checks import skus_of
from gateway.api.inputs.lookups import OrderFilterInput
from gateway.api.inventory import InventoryChange, StockLevel
from gateway.api.orders import OrderEvent
from gateway.domain.events import OrderEvent as Happened
from gateway.domain.identity import LocationId
from gateway.domain.principals import Right
from gateway.domain.refusals import Invalid
from gateway.ports import OrderFilter

INTERVAL_MS_MAX: Final = 60_000


@described
@strawberry.type
class Subscription:
    """Following what happens."""

    @strawberry.subscription
    async def order_events(
        self, info: Info, after: str | None = None, filter: OrderFilterInput | None = None
    ) -> AsyncGenerator[OrderEvent, None]:
        """Every event after a cursor, in order and without a gap, then live, for ever. Without a cursor: from now on.

        To begin with a picture, read `orders { eventCursor … }` and follow from that cursor.

        Args:
            after: A cursor of an event, or the `eventCursor` of a page of orders.
            filter: Only events of these orders.
        """
        info.context.must(Right.FOLLOW_EVENTS)
        which = OrderFilter() if filter is None else filter.meant()
        async for event in info.context.services.events.follow(seq_of(after), lambda event: matches(event, which)):
            yield OrderEvent.of(event)

    @strawberry.subscription
    async def inventory_changed(
        self,
        info: Info,
        skus: list[str],
        locations: list[strawberry.ID] | None = None,
        min_interval_ms: int = 250,
    ) -> AsyncGenerator[InventoryChange, None]:
        """Levels as they are, then those that changed: the latest value of each, ticks in between are left out.

        Args:
            skus: Of what; at most 250.
            locations: Only there.
            min_interval_ms: No more often than this, in milliseconds.
        """
        info.context.must(Right.READ_STOCK)
        if not 0 <= min_interval_ms <= INTERVAL_MS_MAX:
            raise Invalid(problem=f"An interval is between 0 and {INTERVAL_MS_MAX} ms.", path=("minIntervalMs",))
        wanted: tuple[Sku, ...] = skus_of(skus)
        places = frozenset(LocationId(key_of("Location", each, what="location", path=("locations",))) for each in locations or ())
        services = info.context.services
        changes = services.changes.follow(
            services.inventory,
            wanted,
            wanted=lambda location: not places or location in places,
            interval_s=max(min_interval_ms, 1) / 1000,
        )
        async for levels in changes:
            shown = info.context.places  # made anew for every result
            yield InventoryChange(levels=[StockLevel.of(level, shown.location(level.location)) for level in levels])


def matches(event: Happened, which: OrderFilter) -> bool:
    """Whether the event is of an order that the filter lets through."""
    order = event.order
    return (
        (not which.status or order.status in which.status)
        and (not which.channel or order.channel in which.channel)
        and (not which.sku or any(line.sku in which.sku for line in order.lines))
        and (not which.location or any(work.location in which.location for work in order.fulfillment_orders))
        and (which.placed_from is None or order.placed_at >= which.placed_from)
        and (which.placed_to is None or order.placed_at < which.placed_to)
    )
