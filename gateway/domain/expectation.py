"""What is going to be ordered, as far as what was ordered tells, and what the last units are worth to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log
from typing import Final

import numpy as np

from connectors.contract import Method, Sku
from gateway.domain.geography import GeoPoint
from gateway.domain.identity import OrderId
from gateway.domain.plans import Floats, Ints
from gateway.domain.plans.forecast import bid_prices
from gateway.domain.plans.pool import Pool, pool_of
from gateway.domain.policies import OrderFacts
from gateway.domain.pricing import PriceBook, book_of
from gateway.domain.routing import Demand, Problem, Sites, Tariff, weighed
from gateway.domain.routing.pricing import Pricing

LINES_MAX: Final = 6
"""Orders of more lines are few, and each would take as long to price as hundreds of others."""
SCENARIOS: Final = 5
ROUNDS: Final = 120
SEEN_S_MIN: Final = 86_400.0
"""A stream that was seen for less than a day is taken to have lasted one: a busy minute is no rate."""
PLENTY: Final = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """An order that was placed: what went where."""

    order: OrderId
    at: datetime
    lines: tuple[Demand, ...]
    facts: OrderFacts
    destination: GeoPoint | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """What there is to sell from: units of each SKU at each site, and what each site can do a day (None: as much as comes)."""

    sites: Sites
    tariff: Tariff
    stock: Mapping[Sku, Ints]
    units_per_day: Sequence[int | None]
    grams: Mapping[Sku, int]
    unit_grams: int


def expected(sales: Sequence[Sale], *, now: datetime, half_life: timedelta, horizon: timedelta) -> Floats:
    """How often each of these sales may be expected to come again within the horizon. ``[R]``.

    A sale counts half as much for every half-life that has passed; together they come as often as they did, so weighted.
    """
    ages = np.array([(now - sale.at).total_seconds() for sale in sales])
    life_s = half_life.total_seconds()
    weights = 0.5 ** (np.maximum(ages, 0) / life_s)
    # What a constant stream since the oldest of them would weigh.
    window_s = life_s / log(2) * (1 - 0.5 ** (max(float(ages.max()), SEEN_S_MIN) / life_s))
    found: Floats = weights * (horizon.total_seconds() / window_s)
    return found


def priced(
    sales: Sequence[Sale], outlet: Outlet, *, now: datetime, half_life: timedelta, horizon: timedelta, version: int
) -> PriceBook:
    """What a unit at each site is worth to the sales to be expected, on average over what may come; the same for the same input."""
    known = [sale for sale in sales if len(sale.lines) <= LINES_MAX and all(line.sku in outlet.stock for line in sale.lines)]
    skus = sorted({line.sku for sale in known for line in sale.lines})
    stock = np.array([outlet.stock[sku] for sku in skus], dtype=np.int64).reshape(len(skus), len(outlet.sites)).T
    weights = expected(known, now=now, half_life=half_life, horizon=horizon) if known else np.zeros(0)
    rng = np.random.default_rng(version)
    pools, coming = [], []
    for lines in sorted({len(sale.lines) for sale in known}):
        rows = [row for row, sale in enumerate(known) if len(sale.lines) == lines]
        pools.append(_pool([known[row] for row in rows], outlet, skus, stock, now))
        coming.append(rng.poisson(weights[rows], size=(1, SCENARIOS, len(rows))).astype(np.float64))
    if not pools:
        pi, kappa, bound_cents = np.zeros(stock.shape), np.zeros(len(outlet.sites)), 0.0
    else:
        found = bid_prices(
            pools, coming, stock[None], _room(outlet, horizon), rounds=ROUNDS, unserved_cents=_unserved_cents(outlet)
        )
        pi, kappa, bound_cents = found.pi[0], found.kappa[0], float(found.bound_cents[0])
    return book_of(
        version=version,
        built_at=now,
        horizon=horizon,
        locations=[site.location for site in outlet.sites.all],
        skus=skus,
        pi=pi,
        kappa=kappa,
        bound_cents=bound_cents,
    )


def _unserved_cents(outlet: Outlet) -> float:
    """What a unit is worth at most, however scarce: two parcels that go as far as any."""
    farthest = outlet.tariff.zones.farthest
    return 2.0 * max(service.price_cents(farthest, outlet.unit_grams) for service in outlet.tariff.routed)


def _room(outlet: Outlet, horizon: timedelta) -> Floats | None:
    if all(limit is None for limit in outlet.units_per_day):
        return None
    days = horizon / timedelta(days=1)
    return np.array([[PLENTY if limit is None else limit * days for limit in outlet.units_per_day]], dtype=np.float64)


def _pool(sales: Sequence[Sale], outlet: Outlet, skus: Sequence[Sku], stock: Ints, now: datetime) -> Pool:
    """Sales of equally many lines, priced from every site: a parcel by its affine floor, so that each line has its own price."""
    place = {sku: number for number, sku in enumerate(skus)}
    package, unit = zip(*(_costs(sale, outlet, now) for sale in sales), strict=True)
    return pool_of(
        items=np.array([[place[line.sku] for line in sale.lines] for sale in sales], dtype=np.int64),
        units=np.array([[line.units for line in sale.lines] for sale in sales], dtype=np.int64),
        package_cents=np.array(package),
        unit_cents=np.array(unit),
        stock=stock,
        split_cents=float(outlet.tariff.parcel_cents),
    )


def _costs(sale: Sale, outlet: Outlet, now: datetime) -> tuple[Floats, Floats]:
    """What a package costs from each site, ``[L]``, and each unit of each line, ``[L, n]``."""
    problem = Problem(
        facts=sale.facts,
        at=now,
        demand=sale.lines,
        grams=weighed(sale.lines, outlet.grams, outlet.unit_grams),
        sites=outlet.sites,
        available=np.zeros((len(outlet.sites), len(sale.lines)), dtype=np.int64),
        method=Method.SHIP,
        destination=sale.destination,
        tariff=outlet.tariff,
        split_cents=outlet.tariff.parcel_cents,
    )
    instance = Pricing.of(problem).instance
    lightest, heaviest = int(instance.grams.min()), int(instance.grams @ instance.wanted)
    by_package, by_gram, by_unit = instance.postage.floor(lightest, heaviest)
    whole = by_package + by_gram * heaviest + by_unit * float(instance.wanted.sum())
    lanes, service = np.arange(len(whole)), whole.argmin(axis=1)
    package, gram, unit = (each[lanes, service][instance.lane] for each in (by_package, by_gram, by_unit))
    costs = np.where(outlet.sites.offering[Method.SHIP], instance.package_cents + package, np.inf)
    return costs, instance.unit_cents + gram[:, None] * instance.grams + unit[:, None]
