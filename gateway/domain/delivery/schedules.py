"""When a location works on orders: as it stands on its wall, and as instants."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from connectors.contract import OpeningHours
from gateway.domain.delivery.calendars import MONDAY_TO_FRIDAY, Calendar, Mask, usual_holidays
from gateway.domain.locations import Location, LocationKind

Ints = NDArray[np.int64]

SITE_DAYS: Final = 100
"""How far ahead the hours of a location are worked out."""
MINUTES_MAX: Final = 30 * 24 * 60
PROCESSING_DAYS_MAX: Final = 30
SHIFTS_MAX: Final = 50
HALF_DAYS_MAX: Final = 200
EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Hours of work on some weekdays (0 is Monday), by the clock on the wall of the location.

    What closes no later than it opens closes on the day after, so that 00:00 to 00:00 is all day. What is ordered by the ``cutoff``
    is taken up in this shift; None: until it closes.
    """

    weekdays: frozenset[int] = MONDAY_TO_FRIDAY
    opens: time = time(0)
    closes: time = time(0)
    cutoff: time | None = None

    def __post_init__(self) -> None:
        Calendar(weekdays=self.weekdays)
        if any(at is not None and at.tzinfo is not None for at in (self.opens, self.closes, self.cutoff)):
            raise ValueError("opens, closes and cutoff are times on the wall, without an offset")
        if self.cutoff is not None and self.cutoff not in self:
            raise ValueError(f"a cutoff is between {self.opens:%H:%M} and {self.closes:%H:%M}, not at {self.cutoff:%H:%M}")

    def __contains__(self, at: time) -> bool:
        """Whether it works then, on its days."""
        return _after(self.opens, at, 0) <= _after(self.opens, self.closes, 1)


ALL_DAY: Final = (Shift(),)


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfDay:
    """A day on which a location closes earlier than usual, and takes up nothing after the ``cutoff`` (None: until it closes)."""

    on: date
    closes: time
    cutoff: time | None = None

    def __post_init__(self) -> None:
        if any(at is not None and at.tzinfo is not None for at in (self.closes, self.cutoff)):
            raise ValueError("closes and cutoff are times on the wall, without an offset")
        if self.cutoff is not None and self.cutoff > self.closes:
            raise ValueError(f"the cutoff of a half day is before it closes at {self.closes:%H:%M}, not at {self.cutoff:%H:%M}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How locations work that name it, and those of its ``kinds`` that name none.

    Without ``shifts`` a location works while it is open, by what its source says; where that says nothing, from Monday to Friday.
    ``holidays``, ``closed`` and ``worked`` are as of a calendar; ``holidays`` None: what is usual where it stands.

    What is taken up leaves its hands ``processing_days`` days of work later, and ``processing_minutes`` minutes of work after that;
    a pickup is ready ``pickup_minutes`` minutes of work after it was taken up.
    """

    name: str = ""
    kinds: frozenset[LocationKind] = frozenset()
    shifts: tuple[Shift, ...] = ()
    holidays: tuple[str, ...] | None = None
    closed: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()
    half_days: tuple[HalfDay, ...] = ()
    processing_days: int = 0
    processing_minutes: int = 0
    pickup_minutes: int = 0

    def __post_init__(self) -> None:
        Calendar(holidays=self.holidays or (), closed=self.closed, worked=self.worked)
        if len(self.shifts) > SHIFTS_MAX or len(self.half_days) > HALF_DAYS_MAX:
            raise ValueError(f"at most {SHIFTS_MAX} shifts and {HALF_DAYS_MAX} half days")
        if len({each.on for each in self.half_days}) != len(self.half_days):
            raise ValueError("each half day is named once")
        if not 0 <= self.processing_days <= PROCESSING_DAYS_MAX:
            raise ValueError(f"processing_days are between 0 and {PROCESSING_DAYS_MAX}, not {self.processing_days}")
        if not all(0 <= minutes <= MINUTES_MAX for minutes in (self.processing_minutes, self.pickup_minutes)):
            raise ValueError(f"processing_minutes and pickup_minutes are between 0 and {MINUTES_MAX}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """All that says when a location works: equal for locations that work alike, which are many."""

    time_zone: str
    schedule: Schedule


def hours_of(location: Location, schedule: Schedule) -> Hours:
    """When that location works, with what the schedule leaves open filled in."""
    address = location.address
    holidays = schedule.holidays
    if holidays is None:
        holidays = usual_holidays("", "") if address is None else usual_holidays(address.country_code, address.region or "")
    shifts = schedule.shifts or tuple(map(_shift, location.hours)) or ALL_DAY
    return Hours(
        time_zone=location.time_zone, schedule=replace(schedule, holidays=holidays, shifts=shifts, name="", kinds=frozenset())
    )


@dataclass(frozen=True, kw_only=True, eq=False)  # without slots: what is worked out of it stays with it
class Spells:
    """Stretches of work without a break, in order and apart.

    Here every time on a wall becomes an instant. Nothing is ever added to the former: some hours come twice a year, some never.

    Attributes:
        day: The local day on which it begins, in days since 1970. ``[K]``
        opens: In minutes since 1970, as all that follow. ``[K]``
        cutoff: What is ordered by then is taken up in it; ascending. ``[K]``
        closes: When it ends. ``[K]``
        short: Which end on a half day. ``[K]``
    """

    day: Ints
    opens: Ints
    cutoff: Ints
    closes: Ints
    short: Ints

    @cached_property
    def done(self) -> Ints:
        """Minutes worked by the end of each. ``[K]``."""
        total: Ints = (self.closes - self.opens).cumsum()
        return total

    @cached_property
    def before(self) -> Ints:
        """Minutes worked before each. ``[K]``."""
        total: Ints = self.done - (self.closes - self.opens)
        return total

    @cached_property
    def days(self) -> Ints:
        """The days on which there is work, ascending. ``[N]``."""
        return np.unique(self.day)

    @cached_property
    def starts(self) -> Ints:
        """Which spell is the first of each day of work. ``[N]``."""
        return np.searchsorted(self.day, self.days)

    @cached_property
    def ends(self) -> Ints:
        """When each day of work is over. ``[N]``."""
        last: Ints = self.closes[np.searchsorted(self.day, self.days, side="right") - 1]
        return last


@lru_cache(maxsize=4_096)
def spells_of(hours: Hours, first: date) -> Spells:
    """The spells of work of ``SITE_DAYS`` days, from the first on."""
    schedule = hours.schedule
    calendar = Calendar(holidays=schedule.holidays or (), closed=schedule.closed, worked=schedule.worked)
    works = calendar.over(first, SITE_DAYS)
    rows = np.concatenate([_of_shift(shift, works, hours.time_zone, first) for shift in schedule.shifts], axis=1)
    day, opens, cutoff, closes = rows[:, np.lexsort((rows[1], rows[0]))]
    short = np.zeros(day.shape, dtype=np.int64)
    for half in schedule.half_days:
        on = day == (half.on - EPOCH).days
        short[on] = 1
        closes[on] = np.minimum(closes[on], minute(half.on, half.closes, ZoneInfo(hours.time_zone)))
        cutoff[on] = np.minimum(cutoff[on], minute(half.on, half.cutoff or half.closes, ZoneInfo(hours.time_zone)))
    # A source may name an hour twice: it is worked once.
    until = np.maximum.accumulate(closes)
    opens = np.maximum(opens, np.append(0, until[:-1]))
    day, opens, cutoff, closes, short = np.stack([day, opens, cutoff, closes, short])[:, opens < closes]
    return Spells(day=day, opens=opens, cutoff=np.maximum.accumulate(cutoff), closes=closes, short=short)


def _of_shift(shift: Shift, works: Mask, zone: str, first: date) -> Ints:
    """Day, opening, cutoff and closing of a shift on all of its days. ``[4, K]``."""
    number = np.arange(SITE_DAYS)
    number = number[works & np.isin((number + first.weekday()) % 7, list(shift.weekdays))]
    closes = on_the_wall(zone, shift.closes, first)[number + (shift.closes <= shift.opens)]
    cutoff = closes
    if shift.cutoff is not None:
        cutoff = np.minimum(closes, on_the_wall(zone, shift.cutoff, first)[number + (shift.cutoff < shift.opens)])
    return np.stack([number + (first - EPOCH).days, on_the_wall(zone, shift.opens, first)[number], cutoff, closes])


@lru_cache(maxsize=4_096)
def on_the_wall(zone: str, at: time, first: date) -> Ints:
    """The instants at which clocks there show that, on each day of a board and on the one after. ``[SITE_DAYS + 1]``."""
    return np.array([minute(first + timedelta(days=number), at, ZoneInfo(zone)) for number in range(SITE_DAYS + 1)], dtype=np.int64)


def minute(day: date, at: time, zone: ZoneInfo) -> int:
    """Minutes since 1970 of a time on a wall: of one that comes twice the first, of one left out what it would have been."""
    return int(datetime.combine(day, at, zone).timestamp()) // 60


def _shift(hours: OpeningHours) -> Shift:
    return Shift(weekdays=frozenset({hours.weekday}), opens=hours.opens_at, closes=hours.closes_at)


def _after(opens: time, at: time, least: int) -> int:
    """Minutes from opening until then, at least so many."""
    return (at.hour * 60 + at.minute - opens.hour * 60 - opens.minute - least) % (24 * 60) + least
