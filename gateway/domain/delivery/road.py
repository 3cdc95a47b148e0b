"""From a carrier's hands to the customer's, for all locations and services at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, Self

import numpy as np

from gateway.domain.delivery.calendars import Calendar
from gateway.domain.delivery.carriers import Carrier, Terms
from gateway.domain.delivery.schedules import EPOCH, SITE_DAYS, Hours, Ints, Spells, on_the_wall
from gateway.domain.delivery.work import NEVER, table
from gateway.domain.rates import TRANSIT_DAYS_MAX, CarrierService

ROAD_DAYS: Final = SITE_DAYS + 3 * TRANSIT_DAYS_MAX
"""How far ahead anything may be on its way."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Road:
    """When V services collect from T rows of hours, and on which days they move. Days are counted since 1970, minutes as well.

    Attributes:
        services: In the order of all that follows. ``[V]``
        carriers: What is known of those who carry. ``[V]``
        collected: When each comes, ascending, and at last ``NEVER``. ``[T, V, N + 1]``
        collected_on: On which local day that is. ``[T, V, N + 1]``
        first: The first day of the next.
        moved: How many days each has moved by the end of each day. ``[V, D]``
        moves: On which days it moves, and at last ``NEVER``. ``[V, M + 1]``
        transit: Working days on the way, by zone. ``[V, Z]``
    """

    services: tuple[CarrierService, ...]
    carriers: tuple[Carrier, ...]
    collected: Ints
    collected_on: Ints
    first: date
    moved: Ints
    moves: Ints
    transit: Ints

    @classmethod
    def of(
        cls, hours: Sequence[Hours], spells: Sequence[Spells], services: Sequence[CarrierService], terms: Terms, first: date
    ) -> Self:
        """The roads from places with these hours."""
        carriers = tuple(map(terms.carrier_of, services))
        calendars = [carrier.calendar(service) for carrier, service in zip(carriers, services, strict=True)]
        moving = np.array([calendar.over(first, ROAD_DAYS) for calendar in calendars]).reshape(len(services), ROAD_DAYS)
        moves = [np.flatnonzero(each) + (first - EPOCH).days for each in moving]
        rounds = [
            _rounds(each, place.time_zone, service, on, first)
            for place, each in zip(hours, spells, strict=True)
            for service, on in zip(services, moves, strict=True)
        ]
        collected, collected_on = table([at for at, _ in rounds]), table([on for _, on in rounds])
        shape = (len(hours), len(services), collected.shape[1])
        return cls(
            services=tuple(services),
            carriers=carriers,
            collected=collected.reshape(shape),
            collected_on=collected_on.reshape(shape),
            first=first,
            moved=moving.cumsum(axis=1),
            moves=table(moves),
            transit=np.array([service.transit_days for service in services], dtype=np.int64).reshape(len(services), -1),
        )

    def leaves(self, rows: Ints, ready: Ints) -> tuple[Ints, Ints]:
        """When each service collects what is ready by then, and on which local day. ``[X, V]`` each, from ``[X]``."""
        passed = (self.collected[rows] < ready[:, None, None]).sum(axis=2)
        at = (rows[:, None], np.arange(len(self.services)), np.minimum(passed, self.collected.shape[2] - 1))
        return self.collected[at], self.collected_on[at]

    def arrives(self, left_on: Ints, days: Ints, calendar: Calendar) -> Ints:
        """The day on which it is handed over that left on those days and is so many working days on its way. ``[X, V]``."""
        services = np.arange(len(self.services))
        beginning = (self.first - EPOCH).days
        left = np.minimum(left_on - beginning, ROAD_DAYS - 1)
        moves = np.minimum(self.moved[services, left] - 1 + days, self.moves.shape[1] - 1)
        arrived = np.where(left_on < NEVER, self.moves[services, moves], NEVER)
        handed_over: Ints = _handed_over(calendar, self.first)[np.minimum(arrived - beginning, ROAD_DAYS)]
        return handed_over


@lru_cache(maxsize=256)
def _handed_over(calendar: Calendar, first: date) -> Ints:
    """The first day of that calendar from each day on, and at last ``NEVER``. ``[D + 1]``."""
    days = np.arange(ROAD_DAYS) + (first - EPOCH).days
    own = np.append(np.where(calendar.over(first, ROAD_DAYS), days, NEVER), NEVER)
    found: Ints = np.minimum.accumulate(own[::-1])[::-1]
    return found


def _rounds(spells: Spells, time_zone: str, service: CarrierService, moves: Ints, first: date) -> tuple[Ints, Ints]:
    """When a carrier comes to a place, and on which days: when both work, and before the place closes."""
    both = np.isin(spells.days, moves)
    days = spells.days[both]
    comes = on_the_wall(time_zone, service.cutoff, first)[days - (first - EPOCH).days]
    return np.minimum(comes, spells.ends[both]), days
