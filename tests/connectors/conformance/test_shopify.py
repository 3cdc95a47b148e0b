"""Shopify keeps the contract."""

from typing import Any

from connectors.conformance import ConnectorContract
from connectors.contract import RawRequest, RemoteLocationId, Secret, Sku
from connectors.sandbox.network import seeded
from connectors.sandbox.shopify import ShopifySandbox
from connectors.shopify import SPEC, ShopifySettings

NETWORK = seeded(products=60, systems=["shopify"])
STOCKED = [sku for sku, units in NETWORK.carried_at("shop-austin").items() if units >= 10]


class TestShopify(ConnectorContract):
    spec = SPEC
    place = "shop-austin"
    location = RemoteLocationId("7000001")
    sku, another = STOCKED[:2]
    amounts = (b'"quantity"',)

    def fake(self) -> ShopifySandbox:
        return ShopifySandbox(NETWORK)

    def settings(self, url: str, patience_s: float) -> ShopifySettings:
        return ShopifySettings(
            url=url,
            access_token=Secret("shopify-sandbox-token"),
            client_secret=Secret("shopify-sandbox-secret"),
            attempt_timeout_s=patience_s,
            total_timeout_s=patience_s,
        )

    def webhook(self, fake: Any) -> RawRequest:
        posted: RawRequest = fake.stock_webhook(self.place, Sku(self.sku))
        return posted
