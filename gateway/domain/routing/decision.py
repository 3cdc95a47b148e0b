"""What was decided, and every reason."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from connectors.contract import Sku
from gateway.domain.identity import LocationId
from gateway.domain.routing.problem import EXACT, Constraint, Demand, Preference
from gateway.domain.routing.reason import Reason


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


class Shortage(msgspec.Struct, frozen=True, kw_only=True):
    """So many units of a SKU a location would have needed, and so many may be promised there. ``has`` None: nobody knows."""

    sku: Sku
    needs: int
    has: int | None


class Counterfactual(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The least that a location would have needed to be chosen; with one unit less of anything, it would not have been.

    ``room`` is how many units it would have needed room for; None: it has enough. ``saves_cents`` 0: it would have saved a package.
    """

    saves_cents: int
    short: tuple[Shortage, ...] = ()
    room: int | None = None


class Considered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One candidate. A structure, because there are so many of them, and only what there is to say of each is kept.

    ``excluded_because`` is why it could not take part; ``against`` what was against one that could: why it does not send what one
    of those chosen does. ``regret_cents``: the best plan in which it sends at least one unit, less the chosen plan; None when it
    cannot take part, or the order is too large to say. ``alone_cents``: what the order would cost from there alone; None when it
    cannot be.
    """

    location: LocationId
    chosen: bool = False
    excluded_because: Reason | None = None
    against: Reason | None = None
    regret_cents: int | None = None
    alone_cents: int | None = None
    counterfactual: Counterfactual | None = None

    @property
    def cheaper_cents(self) -> int | None:
        """A package from there would have had to cost so much less for it to be chosen whatever comes first. None: no telling."""
        return None if self.chosen or self.regret_cents is None else self.regret_cents + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Where an order comes from.

    ``waits`` is what comes from nowhere yet; ``cost_cents`` has its penalty in it. No plan costs less than ``lower_bound_cents``,
    which is the cost itself when ``optimal``. ``considered`` holds every candidate once: the chosen, then by regret, then those
    of unknown regret, then the excluded.
    """

    preference: Preference
    packages: tuple[Package, ...]
    cost_cents: int
    lower_bound_cents: int
    considered: tuple[Considered, ...]
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
        considered: tuple[Considered, ...],
        constraints: tuple[Constraint, ...] = (),
    ) -> None:
        told = [f"{sku} needs {wanted}, has {available}" for sku, (wanted, available) in short.items()]
        super().__init__(", ".join(told or constraints))
        self.short = short
        self.unknown = unknown
        self.considered = considered
        self.constraints = constraints
