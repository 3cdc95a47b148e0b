"""What has to be known to speak to one Medusa server."""

from dataclasses import dataclass

from connectors.client import Limits
from connectors.contract import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class MedusaSettings:
    """One Medusa server, version 2.

    ``api_key`` is a secret one (``sk_…``). Medusa sets no limit on the SKUs of one read, but they stand in the URL:
    ``batch_skus_max`` keeps it below the 8 KB that proxies let through. ``known_for_s`` is how long an item's id is remembered;
    ``products_max`` bounds what is remembered, and what the feed goes through.
    """

    url: str
    api_key: Secret
    batch_skus_max: int = 100
    attempt_timeout_s: float = 5.0
    total_timeout_s: float = 15.0
    concurrency_max: int = 8
    rate_per_s: float | None = None  # it is the merchant's own server
    products_max: int = 100_000
    fresh_for_s: float = 5.0
    known_for_s: float = 3_600.0

    def limits(self) -> Limits:
        """The bounds that the client keeps."""
        return Limits(
            attempt_timeout_s=self.attempt_timeout_s,
            total_timeout_s=self.total_timeout_s,
            concurrency_max=self.concurrency_max,
            rate_per_s=self.rate_per_s,
        )
