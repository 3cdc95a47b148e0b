"""What has to be known to speak to one ShipBob merchant."""

from dataclasses import dataclass

from connectors.client import Limits
from connectors.contract import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipBobSettings:
    """One ShipBob merchant.

    ``channel_id`` is that of a channel with write scopes; ``shipping_method`` has to be mapped at ShipBob. Without the
    ``webhook_secret`` (``whsec_…``) every webhook is refused. ``rate_per_s`` is ShipBob's own limit, 150 requests a minute.
    ``visibility_delay_s`` is our margin: an order is taken on at once but processed by and by, and ShipBob documents no bound on
    when its inventory shows it. ``known_for_s`` is how long an item's id is remembered, ``absent_for_s`` that there is no such
    item.
    """

    token: Secret
    channel_id: str
    shipping_method: str
    url: str = "https://api.shipbob.com"
    webhook_secret: Secret | None = None
    attempt_timeout_s: float = 5.0
    total_timeout_s: float = 15.0
    concurrency_max: int = 8
    rate_per_s: float | None = 2.5
    products_max: int = 100_000
    fresh_for_s: float = 10.0
    visibility_delay_s: float = 60.0
    known_for_s: float = 3_600.0
    absent_for_s: float = 60.0

    def limits(self) -> Limits:
        """The bounds that the client keeps."""
        return Limits(
            attempt_timeout_s=self.attempt_timeout_s,
            total_timeout_s=self.total_timeout_s,
            concurrency_max=self.concurrency_max,
            rate_per_s=self.rate_per_s,
        )
