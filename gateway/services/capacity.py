"""How much of a location's capacity is taken: what it can still do on a day, and whom it can still serve."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from connectors.contract import Sku
from gateway.domain.books import ShelfKey
from gateway.domain.capacity import PickupSlot, day_of, slot_of, slots_on
from gateway.domain.locations import Location
from gateway.domain.stock import Shelf
from gateway.ports import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCapacity:
    """Units that a location can send or hand over on one local day, and how many of them are held or booked."""

    day: date
    units: int
    booked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotCapacity:
    """Pickups that a location can hand over in one slot, and how many of them are held or booked. None: as many as come."""

    slot: PickupSlot
    pickups: int | None
    booked: int | None
    begun: bool


async def day_capacity(store: Store, place: Location, on: date) -> DayCapacity | None:
    """What that day of the location has room for. None: it has no limit, so that nothing is counted."""
    if place.units_per_day is None:
        return None
    booked = await _booked(store, place, [day_of(on)])
    return DayCapacity(day=on, units=place.units_per_day, booked=booked.get(day_of(on), 0))


async def slot_capacities(store: Store, place: Location, on: date, *, now: datetime) -> tuple[SlotCapacity, ...]:
    """The pickup slots of that day of the location, in order."""
    slots = slots_on(place, on)
    limit = place.pickups_per_slot
    booked = {} if limit is None else await _booked(store, place, [slot_of(each.start) for each in slots])
    return tuple(
        SlotCapacity(
            slot=each,
            pickups=limit,
            booked=None if limit is None else booked.get(slot_of(each.start), 0),
            begun=each.start <= now,
        )
        for each in slots
    )


async def _booked(store: Store, place: Location, made_up: Collection[Sku]) -> Mapping[Sku, int]:
    shelves: Mapping[ShelfKey, Shelf] = await store.shelves(made_up) if made_up else {}
    return {sku: each.held_units + each.committed_units for (sku, location), each in shelves.items() if location == place.id}
