"""A stand-in for Shopify: one shop with the network's places."""

from connectors.sandbox.shopify.costs import Bucket
from connectors.sandbox.shopify.sandbox import ShopifySandbox

__all__ = ["Bucket", "ShopifySandbox"]
