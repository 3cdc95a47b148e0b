"""Medusa keeps the contract."""

from typing import Any

from connectors.conformance import ConnectorContract
from connectors.contract import RemoteLocationId, Secret, Sku
from connectors.medusa import SPEC, MedusaSettings
from connectors.sandbox.medusa import MedusaSandbox
from connectors.sandbox.network import seeded


class TestMedusa(ConnectorContract):
    spec = SPEC
    place = "depot-nashville"
    location = RemoteLocationId("sloc_depot-nashville")
    sku, another = Sku("SKU-0002"), Sku("SKU-0004")
    amounts = (b'"available_quantity"', b'"stocked_quantity"')

    def fake(self) -> MedusaSandbox:
        return MedusaSandbox(seeded(products=40, systems=["medusa"]))

    def settings(self, url: str, patience_s: float) -> MedusaSettings:
        return MedusaSettings(
            url=url, api_key=Secret("sk_medusa_sandbox"), attempt_timeout_s=patience_s, total_timeout_s=patience_s
        )

    def holds(self, fake: Any) -> int:
        return len(fake.store.reservations)
