"""What somebody would like to try: the world as it is, but for this."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import Final

from connectors.contract import Sku
from gateway.domain.identity import LocationId, SourceName
from gateway.domain.policies import (
    LEAST_COST,
    OrderFacts,
    PackageWeight,
    Places,
    PolicyKey,
    RoutingPolicy,
    Rule,
    UnitWeight,
    matching,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationCosts:
    """What it would cost more to send from a location, or less where it is below zero. ``code`` is the location's."""

    source: SourceName
    code: str
    pick_cents: int = 0
    handling_cents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposition:
    """Everything that is to be otherwise.

    Attributes:
        stock: Units that could be promised.
        costs: What locations would cost more.
        closed: Locations that could send nothing.
        cutoffs: Until when locations would take orders, by the clock on their walls.
        policy: By which version it would be routed, whether or not it is in force; None: as things are.
        at: When it would be ordered; None: now.
    """

    stock: Mapping[tuple[Sku, LocationId], int] = field(default_factory=dict)
    costs: Sequence[LocationCosts] = ()
    closed: frozenset[LocationId] = frozenset()
    cutoffs: Mapping[LocationId, time] = field(default_factory=dict)
    policy: PolicyKey | None = None
    at: datetime | None = None


NOTHING: Final = Supposition()


def dearer(policy: RoutingPolicy, costs: Sequence[LocationCosts], order: OrderFacts) -> RoutingPolicy:
    """The policy with these costs in the weights of every rule, so that whatever this order goes by has them."""
    if not costs:
        return policy
    unruled = () if matching(policy, order) != LEAST_COST else (LEAST_COST,)
    return replace(policy, rules=tuple(_dearer(rule, costs) for rule in (*policy.rules, *unruled)))


def _dearer(rule: Rule, costs: Sequence[LocationCosts]) -> Rule:
    places = [Places(codes=(each.code,), sources=(each.source,)) for each in costs]
    packages = tuple(PackageWeight(places=at, pick_cents=each.pick_cents) for at, each in zip(places, costs, strict=True))
    units = tuple(UnitWeight(places=at, handling_cents=each.handling_cents) for at, each in zip(places, costs, strict=True))
    weights = replace(rule.weights, packages=(*rule.weights.packages, *packages), units=(*rule.weights.units, *units))
    return replace(rule, weights=weights)
