"""From Medusa's stock locations to ours."""

from connectors.contract import Address, RemoteLocation, RemoteLocationId
from connectors.medusa.wire import AddressRow, LocationRow


def parse_location(row: LocationRow) -> RemoteLocation:
    """One stock location. Medusa knows neither its time zone nor its hours."""
    return RemoteLocation(id=RemoteLocationId(row.id), name=row.name or row.id, address=_address(row.address))


def _address(row: AddressRow | None) -> Address | None:
    if row is None or not row.country_code:
        return None
    return Address(
        lines=tuple(line for line in (row.address_1, row.address_2) if line),
        city=row.city or "",
        region=row.province or None,
        postal_code=row.postal_code or "",
        country_code=row.country_code.upper(),
        phone=row.phone or None,
    )
