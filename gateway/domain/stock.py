"""How many units may still be promised: the algebra of stock, and when a reading already contains our own sale.

``available to promise = available at the source − safety stock − holds − commitments that this reading does not contain yet``;
where less than the safety stock is left of that, nothing is promised, and nothing is missing either.

A commitment stops being subtracted only when a reading arrives *whose request started after the source's acknowledgment was
committed here*. Each source has an epoch that goes up with every acknowledgment; a reading carries the epoch it started in. No
clocks are compared.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from connectors.contract import Sku
from gateway.domain.identity import FulfillmentOrderId, LocationId

NETWORK = LocationId("")
"""Where holds and demand stand that have no location yet."""


class Reading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a source said of one SKU at one location, in whole units. None is unknown, never zero.

    A struct that the collector does not know: there may be millions, and walking over them would stop everything for seconds.

    ``read_at`` is ours (when the request for it started), ``as_of`` the source's own.
    """

    sku: Sku
    location: LocationId
    epoch: int
    read_at: datetime
    on_hand: int | None = None
    available: int | None = None
    committed: int | None = None
    incoming: int | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """Units of ours that the source has taken into its own books, and in which epoch."""

    work: FulfillmentOrderId
    units: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Our own promises on one SKU at one location (or ``NETWORK``).

    ``held_units`` are reserved; ``committed_units`` are allocated to orders, of which ``acknowledged`` have reached the source.
    ``settled_epoch`` is the newest epoch up to which commitments have been taken off: an older reading is of no use any more.
    """

    sku: Sku
    location: LocationId
    held_units: int = 0
    committed_units: int = 0
    settled_epoch: int = 0
    version: int = 0
    acknowledged: tuple[Acknowledged, ...] = ()


def outdated(reading: Reading, shelf: Shelf) -> bool:
    """Whether the reading says less than is known: commitments were taken off that it does not contain."""
    return reading.epoch < shelf.settled_epoch


def contained_in(reading: Reading, shelf: Shelf) -> tuple[Acknowledged, ...]:
    """The commitments that the source's own number already contains."""
    return tuple(each for each in shelf.acknowledged if each.epoch <= reading.epoch)


def outstanding_units(reading: Reading, shelf: Shelf) -> int:
    """Units bound to orders that the source's own number does not contain yet."""
    if not shelf.acknowledged:  # nearly always, and asked for every level of every query
        return shelf.committed_units
    return shelf.committed_units - sum(each.units for each in contained_in(reading, shelf))


def available_to_promise(reading: Reading | None, shelf: Shelf, *, safety_units: int = 0) -> int | None:
    """Units that may still be promised from here; negative when too many already are.

    None: nobody knows — the source did not say, or said it before it had taken our newest sales into its books.
    """
    if reading is None or reading.available is None or outdated(reading, shelf):
        return None
    return but_for_safety(reading.available - shelf.held_units - outstanding_units(reading, shelf), safety_units)


def but_for_safety(free_units: int, safety_units: int) -> int:
    """What is left of so many units for promises: safety stock is kept back from what is there, never from what is not."""
    return free_units - min(safety_units, max(free_units, 0))


def network_available_to_promise(at_locations: Iterable[int | None], network: Shelf) -> int | None:
    """Units that may still be promised from anywhere: what is known, less holds and demand that have no location yet.

    None when no location is known. Unrouted demand counts: forgetting it is a classic way to oversell.
    """
    known = [units for units in at_locations if units is not None]
    return sum(known) - network.held_units - network.committed_units if known else None
