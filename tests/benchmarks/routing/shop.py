"""A shop with its stock and its orders: what a decision takes from what was read to packages, by the way that production goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from time import process_time
from typing import Final

import numpy as np

from connectors.contract import Address, RemoteLocationId, Sku
from gateway.domain.books import ShelfKey
from gateway.domain.fulfillments import Units
from gateway.domain.geography import Centroids, GeoPoint, area_of
from gateway.domain.identity import LocationId, SourceName
from gateway.domain.locations import Location, LocationKind
from gateway.domain.plans import Ints
from gateway.domain.policies import LEAST_COST, OrderFacts
from gateway.domain.routing import Demand, Package, Problem, Tariff, choose, ruled, weighed
from gateway.domain.stock import Reading, Shelf
from gateway.services.atlas import Atlas
from gateway.services.routing.landscape import Landscape
from gateway.services.routing.stating import state
from gateway.services.routing.wish import Wish

NOON: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
LOCATIONS: Final = 200
SKUS: Final = 300
CARRIED: Final = 0.5
PROMISED: Final = 0.1
"""The share of readings beside which there is a shelf with promises of ours."""
UNITS: Final = (0.85, 0.1, 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What was surveyed of it, our promises, and the same as a column for each SKU. ``[L]`` each."""

    seen: Landscape
    shelves: dict[ShelfKey, Shelf]
    columns: dict[Sku, Ints]

    def problem(self, wish: Wish) -> Problem:
        """From the columns that are ready."""
        demand = _demand(wish)
        return ruled(
            Problem(
                facts=OrderFacts(
                    channel=wish.channel,
                    method=wish.method,
                    skus=frozenset(line.sku for line in demand),
                    area=area_of(wish.to),
                    placed_at=self.seen.at,
                    customer_class=None,
                ),
                at=self.seen.at,
                demand=demand,
                grams=weighed(demand, {}),
                sites=self.seen.atlas.sites,
                available=np.array([self.columns[line.sku] for line in demand]).T,
                destination=self.seen.centroids.locate(wish.to),
                method=wish.method,
                tariff=self.seen.tariff,
            ),
            LEAST_COST,
        )

    def problem_read(self, wish: Wish) -> Problem:
        """From readings and shelves, as the gateway states it."""
        return ruled(state(self.seen, wish, _demand(wish), self.shelves, excluded={}), LEAST_COST)


def drawn(seed: int) -> Shop:
    """Two hundred stores all over the country, each SKU in half of them."""
    random = Random(seed)
    places = tuple(
        Location(
            id=LocationId(f"store-{number:03}"),
            code=f"{number:03}",
            name=f"Store {number}",
            kind=LocationKind.STORE,
            source=SourceName("pos"),
            remote_id=RemoteLocationId(str(number)),
            time_zone="America/Chicago",
            position=_somewhere(random),
        )
        for number in range(LOCATIONS)
    )
    readings = {
        (sku, place.id): Reading(sku=sku, location=place.id, epoch=1, read_at=NOON, available=random.randint(1, 5))
        for sku in (Sku(f"SKU-{number}") for number in range(SKUS))
        for place in places
        if random.random() < CARRIED
    }
    shelves = {key: Shelf(sku=key[0], location=key[1], held_units=1) for key in readings if random.random() < PROMISED}
    seen = Landscape(
        at=NOON,
        atlas=Atlas(locations=places),
        readings=readings,
        silent=frozenset(),
        unheard=frozenset(),
        safety_units={},
        centroids=Centroids(points={f"{number:03}": _somewhere(random) for number in range(100, 1000)}),
        tariff=Tariff(),
    )
    skus = sorted(seen.numbers)
    return Shop(seen=seen, shelves=shelves, columns=dict(zip(skus, seen.available(skus, shelves).T.copy(), strict=True)))


def wishes(shop: Shop, lines: Sequence[int], seed: int) -> list[Wish]:
    """Orders of so many lines, to anywhere."""
    random, skus = Random(seed), sorted(shop.columns)
    return [
        Wish(
            lines=tuple(
                Units(sku=sku, units=random.choices(range(1, len(UNITS) + 1), UNITS)[0]) for sku in random.sample(skus, count)
            ),
            to=Address(lines=("1 Road",), city="City", country_code="US", postal_code=f"{random.randint(100, 999)}01"),
            channel="web",
        )
        for count in lines
    ]


def packages(stated: Callable[[Wish], Problem], wish: Wish) -> tuple[Package, ...]:
    """What is sent from where."""
    choice = choose(stated(wish))
    return choice.pricing.packages(choice.plan)[0]


def per_second(stated: Callable[[Wish], Problem], asked: Sequence[Wish]) -> int:
    """So many orders get from stating the problem to its packages, when the tables of their shapes are there."""
    for wish in asked:
        packages(stated, wish)
    begun = process_time()
    for wish in asked:
        packages(stated, wish)
    return round(len(asked) / (process_time() - begun))


def _demand(wish: Wish) -> tuple[Demand, ...]:
    return tuple(Demand(sku=line.sku, units=line.units) for line in wish.lines)


def _somewhere(random: Random) -> GeoPoint:
    return GeoPoint(latitude=random.uniform(28, 47), longitude=random.uniform(-120, -75))
