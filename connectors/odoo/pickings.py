"""Deliveries (``stock.picking``) and how far they are.

All pickings of one request carry our key as ``origin``: the one we made, and the backorders that people there split off.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from connectors.contract import RemoteFulfillment, RemotePackage, RemoteRef, RemoteState, RequestKey, RequestLine, Sku
from connectors.odoo.values import ManyToOne, Text, id_of, name_of, text_of, time_of, units_of

PICKING_FIELDS: Final = ("origin", "state", "date_done")
TRACKING_FIELDS: Final = ("carrier_id", "carrier_tracking_ref", "carrier_tracking_url")
MOVE_FIELDS: Final = ("picking_id", "product_id", "product_uom_qty", "quantity", "state")


class Picking(msgspec.Struct):
    """A row of ``stock.picking``. The carrier's fields exist where the module ``stock_delivery`` is installed."""

    id: int
    state: Literal["draft", "waiting", "confirmed", "assigned", "done", "cancel"]
    origin: Text = False
    date_done: Text = False
    carrier_id: ManyToOne = False
    carrier_tracking_ref: Text = False
    carrier_tracking_url: Text = False

    @property
    def is_open(self) -> bool:
        """Whether it may still leave."""
        return self.state not in {"done", "cancel"}


class Move(msgspec.Struct):
    """A row of ``stock.move``. ``quantity`` is what is reserved for it or, once done, what left."""

    picking_id: ManyToOne
    product_id: ManyToOne
    product_uom_qty: float
    quantity: float
    state: Literal["draft", "waiting", "confirmed", "partially_available", "assigned", "done", "cancel"]


def parse_fulfillment(pickings: Sequence[Picking], moves: Iterable[Move], skus: Mapping[int, Sku]) -> RemoteFulfillment:
    """What the pickings of one request, at least one, amount to.

    * All canceled: ``CANCELED``, whoever did it.
    * None left to do: ``SHIPPED``; what was canceled on the way is ``short``.
    * Some left, or ready to leave: ``ACCEPTED``. Odoo says ``assigned`` as soon as *anything* is reserved, so the moves tell what
      is ``short``.
    * Draft, or waiting for stock: ``REQUESTED``; when Odoo has looked for stock, what it did not find is ``short``.
    """
    of_picking: dict[int, list[Move]] = {picking.id: [] for picking in pickings}
    for move in moves:
        if (picking_id := id_of(move.picking_id)) in of_picking:
            of_picking[picking_id].append(move)
    done = [picking for picking in pickings if picking.state == "done"]
    state = _state(pickings)
    first = min(pickings, key=lambda picking: picking.id)
    key = text_of(first.origin)
    return RemoteFulfillment(
        ref=RemoteRef(str(first.id)),
        key=RequestKey(key) if key else None,
        state=state,
        packages=tuple(_package(picking, of_picking[picking.id], skus) for picking in done),
        short=() if state is RemoteState.CANCELED else _short(pickings, of_picking, skus),
    )


def is_reserved(moves: Iterable[Move], picking_id: int) -> bool:
    """Whether all of a delivery that was not split is set aside: then Odoo calls it ``assigned``, and nothing of it is short."""
    of_picking = [move for move in moves if id_of(move.picking_id) == picking_id]
    return bool(of_picking) and all(move.state == "assigned" and move.quantity >= move.product_uom_qty for move in of_picking)


def _state(pickings: Sequence[Picking]) -> RemoteState:
    states = {picking.state for picking in pickings}
    if states == {"cancel"}:
        return RemoteState.CANCELED
    if states <= {"done", "cancel"}:
        return RemoteState.SHIPPED
    return RemoteState.ACCEPTED if states & {"done", "assigned"} else RemoteState.REQUESTED


def _package(picking: Picking, moves: Iterable[Move], skus: Mapping[int, Sku]) -> RemotePackage:
    url = text_of(picking.carrier_tracking_url)
    return RemotePackage(
        carrier=name_of(picking.carrier_id),
        tracking_number=text_of(picking.carrier_tracking_ref),
        # With several parcels this field holds a list in JSON, which is no link.
        tracking_url=url if url and url.startswith("http") else None,
        shipped_at=time_of(picking.date_done),
        lines=_lines([(move, units_of([move.quantity])) for move in moves if move.state == "done"], skus),
    )


def _short(
    pickings: Iterable[Picking], of_picking: Mapping[int, Iterable[Move]], skus: Mapping[int, Sku]
) -> tuple[RequestLine, ...]:
    missing: list[tuple[Move, int]] = []
    for picking in pickings:
        for move in of_picking[picking.id]:
            if move.state == "cancel":
                missing.append((move, units_of([move.product_uom_qty])))
            elif picking.is_open and picking.state != "draft":
                missing.append((move, units_of([move.product_uom_qty]) - units_of([move.quantity])))
    return _lines(missing, skus)


def _lines(counts: Iterable[tuple[Move, int]], skus: Mapping[int, Sku]) -> tuple[RequestLine, ...]:
    units: Counter[Sku] = Counter()
    for move, count in counts:
        if (product_id := id_of(move.product_id)) is not None and product_id in skus:
            units[skus[product_id]] += count
    return tuple(RequestLine(sku=sku, units=total) for sku, total in units.items() if total > 0)
