"""What has to be known to speak to one seller's part of Amazon's network."""

from dataclasses import dataclass
from typing import Literal

from connectors.client import Limits
from connectors.contract import Secret

ApiVersion = Literal["2020-07-01", "2026-07-04"]
Speed = Literal["Standard", "Expedited", "Priority"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmazonMcfSettings:
    """One seller in one marketplace.

    ``client_id``, ``client_secret`` and ``refresh_token`` are those of Login with Amazon. ``url`` is the endpoint of the
    marketplace's region. ``api_version`` is that of Fulfillment Outbound; stock is read the same way with either.
    ``origin_country`` (ISO 3166-1 alpha-2) is where orders ship from; with 2026-07-04 nothing else tells Amazon which of a
    seller's countries is meant. ``packing_slip_comment`` is printed on what the recipient finds in the parcel (2020-07-01 only).
    ``rate_per_s`` is what Amazon allows of each operation by default. ``visibility_delay_s`` is our margin: Amazon documents no
    bound on when its inventory shows an order. Changes are asked for from ``changes_overlap_s`` earlier than they were last, for
    clocks that differ and for what Amazon shows late.
    """

    client_id: str
    client_secret: Secret
    refresh_token: Secret
    marketplace_id: str
    name: str = "Amazon"
    url: str = "https://sellingpartnerapi-na.amazon.com"
    token_url: str = "https://api.amazon.com/auth/o2/token"  # noqa: S105  an address
    api_version: ApiVersion = "2020-07-01"
    origin_country: str | None = None
    shipping_speed: Speed = "Standard"
    quoted_speeds: tuple[Speed, ...] = ("Standard", "Expedited")
    packing_slip_comment: str = "Thank you for your order."
    attempt_timeout_s: float = 5.0
    total_timeout_s: float = 15.0
    concurrency_max: int = 4
    rate_per_s: float | None = 2.0
    fresh_for_s: float = 30.0
    visibility_delay_s: float = 600.0
    changes_overlap_s: float = 300.0

    def limits(self) -> Limits:
        """The bounds that the client keeps."""
        return Limits(
            attempt_timeout_s=self.attempt_timeout_s,
            total_timeout_s=self.total_timeout_s,
            concurrency_max=self.concurrency_max,
            rate_per_s=self.rate_per_s,
        )
