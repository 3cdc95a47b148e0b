"""Holds that go elsewhere, all of them or none."""

import pytest

from gateway.domain.refusals import CapacityFull, InsufficientStock, ReservationExpired
from gateway.domain.stock import NETWORK
from gateway.services.reservations import Move, Release
from tests.samples import EAST, MUG, WEST
from tests.services.limited import booked, books, hold, refused, world


def test_a_hold_is_moved_without_a_gap_and_without_standing_in_its_own_way() -> None:
    on, seen = books(), world(of=3, east=3, west=3)
    kept = hold(3, seen).decide(on)
    for to in (EAST, WEST, None, WEST, EAST):
        moved = Move(reservation=kept.id, to=to, landscape=seen).decide(on)
        assert {line.location for line in moved.lines} == {to or NETWORK}
        assert sum(shelf.held_units for (sku, _), shelf in on.shelves.items() if sku == MUG) == 3
    assert (moved.id, moved.created_at, moved.expires_at) == (kept.id, kept.created_at, kept.expires_at)


def test_a_hold_that_finds_no_room_stays_where_it_is() -> None:
    on, seen = books(), world(of=3, west=2)
    kept = hold(3, seen).decide(on)
    (full,) = refused(on, Move(reservation=kept.id, to=WEST, landscape=seen))
    assert isinstance(full, CapacityFull)
    assert on.reservation(kept.id) == kept
    assert booked(on, MUG) == (3, 0)
    hold(2, seen, at=WEST).decide(on)
    refusals = refused(on, Move(reservation=kept.id, to=WEST, landscape=seen))
    assert [type(each) for each in refusals] == [InsufficientStock, CapacityFull]


def test_a_hold_that_is_over_is_not_moved() -> None:
    on, seen = books(), world()
    kept = hold(3, seen).decide(on)
    Release(reservation=kept.id).decide(on)
    with pytest.raises(ReservationExpired), on.attempt():
        Move(reservation=kept.id, to=WEST, landscape=seen).decide(on)
