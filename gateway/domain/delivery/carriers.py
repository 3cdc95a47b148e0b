"""What is known of carriers beyond their prices, and of the days on which goods are handed over at the other end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Final
from zoneinfo import available_timezones

from gateway.domain.delivery.calendars import EVERY_DAY, US_CARRIERS, Calendar
from gateway.domain.delivery.schedules import Schedule, hours_of
from gateway.domain.geography import PostalArea, check_area
from gateway.domain.identity import LocationId
from gateway.domain.locations import Location
from gateway.domain.rates import TRANSIT_DAYS_MAX, CarrierService

ROWS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """What is known of a carrier's services, or of the one named ``service``; of all of them, where it has no ``name`` either.

    ``holidays``, ``closed`` and ``worked`` are as of a calendar: then it neither collects, carries nor delivers. ``early_days`` is
    how many working days sooner than its transit days it may well be there. ``on_time`` is the share of parcels, 0 to 1, that are
    there when they should; None: nobody has counted.
    """

    name: str | None = None
    service: str | None = None
    holidays: tuple[str, ...] = (US_CARRIERS,)
    closed: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()
    early_days: int = 0
    on_time: float | None = None

    def __post_init__(self) -> None:
        Calendar(holidays=self.holidays, closed=self.closed, worked=self.worked)
        if not 0 <= self.early_days <= TRANSIT_DAYS_MAX:
            raise ValueError(f"early_days are between 0 and {TRANSIT_DAYS_MAX}, not {self.early_days}")
        if self.on_time is not None and not 0 <= self.on_time <= 1:
            raise ValueError(f"on_time is a share between 0 and 1, not {self.on_time}")

    def speaks_of(self, service: CarrierService) -> bool:
        """Whether that service is meant."""
        return self.name in {None, service.carrier} and self.service in {None, service.name}

    def calendar(self, service: CarrierService) -> Calendar:
        """The days on which that service of its moves."""
        return Calendar(weekdays=service.working_days, holidays=self.holidays, closed=self.closed, worked=self.worked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """How goods are handed over in some postal areas (``US:606``, ``CA``); without any, everywhere.

    On days of its calendar, between ``begins`` and ``ends`` by the clock on the customer's wall. ``time_zone`` None: that of the
    location that is closest to the customer.
    """

    areas: tuple[str, ...] = ()
    time_zone: str | None = None
    weekdays: frozenset[int] = EVERY_DAY
    holidays: tuple[str, ...] = ()
    closed: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()
    begins: time = time(8)
    ends: time = time(23, 59)

    def __post_init__(self) -> None:
        for area in self.areas:
            check_area(area)
        if self.time_zone is not None:
            check_time_zone(self.time_zone)
        if not self.begins < self.ends or self.begins.tzinfo is not None or self.ends.tzinfo is not None:
            raise ValueError("deliveries begin before they end, both as times on the wall, without an offset")
        Calendar(weekdays=self.weekdays, holidays=self.holidays, closed=self.closed, worked=self.worked)

    @property
    def calendar(self) -> Calendar:
        """The days on which goods are handed over."""
        return Calendar(weekdays=self.weekdays, holidays=self.holidays, closed=self.closed, worked=self.worked)


PLAIN: Final = Schedule()
ANY_CARRIER: Final = Carrier()
ANYWHERE: Final = Destination()


def check_time_zone(name: str) -> None:
    """See to it that there is such a time zone.

    Raises:
        ValueError: There is none.
    """
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not an IANA time zone such as America/Chicago")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How promised dates come about. Of several that speak of the same thing, the first counts.

    A location follows the schedule it names, else the first of its kind, else the plain one: it works while it is open, and is in
    time for whatever its carriers still take.
    """

    schedules: tuple[Schedule, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    destinations: tuple[Destination, ...] = ()

    def __post_init__(self) -> None:
        if any(len(each) > ROWS_MAX for each in (self.schedules, self.carriers, self.destinations)):
            raise ValueError(f"at most {ROWS_MAX} each of schedules, carriers and destinations")
        names = [each.name for each in self.schedules if each.name]
        if len(set(names)) != len(names):
            raise ValueError("each schedule has a name of its own")

    def schedule_of(self, location: Location) -> Schedule:
        """What that location follows."""
        if location.schedule is not None:
            named = (each for each in self.schedules if each.name == location.schedule)
        else:
            named = (each for each in self.schedules if location.kind in each.kinds)
        return next(named, PLAIN)

    def with_cutoffs(
        self, locations: Sequence[Location], cutoffs: Mapping[LocationId, time]
    ) -> tuple[tuple[Location, ...], "Terms"]:
        """These locations, and terms by which some of them take orders until another time in every shift that it is a part of."""
        found, added = [], []
        for each in locations:
            if each.id not in cutoffs:
                found.append(each)
                continue
            usual = hours_of(each, self.schedule_of(each)).schedule
            shifts = tuple(
                replace(shift, cutoff=cutoffs[each.id]) if cutoffs[each.id] in shift else shift for shift in usual.shifts
            )
            added.append(replace(usual, name=f"supposed for {each.id}", shifts=shifts))
            found.append(replace(each, schedule=added[-1].name))
        return tuple(found), replace(self, schedules=(*added, *self.schedules))

    def carrier_of(self, service: CarrierService) -> Carrier:
        """What is known of the carrier of that service."""
        return next((each for each in self.carriers if each.speaks_of(service)), ANY_CARRIER)

    def destination_of(self, area: PostalArea) -> Destination:
        """How goods are handed over there."""
        return next((each for each in self.destinations if not each.areas or area.startswith(each.areas)), ANYWHERE)
