"""A stand-in for Amazon: one seller's stock in its network, and the orders it ships for other channels."""

from connectors.sandbox.amazon_mcf.sandbox import AmazonMcfSandbox

__all__ = ["AmazonMcfSandbox"]
