"""How much worse a change may make things before somebody has to say that it is meant."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.domain.whatif.comparing import Comparison


class Measure(StrEnum):
    """What a guardrail looks at.

    Attributes:
        COST_PERCENT: By how much more an order is paid.
        PACKAGES_PERCENT: By how much more packages an order comes in.
        UNFILLABLE: How many orders more cannot be filled.
        ORDERS: How many orders there are to tell from, filled both ways.
    """

    COST_PERCENT = "COST_PERCENT"
    PACKAGES_PERCENT = "PACKAGES_PERCENT"
    UNFILLABLE = "UNFILLABLE"
    ORDERS = "ORDERS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """What a change may at most do to the orders of the past; null: whatever it likes.

    Attributes:
        cost_percent_max: By how many percent more an order may be paid.
        packages_percent_max: By how many percent more packages an order may come in.
        unfillable_max: How many orders more may go unfilled.
        orders_min: From how many orders at least it has to be told.
    """

    cost_percent_max: float | None = None
    packages_percent_max: float | None = None
    unfillable_max: int | None = None
    orders_min: int = 1

    def __post_init__(self) -> None:
        if self.orders_min < 0:
            raise ValueError(f"orders_min is how many orders there have to be, not {self.orders_min}")


UNGUARDED: Final = Guardrails(orders_min=0)
"""Whatever it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """What is worse than it may be."""

    measure: Measure
    measured: float
    limit: float


def breaches(guardrails: Guardrails, comparison: Comparison) -> tuple[Breach, ...]:
    """Where the second way of the comparison does more than it may."""
    in_force, changed = comparison.scores[:2]
    if changed.compared < guardrails.orders_min:
        return (Breach(measure=Measure.ORDERS, measured=changed.compared, limit=guardrails.orders_min),)
    measured: dict[Measure, tuple[float | None, float | None]] = {
        Measure.COST_PERCENT: (_percent(changed.dearer_share), guardrails.cost_percent_max),
        Measure.PACKAGES_PERCENT: (_percent(changed.more_packages_share), guardrails.packages_percent_max),
        Measure.UNFILLABLE: (changed.unfillable - in_force.unfillable, guardrails.unfillable_max),
    }
    return tuple(
        Breach(measure=measure, measured=found, limit=limit)
        for measure, (found, limit) in measured.items()
        if found is not None and limit is not None and found > limit
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
