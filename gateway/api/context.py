"""What every resolver can reach: the services, who asks, and loaders that live for one operation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import strawberry
from aiodataloader import DataLoader

from connectors.contract import Sku
from gateway.api.locations import Places
from gateway.domain.identity import OrderId
from gateway.domain.orders import Order
from gateway.domain.principals import Principal, Right
from gateway.domain.sourcing import DecisionRecord
from gateway.domain.tasks import JobRecord
from gateway.ports import Clock, Sources, Store
from gateway.services.changes import Changes
from gateway.services.delivery import Delivery
from gateway.services.dispatch import Tracking
from gateway.services.events import Events
from gateway.services.feeds import Feeds
from gateway.services.fulfillments import Fulfillments
from gateway.services.inventory import Inventory, Item
from gateway.services.network import Network
from gateway.services.orders import Orders
from gateway.services.oversight import Oversight
from gateway.services.policies import Policies
from gateway.services.pricing import PriceBooks
from gateway.services.quotes import Quotes
from gateway.services.readings import Readings
from gateway.services.reconciliation import Reconciliation
from gateway.services.rejections import Rejections
from gateway.services.rerouting import Rerouting
from gateway.services.reservations import Reservations
from gateway.services.routing import Replays, Routing
from gateway.services.verification import Verification
from gateway.services.waves import Waves
from gateway.services.whatif import WhatIf


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the product does."""

    clock: Clock
    sources: Sources
    network: Network
    inventory: Inventory
    readings: Readings
    reservations: Reservations
    routing: Routing
    quotes: Quotes
    delivery: Delivery
    orders: Orders
    rerouting: Rerouting
    fulfillments: Fulfillments
    events: Events
    changes: Changes
    tracking: Tracking
    oversight: Oversight
    verification: Verification
    feeds: Feeds
    reconciliation: Reconciliation
    policies: Policies
    whatif: WhatIf
    replays: Replays
    rejections: Rejections
    prices: PriceBooks
    waves: Waves
    store: Store


class Loaders:
    """What is asked for piecemeal and read in one go. They live for one operation: a longer life would serve old stock."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.items: DataLoader[tuple[Sku, float | None], Item] = DataLoader(self._items)
        self.orders: DataLoader[OrderId, Order | None] = DataLoader(self._orders)
        self.decisions: DataLoader[OrderId, tuple[DecisionRecord, ...]] = DataLoader(self._decisions)
        self.about: DataLoader[JobRecord, OrderId | None] = DataLoader(self._about)

    async def item(self, sku: str, age_s_max: float | None = None) -> Item:
        """That SKU over the whole network, together with all others that the operation asks for."""
        found: Item = await self.items.load((Sku(sku), age_s_max))
        return found

    async def order(self, order: str) -> Order | None:
        """That order, together with all others that the operation asks for."""
        found: Order | None = await self.orders.load(OrderId(order))
        return found

    async def order_about(self, job: JobRecord) -> Order | None:
        """The order that a job is about, together with those of all other jobs that the operation asks for."""
        order: OrderId | None = await self.about.load(job)
        return None if order is None else await self.order(order)

    async def items_of(self, skus: Sequence[Sku], age_s_max: float | None = None) -> list[Item]:
        """These SKUs over the whole network, together with all others that the operation asks for."""
        found: list[Item] = await self.items.load_many([(sku, age_s_max) for sku in skus])
        return found

    async def _items(self, keys: Sequence[tuple[Sku, float | None]]) -> list[Item]:
        """One read of every source for all SKUs of the operation; the youngest stock that any part of it asks for."""
        ages = [age_s for _, age_s in keys if age_s is not None]
        found = await self._services.inventory.look([sku for sku, _ in keys], age_s_max=min(ages, default=None))
        by_sku = {item.sku: item for item in found}
        return [by_sku[sku] for sku, _ in keys]

    async def _orders(self, keys: Sequence[OrderId]) -> list[Order | None]:
        found = await self._services.orders.find_many(keys)
        return [found.get(key) for key in keys]

    async def _about(self, keys: Sequence[JobRecord]) -> list[OrderId | None]:
        found = await self._services.fulfillments.about(keys)
        return [found.get(key) for key in keys]

    async def _decisions(self, keys: Sequence[OrderId]) -> list[tuple[DecisionRecord, ...]]:
        found = await self._services.orders.decisions(keys)
        return [found.get(key, ()) for key in keys]


@dataclass(slots=True, kw_only=True)
class Context:
    """One connection's, or one request's. ``loaders`` are replaced for every operation and every streamed result."""

    services: Services
    request: Any = None
    response: Any = None
    principal: Principal | None = None
    connection_params: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Operation:
    """One operation's own context. ``places`` are sources and locations as the graph shows them, made once.

    ``document`` is what was sent: its operations and fragments.
    """

    services: Services
    principal: Principal
    loaders: Loaders
    places: Places
    document: str

    def must(self, right: Right) -> Principal:
        """See to it that whoever asks may do this."""
        self.principal.must(right)
        return self.principal

    def mentions(self, field_name: str) -> bool:
        """Whether that field may have been asked for: what the document does not mention need not be made."""
        return field_name in self.document


Info = strawberry.Info[Operation, None]
