"""Where things are, and how far apart: good to a few miles, which is all that a postal zone asks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import asin, cos, radians, sin, sqrt
from types import MappingProxyType
from typing import Final, NewType

from connectors.contract import Address

PostalArea = NewType("PostalArea", str)
"""A country, and a postal code there or how it begins, in capitals and without blanks: ``US:60601``, ``CA:M5V``, ``DE``."""

EARTH_RADIUS_MILES: Final = 3958.7613  # the mean radius of the IUGG, 6371.0088 km
# The territories have country codes of their own and ZIP codes of the United States.
ZIP_COUNTRIES: Final = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})
ZIP_CODE: Final = re.compile(r"([0-9]{3})[0-9]{2}(?:-?[0-9]{4})?")
FORWARD_SORTATION_AREA: Final = "[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z]"
CANADIAN_CODE: Final = re.compile(f"({FORWARD_SORTATION_AREA})(?:[ -]?[0-9][A-Z][0-9])?")
POSTAL_CODES: Final[Mapping[str, re.Pattern[str]]] = {**dict.fromkeys(ZIP_COUNTRIES, ZIP_CODE), "CA": CANADIAN_CODE}
POSTAL_CHARACTERS_MAX: Final = 10
AREA: Final = f"[A-Z]{{2}}(?::[A-Z0-9]{{1,{POSTAL_CHARACTERS_MAX}}})?"
KEYS_OF: Final[Mapping[str, str]] = {
    "zip3,latitude,longitude": "[0-9]{3}",
    "fsa,latitude,longitude": FORWARD_SORTATION_AREA,
    "area,latitude,longitude": AREA,
}


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


def area_of(address: Address) -> PostalArea:
    """The country and the postal code of an address."""
    code = re.sub("[^A-Z0-9]", "", address.postal_code.upper())[:POSTAL_CHARACTERS_MAX]
    return PostalArea(f"{address.country_code.strip().upper()}:{code}")


def check_area(text: str) -> None:
    """See to it that this is written as areas are.

    Raises:
        ValueError: It is not.
    """
    if not re.fullmatch(AREA, text):
        raise ValueError(f"a postal area is written as US:606, CA:M5V or DE, not as {text[:40]!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Centroids:
    """The middles of postal areas.

    ``points`` are by the first three characters of a postal code, which are digits in the United States and begin with a letter in
    Canada. ``others`` are looked at where these do not help: the longest area that fits counts.
    """

    points: Mapping[str, GeoPoint]
    others: Mapping[str, GeoPoint] = field(default_factory=dict)

    def locate(self, address: Address) -> GeoPoint | None:
        """Where the address is: its own coordinates, else the middle of its postal area, else None."""
        return _own_position(address) or self._point(address) or (self._other(area_of(address)) if self.others else None)

    def with_more(self, more: "Centroids") -> "Centroids":
        """These and those; where both know an area, these are right."""
        return Centroids(
            points=MappingProxyType({**more.points, **self.points}), others=MappingProxyType({**more.others, **self.others})
        )

    def _point(self, address: Address) -> GeoPoint | None:
        written = POSTAL_CODES.get(address.country_code.upper())
        code = None if written is None else written.fullmatch(address.postal_code.strip().upper())
        return None if code is None else self.points.get(code[1])

    def _other(self, area: PostalArea) -> GeoPoint | None:
        found = (self.others.get(area[:size]) for size in range(len(area), 1, -1))
        return next((point for point in found if point is not None), None)


def parse_centroids(text: str) -> Centroids:
    """Read rows of an area and its middle under a header; lines that start with ``#`` are comments.

    The header says how areas are written: ``zip3,latitude,longitude`` (``606``), ``fsa,latitude,longitude`` (``M5V``), or
    ``area,latitude,longitude`` for any country (``DE:10``, ``FR``).

    Raises:
        ValueError: Not such a table. The message names the line.
    """
    rows = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    rows = [(number, line) for number, line in rows if line and not line.startswith("#")]
    if not rows or rows[0][1] not in KEYS_OF:
        raise ValueError(f"a table of centroids begins with {' or '.join(KEYS_OF)}")
    header = rows[0][1]
    points: dict[str, GeoPoint] = {}
    for number, line in rows[1:]:
        try:
            area, latitude, longitude = line.split(",")
            point = GeoPoint(latitude=float(latitude), longitude=float(longitude))
        except ValueError as error:
            raise ValueError(f"line {number} is not a centroid: {line[:80]!r}") from error
        if area in points or not re.fullmatch(KEYS_OF[header], area):
            raise ValueError(f"line {number} is not about a new area: {line[:80]!r}")
        points[area] = point
    known = MappingProxyType(points)
    return Centroids(points={}, others=known) if header.startswith("area") else Centroids(points=known)


def _own_position(address: Address) -> GeoPoint | None:
    # Systems that know no coordinates like to send 0, 0, which is open sea.
    if address.latitude is None or address.longitude is None or address.latitude == address.longitude == 0:
        return None
    try:
        return GeoPoint(latitude=address.latitude, longitude=address.longitude)
    except ValueError:
        return None
