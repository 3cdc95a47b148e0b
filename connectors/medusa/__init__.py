"""Medusa: an open-source shop whose stock can be reserved."""

from connectors.contract import SourceKind
from connectors.medusa.connector import Medusa
from connectors.medusa.settings import MedusaSettings
from connectors.registry import ConnectorSpec

__all__ = ["SPEC", "Medusa", "MedusaSettings"]

SPEC = ConnectorSpec(
    id="medusa",
    label="Medusa (stock with reservations)",
    kind=SourceKind.WAREHOUSE,
    settings=MedusaSettings,
    open=Medusa,
)
