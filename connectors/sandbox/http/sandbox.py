"""Both wires over one warehouse, and the strings that a demo or a test pulls."""

from collections.abc import Mapping
from typing import Final

from starlette.routing import BaseRoute

from connectors.sandbox.controls import SandboxOrder
from connectors.sandbox.http.erpnext import ErpNext
from connectors.sandbox.http.greaterwms import GreaterWms
from connectors.sandbox.http.hall import Hall, instant
from connectors.sandbox.network import Network

ERPNEXT_CREDENTIAL: Final = "erpnext-sandbox-key:erpnext-sandbox-secret"
GREATERWMS_TOKEN: Final = "greaterwms-sandbox-token"


class HttpSandbox:
    """One warehouse, asked as ERPNext or as GreaterWMS. Neither takes orders here."""

    system = "http"

    def __init__(
        self, network: Network, *, erpnext_credential: str = ERPNEXT_CREDENTIAL, greaterwms_token: str = GREATERWMS_TOKEN
    ) -> None:
        self.hall = Hall(network)
        self.erpnext = ErpNext(self.hall, credential=erpnext_credential)
        self.greaterwms = GreaterWms(self.hall, token=greaterwms_token)

    def routes(self) -> list[BaseRoute]:
        """Both wires; their paths differ."""
        return [*self.erpnext.routes(), *self.greaterwms.routes()]

    def orders(self) -> list[SandboxOrder]:
        """None: it is only read."""
        return []

    def accept(self, ref: str) -> None:
        """There is no order to take on."""
        raise LookupError(f"there is no order {ref!r}")

    def reject(self, ref: str, reason: str) -> None:
        """There is no order to turn down."""
        raise LookupError(f"there is no order {ref!r} to reject ({reason})")

    def ship(self, ref: str, *, carrier: str, tracking_number: str) -> None:
        """There is no order to ship."""
        raise LookupError(f"there is no order {ref!r} to ship by {carrier} {tracking_number}")

    def set_stock(self, place: str, sku: str, units: int) -> None:
        """Somebody counted."""
        shelf = self.hall.shelf(place, sku)
        shelf.units, shelf.counted_at = units, instant()

    def reserve(self, place: str, sku: str, units: int) -> None:
        """Somebody there sells so many to a customer of their own."""
        self.hall.shelf(place, sku).reserved = units

    def stock(self, sku: str) -> Mapping[str, int]:
        """Units on hand by place key, where the SKU is carried."""
        return {key: shelf.units for (key, each), shelf in self.hall.shelves.items() if each == sku}
