"""The shop behind the Shopify sandbox: locations, items, levels and orders, by Shopify's rules."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from connectors.contract import Sku
from connectors.sandbox.network import Network, Place, Product

_WITH_A_SERVICE = frozenset({"SUBMITTED", "ACCEPTED", "CANCELLATION_REQUESTED", "CANCELLATION_REJECTED"})


class Refused(Exception):
    """Shopify says no, in the words of its ``userErrors``."""

    def __init__(self, message: str, *, code: str | None = None, path: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.error = {"message": message, "code": code, "field": list(path) or None}


def instant() -> datetime:
    """Now."""
    return datetime.now(UTC)  # noqa: TID251  a stand-in for a remote system has a clock of its own


@dataclass(slots=True, kw_only=True)
class Item:
    """Something that is stocked. What is not ``tracked`` is sold without being counted."""

    number: str
    variant: str
    sku: str
    product: Product
    tracked: bool = True
    updated_at: datetime = field(default_factory=instant)


@dataclass(slots=True, kw_only=True)
class Level:
    """An item at a location: what is left to sell, and what orders wait for; both are on hand."""

    available: int
    committed: int = 0
    updated_at: datetime = field(default_factory=instant)

    @property
    def on_hand(self) -> int:
        """What stands there."""
        return self.available + self.committed

    def change(self, *, available: int = 0, committed: int = 0) -> None:
        """So many more, or fewer."""
        self.available += available
        self.committed += committed
        self.updated_at = instant()


@dataclass(slots=True, kw_only=True)
class Line:
    """Units of one item that one location is to send."""

    number: str
    item: Item
    total: int
    remaining: int


@dataclass(slots=True, kw_only=True)
class Work:
    """A fulfillment order. ``hidden``: closed because it was moved or replaced."""

    number: str
    location: str
    lines: list[Line]
    status: str = "OPEN"
    request_status: str = "UNSUBMITTED"
    hidden: bool = False

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do."""
        return self.status in {"OPEN", "SCHEDULED", "ON_HOLD", "IN_PROGRESS"}


@dataclass(slots=True, kw_only=True)
class Shipment:
    """A fulfillment: what left together."""

    number: str
    carrier: str
    tracking_number: str
    lines: list[Line]
    created_at: datetime = field(default_factory=instant)


@dataclass(slots=True, kw_only=True)
class Order:
    """One order. ``claims``: whether its units were taken from what is available."""

    number: str
    key: str | None
    attributes: Mapping[str, str]
    claims: bool
    works: list[Work] = field(default_factory=list)
    shipments: list[Shipment] = field(default_factory=list)
    created_at: datetime = field(default_factory=instant)
    canceled_at: datetime | None = None
    cancel_reason: str | None = None
    staff_note: str | None = None

    @property
    def open_works(self) -> list[Work]:
        """What is left to do."""
        return [work for work in self.works if work.is_open]


class Shop:
    """One shop. The places named as ``services`` are run by fulfillment services, the others by the merchant."""

    def __init__(self, network: Network, *, services: Collection[str] = ()) -> None:
        places = network.places_of("shopify")
        self.locations: dict[str, Place] = {str(7_000_001 + index): place for index, place in enumerate(places)}
        self.services = frozenset(number for number, place in self.locations.items() if place.key in services)
        self.items: dict[str, Item] = {}
        self.levels: dict[tuple[str, str], Level] = {}
        self.orders: dict[str, Order] = {}
        self.canceling: list[tuple[Order, str, str]] = []
        """Orders whose cancellation has begun, with reason and note. ``settle`` ends it."""
        self._numbers = count(1)
        carried = {number: network.carried_at(place.key) for number, place in self.locations.items()}
        for index, product in enumerate(network.products):
            if any(product.sku in shelves for shelves in carried.values()):
                self.add_item(product, number=40_000_001 + index)
        for number, shelves in carried.items():
            for item in self.items.values():
                if Sku(item.sku) in shelves:
                    self.levels[number, item.number] = Level(available=shelves[Sku(item.sku)])

    def add_item(self, product: Product, *, number: int) -> Item:
        """A new item, without a level; there may be several with one SKU."""
        item = Item(number=str(number), variant=str(number + 10_000_000), sku=product.sku, product=product)
        self.items[item.number] = item
        return item

    def items_of(self, sku: str) -> list[Item]:
        """Every item with that SKU."""
        return [item for item in self.items.values() if item.sku == sku]

    def levels_of(self, item: Item) -> Iterator[tuple[str, Level]]:
        """Where it is stocked."""
        return ((location, level) for (location, number), level in self.levels.items() if number == item.number)

    def location_of(self, place_key: str) -> str:
        """The location of a place.

        Raises:
            LookupError: It is none of this shop's.
        """
        for number, place in self.locations.items():
            if place.key == place_key:
                return number
        raise LookupError(f"there is no location {place_key!r}")

    # ------------------------------------------------------------------------------------------ orders
    def create(self, wanted: Sequence[tuple[str, int]], *, key: str | None, attributes: Mapping[str, str], behavior: str) -> Order:
        """A new order of so many units of each variant, and work for the locations that Shopify picks.

        Raises:
            Refused: A variant is not there, or there is not enough of it.
        """
        by_variant = {item.variant: item for item in self.items.values()}
        if not wanted:
            raise Refused("Line items must have at least one line item", code="INVALID", path=("order", "lineItems"))
        lines = []
        for index, (variant, units) in enumerate(wanted):
            path = ("order", "lineItems", str(index))
            if variant not in by_variant:
                raise Refused("The product variant does not exist.", code="INVALID", path=(*path, "variantId"))
            if units < 1:
                raise Refused("Quantity must be greater than 0", code="INVALID", path=(*path, "quantity"))
            lines.append((by_variant[variant], units))
        if behavior == "DECREMENT_OBEYING_POLICY":
            self._check_stock(lines)
        order = Order(number=self._number(), key=key, attributes=attributes, claims=behavior != "BYPASS")
        for location, some in self._routed(lines).items():
            work = Work(number=self._number(), location=location, lines=[self._line(*each) for each in some])
            order.works.append(work)
            if order.claims:
                self._claim(work, 1)
        self.orders[order.number] = order
        return order

    def _check_stock(self, lines: Sequence[tuple[Item, int]]) -> None:
        for item, units in lines:
            if item.tracked and sum(max(level.available, 0) for _, level in self.levels_of(item)) < units:
                message = f"Unable to claim inventory: {item.sku}"
                raise Refused(message, code="INVENTORY_CLAIM_FAILED", path=("order", "lineItems"))

    def _routed(self, lines: Sequence[tuple[Item, int]]) -> dict[str, list[tuple[Item, int]]]:
        """The first location that has everything, or else for each line the first that has enough, or any that stocks it."""
        for location in self.locations:
            if all(self._has(location, item, units) for item, units in lines):
                return {location: list(lines)}
        found: dict[str, list[tuple[Item, int]]] = {}
        for item, units in lines:
            stocked = [location for location, _ in self.levels_of(item)] or list(self.locations)
            location = next((each for each in stocked if self._has(each, item, units)), stocked[0])
            found.setdefault(location, []).append((item, units))
        return found

    def _has(self, location: str, item: Item, units: int) -> bool:
        level = self.levels.get((location, item.number))
        return level is not None and level.available >= units

    def move(self, work: Work, location: str) -> Work:
        """Another location is to do it. Where that has a part of the order already, the work becomes a new one.

        Raises:
            Refused: It is under way, or the location does not stock it.
        """
        if not work.is_open or work.request_status in _WITH_A_SERVICE:
            raise Refused("The fulfillment order is not in a movable state.")
        if work.status == "IN_PROGRESS":
            raise Refused("Cannot move a fulfillment order with reported progress.")
        if location not in self.locations or not all((location, line.item.number) in self.levels for line in work.lines):
            raise Refused("The location does not stock all of the items.")
        order = self.order_of(work)
        if order.claims:
            self._claim(work, -1)
        moved = work
        if any(other.location == location for other in order.open_works if other is not work):
            moved = self._replaced(order, work, status="CLOSED")
        moved.location = location
        moved.request_status = "UNSUBMITTED"
        if order.claims:
            self._claim(moved, 1)
        return moved

    def submit(self, work: Work) -> None:
        """Ask the fulfillment service.

        Raises:
            Refused: There is none, or it has been asked.
        """
        if work.location not in self.services or work.request_status != "UNSUBMITTED" or not work.is_open:
            raise Refused("The fulfillment order cannot be submitted.")
        work.request_status = "SUBMITTED"

    def ask_to_stop(self, work: Work) -> None:
        """Ask the fulfillment service to let go.

        Raises:
            Refused: It is not at work.
        """
        if work.request_status != "ACCEPTED" or not work.is_open:
            raise Refused("The fulfillment order is not awaiting fulfillment by a service.")
        work.request_status = "CANCELLATION_REQUESTED"

    def let_go(self, work: Work) -> None:
        """The service lets go of what it was asked to stop."""
        work.request_status = "CANCELLATION_ACCEPTED"
        self._replaced(self.order_of(work), work, status="CANCELLED").request_status = "UNSUBMITTED"

    def retract(self, work: Work) -> None:
        """Take a request back that the service has not accepted.

        Raises:
            Refused: There is no such request.
        """
        if work.request_status not in {"SUBMITTED", "CANCELLATION_REQUESTED"} or not work.is_open:
            raise Refused("The fulfillment order is not in a cancelable state.")
        self._replaced(self.order_of(work), work, status="CLOSED")

    def cancel(self, order: Order, *, reason: str, note: str) -> None:
        """Begin to cancel an order: what follows is a job.

        Raises:
            Refused: It is canceled, has left, or a service is at work on it.
        """
        if order.canceled_at or any(each is order for each, _, _ in self.canceling):
            raise Refused("Order has already been canceled.", code="INVALID", path=("orderId",))
        if order.shipments:
            raise Refused("Cannot cancel an order that has been fulfilled.", code="INVALID", path=("orderId",))
        if any(work.request_status in _WITH_A_SERVICE for work in order.open_works):
            raise Refused("Cannot cancel an order with outstanding fulfillments.", code="INVALID", path=("orderId",))
        self.canceling.append((order, reason, note))

    def settle(self) -> None:
        """Do what has begun: orders are canceled, and their units restocked."""
        for order, reason, note in self.canceling:
            for work in order.open_works:
                if order.claims:
                    self._claim(work, -1)
                work.status = "CLOSED"
            order.canceled_at, order.cancel_reason, order.staff_note = instant(), reason, note
        self.canceling.clear()

    def ship(self, work: Work, *, carrier: str, tracking_number: str) -> None:
        """It leaves: what was committed is no more on hand."""
        order = self.order_of(work)
        shipped = [Line(number=self._number(), item=line.item, total=line.total, remaining=line.remaining) for line in work.lines]
        for line in work.lines:
            if level := self.levels.get((work.location, line.item.number)):
                level.change(**{"committed" if order.claims else "available": -line.remaining})
            line.remaining = 0
        work.status = "CLOSED"
        order.shipments.append(Shipment(number=self._number(), carrier=carrier, tracking_number=tracking_number, lines=shipped))

    def order_of(self, work: Work) -> Order:
        """The order that a piece of work is of."""
        return next(order for order in self.orders.values() if any(each is work for each in order.works))

    def work(self, number: str) -> Work | None:
        """One fulfillment order."""
        return next((work for order in self.orders.values() for work in order.works if work.number == number), None)

    def _replaced(self, order: Order, work: Work, *, status: str) -> Work:
        """A new piece of work with the same lines. The old one is over and hidden."""
        new = Work(number=self._number(), location=work.location, lines=work.lines)
        work.status, work.hidden, work.lines = status, True, []
        order.works.append(new)
        return new

    def _claim(self, work: Work, sign: int) -> None:
        """Take what is left to send from what is available there; with -1, give it back."""
        for line in work.lines:
            level = self.levels.get((work.location, line.item.number))
            if level is not None and line.item.tracked:
                level.change(available=-sign * line.remaining, committed=sign * line.remaining)

    def _line(self, item: Item, units: int) -> Line:
        return Line(number=self._number(), item=item, total=units, remaining=units)

    def _number(self) -> str:
        return str(1_000 + next(self._numbers))
