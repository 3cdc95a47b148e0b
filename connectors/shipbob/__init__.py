"""ShipBob: third-party logistics with its own fulfillment centers."""

from connectors.contract import SourceKind
from connectors.registry import ConnectorSpec
from connectors.shipbob.connector import ShipBob
from connectors.shipbob.settings import ShipBobSettings

__all__ = ["SPEC", "ShipBob", "ShipBobSettings"]

SPEC = ConnectorSpec(
    id="shipbob",
    label="ShipBob (third-party logistics)",
    kind=SourceKind.THIRD_PARTY_LOGISTICS,
    settings=ShipBobSettings,
    open=ShipBob,
)
