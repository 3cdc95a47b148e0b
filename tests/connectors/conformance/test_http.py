"""Sources that are only described keep the contract, too."""

import asyncio
from typing import Any

from connectors.conformance import ConnectorContract
from connectors.contract import RemoteLocationId, Secret, Sku
from connectors.http import SPEC, HttpSettings
from connectors.http.tables import Auth, StockTable
from connectors.sandbox.http import HttpSandbox
from connectors.sandbox.network import seeded


class Described(ConnectorContract):
    spec = SPEC
    place = "wms-columbus"
    sku, another = Sku("SKU-0004"), Sku("SKU-0002")

    def fake(self) -> HttpSandbox:
        return HttpSandbox(seeded(products=40, systems=["http"]))

    def described(self, url: str, patience_s: float, **more: Any) -> HttpSettings:
        return HttpSettings(url=url, attempt_timeout_s=patience_s, total_timeout_s=patience_s, **more)


class TestErpNext(Described):
    location = RemoteLocationId("Columbus WMS - D")
    amounts = (b'"actual_qty"',)

    def settings(self, url: str, patience_s: float) -> HttpSettings:
        auth = Auth(value=Secret("erpnext-sandbox-key:erpnext-sandbox-secret"))
        stock = StockTable(time_zone="America/New_York")
        return self.described(url, patience_s, preset="erpnext", auth=auth, stock=stock)


class TestGreaterWms(Described):
    location = RemoteLocationId("GWMS")
    amounts = (b'"onhand_stock"', b'"can_order_stock"')

    def settings(self, url: str, patience_s: float) -> HttpSettings:
        return self.described(url, patience_s, preset="greaterwms", auth=Auth(value=Secret("greaterwms-sandbox-token")))

    def test_a_source_that_is_not_there_is_no_surprise(self) -> None:
        """GreaterWMS does not speak of locations: the one it has is known without asking."""

        async def story() -> None:
            connector = self.absent()
            assert not (await connector.health()).ok
            assert [location.id for location in await connector.locations()] == [self.location]
            await connector.aclose()

        asyncio.run(story())
