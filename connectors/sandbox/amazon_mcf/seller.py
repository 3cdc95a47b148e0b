"""The seller behind the Amazon sandbox: what stands in the network, and orders, by Amazon's rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connectors.contract import Sku
from connectors.sandbox.network import Network

LINES_MAX: Final = 100
UNITS_MAX: Final = 250
ID_LENGTH_MAX: Final = 40
SKU_LENGTH_MAX: Final = 50
CANCELABLE: Final = frozenset({"New", "Received", "Planning"})
UNDER_WAY: Final = CANCELABLE | {"Processing"}

Document = dict[str, Any]


class Refused(Exception):
    """Amazon says no, in the words of its ``errors``."""

    def __init__(self, message: str, *, code: str = "InvalidInput", status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"code": code, "message": message, "details": ""}


def now() -> datetime:
    """A stand-in for a remote system has a clock of its own."""
    return datetime.now(UTC)  # noqa: TID251


def instant(at: datetime) -> str:
    """As Amazon writes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True, kw_only=True)
class Shelf:
    """One SKU in the network: what stands there, and what of it is reserved for orders."""

    name: str
    number: int
    on_hand: int
    updated_at: datetime
    reserved: int = 0

    @property
    def fulfillable(self) -> int:
        """What new orders can have."""
        return max(0, self.on_hand - self.reserved)

    def move(self, *, on_hand: int = 0, reserved: int = 0) -> None:
        """More, or less, of either."""
        self.on_hand += on_hand
        self.reserved += reserved
        self.updated_at = now()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an order, by the seller's own id."""

    id: str
    sku: str
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What left, and when."""

    carrier: str
    tracking_number: str
    shipped_at: datetime
    lines: Sequence[Line]


@dataclass(slots=True, kw_only=True)
class Order:
    """One order. ``status`` is a word of 2020-07-01; ``about`` is what that version repeats of what it was told."""

    id: str
    lines: Sequence[Line]
    address: Document
    about: Document
    received_at: datetime
    status: str = "New"
    is_reserved: bool = False
    is_stopping: bool = False
    updated_at: datetime = field(default_factory=now)
    parcels: list[Parcel] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)

    def become(self, status: str) -> None:
        """Go on."""
        self.status = status
        self.updated_at = now()


class Seller:
    """One seller in one marketplace."""

    def __init__(self, network: Network) -> None:
        (self.place,) = network.places_of("amazon_mcf")
        names = {product.sku: product.name for product in network.products}
        carried = network.carried_at(self.place.key)
        begun_at = now() - timedelta(days=1)
        self.shelves: dict[str, Shelf] = {
            sku: Shelf(name=names[Sku(sku)], number=number, on_hand=carried[Sku(sku)], updated_at=begun_at)
            for number, sku in enumerate(sorted(carried), 1)
        }
        self.orders: dict[str, Order] = {}

    # ------------------------------------------------------------------------------------------ what the wire does
    def create(self, order: Order) -> Order:
        """Take it on as new.

        Raises:
            Refused: It is not an order that Amazon would look at.
        """
        if not 0 < len(order.id) <= ID_LENGTH_MAX:
            raise Refused("Value for parameter sellerFulfillmentOrderId is invalid. Reason: InvalidValue.")
        if order.id in self.orders:
            raise Refused(f"An order with the id {order.id} exists already.")
        self.check(order.lines)
        for name in ("name", "addressLine1", "postalCode", "countryCode"):
            if not order.address.get(name):
                raise Refused(f"Value for parameter {name} is missing.")
        self.orders[order.id] = order
        return order

    def check(self, lines: Sequence[Line]) -> None:
        """Let through what could be ordered, if there were enough.

        Raises:
            Refused: There are no such products, or too many at once.
        """
        if not 0 < len(lines) <= LINES_MAX or sum(line.units for line in lines) > UNITS_MAX:
            raise Refused("An order has one to 100 items, and at most 250 units.")
        for line in lines:
            if line.sku not in self.shelves or len(line.sku) > SKU_LENGTH_MAX:
                raise Refused(f"the SellerSKU for Item Id: {line.id} is invalid.")
            if line.units < 1:
                raise Refused("Value AllQuantityZero for parameter is invalid.")

    def is_enough_for(self, lines: Sequence[Line]) -> bool:
        """Whether all of it could be had now."""
        wanted: dict[str, int] = {}
        for line in lines:
            wanted[line.sku] = wanted.get(line.sku, 0) + line.units
        return all(self.shelves[sku].fulfillable >= units for sku, units in wanted.items())

    def order(self, key: str) -> Order:
        """One order.

        Raises:
            Refused: There is none.
        """
        if key not in self.orders:
            raise Refused(f"Requested order {key!r} not found", code="NotFound", status=404)
        return self.orders[key]

    def stop(self, order: Order, *, later: bool) -> None:
        """Cancel, now or when somebody comes to it.

        Raises:
            Refused: Picking has begun, or it is over.
        """
        if order.status not in CANCELABLE:
            raise Refused(f"An order that is {order.status} cannot be canceled.")
        if later:
            order.is_stopping = True
        else:
            self.release(order, "Cancelled")

    # ------------------------------------------------------------------------------------------ what people there do
    def validate(self, order: Order) -> None:
        """Plan what can be had in full: from now on it is reserved. The rest is invalid."""
        if order.status not in {"New", "Received"}:
            return
        if not self.is_enough_for(order.lines):
            order.become("Invalid")
            return
        for line in order.lines:
            self.shelves[line.sku].move(reserved=line.units)
        order.is_reserved = True
        order.become("Planning")

    def release(self, order: Order, status: str) -> None:
        """Give back what is reserved: the order has come to nothing."""
        if order.is_reserved:
            for line in order.lines:
                self.shelves[line.sku].move(reserved=-line.units)
        order.is_reserved = False
        if status == "Unfulfillable":
            order.missing = {line.id: line.units for line in order.lines}
        order.become(status)

    def leave(self, order: Order, *, carrier: str, tracking_number: str, missing: Mapping[str, int]) -> None:
        """Send what was found, which is all but ``missing`` (by line); that will never come."""
        found = [Line(id=line.id, sku=line.sku, units=line.units - missing.get(line.id, 0)) for line in order.lines]
        for line in order.lines:
            self.shelves[line.sku].move(reserved=-line.units)
        order.is_reserved = False
        for line in found:
            self.shelves[line.sku].move(on_hand=-line.units)
        parcel = Parcel(
            carrier=carrier, tracking_number=tracking_number, shipped_at=now(), lines=[line for line in found if line.units]
        )
        order.parcels.append(parcel)
        order.missing = dict(missing)
        order.become("CompletePartialled" if missing else "Complete")
