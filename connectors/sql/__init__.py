"""SQL: stock that a merchant's own database counts, read by a SELECT of his."""

from connectors.contract import SourceKind
from connectors.registry import ConnectorSpec
from connectors.sql.connector import Sql, opened
from connectors.sql.settings import SqlSettings

__all__ = ["SPEC", "Sql", "SqlSettings"]

SPEC = ConnectorSpec(
    id="sql",
    label="SQL (a SELECT on your own database)",
    kind=SourceKind.WAREHOUSE,
    settings=SqlSettings,
    open=opened,
)
