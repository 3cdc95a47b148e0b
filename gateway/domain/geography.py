"""Where things are, and how far apart: good to a few miles, which is all that a postal zone asks."""

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from types import MappingProxyType
from typing import Final

from connectors.contract import Address

EARTH_RADIUS_MILES: Final = 3958.7613  # the mean radius of the IUGG, 6371.0088 km
ZONE_MILES_MAX: Final = (50, 150, 300, 600, 1000, 1400, 1800)
FARTHEST_ZONE: Final = len(ZONE_MILES_MAX) + 1

# The territories have country codes of their own and ZIP codes of the United States.
ZIP_COUNTRIES: Final = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})
ZIP_CODE: Final = re.compile(r"([0-9]{3})[0-9]{2}(?:-?[0-9]{4})?")
CENTROIDS_HEADER: Final = "zip3,latitude,longitude"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoPoint:
    """A place on Earth, in degrees (WGS 84)."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        # Written so that NaN, which compares false with everything, is refused too.
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise ValueError(f"not a place on Earth: {self.latitude}, {self.longitude}")


def miles_between(a: GeoPoint, b: GeoPoint) -> float:
    """Great-circle miles, by the haversine formula."""
    latitude_a, latitude_b = radians(a.latitude), radians(b.latitude)
    north = sin((latitude_b - latitude_a) / 2)
    east = sin(radians(b.longitude - a.longitude) / 2)
    chord = north * north + cos(latitude_a) * cos(latitude_b) * east * east
    # Rounding can carry the chord of two antipodes past 1.
    return 2 * EARTH_RADIUS_MILES * asin(min(1.0, sqrt(chord)))


def zone_of(miles: float | None) -> int:
    """The postal zone of a distance: 1 (up to 50 miles) to 8 (beyond 1,800 miles, or a distance nobody knows)."""
    return FARTHEST_ZONE if miles is None else bisect_left(ZONE_MILES_MAX, miles) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Centroids:
    """The middle of each ZIP code area, by the first three digits."""

    points: Mapping[str, GeoPoint]

    def locate(self, address: Address) -> GeoPoint | None:
        """Where the address is: its own coordinates, else the middle of its ZIP code area, else None."""
        return _own_position(address) or self._area(address)

    def _area(self, address: Address) -> GeoPoint | None:
        zip_code = ZIP_CODE.fullmatch(address.postal_code.strip())
        if zip_code is None or address.country_code.upper() not in ZIP_COUNTRIES:
            return None
        return self.points.get(zip_code[1])


def parse_centroids(text: str) -> Centroids:
    """Read ``zip3,latitude,longitude`` rows under a header; lines that start with ``#`` are comments.

    Raises:
        ValueError: Not such a table. The message names the line.
    """
    rows = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    rows = [(number, line) for number, line in rows if line and not line.startswith("#")]
    if not rows or rows[0][1] != CENTROIDS_HEADER:
        raise ValueError(f"a table of centroids begins with {CENTROIDS_HEADER!r}")
    points: dict[str, GeoPoint] = {}
    for number, line in rows[1:]:
        try:
            zip3, latitude, longitude = line.split(",")
            point = GeoPoint(latitude=float(latitude), longitude=float(longitude))
        except ValueError as error:
            raise ValueError(f"line {number} is not a centroid: {line[:80]!r}") from error
        if zip3 in points or not re.fullmatch("[0-9]{3}", zip3):
            raise ValueError(f"line {number} is not about a new area of three digits: {line[:80]!r}")
        points[zip3] = point
    return Centroids(points=MappingProxyType(points))


def _own_position(address: Address) -> GeoPoint | None:
    # Systems that know no coordinates like to send 0, 0, which is open sea.
    if address.latitude is None or address.longitude is None or address.latitude == address.longitude == 0:
        return None
    try:
        return GeoPoint(latitude=address.latitude, longitude=address.longitude)
    except ValueError:
        return None
