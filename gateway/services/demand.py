"""What is asked for most, lately: that is kept fresh first."""

import heapq
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from connectors.contract import Sku

FADES_BY: Final = 0.5
FORGOTTEN_BELOW: Final = 0.1


@dataclass(slots=True, kw_only=True)
class Demand:
    """How often people asked for each SKU, what is longer ago counting less. At most ``skus_max`` are remembered."""

    skus_max: int
    _asked: dict[Sku, float] = field(default_factory=dict)

    def note(self, skus: Collection[Sku]) -> None:
        """Somebody asked for these. Past the bound, what is new waits until something is forgotten."""
        asked = self._asked
        for sku in skus:
            if sku in asked:
                asked[sku] += 1
            elif len(asked) < self.skus_max:
                asked[sku] = 1

    def hottest(self, count: int) -> list[Sku]:
        """The SKUs asked for most, most first."""
        return heapq.nlargest(count, self._asked, key=self._asked.__getitem__)

    def fade(self) -> None:
        """Let some time have passed."""
        self._asked = {sku: times * FADES_BY for sku, times in self._asked.items() if times * FADES_BY >= FORGOTTEN_BELOW}
