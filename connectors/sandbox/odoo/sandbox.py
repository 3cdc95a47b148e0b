"""Odoo as a sandbox: its wire, and what people there would do by hand."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from starlette.routing import BaseRoute

from connectors.sandbox.controls import SandboxLine, SandboxOrder, SandboxPackage
from connectors.sandbox.network import Network
from connectors.sandbox.odoo.model import Model, Version
from connectors.sandbox.odoo.records import OdooError, Record
from connectors.sandbox.odoo.wire import Wire


def _wall_clock() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  a vendor has a clock of its own


class OdooSandbox:
    """One Odoo database over the warehouses of the network.

    Version 19 speaks both protocols; 17 only JSON-RPC, and wants deliveries written its older way.
    """

    system = "odoo"

    def __init__(
        self,
        network: Network,
        *,
        database: str = "demo",
        login: str = "gateway",
        api_key: str = "odoo-sandbox-key",
        version: Version = 19,
        now: Callable[[], datetime] = _wall_clock,
    ) -> None:
        self._model = Model(network, login=login, version=version, now=now)
        self._wire = Wire(self._model, version=version, database=database, login=login, api_key=api_key)
        self._place_of = {row["lot_stock_id"]: key for key, row in self._model.warehouse_of.items()}

    def routes(self) -> list[BaseRoute]:
        """The vendor's wire."""
        return self._wire.routes()

    def orders(self) -> list[SandboxOrder]:
        """All deliveries, oldest first."""
        return [self._order(picking) for picking in self._model.records.tables["stock.picking"].rows.values()]

    def accept(self, ref: str) -> None:
        """Reserve once more, as the button "Check Availability" does."""
        self._by_hand(self._model.assign, ref)

    def reject(self, ref: str, reason: str) -> None:
        """A worker cancels the delivery and notes why."""
        self._by_hand(self._model.cancel, ref)
        self._picking(ref)["note"] = reason

    def ship(self, ref: str, *, carrier: str, tracking_number: str) -> None:
        """A worker validates the delivery."""
        self._by_hand(self._model.validate, ref)
        self._picking(ref).update(
            carrier_id=self._model.carrier(carrier),
            carrier_tracking_ref=tracking_number,
            carrier_tracking_url=f"https://carrier.example/{tracking_number}",
        )

    def set_stock(self, place: str, sku: str, units: int) -> None:
        """Somebody counted a shelf."""
        self._model.count(place, self._model.product(sku), units)

    def stock(self, sku: str) -> Mapping[str, int]:
        """Units on hand by place key, where Odoo has a row."""
        return self._model.on_hand(self._model.product(sku))

    def _by_hand(self, step: Callable[[Record], None], ref: str) -> None:
        try:
            step(self._picking(ref))
        except OdooError as error:
            raise ValueError(error.message) from error

    def _picking(self, ref: str) -> Record:
        found = self._model.pickings([int(ref)]) if ref.isdecimal() else []
        if not found:
            raise LookupError(f"no delivery {ref}")
        return found[0]

    def _order(self, picking: Record) -> SandboxOrder:
        skus = self._model.records.tables["product.product"].rows
        carrier = self._model.records.tables["delivery.carrier"].rows.get(picking["carrier_id"])
        parcel = SandboxPackage(carrier=carrier["name"], tracking_number=picking["carrier_tracking_ref"]) if carrier else None
        return SandboxOrder(
            ref=str(picking["id"]),
            key=picking["origin"] or None,
            place=self._place_of.get(picking["location_id"], ""),
            state=picking["state"],
            lines=[
                SandboxLine(sku=skus[move["product_id"]]["default_code"], units=int(move["product_uom_qty"]))
                for move in self._model.moves(picking)
            ],
            packages=[parcel] if parcel else [],
        )
