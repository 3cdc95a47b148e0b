"""A promise to a customer: when it leaves, when it arrives, until when that holds, and how it was worked out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from gateway.domain.delivery.board import Board, Departures
from gateway.domain.delivery.calendars import Calendar
from gateway.domain.delivery.carriers import Destination
from gateway.domain.delivery.schedules import EPOCH, Schedule
from gateway.domain.delivery.work import NEVER
from gateway.domain.identity import LocationId


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisePart:
    """One step of a promise, and why it takes so long. ``at`` is when it is over, on the clock of where it happens.

    ``name`` is ``order``, ``cutoff``, ``backlog``, ``processing``, ``collection``, ``transit``, ``delivery`` or ``pickup``.
    """

    name: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """When goods leave a location and reach the customer, each instant by the clock of where it happens.

    They arrive between ``earliest`` and ``deliver_by``, both in ``time_zone``, the customer's, with that ``confidence`` (0 to 1;
    None: nobody has counted). It holds for whatever is ordered by ``cutoff_at``, as far as others leave room: it takes its units of
    the location's local day ``worked_on``. A pickup is there when it is ready, and there is no carrier.
    """

    location: LocationId
    ship_by: datetime
    deliver_by: datetime
    earliest: datetime
    cutoff_at: datetime
    worked_on: date
    time_zone: str
    parts: tuple[PromisePart, ...]
    carrier: str | None = None
    service: str | None = None
    confidence: float | None = None

    @property
    def deliver_on(self) -> date:
        """The last day of it, by the customer's calendar."""
        return self.deliver_by.date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a promise is read from: a board, what it says of orders placed ``now``, and where things go (in its ``time_zone``)."""

    board: Board
    departures: Departures
    now: datetime
    destination: Destination
    time_zone: str

    def shipped(self, location: LocationId, service: int, zone: int) -> Promise | None:
        """By the service of that index, in a postal zone. None: never, as far as one can see."""
        place, road = self.board.places[location], self.board.road
        leaves, left_on = self.departures.leaves[place, service].item(), self.departures.left_on[place]
        transit = road.transit[:, zone - 1]
        early = np.array([carrier.early_days for carrier in road.carriers])
        calendar = self.destination.calendar
        latest = road.arrives(left_on, transit, calendar)[service].item()
        soonest = road.arrives(left_on, np.maximum(transit - early, np.minimum(transit, 1)), calendar)[service].item()
        if latest >= NEVER:
            return None
        there, here, schedule = ZoneInfo(self.time_zone), self._zone(place), self._schedule(place)
        ship_by = _at(leaves, here)
        deliver_by = max(datetime.combine(_date(latest), self.destination.ends, there), ship_by.astimezone(there))
        parts = (
            *self._at_the_location(place, schedule.processing_minutes, schedule.processing_days),
            *self._on_the_road(place, service, zone, ship_by, deliver_by),
        )
        return Promise(
            location=location,
            carrier=road.services[service].carrier,
            service=road.services[service].name,
            ship_by=ship_by,
            deliver_by=deliver_by,
            earliest=max(datetime.combine(_date(soonest), self.destination.begins, there), ship_by.astimezone(there)),
            confidence=road.carriers[service].on_time,
            cutoff_at=_at(self._holds_until(place, leaves), here),
            worked_on=self._worked_on(place),
            time_zone=self.time_zone,
            parts=parts,
        )

    def picked_up(self, location: LocationId) -> Promise | None:
        """At that location, where the departures are those of pickups. None: never, as far as one can see."""
        place = self.board.places[location]
        minute = self.departures.ready[place].item()
        if minute >= NEVER:
            return None
        here = self._zone(place)
        ready = _at(minute, here)
        told = PromisePart(name="pickup", at=ready, why=f"ready {_moment(ready)}, while it is open")
        cutoff = self.board.work.cutoff[self.board.row[place], self.departures.taken[place]].item()
        return Promise(
            location=location,
            ship_by=ready,
            deliver_by=ready,
            earliest=ready,
            cutoff_at=_at(cutoff, here),
            worked_on=self._worked_on(place),
            time_zone=here.key,
            parts=(*self._at_the_location(place, self._schedule(place).pickup_minutes, 0), told),
        )

    def _zone(self, place: int) -> ZoneInfo:
        return ZoneInfo(self.board.hours[int(self.board.row[place])].time_zone)

    def _worked_on(self, place: int) -> date:
        row, taken, work = self.board.row[place], self.departures.taken[place], self.board.work
        return _date(work.days[row, work.nth[row, taken] + self.departures.waits[place]].item())

    def _schedule(self, place: int) -> Schedule:
        return self.board.hours[int(self.board.row[place])].schedule

    # ------------------------------------------------------------------------------------------ until when it holds
    def _holds_until(self, place: int, leaves: int) -> int:
        """The last minute in which an order still leaves then.

        Counted back from the collection in minutes of work. While others wait there too, it is the cutoff of the spell in which it
        is taken up: how many they will be later, nobody knows.
        """
        row, taken, work = self.board.row[place], self.departures.taken[place].item(), self.board.work
        if self.departures.waits[place]:
            return int(work.cutoff[row, taken])
        opens, before = work.opens[row], work.before[row]
        last = np.searchsorted(opens, leaves, side="right") - 1
        latest = min(before[last] + leaves - opens[last], work.done[row, last]) - self.board.processing_minutes[row]
        spells = np.arange(taken, opens.shape[0] - 1)
        rows = np.full(len(spells), row)
        days = self.board.processing_days[row]
        goes_on = work.later(rows, spells, days)
        in_time = spells[(before[goes_on] <= latest) & (opens[goes_on] <= leaves)][-1]
        if days:
            return int(work.cutoff[row, in_time])
        return int(min(work.cutoff[row, in_time], opens[in_time] + latest - before[in_time]))

    # ------------------------------------------------------------------------------------------ how it was worked out
    def _at_the_location(self, place: int, minutes: int, days: int) -> Iterator[PromisePart]:
        """The steps until it is ready, after so much work."""
        row, here = self.board.row[[place]], self._zone(place)
        taken, waits = self.departures.taken[[place]], self.departures.waits[[place]]
        ordered = self.now.astimezone(here)
        yield PromisePart(name="order", at=ordered, why=f"ordered {_moment(ordered)} by the clock there ({here.key})")
        yield self._cutoff(place, ordered)
        if waits.any():
            begins = _at(self.board.work.opens[row, self.board.work.later(row, taken, waits)].item(), here)
            why = f"others are served first: there is room {_day(begins)}"
            yield PromisePart(name="backlog", at=begins, why=why)
        if minutes or days:
            worked = " and ".join(_count(number, unit) for number, unit in ((days, "day"), (minutes, "minute")) if number)
            ready = _at(self.departures.ready[place].item(), here)
            yield PromisePart(name="processing", at=ready, why=f"{worked} of work: ready {_moment(ready)}")

    def _cutoff(self, place: int, ordered: datetime) -> PromisePart:
        """When it is taken up, and why not earlier."""
        row, taken, here, work = self.board.row[place], self.departures.taken[place].item(), self._zone(place), self.board.work
        day = self.board.spells[row].day
        opens, cutoff, closes = (_at(each[row, taken].item(), here) for each in (work.opens, work.cutoff, work.closes))
        today = (ordered.date() - EPOCH).days
        half = ", a half day" if self.board.spells[row].short[taken] else ""
        if day[taken] <= today and cutoff == closes:
            why = f"in time: there is work until {_moment(closes)}{half}"
        elif day[taken] <= today:
            why = f"in time for the cutoff {_moment(cutoff)}{half}"
        elif today in day:
            missed = _at(work.cutoff[row, taken - 1].item(), here)
            why = f"after the cutoff {_moment(missed)}: taken up {_moment(opens)}, the next day of work{half}"
        else:
            why = f"no work {_day(ordered)}: taken up {_moment(opens)}, the next day of work{half}"
        return PromisePart(name="cutoff", at=max(ordered, opens), why=why)

    def _on_the_road(self, place: int, service: int, zone: int, ship_by: datetime, deliver_by: datetime) -> Iterator[PromisePart]:
        """The steps from the carrier's collection on."""
        road = self.board.road
        by, days = road.services[service], road.transit[service, zone - 1].item()
        yield PromisePart(name="collection", at=ship_by, why=f"{by.carrier} collects next {_moment(ship_by)}")
        left_on, transit = self.departures.left_on[place], road.transit[:, zone - 1]
        there = _date(road.arrives(left_on, transit, Calendar())[service].item())
        arrived = datetime.combine(there, time(0), deliver_by.tzinfo)
        yield PromisePart(
            name="transit",
            at=max(arrived, ship_by.astimezone(deliver_by.tzinfo)),
            why=f"{_count(days, 'working day')} by {by.name} in zone {zone}: there {_day(there)}",
        )
        waits = "" if there == deliver_by.date() else f", as nobody delivers {_day(there)}"
        why = f"handed over by {_moment(deliver_by)} by the customer's clock ({self.time_zone}){waits}"
        yield PromisePart(name="delivery", at=deliver_by, why=why)


def _at(minute: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(minute * 60, zone)


def _date(day: int) -> date:
    return EPOCH + timedelta(days=day)


def _day(on: date) -> str:
    return f"{on:%a} {on.day} {on:%b}"


def _moment(at: datetime) -> str:
    return f"{_day(at)} {at:%H:%M}"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"
