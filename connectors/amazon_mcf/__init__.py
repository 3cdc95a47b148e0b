"""Amazon: stock in its fulfillment network (FBA), and orders that it ships from there for other channels (MCF)."""

from connectors.amazon_mcf.connector import AmazonMcf
from connectors.amazon_mcf.settings import AmazonMcfSettings
from connectors.contract import SourceKind
from connectors.registry import ConnectorSpec

__all__ = ["SPEC", "AmazonMcf", "AmazonMcfSettings"]

SPEC = ConnectorSpec(
    id="amazon_mcf",
    label="Amazon Multi-Channel Fulfillment (3PL)",
    kind=SourceKind.THIRD_PARTY_LOGISTICS,
    settings=AmazonMcfSettings,
    open=AmazonMcf,
)
