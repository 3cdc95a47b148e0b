"""Looking after promises that have been made: is the stock still there that they were made on?

Others sell the same stock, count it anew, and drop it. What moved is looked at a moment later, in one go, and never while somebody
waits for an answer. A source's number may drop for our own sale before we hear that it took that sale on: so before anything is
said, the source is asked how its requests stand, after the number was read.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import structlog

from connectors.contract import Fulfiller, Sku, SourceError, StockDrop
from gateway.domain.books import ShelfKey
from gateway.domain.identity import LocationId, OrderId
from gateway.domain.orders import Order
from gateway.domain.refusals import Overloaded, ReadingOutdated
from gateway.domain.stock import Reading
from gateway.ports import OpenWork, Source, Sources, Store, Writer
from gateway.services.bells import rung
from gateway.services.dispatch import Tracking
from gateway.services.fulfillments import Relieve, short_units
from gateway.services.network import Network
from gateway.services.readings import Readings
from gateway.services.routing import Landscape, Routing

log = structlog.get_logger(__name__)

SKUS_WAITING_MAX: Final = 100_000
SKUS_AT_ONCE_MAX: Final = 500
ORDERS_AT_ONCE_MAX: Final = 200
BETWEEN_LOOKS_S: Final = 0.5
DOUBTFUL_AGAIN_S: Final = 5.0


@dataclass(slots=True)
class Moved:
    """SKUs that moved and that nobody has looked at since, each once. Past the bound the newest are left out: they move again."""

    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    _skus: dict[Sku, None] = field(default_factory=dict)

    def notice(self, skus: Collection[Sku]) -> None:
        """These moved, or may have."""
        self.put_back(skus)
        if self._skus:
            self.stirred.set()

    def put_back(self, skus: Collection[Sku]) -> None:
        """Look at these again, but there is no hurry."""
        for sku in skus:
            if len(self._skus) < SKUS_WAITING_MAX:
                self._skus[sku] = None

    def take(self) -> tuple[Sku, ...]:
        """Those that moved first; if there are more, it stays stirred."""
        taken = tuple(islice(self._skus, SKUS_AT_ONCE_MAX))
        for sku in taken:
            del self._skus[sku]
        self.stirred.clear()
        if self._skus:
            self.stirred.set()
        return taken


@dataclass(slots=True, kw_only=True)
class Oversight:
    """Looks whether what we promised of stock that ``moved`` is still there.

    ``overpromised_units`` counts what was found short since the start.
    """

    moved: Moved
    store: Store
    writer: Writer
    sources: Sources
    network: Network
    readings: Readings
    routing: Routing
    tracking: Tracking
    overpromised_units: int = 0
    _short: set[ShelfKey] = field(default_factory=set)

    async def run(self) -> None:
        """Look after what moved until canceled."""
        while True:
            await rung(self.moved.stirred, DOUBTFUL_AGAIN_S)
            skus = self.moved.take()
            try:
                self.moved.put_back(await self.look(skus))
            except Exception:  # the database is away, or a bug: what moved is looked at again
                log.exception("promises_not_looked_after")
                self.moved.put_back(skus)
            await asyncio.sleep(BETWEEN_LOOKS_S)

    async def look(self, skus: Collection[Sku]) -> frozenset[Sku]:
        """See to it that what is short is said and moved. Returns the SKUs of which too little is known to tell."""
        shelves = await self.store.shelves(skus) if skus else {}
        moved = {sku for sku, location in shelves if self._has_moved(sku) and shelves[sku, location].committed_units}
        if moved:
            await self.routing.survey(moved)
        doubtful = set()
        for key, reading in self._at_hand({sku for sku, _ in shelves}).items():
            shelf = shelves.get(key)
            is_short = shelf is not None and short_units(reading, shelf) > 0
            if (is_short or key in self._short) and not await self._relieved(*key, is_short=is_short):
                doubtful.add(key[0])
        return frozenset(doubtful)

    def _has_moved(self, sku: Sku) -> bool:
        """Whether a source has said that its number is no longer so, and has not been asked since."""
        kept = (desk.cache.get(sku) for desk in self.readings.desks.values())
        return any(each is not None and each.moved for each in kept)

    def _at_hand(self, skus: Collection[Sku]) -> Mapping[ShelfKey, Reading]:
        """What sources said last. It only makes us look: what is decided is decided on what they say now."""
        kept = (desk.cache.get(sku) for desk in self.readings.desks.values() for sku in skus)
        return {(each.sku, each.location): each for one in kept if one is not None and not one.moved for each in one.readings}

    async def _relieved(self, sku: Sku, location: LocationId, *, is_short: bool) -> bool:
        """Whether all is said and done about that shelf. False: its source has yet to say how its requests stand."""
        place = self.network.get(location)
        source = None if place is None else self.sources.get(place.source)
        found = await self.store.open_work_at(location, sku, limit=ORDERS_AT_ONCE_MAX)
        if source is None or not found:
            self._short.discard((sku, location))
            return True
        concerned = await self.store.orders_by_id(found)

        async def relieve_on(landscape: Landscape) -> int:
            await self._ask(source, location, concerned)
            command = Relieve(
                sku=sku,
                location=location,
                orders=frozenset(concerned),
                stock_drop=source.connector.info.stock_drop,
                landscape=landscape,
            )
            return await self.writer.submit(command, returns=int)

        try:
            units = await self.routing.decided({line.sku for each in concerned.values() for line in each.lines}, relieve_on)
        except (SourceError, ReadingOutdated, Overloaded) as error:
            log.warning("promises_doubtful", source=source.name, sku=sku, location=location, reason=str(error))
            return False
        self.overpromised_units += units
        if units:
            log.warning("overpromised", source=source.name, sku=sku, location=location, units=units)
        (self._short.add if is_short else self._short.discard)((sku, location))
        early = source.connector.info.stock_drop is StockDrop.ON_ACCEPT
        return not (is_short and early and any(_unanswered(each, location) for each in concerned.values()))

    async def _ask(self, source: Source, location: LocationId, orders: Mapping[OrderId, Order]) -> None:
        """Hear how the requests stand that the source has there, whatever it has told us so far."""
        if isinstance(source.connector, Fulfiller):
            works = [
                OpenWork(order=order.id, work=work.id, remote_ref=work.remote_ref)
                for order in orders.values()
                for work in order.fulfillment_orders
                if work.location == location and work.is_followed and work.remote_ref is not None
            ]
            await self.tracking.ask(source, works)


def _unanswered(order: Order, location: LocationId) -> bool:
    """Whether the source of that location may have taken on some of the order without our having heard."""
    return any(work.location == location and work.is_open and work.remote_ref is None for work in order.fulfillment_orders)
