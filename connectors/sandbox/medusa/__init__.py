"""A Medusa server in memory: its wire, its reservations, its ways to say no."""

from connectors.sandbox.medusa.sandbox import MedusaSandbox

__all__ = ["MedusaSandbox"]
