"""When it would leave, and when it would arrive: products on a page, and a cart as it would be routed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import accumulate
from math import prod

from connectors.contract import Address, Method, Sku
from gateway.domain.delivery import NEVER, Promise, Prospect
from gateway.domain.fulfillments import Units
from gateway.domain.identity import LocationId
from gateway.domain.locations import Location
from gateway.domain.routing import Package
from gateway.domain.sourcing import DecisionRecord
from gateway.ports import Clock
from gateway.services.inventory import Inventory, Item
from gateway.services.routing import Routing, Wish
from gateway.services.timetable import Timetable


class NoPromise(StrEnum):
    """Why no date can be promised.

    Attributes:
        NOT_CARRIED: Every source says that it has no such product.
        OUT_OF_STOCK: Fewer units can be promised than were asked for.
        STOCK_UNKNOWN: Too few units are known of, and somebody who may know of more did not answer; try again.
        DESTINATION_UNKNOWN: Nobody knows where that is: give coordinates, or a postal code that is known.
        NO_LOCATION: There is enough, but not where it may be handed over in this way.
        NO_SERVICE: There is enough, but as far as one can see nobody works on it, or no carrier comes.
    """

    NOT_CARRIED = "NOT_CARRIED"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    STOCK_UNKNOWN = "STOCK_UNKNOWN"
    DESTINATION_UNKNOWN = "DESTINATION_UNKNOWN"
    NO_LOCATION = "NO_LOCATION"
    NO_SERVICE = "NO_SERVICE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductPromise:
    """The soonest that so many units of a SKU can be with the customer, or why nobody can say.

    ``split``: no location has all of them; the promise is that of the last to arrive.
    """

    sku: Sku
    units: int
    promise: Promise | None = None
    reason: NoPromise | None = None
    split: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePromise:
    """A package, and when it arrives. None: never, as far as one can see."""

    package: Package
    promise: Promise | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CartPromise:
    """Everything in a cart, as it would be sent if it were ordered now."""

    record: DecisionRecord
    packages: tuple[PackagePromise, ...]

    @property
    def deliver_by(self) -> datetime | None:
        """When the last package has arrived. None: one never does."""
        ends = [each.promise.deliver_by for each in self.packages if each.promise is not None]
        return max(ends) if len(ends) == len(self.packages) else None

    @property
    def confidence(self) -> float | None:
        """How sure it is that all are in time, if each is on its own way. None: of one of them, nobody has counted."""
        shares = [None if each.promise is None else each.promise.confidence for each in self.packages]
        known = [share for share in shares if share is not None]
        return prod(known) if len(known) == len(shares) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Works out dates on live stock, and on what our locations have promised to others."""

    inventory: Inventory
    routing: Routing
    timetable: Timetable
    clock: Clock

    async def of_products(
        self, wanted: Sequence[Units], to: Address, *, method: Method = Method.SHIP, pickup_at: LocationId | None = None
    ) -> tuple[ProductPromise, ...]:
        """The soonest for each of these, as if nothing else were bought with it; in the order asked for.

        Raises:
            StoreUnavailable: Nobody can tell how much our locations have to do.
        """
        items = {item.sku: item for item in await self.inventory.look([each.sku for each in wanted])}
        prospect = await self.timetable.prospect(to, self.clock.now(), method)
        return tuple(_product(each, items[each.sku], prospect, pickup_at) for each in wanted)

    async def of_cart(self, wish: Wish) -> CartPromise:
        """Where everything would come from, and when each package would arrive.

        Raises:
            Refusal: It could not come from anywhere.
            Refusals: Likewise, for several reasons.
        """
        record = await self.routing.preview(wish)
        promised = {each.location: each for each in record.promises}
        packages = (PackagePromise(package=each, promise=promised.get(each.location)) for each in record.decision.packages)
        return CartPromise(record=record, packages=tuple(packages))


def _product(wanted: Units, item: Item, prospect: Prospect, pickup_at: LocationId | None) -> ProductPromise:
    """The soonest from one location that has all of it, else from several."""
    nothing = partial(ProductPromise, sku=wanted.sku, units=wanted.units)
    if reason := _lacking(wanted, item):
        return nothing(reason=reason)
    if prospect.is_lost:
        return nothing(reason=NoPromise.DESTINATION_UNKNOWN)
    places, (rank, service) = prospect.board.places, prospect.fastest(wanted.units)
    has = {
        level.location.id: level.available_to_promise or 0
        for level in item.levels
        if level.location.id in places and _may(level.location, prospect.method, pickup_at)
    }
    if sum(max(units, 0) for units in has.values()) < wanted.units:
        return nothing(reason=NoPromise.NO_LOCATION if item.complete else NoPromise.STOCK_UNKNOWN)
    soonest = sorted((each for each in has if has[each] > 0 and rank[places[each]] < NEVER), key=lambda each: rank[places[each]])
    last = _last_needed(soonest, has, wanted.units)
    if last is None:
        return nothing(reason=NoPromise.NO_SERVICE)
    promise = prospect.promise(last, int(service[places[last]]), wanted.units)
    return nothing(promise=promise, split=has[last] < wanted.units)


def _lacking(wanted: Units, item: Item) -> NoPromise | None:
    """Why so many cannot be promised from anywhere. None: they can."""
    if not item.carried:
        return NoPromise.NOT_CARRIED
    if item.available_to_promise is not None and item.available_to_promise >= wanted.units:
        return None
    return NoPromise.OUT_OF_STOCK if item.complete else NoPromise.STOCK_UNKNOWN


def _may(place: Location, method: Method, pickup_at: LocationId | None) -> bool:
    return place.active and method in place.methods and pickup_at in {None, place.id}


def _last_needed(soonest: Sequence[LocationId], has: Mapping[LocationId, int], units: int) -> LocationId | None:
    """The first location that has all of it; else the one with which those before it have. None: they never have."""
    whole = next((each for each in soonest if has[each] >= units), None)
    together = zip(soonest, accumulate(has[each] for each in soonest), strict=True)
    return whole or next((each for each, total in together if total >= units), None)
