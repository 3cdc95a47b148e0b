"""Scalars that mean one thing each."""

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

Instant = NewType("Instant", datetime)
Day = NewType("Day", date)
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


def day_of(value: object) -> date:
    """The day that a client wrote.

    Raises:
        ValueError: It is none, or of another millennium.
    """
    if not isinstance(value, str):
        raise ValueError("a Date is a string such as 2026-11-22")  # noqa: TRY004  # GraphQL wants a ValueError
    found = date.fromisoformat(value)
    if not 2000 <= found.year <= 2999:
        raise ValueError("a Date is between the years 2000 and 2999")
    return found


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
    Day: strawberry.scalar(
        name="Date",
        description="A day of a calendar on somebody's wall, `2026-11-22`: which hours it has depends on where the wall is.",
        specified_by_url="https://scalars.graphql.org/andimarek/local-date.html",
        serialize=date.isoformat,
        parse_value=day_of,
    ),
    Amount: strawberry.scalar(
        name="Decimal",
        description="Exact decimal number as a string; never NaN or infinite.",
        specified_by_url="https://en.wikipedia.org/wiki/Decimal#Decimal_fractions",
        serialize=str,
        parse_value=amount_of,
    ),
}
