from collections.abc import Iterator
from dataclasses import fields

import pytest

from gateway.domain.refusals import InsufficientStock, Refusal, Refusals, VersionConflict
from tests.samples import MUG


def every(kind: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for each in kind.__subclasses__():
        yield each
        yield from every(each)


@pytest.mark.parametrize("kind", list(every()), ids=lambda kind: kind.__name__)
def test_every_refusal_says_what_it_knows_in_one_sentence(kind: type[Refusal]) -> None:
    known = {each.name: 1.5 if each.type is float else f"<{each.name}>" for each in fields(kind) if each.name != "path"}
    refusal = kind(**known)  # type: ignore[arg-type]  # placeholders, so that the sentence shows where they go
    assert refusal.message
    assert "{" not in refusal.message
    assert refusal.code == refusal.code.upper()
    assert str(refusal) == f"{refusal.code}: {refusal.message}"


def test_several_refusals_are_told_together() -> None:
    short = InsufficientStock(sku=MUG, wanted_units=3, available_units=1)
    stale = VersionConflict(expected_version=1, current_version=2)
    both = Refusals((short, stale))
    assert both.each == (short, stale)
    assert "3 of MUG wanted, 1 can be promised." in str(both)
    assert "Version 1 was expected, it is 2 now." in str(both)
