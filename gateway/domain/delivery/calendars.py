"""On which days people work: weekdays, less holidays, with the operator's own word last."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import holidays
import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.datetime64]
"""Days, without a time and without a zone."""
Mask = NDArray[np.bool_]

EVERY_DAY: Final = frozenset(range(7))
MONDAY_TO_FRIDAY: Final = frozenset(range(5))
US_CARRIERS: Final = "us-carriers"
SUNDAY: Final = 6
LISTS_MAX: Final = 20
DATES_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The days on which somebody works.

    ``weekdays``: 0 is Monday. ``holidays`` are lists of days off by name: ``us-carriers``, or a country and perhaps a part of it,
    as ``DE`` and ``DE-BE`` (ISO 3166). ``closed`` are further days off, ``worked`` are days that are none, whatever all others say.
    """

    weekdays: frozenset[int] = EVERY_DAY
    holidays: tuple[str, ...] = ()
    closed: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= EVERY_DAY:
            raise ValueError("weekdays are between 0 (Monday) and 6, at least one")
        if len(self.holidays) > LISTS_MAX or len(self.closed) + len(self.worked) > DATES_MAX:
            raise ValueError(f"at most {LISTS_MAX} lists of holidays and {DATES_MAX} further days")
        for name in self.holidays:
            days_off(name, 2026)

    def over(self, first: date, days: int) -> Mask:
        """Which of so many days, from the first on, are worked. ``[days]``."""
        span = np.datetime64(first, "D") + np.arange(days)
        years = range(first.year, (first + timedelta(days=days)).year + 1)
        off = self.closed.union(*(days_off(name, year) for name in self.holidays for year in years))
        mask = np.is_busday(span, weekmask=[day in self.weekdays for day in range(7)], holidays=_array(off))
        found: Mask = mask | np.isin(span, _array(self.worked))
        return found


@lru_cache(maxsize=1_000)
def days_off(name: str, year: int) -> frozenset[date]:
    """The holidays of a list in a year.

    Raises:
        ValueError: There is no such list.
    """
    if name == US_CARRIERS:
        return frozenset(_us_carriers(year))
    country, _, part = name.partition("-")
    if not _is_known(country, part):
        raise ValueError(f"holidays are {US_CARRIERS!r}, or a country and perhaps a part of it, as US, DE-BE; not {name!r}")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year, expand=False))


@lru_cache(maxsize=1_000)
def usual_holidays(country: str, region: str) -> tuple[str, ...]:
    """What businesses keep where nobody has said otherwise: in the United States, and where nobody knows, what carriers keep.

    Few shops and warehouses there close on all public holidays; elsewhere the law closes them.
    """
    if country == "US" or not _is_known(country, ""):
        return (US_CARRIERS,)
    return (f"{country}-{region}" if region and _is_known(country, region) else country,)


def _is_known(country: str, part: str) -> bool:
    # One country at a time: a list of all of them would have to load them all.
    found = getattr(holidays, country, None) if re.fullmatch("[A-Z]{2}", country) else None
    return found is not None and part in {"", *found.subdivisions, *found.subdivisions_aliases}


def _us_carriers(year: int) -> Iterator[date]:
    """The six days on which the large parcel carriers of the United States neither collect nor deliver."""
    for month, day in ((1, 1), (7, 4), (12, 25)):
        fixed = date(year, month, day)
        # On Sundays most do not work anyway: the Monday after is off in its place.
        yield fixed + timedelta(days=fixed.weekday() == SUNDAY)
    moving: tuple[tuple[str, int, str], ...] = (("06", -1, "Mon"), ("09", 0, "Mon"), ("11", 3, "Thu"))
    for month_name, number, weekday in moving:  # the last Monday of May is the one before the first of June
        yield np.busday_offset(np.datetime64(f"{year}-{month_name}-01"), number, roll="forward", weekmask=weekday).astype(date)


def _array(days: frozenset[date]) -> Days:
    return np.array(sorted(days), dtype="datetime64[D]")
