"""Shopify: a shop and its points of sale."""

from connectors.contract import SourceKind
from connectors.registry import ConnectorSpec
from connectors.shopify.connector import Shopify
from connectors.shopify.settings import ShopifySettings

__all__ = ["SPEC", "Shopify", "ShopifySettings"]

SPEC = ConnectorSpec(
    id="shopify",
    label="Shopify (shop and point of sale)",
    kind=SourceKind.STORE_POS,
    settings=ShopifySettings,
    open=Shopify,
)
