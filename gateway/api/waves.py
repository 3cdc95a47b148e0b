"""Waves of orders that were planned together."""

import strawberry

from gateway.api.describe import described
from gateway.api.money import Money
from gateway.api.scalars import Instant
from gateway.services.waves import WavePlan


@described
@strawberry.type
class RoutingWave:
    """Orders that were routed together.

    Attributes:
        at: When they were due.
        orders: So many were planned together.
        alone: So many were decided one by one: their rule asks for more than that they cost least, or they have many lines.
        cost: What the plan costs.
        lower_bound: No plan of these orders costs less.
        optimality_gap: The most that a better plan could save, as a share of the cost.
        took_ms: How long planning took, in milliseconds.
    """

    at: Instant
    orders: int
    alone: int
    cost: Money
    lower_bound: Money
    optimality_gap: float
    took_ms: int

    @staticmethod
    def of(wave: WavePlan) -> "RoutingWave":
        """The wave as the graph shows it."""
        return RoutingWave(
            at=Instant(wave.at),
            orders=wave.orders,
            alone=wave.alone,
            cost=Money.of(wave.cost_cents),
            lower_bound=Money.of(wave.bound_cents),
            optimality_gap=wave.gap,
            took_ms=round(wave.took_s * 1000),
        )
