"""Places at work, a carrier that comes at five, and what they say to an order at some time on their own wall."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from gateway.domain.delivery import (
    NEVER,
    US_CARRIERS,
    Asked,
    Board,
    Booked,
    Destination,
    Promise,
    Schedule,
    Shift,
    Terms,
)
from gateway.domain.identity import LocationId
from gateway.domain.locations import Location
from gateway.domain.rates import CarrierService, PriceStep
from tests.samples import PLACES

NEW_YORK, LOS_ANGELES, PHOENIX = "America/New_York", "America/Los_Angeles", "America/Phoenix"
BERLIN, LORD_HOWE, KOLKATA = "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"
ZONES: Final = (NEW_YORK, LOS_ANGELES, PHOENIX, BERLIN, LORD_HOWE, KOLKATA)
EVERY_DAY = frozenset(range(7))
STEPS = (PriceStep(grams=1_000, cents=(500, 700)),)
PARCEL = CarrierService(name="Parcel", carrier="Post", steps=STEPS, transit_days=(1, 3), cutoff=time(17))
"""Collects at five from Monday to Friday; a day on its way in the first zone, three in the second."""
COURIER = CarrierService(
    name="Courier", carrier="Bike", steps=STEPS, transit_days=(0, 1), cutoff=time(19), working_days=frozenset(range(6))
)
OFFICE = Shift(opens=time(8), closes=time(18), cutoff=time(14))
NIGHT_AND_DAY = Shift(weekdays=EVERY_DAY)
WORKSHOP = Schedule(name="workshop", shifts=(OFFICE,), holidays=(US_CARRIERS,))
EVERYWHERE = Destination()


def place(zone: str = NEW_YORK, *, location: str = "here", **more: Any) -> Location:
    return replace(PLACES[0], id=LocationId(location), time_zone=zone, schedule="workshop", **more)


def board(
    at: datetime, schedule: Schedule = WORKSHOP, *places: Location, services: Sequence[CarrierService] = (PARCEL,), **terms: Any
) -> Board:
    """What is known on that day."""
    return Board.of(places or (place(),), services, Terms(schedules=(schedule,), **terms), at)


def on_the_wall(text: str, zone: str) -> datetime:
    """The instant at which a clock there shows that, the first of two."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def asked(
    at: datetime,
    known: Board,
    *,
    units: int = 1,
    booked: Booked | None = None,
    to: Destination = EVERYWHERE,
    zone: str = NEW_YORK,
    pickup: bool = False,
) -> Asked:
    read = known.pickups if pickup else known.departures
    found = read(at, units=units, booked=booked)
    return Asked(board=known, departures=found, now=at, destination=to, time_zone=zone)


def sent(
    at: datetime, schedule: Schedule = WORKSHOP, *, where: Location | None = None, to: Destination = EVERYWHERE, **terms: Any
) -> Promise:
    """What is promised of an order at that instant, by the parcel service, into the first zone, where the same clocks are."""
    where = where or place()
    found = asked(at, board(at, schedule, where, **terms), to=to, zone=where.time_zone).shipped(where.id, 0, 1)
    assert found is not None
    return found


def wall(at: datetime) -> str:
    """As a clock where it happens shows it."""
    return f"{at:%Y-%m-%d %H:%M}"


def seen(minutes: np.int64) -> datetime:
    """The instant of a minute of a board."""
    assert minutes < NEVER
    return datetime.fromtimestamp(int(minutes) * 60, UTC)
