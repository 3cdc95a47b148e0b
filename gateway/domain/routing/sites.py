"""Every location as routing sees it, and what is worked out of all of them at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from connectors.contract import Method
from gateway.domain.geography import EARTH_RADIUS_MILES, GeoPoint, PostalArea
from gateway.domain.identity import LocationId, SourceName
from gateway.domain.locations import LocationKind
from gateway.domain.plans import UNLIMITED, Floats, Ints
from gateway.domain.policies import LocationFacts
from gateway.domain.policies.grounds import Grounds
from gateway.domain.rates import ZoneTable

UNNAMED: Final = SourceName("")
NOWHERE: Final = PostalArea("")
"""The postal area of what nobody knows, or needs, the area of."""
DESTINATIONS_KNOWN_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A location that may be asked.

    ``position`` None: nobody knows where; ``area`` is its own postal area. Policies go by ``code``, ``kind``, ``source`` and
    ``groups``.
    """

    location: LocationId
    position: GeoPoint | None
    methods: frozenset[Method]
    area: PostalArea = NOWHERE
    code: str = ""
    kind: LocationKind = LocationKind.WAREHOUSE
    source: SourceName = UNNAMED
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)  # without slots: what is worked out of it stays with it
class Sites:
    """The locations by id, each once. Arrays about them have a row for each, in this order: L rows."""

    all: tuple[Site, ...]
    row: Mapping[LocationId, int] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "row", {site.location: row for row, site in enumerate(self.all)})
        if len(self.row) != len(self.all) or any(a.location >= b.location for a, b in zip(self.all, self.all[1:], strict=False)):
            raise ValueError("each location is there once, and they come by id")

    @classmethod
    def of(cls, sites: Iterable[Site]) -> Self:
        """These sites, put in order."""
        return cls(all=tuple(sorted(sites, key=attrgetter("location"))))

    def __len__(self) -> int:
        return len(self.all)

    @cached_property
    def offering(self) -> Mapping[Method, NDArray[np.bool_]]:
        """Which of them do what. ``[L]`` each."""
        return {method: np.array([method in site.methods for site in self.all], dtype=np.bool_) for method in Method}

    @cached_property
    def without(self) -> Mapping[Method, tuple[int, ...]]:
        """The rows of those that do not do what."""
        return {method: tuple(np.flatnonzero(~offered).tolist()) for method, offered in self.offering.items()}

    @cached_property
    def locations(self) -> NDArray[np.object_]:
        """Their ids. ``[L]``."""
        return np.array([site.location for site in self.all], dtype=np.object_)

    @cached_property
    def sources(self) -> tuple[tuple[SourceName, ...], Ints]:
        """Who speaks for any of them, and which of these for each. ``[L]``."""
        names = sorted({site.source for site in self.all})
        return tuple(names), np.array([names.index(site.source) for site in self.all], dtype=np.int64)

    def miles_to(self, destination: GeoPoint | None) -> Floats:
        """Great-circle miles from each, by the haversine formula; NaN where either end is unknown. ``[L]``, not to be written."""
        known = self._miles.get(destination)
        if known is None:
            if len(self._miles) >= DESTINATIONS_KNOWN_MAX:
                self._miles.clear()
            known = self._miles[destination] = self._measured(destination)
        return known

    def _measured(self, destination: GeoPoint | None) -> Floats:
        if destination is None:
            return np.full(len(self.all), np.nan)
        latitude, longitude, cosine = self._radians
        to_latitude, to_longitude = np.radians(destination.latitude), np.radians(destination.longitude)
        north, east = np.sin((to_latitude - latitude) / 2), np.sin((to_longitude - longitude) / 2)
        chord = north * north + cosine * (np.cos(to_latitude) * east * east)
        # Rounding can carry the chord of two antipodes past 1.
        miles: Floats = 2 * EARTH_RADIUS_MILES * np.arcsin(np.minimum(np.sqrt(chord), 1.0))
        return miles

    def zones(self, table: ZoneTable, destination: GeoPoint | None, area: PostalArea) -> Ints:
        """The zone of a parcel from each: that of the first rule about it, else by miles. ``[L]``, not to be written."""
        key = destination, area if table.rules else NOWHERE
        known = self._zones.get(key)
        if known is None or known[0] is not table:
            if len(self._zones) >= DESTINATIONS_KNOWN_MAX:
                self._zones.clear()
            known = self._zones[key] = table, self._zoned(table, destination, area)
        return known[1]

    def _zoned(self, table: ZoneTable, destination: GeoPoint | None, area: PostalArea) -> Ints:
        # NaN sorts behind everything, so what nobody knows is in the farthest zone.
        miles = self.miles_to(destination)
        zones = np.array(table.miles_max).searchsorted(miles) + 1
        if table.rules:
            for row, site in enumerate(self.all):
                zones[row] = table.zone(None if np.isnan(miles[row]) else float(miles[row]), site.area, area)
        return zones

    @cached_property
    def grounds(self) -> Grounds:
        """What policies ask about them."""
        return Grounds(
            locations=tuple(
                LocationFacts(location=site.location, code=site.code, kind=site.kind, source=site.source, groups=site.groups)
                for site in self.all
            )
        )

    @cached_property
    def _miles(self) -> dict[GeoPoint | None, Floats]:
        """Most orders go to the middle of a postal area, of which there are fewer than a thousand."""
        return {}

    @cached_property
    def _zones(self) -> dict[tuple[GeoPoint | None, PostalArea], tuple[ZoneTable, Ints]]:
        """By whatever else they depend on; of the table that was asked for last."""
        return {}

    @cached_property
    def rows(self) -> Ints:
        """Their numbers. ``[L]``, not to be written."""
        return np.arange(len(self.all))

    @cached_property
    def unlimited(self) -> Ints:
        """Room for whatever comes at each. ``[L]``, not to be written."""
        return np.full(len(self.all), UNLIMITED, dtype=np.int64)

    @cached_property
    def _radians(self) -> tuple[Floats, Floats, Floats]:
        nowhere = (np.nan, np.nan)
        places = [nowhere if site.position is None else (site.position.latitude, site.position.longitude) for site in self.all]
        latitude, longitude = np.radians(np.array(places, dtype=np.float64).reshape(-1, 2)).T
        return latitude, longitude, np.cos(latitude)
