"""A retailer in the United States: what it costs to send from where to where, who orders what, and where too little of it lies."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gateway.domain.geography import GeoPoint, miles_between
from gateway.domain.plans.batch import BatchPlan
from gateway.domain.plans.batch.tables import Table, table_of
from gateway.domain.plans.instance import Floats, Ints
from gateway.domain.plans.pool import Pool, pool_of
from gateway.domain.rates import US_GROUND, US_ZONES
from tests.benchmarks.routing.places import OURS

METROS: Final = OURS / "metros.csv"
LINES: Final = (0.6, 0.2, 0.1, 0.05, 0.05)  # of 1, 2, … lines
UNITS: Final = (0.92, 0.04, 0.04)  # of 1, 2, 3 units of an item
POPULARITY: Final = 0.7  # the second item sells 2**-0.7 times as often as the first
BACK_ORDER_CENTS: Final = 2_800.0  # for a unit: about what the dearest two packages cost


@dataclass(frozen=True, kw_only=True, eq=False)
class Market:
    """Costs are cents, of J regions and L locations; goods are K.

    Attributes:
        package_cents: ``[J, L]``
        unit_cents: ``[J, L]``
        miles: ``[J, L]``
        people: The share of each region. ``[J]``
        popularity: The share of each item. ``[K]``
        stock: ``[L, K]``
    """

    package_cents: Floats
    unit_cents: Floats
    miles: Floats
    people: Floats
    popularity: Floats
    stock: Ints

    def orders(self, many: int, rng: np.random.Generator) -> "Orders":
        """So many, one after another."""
        lines = rng.choice(np.arange(1, len(LINES) + 1), many, p=LINES)
        # The first few of a draw without replacement, by exponential races.
        races = rng.exponential(size=(many, len(self.popularity))) / self.popularity
        items = np.argpartition(races, range(len(LINES)), axis=1)[:, : len(LINES)]
        units = rng.choice(np.arange(1, len(UNITS) + 1), items.shape, p=UNITS)
        regions = rng.choice(len(self.people), many, p=self.people)
        return Orders(market=self, lines=lines, items=items, units=units, regions=regions)

    def stocked(self, units: Floats, *, carried: Floats, rng: np.random.Generator) -> "Market":
        """The same market with so many units of each item ``[K]``, spread at random over some locations.

        ``carried`` is how often a location carries an item, and about what share of the stock it has then. ``[L]``
        """
        carries = rng.random(self.stock.shape) < carried[:, None]
        carries[rng.integers(len(carried), size=len(units)), np.arange(len(units))] = True
        share = carries * rng.exponential(size=carries.shape) * carried[:, None]
        share /= share.sum(axis=0)
        stock = np.array([rng.multinomial(int(each), part) for each, part in zip(units, share.T, strict=True)]).T
        return replace(self, stock=stock)


@dataclass(frozen=True, kw_only=True, eq=False)
class Orders:
    """R orders as they came in; of ``items`` and ``units`` ``[R, 5]`` the first ``lines`` count."""

    market: Market
    lines: Ints
    items: Ints
    units: Ints
    regions: Ints

    def __len__(self) -> int:
        return len(self.lines)

    def of(self, some: Ints | slice) -> "Orders":
        """Some of them."""
        return Orders(
            market=self.market, lines=self.lines[some], items=self.items[some], units=self.units[some], regions=self.regions[some]
        )

    def then(self, later: "Orders") -> "Orders":
        """These, and later ones."""
        arrays = {
            name: np.concatenate([getattr(self, name), getattr(later, name)]) for name in ("lines", "items", "units", "regions")
        }
        return Orders(market=self.market, **arrays)

    @property
    def wanted(self) -> Floats:
        """Units of each item. ``[K]``."""
        counts = np.arange(self.items.shape[1]) < self.lines[:, None]
        units: Floats = np.bincount(
            self.items[counts], weights=self.units[counts].astype(float), minlength=len(self.market.popularity)
        ).astype(float)
        return units

    @property
    def by_lines(self) -> list[Ints]:
        """Which have one line, two, …."""
        return [np.flatnonzero(self.lines == lines) for lines in range(1, self.items.shape[1] + 1)]

    def pools(self, stock: Ints) -> list[Pool]:
        """By how many lines they have."""
        return [
            pool_of(
                items=self.items[some, : index + 1],
                units=self.units[some, : index + 1],
                package_cents=self.market.package_cents[self.regions[some]],
                unit_cents=self.market.unit_cents[self.regions[some]][..., None],
                stock=stock,
            )
            for index, some in enumerate(self.by_lines)
        ]

    def sent(self, plan: BatchPlan) -> Ints:
        """Units of each item from each location. ``[L, K]``."""
        sent = np.zeros_like(self.market.stock)
        for some, locations in zip(self.by_lines, plan.plans, strict=True):
            leaves = locations >= 0
            lines = leaves.shape[1]
            np.add.at(sent, (locations[leaves], self.items[some, :lines][leaves]), self.units[some, :lines][leaves])
        return sent

    def tables(self) -> Iterator[Table]:
        """One order after another, whatever there is; what waits costs ``BACK_ORDER_CENTS``."""
        enough = np.full(self.market.stock.shape, np.iinfo(np.int64).max)
        tables = [table_of(pool, BACK_ORDER_CENTS) for pool in self.pools(enough)]
        turn = [iter(range(len(table.items))) for table in tables]
        for lines in self.lines:
            yield tables[lines - 1].of(np.array([next(turn[lines - 1])]))


def market(*, locations: int, goods: int, pick_cents: Floats, rng: np.random.Generator, spread_degrees: float = 0.3) -> Market:
    """A market without stock, its locations where people live; ``pick_cents`` are for a package. ``[L]``."""
    with METROS.open(encoding="utf-8-sig", newline="") as file:
        rows = [[float(each) for each in row[2:]] for row in csv.reader(file)]
    north, east, living = np.array(rows).T
    people = living / living.sum()
    home = rng.choice(len(people), locations, p=people)
    points = [
        GeoPoint(latitude=north[each] + off_north, longitude=east[each] + off_east)
        for each, (off_north, off_east) in zip(home, rng.normal(0, spread_degrees, (locations, 2)), strict=True)
    ]
    regions = [GeoPoint(latitude=each_north, longitude=each_east) for each_north, each_east in zip(north, east, strict=True)]
    miles = np.array([[miles_between(region, point) for point in points] for region in regions])
    zones = np.vectorize(US_ZONES.zone)(miles)
    rates = [US_GROUND.rate(zone, units=2, unit_grams=454) for zone in range(1, US_GROUND.zones + 1)]
    shares = np.arange(1, goods + 1) ** -POPULARITY
    return Market(
        package_cents=np.array([each.package_cents for each in rates], dtype=float)[zones - 1] + pick_cents,
        unit_cents=np.array([each.unit_cents for each in rates], dtype=float)[zones - 1],
        miles=miles,
        people=people,
        popularity=shares / shares.sum(),
        stock=np.zeros((locations, goods), dtype=np.int64),
    )
