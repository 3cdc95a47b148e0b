"""What a Medusa server keeps: items, their levels at locations, and reservations."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from connectors.contract import Sku
from connectors.sandbox.network import Network, Place, Product

Document = dict[str, Any]


class Refused(Exception):
    """Medusa says no, in its own words."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"type": kind, "message": message}


class Reservation(Struct, forbid_unknown_fields=True):
    """``AdminCreateReservation``, which refuses what it does not know."""

    location_id: str
    inventory_item_id: str
    quantity: float
    line_item_id: str | None = None
    description: str | None = None
    metadata: Document | None = None


class Level(Struct, kw_only=True):
    """One item at one location; what can be had is what is there without what is reserved."""

    stocked: int
    updated_at: str
    reserved: float = 0


def instant() -> str:
    """Now, as Medusa writes it."""
    now = datetime.now(UTC)  # noqa: TID251  a stand-in for a remote system has a clock of its own
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """One server. ``levels`` are by (item id, location id); an item without one is stocked nowhere."""

    def __init__(self, network: Network) -> None:
        self.locations: dict[str, Place] = {f"sloc_{place.key}": place for place in network.places_of("medusa")}
        self.items: dict[str, Product] = {}
        self.levels: dict[tuple[str, str], Level] = {}
        self.reservations: dict[str, Document] = {}
        self._made = 0
        counted_at = instant()
        for product in network.products:
            for location, place in self.locations.items():
                units = network.stock.get((place.key, product.sku))
                if units is not None:
                    self.items[item_of(product.sku)] = product
                    self.levels[item_of(product.sku), location] = Level(stocked=units, updated_at=counted_at)

    def location_of(self, place_key: str) -> str:
        """The location of a place.

        Raises:
            LookupError: It is none of Medusa's.
        """
        for location, place in self.locations.items():
            if place.key == place_key:
                return location
        raise LookupError(f"there is no stock location {place_key!r}")

    def count(self, location: str, sku: Sku, units: int) -> None:
        """Somebody counted.

        Raises:
            LookupError: The location does not stock it.
        """
        shelf = (item_of(sku), location)
        if shelf not in self.levels:
            raise LookupError(f"{location} does not stock {sku}")
        self.levels[shelf].stocked = units
        self.levels[shelf].updated_at = instant()

    def levels_of(self, item: str) -> Mapping[str, Level]:
        """The levels of one item, by location."""
        return {location: self.levels[item, location] for location in self.locations if (item, location) in self.levels}

    def remove_item(self, sku: Sku) -> None:
        """Somebody deletes the item, and its levels with it."""
        item = item_of(sku)
        del self.items[item]
        self.levels = {shelf: level for shelf, level in self.levels.items() if shelf[0] != item}

    # ------------------------------------------------------------------------------------------ reservations
    def reserve(self, wanted: Reservation) -> Document:
        """Set units aside; one at a time, as Medusa does with a lock on the item.

        Raises:
            Refused: The location does not stock it, or not enough of it.
        """
        level = self.levels.get((wanted.inventory_item_id, wanted.location_id))
        if level is None:
            detail = f"Item {wanted.inventory_item_id} is not stocked at location {wanted.location_id}"
            raise Refused(404, "not_found", detail)
        if level.stocked - level.reserved < wanted.quantity:
            detail = f"Not enough stock available for item {wanted.inventory_item_id} at location {wanted.location_id}"
            raise Refused(400, "not_allowed", detail)
        level.reserved += wanted.quantity
        level.updated_at = instant()
        self._made += 1
        made: Document = {
            "id": f"resitem_{self._made:08d}",
            "location_id": wanted.location_id,
            "inventory_item_id": wanted.inventory_item_id,
            "quantity": wanted.quantity,
            "line_item_id": wanted.line_item_id,
            "description": wanted.description,
            "metadata": wanted.metadata,
            "created_at": level.updated_at,
            "updated_at": level.updated_at,
        }
        self.reservations[made["id"]] = made
        return made

    def give_back(self, ref: str) -> None:
        """Delete a reservation; one that is gone already makes no difference."""
        gone = self.reservations.pop(ref, None)
        if gone is not None and (level := self.levels.get((gone["inventory_item_id"], gone["location_id"]))):
            level.reserved -= gone["quantity"]
            level.updated_at = instant()


def item_of(sku: Sku) -> str:
    """The id of the item that stands for a SKU."""
    return f"iitem_{sku}"
