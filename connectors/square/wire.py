"""Square's wire: what its replies hold, as far as we read them, and how it says no.

Square leaves empty lists and unset fields out, so ``{}`` is a true answer to most reads.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from connectors.client import Reply, by_status
from connectors.client.failures import Inconclusive
from connectors.contract import AuthFailed, ContractBroken, NotFound, Rejected, SourceError, Throttled, Transient

Instant = Annotated[datetime, Meta(tz=True)]


# ---------------------------------------------------------------------------------------------- how it says no
class Problem(Struct, frozen=True):
    """One entry of ``errors``."""

    category: str
    code: str
    detail: str = ""
    field: str | None = None


class _Problems(Struct, frozen=True):
    errors: tuple[Problem, ...] | None = None


_BY_CATEGORY: Final[Mapping[str, Callable[[str], SourceError]]] = {
    "API_ERROR": Inconclusive,  # a fault of Square's own: what it did before is anybody's guess
    "AUTHENTICATION_ERROR": AuthFailed,
    "RATE_LIMIT_ERROR": Throttled,
}


def classify(reply: Reply) -> SourceError | None:
    """Square's own reading of a reply: a 200 with ``errors`` is a failure, and a code says more than a status.

    Raises:
        ContractBroken: There are ``errors``, and they cannot be read.
    """
    of_status = by_status(reply)
    problem = _first_problem(reply)
    if problem is None or isinstance(of_status, Throttled | Transient | ContractBroken):
        return of_status
    detail = f"{problem.code}: {problem.detail}"
    if problem.code == "NOT_FOUND":
        return NotFound(detail)
    if problem.category in _BY_CATEGORY:
        return _BY_CATEGORY[problem.category](detail)
    return Rejected(detail, reason=problem.code, field=problem.field)


def _first_problem(reply: Reply) -> Problem | None:
    # Looking for the word spares a second decoding of every large and healthy reply.
    errors = reply.read(_Problems).errors if b'"errors"' in reply.body else None
    return errors[0] if errors else None


# ---------------------------------------------------------------------------------------------- locations
class AddressRow(Struct, frozen=True):
    """An address, both ways."""

    address_line_1: str | None = None
    address_line_2: str | None = None
    address_line_3: str | None = None
    locality: str | None = None
    administrative_district_level_1: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Coordinates(Struct, frozen=True):
    """Degrees."""

    latitude: float | None = None
    longitude: float | None = None


class Period(Struct, frozen=True):
    """One open period; local times such as ``8:30:00``."""

    day_of_week: str | None = None
    start_local_time: str | None = None
    end_local_time: str | None = None


class BusinessHours(Struct, frozen=True):
    """A week."""

    periods: tuple[Period, ...] | None = None


class LocationRow(Struct, frozen=True):
    """One store."""

    id: str
    name: str | None = None
    address: AddressRow | None = None
    timezone: str | None = None
    status: str | None = None
    coordinates: Coordinates | None = None
    business_hours: BusinessHours | None = None


class LocationsReply(Struct, frozen=True):
    """``GET /v2/locations``. A seller always has at least one, so the list may not be missing."""

    locations: tuple[LocationRow, ...]


# ---------------------------------------------------------------------------------------------- catalog and counts
class VariationData(Struct, frozen=True):
    """What an ITEM_VARIATION is."""

    sku: str | None = None
    name: str | None = None
    item_id: str | None = None


class ItemData(Struct, frozen=True):
    """What an ITEM is."""

    name: str | None = None


class CatalogObject(Struct, frozen=True):
    """An entry of the catalog; absent presence means present everywhere."""

    type: str
    id: str
    is_deleted: bool | None = None
    present_at_all_locations: bool | None = None
    present_at_location_ids: tuple[str, ...] | None = None
    absent_at_location_ids: tuple[str, ...] | None = None
    item_variation_data: VariationData | None = None
    item_data: ItemData | None = None


class CatalogReply(Struct, frozen=True):
    """``POST /v2/catalog/search``."""

    objects: tuple[CatalogObject, ...] = ()
    related_objects: tuple[CatalogObject, ...] = ()
    cursor: str | None = None


class CountRow(Struct, frozen=True):
    """How much of a variation is in one state at one location. ``quantity`` is a decimal string."""

    catalog_object_id: str | None = None
    location_id: str | None = None
    state: str | None = None
    quantity: Annotated[str, Meta(max_length=26)] | None = None
    calculated_at: Instant | None = None


class CountsReply(Struct, frozen=True):
    """``POST /v2/inventory/counts/batch-retrieve``."""

    counts: tuple[CountRow, ...] = ()
    cursor: str | None = None


# ---------------------------------------------------------------------------------------------- orders
class Details(Struct, frozen=True):
    """What ``pickup_details`` and ``shipment_details`` say between them."""

    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    shipped_at: Instant | None = None
    picked_up_at: Instant | None = None
    cancel_reason: str | None = None
    failure_reason: str | None = None


class FulfillmentRow(Struct, frozen=True):
    """How an order leaves the store."""

    state: str
    uid: str | None = None
    type: str | None = None
    pickup_details: Details | None = None
    shipment_details: Details | None = None


class OrderRow(Struct, frozen=True):
    """One order. ``version`` grows with every change; without one Square refuses to update it."""

    id: str
    location_id: str
    state: str | None = None
    reference_id: str | None = None
    version: int | None = None
    fulfillments: tuple[FulfillmentRow, ...] | None = None


class OrderReply(Struct, frozen=True):
    """One order: create, retrieve, update."""

    order: OrderRow


class OrdersReply(Struct, frozen=True):
    """Several orders: search, batch-retrieve."""

    orders: tuple[OrderRow, ...] = ()
    cursor: str | None = None
