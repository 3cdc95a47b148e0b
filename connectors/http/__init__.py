"""Any source with lists of JSON over HTTP, described by configuration alone."""

from connectors.contract import SourceKind
from connectors.http.connector import open_http
from connectors.http.settings import HttpSettings
from connectors.registry import ConnectorSpec

__all__ = ["SPEC", "HttpSettings", "open_http"]

SPEC = ConnectorSpec(
    id="http",
    label="Any REST source, by configuration",
    kind=SourceKind.WAREHOUSE,
    settings=HttpSettings,
    open=open_http,
)
