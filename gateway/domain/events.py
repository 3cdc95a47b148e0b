"""Facts about orders, in order."""

from dataclasses import dataclass
from datetime import datetime

from gateway.domain.orders import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """Something that happened to an order.

    ``seq`` is gapless over all orders; ``order`` is as it was right after, so ``order.version`` is 1..n per order. ``actor`` is who
    did it (a principal or a source), ``cause`` what led to it.
    """

    id: str
    seq: int
    type: str
    occurred_at: datetime
    order: Order
    actor: str
    cause: str | None = None
