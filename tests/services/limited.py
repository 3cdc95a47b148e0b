"""A world in which locations can do so much a day, and serve so many customers an hour."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.contract import Method, Sku
from gateway.domain.books import Books
from gateway.domain.capacity import day_of
from gateway.domain.identity import LocationId, ReservationId
from gateway.domain.locations import Location
from gateway.domain.refusals import Refusal, Refusals
from gateway.domain.sourcing import DecisionRecord
from gateway.services.orders import Place, Purchase
from gateway.services.reservations import Hold
from gateway.services.routing import Landscape, record, route
from tests.samples import CUP, EAST, HOME, MUG, PLACES, START, WEST, landscape, numbered, reading, units

TODAY = day_of(START.date())
AT_THREE = START.replace(hour=15)
PLENTY = 1_000
BOTH = frozenset({Method.SHIP, Method.PICKUP})


def places(
    *, east: int | None = None, west: int | None = None, pickups: int | None = None, zones: tuple[str, str] = ("UTC", "UTC")
) -> tuple[Location, ...]:
    """The east and the west; so many units a day, so many pickups an hour."""
    limits = {EAST: east, WEST: west}
    return tuple(
        replace(
            each, units_per_day=limits[each.id], pickups_per_slot=pickups, slot_minutes=60, methods=BOTH, time_zone=zones[number]
        )
        for number, each in enumerate(PLACES)
    )


def world(*, of: int = PLENTY, at: datetime = START, where: tuple[LocationId, ...] = (EAST, WEST), **limits: Any) -> Landscape:
    """So many mugs and cups everywhere."""
    seen = [reading(sku, place, of if place in where else 0) for sku in (MUG, CUP) for place in (EAST, WEST)]
    return landscape(*seen, places=places(**limits), at=at)


def books(now: datetime = START) -> Books:
    return Books(now=now, new_id=numbered())


def hold(count: int, seen: Landscape, *, at: LocationId | None = EAST, slot: datetime | None = None, ttl_s: int = 60) -> Hold:
    return Hold(lines=units((MUG, count)), at=at, slot=slot, ttl=timedelta(seconds=ttl_s), landscape=seen)


def place(
    count: int,
    seen: Landscape,
    *,
    kept: ReservationId | None = None,
    at: LocationId | None = None,
    slot: datetime | None = None,
    plan: DecisionRecord | None = None,
) -> Place:
    bought = Purchase(
        channel="web",
        lines=units((MUG, count)),
        to=HOME,
        method=Method.SHIP if at is None else Method.PICKUP,
        reservation=kept,
        pickup_at=at,
        pickup_slot=slot,
    )
    return Place(purchase=bought, landscape=seen, by="shop", plan=plan)


def booked(on: Books, sku: Sku = TODAY, at: LocationId = EAST) -> tuple[int, int]:
    """What is held and what is committed there."""
    shelf = on.shelf(sku, at)
    return shelf.held_units, shelf.committed_units


def refused(on: Books, command: Any) -> tuple[Refusal, ...]:
    with pytest.raises(Refusals) as told, on.attempt():
        command.decide(on)
    return told.value.each


def planned(count: int, seen: Landscape) -> DecisionRecord:
    """Where somebody would have it come from who knows of no promise."""
    found = record(seen, route(seen, place(count, seen).purchase.wish(), {}, {}), order=None, decision_id="plan", at=START)
    assert found is not None
    return found
