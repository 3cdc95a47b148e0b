"""How Odoo writes values: many-to-one as ``[id, name]``, nothing as ``false``, time as naive UTC, quantities as floats."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from connectors.contract import ContractBroken

ManyToOne = tuple[int, str] | bool
Text = str | bool

_UNITS_MAX: Final = 10**12
# Odoo keeps quantities as binary floats with at most five decimals; what lies below is noise.
_NOISE: Final = Decimal("0.00001")


def id_of(value: ManyToOne) -> int | None:
    """The id that is linked to."""
    return None if isinstance(value, bool) else value[0]


def name_of(value: ManyToOne) -> str | None:
    """The display name of what is linked to."""
    return None if isinstance(value, bool) else value[1]


def text_of(value: Text) -> str | None:
    """The text, if there is any."""
    return value if isinstance(value, str) and value else None


def time_of(value: Text) -> datetime | None:
    """An instant.

    Raises:
        ContractBroken: It does not read as one.
    """
    text = text_of(value)
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ContractBroken(f"not a time: {text[:40]!r}") from error
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def units_of(quantities: Iterable[float]) -> int:
    """Whole units in a sum of quantities.

    Raises:
        ContractBroken: No stock is that large.
    """
    try:
        total = math.fsum(quantities)
    except OverflowError:
        total = math.inf
    if not abs(total) < _UNITS_MAX:
        raise ContractBroken(f"not a quantity: {total}")
    if total.is_integer():
        return int(total)
    return int(Decimal(str(total)).quantize(_NOISE).to_integral_value(ROUND_FLOOR))
