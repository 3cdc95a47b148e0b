"""Flat files: warehouses that write their stock into CSV files, in a folder or over SFTP, and take orders the same way.

What goes out and comes back is described in ``connectors.flat_file.orders``.
"""

from connectors.contract import SourceKind
from connectors.flat_file.connector import FlatFile, FlatFileWithOrders, opened
from connectors.flat_file.settings import Columns, Exchange, FlatFileSettings
from connectors.registry import ConnectorSpec

__all__ = ["SPEC", "Columns", "Exchange", "FlatFile", "FlatFileSettings", "FlatFileWithOrders"]

SPEC = ConnectorSpec(
    id="flat_file",
    label="Flat files (CSV in a folder or over SFTP)",
    kind=SourceKind.WAREHOUSE,
    settings=FlatFileSettings,
    open=opened,
)
