"""Whether other locations would take work over, asked before it is taken away."""

from collections import ChainMap, Counter
from dataclasses import dataclass, field, replace

from gateway.domain.books import Books, ShelfKey
from gateway.domain.fulfillments import FulfillmentOrder
from gateway.domain.orders import Order
from gateway.domain.refusals import Refusals
from gateway.domain.stock import Shelf
from gateway.services.routing import Landscape, Wish, route

GIVEN_UP = "GIVEN_UP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What the rest of the network could still take. Each work that finds room there takes it from those asked about later."""

    books: Books
    landscape: Landscape
    moved: Counter[ShelfKey] = field(default_factory=Counter)

    def takes(self, order: Order, work: FulfillmentOrder) -> bool:
        """Whether all that remains of this work could come from other locations that have not given up any of the order.

        Raises:
            ReadingOutdated: Somebody decided on a newer reading in the meantime.
        """
        if order.pickup_at is not None:  # the customer comes to this one
            return False
        excluded = {each.location: GIVEN_UP for each in order.fulfillment_orders if each.rejection is not None}
        wish = Wish.of(order, work.remaining)
        moved = self.moved.copy()
        moved.subtract({(line.sku, work.location): line.units for line in work.remaining})
        try:
            routed = route(self.landscape, wish, self._after(moved), excluded | {work.location: GIVEN_UP})
        except Refusals:
            return False
        if routed.decision is None or routed.waits:
            return False
        moved.update({(line.sku, each.location): line.units for each in routed.decision.packages for line in each.lines})
        self.moved.clear()
        self.moved.update(moved)
        return True

    def _after(self, moved: Counter[ShelfKey]) -> ChainMap[ShelfKey, Shelf]:
        """Our promises once these units have moved."""
        changed = {}
        for (sku, location), units in moved.items():
            shelf = self.books.shelf(sku, location)
            changed[sku, location] = replace(shelf, committed_units=shelf.committed_units + units)
        return ChainMap(changed, self.books.shelves)
