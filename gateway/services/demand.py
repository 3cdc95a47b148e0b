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
    _hot: dict[Sku, None] = field(default_factory=dict)
    _hot_count: int = 0
    _hot_above: float = 0.0

    def note(self, skus: Collection[Sku]) -> None:
        """Somebody asked for these. Past the bound, what is new waits until something is forgotten."""
        asked = self._asked
        for sku in skus:
            times = asked.get(sku, 0.0) + 1
            if times == 1 and len(asked) >= self.skus_max:
                continue
            asked[sku] = times
            if times > self._hot_above:
                self._hot[sku] = None

    def hottest(self, count: int) -> list[Sku]:
        """The SKUs asked for most, most first.

        Every source asks, every few seconds: only those are compared that were the hottest before, or have overtaken the last of
        them since. Time lets all fade alike.
        """
        candidates = self._hot if count <= self._hot_count else self._asked
        found = heapq.nlargest(count, candidates, key=self._asked.__getitem__)
        self._hot, self._hot_count = dict.fromkeys(found), count
        self._hot_above = self._asked[found[-1]] if found and len(found) == count else 0.0
        return found

    def fade(self) -> None:
        """Let some time have passed."""
        self._asked = {sku: times * FADES_BY for sku, times in self._asked.items() if times * FADES_BY >= FORGOTTEN_BELOW}
        self._hot = {sku: None for sku in self._hot if sku in self._asked}
        self._hot_above *= FADES_BY
