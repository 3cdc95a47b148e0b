"""From ShipBob's fulfillment centers to our locations."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.contract import Address, RemoteLocation, RemoteLocationId
from connectors.shipbob.wire import AddressRow, LocationRow


def parse_location(row: LocationRow) -> RemoteLocation:
    """One center. Its address is that of its services (receiving, returns): ShipBob gives no other."""
    addresses = (service.address for service in row.services or () if service.address)
    return RemoteLocation(
        id=RemoteLocationId(str(row.id)),
        name=row.name or str(row.id),
        address=next((found for each in addresses if (found := _address(each))), None),
        time_zone=_time_zone(row.timezone),
        active=row.is_active and row.is_shipping_enabled,
    )


def _address(row: AddressRow) -> Address | None:
    country = (row.country or "").strip().upper()
    if len(country) != 2:  # a free text at ShipBob
        return None
    return Address(
        lines=tuple(line for line in (row.address1, row.address2) if line),
        city=row.city or "",
        region=row.state,
        postal_code=row.zip_code or "",
        country_code=country,
        phone=row.phone_number,
    )


def _time_zone(name: str | None) -> str | None:
    """The name, if it is one of IANA's; ShipBob does not promise it."""
    try:
        return ZoneInfo(name).key if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
