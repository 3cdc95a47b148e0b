"""Odoo keeps the contract, by either of its protocols."""

from typing import Any, ClassVar, Literal

from connectors.conformance import ConnectorContract
from connectors.contract import RawRequest, RemoteLocationId, Secret, Sku
from connectors.odoo import SPEC, OdooSettings
from connectors.sandbox.network import seeded
from connectors.sandbox.odoo import OdooSandbox


class Odoo(ConnectorContract):
    spec = SPEC
    place, location = "wh-reno", RemoteLocationId("4")
    sku, another = Sku("SKU-0002"), Sku("SKU-0001")
    amounts = (b'"quantity"', b'"available_quantity"')
    protocol: ClassVar[Literal["jsonrpc", "json2"]]

    def fake(self) -> OdooSandbox:
        return OdooSandbox(seeded(products=40), version=17 if self.protocol == "jsonrpc" else 19)

    def settings(self, url: str, patience_s: float) -> OdooSettings:
        return OdooSettings(
            url=url,
            database="demo",
            login="gateway",
            api_key=Secret("odoo-sandbox-key"),
            protocol=self.protocol,
            webhook_token=Secret("let-me-in"),
            attempt_timeout_s=patience_s,
            total_timeout_s=patience_s,
        )

    def webhook(self, fake: Any) -> RawRequest:
        return RawRequest(headers={}, body=b'{"_model":"stock.picking","_id":7}', query={"token": "let-me-in"})


class TestJsonRpc(Odoo):
    protocol = "jsonrpc"


class TestJson2(Odoo):
    protocol = "json2"
