"""ShipBob's wire, API version 2026-01: what its replies hold, as far as we read them, and how it says no."""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from connectors.client import Reply, by_status
from connectors.contract import ContractBroken, Rejected, SourceError

VERSION: Final = "2026-01"

Instant = Annotated[datetime, Meta(tz=True)]
Units = Annotated[int, Meta(ge=-(10**12), le=10**12)]


# ---------------------------------------------------------------------------------------------- how it says no
class _Problem(Struct, frozen=True):
    title: str | None = None
    detail: str | None = None


def classify(reply: Reply) -> SourceError | None:
    """ShipBob's own reading of a reply: a refusal names the fields it is about."""
    error = by_status(reply)
    return _rejection(reply) or error if isinstance(error, Rejected) else error


def _rejection(reply: Reply) -> Rejected | None:
    """From ``{"field": ["message"]}`` (orders) or a problem document (inventory)."""
    reason = f"HTTP_{reply.status}"
    try:
        fields = reply.read(dict[str, tuple[str, ...]])
    except ContractBroken:
        return _rejection_of_problem(reply, reason)
    detail = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in fields.items())
    return Rejected(detail[:500], reason=reason, field=next(iter(fields), None))


def _rejection_of_problem(reply: Reply, reason: str) -> Rejected | None:
    try:
        problem = reply.read(_Problem)
    except ContractBroken:
        return None
    return Rejected((problem.detail or problem.title or "")[:500], reason=reason)


# ---------------------------------------------------------------------------------------------- locations
class AddressRow(Struct, frozen=True):
    """Where a center stands."""

    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None
    country: str | None = None
    phone_number: str | None = None


class Service(Struct, frozen=True):
    """What a center does for us; its address hangs here."""

    address: AddressRow | None = None


class LocationRow(Struct, frozen=True):
    """One fulfillment center."""

    id: int
    name: str | None = None
    timezone: str | None = None
    is_active: bool = False
    is_shipping_enabled: bool = True
    access_granted: bool = True
    services: tuple[Service, ...] | None = None


# ---------------------------------------------------------------------------------------------- inventory
class ItemRow(Struct, frozen=True):
    """One inventory item."""

    inventory_id: int
    sku: str | None = None
    name: str | None = None


class ItemsPage(Struct, frozen=True):
    """``GET /inventory``. ``next`` is the URL of the next page."""

    items: tuple[ItemRow, ...] | None
    next: str | None = None


class CenterQuantity(Struct, frozen=True):
    """Units of one item at one center."""

    location_id: int
    fulfillable_quantity: Units | None = None
    on_hand_quantity: Units | None = None
    committed_quantity: Units | None = None
    awaiting_quantity: Units | None = None


class LevelRow(Struct, frozen=True):
    """One item at all centers."""

    inventory_id: int
    sku: str | None = None
    name: str | None = None
    locations: tuple[CenterQuantity, ...] | None = None


class LevelsPage(Struct, frozen=True):
    """``GET /inventory-level/locations``."""

    items: tuple[LevelRow, ...] | None
    next: str | None = None


# ---------------------------------------------------------------------------------------------- orders
class ShippedItem(Struct, frozen=True):
    """So many units of one inventory item in a shipment."""

    id: int
    quantity: Units = 0


class ShippedProduct(Struct, frozen=True):
    """One product in a shipment."""

    sku: str | None = None
    reference_id: str | None = None
    inventory_items: tuple[ShippedItem, ...] | None = None


class Tracking(Struct, frozen=True):
    """Where a parcel can be followed."""

    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    shipping_date: Instant | None = None


class StatusDetail(Struct, frozen=True):
    """Why a shipment is where it is; ``inventory_id`` names the item that is to blame."""

    name: str | None = None
    description: str | None = None
    inventory_id: int | None = None


class ShipmentRow(Struct, frozen=True):
    """One parcel, to be or on its way."""

    id: int
    status: str
    tracking: Tracking | None = None
    status_details: tuple[StatusDetail, ...] | None = None
    products: tuple[ShippedProduct, ...] | None = None
    actual_fulfillment_date: Instant | None = None


class OrderedProduct(Struct, frozen=True):
    """One line of an order."""

    quantity: Units
    reference_id: str | None = None
    sku: str | None = None


class OrderRow(Struct, frozen=True):
    """One order and its shipments."""

    id: int
    status: str
    reference_id: str | None = None
    products: tuple[OrderedProduct, ...] | None = None
    shipments: tuple[ShipmentRow, ...] | None = None


class CanceledShipment(Struct, frozen=True):
    """What became of one shipment of a canceled order."""

    is_success: bool
    reason: str | None = None


class CancelReply(Struct, frozen=True):
    """``POST /order/{id}:cancel``."""

    status: str
    order: OrderRow | None = None
    canceled_shipment_results: tuple[CanceledShipment, ...] | None = None
