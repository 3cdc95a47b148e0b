"""What has to be known to speak to one Shopify shop."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.client import Limits
from connectors.contract import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopifySettings:
    """One Shopify shop, and an app of yours that is installed in it.

    ``url`` is the shop's own domain, ``https://NAME.myshopify.com``. With an ``access_token`` that is used; else ``client_id`` and
    ``client_secret`` get tokens for a day each. Webhooks are signed with the ``client_secret``: without it every one is refused.
    ``webhook_url`` is where Shopify reaches this source's webhooks from outside, https only: with it every webhook that is missing
    is subscribed when health is asked, and every ``known_for_s`` while changes are polled; without it none ever is.
    ``version`` is the pinned version of the Admin API. ``financial_status`` is what our orders say of their payment, which was
    taken elsewhere: anything but PAID may have a store ask the customer for it. ``visibility_delay_s`` is our margin: Shopify
    commits units with the order, and documents no bound on when every reader sees it. ``feed_overlap_s`` is how far a poll for
    changes reaches back beyond the last one, since Shopify's search lags behind. ``known_for_s`` is how long locations and items
    are remembered, ``absent_for_s`` that there is no such item.
    """

    url: str
    access_token: Secret | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    webhook_url: str | None = None
    version: str = "2026-10"
    financial_status: str = "PAID"
    attempt_timeout_s: float = 5.0
    total_timeout_s: float = 15.0
    concurrency_max: int = 8
    products_max: int = 100_000
    fresh_for_s: float = 5.0
    visibility_delay_s: float = 10.0
    feed_overlap_s: float = 120.0
    known_for_s: float = 3_600.0
    absent_for_s: float = 60.0

    def __post_init__(self) -> None:
        if self.access_token is None and (self.client_id is None or self.client_secret is None):
            raise ValueError("access_token is missing, and so is client_id or client_secret, which would get one")
        if self.webhook_url is not None:
            self._check_webhook_url(self.webhook_url)

    def _check_webhook_url(self, url: str) -> None:
        at = urlsplit(url)
        if at.scheme != "https" or not at.hostname or "@" in at.netloc or at.fragment:
            raise ValueError("webhook_url is no https address such as https://dom.example/webhooks/shop")
        if self.client_secret is None:
            raise ValueError("client_secret is missing, without which every webhook sent to webhook_url would be refused")

    def limits(self) -> Limits:
        """The bounds that the client keeps. The rate is Shopify's own word, in every answer."""
        return Limits(
            attempt_timeout_s=self.attempt_timeout_s,
            total_timeout_s=self.total_timeout_s,
            concurrency_max=self.concurrency_max,
        )
