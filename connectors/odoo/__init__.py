"""Odoo (warehouse and ERP), version 17 and later, over JSON-RPC or JSON-2."""

from connectors.odoo.connector import SPEC, Odoo
from connectors.odoo.settings import OdooSettings

__all__ = ["SPEC", "Odoo", "OdooSettings"]
