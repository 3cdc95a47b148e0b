"""Stock that is no longer there for what we have promised: found out on a reading, said once, and moved while it still can be."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from connectors.contract import Sku, StockDrop
from gateway.domain.books import Books
from gateway.domain.fulfillments import FulfillmentOrder, RequestStatus, tally
from gateway.domain.identity import LocationId, OrderId
from gateway.domain.stock import Reading, Shelf, outdated
from gateway.ports import Touches
from gateway.services.fulfillments.elsewhere import Elsewhere
from gateway.services.fulfillments.outcomes import recalled
from gateway.services.fulfillments.overdue import GATEWAY
from gateway.services.routing import Landscape

OVERPROMISED: Final = "OVERPROMISED"
RECALLABLE: Final = frozenset({RequestStatus.UNSUBMITTED, RequestStatus.SUBMITTED})


def short_units(reading: Reading | None, shelf: Shelf, *, unanswered_units: int = 0) -> int:
    """Units that are promised there and surely not there; 0 where that is not known. Safety stock is there for promises.

    What the source has acknowledged, or may have taken on without our having heard (``unanswered_units``), may be off its number
    already, and is not held against it.
    """
    if reading is None or reading.available is None or outdated(reading, shelf):
        return 0
    counted = shelf.committed_units - sum(each.units for each in shelf.acknowledged)
    promised = max(shelf.held_units + counted - unanswered_units, 0)
    return min(max(promised - reading.available, 0), promised)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relieve:
    """Fewer units of a SKU are at a location than were promised from there, or no longer are. ``orders`` may be concerned."""

    sku: Sku
    location: LocationId
    orders: frozenset[OrderId]
    stock_drop: StockDrop
    landscape: Landscape

    @property
    def touches(self) -> Touches:
        """The orders, our promises on their SKUs, and the days of other locations that have limits."""
        return Touches(orders=self.orders, skus=frozenset({self.sku}) | self.landscape.made_up(None, None))

    def decide(self, books: Books) -> int:
        """Say it once on every order concerned, newest first; take back what nobody has accepted and others can send.

        Returns how many units were found short that had not been before. Holds are never taken away.

        Raises:
            ReadingOutdated: Somebody decided on a newer reading in the meantime.
        """
        works = tuple(self._works(books))
        unanswered = sum(self._units_of(work) for _, work in works if not self._counts(work))
        reading = self.landscape.readings.get((self.sku, self.location))
        short = short_units(reading, books.shelf(self.sku, self.location), unanswered_units=unanswered)
        elsewhere = Elsewhere(books=books, landscape=self.landscape)
        found = 0
        for order, work in sorted((each for each in works if self._counts(each[1])), key=_turn):
            units = min(self._units_of(work), short)
            short -= units
            if self._marked(books, order, work, units):
                found += units
            if units and work.request_status in RECALLABLE and elsewhere.takes(books.order(order), work):
                now = books.order(order)
                recalled(books, now, now.work(work.id), OVERPROMISED, GATEWAY, event="fulfillment.recalled")
        return found

    def _works(self, books: Books) -> Iterator[tuple[OrderId, FulfillmentOrder]]:
        """Work there that is to send the SKU and is not in the source's books, the newest first: ids sort by time of making."""
        orders = (books.order(order) for order in self.orders)
        every = ((order.id, work) for order in orders for work in order.fulfillment_orders)
        for order, work in sorted(every, key=lambda each: each[1].id, reverse=True):
            if work.location == self.location and work.is_open and not work.in_source_books and self._units_of(work):
                yield order, work

    def _units_of(self, work: FulfillmentOrder) -> int:
        return tally(work.remaining).get(self.sku, 0)

    def _counts(self, work: FulfillmentOrder) -> bool:
        """Whether the source's number surely does not contain it: one that drops early may, before we hear that it was taken on."""
        return self.stock_drop is StockDrop.ON_SHIP or work.remote_ref is not None

    def _marked(self, books: Books, order: OrderId, work: FulfillmentOrder, units: int) -> bool:
        """Whether it is news that so many units of this work are short. What is being stopped already is not said again."""
        was, now = self.sku in work.overpromised, bool(units)
        if was is now or (now and work.request_status is RequestStatus.CANCELLATION_REQUESTED):
            return False
        others = tuple(sku for sku in work.overpromised if sku != self.sku)
        marked = replace(work, overpromised=(*others, self.sku) if now else others)
        changed = books.order(order).with_work(marked)
        if not now:
            books.amend_order(changed)
            return False
        cause = f"{units} of {self.sku} short"
        books.record(changed.settled(), event="fulfillment.overpromised", actor=GATEWAY, cause=cause)
        return True


def _turn(found: tuple[OrderId, FulfillmentOrder]) -> int:
    """What is being given up goes first, then what nobody has accepted, then the rest."""
    if found[1].request_status is RequestStatus.CANCELLATION_REQUESTED:
        return 0
    return 1 if found[1].request_status in RECALLABLE else 2
