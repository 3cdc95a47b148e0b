"""Places as their sources describe them, and as the operator knows better."""

import pytest

from gateway.ports import Correction
from gateway.services.network import corrected, zone_named
from tests.samples import PLACES


def test_limits_and_groups_are_the_operators_word_alone_and_go_when_it_is_taken_back() -> None:
    said = Correction(units_per_day=0, slot_minutes=30, pickups_per_slot=2, groups=frozenset({"east"}))
    limited = corrected(PLACES[0], said)
    assert (limited.units_per_day, limited.slot_minutes, limited.pickups_per_slot) == (0, 30, 2)
    assert limited.groups == {"east"}
    assert corrected(limited, Correction()) == PLACES[0]


@pytest.mark.parametrize(
    ("named", "known"),
    [
        ("Pacific/Auckland", "Pacific/Auckland"),
        (None, "UTC"),
        ("", "UTC"),
        ("Central Standard Time", "UTC"),
        ("America", "UTC"),
        ("../etc/passwd", "UTC"),
    ],
)
def test_a_time_zone_that_there_is_not_is_taken_for_utc(named: str | None, known: str) -> None:
    assert zone_named(named) == known
