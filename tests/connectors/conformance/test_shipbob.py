"""ShipBob keeps the contract."""

from connectors.conformance import ConnectorContract
from connectors.contract import RawRequest, RemoteLocationId, Secret, Sku
from connectors.sandbox.network import seeded
from connectors.sandbox.shipbob import ShipBobSandbox
from connectors.sandbox.shipbob.merchant import NewAddress, NewOrder, NewProduct, NewRecipient
from connectors.sandbox.shipbob.sandbox import WEBHOOK_SECRET
from connectors.shipbob import SPEC, ShipBobSettings


class TestShipBob(ConnectorContract):
    spec = SPEC
    place, location = "3pl-cicero", RemoteLocationId("101")
    sku, another = Sku("SKU-0008"), Sku("SKU-0001")
    amounts = (b'"fulfillable_quantity"', b'"on_hand_quantity"')

    def fake(self) -> ShipBobSandbox:
        return ShipBobSandbox(seeded(products=40))

    def settings(self, url: str, patience_s: float) -> ShipBobSettings:
        return ShipBobSettings(
            url=url,
            token=Secret("shipbob-sandbox-token"),
            channel_id="1001",
            shipping_method="Standard",
            webhook_secret=Secret(WEBHOOK_SECRET),
            rate_per_s=None,
            attempt_timeout_s=patience_s,
            total_timeout_s=patience_s,
        )

    def webhook(self, fake: ShipBobSandbox) -> RawRequest:
        address = NewAddress(address1="1 Main St", city="Chicago", country="US")
        order = NewOrder(
            reference_id="key-1",
            type="DTC",
            shipping_method="Standard",
            recipient=NewRecipient(name="Ada", address=address),
            products=[NewProduct(reference_id=self.sku, name=None, quantity=1)],
        )
        return fake.order_webhook(str(fake.merchant.create(order).id))
