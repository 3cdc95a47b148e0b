"""What was decided, and every reason."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.contract import Sku
from gateway.domain.identity import LocationId
from gateway.domain.routing.candidates import Candidates, Considered
from gateway.domain.routing.problem import EXACT, Constraint, Demand, Preference


@dataclass(frozen=True, slots=True, kw_only=True)
class CostTerm:
    """One part of a price; its name is one of ``Term``."""

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
class Decision:
    """Where an order comes from.

    ``waits`` is what comes from nowhere yet; ``cost_cents`` has its penalty in it. No plan costs less than ``lower_bound_cents``,
    which is the cost itself when ``optimal``. ``considered`` is a tuple in decisions that were kept before there were columns.
    """

    preference: Preference
    packages: tuple[Package, ...]
    cost_cents: int
    lower_bound_cents: int
    considered: Candidates | tuple[Considered, ...]
    waits: tuple[Demand, ...] = ()
    strategy: str = EXACT

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
    location has. ``unknown`` are the SKUs of the order that some usable location may have, but did not say. ``constraints`` are
    those that would have to give way, where there is enough of everything: giving way in any one of them is enough.
    """

    def __init__(
        self,
        *,
        short: Mapping[Sku, tuple[int, int]],
        unknown: frozenset[Sku],
        considered: Candidates,
        constraints: tuple[Constraint, ...] = (),
    ) -> None:
        told = [f"{sku} needs {wanted}, has {available}" for sku, (wanted, available) in short.items()]
        super().__init__(", ".join(told or constraints))
        self.short = short
        self.unknown = unknown
        self.considered = considered
        self.constraints = constraints
