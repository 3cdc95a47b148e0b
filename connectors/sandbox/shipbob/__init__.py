"""A stand-in for ShipBob: one merchant with the network's fulfillment centers."""

from connectors.sandbox.shipbob.sandbox import ShipBobSandbox

__all__ = ["ShipBobSandbox"]
