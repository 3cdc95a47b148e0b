"""What was seen of the world, and what may be promised on it: the view that the pure rule decides on."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final

import msgspec

from connectors.contract import Address, Method, Sku
from gateway.domain.books import ShelfKey
from gateway.domain.capacity import bookings, day_named, day_of, limit_at, local_day, slot_beginning, slot_named
from gateway.domain.fulfillments import Units, tally
from gateway.domain.geography import Centroids, PostalArea, area_of
from gateway.domain.identity import LocationId, OrderId, SourceName
from gateway.domain.locations import Location
from gateway.domain.rates import Weights
from gateway.domain.refusals import (
    CapacityFull,
    InsufficientStock,
    Invalid,
    NoCandidate,
    NotFound,
    ReadingOutdated,
    Refusal,
    Refusals,
    SlotFull,
    StockUnknown,
)
from gateway.domain.reservations import Reservation
from gateway.domain.routing import (
    NOWHERE,
    Candidate,
    Decision,
    Demand,
    Package,
    Preference,
    Problem,
    Tariff,
    Unroutable,
    decide,
    explain,
)
from gateway.domain.sourcing import DecisionRecord
from gateway.domain.stock import NETWORK, Reading, Shelf, contained_in, outdated

UNWEIGHED: Final = Weights()
POLICY: Final = "least-cost"
POLICY_VERSION: Final = 1

Shelves = Mapping[ShelfKey, Shelf]
"""Our promises, as far as there are any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to go where, and how. ``kept`` is the hold that becomes this order: the day that it was promised for stays."""

    lines: tuple[Units, ...]
    to: Address
    method: Method = Method.SHIP
    preference: Preference = Preference.CHEAPEST
    pickup_at: LocationId | None = None
    pickup_slot: datetime | None = None
    kept: Reservation | None = None


@dataclass(frozen=True, kw_only=True)  # without slots: what is worked out of it stays with it
class Landscape:
    """What was seen of the world before deciding: it is decided on later, on locked books, but never on other stock than this.

    ``at`` is when it was seen: work counts on the day that a location had then. ``silent`` sources said nothing current; what
    they may have is unknown. ``unheard`` SKUs are carried by nobody.
    """

    at: datetime
    locations: tuple[Location, ...]
    readings: Mapping[ShelfKey, Reading]
    silent: frozenset[SourceName]
    unheard: frozenset[Sku]
    safety_units: Mapping[SourceName, int]
    centroids: Centroids
    tariff: Tariff
    weights: Weights = UNWEIGHED

    @cached_property
    def places(self) -> Mapping[LocationId, Location]:
        """The locations by id."""
        return {each.id: each for each in self.locations}

    @cached_property
    def areas(self) -> Mapping[LocationId, PostalArea]:
        """The postal areas of the locations that have an address; none, if no rule asks for them."""
        asked = self.locations if self.tariff.zones.rules else ()
        return {each.id: area_of(each.address) for each in asked if each.address is not None}

    @cached_property
    def days(self) -> Mapping[LocationId, Sku]:
        """The shelf of today of each location whose day has a limit."""
        return {each.id: day_of(local_day(each, self.at)) for each in self.locations if each.units_per_day is not None}

    @cached_property
    def numbers(self) -> Mapping[Sku, tuple[tuple[ShelfKey, Reading, int], ...]]:
        """The readings of each SKU that say something, with what they say less safety stock."""
        found = defaultdict(list)
        for key, reading in self.readings.items():
            place = self.places.get(key[1])
            if place is not None and reading.available is not None:
                found[key[0]].append((key, reading, reading.available - self.safety_units.get(place.source, 0)))
        return {sku: tuple(each) for sku, each in found.items()}

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

    def network_units(self, sku: Sku, shelves: Shelves) -> int:
        """Units that may be promised at all known locations together; what has no location yet is not subtracted.

        Raises:
            ReadingOutdated: Somebody decided on a newer reading in the meantime.
        """
        total = 0
        for key, reading, units in self.numbers.get(sku, ()):
            shelf = shelves.get(key)
            total += units if shelf is None else units + _contained(reading, shelf) - shelf.held_units - shelf.committed_units
        return total

    def short_in_network(self, wanted: Mapping[Sku, int], shelves: Shelves) -> dict[Sku, tuple[int, int]]:
        """SKUs of which fewer units may be promised altogether than are wanted: holds without a location count as well."""
        short = {}
        for sku, units in wanted.items():
            available = self.network_units(sku, shelves) - promised(shelves.get((sku, NETWORK)))
            if available < units:
                short[sku] = (units, max(available, 0))
        return short

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

    # ------------------------------------------------------------------------------------------ deciding
    def route(self, wish: Wish, shelves: Shelves, excluded: Mapping[LocationId, str]) -> tuple[Problem, Decision]:
        """Decide where it comes from.

        Raises:
            Refusals: It cannot come from anywhere; one for each SKU that is short, or each location that is full.
        """
        short = self.short_in_network(tally(wish.lines), shelves)
        full = self._slot_full(wish, shelves)
        if short or full:
            raise Refusals((*(self.refusal(sku, *units) for sku, units in short.items()), *full))
        boundless = self._problem(wish, shelves, excluded)
        problem = replace(boundless, candidates=tuple(self._as_there_is_room(each, wish, shelves) for each in boundless.candidates))
        try:
            return problem, decide(problem)
        except Unroutable as unroutable:
            raise Refusals(self._why_full(wish, shelves, boundless, problem) or self._why(unroutable)) from unroutable

    def fits(self, decision: Decision, wish: Wish, shelves: Shelves, excluded: Mapping[LocationId, str]) -> bool:
        """Whether a decision that was made without looking at these shelves is what is wished for, and nothing in it is taken.

        Raises:
            ReadingOutdated: Somebody decided on a newer reading in the meantime.
        """
        wanted = tally(wish.lines)
        places = {package.location for package in decision.packages}
        return (
            len(places) == len(decision.packages)
            and _covers(decision, wanted)
            and all(self._fits(package, wish, shelves, excluded) for package in decision.packages)
            and not self.short_in_network(wanted, shelves)
        )

    def refusal(self, sku: Sku, wanted_units: int, available_units: int) -> Refusal:
        """Why so many units of that SKU cannot be promised."""
        path = ("input", "lines")
        if sku in self.unheard:
            return NotFound(what="SKU", name=sku, path=path)
        if self.silent:
            return StockUnknown(sku=sku, silent=" and ".join(sorted(self.silent)), path=path)
        return InsufficientStock(sku=sku, wanted_units=wanted_units, available_units=available_units, path=path)

    def record(
        self, problem: Problem, decision: Decision, *, order: OrderId | None, decision_id: str, at: datetime
    ) -> DecisionRecord:
        """The decision as it is kept, with its explanation and a fingerprint of what it was made on."""
        return DecisionRecord(
            id=decision_id,
            order=order,
            decided_at=at,
            policy=POLICY,
            policy_version=POLICY_VERSION,
            inputs_hash=hash_of(problem),
            decision=decision,
            explanation=explain(decision, {each.id: each.name for each in self.locations}),
        )

    # ------------------------------------------------------------------------------------------ how it is decided
    def _fits(self, package: Package, wish: Wish, shelves: Shelves, excluded: Mapping[LocationId, str]) -> bool:
        place = self.places.get(package.location)
        if place is None or not _may(place, wish, excluded):
            return False
        for line in package.lines:
            if (self.promisable((line.sku, place.id), shelves) or 0) < line.units:
                return False
        units = sum(line.units for line in package.lines)
        return not self.full(place, self.bookings(place, units, slot=wish.pickup_slot, kept=wish.kept), shelves)

    def _problem(self, wish: Wish, shelves: Shelves, excluded: Mapping[LocationId, str]) -> Problem:
        wanted = tally(wish.lines)
        return Problem(
            demand=tuple(Demand(sku=sku, units=units) for sku, units in wanted.items()),
            destination=self.centroids.locate(wish.to),
            destination_area=area_of(wish.to) if self.tariff.zones.rules else NOWHERE,
            unit_grams=self.weights.mean_grams(wanted),
            method=wish.method,
            candidates=tuple(
                Candidate(
                    location=each.id,
                    position=each.position,
                    area=self.areas.get(each.id, NOWHERE),
                    available={sku: self.promisable((sku, each.id), shelves) for sku in wanted},
                    methods=each.methods,
                    excluded_because=excluded.get(each.id) or (None if each.active else "INACTIVE"),
                )
                for each in self.locations
            ),
            tariff=self.tariff,
            preference=wish.preference,
            pickup_at=wish.pickup_at,
        )

    def _as_there_is_room(self, candidate: Candidate, wish: Wish, shelves: Shelves) -> Candidate:
        """The candidate with no more units than it has room for, given to the lines in their order.

        The rule knows bounds per SKU only. Bounds that together leave room for every choice it may make are safe; where all of
        the order's units have room, which is nearly always, they bound nothing.
        """
        place = self.places[candidate.location]
        limit = place.units_per_day
        if limit is None:
            return candidate
        (day, *_) = self.bookings(place, 1, slot=wish.pickup_slot, kept=wish.kept)
        left = max(limit - promised(shelves.get((day.sku, place.id))), 0)
        wanted = tally(wish.lines)
        usable = {sku: min(max(candidate.available[sku] or 0, 0), units) for sku, units in wanted.items()}
        if sum(usable.values()) <= left:
            return candidate
        if not left:
            return replace(candidate, excluded_because=candidate.excluded_because or "CAPACITY")
        bounded: dict[Sku, int | None] = {}
        for sku, units in usable.items():
            bounded[sku] = None if candidate.available[sku] is None else min(units, left)
            left -= bounded[sku] or 0
        return replace(candidate, available=bounded)

    def _slot_full(self, wish: Wish, shelves: Shelves) -> tuple[Refusal, ...]:
        if wish.pickup_at is None or wish.pickup_slot is None:
            return ()
        place = self.places[wish.pickup_at]
        booked = self.bookings(place, 1, slot=wish.pickup_slot, kept=wish.kept)
        return self.full(place, [each for each in booked if day_named(each.sku) is None], shelves)

    def _why_full(self, wish: Wish, shelves: Shelves, boundless: Problem, problem: Problem) -> tuple[Refusal, ...]:
        """The locations that would have done, had they had room; none, if that is not what it is about."""
        try:
            decide(boundless)
        except Unroutable:
            return ()
        units = sum(line.units for line in wish.lines)
        bounded = (
            self.places[with_limit.location]
            for without, with_limit in zip(boundless.candidates, problem.candidates, strict=True)
            if without != with_limit
        )
        return tuple(
            refusal
            for place in bounded
            for refusal in self.full(place, self.bookings(place, units, slot=wish.pickup_slot, kept=wish.kept), shelves)
        )

    def _why(self, unroutable: Unroutable) -> tuple[Refusal, ...]:
        excluded = [each.excluded_because for each in unroutable.considered]
        rules = {reason.code for reason in excluded if reason is not None} - {"STOCK", "SOURCE_UNKNOWN"}
        if all(reason is not None and reason.code in rules for reason in excluded):
            return (NoCandidate(why=f"No location can do this: {', '.join(sorted(rules))}."),)
        return tuple(self.refusal(sku, *units) for sku, units in unroutable.short.items())


def promised(shelf: Shelf | None) -> int:
    """Units held and committed on it."""
    return 0 if shelf is None else shelf.held_units + shelf.committed_units


def hash_of(problem: Problem) -> str:
    """A fingerprint of everything that the decision was made on."""
    return hashlib.sha256(msgspec.json.encode(problem, order="sorted")).hexdigest()


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


def _covers(decision: Decision, wanted: Mapping[Sku, int]) -> bool:
    """Whether it sends just what is wanted."""
    sent: dict[Sku, int] = {}
    for package in decision.packages:
        for line in package.lines:
            sent[line.sku] = sent.get(line.sku, 0) + line.units
    return sent == wanted


def _may(place: Location, wish: Wish, excluded: Mapping[LocationId, str]) -> bool:
    """Whether no rule but those of stock and capacity is against it."""
    here = wish.pickup_at in {None, place.id}
    return place.active and here and place.id not in excluded and wish.method in place.methods


def _full(place: Location, booked: Units, left: int) -> Refusal:
    day = day_named(booked.sku)
    if day is None:
        return SlotFull(location=place.code, slot=slot_named(booked.sku), path=("input", "pickupSlot"))
    return CapacityFull(location=place.code, day=day, wanted_units=booked.units, available_units=left, path=("input", "lines"))
