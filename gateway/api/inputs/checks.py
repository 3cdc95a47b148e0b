"""Checking what clients send: all that is wrong is told at once, each with its path."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final, TypeVar

import msgspec
import strawberry

from connectors.contract import Sku
from gateway.api.describe import described
from gateway.api.identifiers import key_of
from gateway.domain.capacity import MADE_UP
from gateway.domain.fulfillments import Units
from gateway.domain.identity import LocationId
from gateway.domain.principals import Principal
from gateway.domain.refusals import Invalid, Refusal, Refusals
from gateway.ports import Once

T = TypeVar("T")

SKU_CHARACTERS_MAX: Final = 100
UNITS_MAX: Final = 100_000
LINES_MAX: Final = 100
SKUS_MAX: Final = 250
KEY_CHARACTERS_MAX: Final = 255
VALUE_CENTS_MAX: Final = 1_000_000_000


@described
@strawberry.input
class LineInput:
    """So many units of one SKU.

    Attributes:
        sku: Of what.
        units: How many, 1 to 100,000.
    """

    sku: str
    units: int


class Check:
    """Collects what is wrong with an input, so that it can be told all at once."""

    def __init__(self) -> None:
        self._wrong: list[Refusal] = []

    def that(self, holds: bool, problem: str, path: tuple[str, ...]) -> None:  # reads as a sentence
        """Note a problem, if it is one."""
        if not holds:
            self._wrong.append(Invalid(problem=problem, path=path))

    def done(self) -> None:
        """Say what was wrong, if something was.

        Raises:
            Refusals: All of it.
        """
        if self._wrong:
            raise Refusals(tuple(self._wrong))

    def size(self, each: Sequence[object], path: tuple[str, ...], *, most: int) -> None:
        """There is at least one, and there are not too many."""
        self.that(1 <= len(each) <= most, f"Between 1 and {most} are needed, not {len(each)}.", path)

    def text(self, value: str, path: tuple[str, ...], *, most: int) -> str:
        """A text that a person could have typed on one line."""
        fits = len(value.strip()) >= 1 and len(value) <= most and value.isprintable()
        self.that(fits, f"1 to {most} printable characters are needed.", path)
        return value

    def maybe(self, value: str | None, path: tuple[str, ...], *, most: int) -> str | None:
        """A text, or none."""
        return None if value is None else self.text(value, path, most=most)

    def sku(self, value: str, path: tuple[str, ...]) -> None:
        """A SKU that goods may have: what begins with a tilde stands for something of our own."""
        self.text(value, path, most=SKU_CHARACTERS_MAX)
        self.that(not value.startswith(MADE_UP), f"No SKU begins with {MADE_UP}.", path)

    def lines(self, lines: Sequence[LineInput], path: tuple[str, ...]) -> tuple[Units, ...]:
        """Lines with a SKU and units that make sense."""
        self.size(lines, path, most=LINES_MAX)
        for place, line in enumerate(lines[:LINES_MAX]):
            self.sku(line.sku, (*path, str(place), "sku"))
            fits = 1 <= line.units <= UNITS_MAX
            self.that(fits, f"Units are between 1 and {UNITS_MAX:,}.", (*path, str(place), "units"))
        return tuple(Units(sku=Sku(line.sku), units=line.units) for line in lines[:LINES_MAX])

    def value_cents(self, value: int | None) -> int | None:
        """What the customer pays for the goods, or none."""
        fits = value is None or 0 <= value <= VALUE_CENTS_MAX
        self.that(fits, f"This is between 0 and {VALUE_CENTS_MAX:,}.", ("input", "valueCents"))
        return value

    def firm(self, deliver_by: date | None, *, no_later: bool) -> bool:
        """Whether it must not come later than that day, of which there has to be one."""
        self.that(deliver_by is not None or not no_later, "Later than what? Name a day with deliverBy.", ("input", "noLater"))
        return no_later

    def slot(self, value: datetime | None, path: tuple[str, ...]) -> datetime | None:
        """When a pickup slot begins, or none. Whether there is such a slot is known later."""
        self.that(value is None or 2000 <= value.year <= 2999, "Nobody can pick up anything then.", path)
        return value

    def location(self, value: str | None, path: tuple[str, ...]) -> LocationId | None:
        """A location's id, or none."""
        found = None if value is None else self.key("Location", value, path)
        return None if found is None else LocationId(found)

    def key(self, kind: str, value: str, path: tuple[str, ...]) -> str | None:
        """The key behind an id of that kind."""
        return self._attempt(lambda: key_of(kind, value, what=kind.lower(), path=path))

    def _attempt(self, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except Refusal as refusal:
            self._wrong.append(refusal)
            return None


def skus_of(skus: Sequence[str]) -> tuple[Sku, ...]:
    """SKUs that a query may ask for.

    Raises:
        Refusals: Too many, or not what a SKU can be.
    """
    check = Check()
    check.size(skus, ("skus",), most=SKUS_MAX)
    for place, sku in enumerate(skus[:SKUS_MAX]):
        check.sku(sku, ("skus", str(place)))
    check.done()
    return tuple(Sku(sku) for sku in skus)


def reason_code(value: str) -> str:
    """Why somebody wants something, in a word of theirs.

    Raises:
        Refusals: It is none.
    """
    check = Check()
    reason = check.text(value, ("input", "reasonCode"), most=64)
    check.done()
    return reason


def once(principal: Principal, operation: str, sent: Any) -> Once:
    """Who asks for what under which key.

    Raises:
        Refusals: The key is none.
    """
    check = Check()
    key = check.text(sent.idempotency_key, ("input", "idempotencyKey"), most=KEY_CHARACTERS_MAX)
    check.done()
    # What was left out is not part of it: a request means the same after an upgrade that knows more fields.
    said = ((name, value) for name, value in asdict(sent).items() if value is not None and value is not False)
    content = {name: value for name, value in said if name != "idempotency_key"}
    request_hash = hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
    return Once(principal=principal.name, operation=operation, key=key, request_hash=request_hash)
