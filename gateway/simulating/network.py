"""Orders to a network that is made up: that of the demo, whose customers live all over the United States."""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Final

import numpy as np

from connectors.contract import Method, Sku
from connectors.sandbox.network import Network, System, seeded
from gateway.domain.geography import GeoPoint, PostalArea, parse_centroids
from gateway.domain.identity import LocationId, SourceName
from gateway.domain.locations import LocationKind
from gateway.domain.plans import Ints
from gateway.domain.policies import OrderFacts
from gateway.domain.routing import Demand, Problem, Site, Sites, Tariff
from gateway.domain.whatif import Case

PRODUCTS: Final = 200
LINES: Final = (0.60, 0.20, 0.10, 0.05, 0.05)
"""The shares of orders of one line, of two, and so on."""
UNITS: Final = (0.80, 0.15, 0.05)
"""The shares of lines of one unit, of two, and so on."""
POPULARITY: Final = 5.0  # the product of rank r is asked for as often as 1 / (r + this)
COVER: Final = 1.2
"""Units that there are for each that is ordered: enough of everything, but not everywhere."""
NOON: Final = datetime(2026, 6, 1, 17, tzinfo=UTC)
KINDS: Final[Mapping[System, LocationKind]] = {
    "odoo": LocationKind.WAREHOUSE,
    "square": LocationKind.STORE,
    "shipbob": LocationKind.THIRD_PARTY,
}


def made_up(*, orders: int, seed: int) -> list[Case]:
    """So many orders, one after another, to shelves that nobody fills again. The same seed gives the same."""
    network, random = seeded(seed=seed, products=PRODUCTS), np.random.default_rng(seed)
    sites = _sites(network)
    grams = {product.sku: product.weight_grams for product in network.products}
    baskets = _baskets([sku for sku in grams if _shares(network, sku, sites).any()], orders, random)
    stock = _stock(network, baskets, sites)
    homes = sorted(parse_centroids(files("gateway.domain").joinpath("us_zip3.csv").read_text(encoding="utf-8")).points.items())
    live_in = random.integers(len(homes), size=orders).tolist()
    return [
        Case(id=f"simulated-{number}", problem=_problem(basket, sites, stock, grams, homes[home]))
        for number, (basket, home) in enumerate(zip(baskets, live_in, strict=True), start=1)
    ]


Basket = dict[Sku, int]


def _sites(network: Network) -> Sites:
    return Sites.of(
        Site(
            location=LocationId(place.key),
            position=GeoPoint(latitude=place.address.latitude or 0, longitude=place.address.longitude or 0),
            methods=frozenset({Method.SHIP}),
            code=place.key,
            kind=KINDS[place.system],
            source=SourceName(place.system),
        )
        for place in network.places
    )


def _baskets(skus: list[Sku], orders: int, random: np.random.Generator) -> list[Basket]:
    asked_for = 1 / (np.arange(len(skus)) + POPULARITY)
    asked_for /= asked_for.sum()
    lines = random.choice(len(LINES), size=orders, p=LINES) + 1
    return [
        {
            skus[which]: int(units)
            for which, units in zip(
                random.choice(len(skus), size=count, replace=False, p=asked_for).tolist(),
                random.choice(len(UNITS), size=count, p=UNITS) + 1,
                strict=True,
            )
        }
        for count in lines.tolist()
    ]


def _stock(network: Network, baskets: list[Basket], sites: Sites) -> dict[Sku, Ints]:
    """Units at each site. ``[L]``; where they are is as in the network, how many there are is by what is ordered."""
    ordered: dict[Sku, int] = {}
    for basket in baskets:
        for sku, units in basket.items():
            ordered[sku] = ordered.get(sku, 0) + units
    return {
        sku: np.ceil(COVER * units * shares / shares.sum()).astype(np.int64)
        for sku, units in ordered.items()
        for shares in [_shares(network, sku, sites)]
    }


def _shares(network: Network, sku: Sku, sites: Sites) -> Ints:
    return np.array([network.stock.get((site.code, sku), 0) for site in sites.all], dtype=np.int64)


def _problem(
    basket: Basket, sites: Sites, stock: Mapping[Sku, Ints], grams: Mapping[Sku, int], home: tuple[str, GeoPoint]
) -> Problem:
    area, destination = home
    return Problem(
        facts=OrderFacts(
            channel="web",
            method=Method.SHIP,
            skus=frozenset(basket),
            area=PostalArea(f"US:{area}"),
            placed_at=NOON,
            customer_class=None,
        ),
        at=NOON,
        demand=tuple(Demand(sku=sku, units=units) for sku, units in basket.items()),
        grams=tuple(grams[sku] for sku in basket),
        sites=sites,
        available=np.column_stack([stock[sku] for sku in basket]),
        method=Method.SHIP,
        destination=destination,
        tariff=Tariff(),
    )
