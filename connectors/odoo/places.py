"""Odoo's warehouses, with the addresses that its partners hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from connectors.contract import Address, RemoteLocation, RemoteLocationId
from connectors.odoo.values import ManyToOne, Text, id_of, text_of
from connectors.odoo.wire import Wire

T = TypeVar("T")


class WarehouseRow(msgspec.Struct):
    """A row of ``stock.warehouse``."""

    id: int
    name: str
    active: bool
    partner_id: ManyToOne
    lot_stock_id: ManyToOne
    out_type_id: ManyToOne


class PartnerRow(msgspec.Struct):
    """A row of ``res.partner``."""

    id: int
    name: Text = False
    street: Text = False
    street2: Text = False
    city: Text = False
    zip: Text = False
    state_id: ManyToOne = False
    country_code: Text = False
    email: Text = False
    phone: Text = False
    tz: Text = False
    partner_latitude: float = 0.0
    partner_longitude: float = 0.0


class StateRow(msgspec.Struct):
    """A row of ``res.country.state``."""

    id: int
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """A location, and what a delivery from it has to name."""

    location: RemoteLocation
    stock_location_id: int | None
    out_type_id: int | None


_FIELDS: Final[Mapping[type[msgspec.Struct], tuple[str, ...]]] = {
    row: row.__struct_fields__[1:] for row in (WarehouseRow, PartnerRow, StateRow)
}


async def read_warehouses(wire: Wire) -> tuple[Warehouse, ...]:
    """Every warehouse, archived ones too."""

    async def rows_of(model: str, row: type[T], domain: list[list[object]]) -> list[T]:
        return await wire.execute(model, "search_read", returns=list[row], domain=domain, fields=_FIELDS[row])  # type: ignore[valid-type,index]

    warehouses = await rows_of("stock.warehouse", WarehouseRow, [["active", "in", [True, False]]])
    partner_ids = sorted({found for row in warehouses if (found := id_of(row.partner_id)) is not None})
    partners = await rows_of("res.partner", PartnerRow, [["id", "in", partner_ids]])
    state_ids = sorted({found for row in partners if (found := id_of(row.state_id)) is not None})
    states = await rows_of("res.country.state", StateRow, [["id", "in", state_ids]])
    return parse_warehouses(warehouses, partners, states)


def parse_warehouses(
    warehouses: Iterable[WarehouseRow], partners: Iterable[PartnerRow], states: Iterable[StateRow]
) -> tuple[Warehouse, ...]:
    """Join the three tables."""
    region_of = {state.id: state.code for state in states}
    partner_of = {partner.id: partner for partner in partners}
    return tuple(_warehouse(row, partner_of.get(id_of(row.partner_id) or 0), region_of) for row in warehouses)


def _warehouse(row: WarehouseRow, partner: PartnerRow | None, region_of: Mapping[int, str]) -> Warehouse:
    location = RemoteLocation(
        id=RemoteLocationId(str(row.id)),
        name=row.name,
        address=_address(partner, region_of) if partner else None,
        time_zone=text_of(partner.tz) if partner else None,
        active=row.active,
    )
    return Warehouse(location=location, stock_location_id=id_of(row.lot_stock_id), out_type_id=id_of(row.out_type_id))


def _address(partner: PartnerRow, region_of: Mapping[int, str]) -> Address | None:
    country_code = text_of(partner.country_code)
    if country_code is None:
        return None
    # A partner that was never geolocated stands at 0, 0.
    located = (partner.partner_latitude, partner.partner_longitude) != (0.0, 0.0)
    return Address(
        lines=tuple(line for line in (text_of(partner.street), text_of(partner.street2)) if line),
        city=text_of(partner.city) or "",
        postal_code=text_of(partner.zip) or "",
        country_code=country_code,
        region=region_of.get(id_of(partner.state_id) or 0),
        name=text_of(partner.name),
        email=text_of(partner.email),
        phone=text_of(partner.phone),
        latitude=partner.partner_latitude if located else None,
        longitude=partner.partner_longitude if located else None,
    )
