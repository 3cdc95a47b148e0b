"""What can be promised to one customer at one instant, from everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property
from math import inf
from typing import Final

import numpy as np

from connectors.contract import Address, Method
from gateway.domain.delivery.board import Board, Booked, arrivals, days_late
from gateway.domain.delivery.calendars import Days
from gateway.domain.delivery.carriers import Terms
from gateway.domain.delivery.promise import Asked, Promise
from gateway.domain.delivery.schedules import Ints
from gateway.domain.delivery.work import NEVER
from gateway.domain.geography import GeoPoint, PostalArea, area_of
from gateway.domain.identity import LocationId
from gateway.domain.rates import ZoneTable

NOWHERE: Final = PostalArea("")


@dataclass(frozen=True, kw_only=True, eq=False)  # without slots: what is worked out of it stays with it
class Prospect:
    """What can be promised of anything that goes there, if it is ordered now. Arrays are by place and service of the board.

    ``there`` None: nobody knows where the address is, so that all goes to the farthest zone, but where a rule knows it. ``booked``
    is what locations with limits have promised to others.
    """

    board: Board
    terms: Terms
    zones: ZoneTable
    to: Address
    there: GeoPoint | None
    now: datetime
    booked: Booked = field(default_factory=dict)
    method: Method = Method.SHIP
    _asked: dict[int, Asked] = field(default_factory=dict, init=False)
    _told: dict[tuple[LocationId, int, int], Promise | None] = field(default_factory=dict, init=False)

    @property
    def is_lost(self) -> bool:
        """Whether nothing is known of where goods would go."""
        return self.method is Method.SHIP and self.there is None and not self.zones.rules

    @cached_property
    def miles(self) -> tuple[float | None, ...]:
        """How far each place is from the customer. None: nobody knows where one of them is. ``[L]``."""
        return self.board.miles_to(self.there)

    @cached_property
    def lanes(self) -> Ints:
        """The postal zone from each place. ``[L]``."""
        own = [NOWHERE] * len(self.miles)
        if self.zones.rules:
            own = [NOWHERE if each.address is None else area_of(each.address) for each in self.board.locations]
        area = area_of(self.to)
        found = [self.zones.zone(miles, origin, area) for miles, origin in zip(self.miles, own, strict=True)]
        return np.array(found, dtype=np.int64)

    def arrivals(self, units: int = 1) -> Days:
        """The day on which so many units are handed over: ``NaT`` where they never are. ``datetime64[D]``, ``[L, V]``."""
        asked = self._ask(units)
        return arrivals(self.board, asked.departures, self.lanes, asked.destination.calendar)

    def fastest(self, units: int = 1) -> tuple[Ints, Ints]:
        """The rank of each place, 0 being the soonest to hand so many units over, and the service that does it. ``[L]`` each.

        Of places that are as soon: the first to send, then the closest. A pickup is at the closest that ever has it ready. The rank
        is ``NEVER`` where they never hand it over.
        """
        asked = self._ask(units)
        if self.method is Method.PICKUP:
            soonest, sent, service = asked.departures.ready, asked.departures.ready, np.zeros_like(asked.departures.ready)
        else:
            days = self.arrivals(units)
            arriving = np.where(np.isnat(days), NEVER, days.astype(np.int64))
            service = arriving.argmin(axis=1)
            places = np.arange(len(service))
            soonest, sent = arriving[places, service], asked.departures.leaves[places, service]
        miles = np.array([inf if each is None else each for each in self.miles])
        rank = np.empty(len(service), dtype=np.int64)
        order = (soonest, miles) if self.method is Method.PICKUP else (miles, sent, soonest)  # the last counts first
        rank[np.lexsort(order)] = np.arange(len(service))
        return np.where(soonest < NEVER, rank, NEVER), service

    def promise(self, location: LocationId, service: int, units: int = 1) -> Promise | None:
        """What so many units from there are promised for, by the service of that index. None: never, as far as one can see."""
        key = (location, service, self._alike(units))
        if key not in self._told:
            asked, zone = self._ask(units), int(self.lanes[self.board.places[location]])
            is_pickup = self.method is Method.PICKUP
            self._told[key] = asked.picked_up(location) if is_pickup else asked.shipped(location, service, zone)
        return self._told[key]

    def by(self, location: LocationId, carrier: str | None, service: str | None, units: int) -> Promise | None:
        """What a package is promised for that is sent by that service of a carrier, or picked up.

        None: never, as far as one can see, or there is no such place or service any more.
        """
        if location not in self.board.places:
            return None
        if self.method is Method.PICKUP:
            return self.promise(location, 0, units)
        services = enumerate(self.board.road.services)
        found = next((place for place, each in services if (each.carrier, each.name) == (carrier, service)), None)
        return None if found is None else self.promise(location, found, units)

    def days_late(self, promised: date, units: int = 1) -> Ints:
        """How many days after that day so many units are handed over; ``LATE`` where they never are. ``[L, V]``."""
        return days_late(self.arrivals(units), promised)

    def missed(self, promised: date, late: Ints, units: int = 1) -> Mapping[LocationId, time]:
        """The places, all of whose services are ``late`` for that day, that would keep it, had their cutoff of today not passed.

        Args:
            promised: The day.
            late: From ``days_late``.
            units: How many.

        Returns:
            That cutoff, on the clock of the place.
        """
        asked = self._ask(units)
        in_time = self.board.departures(self.now, units=self._alike(units), booked=self.booked, in_time=True)
        concerned = (late > 0).all(axis=1) & (in_time.left_on < asked.departures.left_on).any(axis=1)
        if not concerned.any():  # mostly
            return {}
        arriving = arrivals(self.board, in_time, self.lanes, asked.destination.calendar)
        places = np.flatnonzero(concerned & (days_late(arriving, promised) == 0).any(axis=1))
        rows = self.board.row[places].tolist()
        cutoffs = {row: self.board.cutoff(row, self.now) for row in set(rows)}
        return {self.board.locations[place].id: cutoffs[row] for place, row in zip(places.tolist(), rows, strict=True)}

    def _ask(self, units: int) -> Asked:
        key = self._alike(units)
        if key not in self._asked:
            read = self.board.pickups if self.method is Method.PICKUP else self.board.departures
            self._asked[key] = Asked(
                board=self.board,
                departures=read(self.now, units=key, booked=self.booked),
                now=self.now,
                destination=self.terms.destination_of(area_of(self.to)),
                time_zone=self._time_zone(),
            )
        return self._asked[key]

    def _alike(self, units: int) -> int:
        """A number of units that is promised the same: without limits, all are."""
        return units if self.board.is_limited else 1

    def _time_zone(self) -> str:
        """What the customer's clock shows: what somebody has said, else what it shows at the closest place."""
        told = self.terms.destination_of(area_of(self.to)).time_zone
        if told is not None or not self.miles:
            return told or "UTC"
        known = [(inf if miles is None else miles, place) for place, miles in enumerate(self.miles)]
        return self.board.locations[min(known)[1]].time_zone
