"""The warehouse itself: what stands on its shelves, and what of it is spoken for."""

from datetime import UTC, datetime, tzinfo
from typing import Any

from msgspec import Struct

from connectors.contract import Sku
from connectors.sandbox.network import Network, Place, Product

Document = dict[str, Any]


class Shelf(Struct, kw_only=True):
    """One product at one place."""

    product: Product
    units: int
    counted_at: datetime
    reserved: int = 0


def instant() -> datetime:
    """Now."""
    return datetime.now(UTC)  # noqa: TID251  a stand-in for a remote system has a clock of its own


def naive(at: datetime, zone: tzinfo) -> str:
    """An instant as both systems write it: local time, without saying whose."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


class Hall:
    """The shelves by (place key, SKU)."""

    def __init__(self, network: Network) -> None:
        self.places: dict[str, Place] = {place.key: place for place in network.places_of("http")}
        products = {product.sku: product for product in network.products}
        counted_at = instant()
        self.shelves: dict[tuple[str, Sku], Shelf] = {
            (key, sku): Shelf(product=products[sku], units=units, counted_at=counted_at)
            for key in self.places
            for sku, units in network.carried_at(key).items()
        }

    def shelf(self, place: str, sku: str) -> Shelf:
        """One shelf.

        Raises:
            LookupError: The place does not carry that.
        """
        if (place, Sku(sku)) not in self.shelves:
            raise LookupError(f"{place} does not carry {sku}")
        return self.shelves[place, Sku(sku)]
