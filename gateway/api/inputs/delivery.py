"""What a date is promised for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import strawberry

from connectors.contract import Address, Sku
from gateway.api.describe import described
from gateway.api.enums import Method
from gateway.api.inputs.checks import SKUS_MAX, UNITS_MAX, Check
from gateway.api.inputs.purchases import AddressInput
from gateway.domain.fulfillments import Units
from gateway.domain.identity import LocationId
from gateway.domain.refusals import Refusals


@described
@strawberry.input
class PromiseItem:
    """A product that somebody looks at.

    Attributes:
        sku: Which.
        units: How many, 1 to 100,000.
    """

    sku: str
    units: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """What somebody looks at, and where it would go."""

    items: tuple[Units, ...]
    to: Address
    method: Method
    pickup_at: LocationId | None


def interest_of(skus: Sequence[PromiseItem], to: AddressInput, method: Method, pickup_at: strawberry.ID | None) -> Interest:
    """What is asked about.

    Raises:
        Refusals: All that is wrong with it; each path begins with the argument.
    """
    check = Check()
    check.size(skus, ("input", "skus"), most=SKUS_MAX)
    for place, item in enumerate(skus[:SKUS_MAX]):
        check.sku(item.sku, ("input", "skus", str(place), "sku"))
        fits = 1 <= item.units <= UNITS_MAX
        check.that(fits, f"Units are between 1 and {UNITS_MAX:,}.", ("input", "skus", str(place), "units"))
    address = to.meant(check)
    location = check.location(pickup_at, ("input", "pickupAt"))
    alone = location is None or method is Method.PICKUP
    check.that(alone, "Only a pickup has a location where it is picked up.", ("input", "pickupAt"))
    try:
        check.done()
    except Refusals as refused:  # an address speaks as part of an input object
        raise Refusals(tuple(replace(each, path=each.path[1:]) for each in refused.each)) from None
    items = tuple(Units(sku=Sku(item.sku), units=item.units) for item in skus)
    return Interest(items=items, to=address, method=method, pickup_at=location)
