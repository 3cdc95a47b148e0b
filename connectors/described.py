"""What a person writes down of a source that does not say it itself: its places, and what it means that it has no row."""

from dataclasses import dataclass
from enum import StrEnum

from connectors.contract import Address, RemoteLocation, RemoteLocationId


class NoRow(StrEnum):
    """What it means that there is no row for a SKU at a place.

    Attributes:
        UNKNOWN: Nothing.
        ZERO: There is none; what is sold out is left out.
    """

    UNKNOWN = "UNKNOWN"
    ZERO = "ZERO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place by the name that the source has for it (``id``). An address is one with a ``country_code`` (ISO 3166-1 alpha-2)."""

    id: str
    name: str | None = None
    street: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country_code: str | None = None
    time_zone: str | None = None
    latitude: float | None = None
    longitude: float | None = None

    def location(self, *, active: bool = True) -> RemoteLocation:
        """The same in the contract's words."""
        return RemoteLocation(
            id=RemoteLocationId(self.id),
            name=self.name or self.id,
            address=self._address(self.country_code) if self.country_code else None,
            time_zone=self.time_zone,
            active=active,
        )

    def _address(self, country_code: str) -> Address:
        return Address(
            lines=(self.street,) if self.street else (),
            city=self.city or "",
            region=self.region,
            postal_code=self.postal_code or "",
            country_code=country_code.upper(),
            latitude=self.latitude,
            longitude=self.longitude,
        )
