"""What goods weigh."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from connectors.contract import Sku
from gateway.domain.tables import rows_under

UNIT_GRAMS: Final = 454  # a pound
GRAMS_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Grams of one unit, packing included: by SKU, and ``unit_grams`` of what nobody has weighed."""

    grams: Mapping[Sku, int] = field(default_factory=dict)
    unit_grams: int = UNIT_GRAMS

    def __post_init__(self) -> None:
        if not 1 <= self.unit_grams <= GRAMS_MAX:
            raise ValueError(f"a unit weighs between 1 and {GRAMS_MAX} grams, not {self.unit_grams}")

    def total_grams(self, units: Mapping[Sku, int]) -> int:
        """What so many units of each SKU weigh together."""
        return sum(count * self.grams.get(sku, self.unit_grams) for sku, count in units.items())

    def mean_grams(self, units: Mapping[Sku, int]) -> int:
        """What one of these units weighs on average, rounded up; there is at least one."""
        # Nearly always nothing has been weighed.
        return -(-self.total_grams(units) // sum(units.values())) if self.grams else self.unit_grams


def parse_weights(text: str) -> Weights:
    """Read ``sku,grams`` rows of comma-separated values under a header; lines that start with ``#`` are comments.

    Raises:
        ValueError: Not such a table. The message names the line.
    """
    grams: dict[Sku, int] = {}
    for line, row in rows_under("sku,grams", text):
        sku, weight = _weighed(row, line)
        if sku in grams:
            raise ValueError(f"line {line} is the second about {sku[:80]!r}")
        grams[sku] = weight
    return Weights(grams=MappingProxyType(grams))


def _weighed(row: list[str], line: int) -> tuple[Sku, int]:
    match row:
        case [sku, grams] if sku.strip() and re.fullmatch("[0-9]{1,7}", grams.strip()) and 1 <= int(grams) <= GRAMS_MAX:
            return Sku(sku.strip()), int(grams)
        case _:
            raise ValueError(f"line {line} is not a SKU and its grams, 1 to {GRAMS_MAX}: {','.join(row)[:80]!r}")
