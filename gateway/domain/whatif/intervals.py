"""How sure a mean is."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

Z: Final = 1.959963984540054
ORDERS_MIN: Final = 4  # with fewer the expansion below is off by more than a hundredth


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean, and what it lies between 95 times in 100. ``low`` and ``high`` are None where there is too little to say."""

    mean: float
    low: float | None = None
    high: float | None = None

    @property
    def certain(self) -> bool:
        """Whether it is above zero or below it for sure."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def interval(differences: Sequence[float]) -> Interval | None:
    """The mean of paired differences with its 95 % confidence interval by Student's t. None: there are none."""
    count = len(differences)
    if not count:
        return None
    values = np.asarray(differences, dtype=np.float64)
    mean = float(values.mean())
    if count < ORDERS_MIN:
        return Interval(mean=mean)
    margin = _t(count - 1) * float(values.std(ddof=1)) / sqrt(count)
    return Interval(mean=mean, low=mean - margin, high=mean + margin)


def _t(freedom: int) -> float:
    """The 97.5 % quantile of Student's distribution: Abramowitz and Stegun, 26.7.5."""
    z = Z
    terms: tuple[float, ...] = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + sum(term / float(freedom**power) for power, term in enumerate(terms, start=1))
