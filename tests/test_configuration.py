from pathlib import Path

import pytest

from gateway.configuration import Misconfigured, load
from gateway.domain.identity import SourceName

FILE = """
[sources.stores]
connector = "square"
access_token = "env:SQUARE"
visibility_delay_s = 30.0

[sources.boxes]
connector = "square"
access_token = "env:SQUARE"
exclusive = {exclusive}

[[tokens]]
name = "king"
role = "OPERATOR"
secret = "env:KING"
"""
SECRETS = {"SQUARE": "sq0", "KING": "crown"}


def test_only_its_operator_can_say_that_nobody_else_sells_a_sources_stock(tmp_path: Path) -> None:
    file = tmp_path / "dom.toml"
    file.write_text(FILE.format(exclusive="true"), encoding="utf-8")
    sources = load(file, SECRETS).sources
    assert {each.name: each.exclusive for each in sources} == {SourceName("stores"): False, SourceName("boxes"): True}
    assert [each.connection.visibility_delay_s for each in sources] == [30.0, 10.0], "a delay that is known better can be said"


def test_what_is_neither_true_nor_false_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "dom.toml"
    file.write_text(FILE.format(exclusive='"yes"'), encoding="utf-8")
    with pytest.raises(Misconfigured) as found:
        load(file, SECRETS)
    (mistake,) = found.value.mistakes
    assert (mistake.line, mistake.key) == (10, "sources.boxes.exclusive")


LIMITS = """
[[sources.boxes.locations]]
id = "L1"
units_per_day = {units}
slot_minutes = {minutes}
pickups_per_slot = 4
groups = {groups}
"""


def test_a_locations_limits_and_groups_are_read_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "dom.toml"
    file.write_text(
        FILE.format(exclusive="true") + LIMITS.format(units=0, minutes=30, groups='["east", "flagship"]'), encoding="utf-8"
    )
    (_, boxes) = load(file, SECRETS).sources
    (limits,) = boxes.corrections.values()
    assert (limits.units_per_day, limits.slot_minutes, limits.pickups_per_slot) == (0, 30, 4)
    assert limits.groups == {"east", "flagship"}
    file.write_text(FILE.format(exclusive="true") + LIMITS.format(units=-1, minutes=4, groups='"east"'), encoding="utf-8")
    with pytest.raises(Misconfigured) as found:
        load(file, SECRETS)
    assert [mistake.key.rsplit(".", 1)[-1] for mistake in found.value.mistakes] == ["units_per_day", "slot_minutes", "groups"]
