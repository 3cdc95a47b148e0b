"""Square: stores and their points of sale."""

from connectors.contract import SourceKind
from connectors.registry import ConnectorSpec
from connectors.square.connector import Square
from connectors.square.settings import SquareSettings

__all__ = ["SPEC", "Square", "SquareSettings"]

SPEC = ConnectorSpec(
    id="square",
    label="Square (store point of sale)",
    kind=SourceKind.STORE_POS,
    settings=SquareSettings,
    open=Square,
)
