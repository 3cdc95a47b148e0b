"""What the ShipBob sandbox takes for an order that could be made now."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from connectors.sandbox.shipbob.merchant import SHIPPING_METHODS, Document, Merchant, Unprocessable

CENTS: Final[Mapping[str, tuple[int, int]]] = {"Standard": (595, 85), "Expedited": (1140, 160)}
"""By shipping method: for the order, and for each unit."""
OUNCES_PER_UNIT: Final = 16


class EstimateAddress(Struct, forbid_unknown_fields=True):
    """``EstimationAddressViewModel``."""

    country: str
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    company_name: str | None = None
    state: str | None = None
    zip_code: str | None = None


class EstimateProduct(Struct):
    """``EstimateProductInfoModel``."""

    quantity: int
    id: int | None = None
    reference_id: str | None = None


class NewEstimate(Struct):
    """``EstimateFulfillmentRequestModel``."""

    address: EstimateAddress
    products: list[EstimateProduct]
    shipping_methods: list[str] | None = None


def estimated(merchant: Merchant, asked: NewEstimate) -> Document:
    """``EstimateViewModel``: a price for each shipping method, from the center with most to spare.

    Raises:
        Unprocessable: There is nothing to estimate.
    """
    if len(asked.address.country) != 2:
        raise Unprocessable("address.country", "The country must be ISO Alpha-2.")
    methods = asked.shipping_methods or list(SHIPPING_METHODS)
    if unknown := set(methods) - set(SHIPPING_METHODS):
        raise Unprocessable("shipping_methods", f"There is no shipping method {min(unknown)}.")
    wanted = _wanted(merchant, asked.products)
    center = max(merchant.centers, key=lambda each: _spare(merchant, each, wanted))
    if _spare(merchant, center, wanted) < 0:
        raise Unprocessable("products", "No fulfillment center has all of this in stock.")
    units = sum(wanted.values())
    return {
        "estimates": [
            {
                "shipping_method": method,
                "estimated_price": (CENTS[method][0] + units * CENTS[method][1]) / 100,
                "estimated_currency_code": "USD",
                "fulfillment_center": {"id": center, "name": merchant.centers[center].name},
                "total_weight_oz": units * OUNCES_PER_UNIT,
            }
            for method in methods
        ]
    }


def _wanted(merchant: Merchant, products: list[EstimateProduct]) -> Mapping[int, int]:
    """Units of each inventory item."""
    wanted: Counter[int] = Counter()
    for product in products:
        if product.reference_id is None or product.quantity < 1:
            raise Unprocessable("products", "Each product needs a reference and a quantity.")
        try:
            wanted[merchant.item_of(product.reference_id)] += product.quantity
        except LookupError as unknown:
            raise Unprocessable("products", f"The product {product.reference_id} is unknown.") from unknown
    if not wanted:
        raise Unprocessable("products", "An order needs a product.")
    return wanted


def _spare(merchant: Merchant, center: int, wanted: Mapping[int, int]) -> int:
    """What would be left of the scarcest item; negative where it is not enough."""
    shelves = ((merchant.shelves.get((center, item)), units) for item, units in wanted.items())
    return min((0 if shelf is None else shelf.fulfillable) - units for shelf, units in shelves)
