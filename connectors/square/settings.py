"""What has to be known to speak to one Square account."""

from dataclasses import dataclass

from connectors.client import Limits
from connectors.contract import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SquareSettings:
    """One Square seller.

    ``webhook_url`` is the notification URL exactly as it was entered at Square, trailing slash included: it is part of what
    Square signs. Without it and the ``webhook_signature_key`` every webhook is refused. ``preparation_minutes`` is what a store
    is given to put a pickup together. ``visibility_delay_s`` is our margin: Square lowers its counts by itself once an order is
    completed, and documents no bound on when. ``known_for_s`` is how long stores and variations are remembered, ``absent_for_s``
    that there is no such variation. ``late_s`` is our margin for counts that show up later than they were calculated.
    """

    access_token: Secret
    url: str = "https://connect.squareup.com"
    version: str = "2025-08-20"
    webhook_signature_key: Secret | None = None
    webhook_url: str | None = None
    preparation_minutes: int = 60
    attempt_timeout_s: float = 5.0
    total_timeout_s: float = 15.0
    concurrency_max: int = 8
    rate_per_s: float | None = None  # Square does not publish its limits
    products_max: int = 100_000
    fresh_for_s: float = 5.0
    visibility_delay_s: float = 10.0
    known_for_s: float = 3_600.0
    absent_for_s: float = 60.0
    late_s: float = 60.0

    def limits(self) -> Limits:
        """The bounds that the client keeps."""
        return Limits(
            attempt_timeout_s=self.attempt_timeout_s,
            total_timeout_s=self.total_timeout_s,
            concurrency_max=self.concurrency_max,
            rate_per_s=self.rate_per_s,
        )
