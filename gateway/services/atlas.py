"""Every location there is, and what is worked out of all of them once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from gateway.domain.geography import area_of
from gateway.domain.identity import LocationId
from gateway.domain.locations import Location
from gateway.domain.routing import NOWHERE, Site, Sites, Tariff, World

WORLDS_MAX: Final = 16


@dataclass(frozen=True, kw_only=True)  # without slots: what is worked out of it stays with it
class Atlas:
    """The locations, in any order, each once."""

    locations: tuple[Location, ...]

    @cached_property
    def places(self) -> Mapping[LocationId, Location]:
        """The locations by id."""
        return {each.id: each for each in self.locations}

    @cached_property
    def sites(self) -> Sites:
        """The locations as routing sees them."""
        return Sites.of(
            Site(
                location=each.id,
                position=each.position,
                methods=each.methods,
                area=NOWHERE if each.address is None else area_of(each.address),
                code=each.code,
                kind=each.kind,
                source=each.source,
                groups=each.groups,
            )
            for each in self.locations
        )

    @cached_property
    def names(self) -> Mapping[LocationId, str]:
        """What people call them."""
        return {each.id: each.name for each in self.locations}

    def world(self, tariff: Tariff) -> World:
        """These sites under that tariff; the same object, as long as it is asked for one of a few."""
        if tariff not in self._worlds and len(self._worlds) >= WORLDS_MAX:
            self._worlds.clear()
        return self._worlds.setdefault(tariff, World(sites=self.sites.all, tariff=tariff))

    @cached_property
    def in_order(self) -> tuple[Location, ...]:
        """The locations in the order of the sites."""
        return tuple(self.places[site.location] for site in self.sites.all)

    @cached_property
    def _worlds(self) -> dict[Tariff, World]:
        return {}

    @cached_property
    def limited(self) -> tuple[Location, ...]:
        """Those that can do so many units a day only."""
        return tuple(each for each in self.in_order if each.units_per_day is not None)
