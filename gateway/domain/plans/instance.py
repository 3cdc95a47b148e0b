"""One order as arrays: all that a search for its cheapest plan looks at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.domain.plans.postage import Postage

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

UNLIMITED: Final = 2**31


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instance:
    """One order of n lines, and what each of L locations asks for any part of it.

    All costs are cents. Where they are whole numbers, as they are outside of benchmarks, every sum of them is exact: floats hold
    whole numbers up to 2**53, and are what BLAS multiplies.

    A package of ``u[i]`` units of each line from location l costs ``package_cents[l] + Σ u[i] · unit_cents[l, i]``, what its lane
    asks for its weight, and ``split_cents`` unless it is the first. It is possible where ``u <= stock[l]`` and ``Σ u <= room[l]``.
    Each location sends at most one package.

    Attributes:
        wanted: Units of each line, at least 1. ``[n]``
        stock: Units of each line that a location may send, 0 to ``wanted``; a row of zeros takes no part. ``[L, n]``
        room: Units that a location may send altogether. ``[L]``
        package_cents: For sending anything at all, postage aside. ``[L]``
        unit_cents: For each unit: handling, bid price, less markdown; may be negative. ``[L, n]``
        postage: What carriers ask, by lane.
        lane: The lane of each location. ``[L]``
        grams: What one unit of each line weighs. ``[n]``
        split_cents: For each package after the first.
        whole_lines: All units of a line come from one location.
        together: Lines that travel in one package, whole; each line in one group at most.
        packages_max: How many packages there may be; None: any number.
        miles: How far away each location is, for rules of thumb; infinity: unknown. ``[L]``
        rank: Which location the merchant would rather use, the lowest first, for rules of thumb. ``[L]``
    """

    wanted: Ints
    stock: Ints
    room: Ints
    package_cents: Floats
    unit_cents: Floats
    postage: Postage
    lane: Ints
    grams: Ints
    split_cents: float = 0.0
    whole_lines: bool = False
    together: tuple[tuple[int, ...], ...] = ()
    packages_max: int | None = None
    miles: Floats
    rank: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Which location sends what, what that costs, and what no plan can be below.

    Attributes:
        locations: Distinct, ascending. ``[k]``
        units: Of each line from each of them. ``[k, n]``
        cents: The cost of all packages.
        bound_cents: No plan costs less; ``cents`` itself where that is proven.
    """

    locations: Ints
    units: Ints
    cents: float
    bound_cents: float

    @property
    def optimal(self) -> bool:
        """Whether it is proven that nothing costs less."""
        return self.cents <= self.bound_cents


Strategy = Callable[[Instance], Plan | None]
"""A way to choose a plan; None: it finds none."""
