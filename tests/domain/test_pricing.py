"""Price books: read by name, kept as JSON, and worth nothing when old."""

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from connectors.contract import Sku
from gateway.domain.identity import LocationId
from gateway.domain.pricing import PriceBook, book_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NORTH, SOUTH = LocationId("north"), LocationId("south")
MUG, LAMP = Sku("MUG"), Sku("LAMP")


def book() -> PriceBook:
    return book_of(
        version=3,
        built_at=NOON,
        horizon=timedelta(days=7),
        locations=[NORTH, SOUTH],
        skus=[MUG, LAMP],
        pi=np.array([[310.4, 0.2], [0.0, 0.0]]),
        kappa=np.array([0.0, 95.6]),
        bound_cents=1200.7,
    )


def test_a_book_says_what_a_unit_and_room_for_it_are_worth_in_whole_cents() -> None:
    assert book().bid_cents(NORTH, MUG) == 310
    assert book().room_cents(SOUTH) == 96
    assert book().bound_cents == 1200


def test_what_is_not_in_a_book_is_worth_nothing_elsewhere() -> None:
    assert book().bid_cents(NORTH, LAMP) == 0
    assert book().bid_cents(LocationId("west"), MUG) == 0
    assert book().room_cents(NORTH) == 0
    assert book().bids == {NORTH: {MUG: 310}}


def test_a_book_is_the_same_after_it_was_kept() -> None:
    assert msgspec.json.decode(msgspec.json.encode(book()), type=PriceBook) == book()


def test_a_book_is_stale_when_it_is_older_than_allowed() -> None:
    hour = timedelta(hours=1)
    assert not book().stale(NOON + hour, hour)
    assert book().stale(NOON + hour + timedelta(seconds=1), hour)
