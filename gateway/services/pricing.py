"""Price books: learnt from the order stream in the background, kept for all gateways, and gone by where the merchant wants it."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Final

import numpy as np
import structlog

from connectors.contract import Method, Sku
from gateway.domain.events import OrderEvent
from gateway.domain.expectation import Outlet, Sale, priced
from gateway.domain.fulfillments import Units, tally
from gateway.domain.geography import Centroids, area_of
from gateway.domain.identity import OrderId
from gateway.domain.orders import Order
from gateway.domain.plans import Ints
from gateway.domain.policies import BUILT_IN, OrderFacts, PolicyKey, RoutingPolicy
from gateway.domain.pricing import PriceBook, PriceMode, PricingTerms
from gateway.domain.rates import Weights
from gateway.domain.routing import Demand, Tariff, World
from gateway.domain.sourcing import DecisionRecord
from gateway.ports import Clock, OrderFilter, PageRequest, Store, Upkeep
from gateway.services.inventory import Inventory
from gateway.services.network import Network
from gateway.services.routing import Compared, compare

log = structlog.get_logger(__name__)

PAGE: Final = 100
SKUS_AT_ONCE: Final = 250
SHADOWED_MAX: Final = 10_000
STALE_AFTER_BOOKS: Final = 3


@dataclass(slots=True, kw_only=True)
class Shadow:
    """What prices would have changed of the ``orders`` that were looked at: so many would have come from elsewhere.

    ``paid_cents`` is what those would have cost more at once, ``spared_cents`` what the stock that they left is worth to others.
    """

    orders: int = 0
    moved: int = 0
    paid_cents: int = 0
    spared_cents: int = 0


@dataclass(slots=True, kw_only=True)
class PriceBooks:
    """Works out a new book now and then from the last sales, unless another gateway has just done so."""

    store: Store
    upkeep: Upkeep
    inventory: Inventory
    network: Network
    centroids: Centroids
    tariff: Tariff
    weights: Weights
    clock: Clock
    terms: PricingTerms
    newest: PriceBook | None = None
    shadow: Shadow = field(init=False, default_factory=Shadow)
    _placed: deque[OrderId] = field(init=False, default_factory=lambda: deque(maxlen=SHADOWED_MAX))
    _sales: deque[Sale] = field(init=False, default_factory=deque)
    _known: set[OrderId] = field(init=False, default_factory=set)

    @property
    def in_force(self) -> PriceBook | None:
        """The book that orders are routed by. None: all prices are zero, because nobody wants any, or they are too old."""
        return self.newest if self.terms.mode is PriceMode.ON and self.current is not None else None

    @property
    def current(self) -> PriceBook | None:
        """The newest book, unless it is too old."""
        stale_after = timedelta(seconds=STALE_AFTER_BOOKS * self.terms.every_s)
        return None if self.newest is None or self.newest.stale(self.clock.now(), stale_after) else self.newest

    def hear(self, events: Sequence[OrderEvent]) -> None:
        """Learn from what was just placed."""
        if self.terms.mode is not PriceMode.OFF:
            placed = [event.order for event in events if event.type == "order.placed"]
            self._learn(placed)
            self._placed.extend(order.id for order in placed)

    async def run(self) -> None:
        """Recall what was sold, then work out a new book now and then, until canceled."""
        if self.terms.mode is PriceMode.OFF:
            return
        recalled = False
        while True:
            try:
                if not recalled:
                    await self._recall()
                    recalled = True
                await self.renew()
            except Exception:  # the database is away, or a source: the last book serves until it is too old
                log.exception("prices_not_renewed")
            await asyncio.sleep(self.terms.every_s)

    async def renew(self) -> None:
        """Go by the newest book there is; work out another where it is old and enough was sold."""
        self.newest = await self.store.newest_price_book()
        if self.terms.mode is PriceMode.SHADOW and self.current is not None:
            await self._look_back(self.current)
        young = self.newest is not None and not self.newest.stale(self.clock.now(), timedelta(seconds=self.terms.every_s * 0.9))
        if young or len(self._sales) < self.terms.sales_min:
            return
        sales = tuple(self._sales)
        outlet = await self._outlet(sales)
        book = await asyncio.to_thread(
            priced,
            sales,
            outlet,
            now=self.clock.now(),
            half_life=timedelta(days=self.terms.half_life_days),
            horizon=timedelta(days=self.terms.horizon_days),
            version=1 if self.newest is None else self.newest.version + 1,
        )
        await self.upkeep.keep_price_book(book)
        self.newest = await self.store.newest_price_book()
        log.info("prices_renewed", version=book.version, sales=len(sales), scarce=sum(map(len, book.bids.values())))

    async def _recall(self) -> None:
        """The newest sales of the database, oldest first."""
        found: list[Order] = []
        page = PageRequest(size=PAGE)
        while len(found) < self.terms.sales_max:
            answer = await self.store.page(OrderFilter(), page)
            found += answer.orders
            if not answer.has_next:
                break
            last = answer.orders[-1]
            page = PageRequest(size=PAGE, position=(last.placed_at, last.id))
        self._learn(reversed(found[: self.terms.sales_max]))

    async def _look_back(self, book: PriceBook) -> None:
        """See what the book would have changed of the orders placed since the last time, and log it."""
        atlas, before = self.network.atlas(), replace(self.shadow)
        while self._placed:
            orders = [self._placed.popleft() for _ in range(min(PAGE, len(self._placed)))]
            first = [records[0] for records in (await self.store.decisions(orders)).values()]
            policies = {key: await self.store.policy(key) for key in {each.policy_key for each in first}}
            for compared in await asyncio.to_thread(_compared, first, policies, atlas.world(self.tariff), book):
                self.shadow.orders += 1
                self.shadow.moved += compared.moved
                self.shadow.paid_cents += compared.paid_cents
                self.shadow.spared_cents += compared.spared_cents
        if self.shadow != before:
            log.info("prices_in_shadow", book=book.version, **asdict(self.shadow))

    def _learn(self, orders: Iterable[Order]) -> None:
        for order in orders:
            if order.id in self._known or order.method is not Method.SHIP:
                continue
            self._known.add(order.id)
            self._sales.append(self._sale(order))
            if len(self._sales) > self.terms.sales_max:
                self._known.discard(self._sales.popleft().order)

    def _sale(self, order: Order) -> Sale:
        units = tally(Units(sku=line.sku, units=line.units) for line in order.lines)
        return Sale(
            order=order.id,
            at=order.placed_at,
            lines=tuple(Demand(sku=sku, units=count) for sku, count in units.items()),
            facts=OrderFacts(
                channel=order.channel,
                method=order.method,
                skus=frozenset(units),
                area=area_of(order.to),
                placed_at=order.placed_at,
                customer_class=order.customer_class,
                value_cents=order.value_cents,
            ),
            destination=self.centroids.locate(order.to),
        )

    async def _outlet(self, sales: Sequence[Sale]) -> Outlet:
        atlas = self.network.atlas()
        skus = sorted({line.sku for sale in sales for line in sale.lines})
        stock: dict[Sku, Ints] = {}
        for first in range(0, len(skus), SKUS_AT_ONCE):
            for item in await self.inventory.look(skus[first : first + SKUS_AT_ONCE]):
                units = np.zeros(len(atlas.sites), dtype=np.int64)
                for level in item.levels:
                    row = atlas.sites.row.get(level.location.id)
                    if row is not None:
                        units[row] = max(level.available_to_promise or 0, 0)
                if item.complete:  # what is not known has no price
                    stock[item.sku] = units
        return Outlet(
            sites=atlas.sites,
            tariff=self.tariff,
            stock=stock,
            units_per_day=[each.units_per_day for each in atlas.in_order],
            grams=self.weights.grams,
            unit_grams=self.weights.unit_grams,
        )


def _compared(
    records: Sequence[DecisionRecord], policies: Mapping[PolicyKey, RoutingPolicy | None], world: World, book: PriceBook
) -> list[Compared]:
    found = (compare(record, policies[record.policy_key] or BUILT_IN, world, book) for record in records)
    return [each for each in found if each is not None]
