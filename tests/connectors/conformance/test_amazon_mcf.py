"""The Amazon connector keeps the contract, with either version of Fulfillment Outbound."""

import asyncio
from dataclasses import replace

from connectors.amazon_mcf import SPEC, AmazonMcfSettings
from connectors.conformance import ConnectorContract
from connectors.contract import RemoteLocationId, Secret, Sku
from connectors.sandbox.amazon_mcf import AmazonMcfSandbox
from connectors.sandbox.amazon_mcf.login import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from connectors.sandbox.amazon_mcf.sandbox import MARKETPLACE_ID
from connectors.sandbox.network import seeded


class TestAmazon20200701(ConnectorContract):
    spec = SPEC
    place = "fba-us"
    location = RemoteLocationId(MARKETPLACE_ID)
    sku, another = Sku("SKU-0004"), Sku("SKU-0009")
    amounts = (b'"fulfillableQuantity"',)

    def fake(self) -> AmazonMcfSandbox:
        return AmazonMcfSandbox(seeded(products=40, systems=["amazon_mcf"]))

    def settings(self, url: str, patience_s: float) -> AmazonMcfSettings:
        return AmazonMcfSettings(
            client_id=CLIENT_ID,
            client_secret=Secret(CLIENT_SECRET),
            refresh_token=Secret(REFRESH_TOKEN),
            marketplace_id=MARKETPLACE_ID,
            url=url,
            token_url=f"{url}/auth/o2/token",
            api_version="2020-07-01",
            attempt_timeout_s=patience_s,
            total_timeout_s=patience_s,
            rate_per_s=None,
        )

    def test_a_source_that_is_not_there_is_no_surprise(self) -> None:
        """The one place is known from the settings: it is told whether Amazon answers or not."""

        async def story() -> None:
            connector = self.absent()
            assert not (await connector.health()).ok
            assert [place.id for place in await connector.locations()] == [self.location]
            await connector.aclose()

        asyncio.run(story())


class TestAmazon20260704(TestAmazon20200701):
    def settings(self, url: str, patience_s: float) -> AmazonMcfSettings:
        return replace(super().settings(url, patience_s), api_version="2026-07-04", origin_country="US")
