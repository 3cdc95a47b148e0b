"""Promised dates, and how they were worked out."""

import strawberry

from gateway.api.context import Info, Operation
from gateway.api.describe import described
from gateway.api.enums import Method, NoPromise
from gateway.api.errors import UserError, user_errors
from gateway.api.inputs.delivery import PromiseItem, interest_of
from gateway.api.inputs.purchases import AddressInput, RoutingInput
from gateway.api.locations import Location
from gateway.api.promises import Promise
from gateway.api.routing import FulfillmentLine, RoutingDecision
from gateway.api.scalars import Instant
from gateway.domain.principals import Right
from gateway.domain.refusals import Refusal, Refusals
from gateway.services.delivery import CartPromise as CartAsFound
from gateway.services.delivery import PackagePromise as PackageAsFound
from gateway.services.delivery import ProductPromise as ProductAsFound


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
