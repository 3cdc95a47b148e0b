"""Departures and arrivals of all locations at once, as a board at a station shows them: arrays in, arrays out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Self
from zoneinfo import ZoneInfo

import numpy as np

from gateway.domain.delivery.calendars import Calendar, Days
from gateway.domain.delivery.carriers import Terms
from gateway.domain.delivery.road import Road
from gateway.domain.delivery.schedules import EPOCH, Hours, Ints, Schedule, Spells, hours_of, spells_of
from gateway.domain.delivery.work import NEVER, Backlog, Work
from gateway.domain.geography import GeoPoint, miles_between
from gateway.domain.identity import LocationId
from gateway.domain.locations import Location
from gateway.domain.rates import CarrierService

BEFORE_DAYS: Final = 2
"""How many days before today, in UTC, a board begins: somewhere it is still yesterday, and a shift of then is not over."""
UNLIMITED: Final = -1
AHEAD_DAYS: Final = 14
"""Work is looked for on so many days, the first of the board included: further ahead nothing is booked but pickup slots."""
MINUTES_KEPT_MAX: Final = 16
"""Many orders come in the same minute: what becomes of them where nobody waits is worked out once."""
DESTINATIONS_KNOWN_MAX: Final = 1_000
"""Most orders go to the middle of a postal area."""
NO_WAIT: Final = np.zeros(1, dtype=np.int64)
NO_PLACES: Final = np.zeros(0, dtype=np.int64)
LATE: Final = int(np.iinfo(np.int64).max)
"""How many days late what never arrives is."""

Booked = Mapping[tuple[LocationId, date], int]
"""Units that a location has promised already to send or hand over on a local day; zeros are left out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Departures:
    """What becomes of an order that is placed now, by place. Instants are minutes since 1970; ``NEVER``: not that one can see.

    Attributes:
        taken: The spell of work in which it is taken up. ``[X]``
        waits: For so many days of work others are served first. ``[X]``
        begins: When work on it begins. ``[X]``
        ready: When that is done. ``[X]``
        leaves: When the carrier of each service collects it. ``[X, V]``
        left_on: The local day of that, in days since 1970. ``[X, V]``
    """

    taken: Ints
    waits: Ints
    begins: Ints
    ready: Ints
    leaves: Ints
    left_on: Ints

    def of(self, rows: Ints) -> "Departures":
        """Those of these rows, in this order."""
        return Departures(**{name: getattr(self, name)[rows] for name in _PARTS})

    def but(self, rows: Ints, other: "Departures") -> "Departures":
        """These, with others in place of those rows."""
        found = {name: getattr(self, name).copy() for name in _PARTS}
        for name, values in found.items():
            values[rows] = getattr(other, name)
        return Departures(**found)


_PARTS: Final = tuple(each.name for each in fields(Departures))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Board:
    """L places, V services, and the T rows of hours that the places share: made once for a day, asked for every order.

    Attributes:
        first: The first day that it knows of.
        locations: The places, in the order of what follows. ``[L]``
        places: The index of each location in it.
        hours: The rows. ``[T]``
        spells: When there is work by them. ``[T]``
        row: The hours that each place works by. ``[L]``
        open_row: The hours at which its customers come. ``[L]``
        units_per_day: What each place can do on a day; ``UNLIMITED``: as much as comes. ``[L]``
        processing_days: Of each row. ``[T]``
        processing_minutes: Of each row. ``[T]``
        pickup_minutes: Of each row. ``[T]``
    """

    first: date
    locations: tuple[Location, ...]
    places: Mapping[LocationId, int]
    hours: tuple[Hours, ...]
    spells: tuple[Spells, ...]
    row: Ints
    open_row: Ints
    units_per_day: Ints
    processing_days: Ints
    processing_minutes: Ints
    pickup_minutes: Ints
    work: Work
    road: Road
    _miles: dict[GeoPoint | None, tuple[float | None, ...]] = field(default_factory=dict, init=False)
    _at_once: dict[tuple[int, bool], tuple[Ints, Departures]] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, locations: Sequence[Location], services: Sequence[CarrierService], terms: Terms, now: datetime) -> Self:
        """The board of these locations and services on that day, and for some time after."""
        rows: dict[Hours, int] = {}
        row = [rows.setdefault(hours_of(each, terms.schedule_of(each)), len(rows)) for each in locations]
        open_row = [rows.setdefault(_opening(each, terms.schedule_of(each)), len(rows)) for each in locations]
        first = first_day(now)
        spells = [spells_of(hours, first) for hours in rows]
        limits = [UNLIMITED if each.units_per_day is None else each.units_per_day for each in locations]
        return cls(
            first=first,
            locations=tuple(locations),
            places={each.id: place for place, each in enumerate(locations)},
            hours=tuple(rows),
            spells=tuple(spells),
            row=_ints(row),
            open_row=_ints(open_row),
            units_per_day=_ints(limits),
            processing_days=_ints([each.schedule.processing_days for each in rows]),
            processing_minutes=_ints([each.schedule.processing_minutes for each in rows]),
            pickup_minutes=_ints([each.schedule.pickup_minutes for each in rows]),
            work=Work.of(spells),
            road=Road.of(tuple(rows), spells, services, terms, first),
        )

    @property
    def is_limited(self) -> bool:
        """Whether any place can only do so much a day."""
        return bool((self.units_per_day != UNLIMITED).any())

    def departures(self, now: datetime, *, units: int = 1, booked: Booked | None = None, in_time: bool = False) -> Departures:
        """When so many units leave each place, if they are ordered now, or were ``in_time`` for its last cutoff. ``X`` is ``L``."""
        placed, at_once = self._placed(now, in_time=in_time)
        waiting, waits = self._waiting(placed, units, booked or {})
        rows = self.row[waiting]
        return at_once.but(waiting, self._departures(rows, waits, placed[rows])) if len(waiting) else at_once

    def cutoff(self, row: int, now: datetime) -> time:
        """The last cutoff of its day that has passed by that row of hours, on the clock there. One has to have."""
        placed, _ = self._placed(now, in_time=True)
        return _clock(int(placed[row]), self.hours[row].time_zone)

    def miles_to(self, there: GeoPoint | None) -> tuple[float | None, ...]:
        """How far each place is from there. None: nobody knows where one of them is. ``[L]``."""
        known = self._miles.get(there)
        if known is None:
            if len(self._miles) >= DESTINATIONS_KNOWN_MAX:
                self._miles.clear()
            positions = [each.position for each in self.locations]
            known = self._miles[there] = tuple(
                None if here is None or there is None else miles_between(here, there) for here in positions
            )
        return known

    def worked_on(self, now: datetime) -> Days:
        """The local day on which each place works on what is ordered now, if nobody waits there. ``datetime64[D]``, ``[L]``."""
        taken = self.departures(now).taken
        return self.work.days[self.row, self.work.nth[self.row, taken]].astype("datetime64[D]")

    def pickups(self, now: datetime, *, units: int = 1, booked: Booked | None = None) -> Departures:
        """When so many units are ready to be picked up at each place, while it is open. ``X`` is ``L``, and nothing leaves."""
        placed = self._all_at(now)
        at_once = self._readied(np.arange(len(self.hours)), NO_WAIT, self.pickup_minutes, placed)
        waiting, waits = self._waiting(placed, units, booked or {})
        rows = self.row[waiting]
        ready = at_once.of(self.row).but(waiting, self._readied(rows, waits, self.pickup_minutes[rows], placed[rows]))
        return replace(ready, ready=self.work.within(self.open_row, ready.ready))

    def _placed(self, now: datetime, *, in_time: bool) -> tuple[Ints, Departures]:
        """When the order is placed by each row of hours, and what becomes of it where nobody waits. ``[T]``, ``X`` is ``L``."""
        key = minutes_of(now), in_time
        known = self._at_once.get(key)
        if known is None:
            if len(self._at_once) >= MINUTES_KEPT_MAX:
                self._at_once.clear()
            placed = _ints([self._passed(row, now) for row in range(len(self.hours))]) if in_time else self._all_at(now)
            known = placed, self._departures(np.arange(len(self.hours)), NO_WAIT, placed).of(self.row)
            self._at_once[key] = known
        return known

    def _passed(self, row: int, now: datetime) -> int:
        """The last cutoff of its day that has passed by that row of hours; now, if none has."""
        here = now.astimezone(ZoneInfo(self.hours[row].time_zone))
        minute, cutoff = minutes_of(now), self.spells[row].cutoff
        passed = int(cutoff.searchsorted(minute))
        last = int(cutoff[passed - 1]) if passed else 0
        return last if datetime.fromtimestamp(last * 60, here.tzinfo).date() == here.date() else minute

    def _all_at(self, now: datetime) -> Ints:
        return np.full(len(self.hours), minutes_of(now))

    def _departures(self, rows: Ints, waits: Ints, placed: Ints) -> Departures:
        ready = self._readied(rows, waits, self.processing_minutes[rows], placed, self.processing_days[rows])
        leaves, left_on = self.road.leaves(rows, ready.ready)
        return replace(ready, leaves=leaves, left_on=left_on)

    def _readied(self, rows: Ints, waits: Ints, minutes: Ints, placed: Ints, days: Ints = NO_WAIT) -> Departures:
        taken = self.work.taken(rows, placed)
        spell = self.work.later(rows, taken, waits + days)
        begins = np.maximum(placed, self.work.opens[rows, spell])
        ready = self.work.after(rows, spell, begins, minutes)
        nowhere = np.zeros((len(rows), 0), dtype=np.int64)
        return Departures(
            taken=taken,
            waits=np.zeros(len(rows), dtype=np.int64) + waits,
            begins=begins,
            ready=ready,
            leaves=nowhere,
            left_on=nowhere,
        )

    def _waiting(self, placed: Ints, units: int, booked: Booked) -> tuple[Ints, Ints]:
        """The places at which others are served first, and for how many days of work."""
        if not self.is_limited:
            return NO_PLACES, NO_PLACES
        busy = self._busy(booked)
        concerned = (self.units_per_day != UNLIMITED) & (busy.any(axis=1) | (self.units_per_day < units))
        places = np.flatnonzero(concerned)
        if not len(places):
            return places, places
        rows = self.row[places]
        backlog = Backlog(
            units_per_day=self.units_per_day[places],
            days=(self.first - EPOCH).days + np.arange(AHEAD_DAYS),
            booked=busy[places],
        )
        waits = self.work.waits(rows, self.work.taken(rows, placed[rows]), backlog, units)
        return places[waits > 0], waits[waits > 0]

    def _busy(self, booked: Booked) -> Ints:
        """What is booked, by place and day of the board. ``[L, B]``."""
        found = np.zeros((len(self.row), AHEAD_DAYS), dtype=np.int64)
        for (location, day), units in booked.items():
            column = (day - self.first).days
            if location in self.places and 0 <= column < AHEAD_DAYS:
                found[self.places[location], column] = units
        return found


def arrivals(board: Board, departures: Departures, zones: Ints, calendar: Calendar) -> Days:
    """The day on which it is handed over, by each place and service; ``NaT`` where it never is.

    Args:
        board: All places.
        departures: From ``board.departures``.
        zones: The postal zone of each lane, from 1. ``[L]``
        calendar: The days on which goods are handed over where it goes.

    Returns:
        ``datetime64[D]``, ``[L, V]``
    """
    days = board.road.arrives(departures.left_on, board.road.transit[:, zones - 1].T, calendar)
    return np.where(days < NEVER, days.astype("datetime64[D]"), np.datetime64("NaT"))


def days_late(arriving: Days, promised: date) -> Ints:
    """How many days after that day each arrives: 0 for those in time, ``LATE`` where nothing does. Of any shape."""
    days = (arriving - np.datetime64(promised, "D")).astype(np.int64)
    return np.where(np.isnat(arriving), LATE, np.maximum(days, 0))


def first_day(now: datetime) -> date:
    """The day with which the board of that instant begins: as long as it is the same, so is the board."""
    return now.astimezone(UTC).date() - timedelta(days=BEFORE_DAYS)


def minutes_of(now: datetime) -> int:
    """Minutes since 1970, a minute that has begun counted whole: what comes half a minute after a cutoff is late."""
    return int(-(-now.timestamp() // 60))


@lru_cache(maxsize=4_096)
def _clock(minute: int, zone: str) -> time:
    """What a clock there shows then."""
    return datetime.fromtimestamp(minute * 60, ZoneInfo(zone)).time()


def _opening(location: Location, schedule: Schedule) -> Hours:
    """When customers come: while it is open, by what its source says; where that says nothing, while it works."""
    return hours_of(location, replace(schedule, shifts=()) if location.hours else schedule)


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)
