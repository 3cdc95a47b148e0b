"""What both versions of Fulfillment Outbound have in common: what they refuse, their addresses, states and parcels."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from connectors.contract import (
    Address,
    CancelOutcome,
    ContractBroken,
    FulfillmentRequest,
    Method,
    Rejected,
    RemoteFulfillment,
    RemotePackage,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Sku,
    Unsupported,
)

LINES_MAX: Final = 100
UNITS_MAX: Final = 250

# Amazon takes other keys, but its look-up turns a plus into a space, however it is encoded, and forbids two spaces.
_KEY: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,39}")

# Both versions' words, without regard to case and underscores: Amazon's own examples do not keep to its enumerations.
_STATES: Final = {
    "new": RemoteState.REQUESTED,  # not validated yet
    "received": RemoteState.ACCEPTED,
    "planning": RemoteState.ACCEPTED,
    "processing": RemoteState.ACCEPTED,
    "complete": RemoteState.SHIPPED,
    "completepartialled": RemoteState.REJECTED,  # the rest will never come
    "completepartial": RemoteState.REJECTED,
    "unfulfillable": RemoteState.REJECTED,
    "invalid": RemoteState.REJECTED,
    "cancelled": RemoteState.CANCELED,
}


# ---------------------------------------------------------------------------------------------- to Amazon
def refuse_what_amazon_would(request: FulfillmentRequest, *, marketplace_id: str) -> None:
    """Nothing, for a request that Amazon may take.

    Raises:
        Unsupported: A pickup; nobody collects from a fulfillment center.
        Rejected: It is too large, for somewhere else, or its key could not be looked up.
    """
    if request.method is not Method.SHIP:
        raise Unsupported("Amazon ships only")
    if request.location != marketplace_id:
        raise Rejected(f"{request.location!r} is not the marketplace {marketplace_id}", reason="UNKNOWN_LOCATION", field="location")
    if not is_key(request.key):
        raise Rejected("a key that Amazon could not look up", reason="KEY", field="key")
    if is_too_large(request.lines):
        raise Rejected(f"more than {LINES_MAX} lines or {UNITS_MAX} units", reason="TOO_LARGE", field="lines")


def is_key(text: str) -> bool:
    """Whether an order can be made, and found again, under it."""
    return _KEY.fullmatch(text) is not None


def is_too_large(lines: Sequence[RequestLine]) -> bool:
    """Whether it is more than Amazon takes in one order."""
    return len(lines) > LINES_MAX or sum(line.units for line in lines) > UNITS_MAX


def address_body(address: Address) -> dict[str, str]:
    """Where it goes. Three lines are all there is; a city must not be named in Japan."""
    first, second, *rest = (*address.lines, "", "")
    said = {
        "name": address.name or "Customer",
        "addressLine1": first,
        "addressLine2": second,
        "addressLine3": ", ".join(line for line in rest if line),
        "city": address.city if address.country_code != "JP" else None,
        "stateOrRegion": address.region,
        "postalCode": address.postal_code,
        "countryCode": address.country_code,
        "phone": address.phone,
    }
    return {name: value for name, value in said.items() if value}


# ---------------------------------------------------------------------------------------------- from Amazon
@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One package. ``id`` is Amazon's, within the shipment."""

    id: str
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Units of one SKU. ``parcel``: the id of the package that they are in, where that is known."""

    sku: str
    units: int
    parcel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """What left one of Amazon's centers together."""

    parcels: Sequence[Parcel]
    packed: Sequence[Packed]
    shipped_at: datetime | None = None


def fulfillment(
    key: str, status: str | None, *, shipments: Iterable[Shipment] = (), short: Iterable[RequestLine] = ()
) -> RemoteFulfillment:
    """How far an order is. ``shipments`` are those that left, ``short`` what Amazon did not find or canceled.

    A word that is not in the table yet changes nothing.
    """
    word = (status or "").replace("_", "").casefold()
    state = _STATES.get(word, RemoteState.REQUESTED)
    is_over = state in {RemoteState.REJECTED, RemoteState.CANCELED}
    return RemoteFulfillment(
        ref=RemoteRef(key),
        key=RequestKey(key),
        state=state,
        packages=tuple(package for shipment in shipments for package in _packages(shipment)),
        short=tuple(short) if state is RemoteState.REJECTED else (),
        reason=status if is_over else None,
    )


def outcome_of(told: RemoteFulfillment) -> CancelOutcome | None:
    """What canceling an order comes to that has ended; None while it has not."""
    match told.state:
        case RemoteState.SHIPPED:
            return CancelOutcome.TOO_LATE
        case RemoteState.REJECTED | RemoteState.CANCELED:
            return CancelOutcome.PARTIAL if told.packages else CancelOutcome.CANCELED
        case RemoteState.REQUESTED | RemoteState.ACCEPTED:
            return None


def whole_units(quantity: Decimal) -> int:
    """A count of things.

    Raises:
        ContractBroken: It is none.
    """
    if not quantity.is_finite() or quantity < 0 or quantity != quantity.to_integral_value():
        raise ContractBroken(f"{quantity} is not a count of things")
    return int(quantity)


def _packages(shipment: Shipment) -> list[RemotePackage]:
    """The packages with their lines. What is in none of them, as far as is known, is in the first that nothing is in."""
    by_parcel: dict[str | None, Counter[str]] = {each.id: Counter() for each in shipment.parcels}
    homeless: Counter[str] = Counter()
    for each in shipment.packed:
        by_parcel.get(each.parcel, homeless)[each.sku] += each.units
    packages = []
    for parcel in shipment.parcels:
        if not (held := by_parcel[parcel.id]):
            held, homeless = homeless, Counter()
        # A package without lines would stand for all that is in no other.
        if held:
            packages.append(_package(parcel, held, shipment.shipped_at))
    return [*packages, _package(None, homeless, shipment.shipped_at)] if homeless else packages


def _package(parcel: Parcel | None, held: Counter[str], shipped_at: datetime | None) -> RemotePackage:
    return RemotePackage(
        carrier=parcel.carrier if parcel else None,
        tracking_number=parcel.tracking_number if parcel else None,
        tracking_url=parcel.tracking_url if parcel else None,
        shipped_at=shipped_at,
        lines=tuple(RequestLine(sku=Sku(sku), units=units) for sku, units in held.items() if units),
    )
