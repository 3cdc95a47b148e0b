"""Requests to ship, as deliveries of Odoo: make, look up, reserve, cancel."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

import msgspec

from connectors.client import Intent
from connectors.contract import (
    CancelOutcome,
    ContractBroken,
    FulfillmentRequest,
    Method,
    NotFound,
    OutcomeUnknown,
    Rejected,
    RemoteFulfillment,
    RemoteRef,
    RemoteState,
    RequestKey,
    SourceError,
    Unsupported,
)
from connectors.odoo.catalog import Catalog
from connectors.odoo.once import Once
from connectors.odoo.pickings import (
    MOVE_FIELDS,
    PICKING_FIELDS,
    TRACKING_FIELDS,
    Move,
    Picking,
    is_reserved,
    parse_fulfillment,
)
from connectors.odoo.places import Warehouse
from connectors.odoo.recipients import Recipients, id_of_first, made
from connectors.odoo.settings import OdooSettings
from connectors.odoo.values import id_of
from connectors.odoo.wire import Wire


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between versions and installed modules."""

    moves_field: str
    names_moves: bool
    picking_fields: tuple[str, ...]


class Deliveries:
    """Deliveries that carry our key as their ``origin``."""

    def __init__(self, wire: Wire, catalog: Catalog, settings: OdooSettings, monotonic: Callable[[], float]) -> None:
        self._wire = wire
        self._catalog = catalog
        self._recipients = Recipients(wire, settings, monotonic)
        self._dialect = Once(self._read_dialect)
        self._customers = Once(self._read_customers)

    async def aclose(self) -> None:
        """Stop what is being fetched."""
        await self._dialect.aclose()
        await self._customers.aclose()

    async def request(self, request: FulfillmentRequest, warehouse: Warehouse) -> RemoteFulfillment:
        """Make the delivery, or go on with the one that is there, until Odoo has reserved all of it or is told to stop."""
        if request.method is not Method.SHIP:
            raise Unsupported("an Odoo warehouse ships; nobody is there to hand anything over")
        found = await self.find(request.key)
        if found and not _is_undecided(found):
            return found
        picking_id = int(found.ref) if found else await self._create(request, warehouse)
        try:
            return await self._reserve(picking_id, request.key, alone=found is None)
        except SourceError as error:
            # The delivery exists by now: no failure may read as if nothing had happened.
            raise OutcomeUnknown(f"delivery {picking_id} is there, then {error}") from error

    async def _reserve(self, picking_id: int, key: RequestKey, *, alone: bool) -> RemoteFulfillment:
        """Have Odoo reserve all of it, or none. ``alone``: nobody can have split it yet, so that its moves tell everything."""
        reason = "INSUFFICIENT_STOCK"
        try:
            # Confirms a draft on the way. Repeating it changes nothing: what is reserved stays reserved.
            await self._act("action_assign", [picking_id])
            if alone and is_reserved(await self._moves([picking_id]), picking_id):
                return RemoteFulfillment(ref=RemoteRef(str(picking_id)), key=key, state=RemoteState.ACCEPTED)
        except Rejected as refusal:
            reason = refusal.detail
        found = await self.find(key)
        if found is None:
            raise ContractBroken("it has lost its origin")
        if not _is_undecided(found) or await self.cancel(found.ref) is not CancelOutcome.CANCELED:
            return found
        return replace(found, state=RemoteState.REJECTED, reason=reason)

    async def find(self, key: RequestKey) -> RemoteFulfillment | None:
        """What has become of a key."""
        pickings = [picking for picking in await self._pickings([["origin", "=", key]]) if picking.origin == key]
        return (await self._fulfillments([pickings]))[0] if pickings else None

    async def cancel(self, ref: RemoteRef) -> CancelOutcome:
        """Cancel whatever has not left."""
        pickings = await self._group(ref)
        left = any(picking.state == "done" for picking in pickings)
        if open_ids := [picking.id for picking in pickings if picking.is_open]:
            try:
                await self._act("action_cancel", open_ids)
            except Rejected:
                return _outcome_after_refusal(await self._group(ref))
            return CancelOutcome.PARTIAL if left else CancelOutcome.CANCELED
        return CancelOutcome.TOO_LATE if left else CancelOutcome.CANCELED

    async def status(self, refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        """How far these are."""
        ids = [int(ref) for ref in refs if ref.isdecimal()]
        if not ids:
            return ()
        asked = [picking for picking in await self._pickings([["id", "in", ids]]) if picking.id in set(ids)]
        origins = sorted({picking.origin for picking in asked if isinstance(picking.origin, str)})
        related = await self._pickings([["origin", "in", origins]]) if origins else []
        of_origin: dict[str | bool, list[Picking]] = defaultdict(list)
        for picking in related:
            of_origin[picking.origin].append(picking)
        groups = [_with_backorders(picking, of_origin[picking.origin]) for picking in asked]
        found = await self._fulfillments(groups)
        return tuple(replace(each, ref=RemoteRef(str(picking.id))) for each, picking in zip(found, asked, strict=True))

    # ------------------------------------------------------------------------------------------ reading
    async def _pickings(self, domain: Sequence[object]) -> list[Picking]:
        fields = (await self._dialect.get()).picking_fields
        return await self._wire.execute(
            "stock.picking", "search_read", returns=list[Picking], domain=domain, fields=fields, order="id"
        )

    async def _group(self, ref: RemoteRef) -> list[Picking]:
        asked = await self._pickings([["id", "=", int(ref)]]) if ref.isdecimal() else []
        if not asked or str(asked[0].id) != ref:
            raise NotFound(f"no delivery {ref}")
        if not isinstance(asked[0].origin, str):
            return asked
        return _with_backorders(asked[0], await self._pickings([["origin", "=", asked[0].origin]]))

    async def _fulfillments(self, groups: Sequence[Sequence[Picking]]) -> list[RemoteFulfillment]:
        ids = sorted({picking.id for group in groups for picking in group})
        moves = await self._moves(ids)
        product_ids = {move.product_id[0] for move in moves if not isinstance(move.product_id, bool)}
        skus = await self._catalog.skus(product_ids)
        of_picking: dict[int | None, list[Move]] = defaultdict(list)
        for move in moves:
            of_picking[id_of(move.picking_id)].append(move)
        return [parse_fulfillment(group, chain.from_iterable(of_picking[each.id] for each in group), skus) for group in groups]

    async def _moves(self, picking_ids: Sequence[int]) -> list[Move]:
        domain = [["picking_id", "in", picking_ids]]
        return await self._wire.execute("stock.move", "search_read", returns=list[Move], domain=domain, fields=MOVE_FIELDS)

    # ------------------------------------------------------------------------------------------ writing
    async def _create(self, request: FulfillmentRequest, warehouse: Warehouse) -> int:
        dialect, customers_id = await self._dialect.get(), await self._customers.get()
        route = {"location_id": warehouse.stock_location_id, "location_dest_id": customers_id}
        moves = [
            {"product_id": product_id, "product_uom_qty": units, **route, **({"name": sku} if dialect.names_moves else {})}
            for sku, product_id, units in await self._demand(request)
        ]
        delivery: dict[str, object] = {
            "origin": request.key,
            "picking_type_id": warehouse.out_type_id,
            "partner_id": await self._recipients.id_of(request.recipient),
            "note": f"Order {request.order_number}",
            dialect.moves_field: [[0, 0, move] for move in moves],
            **route,
        }
        try:
            return await made(self._wire, "stock.picking", delivery)
        except (Rejected, NotFound):
            self._recipients.forget(request.recipient)
            raise

    async def _demand(self, request: FulfillmentRequest) -> list[tuple[str, int, int]]:
        items = await self._catalog.items([line.sku for line in request.lines])
        for line in request.lines:
            if line.sku not in items:
                raise Rejected(f"Odoo has no product {line.sku}", reason="UNKNOWN_SKU", field=line.sku)
        return [(line.sku, items[line.sku].product_ids[0], line.units) for line in request.lines]

    async def _act(self, action: str, ids: Sequence[int]) -> None:
        # What comes back differs by version (True, None, a window to open); the truth is read afterwards.
        await self._wire.execute("stock.picking", action, returns=object, ids=ids, intent=Intent.WRITE, repeatable=True)

    # ------------------------------------------------------------------------------------------ learned once
    async def _read_dialect(self) -> Dialect:
        picking_fields = await self._fields_of("stock.picking", ("move_ids_without_package", *TRACKING_FIELDS))
        move_fields = await self._fields_of("stock.move", ("name",))
        return Dialect(
            moves_field="move_ids_without_package" if "move_ids_without_package" in picking_fields else "move_ids",
            names_moves="name" in move_fields,
            picking_fields=(*PICKING_FIELDS, *(field for field in TRACKING_FIELDS if field in picking_fields)),
        )

    async def _fields_of(self, model: str, fields: Sequence[str]) -> dict[str, object]:
        return await self._wire.execute(model, "fields_get", returns=dict[str, object], allfields=fields, attributes=["type"])

    async def _read_customers(self) -> int:
        location_id = await id_of_first(self._wire, "stock.location", [["usage", "=", "customer"]])
        if location_id is None:
            raise ContractBroken("Odoo has no location for customers")
        return location_id


_REFUSALS: Final = {frozenset({"done"}): CancelOutcome.TOO_LATE, frozenset({"cancel"}): CancelOutcome.CANCELED}


def _outcome_after_refusal(pickings: Sequence[Picking]) -> CancelOutcome:
    """Odoo says why in the user's language; what became of the delivery says it in ours."""
    return _REFUSALS.get(frozenset(picking.state for picking in pickings), CancelOutcome.REFUSED)


def _is_undecided(found: RemoteFulfillment) -> bool:
    """Whether Odoo has yet to reserve everything; once a part has left, people there decide what follows."""
    undecided = found.state is RemoteState.REQUESTED or (found.state is RemoteState.ACCEPTED and bool(found.short))
    return undecided and not found.packages


def _with_backorders(picking: Picking, related: Sequence[Picking]) -> list[Picking]:
    if not isinstance(picking.origin, str):
        return [picking]
    same_origin = [each for each in related if each.origin == picking.origin and each.id != picking.id]
    return [picking, *same_origin]
