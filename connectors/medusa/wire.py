"""Medusa's wire, version 2: what its replies hold, as far as we read them, and how it says no."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct, field

from connectors.client import Reply, by_status
from connectors.contract import ContractBroken, NotFound, Rejected, SourceError, Transient

Instant = Annotated[datetime, Meta(tz=True)]


# ---------------------------------------------------------------------------------------------- how it says no
class _Problem(Struct, frozen=True):
    type: str | None = None
    message: str | None = None


def classify(reply: Reply) -> SourceError | None:
    """Medusa's own reading of a reply: ``type`` says which rule was broken."""
    error = by_status(reply)
    if reply.status == 409:  # two requests met in its database, which undid this one
        return Transient("HTTP 409: met another request")
    if not isinstance(error, Rejected | NotFound):
        return error
    try:
        problem = reply.read(_Problem)
    except ContractBroken:
        return error
    if isinstance(error, NotFound):
        return NotFound((problem.message or "")[:500])
    return Rejected((problem.message or "")[:500], reason=problem.type or f"HTTP_{reply.status}")


# ---------------------------------------------------------------------------------------------- locations
class AddressRow(Struct, frozen=True):
    """Where a location stands. Its country code is in lower case."""

    address_1: str | None = None
    address_2: str | None = None
    city: str | None = None
    country_code: str | None = None
    phone: str | None = None
    province: str | None = None
    postal_code: str | None = None


class LocationRow(Struct, frozen=True):
    """One stock location."""

    id: str
    name: str | None = None
    address: AddressRow | None = None


class LocationsPage(Struct, frozen=True):
    """``GET /admin/stock-locations``."""

    count: int
    rows: tuple[LocationRow, ...] = field(name="stock_locations")


# ---------------------------------------------------------------------------------------------- inventory
class LevelRow(Struct, frozen=True):
    """One item at one location. Medusa subtracts what is reserved by itself."""

    location_id: str
    stocked_quantity: Decimal | None
    reserved_quantity: Decimal | None
    available_quantity: Decimal | None
    incoming_quantity: Decimal | None
    updated_at: Instant | None = None


class ItemRow(Struct, frozen=True):
    """One inventory item, with the locations that stock it. ``sku`` is unique where there is one."""

    id: str
    sku: str | None
    location_levels: tuple[LevelRow, ...]
    title: str | None = None


class ItemsPage(Struct, frozen=True):
    """``GET /admin/inventory-items``."""

    count: int
    rows: tuple[ItemRow, ...] = field(name="inventory_items")


# ---------------------------------------------------------------------------------------------- reservations
class Labels(Struct, frozen=True):
    """What we write into a reservation's ``metadata``."""

    sku: str


class ReservationRow(Struct, frozen=True):
    """Units of one item set aside at one location."""

    id: str
    line_item_id: str | None
    quantity: Decimal | None
    metadata: Labels | None = None


class ReservationsPage(Struct, frozen=True):
    """``GET /admin/reservations``."""

    count: int
    rows: tuple[ReservationRow, ...] = field(name="reservations")


class ReservationReply(Struct, frozen=True):
    """``POST /admin/reservations``."""

    reservation: ReservationRow
