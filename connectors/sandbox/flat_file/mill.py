"""The mill's books: what lies where, and how an order goes through."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from connectors.contract import Sku
from connectors.sandbox.network import Network, Place, Product

# Where an order may go from where it is; what is missing has ended.
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    "NEW": frozenset({"ACCEPTED", "REJECTED", "SHIPPED", "CANCELED"}),
    "ACCEPTED": frozenset({"REJECTED", "SHIPPED", "CANCELED"}),
}

Shelf = tuple[str, Sku]  # site and SKU


@dataclass(frozen=True, slots=True, kw_only=True)
class MillOrder:
    """One order as the mill keeps it. Units by SKU."""

    key: str
    site: str
    units: Mapping[Sku, int]
    state: str = "NEW"
    carrier: str = ""
    tracking: str = ""


class Mill:
    """One mill with several sites. What is accepted is allocated, and no longer free; what is shipped is no longer there."""

    def __init__(self, network: Network) -> None:
        self.sites: dict[str, Place] = {site_of(place.key): place for place in network.places_of("flat_file")}
        self.products: dict[Sku, Product] = {product.sku: product for product in network.products}
        self.orders: dict[str, MillOrder] = {}
        self.allocated: Counter[Shelf] = Counter()
        self.on_hand: dict[Shelf, int] = {
            (site, sku): units for site, place in self.sites.items() for sku, units in network.carried_at(place.key).items()
        }

    def count(self, shelf: Shelf, units: int) -> None:
        """Somebody counted.

        Raises:
            LookupError: That site does not carry it.
        """
        if shelf not in self.on_hand:
            raise LookupError(f"{shelf[0]} does not carry {shelf[1]}")
        self.on_hand[shelf] = units

    def take(self, order: MillOrder) -> str | None:
        """Enter a new order. Returns why it is turned down at once, if it is."""
        self.orders.setdefault(order.key, order)
        missing = [sku for sku in order.units if (order.site, sku) not in self.on_hand]
        if missing and self.orders[order.key].state == "NEW":
            self.orders[order.key] = replace(order, state="REJECTED")
            return f"{missing[0]} is not ours"
        return None

    def move(self, key: str, state: str, *, carrier: str = "", tracking: str = "") -> MillOrder:
        """Bring an order further.

        Raises:
            LookupError: There is no such order.
            ValueError: It may not go there, or there is not enough.
        """
        if key not in self.orders:
            raise LookupError(f"there is no order {key!r}")
        order = self.orders[key]
        if state not in TRANSITIONS.get(order.state, ()):
            raise ValueError(f"order {key} is {order.state} and cannot become {state}")
        if state in {"ACCEPTED", "SHIPPED"} and order.state == "NEW":
            self._check_free(order)
        for shelf in shelves_of(order):
            units = order.units[shelf[1]]
            self.allocated[shelf] += units * ((state == "ACCEPTED") - (order.state == "ACCEPTED"))
            self.on_hand[shelf] -= units * (state == "SHIPPED")
        self.orders[key] = moved = replace(order, state=state, carrier=carrier, tracking=tracking)
        return moved

    def _check_free(self, order: MillOrder) -> None:
        for shelf in shelves_of(order):
            free = self.on_hand[shelf] - self.allocated[shelf]
            if free < order.units[shelf[1]]:
                raise ValueError(f"{free} of {shelf[1]} are free at {shelf[0]}, and {order.units[shelf[1]]} are wanted")


def site_of(place_key: str) -> str:
    """What the mill calls a place."""
    return place_key.upper()


def shelves_of(order: MillOrder) -> Sequence[Shelf]:
    """Where its lines come from."""
    return [(order.site, sku) for sku in order.units]
