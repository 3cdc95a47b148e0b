"""What Amazon would take, and when it would arrive: made up, but the same each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from connectors.sandbox.amazon_mcf.seller import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """One speed. ``days``: until it leaves, and until it arrives, each from and to."""

    per_order: Decimal
    per_unit: Decimal
    ship_days: tuple[int, int]
    arrive_days: tuple[int, int]

    def fee_per_unit(self, lines: Sequence[Line]) -> Decimal:
        """For all units together."""
        return self.per_unit * sum(line.units for line in lines)


# Priority is offered in Canada, India and Mexico only.
TARIFFS: Final = {
    "Standard": Tariff(per_order=Decimal("3.15"), per_unit=Decimal("4.25"), ship_days=(1, 2), arrive_days=(3, 5)),
    "Expedited": Tariff(per_order=Decimal("5.40"), per_unit=Decimal("6.80"), ship_days=(0, 1), arrive_days=(1, 2)),
}
CURRENCY: Final = "USD"


def after(at: datetime, days: int) -> datetime:
    """So many days later."""
    return at + timedelta(days=days)
