"""Scalars that mean one thing each."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

Instant = NewType("Instant", datetime)
Amount = NewType("Amount", Decimal)


def instant_text(value: datetime) -> str:
    """RFC 3339 in UTC."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def instant_of(value: object) -> datetime:
    """The instant that a client wrote.

    Raises:
        ValueError: It is none, or has no offset: then nobody can know which instant is meant.
    """
    if not isinstance(value, str):
        raise ValueError("a DateTime is a string such as 2026-11-22T14:02:00Z")  # noqa: TRY004  # GraphQL wants a ValueError
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError("a DateTime needs an offset, such as Z or -05:00")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise ValueError("a DateTime is between the years 1 and 9999, in UTC too") from None


def amount_of(value: object) -> Decimal:
    """The number that a client wrote.

    Raises:
        ValueError: It is none, or not finite.
    """
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("a Decimal is a number as a string, such as 12.50") from None
    if not found.is_finite():
        raise ValueError("a Decimal is finite")
    return found


SCALARS: dict[object, ScalarDefinition] = {
    Instant: strawberry.scalar(
        name="DateTime",
        description="RFC 3339 instant with an offset; printed in UTC.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
        serialize=instant_text,
        parse_value=instant_of,
    ),
    Amount: strawberry.scalar(
        name="Decimal",
        description="Exact decimal number as a string; never NaN or infinite.",
        specified_by_url="https://en.wikipedia.org/wiki/Decimal#Decimal_fractions",
        serialize=str,
        parse_value=amount_of,
    ),
}
