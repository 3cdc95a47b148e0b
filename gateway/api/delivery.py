"""Promised dates, and how they were worked out."""

import strawberry

from gateway.api.context import Info, Operation
from gateway.api.describe import described
from gateway.api.enums import Method, NoPromise
from gateway.api.errors import UserError, user_errors
from gateway.api.inputs.delivery import PromiseItem, interest_of
from gateway.api.inputs.purchases import AddressInput, RoutingInput
from gateway.api.locations import Location
from gateway.api.routing import FulfillmentLine, RoutingDecision
from gateway.api.scalars import Day, Instant
from gateway.domain import delivery
from gateway.domain.principals import Right
from gateway.domain.refusals import Refusal, Refusals
from gateway.services.delivery import CartPromise as CartAsFound
from gateway.services.delivery import PackagePromise as PackageAsFound
from gateway.services.delivery import ProductPromise as ProductAsFound


@described
@strawberry.type
class PromisePart:
    """One step on the way to a promised date.

    Attributes:
        name: `order`, `cutoff`, `backlog`, `processing`, `collection`, `transit`, `delivery` or `pickup`.
        at: When it is over.
        why: What it is, and why it takes so long, by the clock of where it happens.
    """

    name: str
    at: Instant
    why: str


@described
@strawberry.type
class Promise:
    """When goods leave, and when they are with the customer. Of a pickup, all of it is when they are ready.

    Attributes:
        ship_by: When they have left, at the latest.
        earliest: They are not there before.
        deliver_by: They are there by then.
        deliver_on: The day of that, by the customer's calendar.
        time_zone: The customer's time zone, an IANA name.
        confidence: The share of parcels by this service that are there in time, 0 to 1; null while nobody has counted.
        location: Where they leave from.
        carrier: Who carries them; null for a pickup.
        service: By which service; null for a pickup.
        cutoff_at: Ordered by then, the promise is the same, unless others are faster to order what is left.
        parts: How it was worked out, step by step.
    """

    ship_by: Instant
    earliest: Instant
    deliver_by: Instant
    deliver_on: Day
    time_zone: str
    confidence: float | None
    location: Location
    carrier: str | None
    service: str | None
    cutoff_at: Instant
    parts: list[PromisePart]

    @staticmethod
    def of(found: delivery.Promise | None, operation: Operation) -> "Promise | None":
        """The promise as the graph shows it; null where there is none, or its location is gone."""
        place = None if found is None else operation.services.network.get(found.location)
        if found is None or place is None:
            return None
        return Promise(
            ship_by=Instant(found.ship_by),
            earliest=Instant(found.earliest),
            deliver_by=Instant(found.deliver_by),
            deliver_on=Day(found.deliver_on),
            time_zone=found.time_zone,
            confidence=found.confidence,
            location=operation.places.location(place),
            carrier=found.carrier,
            service=found.service,
            cutoff_at=Instant(found.cutoff_at),
            parts=[PromisePart(name=part.name, at=Instant(part.at), why=part.why) for part in found.parts],
        )


@described
@strawberry.type
class ProductPromise:
    """The soonest that a product can be with the customer, as if nothing else were bought with it.

    Attributes:
        sku: Which product.
        units: How many of it.
        promise: When; null when nobody can say.
        reason: Why nobody can say; null for a promise.
        split: Whether no location has all of it, so that it comes in several parcels; the promise is that of the last.
    """

    sku: str
    units: int
    promise: Promise | None
    reason: NoPromise | None
    split: bool

    @staticmethod
    def of(found: ProductAsFound, operation: Operation) -> "ProductPromise":
        """The promise as the graph shows it."""
        return ProductPromise(
            sku=found.sku,
            units=found.units,
            promise=Promise.of(found.promise, operation),
            reason=found.reason,
            split=found.split,
        )


@described
@strawberry.type
class PackagePromise:
    """A package in which part of a cart would be sent, or handed over.

    Attributes:
        location: Where it would come from.
        lines: What would be in it.
        promise: When it would be there; null when nobody works on it, or no carrier comes, as far as one can see.
    """

    location: Location
    lines: list[FulfillmentLine]
    promise: Promise | None

    @staticmethod
    def of(found: PackageAsFound, operation: Operation) -> "PackagePromise | None":
        """The package as the graph shows it; None where its location is gone."""
        place = operation.services.network.get(found.package.location)
        if place is None:
            return None
        return PackagePromise(
            location=operation.places.location(place),
            lines=[FulfillmentLine(sku=line.sku, units=line.units) for line in found.package.lines],
            promise=Promise.of(found.promise, operation),
        )


@described
@strawberry.type
class CartPromise:
    """When everything in a cart would be with the customer if it were ordered now. Nothing is stored or kept.

    Attributes:
        packages: What would come from where, and when.
        deliver_by: When all of it is there; null when that cannot be said of one of the packages.
        confidence: How sure it is that all of it is there in time, 0 to 1; null while nobody has counted.
        decision: Why it would come from there; null when it could not come from anywhere.
        user_errors: Why it could not; empty when it could.
    """

    packages: list[PackagePromise]
    deliver_by: Instant | None
    confidence: float | None
    decision: RoutingDecision | None
    user_errors: list[UserError]

    @staticmethod
    def of(found: CartAsFound, operation: Operation) -> "CartPromise":
        """The promise as the graph shows it."""
        packages = [PackagePromise.of(each, operation) for each in found.packages]
        return CartPromise(
            packages=[each for each in packages if each is not None],
            deliver_by=None if found.deliver_by is None else Instant(found.deliver_by),
            confidence=found.confidence,
            decision=RoutingDecision.of(found.record, operation),
            user_errors=[],
        )


async def product_promises(
    info: Info,
    skus: list[PromiseItem],
    to: AddressInput,
    method: Method = Method.SHIP,
    pickup_at: strawberry.ID | None = None,
) -> list[ProductPromise]:
    """The soonest that products can be with a customer, each by itself, in the order asked for: for pages before any order.

    One read per source for all of them. At most 250.

    Args:
        skus: Which, and how many of each.
        to: Where.
        method: How the goods reach the customer.
        pickup_at: The location where they are picked up; without it, the closest that has all of it.
    """
    info.context.must(Right.READ_STOCK)
    asked = interest_of(skus, to, method, pickup_at)
    found = await info.context.services.delivery.of_products(asked.items, asked.to, method=asked.method, pickup_at=asked.pickup_at)
    return [ProductPromise.of(each, info.context) for each in found]


async def cart_promise(info: Info, input: RoutingInput) -> CartPromise:
    """When a whole cart would be with the customer, as it would be routed if it were ordered now. Nothing is stored or kept.

    Args:
        input: What is to go where.
    """
    info.context.must(Right.READ_STOCK)
    try:
        found = await info.context.services.delivery.of_cart(input.meant())
    except (Refusal, Refusals) as refused:
        return CartPromise(packages=[], deliver_by=None, confidence=None, decision=None, user_errors=user_errors(refused))
    return CartPromise.of(found, info.context)
