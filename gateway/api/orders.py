"""Orders and the work that comes of them."""

import strawberry

from gateway.api.context import Info, Operation
from gateway.api.describe import described
from gateway.api.enums import (
    FulfillmentAction,
    FulfillmentStatus,
    Method,
    OrderAction,
    OrderStatus,
    Preference,
    RequestStatus,
    UnitState,
)
from gateway.api.errors import UserError
from gateway.api.identifiers import event_cursor, global_id
from gateway.api.inventory import InventoryItem
from gateway.api.locations import Location
from gateway.api.node import Node
from gateway.api.routing import FulfillmentLine, RoutingDecision
from gateway.api.scalars import Day, Instant
from gateway.api.shipments import Rejection, Shipment, lines_of
from gateway.domain import fulfillments, orders
from gateway.domain.capacity import day_named
from gateway.domain.events import OrderEvent as Happened
from gateway.domain.identity import LocationId

TIMELINE_MAX = 200


@described
@strawberry.type
class LineQuantity:
    """So many units of a line in one state.

    Attributes:
        state: Which.
        units: How many.
    """

    state: UnitState
    units: int


@described
@strawberry.type
class OrderLine:
    """What was bought of one SKU. Status is per unit: one line may be partly allocated and partly backordered.

    Attributes:
        id: Unique within the order.
        sku: Of what.
        units: How many were bought.
        quantities: How many of them are in which state; states without units are left out.
    """

    id: strawberry.ID
    sku: str
    units: int
    quantities: list[LineQuantity]

    @strawberry.field
    async def item(self, info: Info) -> InventoryItem:
        """The product over the whole network, right now."""
        return InventoryItem.of(await info.context.loaders.item(self.sku), info.context)


@described
@strawberry.type
class FulfillmentOrder(Node):
    """Work for one location. How it stands and how far the handshake with the location has come are separate.

    Attributes:
        order: What it is part of.
        location: Who is to do it; null if the location is gone.
        method: How the goods leave.
        status: How it stands.
        request_status: How far the handshake has come.
        remote_ref: What the location's own system calls it, once it does.
        version: Goes up with every change.
        supported_actions: What can be asked for now.
        lines: What is to leave.
        remaining: What has not left yet.
        capacity_on: The day of the location whose capacity it takes; null where that is not counted.
        ship_by: When it has left, as the customer was promised; null when nothing was.
        deliver_by: When it is with the customer, as was promised; null when nothing was.
        shipments: What left.
        rejection: Why the location does not do the rest.
        note: Why it waits for review.
    """

    order: "Order"
    location: Location | None
    method: Method
    status: FulfillmentStatus
    request_status: RequestStatus
    remote_ref: str | None
    version: int
    supported_actions: list[FulfillmentAction]
    lines: list[FulfillmentLine]
    remaining: list[FulfillmentLine]
    capacity_on: Day | None
    ship_by: Instant | None
    deliver_by: Instant | None
    shipments: list[Shipment]
    rejection: Rejection | None
    note: str | None

    @staticmethod
    def of(work: fulfillments.FulfillmentOrder, order: "Order", operation: Operation) -> "FulfillmentOrder":
        """The work as the graph shows it."""
        place = operation.services.network.get(work.location)
        said = work.rejection
        return FulfillmentOrder(
            id=global_id("FulfillmentOrder", work.id),
            order=order,
            location=None if place is None else operation.places.location(place),
            method=work.method,
            status=work.status,
            request_status=work.request_status,
            remote_ref=work.remote_ref,
            version=work.version,
            supported_actions=list(work.supported_actions),
            lines=lines_of(work.lines),
            remaining=lines_of(work.remaining) if work.is_open else [],
            capacity_on=next((Day(day) for each in work.booked if (day := day_named(each.sku)) is not None), None),
            ship_by=None if work.ship_by is None else Instant(work.ship_by),
            deliver_by=None if work.deliver_by is None else Instant(work.deliver_by),
            shipments=[Shipment.of(each) for each in work.shipments],
            rejection=None if said is None else Rejection.of(said),
            note=work.note,
        )


@described
@strawberry.type
class OrderEvent:
    """Something that happened to an order. Sequence is gapless over the gateway network, `version` is 1..n per order.

    Attributes:
        id: Unique.
        cursor: Give it to `orderEvents(after:)` to go on from here.
        type: What happened, for example `order.routed` or `fulfillment.shipped`.
        occurred_at: When.
        version: The version that the order had right after.
        actor: Who did it: the name of a token, a source, or `routing`.
        cause: What led to it.
        order: The order as it was right after.
    """

    id: strawberry.ID
    cursor: str
    type: str
    occurred_at: Instant
    version: int
    actor: str
    cause: str | None
    order: "Order"

    @staticmethod
    def of(event: Happened) -> "OrderEvent":
        """The event as the graph shows it."""
        return OrderEvent(
            id=strawberry.ID(event.id),
            cursor=event_cursor(event.seq),
            type=event.type,
            occurred_at=Instant(event.occurred_at),
            version=event.order.version,
            actor=event.actor,
            cause=event.cause,
            order=Order.of(event.order),
        )


@described
@strawberry.type
class Direction:
    """What somebody decided about where the rest of an order comes from. It holds until that has a location.

    Attributes:
        reason: Why.
        by: Who decided it.
        at: When.
    """

    reason: str
    by: str
    at: Instant
    source: strawberry.Private[orders.Direction]

    @strawberry.field
    def locations(self, info: Info) -> list[Location]:
        """From where; locations that are gone are left out."""
        places = (info.context.services.network.get(LocationId(each)) for each in self.source.locations)
        return [info.context.places.location(place) for place in places if place is not None]

    @staticmethod
    def of(said: orders.Direction) -> "Direction":
        """The decision as the graph shows it."""
        return Direction(reason=said.reason, by=said.by, at=Instant(said.at), source=said)


@described
@strawberry.type
class Order(Node):
    """What was bought.

    Attributes:
        number: For people; cannot be guessed.
        channel: Who sold it.
        external_id: What the channel calls it.
        status: Where it stands as a whole.
        version: Goes up with every change; each is an event.
        placed_at: When it was placed.
        method: How the goods reach the customer.
        preference: What the customer gives up money for.
        customer_class: What the channel said of the customer.
        value_cents: What the customer pays for the goods, in cents; null if the channel did not say.
        policy: The routing policy that the channel named, if it named one.
        parked_because: Why what it waits for waits for a person; the job that waits is among `jobs(state: DEAD)`.
        deliver_by: When all of it is with the customer, as was promised; null when nothing was.
        wave_at: When it is routed, together with others, if it waits for that.
        cancel_waiting_at: When what still waits for stock is canceled, if it is not to wait for ever.
        pickup_slot: When the slot begins in which the customer picks it up, if one is named.
        supported_actions: What can be asked for now.
        canceled_because: The reason code of its cancellation, from when it was asked for.
        directed: What somebody decided about where the rest of it comes from; null once that is done, and where policies decide.
        lines: What was bought.
    """

    number: str
    channel: str
    external_id: str | None
    status: OrderStatus
    version: int
    placed_at: Instant
    method: Method
    preference: Preference
    customer_class: str | None
    value_cents: int | None
    policy: str | None
    parked_because: str | None
    deliver_by: Instant | None
    wave_at: Instant | None
    cancel_waiting_at: Instant | None
    pickup_slot: Instant | None
    supported_actions: list[OrderAction]
    canceled_because: str | None
    directed: Direction | None
    lines: list[OrderLine]
    source: strawberry.Private[orders.Order]

    @strawberry.field
    def fulfillment_orders(self, info: Info) -> list[FulfillmentOrder]:
        """The work that came of it, oldest first."""
        return [FulfillmentOrder.of(work, self, info.context) for work in self.source.fulfillment_orders]

    @strawberry.field
    async def routing_decisions(self, info: Info) -> list[RoutingDecision]:
        """How it was routed, and routed again, oldest first."""
        records = await info.context.loaders.decisions.load(self.source.id)
        return [RoutingDecision.of(record, info.context) for record in records]

    @strawberry.field
    async def timeline(self, info: Info, first: int = 50, after_version: int = 0) -> list[OrderEvent]:
        """What happened to it, oldest first.

        Args:
            first: At most so many, up to 200.
            after_version: Only what made it a later version than this.
        """
        limit = max(0, min(first, TIMELINE_MAX))
        events = await info.context.services.orders.timeline(self.source.id, after_version=after_version, limit=limit)
        return [OrderEvent.of(event) for event in events]

    @staticmethod
    def of(order: orders.Order) -> "Order":
        """The order as the graph shows it."""
        quantities = order.quantities()
        return Order(
            id=global_id("Order", order.id),
            number=order.number,
            channel=order.channel,
            external_id=order.external_id,
            status=order.status,
            version=order.version,
            placed_at=Instant(order.placed_at),
            method=order.method,
            preference=order.preference,
            customer_class=order.customer_class,
            value_cents=order.value_cents,
            policy=order.policy,
            parked_because=order.parked_because,
            deliver_by=None if order.promised_by is None else Instant(order.promised_by),
            wave_at=None if order.wave_at is None else Instant(order.wave_at),
            cancel_waiting_at=None if order.cancel_waiting_at is None else Instant(order.cancel_waiting_at),
            pickup_slot=None if order.pickup_slot is None else Instant(order.pickup_slot),
            supported_actions=list(order.supported_actions),
            canceled_because=None if order.cancellation is None else order.cancellation.reason_code,
            directed=None if order.directed is None else Direction.of(order.directed),
            lines=[
                OrderLine(
                    id=strawberry.ID(line.id),
                    sku=line.sku,
                    units=line.units,
                    quantities=[LineQuantity(state=state, units=units) for state, units in quantities[line.id].items()],
                )
                for line in order.lines
            ],
            source=order,
        )


@described
@strawberry.type
class OrderPayload:
    """What became of the request.

    Attributes:
        order: The order; null when it was refused.
        user_errors: Why it was refused; empty when it was not.
    """

    order: Order | None
    user_errors: list[UserError]


@described
@strawberry.type
class FulfillmentOrderPayload:
    """What became of the request.

    Attributes:
        fulfillment_order: The work; null when it was refused.
        user_errors: Why it was refused; empty when it was not.
    """

    fulfillment_order: FulfillmentOrder | None
    user_errors: list[UserError]
