"""Zones: how far a parcel goes, as carriers count it."""

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from typing import Final

from gateway.domain.geography import check_area

ZONES_MAX: Final = 50
RULES_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneRule:
    """From these postal areas to those it is this zone, whatever the distance. Areas are written ``US:606``, ``CA:M5V``, ``DE``.

    Empty ``origins``: from anywhere, known or not; empty ``destinations``: to anywhere. One of them is given.
    """

    zone: int
    origins: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.zone < 1:
            raise ValueError(f"zones are numbered from 1, so none is {self.zone}")
        if not self.origins and not self.destinations:
            raise ValueError("a rule needs origins or destinations")
        for area in (*self.origins, *self.destinations):
            check_area(area)

    def covers(self, origin: str, destination: str) -> bool:
        """Whether it is about parcels between these areas; an empty one is not known."""
        return (not self.origins or origin.startswith(self.origins)) and (
            not self.destinations or destination.startswith(self.destinations)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneTable:
    """Which zone a parcel is in: that of the first rule about it, else by how far it goes.

    ``miles_max`` is the last mile of each zone but the farthest, which is also that of distances nobody knows.
    """

    miles_max: tuple[float, ...] = (50, 150, 300, 600, 1000, 1400, 1800)
    rules: tuple[ZoneRule, ...] = field(default=(), hash=False)  # there may be many

    def __post_init__(self) -> None:
        if len(self.miles_max) >= ZONES_MAX or len(self.rules) > RULES_MAX:
            raise ValueError(f"there are at most {ZONES_MAX} zones and {RULES_MAX} rules")
        if not all(isfinite(miles) and miles > 0 for miles in self.miles_max):
            raise ValueError("miles_max are above zero")
        if any(nearer >= farther for nearer, farther in pairwise(self.miles_max)):
            raise ValueError("miles_max ascend: each zone ends farther away than the one before")
        for rule in self.rules:
            if rule.zone > self.farthest:
                raise ValueError(f"a rule has zone {rule.zone}, but {len(self.miles_max)} miles_max make {self.farthest} zones")

    @property
    def farthest(self) -> int:
        """The last zone, which is also how many there are."""
        return len(self.miles_max) + 1

    def zone(self, miles: float | None, origin: str = "", destination: str = "") -> int:
        """The zone of a parcel that goes so far, from 1 (the nearest). ``miles`` None, empty areas: nobody knows."""
        for rule in self.rules:
            if rule.covers(origin, destination):
                return rule.zone
        return self.farthest if miles is None else bisect_left(self.miles_max, miles) + 1


US_ZONES: Final = ZoneTable()
