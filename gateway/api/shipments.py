"""What left a location, and what it would not send."""

import strawberry

from gateway.api.describe import described
from gateway.api.routing import FulfillmentLine
from gateway.api.scalars import Instant
from gateway.domain import fulfillments


@described
@strawberry.type
class Package:
    """One parcel, or one hand-over at the counter.

    Attributes:
        carrier: Who carries it.
        tracking_number: The carrier's own number.
        tracking_url: Where to follow it.
        lines: What is in it.
    """

    carrier: str | None
    tracking_number: str | None
    tracking_url: str | None
    lines: list[FulfillmentLine]


@described
@strawberry.type
class Shipment:
    """What left a location at one time.

    Attributes:
        id: Unique within the fulfillment order.
        shipped_at: When we learnt that it left.
        packages: What it consists of.
    """

    id: strawberry.ID
    shipped_at: Instant
    packages: list[Package]

    @staticmethod
    def of(shipment: fulfillments.Shipment) -> "Shipment":
        """The shipment as the graph shows it."""
        return Shipment(
            id=strawberry.ID(shipment.id),
            shipped_at=Instant(shipment.shipped_at),
            packages=[
                Package(
                    carrier=package.carrier,
                    tracking_number=package.tracking_number,
                    tracking_url=package.tracking_url,
                    lines=lines_of(package.lines),
                )
                for package in shipment.packages
            ],
        )


@described
@strawberry.type
class Rejection:
    """A location said that it cannot do the rest of the work.

    Attributes:
        reason_code: Why, in its own word.
        units: How many units were still to be sent.
        at: When.
    """

    reason_code: str
    units: int
    at: Instant

    @staticmethod
    def of(rejection: fulfillments.Rejection) -> "Rejection":
        """The rejection as the graph shows it."""
        return Rejection(reason_code=rejection.reason_code, units=rejection.units, at=Instant(rejection.at))


def lines_of(units: tuple[fulfillments.Units, ...]) -> list[FulfillmentLine]:
    """Lines as the graph shows them."""
    return [FulfillmentLine(sku=line.sku, units=line.units) for line in units]
