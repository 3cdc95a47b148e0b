"""Orders that wait to be routed together."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from connectors.contract import Method
from gateway.domain.books import Books
from gateway.domain.fulfillments import Units, tally
from gateway.domain.orders import Order
from gateway.domain.policies import course
from gateway.domain.refusals import Refusals
from gateway.services.routing.landscape import Landscape
from gateway.services.routing.stating import facts
from gateway.services.routing.wish import Wish

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def pooled(books: Books, order: Order, landscape: Landscape, lines: tuple[Units, ...]) -> Order | None:
    """The order in the next wave of its rule, its units promised; it is routed then, whatever happens. None: it is routed at once.

    Raises:
        Refusals: There is not enough of it, and it may not wait for stock.
    """
    policy = landscape.outlook.policy(order.policy)
    if order.method is not Method.SHIP or not any(rule.batch_minutes for rule in policy.rules):
        return None
    way = course(policy, facts(landscape, Wish.of(order, lines)))
    minutes = way.passes[0].rule.batch_minutes
    if minutes is None:
        return None
    short = landscape.short_in_network(tally(lines), books.shelves)
    if short and way.ending is None:
        raise Refusals(tuple(landscape.refusal(sku, *units) for sku, units in short.items()))
    length = timedelta(minutes=minutes)
    at = EPOCH + ((books.now - EPOCH) // length + 1) * length
    books.demand(order.id, lines, routed=False)
    books.reroute(order.id, at=at)
    return replace(order, wave_at=at)
