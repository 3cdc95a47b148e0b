"""From Shopify's locations to ours."""

from connectors.contract import Address, ContractBroken, Method, RemoteLocation, RemoteLocationId
from connectors.shopify.documents import LOCATIONS
from connectors.shopify.rows import LocationRow
from connectors.shopify.wire import Wire, number_of, way_on

LOCATIONS_PER_PAGE = 100
PAGES_MAX = 100


async def read_locations(wire: Wire) -> tuple[RemoteLocation, ...]:
    """Every location of the shop, those of fulfillment services and those out of use included.

    Raises:
        ContractBroken: They do not end.
    """
    found: tuple[RemoteLocation, ...] = ()
    after: str | None = None
    for _ in range(PAGES_MAX):
        page = (await wire.ask(LOCATIONS, first=LOCATIONS_PER_PAGE, after=after)).locations
        found += tuple(parse_location(row) for row in page.nodes)
        after = way_on(page.page_info, after)
        if after is None:
            return found
    raise ContractBroken(f"the locations did not end after {PAGES_MAX} pages")


def parse_location(row: LocationRow) -> RemoteLocation:
    """One location. Shopify knows neither its time zone nor its hours."""
    may = {Method.SHIP: row.fulfills_online_orders, Method.PICKUP: row.local_pickup_settings_v2 is not None}
    return RemoteLocation(
        id=RemoteLocationId(number_of(row.id)),
        name=row.name,
        address=_address(row),
        methods=frozenset(method for method, allowed in may.items() if allowed),
        active=row.is_active,
    )


def _address(row: LocationRow) -> Address | None:
    if not row.address.country_code:
        return None
    return Address(
        lines=tuple(line for line in (row.address.address1, row.address.address2) if line),
        city=row.address.city or "",
        region=row.address.province_code,
        postal_code=row.address.zip or "",
        country_code=row.address.country_code,
        phone=row.address.phone,
        latitude=row.address.latitude,
        longitude=row.address.longitude,
    )
