"""What was decided, and every reason."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.contract import Sku
from gateway.domain.identity import LocationId
from gateway.domain.routing.problem import Demand, Preference


@dataclass(frozen=True, slots=True, kw_only=True)
class CostTerm:
    """One part of a price: ``postage``, ``handling``, ``parcel`` (one more of them), ``waiting`` or ``preference``."""

    name: str
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What one location sends, or hands over. Terms that are zero are left out of ``costs``.

    ``zone`` is None for a pickup. ``miles`` is None when either end is unknown: the zone is then the farthest, unless a rule knows
    it. ``service`` and its ``carrier`` are None for a pickup, and of decisions that were kept before services had names.
    """

    location: LocationId
    lines: tuple[Demand, ...]
    zone: int | None
    miles: float | None
    transit_days: int
    costs: tuple[CostTerm, ...]
    service: str | None = None
    carrier: str | None = None

    @property
    def cost_cents(self) -> int:
        """The sum of its terms."""
        return sum(term.cents for term in self.costs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a location cannot take part.

    ``code`` is ``STOCK``, ``SOURCE_UNKNOWN``, ``METHOD``, ``NOT_THE_PICKUP_LOCATION`` or the name of a rule decided elsewhere.
    """

    code: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """One candidate.

    ``regret_cents``: the best plan in which it sends at least one unit, less the chosen plan; None when it cannot take part, or
    the order is too large to say. ``alone_cents``: what the order would cost from there alone; None when it cannot be.
    """

    location: LocationId
    chosen: bool = False
    excluded_because: Reason | None = None
    regret_cents: int | None = None
    alone_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Where an order comes from.

    No plan costs less than ``lower_bound_cents``, which is the cost itself when ``optimal``. ``considered`` holds every candidate
    once: the chosen, then by regret, then those of unknown regret, then the excluded.
    """

    preference: Preference
    packages: tuple[Package, ...]
    cost_cents: int
    lower_bound_cents: int
    considered: tuple[Considered, ...]

    @property
    def optimal(self) -> bool:
        """Whether it is proven that nothing costs less."""
        return self.cost_cents == self.lower_bound_cents

    @property
    def optimality_gap(self) -> float:
        """The most that a better plan could save, as a share of the cost: 0 is proven best."""
        return 0.0 if self.optimal else (self.cost_cents - self.lower_bound_cents) / self.cost_cents


class Unroutable(Exception):
    """No plan covers the order.

    ``short`` has units wanted and units to be had of each SKU that falls short; where lines may not be split, the most that one
    location has. ``unknown`` are the SKUs of the order that some usable location may have, but did not say.
    """

    def __init__(
        self, *, short: Mapping[Sku, tuple[int, int]], unknown: frozenset[Sku], considered: tuple[Considered, ...]
    ) -> None:
        super().__init__(", ".join(f"{sku} needs {wanted}, has {available}" for sku, (wanted, available) in short.items()))
        self.short = short
        self.unknown = unknown
        self.considered = considered
