"""What a location can do in a day, and whom it can serve at a time: counted like stock, on shelves of made-up SKUs.

A local day of a location is a shelf, and so is a pickup slot. Holds and work take units from them as they take goods, so that the
same ledger, the same expiry and the same guard keep them, in the same transaction. Only what has a limit is counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from connectors.contract import OpeningHours, Sku
from gateway.domain.fulfillments import Units
from gateway.domain.locations import Location

MADE_UP: Final = "~"
"""No SKU of a client or a source begins so."""

_DAY: Final = "~day:"
_SLOT: Final = "~slot:"
_ALL_DAY: Final = (time(0), time(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class PickupSlot:
    """A time in which customers pick up: from ``start`` until just before ``end``, in UTC."""

    start: datetime
    end: datetime


def is_made_up(sku: Sku) -> bool:
    """Whether it stands for a day or a slot, and not for goods."""
    return sku.startswith(MADE_UP)


def day_of(on: date) -> Sku:
    """The shelf of a local day: what it counts are units."""
    return Sku(f"{_DAY}{on.isoformat()}")


def slot_of(start: datetime) -> Sku:
    """The shelf of a pickup slot: what it counts are pickups. Named by its instant: some wall times come twice a year."""
    return Sku(f"{_SLOT}{start.astimezone(UTC):%Y-%m-%dT%H:%M}Z")


def day_named(sku: Sku) -> date | None:
    """The local day that a made-up SKU stands for, if it stands for one."""
    return date.fromisoformat(sku.removeprefix(_DAY)) if sku.startswith(_DAY) else None


def slot_named(sku: Sku) -> datetime:
    """The instant at which the slot begins that a made-up SKU stands for."""
    return datetime.fromisoformat(sku.removeprefix(_SLOT))


def local_day(location: Location, at: datetime) -> date:
    """The day that the location has at that instant."""
    return at.astimezone(ZoneInfo(location.time_zone)).date()


def limit_at(location: Location, sku: Sku) -> int | None:
    """The most that may be kept on a made-up shelf of that location; None: as many as come."""
    return location.units_per_day if sku.startswith(_DAY) else location.pickups_per_slot


def bookings(location: Location, units: int, *, day: Sku, slot: datetime | None) -> tuple[Units, ...]:
    """What so many units take of the location's limits: nothing of what it has no limit for."""
    found = []
    if location.units_per_day is not None:
        found.append(Units(sku=day, units=units))
    if slot is not None and location.pickups_per_slot is not None:
        found.append(Units(sku=slot_of(slot), units=1))
    return tuple(found)


def slots_on(location: Location, on: date) -> tuple[PickupSlot, ...]:
    """The slots that begin on that local day, in order: one after another while it is open; always, where no hours are known.

    They are of equal length in real time. One that would end after closing is none. Closing no later than opening: the day after.
    """
    if location.slot_minutes is None:
        return ()
    zone = ZoneInfo(location.time_zone)
    found = {
        slot.start: slot
        for opened_on in (on - timedelta(days=1), on)
        for opens_at, closes_at in _hours_on(location.hours, opened_on)
        for slot in _slots_between(
            datetime.combine(opened_on, opens_at, zone),
            datetime.combine(opened_on + timedelta(days=closes_at <= opens_at), closes_at, zone),
            timedelta(minutes=location.slot_minutes),
        )
        if slot.start.astimezone(zone).date() == on
    }
    return tuple(found[start] for start in sorted(found))


def slot_beginning(location: Location, start: datetime) -> PickupSlot | None:
    """The slot of that location that begins at that instant."""
    return next((slot for slot in slots_on(location, local_day(location, start)) if slot.start == start), None)


def _hours_on(hours: tuple[OpeningHours, ...], on: date) -> Iterator[tuple[time, time]]:
    if not hours:
        yield _ALL_DAY
    for each in hours:
        if each.weekday == on.weekday():
            yield each.opens_at, each.closes_at


def _slots_between(opened: datetime, closed: datetime, length: timedelta) -> Iterator[PickupSlot]:
    # In UTC: wall time added to wall time is wrong on the days on which clocks change.
    start, closed = opened.astimezone(UTC), closed.astimezone(UTC)
    while start + length <= closed:
        yield PickupSlot(start=start, end=start + length)
        start += length
