"""What carriers offer: prices by weight and zone, days on the way, and by when a parcel must be ready."""

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import Final

CURRENCY: Final = "USD"
"""Of all cents."""
# Bounds that keep every sum of an exact program inside 64 bits.
CENTS_MAX: Final = 100_000
TRANSIT_DAYS_MAX: Final = 30
STEPS_MAX: Final = 200
NAME_CHARACTERS_MAX: Final = 60

WEEKDAYS: Final = frozenset(range(5))
END_OF_DAY: Final = time(23, 59)


def within(name: str, value: int, limit: int) -> None:
    """See to it that a number is between 0 and that limit.

    Raises:
        ValueError: It is not.
    """
    if not 0 <= value <= limit:
        raise ValueError(f"{name} is between 0 and {limit}, not {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneRate:
    """What a parcel costs in one zone: once for the parcel, and for each unit in it."""

    package_cents: int
    unit_cents: int
    transit_days: int

    def __post_init__(self) -> None:
        within("package_cents", self.package_cents, CENTS_MAX)
        within("unit_cents", self.unit_cents, CENTS_MAX)
        within("transit_days", self.transit_days, TRANSIT_DAYS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceStep:
    """What up to so many ``grams`` cost: ``cents`` by zone, the nearest first."""

    grams: int
    cents: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.grams < 1:
            raise ValueError(f"grams are at least 1, not {self.grams}")
        for cents in self.cents:
            within("a price in cents", cents, CENTS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierService:
    """One service of a carrier.

    ``steps`` are by ascending weight: a parcel costs what the first one says that it is not heavier than. Beyond the last, every
    ``further.grams`` begun cost ``further.cents`` more; without ``further``, goods travel as several parcels that are no heavier.
    ``transit_days`` are working days, by zone. What is asked for by the ``cutoff``, on the wall of the place it leaves from, on one
    of the ``working_days`` (0 is Monday), leaves on that day. ``routed``: orders may be sent by it; otherwise it is only quoted.
    """

    name: str
    carrier: str
    steps: tuple[PriceStep, ...] = field(hash=False)  # there may be many
    transit_days: tuple[int, ...]
    further: PriceStep | None = None
    cutoff: time = time(14)
    working_days: frozenset[int] = WEEKDAYS
    routed: bool = True

    def __post_init__(self) -> None:
        for what in (self.name, self.carrier):
            if not (what.strip() and len(what) <= NAME_CHARACTERS_MAX and what.isprintable()):
                raise ValueError(f"a service and its carrier have names of 1 to {NAME_CHARACTERS_MAX} printable characters")
        if not 1 <= len(self.steps) <= STEPS_MAX:
            raise ValueError(f"{self.name} needs 1 to {STEPS_MAX} steps, not {len(self.steps)}")
        self._check_zones()
        self._check_steps()
        if not self.working_days or not self.working_days <= set(range(7)):
            raise ValueError(f"{self.name} needs working_days between 0 (Monday) and 6")
        if self.cutoff.tzinfo is not None:
            raise ValueError(f"the cutoff of {self.name} is a time on the wall, without an offset")

    def __hash__(self) -> int:
        # Rates are remembered by service, and all of one would take longer to hash than to work out again.
        return hash((self.carrier, self.name))

    @property
    def zones(self) -> int:
        """How many zones it has prices for."""
        return len(self.transit_days)

    def price_cents(self, zone: int, grams: int) -> int:
        """What so many grams cost, as one parcel or as several."""
        last, place = self.steps[-1], zone - 1
        if grams <= last.grams:
            return self.steps[bisect_left(self.steps, grams, key=attrgetter("grams"))].cents[place]
        if self.further is None:
            full, rest = divmod(grams, last.grams)
            return full * last.cents[place] + (self.price_cents(zone, rest) if rest else 0)
        begun = -(-(grams - last.grams) // self.further.grams)
        return last.cents[place] + begun * self.further.cents[place]

    def rate(self, zone: int, *, units: int, unit_grams: int) -> ZoneRate:
        """Its prices as a sum for the parcel and one for each unit: right for one unit, and for all of them in one parcel.

        In between, it may be off by what a step is high, and for one unit by what does not divide. What would be beyond the bounds
        of a ``ZoneRate`` is taken to be at them.
        """
        whole, one = self.price_cents(zone, units * unit_grams), self.price_cents(zone, unit_grams)
        two_or_all = whole if units > 1 else self.price_cents(zone, 2 * unit_grams)
        slope = (two_or_all - one) // max(units - 1, 1)
        # No more than its share: the parcel itself cannot cost less than nothing.
        unit_cents = min(slope, whole // units, CENTS_MAX)
        package_cents = min(whole - units * unit_cents, CENTS_MAX)
        return ZoneRate(package_cents=package_cents, unit_cents=unit_cents, transit_days=self.transit_days[zone - 1])

    def leaves_by(self, asked_at: datetime) -> datetime:
        """The cutoff of the day on which it leaves. ``asked_at`` is in the time zone of the place it leaves from."""
        today = asked_at.date()
        day = self._working_day(today if asked_at.time() <= self.cutoff else today + timedelta(days=1))
        return datetime.combine(day, self.cutoff, tzinfo=asked_at.tzinfo)

    def arrives_by(self, leaves_by: datetime, zone: int) -> datetime:
        """The end of the day on which it arrives, in the time zone of the place it leaves from."""
        day = leaves_by.date()
        for _ in range(self.transit_days[zone - 1]):
            day = self._working_day(day + timedelta(days=1))
        return datetime.combine(day, END_OF_DAY, tzinfo=leaves_by.tzinfo)

    def _working_day(self, day: date) -> date:
        """That day, or the next one on which the carrier works."""
        while day.weekday() not in self.working_days:
            day += timedelta(days=1)
        return day

    def _check_zones(self) -> None:
        prices = (*self.steps, *([] if self.further is None else [self.further]))
        if not self.transit_days or any(len(each.cents) != self.zones for each in prices):
            raise ValueError(f"each price of {self.name} has as many cents as there are transit_days: one for each zone")
        for days in self.transit_days:
            within(f"the transit_days of {self.name}", days, TRANSIT_DAYS_MAX)

    def _check_steps(self) -> None:
        for lighter, heavier in pairwise(self.steps):
            if lighter.grams >= heavier.grams:
                raise ValueError(f"the steps of {self.name} ascend: {heavier.grams} grams cannot follow {lighter.grams}")
            if any(more < less for less, more in zip(lighter.cents, heavier.cents, strict=True)):
                raise ValueError(f"{self.name} cannot take less for {heavier.grams} grams than for {lighter.grams}")


def _per_pound(*, first: tuple[int, ...], further: tuple[int, ...]) -> tuple[tuple[PriceStep, ...], PriceStep]:
    return (PriceStep(grams=454, cents=first),), PriceStep(grams=454, cents=further)


# In the range of what merchants with a contract pay for light parcels in the United States in 2026.
_GROUND: Final = _per_pound(
    first=(855, 900, 953, 1011, 1085, 1171, 1258, 1350), further=(45, 50, 58, 66, 75, 86, 98, 110)
)  # fmt: skip
_EXPRESS: Final = _per_pound(
    first=(1690, 1790, 1920, 2090, 2280, 2480, 2690, 2890), further=(110, 125, 145, 170, 195, 220, 245, 270)
)  # fmt: skip
US_GROUND: Final = CarrierService(
    name="Ground", carrier="US parcel carrier", steps=_GROUND[0], further=_GROUND[1], transit_days=(1, 2, 2, 3, 4, 4, 5, 6)
)
US_EXPRESS: Final = CarrierService(
    name="Express",
    carrier="US parcel carrier",
    steps=_EXPRESS[0],
    further=_EXPRESS[1],
    transit_days=(1, 1, 1, 2, 2, 2, 2, 2),
    routed=False,
)
