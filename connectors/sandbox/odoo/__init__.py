"""A stand-in for one Odoo database."""

from connectors.sandbox.odoo.sandbox import OdooSandbox

__all__ = ["OdooSandbox"]
