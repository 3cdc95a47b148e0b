"""What is where, right now, and how much of it may still be promised."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import msgspec

from connectors.contract import Sku
from gateway.domain.books import ShelfKey
from gateway.domain.identity import SourceName
from gateway.domain.locations import Location
from gateway.domain.refusals import StoreUnavailable
from gateway.domain.stock import (
    NETWORK,
    Reading,
    Shelf,
    available_to_promise,
    network_available_to_promise,
    outdated,
    outstanding_units,
)
from gateway.ports import Sources, Store
from gateway.services.network import Network
from gateway.services.promises import Promises
from gateway.services.readings import NOT_CARRIED, Answers, Freshness, Readings, Said


class StockLevel(msgspec.Struct, frozen=True, kw_only=True):  # made by the hundred for one query: a struct is made in C
    """One SKU at one location, in whole units. None is unknown, never zero.

    ``reserved`` and ``allocated`` are ours: units held for customers, and units bound to orders (None: our books cannot be read).
    The rest is the source's word.
    """

    sku: Sku
    location: Location
    on_hand: int | None
    available: int | None
    committed: int | None
    incoming: int | None
    reserved: int | None
    allocated: int | None
    safety_stock: int
    available_to_promise: int | None
    as_of: datetime | None
    stale_after: datetime | None
    freshness: Freshness


SOURCES_SHARE: Final = 0.9
"""Of the deadline: the rest is for our own books, which answer in milliseconds."""

NO_PROMISES: Final = Shelf(sku=Sku(""), location=NETWORK)
"""The shelf of any SKU anywhere that we never promised anything on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One SKU over the whole network. Totals are over the levels that are known; None where none is.

    ``notice`` says why ``reserved``, ``allocated`` and ``available_to_promise`` are not known, if they are not.
    """

    sku: Sku
    name: str | None
    available_to_promise: int | None
    on_hand: int | None
    available: int | None
    incoming: int | None
    reserved: int | None
    allocated: int | None
    complete: bool
    carried: bool
    levels: tuple[StockLevel, ...]
    said: tuple[Said, ...]
    notice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Merges what the sources say with what we have promised, in ``deadline_s`` altogether."""

    readings: Readings
    promises: Promises
    store: Store
    network: Network
    sources: Sources
    deadline_s: float

    async def look(self, skus: Collection[Sku], *, age_s_max: float | None = None) -> tuple[Item, ...]:
        """These SKUs, in the order asked for: one read of each source at most, and one of our own books.

        Our books are read after the sources: a sale made in between is then subtracted, never forgotten.
        """
        wanted = tuple(dict.fromkeys(skus))
        now_s = asyncio.get_running_loop().time
        until_s = now_s() + self.deadline_s
        answers = await self.readings.read(wanted, deadline_s=SOURCES_SHARE * self.deadline_s, age_s_max=age_s_max)
        try:
            async with asyncio.timeout_at(until_s):
                shelves = await self.promises.of(wanted)
        except (StoreUnavailable, TimeoutError) as error:
            reason = error.reason if isinstance(error, StoreUnavailable) else "no answer in time"
            notice = f"What we have promised cannot be read now: {reason}."
            return tuple(_without_promises(self._item(sku, answers[sku], {}), notice) for sku in wanted)
        if any(outdated(each, shelves[key]) for key, each in current_readings(answers).items() if key in shelves):
            # Somebody sold on a newer reading in between. It is at hand by now, unless another gateway did.
            self.readings.catch_up(shelves)
            answers = await self.readings.read(wanted, deadline_s=max(0.0, until_s - now_s()))
        return tuple(self._item(sku, answers[sku], shelves) for sku in wanted)

    async def recall(self, skus: Collection[Sku], at: datetime) -> tuple[Item, ...]:
        """What we had promised of these SKUs by then, in the order asked for. What sources said is not kept: it is None."""
        wanted = tuple(dict.fromkeys(skus))
        shelves = await self.store.promises_as_of(wanted, at)
        promised: dict[Sku, list[Shelf]] = {sku: [] for sku in wanted}
        for (sku, _), shelf in sorted(shelves.items()):
            promised[sku].append(shelf)
        return tuple(self._recalled(sku, promised[sku]) for sku in wanted)

    def _item(self, sku: Sku, said: Sequence[Said], shelves: Mapping[ShelfKey, Shelf]) -> Item:
        levels = tuple([level for each in said if each.kept is not None for level in self._levels(sku, each, shelves)])
        shelf = shelves.get((sku, NETWORK), NO_PROMISES)
        name = next((each.kept.name for each in said if each.kept is not None and each.kept.name), None)
        return Item(
            sku=sku,
            name=name,
            available_to_promise=network_available_to_promise([level.available_to_promise for level in levels], shelf),
            on_hand=_total([level.on_hand for level in levels]),
            available=_total([level.available for level in levels]),
            incoming=_total([level.incoming for level in levels]),
            reserved=_total([shelf.held_units, *[level.reserved for level in levels]]),
            allocated=_total([shelf.committed_units, *[level.allocated for level in levels]]),
            complete=all(each.is_current for each in said),
            carried=any(each.reason != NOT_CARRIED for each in said),
            levels=levels,
            said=tuple(said),
        )

    def _levels(self, sku: Sku, said: Said, shelves: Mapping[ShelfKey, Shelf]) -> list[StockLevel]:
        assert said.kept is not None  # noqa: S101  # the caller looked
        safety = self.sources[said.source].safety_units
        levels = []
        for reading in said.kept.readings:
            location = self.network.get(reading.location)
            if location is not None:
                shelf = shelves.get((sku, reading.location), NO_PROMISES)
                levels.append(_level(reading, location, shelf, said, safety))
        return levels

    def _recalled(self, sku: Sku, promised: Sequence[Shelf]) -> Item:
        places = ((self.network.get(shelf.location), shelf) for shelf in promised)
        return Item(
            sku=sku,
            name=None,
            available_to_promise=None,
            on_hand=None,
            available=None,
            incoming=None,
            reserved=sum(shelf.held_units for shelf in promised),
            allocated=sum(shelf.committed_units for shelf in promised),
            complete=False,
            carried=True,
            levels=tuple(
                _past_level(location, shelf, self.sources[location.source].safety_units)
                for location, shelf in places
                if location is not None and (shelf.held_units or shelf.committed_units)
            ),
            said=(),
        )


def _level(reading: Reading, location: Location, shelf: Shelf, said: Said, safety_units: int) -> StockLevel:
    known = reading.available is not None
    return StockLevel(
        sku=reading.sku,
        location=location,
        on_hand=reading.on_hand,
        available=reading.available,
        committed=reading.committed,
        incoming=reading.incoming,
        reserved=shelf.held_units,
        allocated=outstanding_units(reading, shelf),
        safety_stock=safety_units,
        available_to_promise=available_to_promise(reading, shelf, safety_units=safety_units),
        as_of=reading.as_of or reading.read_at,
        stale_after=said.fresh_until,
        freshness=said.freshness if known else Freshness.UNKNOWN,
    )


def _past_level(location: Location, shelf: Shelf, safety_units: int) -> StockLevel:
    """What was promised there; what the source had is not known any more."""
    return StockLevel(
        sku=shelf.sku,
        location=location,
        on_hand=None,
        available=None,
        committed=None,
        incoming=None,
        reserved=shelf.held_units,
        allocated=shelf.committed_units,
        safety_stock=safety_units,
        available_to_promise=None,
        as_of=None,
        stale_after=None,
        freshness=Freshness.UNKNOWN,
    )


def _without_promises(item: Item, notice: str) -> Item:
    """What the sources say, where nobody knows what we have promised of it: unknown is not zero."""
    levels = (msgspec.structs.replace(level, reserved=None, allocated=None, available_to_promise=None) for level in item.levels)
    return replace(
        item, levels=tuple(levels), available_to_promise=None, reserved=None, allocated=None, complete=False, notice=notice
    )


def _total(numbers: Iterable[int | None]) -> int | None:
    known = [each for each in numbers if each is not None]
    return sum(known) if known else None


def current_readings(answers: Answers) -> dict[ShelfKey, Reading]:
    """The readings that may be promised on."""
    return {
        (sku, reading.location): reading
        for sku, said in answers.items()
        for each in said
        if each.is_current and each.kept is not None
        for reading in each.kept.readings
    }


def silent_sources(answers: Answers) -> frozenset[SourceName]:
    """Sources that had nothing current to say of at least one of the SKUs."""
    return frozenset(each.source for said in answers.values() for each in said if not each.is_current)


def never_carried(answers: Answers) -> frozenset[Sku]:
    """SKUs that every source says it does not carry: they do not exist here."""
    return frozenset(sku for sku, said in answers.items() if all(each.reason == NOT_CARRIED for each in said))
