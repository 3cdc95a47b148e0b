"""The merchant behind the ShipBob sandbox: centers, inventory and orders, by ShipBob's rules."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from connectors.contract import Sku
from connectors.sandbox.network import Network, Place, Product

SHIPPING_METHODS: Final = ("Standard", "Expedited")
FIRST_ITEM: Final = 900_001
FIRST_CENTER: Final = 101
OUT_OF_STOCK: Final = "OutOfStock"

Document = dict[str, Any]


class Unprocessable(Exception):
    """ShipBob answers 422 and says which field it is about."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.errors = {field: [message]}


class NewProduct(Struct):
    """``AddProductToOrderByReferenceIdModel``."""

    reference_id: str
    name: str | None
    quantity: int
    sku: str | None = None


class NewAddress(Struct):
    """``AddressViewModel``."""

    address1: str
    city: str
    country: str
    address2: str | None = None
    state: str | None = None
    zip_code: str | None = None


class NewRecipient(Struct):
    """``RecipientInfoViewModel``."""

    name: str
    address: NewAddress
    email: str | None = None
    phone_number: str | None = None


class NewOrder(Struct):
    """``CreateOrderModel``, with everything that is required there."""

    reference_id: str
    type: str
    shipping_method: str
    recipient: NewRecipient
    products: list[NewProduct]
    location_id: int | None = None
    order_number: str | None = None


@dataclass(slots=True, kw_only=True)
class Shelf:
    """One item at one center: what stands there, and what of it is promised to orders."""

    on_hand: int
    committed: int = 0

    @property
    def fulfillable(self) -> int:
        """What new orders can have."""
        return self.on_hand - self.committed


@dataclass(slots=True, kw_only=True)
class Order:
    """One order with one shipment."""

    id: int
    new: NewOrder
    center: int
    status: str
    shipment_status: str
    details: Sequence[Document]
    created_at: str
    tracking: Document | None = None
    shipped_at: str | None = None


def instant() -> str:
    """Now, as ShipBob writes it."""
    now = datetime.now(UTC)  # noqa: TID251  a stand-in for a remote system has a clock of its own
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Merchant:
    """One merchant. ``shelves`` are by center and item; ``orders`` by id, oldest first."""

    def __init__(self, network: Network) -> None:
        self.centers: dict[int, Place] = dict(enumerate(network.places_of("shipbob"), FIRST_CENTER))
        carried = {center: network.carried_at(place.key) for center, place in self.centers.items()}
        everywhere = set[Sku]().union(*carried.values())
        stocked = (product for product in network.products if product.sku in everywhere)
        self.items: dict[int, Product] = dict(enumerate(stocked, FIRST_ITEM))
        self._item_of = {product.sku: item for item, product in self.items.items()}
        self.shelves: dict[tuple[int, int], Shelf] = {
            (center, self._item_of[sku]): Shelf(on_hand=units)
            for center, units_of in carried.items()
            for sku, units in units_of.items()
        }
        self.orders: dict[int, Order] = {}

    def center_of(self, place_key: str) -> int:
        """The center of a place.

        Raises:
            LookupError: It is no center.
        """
        for center, place in self.centers.items():
            if place.key == place_key:
                return center
        raise LookupError(f"there is no fulfillment center {place_key!r}")

    def item_of(self, sku: str) -> int:
        """The inventory item of a SKU.

        Raises:
            LookupError: ShipBob does not have it.
        """
        if (item := self._item_of.get(Sku(sku))) is None:
            raise LookupError(f"there is no item {sku!r}")
        return item

    def create(self, new: NewOrder) -> Order:
        """A new order: its units are committed, or, where one of its items is short, none are and it is an exception.

        Raises:
            Unprocessable: A field will not do, a reference that is taken included.
        """
        self._check(new)
        center = self._center_for(new)
        missing = [item for item, units in self._wanted(new).items() if self._fulfillable(center, item) < units]
        if not missing:
            self._commit(center, new, sign=1)
        order = Order(
            id=700_001 + len(self.orders),
            new=new,
            center=center,
            status="Exception" if missing else "Processing",
            shipment_status="Exception" if missing else "Processing",
            details=[_detail(OUT_OF_STOCK, "The item is out of stock", item) for item in missing],
            created_at=instant(),
        )
        self.orders[order.id] = order
        return order

    def _check(self, new: NewOrder) -> None:
        if new.type not in {"DTC", "DropShip", "B2B"}:
            raise Unprocessable("type", "The value is not a type of order.")
        if any(order.new.reference_id == new.reference_id for order in self.orders.values()):
            raise Unprocessable("reference_id", "An order with this reference already exists.")
        if new.shipping_method not in SHIPPING_METHODS:
            raise Unprocessable("shipping_method", "The shipping method is not mapped.")
        if new.location_id is not None and new.location_id not in self.centers:
            raise Unprocessable("location_id", "There is no such fulfillment center.")
        if not new.products:
            raise Unprocessable("products", "An order needs a product.")
        for product in new.products:
            if product.reference_id not in self._item_of or product.quantity < 1:
                raise Unprocessable("products", f"The product {product.reference_id} cannot be ordered so.")

    def _center_for(self, new: NewOrder) -> int:
        if new.location_id is not None:
            return new.location_id
        return max(self.centers, key=lambda center: min(self._fulfillable(center, item) for item in self._wanted(new)))

    def _wanted(self, new: NewOrder) -> Mapping[int, int]:
        wanted: dict[int, int] = {}
        for product in new.products:
            item = self.item_of(product.reference_id)
            wanted[item] = wanted.get(item, 0) + product.quantity
        return wanted

    def _fulfillable(self, center: int, item: int) -> int:
        shelf = self.shelves.get((center, item))
        return shelf.fulfillable if shelf else 0

    def _commit(self, center: int, new: NewOrder, *, sign: int) -> None:
        for item, units in self._wanted(new).items():
            self.shelves[center, item].committed += sign * units

    def cancel(self, order: Order, *, because: str | None = None) -> None:
        """Give the units back. Only for an order that has not left."""
        if order.status == "Processing":
            self._commit(order.center, order.new, sign=-1)
        order.status = order.shipment_status = "Cancelled"
        if because is not None:
            order.details = [_detail("Cancelled", because, None)]

    def ship(self, order: Order, *, carrier: str, tracking_number: str) -> None:
        """The parcel leaves: what was committed is gone."""
        self._commit(order.center, order.new, sign=-1)
        for item, units in self._wanted(order.new).items():
            self.shelves[order.center, item].on_hand -= units
        order.status, order.shipment_status, order.shipped_at = "Fulfilled", "Completed", instant()
        order.tracking = {
            "carrier": carrier,
            "tracking_number": tracking_number,
            "tracking_url": f"https://tracking.example/{tracking_number}",
            "shipping_date": order.shipped_at,
        }


def _detail(name: str, description: str, item: int | None) -> Document:
    return {"id": 1, "name": name, "description": description, "inventory_id": item}


def order_document(order: Order, *, item_of: Callable[[str], int], channel_id: int, center_name: str) -> Document:
    """``OrderViewModel``."""
    new = order.new
    where = {field: value for field in NewAddress.__struct_fields__ if (value := getattr(new.recipient.address, field)) is not None}
    shipment = {
        "id": order.id + 1_000_000,
        "order_id": order.id,
        "reference_id": new.reference_id,
        "status": order.shipment_status,
        "status_details": order.details,
        "location": {"id": order.center, "name": center_name},
        "created_date": order.created_at,
        "actual_fulfillment_date": order.shipped_at,
        "products": _shipped(new.products, item_of),
        **({"tracking": order.tracking} if order.tracking else {}),
    }
    return {
        "id": order.id,
        "reference_id": new.reference_id,
        "order_number": new.order_number or new.reference_id,
        "status": order.status,
        "type": new.type,
        "channel": {"id": channel_id, "name": "Sandbox"},
        "created_date": order.created_at,
        "shipping_method": new.shipping_method,
        "recipient": {"name": new.recipient.name, "address": where},
        "products": [
            {"reference_id": each.reference_id, "sku": each.sku or each.reference_id, "quantity": each.quantity}
            for each in new.products
        ],
        "shipments": [shipment],
    }


def _shipped(products: Iterable[NewProduct], item_of: Callable[[str], int]) -> list[Document]:
    return [
        {
            "id": (item := item_of(each.reference_id)) + 1_000_000,
            "reference_id": each.reference_id,
            "sku": each.reference_id,
            "name": each.name,
            "inventory_items": [{"id": item, "name": each.name, "quantity": each.quantity, "quantity_committed": each.quantity}],
        }
        for each in products
    ]
