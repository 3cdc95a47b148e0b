"""A stand-in for a merchant's own ERP: a database."""

from connectors.sandbox.sql.sandbox import SqlSandbox
from connectors.sandbox.sql.schema import CHANGES, PLACES, SKUS, STOCK, TABLES, rows_of

__all__ = ["CHANGES", "PLACES", "SKUS", "STOCK", "TABLES", "SqlSandbox", "rows_of"]
