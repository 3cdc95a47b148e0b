"""What has to be known to reach one Odoo database."""

from dataclasses import dataclass
from typing import Literal

from connectors.client import Limits
from connectors.contract import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooSettings:
    """One Odoo database and the user we are there.

    ``protocol``: ``jsonrpc`` up to version 18, ``json2`` from 19 on (the older one goes away in 22). ``api_key`` is a user's API
    key and expires after three months at most. ``webhook_token`` stands as ``?token=`` in the URL that Odoo calls: it cannot
    sign; without one, webhooks are refused. ``known_for_s`` is how long a product's id is remembered, ``absent_for_s`` that
    there is no such product. ``recipient_known_for_s``: for so long two deliveries to the same address share one contact in Odoo,
    as those of one order do; not for longer, since people there may correct it for the one. ``late_s``: no transaction there
    takes longer to commit.
    """

    url: str
    database: str
    login: str
    api_key: Secret
    protocol: Literal["jsonrpc", "json2"] = "jsonrpc"
    webhook_token: Secret | None = None
    attempt_timeout_s: float = 5.0
    total_timeout_s: float = 15.0
    concurrency_max: int = 8
    rate_per_s: float | None = None
    batch_skus_max: int = 1_000
    products_max: int = 100_000
    fresh_for_s: float = 5.0
    known_for_s: float = 3_600.0
    absent_for_s: float = 60.0
    recipient_known_for_s: float = 300.0
    late_s: float = 60.0

    def __post_init__(self) -> None:
        if self.protocol not in {"jsonrpc", "json2"}:
            raise ValueError(f"protocol must be jsonrpc or json2, not {self.protocol!r}")

    def limits(self) -> Limits:
        """The bounds that the client keeps."""
        return Limits(
            attempt_timeout_s=self.attempt_timeout_s,
            total_timeout_s=self.total_timeout_s,
            concurrency_max=self.concurrency_max,
            rate_per_s=self.rate_per_s,
        )
