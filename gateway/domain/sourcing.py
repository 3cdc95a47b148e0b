"""How an order was routed, as it is kept."""

from dataclasses import dataclass
from datetime import datetime

from gateway.domain.identity import OrderId
from gateway.domain.routing import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """A decision, what it was made on, and when. ``inputs_hash`` is of the problem as it was seen then."""

    id: str
    order: OrderId | None
    decided_at: datetime
    policy: str
    policy_version: int
    inputs_hash: str
    decision: Decision
    explanation: str
