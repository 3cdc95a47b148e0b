"""Odoo's tables over the seeded network, and the few business rules of stock: reserve, cancel, ship."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

from connectors.sandbox.network import Network, Place
from connectors.sandbox.odoo.records import Record, Records, Table, mistake, user_error

Version = Literal[17, 19]

_USER_ID: Final = 2
_PARTNER_FIELDS: Final = (
    "name", "street", "street2", "city", "zip", "state_id", "country_id", "country_code", "email", "phone", "tz", "type",
    "partner_latitude", "partner_longitude",
)  # fmt: skip
_PICKING_FIELDS: Final = (
    "name", "origin", "state", "partner_id", "picking_type_id", "location_id", "location_dest_id", "note", "date_done",
    "backorder_id", "carrier_id", "carrier_tracking_ref", "carrier_tracking_url", "move_ids",
)  # fmt: skip
_MOVE_FIELDS: Final = ("picking_id", "product_id", "product_uom_qty", "quantity", "state", "location_id", "location_dest_id")
_QUANT_FIELDS: Final = (
    "product_id", "location_id", "warehouse_id", "quantity", "reserved_quantity", "available_quantity", "write_date",
)  # fmt: skip
_REGIONS: Final = (
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS", "KY", "LA", "ME", "MD",
    "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC",
    "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD",  # codespell:ignore nd
    "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY",
)  # fmt: skip


def _tables(version: Version) -> dict[str, Table]:
    of_17 = version == 17
    return {
        "res.users": Table(("login", "name")),
        "res.users.apikeys": Table(("user_id", "name", "expiration_date"), {"user_id": "res.users"}),
        "res.country": Table(("name", "code")),
        "res.country.state": Table(("name", "code", "country_id"), {"country_id": "res.country"}),
        "res.partner": Table(_PARTNER_FIELDS, {"state_id": "res.country.state", "country_id": "res.country"}),
        "product.product": Table(("default_code", "name", "active"), indexed=("default_code",)),
        "stock.location": Table(("name", "usage", "warehouse_id"), {"warehouse_id": "stock.warehouse"}),
        "stock.picking.type": Table(("name",)),
        "stock.warehouse": Table(
            ("name", "code", "active", "partner_id", "lot_stock_id", "out_type_id"),
            {"partner_id": "res.partner", "lot_stock_id": "stock.location", "out_type_id": "stock.picking.type"},
        ),
        "stock.quant": Table(
            _QUANT_FIELDS,
            {"product_id": "product.product", "location_id": "stock.location", "warehouse_id": "stock.warehouse"},
            indexed=("product_id",),
        ),
        "delivery.carrier": Table(("name",)),
        "stock.picking": Table(
            (*_PICKING_FIELDS, *(("move_ids_without_package",) if of_17 else ())),
            {
                "partner_id": "res.partner",
                "picking_type_id": "stock.picking.type",
                "location_id": "stock.location",
                "location_dest_id": "stock.location",
                "backorder_id": "stock.picking",
                "carrier_id": "delivery.carrier",
            },
            indexed=("origin",),
        ),
        "stock.move": Table(
            (*_MOVE_FIELDS, *(("name",) if of_17 else ())),
            {
                "picking_id": "stock.picking",
                "product_id": "product.product",
                "location_id": "stock.location",
                "location_dest_id": "stock.location",
            },
            indexed=("picking_id",),
        ),
    }


class Model:
    """One database. ``now`` stamps what changes."""

    def __init__(self, network: Network, *, login: str, version: Version, now: Callable[[], datetime]) -> None:
        self.user_id = _USER_ID
        self.moves_field = "move_ids_without_package" if version == 17 else "move_ids"
        self.records = Records(_tables(version))
        self.warehouse_of: dict[str, Record] = {}
        self._names_moves = version == 17
        self._now = now
        self._fill(network, login)

    # ------------------------------------------------------------------------------------------ the seeded state
    def _fill(self, network: Network, login: str) -> None:
        tables = self.records.tables
        tables["res.users"].add(login="__system__", name="System")
        user = tables["res.users"].add(login=login, name="Gateway")
        tables["res.users.apikeys"].add(user_id=user["id"], name="gateway", expiration_date="2099-01-01 00:00:00")
        country = tables["res.country"].add(name="United States", code="US")
        for code in _REGIONS:
            tables["res.country.state"].add(name=code, code=code, country_id=country["id"])
        tables["stock.location"].add(name="Partners/Customers", usage="customer")
        product_of = {
            product.sku: tables["product.product"].add(default_code=product.sku, name=product.name, active=True)
            for product in network.products
        }
        for place in network.places_of("odoo"):
            self.warehouse_of[place.key] = self._add_warehouse(place)
            for sku, units in network.carried_at(place.key).items():
                if units:  # Odoo removes quants of nothing
                    self.count(place.key, product_of[sku], units)

    def _add_warehouse(self, place: Place) -> Record:
        tables, address = self.records.tables, place.address
        (state,) = self.records.search("res.country.state", [["code", "=", address.region]])
        partner = tables["res.partner"].add(
            name=place.name,
            street=address.lines[0],
            city=address.city,
            zip=address.postal_code,
            state_id=state["id"],
            country_id=state["country_id"],
            country_code=address.country_code,
            phone=address.phone or False,
            tz=place.time_zone,
            partner_latitude=address.latitude,
            partner_longitude=address.longitude,
        )
        code = place.key.removeprefix("wh-")[:3].upper()
        shelf = tables["stock.location"].add(name=f"{code}/Stock", usage="internal")
        deliveries = tables["stock.picking.type"].add(name="Delivery Orders")
        warehouse = tables["stock.warehouse"].add(
            name=place.name,
            code=code,
            active=True,
            partner_id=partner["id"],
            lot_stock_id=shelf["id"],
            out_type_id=deliveries["id"],
        )
        shelf["warehouse_id"] = warehouse["id"]
        return warehouse

    # ------------------------------------------------------------------------------------------ stock
    def product(self, sku: str) -> Record:
        """The product of that reference."""
        for product in self.records.search("product.product", [["default_code", "=", sku]]):
            return product
        raise LookupError(f"no product {sku}")

    def count(self, place: str, product: Record, units: int) -> None:
        """Somebody counted: so many are on hand, whatever is reserved."""
        if place not in self.warehouse_of:
            raise LookupError(f"no place {place}")
        warehouse = self.warehouse_of[place]
        quant = self._quant(product["id"], warehouse["lot_stock_id"]) or self.records.tables["stock.quant"].add(
            product_id=product["id"],
            location_id=warehouse["lot_stock_id"],
            warehouse_id=warehouse["id"],
            quantity=0.0,
            reserved_quantity=0.0,
        )
        self._move(quant, on_hand=units - quant["quantity"])

    def on_hand(self, product: Record) -> Mapping[str, int]:
        """Units by place key, where there is a quant."""
        quants = self.records.search("stock.quant", [["product_id", "=", product["id"]]])
        units_at = {quant["warehouse_id"]: int(quant["quantity"]) for quant in quants}
        return {key: units_at[row["id"]] for key, row in self.warehouse_of.items() if row["id"] in units_at}

    def _quant(self, product_id: int, location_id: int) -> Record | None:
        found = self.records.search("stock.quant", [["product_id", "=", product_id], ["location_id", "=", location_id]])
        return found[0] if found else None

    def _move(self, quant: Record, *, on_hand: float = 0.0, reserved: float = 0.0) -> None:
        quant["quantity"] += on_hand
        quant["reserved_quantity"] += reserved
        quant["available_quantity"] = quant["quantity"] - quant["reserved_quantity"]
        quant["write_date"] = self._stamp()

    def _stamp(self) -> str:
        return self._now().astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

    # ------------------------------------------------------------------------------------------ deliveries
    def pickings(self, ids: Sequence[int]) -> list[Record]:
        """The deliveries of these ids."""
        rows = self.records.tables["stock.picking"].rows
        return [rows[each] for each in ids if each in rows]

    def moves(self, picking: Record) -> list[Record]:
        """What a delivery is made of."""
        return self.records.search("stock.move", [["picking_id", "=", picking["id"]]])

    def create_picking(self, values: Mapping[str, Any]) -> Record:
        """A draft."""
        move_commands = values.get(self.moves_field, [])
        given = {name: value for name, value in values.items() if name != self.moves_field}
        picking = self.create("stock.picking", {**given, "state": "draft"})
        picking["name"] = f"WH/OUT/{picking['id']:05d}"
        for _create, _virtual_id, move in move_commands:
            if self._names_moves and not move.get("name"):
                raise mistake("Missing required value for the field 'Description' (name)")
            defaults = {"picking_id": picking["id"], "quantity": 0.0, "state": "draft"}
            self.create("stock.move", {**move, **defaults})
        return picking

    def create(self, model: str, values: Mapping[str, Any]) -> Record:
        """A record of any other model."""
        table = self.records.table(model)
        if unknown := values.keys() - set(table.fields):
            raise mistake(f"Invalid field {min(unknown)!r} on model {model!r}")
        return table.add(**values)

    def confirm(self, picking: Record) -> None:
        """Out of draft."""
        for move in self.moves(picking):
            if move["state"] == "draft":
                move["state"] = "confirmed"
        self._settle(picking)

    def assign(self, picking: Record) -> None:
        """Reserve what there is. Anything at all makes the delivery ``assigned``, as in Odoo."""
        self.confirm(picking)
        moves = [move for move in self.moves(picking) if move["state"] not in {"done", "cancel"}]
        if not moves:
            raise user_error("Nothing to check the availability for.")
        for move in moves:
            quant = self._quant(move["product_id"], move["location_id"])
            free = max(0.0, quant["available_quantity"]) if quant else 0.0
            taken = min(move["product_uom_qty"] - move["quantity"], free)
            if quant and taken:
                self._move(quant, reserved=taken)
                move["quantity"] += taken
            if move["quantity"]:
                move["state"] = "assigned" if move["quantity"] >= move["product_uom_qty"] else "partially_available"
        self._settle(picking)

    def cancel(self, picking: Record) -> None:
        """Give back what was reserved."""
        moves = self.moves(picking)
        if any(move["state"] == "done" for move in moves):
            raise user_error("You cannot cancel a stock move that has been set to 'Done'. Create a return instead.")
        for move in moves:
            quant = self._quant(move["product_id"], move["location_id"])
            if quant and move["quantity"]:
                self._move(quant, reserved=-move["quantity"])
            move.update(state="cancel", quantity=0.0)
        picking["state"] = "cancel"

    def validate(self, picking: Record) -> None:
        """The goods leave. A delivery that is not wholly reserved would make Odoo ask a person; here it is refused."""
        moves = self.moves(picking)
        if any(move["state"] != "assigned" for move in moves):
            raise user_error("You cannot validate a transfer if no quantities are reserved.")
        for move in moves:
            quant = self._quant(move["product_id"], move["location_id"])
            if quant:
                self._move(quant, on_hand=-move["quantity"], reserved=-move["quantity"])
            move["state"] = "done"
        picking.update(state="done", date_done=self._stamp())

    def carrier(self, name: str) -> int:
        """The id of a carrier, made if there is none."""
        found = self.records.search("delivery.carrier", [["name", "=", name]])
        return int((found[0] if found else self.records.tables["delivery.carrier"].add(name=name))["id"])

    def _settle(self, picking: Record) -> None:
        states = {move["state"] for move in self.moves(picking)}
        if picking["state"] not in {"done", "cancel"}:
            picking["state"] = "assigned" if states & {"assigned", "partially_available"} else "confirmed"
