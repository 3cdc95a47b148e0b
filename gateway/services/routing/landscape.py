"""What was seen of the world, and what may be promised on it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

import numpy as np

from connectors.contract import Sku
from gateway.domain.books import ShelfKey
from gateway.domain.capacity import bookings, day_named, day_of, limit_at, local_day, slot_beginning, slot_named
from gateway.domain.fulfillments import Units
from gateway.domain.geography import Centroids
from gateway.domain.identity import LocationId, SourceName
from gateway.domain.locations import Location
from gateway.domain.plans import UNLIMITED, Ints
from gateway.domain.rates import Weights
from gateway.domain.refusals import (
    CapacityFull,
    InsufficientStock,
    Invalid,
    NotFound,
    ReadingOutdated,
    Refusal,
    Refusals,
    SlotFull,
    StockUnknown,
)
from gateway.domain.reservations import Reservation
from gateway.domain.routing import UNKNOWN, Tariff
from gateway.domain.stock import NETWORK, Reading, Shelf, but_for_safety, contained_in, outdated
from gateway.services.atlas import Atlas
from gateway.services.routing.outlook import NO_POLICIES, Outlook
from gateway.services.routing.wish import Wish
from gateway.services.timetable import Prospects

UNWEIGHED: Final = Weights()

Shelves = Mapping[ShelfKey, Shelf]
"""Our promises, as far as there are any."""


@dataclass(frozen=True, kw_only=True)  # without slots: what is worked out of it stays with it
class Landscape:
    """What was seen of the world before deciding: it is decided on later, on locked books, but never on other stock than this.

    ``at`` is when it was seen: work counts on the day that a location had then. ``silent`` sources said nothing current; what
    they may have is unknown. ``unheard`` SKUs are carried by nobody. ``prospects`` None: no dates are promised.
    """

    at: datetime
    atlas: Atlas
    readings: Mapping[ShelfKey, Reading]
    silent: frozenset[SourceName]
    unheard: frozenset[Sku]
    safety_units: Mapping[SourceName, int]
    centroids: Centroids
    tariff: Tariff
    weights: Weights = UNWEIGHED
    outlook: Outlook = NO_POLICIES
    prospects: Prospects | None = None

    @property
    def places(self) -> Mapping[LocationId, Location]:
        """The locations by id."""
        return self.atlas.places

    @cached_property
    def days(self) -> Mapping[LocationId, Sku]:
        """The shelf of the day on which a location works on what is ordered now, where days have a limit: today, if nobody says."""
        today = {each.id: day_of(local_day(each, self.at)) for each in self.atlas.limited}
        if self.prospects is None or not today:
            return today
        board = self.prospects.board
        days = board.worked_on(self.at).tolist()
        return today | {location: day_of(days[board.places[location]]) for location in today if location in board.places}

    @cached_property
    def numbers(self) -> Mapping[Sku, tuple[tuple[ShelfKey, Reading, int], ...]]:
        """The readings of each SKU that say something, with what they say less safety stock."""
        found = defaultdict(list)
        for key, reading in self.readings.items():
            place = self.places.get(key[1])
            if place is not None and reading.available is not None:
                found[key[0]].append((key, reading, reading.available - self.safety_units.get(place.source, 0)))
        return {sku: tuple(each) for sku, each in found.items()}

    @cached_property
    def read_at(self) -> Mapping[SourceName, datetime]:
        """When the oldest of its readings was asked for, by source."""
        found: dict[SourceName, datetime] = {}
        for key, reading in self.readings.items():
            place = self.places.get(key[1])
            if place is not None:
                found[place.source] = min(found.get(place.source, reading.read_at), reading.read_at)
        return found

    # ------------------------------------------------------------------------------------------ stock
    def sellable(self, key: ShelfKey, shelf: Shelf | None) -> int | None:
        """Units held and committed there that there may be at most. None: unknown.

        Raises:
            ReadingOutdated: Somebody decided on a newer reading in the meantime.
        """
        reading, place = self.readings.get(key), self.places[key[1]]
        if reading is None:
            return None if place.source in self.silent else promised(shelf)
        if reading.available is None:
            return None
        return reading.available - self.safety_units.get(place.source, 0) + _contained(reading, shelf)

    def promisable(self, key: ShelfKey, shelves: Shelves) -> int | None:
        """Units that may still be promised there; negative when too many already are. None: unknown.

        Raises:
            ReadingOutdated: Somebody decided on a newer reading in the meantime.
        """
        shelf = shelves.get(key)
        sellable = self.sellable(key, shelf)
        return None if sellable is None else sellable - promised(shelf)

    def available(self, skus: Sequence[Sku], shelves: Shelves) -> Ints:
        """Units that may still be promised of each SKU at each site, or ``UNKNOWN``, as ``[L, n]``.

        Raises:
            ReadingOutdated: Somebody decided on a newer reading in the meantime.
        """
        found = np.empty((len(self.atlas.sites), len(skus)), dtype=np.int64)
        for column, sku in enumerate(skus):
            found[:, column] = self._column(sku)
            for key, reading, _ in self.numbers.get(sku, ()):
                shelf = shelves.get(key)
                if shelf is not None:
                    row = self.atlas.sites.row[key[1]]
                    found[row, column] += _contained(reading, shelf) - shelf.held_units - shelf.committed_units
        return found

    def network_units(self, sku: Sku, shelves: Shelves) -> int:
        """Units that may be promised at all known locations together; what has no location yet is not subtracted.

        Raises:
            ReadingOutdated: Somebody decided on a newer reading in the meantime.
        """
        total = self._unpromised.get(sku, 0)
        for key, reading, units in self.numbers.get(sku, ()):
            shelf = shelves.get(key)
            if shelf is not None:  # what we promised is at few of the places that have it
                total += _free(reading, units, _contained(reading, shelf) - promised(shelf)) - _free(reading, units, 0)
        return total

    def short_in_network(self, wanted: Mapping[Sku, int], shelves: Shelves) -> dict[Sku, tuple[int, int]]:
        """SKUs of which fewer units may be promised altogether than are wanted: holds without a location count as well."""
        short = {}
        for sku, units in wanted.items():
            available = self.network_units(sku, shelves) - promised(shelves.get((sku, NETWORK)))
            if available < units:
                short[sku] = (units, max(available, 0))
        return short

    def refusal(self, sku: Sku, wanted_units: int, available_units: int) -> Refusal:
        """Why so many units of that SKU cannot be promised."""
        path = ("input", "lines")
        if sku in self.unheard:
            return NotFound(what="SKU", name=sku, path=path)
        if self.silent:
            return StockUnknown(sku=sku, silent=" and ".join(sorted(self.silent)), path=path)
        return InsufficientStock(sku=sku, wanted_units=wanted_units, available_units=available_units, path=path)

    # ------------------------------------------------------------------------------------------ capacity
    def made_up(self, at: LocationId | None, slot: datetime | None) -> frozenset[Sku]:
        """The shelves of days and slots that must be seen to decide: of one location, or of all."""
        if at is None or at not in self.places:
            return frozenset(self.days.values())
        return frozenset(each.sku for each in self.bookings(self.places[at], 1, slot=slot, kept=None))

    def bookings(self, place: Location, units: int, *, slot: datetime | None, kept: Reservation | None) -> tuple[Units, ...]:
        """What so many units take of the location's limits: on the day of the slot, else the day held, else today."""
        if place.units_per_day is None and slot is None:  # nearly always
            return ()
        if slot is not None:
            day = day_of(local_day(place, slot))
        elif kept is not None and kept.location == place.id and kept.day is not None:
            day = kept.day
        else:
            day = self.days[place.id]
        return bookings(place, units, day=day, slot=slot)

    def room(self, wish: Wish, shelves: Shelves) -> Ints | None:
        """Units that each site can still do on the day it would do them. None: as many as come, everywhere. ``[L]``."""
        if not self.atlas.limited:  # nearly always
            return None
        found = np.full(len(self.atlas.sites), UNLIMITED, dtype=np.int64)
        for place in self.atlas.limited:
            (day, *_) = self.bookings(place, 1, slot=wish.pickup_slot, kept=wish.kept)
            found[self.atlas.sites.row[place.id]] = (place.units_per_day or 0) - promised(shelves.get((day.sku, place.id)))
        return found

    def full(self, place: Location, booked: Iterable[Units], shelves: Shelves) -> tuple[Refusal, ...]:
        """Which of the location's limits have no room for that."""
        found = []
        for each in booked:
            limit = limit_at(place, each.sku)
            left = each.units if limit is None else limit - promised(shelves.get((each.sku, place.id)))
            if left < each.units:
                found.append(_full(place, each, max(left, 0)))
        return tuple(found)

    def must_offer(self, at: LocationId, slot: datetime, now: datetime) -> None:
        """See to it that customers can be served there then.

        Raises:
            Refusals: There is no such slot, or it has begun.
        """
        place = self.places.get(at)
        if place is None or slot_beginning(place, slot) is None:
            problem = "That location has no pickup slot that begins then; see its pickupSlots."
            raise Refusals((Invalid(problem=problem, path=("input", "pickupSlot")),))
        if slot <= now:
            raise Refusals((Invalid(problem="That pickup slot has begun already.", path=("input", "pickupSlot")),))

    # ------------------------------------------------------------------------------------------ as arrays
    def _column(self, sku: Sku) -> Ints:
        """What the readings say of the SKU less safety stock, without our promises; not to be written to. ``[L]``."""
        known = self._columns.get(sku)
        if known is None:
            known = self._columns[sku] = self._read(sku)
        return known

    def _read(self, sku: Sku) -> Ints:
        column = self._carried_nothing.copy()
        for key, _, units in self.numbers.get(sku, ()):
            column[self.atlas.sites.row[key[1]]] = units
        for place in self._uncounted.get(sku, ()):
            column[self.atlas.sites.row[place]] = UNKNOWN
        return column

    @cached_property
    def _unpromised(self) -> Mapping[Sku, int]:
        """Units of each SKU at all known locations together, without our promises."""
        return {sku: sum(_free(reading, units, 0) for _, reading, units in each) for sku, each in self.numbers.items()}

    @cached_property
    def _columns(self) -> dict[Sku, Ints]:
        return {}

    @cached_property
    def _carried_nothing(self) -> Ints:
        """Nothing where the source speaks, unknown where it is silent. ``[L]``."""
        return np.array([UNKNOWN if each.source in self.silent else 0 for each in self.atlas.in_order], dtype=np.int64)

    @cached_property
    def _uncounted(self) -> Mapping[Sku, tuple[LocationId, ...]]:
        """Where the source speaks of the SKU but does not know how many there are."""
        found = defaultdict(list)
        for (sku, location), reading in self.readings.items():
            if reading.available is None and location in self.places:
                found[sku].append(location)
        return {sku: tuple(each) for sku, each in found.items()}


def promised(shelf: Shelf | None) -> int:
    """Units held and committed on it."""
    return 0 if shelf is None else shelf.held_units + shelf.committed_units


def _free(reading: Reading, units: int, more_units: int) -> int:
    """What a reading that leaves so many units but for safety stock leaves of them if there were so many more."""
    available = reading.available or 0
    return but_for_safety(available + more_units, available - units)


def _contained(reading: Reading, shelf: Shelf | None) -> int:
    """Units committed there that the source's own number has left out already.

    Raises:
        ReadingOutdated: Of others that it does not know of, we have forgotten that they are ours.
    """
    if shelf is None:
        return 0
    if outdated(reading, shelf):
        raise ReadingOutdated(sku=shelf.sku)
    return sum(each.units for each in contained_in(reading, shelf)) if shelf.acknowledged else 0


def _full(place: Location, booked: Units, left: int) -> Refusal:
    day = day_named(booked.sku)
    if day is None:
        return SlotFull(location=place.code, slot=slot_named(booked.sku), path=("input", "pickupSlot"))
    return CapacityFull(location=place.code, day=day, wanted_units=booked.units, available_units=left, path=("input", "lines"))
