"""A wish and what was seen put together: the problem that the pure rule decides."""

from collections.abc import Mapping, Sequence
from datetime import time

import numpy as np

from connectors.contract import Method, Sku
from gateway.domain.geography import area_of
from gateway.domain.identity import LocationId
from gateway.domain.plans import Ints
from gateway.domain.policies import OrderFacts
from gateway.domain.pricing import PriceBook
from gateway.domain.routing import NEVER, Code, Demand, Problem, Reason, Sites, Term, weighed
from gateway.services.routing.landscape import Landscape, Shelves
from gateway.services.routing.outlook import Outlook
from gateway.services.routing.wish import Wish


def facts(seen: Landscape, wish: Wish) -> OrderFacts:
    """What rules ask about the order."""
    skus = frozenset(line.sku for line in wish.lines)
    return OrderFacts(
        channel=wish.channel,
        method=wish.method,
        skus=skus,
        area=area_of(wish.to),
        placed_at=wish.placed_at or seen.at,
        customer_class=wish.customer_class,
        value_cents=wish.value_cents,
        tags=seen.outlook.tags.of(skus),
    )


def state(
    seen: Landscape, wish: Wish, demand: tuple[Demand, ...], shelves: Shelves, *, excluded: Mapping[LocationId, str]
) -> Problem:
    """The problem of sending this, before any rule of the merchant's.

    Raises:
        ReadingOutdated: Somebody decided on a newer reading in the meantime.
    """
    kept_out = {each.id: Code.CLOSED.value for each in seen.atlas.locations if not each.active} | dict(excluded)
    days_late, missed = _lateness(seen, wish)
    return Problem(
        days_late=days_late,
        missed=missed,
        facts=facts(seen, wish),
        at=seen.at,
        demand=demand,
        grams=weighed(demand, seen.weights.grams, seen.weights.unit_grams),
        sites=seen.atlas.sites,
        available=seen.available([line.sku for line in demand], shelves),
        read_at=seen.read_at,
        safety_units=seen.safety_units,
        room=seen.room(wish, shelves),
        excluded={location: Reason(code=code) for location, code in kept_out.items()},
        destination=seen.centroids.locate(wish.to),
        method=wish.method,
        tariff=seen.tariff,
        preference=wish.preference,
        pickup_at=wish.pickup_at,
        package_terms={**_named_location(seen, wish), **rejection_terms(seen.outlook, seen.atlas.sites)},
        unit_terms=price_terms(seen.outlook.prices, seen.atlas.sites, [line.sku for line in demand]),
    )


def _lateness(seen: Landscape, wish: Wish) -> tuple[Ints | None, Mapping[LocationId, time]]:
    """Days after the promised one, by each service from each site, and which cutoffs make it late. None: no day was promised."""
    if seen.prospects is None or wish.deliver_by is None or wish.method is not Method.SHIP:
        return None, {}
    prospect, units = seen.prospects.of(wish.to, seen.at, wish.method), sum(line.units for line in wish.lines)
    late = np.maximum(prospect.days_late(wish.deliver_by, units), 0)
    return np.where(late > 0, NEVER, late) if wish.no_later else late, prospect.missed(wish.deliver_by, late, units)


def price_terms(book: PriceBook | None, sites: Sites, skus: Sequence[Sku]) -> Mapping[Term, Ints]:
    """What units and room are worth to customers still to come."""
    if book is None:
        return {}
    bids = [[book.bid_cents(site.location, sku) for sku in skus] for site in sites.all]
    rooms = [[book.room_cents(site.location)] for site in sites.all]
    terms = {Term.BID: np.array(bids, dtype=np.int64), Term.ROOM: np.array(rooms, dtype=np.int64)}
    return {term: cents for term, cents in terms.items() if cents.any()}


def rejection_terms(outlook: Outlook, sites: Sites) -> Mapping[Term, Ints]:
    """What it costs to route work again, as often as each location turns it down."""
    cents = [round(outlook.odds.get(site.location, 0.0) * outlook.reroute_cents) for site in sites.all] if outlook.odds else []
    return {Term.REJECTION: np.array(cents, dtype=np.int64)} if any(cents) else {}


def _named_location(seen: Landscape, wish: Wish) -> Mapping[Term, Ints]:
    """What it is worth that it comes from the location that the customer named."""
    row = None if wish.from_location is None else seen.atlas.sites.row.get(wish.from_location)
    if row is None:
        return {}
    cents = np.zeros(len(seen.atlas.sites), dtype=np.int64)
    cents[row] = -seen.tariff.named_location_cents
    return {Term.PREFERENCE: cents}
