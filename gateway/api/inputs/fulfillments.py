"""What a location does, cannot do, or did."""

from typing import Final

import strawberry

from gateway.api.describe import described
from gateway.api.inputs.checks import Check, LineInput
from gateway.domain.fulfillments import Package

PACKAGES_MAX: Final = 100


@described
@strawberry.input
class FulfillmentOrderAcceptInput:
    """Which work the location does.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which fulfillment order.
        expected_version: Refuse if it changed since.
    """

    idempotency_key: str
    id: strawberry.ID
    expected_version: int | None = None


@described
@strawberry.input
class FulfillmentOrderRejectInput:
    """Which work the location cannot do, and why.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which fulfillment order.
        expected_version: Refuse if it changed since.
        reason_code: Why, in a word of yours.
    """

    idempotency_key: str
    id: strawberry.ID
    reason_code: str
    expected_version: int | None = None


@described
@strawberry.input
class PackageInput:
    """One parcel, or one hand-over at the counter.

    Attributes:
        carrier: Who carries it.
        tracking_number: The carrier's own number.
        tracking_url: Where to follow it.
        lines: What is in it.
    """

    carrier: str
    lines: list[LineInput]
    tracking_number: str | None = None
    tracking_url: str | None = None


@described
@strawberry.input
class FulfillmentOrderShipInput:
    """What left.

    Attributes:
        idempotency_key: The same key with the same request is answered with the first answer.
        id: Which fulfillment order.
        expected_version: Refuse if it changed since.
        packages: What left; 1 to 100.
    """

    idempotency_key: str
    id: strawberry.ID
    packages: list[PackageInput]
    expected_version: int | None = None

    def meant(self) -> tuple[Package, ...]:
        """The packages."""
        check = Check()
        at = ("input", "packages")
        check.size(self.packages, at, most=PACKAGES_MAX)
        packages = tuple(
            Package(
                lines=check.lines(package.lines, (*at, str(place), "lines")),
                carrier=check.text(package.carrier, (*at, str(place), "carrier"), most=100),
                tracking_number=check.maybe(package.tracking_number, (*at, str(place), "trackingNumber"), most=100),
                tracking_url=check.maybe(package.tracking_url, (*at, str(place), "trackingUrl"), most=500),
            )
            for place, package in enumerate(self.packages[:PACKAGES_MAX])
        )
        check.done()
        return packages
