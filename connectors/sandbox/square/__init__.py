"""A stand-in for Square: one seller with the network's stores."""

from connectors.sandbox.square.sandbox import SquareSandbox

__all__ = ["SquareSandbox"]
