"""The doors for reading."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final

import strawberry

from gateway.api.context import Info, Operation
from gateway.api.delivery import CartPromise, ProductPromise, cart_promise, product_promises
from gateway.api.describe import described
from gateway.api.enums import JobState, Method, OrderSort, PolicyState
from gateway.api.identifiers import key_of, parts_of, position_of
from gateway.api.inputs.checks import LineInput, skus_of
from gateway.api.inputs.lookups import LocationBy, OrderBy, OrderFilterInput
from gateway.api.inputs.policies import policy_of
from gateway.api.inputs.purchases import AddressInput
from gateway.api.inputs.quotes import wish_of
from gateway.api.inventory import InventoryItem
from gateway.api.jobs import JobConnection
from gateway.api.locations import Location, Source
from gateway.api.node import Node
from gateway.api.order_pages import OrderConnection
from gateway.api.orders import FulfillmentOrder, Order
from gateway.api.policies import RoutingPolicy, RoutingPolicyConnection
from gateway.api.prices import PriceBook
from gateway.api.quotes import ShippingQuote
from gateway.api.reservations import Reservation
from gateway.api.routing import RoutingDecision, RoutingPreview, RoutingReplay
from gateway.api.scalars import Instant
from gateway.api.waves import RoutingWave
from gateway.api.whatif import RoutingComparison, routing_comparison, routing_policy_preview, routing_preview
from gateway.domain import orders
from gateway.domain.identity import FulfillmentOrderId, LocationId, ReservationId, SourceName
from gateway.domain.principals import Right
from gateway.domain.refusals import Invalid, NotFound, Refusals
from gateway.ports import OrderFilter, PageRequest

PAGE_DEFAULT: Final = 20
PAGE_MAX: Final = 100
NODES_MAX: Final = 50
AGE_S_MAX: Final = 86_400


@described
@strawberry.type
class Query:
    """Reading. Nothing here changes anything."""

    @strawberry.field
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        """Anything by its id (Relay). Null when there is no such thing.

        Args:
            id: As it was given out.
        """
        return await _node(id, info.context)

    @strawberry.field
    async def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
        """Things by their ids (Relay), in that order; null where there is no such thing. At most 50.

        Args:
            ids: As they were given out.
        """
        if len(ids) > NODES_MAX:
            raise Invalid(problem=f"At most {NODES_MAX} ids.", path=("ids",))
        return list(await asyncio.gather(*(_node(each, info.context) for each in ids)))

    @strawberry.field
    async def inventory(
        self, info: Info, skus: list[str], max_age_seconds: int | None = None, as_of: Instant | None = None
    ) -> list[InventoryItem]:
        """Live stock, in the order asked for: one read per source for all SKUs together. At most 250.

        While our own books cannot be read, it is what the sources say, and what we have promised of it is null.

        Args:
            skus: Which.
            max_age_seconds: Nothing read longer ago will do, though its source still counts it as fresh.
            as_of: What we had promised at that instant instead, by our ledger; what the sources had is not kept, and null.
        """
        info.context.must(Right.READ_STOCK)
        if as_of is not None:
            if max_age_seconds is not None:
                raise Invalid(problem="Either `maxAgeSeconds` or `asOf`.", path=("asOf",))
            recalled = await info.context.services.inventory.recall(skus_of(skus), _past(as_of, info.context))
            return [InventoryItem.of(item, info.context) for item in recalled]
        if max_age_seconds is not None and not 0 <= max_age_seconds <= AGE_S_MAX:
            raise Invalid(problem=f"An age is between 0 and {AGE_S_MAX} seconds.", path=("maxAgeSeconds",))
        age_s = None if max_age_seconds is None else float(max_age_seconds)
        items = await info.context.loaders.items_of(skus_of(skus), age_s)
        return [InventoryItem.of(item, info.context) for item in items]

    @strawberry.field
    def location(self, info: Info, by: LocationBy) -> Location | None:
        """One place.

        Args:
            by: Which.
        """
        network = info.context.services.network
        if by.id is not None:
            found = network.get(LocationId(_key("Location", by.id.value)))
        else:
            found = network.by_code(by.code.value) if by.code is not None else None
        return None if found is None else info.context.places.location(found)

    @strawberry.field
    def locations(self, info: Info) -> list[Location]:
        """Every place, by code."""
        return [info.context.places.location(place) for place in info.context.services.network.all()]

    @strawberry.field
    def source(self, info: Info, name: str) -> Source | None:
        """One system of record.

        Args:
            name: What the operator calls it.
        """
        found = SourceName(name)
        return info.context.places.source(found) if found in info.context.services.sources else None

    @strawberry.field
    def sources(self, info: Info) -> list[Source]:
        """Every system of record, by name."""
        return info.context.places.sources()

    @strawberry.field
    async def order(self, info: Info, by: OrderBy, as_of: Instant | None = None) -> Order | None:
        """One order.

        Args:
            by: Which.
            as_of: As it was at that instant, null before it was placed; its timeline and decisions are those of today.
        """
        info.context.must(Right.READ_ORDERS)
        then = None if as_of is None else _past(as_of, info.context)
        found = await _found(by, info.context)
        if found is not None and then is not None:
            found = await info.context.services.orders.as_of(found.id, then)
        return None if found is None else Order.of(found)

    @strawberry.field
    async def orders(  # noqa: PLR0917  # the arguments of a Relay connection
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        filter: OrderFilterInput | None = None,
        sort: OrderSort = OrderSort.PLACED_AT_DESC,
    ) -> OrderConnection:
        """Orders, a page at a time (Relay): 20 unless you say otherwise, at most 100.

        Args:
            first: So many from the start, or after a cursor.
            after: The cursor to go on from.
            last: So many from the end, or before a cursor.
            before: The cursor to go back from.
            filter: Which orders.
            sort: In which order.
        """
        info.context.must(Right.READ_ORDERS)
        which = OrderFilter() if filter is None else filter.meant()
        page = _page(first, after, last, before, newest_first=sort is OrderSort.PLACED_AT_DESC)
        return OrderConnection.of(await info.context.services.orders.page(which, page), which)

    @strawberry.field
    async def jobs(
        self, info: Info, state: JobState = JobState.DEAD, first: int | None = None, after: str | None = None
    ) -> JobConnection:
        """What must happen and has not, oldest first, a page at a time (Relay): 20 unless you say otherwise, at most 100.

        Args:
            state: Given up, unless you say otherwise.
            first: So many from the start, or after a cursor.
            after: The cursor to go on from.
        """
        info.context.must(Right.FULFILL)
        return await JobConnection.page(info.context.services.fulfillments, state, first, after)

    @strawberry.field
    async def reservation(self, info: Info, id: strawberry.ID) -> Reservation | None:
        """One hold.

        Args:
            id: Which.
        """
        info.context.must(Right.RESERVE)
        return await _reservation(_key("Reservation", id), info.context)

    routing_preview: RoutingPreview = strawberry.field(resolver=routing_preview)
    routing_comparison: RoutingComparison = strawberry.field(resolver=routing_comparison)
    routing_policy_preview: RoutingComparison = strawberry.field(resolver=routing_policy_preview)

    @strawberry.field
    async def shipping_quotes(
        self, info: Info, lines: list[LineInput], to: AddressInput, method: Method = Method.SHIP
    ) -> list[ShippingQuote]:
        """What it would cost to send something if it were ordered now, and when it would arrive. Nothing is stored or kept.

        Our own tables, carriers and sources are asked at once. Those that fail, or are late, are listed as failures, after all
        others; among these the cheapest is the first in each currency.

        Args:
            lines: What; 1 to 100 lines.
            to: Where.
            method: How the goods reach the customer. A pickup is not sent, so there are no quotes for it.
        """
        info.context.must(Right.READ_STOCK)
        found = await info.context.services.quotes.ask(wish_of(lines, to, method))
        return [ShippingQuote.of(each, info.context) for each in found]

    promise: list[ProductPromise] = strawberry.field(resolver=product_promises)
    cart_promise: CartPromise = strawberry.field(resolver=cart_promise)

    @strawberry.field
    async def routing_decision(self, info: Info, id: strawberry.ID) -> RoutingDecision | None:
        """How an order was routed.

        Args:
            id: Which decision.
        """
        info.context.must(Right.READ_ORDERS)
        return await _decision(_key("RoutingDecision", id), info.context)

    @strawberry.field
    async def routing_replay(self, info: Info, id: strawberry.ID) -> RoutingReplay | None:
        """A decision, made again from what was kept of it: what it was made on, in which world, and by which version of the policy.

        Args:
            id: Which decision; null when there is none.
        """
        info.context.must(Right.READ_ORDERS)
        return await RoutingReplay.of(_key("RoutingDecision", id), info.context)

    @strawberry.field
    async def price_book(self, info: Info) -> PriceBook | None:
        """What the last units of scarce stock are worth now; null until enough orders came to learn from."""
        info.context.must(Right.READ_POLICIES)
        return PriceBook.of(info.context)

    @strawberry.field
    async def routing_waves(self, info: Info) -> list[RoutingWave]:
        """The last waves that this gateway has planned, the newest first; 20 at most."""
        info.context.must(Right.READ_POLICIES)
        return [RoutingWave.of(each) for each in reversed(info.context.services.waves.planned)]

    @strawberry.field
    async def routing_policy(self, info: Info, id: strawberry.ID) -> RoutingPolicy | None:
        """One version of a routing policy.

        Args:
            id: Which version.
        """
        return await _policy(_key("RoutingPolicy", id), info.context)

    @strawberry.field
    async def routing_policies(
        self,
        info: Info,
        name: str | None = None,
        state: PolicyState | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> RoutingPolicyConnection:
        """Routing policies, by name, the newest version first, a page at a time (Relay): 20 unless you say otherwise, at most 100.

        Args:
            name: Versions of this policy only.
            state: In this state only; `ACTIVE` are those by which orders are routed.
            first: So many from the start, or after a cursor.
            after: The cursor to go on from.
        """
        info.context.must(Right.READ_POLICIES)
        return await RoutingPolicyConnection.page(info.context.services.policies, name, state, first, after)


# ---------------------------------------------------------------------------------------------- anything by its id
async def _node(id: str, operation: Operation) -> Node | None:
    match parts_of(id):
        case (kind, key) if kind in _FETCH:
            return await _FETCH[kind](key, operation)
        case _:
            return None


async def _order(key: str, operation: Operation) -> Order | None:
    operation.must(Right.READ_ORDERS)
    found = await operation.loaders.order(key)
    return None if found is None else Order.of(found)


async def _found(by: OrderBy, operation: Operation) -> orders.Order | None:
    if by.id is not None:
        return await operation.loaders.order(_key("Order", by.id.value))
    if by.number is not None:
        return await operation.services.orders.find_by(number=by.number.value)
    if by.external_id is not None:
        external = by.external_id.value
        return await operation.services.orders.find_by(external=(external.channel, external.external_id))
    return None


async def _work(key: str, operation: Operation) -> FulfillmentOrder | None:
    operation.must(Right.READ_ORDERS)
    found = await operation.services.orders.of_work(FulfillmentOrderId(key))
    if found is None:
        return None
    return FulfillmentOrder.of(found.work(FulfillmentOrderId(key)), Order.of(found), operation)


async def _reservation(key: str, operation: Operation) -> Reservation | None:
    operation.must(Right.RESERVE)
    found = await operation.services.reservations.find(ReservationId(key))
    return None if found is None else Reservation.of(found, operation)


async def _decision(key: str, operation: Operation) -> RoutingDecision | None:
    operation.must(Right.READ_ORDERS)
    found = await operation.services.orders.decision(key)
    return None if found is None else RoutingDecision.of(found, operation)


async def _policy(key: str, operation: Operation) -> RoutingPolicy | None:
    operation.must(Right.READ_POLICIES)
    version = policy_of(key)
    found = None if version is None else await operation.services.policies.find(version)
    return None if found is None else RoutingPolicy.of(found)


async def _item(key: str, operation: Operation) -> InventoryItem | None:
    operation.must(Right.READ_STOCK)
    try:
        (sku,) = skus_of([key])
    except Refusals:
        return None
    return InventoryItem.of(await operation.loaders.item(sku), operation)


async def _location(key: str, operation: Operation) -> Location | None:
    found = operation.services.network.get(LocationId(key))
    return None if found is None else operation.places.location(found)


async def _source(key: str, operation: Operation) -> Source | None:
    name = SourceName(key)
    return operation.places.source(name) if name in operation.services.sources else None


_FETCH: Final[Mapping[str, Callable[[str, Operation], Awaitable[Node | None]]]] = {
    "Order": _order,
    "FulfillmentOrder": _work,
    "Reservation": _reservation,
    "RoutingDecision": _decision,
    "RoutingPolicy": _policy,
    "InventoryItem": _item,
    "Location": _location,
    "Source": _source,
}


def _key(kind: str, id: str) -> str:
    """The key behind an id; one that leads nowhere, if it is of another kind: there is no such thing."""
    try:
        return key_of(kind, id, what=kind)
    except NotFound:
        return ""


def _past(as_of: Instant, operation: Operation) -> datetime:
    """That instant, of which something can be known."""
    if as_of > operation.services.clock.now():
        raise Invalid(problem="That has not happened yet.", path=("asOf",))
    return as_of


def _page(first: int | None, after: str | None, last: int | None, before: str | None, *, newest_first: bool) -> PageRequest:
    if (first is not None or after is not None) and (last is not None or before is not None):
        raise Invalid(problem="Either `first` and `after`, or `last` and `before`.", path=("first",))
    backward = last is not None or before is not None
    size = PAGE_DEFAULT if first is None and last is None else (last if backward else first) or 0
    if not 1 <= size <= PAGE_MAX:
        raise Invalid(problem=f"A page has 1 to {PAGE_MAX} orders.", path=("last" if backward else "first",))
    position = position_of(before, path="before") if backward else position_of(after, path="after")
    return PageRequest(size=size, newest_first=newest_first, position=position, backward=backward)
