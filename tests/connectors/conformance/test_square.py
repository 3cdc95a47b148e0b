"""Square keeps the contract."""

from connectors.conformance import ConnectorContract
from connectors.contract import RawRequest, RemoteLocationId, Secret, Sku
from connectors.sandbox.network import seeded
from connectors.sandbox.square import SquareSandbox
from connectors.square import SPEC, SquareSettings

HOOK = "https://gateway.example/hooks/square"


class TestSquare(ConnectorContract):
    spec = SPEC
    place, location = "store-brooklyn", RemoteLocationId("LSTOREBROOKLYN")
    sku, another = Sku("SKU-0009"), Sku("SKU-0004")
    amounts = (b'"quantity"',)

    def fake(self) -> SquareSandbox:
        return SquareSandbox(seeded(products=40))

    def settings(self, url: str, patience_s: float) -> SquareSettings:
        return SquareSettings(
            url=url,
            access_token=Secret("square-sandbox-token"),
            webhook_signature_key=Secret("square-sandbox-signature"),
            webhook_url=HOOK,
            attempt_timeout_s=patience_s,
            total_timeout_s=patience_s,
        )

    def webhook(self, fake: SquareSandbox) -> RawRequest:
        return fake.stock_webhook(self.sku, url=HOOK)
