"""Loading the books for a batch of commands, and writing down what they changed: a few bulk statements, however many commands."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, tuple_
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.contract import Sku
from gateway.domain.books import Books, ShelfKey
from gateway.domain.identity import FulfillmentOrderId, LocationId, OrderId, ReservationId, SourceName
from gateway.domain.orders import Order
from gateway.domain.reservations import Reservation, ReservationState
from gateway.domain.stock import Acknowledged, Shelf
from gateway.ports import NewId, Touches
from gateway.storage import claims
from gateway.storage.documents import document, micros, read
from gateway.storage.tables import acknowledged, decision, event, hold, ledger, order, order_sku, reservation, shelf, source, work

Rows = list[dict[str, Any]]

CAUSE_CHARACTERS_MAX = 200


class ChangedMeanwhile(RuntimeError):
    """A row was changed by somebody else between loading and saving; nothing of the batch was written."""


# ---------------------------------------------------------------------------------------------- loading
async def load(connection: AsyncConnection, touched: Sequence[Touches], *, now: datetime, new_id: NewId) -> Books:
    """Everything that these commands must see, expired holds on their SKUs included."""
    orders = await load_orders(connection, _all(each.orders for each in touched))
    skus = _all(each.skus for each in touched) | {line.sku for found in orders.values() for line in found.lines}
    due = await _due_reservations(connection, skus, now)
    reservations = await load_reservations(connection, _all(each.reservations for each in touched) | due)
    skus |= {line.sku for found in reservations.values() for line in found.lines}
    sources = _all(each.sources for each in touched) | {
        each.source for found in orders.values() for each in found.fulfillment_orders
    }
    return Books(
        now=now,
        new_id=new_id,
        orders=orders,
        reservations=reservations,
        shelves=await load_shelves(connection, skus),
        epochs=await load_epochs(connection, sources),
        numbers_by_external_id=await _numbers(connection, _all(each.external_ids for each in touched)),
    )


async def load_orders(connection: AsyncConnection, orders: Collection[OrderId]) -> dict[OrderId, Order]:
    """Those of these orders that exist."""
    if not orders:
        return {}
    found = await connection.execute(select(order.c.body).where(order.c.id.in_(sorted(orders))))
    return {each.id: each for each in (read(row[0], Order) for row in found)}


async def load_reservations(
    connection: AsyncConnection, reservations: Collection[ReservationId]
) -> dict[ReservationId, Reservation]:
    """Those of these holds that exist."""
    if not reservations:
        return {}
    found = await connection.execute(select(reservation.c.body).where(reservation.c.id.in_(sorted(reservations))))
    return {each.id: each for each in (read(row[0], Reservation) for row in found)}


async def load_shelves(
    connection: AsyncConnection, skus: Collection[Sku], *, holds_at: datetime | None = None
) -> dict[ShelfKey, Shelf]:
    """Our promises on these SKUs, everywhere, in one statement; pairs that never had any are left out.

    ``holds_at``: without holds whose time was up by then. Whoever writes ends those first, and needs no instant.
    """
    if not skus:
        return {}
    held: ColumnElement[int] = shelf.c.held_units
    if holds_at is not None:
        over = select(func.coalesce(func.sum(hold.c.units), 0)).where(
            hold.c.sku == shelf.c.sku, hold.c.location_id == shelf.c.location_id, hold.c.expires_at <= micros(holds_at)
        )
        held = held - over.scalar_subquery()
    noted = (acknowledged.c.sku == shelf.c.sku) & (acknowledged.c.location_id == shelf.c.location_id)
    query = (
        select(
            shelf.c.sku,
            shelf.c.location_id,
            held.label("held_units"),
            shelf.c.committed_units,
            shelf.c.settled_epoch,
            shelf.c.version,
            acknowledged.c.fulfillment_order_id,
            acknowledged.c.units,
            acknowledged.c.epoch,
        )
        .outerjoin(acknowledged, noted)
        .where(shelf.c.sku.in_(sorted(skus)))
        .order_by(shelf.c.sku, shelf.c.location_id, acknowledged.c.epoch)
    )
    found: dict[ShelfKey, Shelf] = {}
    for row in await connection.execute(query):
        key = (Sku(row.sku), LocationId(row.location_id))
        known = found.get(key) or Shelf(
            sku=key[0],
            location=key[1],
            held_units=row.held_units,
            committed_units=row.committed_units,
            settled_epoch=row.settled_epoch,
            version=row.version,
        )
        if row.epoch is not None:
            each = Acknowledged(work=FulfillmentOrderId(row.fulfillment_order_id), units=row.units, epoch=row.epoch)
            known = replace(known, acknowledged=(*known.acknowledged, each))
        found[key] = known
    return found


async def load_epochs(connection: AsyncConnection, sources: Collection[SourceName] | None = None) -> dict[SourceName, int]:
    """How many acknowledgments of these sources (all of them, if none are named) have been committed."""
    if sources is not None and not sources:
        return {}
    query = select(source.c.name, source.c.epoch)
    if sources is not None:
        query = query.where(source.c.name.in_(sorted(sources)))
    return {SourceName(row.name): row.epoch for row in await connection.execute(query)}


async def _due_reservations(connection: AsyncConnection, skus: Collection[Sku], now: datetime) -> set[ReservationId]:
    if not skus:
        return set()
    query = select(hold.c.reservation_id).distinct().where(hold.c.sku.in_(sorted(skus)), hold.c.expires_at <= micros(now))
    return {ReservationId(row[0]) for row in await connection.execute(query)}


async def _numbers(connection: AsyncConnection, external: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    if not external:
        return {}
    query = select(order.c.channel, order.c.external_id, order.c.number).where(
        tuple_(order.c.channel, order.c.external_id).in_(sorted(external))
    )
    return {(row.channel, str(row.external_id)): row.number for row in await connection.execute(query)}


def _all(sets: Iterable[frozenset[Any]]) -> set[Any]:
    return set().union(*sets)


# ---------------------------------------------------------------------------------------------- saving
async def save(connection: AsyncConnection, books: Books, before: Mapping[ShelfKey, Shelf]) -> None:
    """Write down everything that changed.

    Raises:
        ChangedMeanwhile: Somebody else was quicker; the transaction must be rolled back.
    """
    at = micros(books.now)
    await _save_shelves(connection, books, before)
    await _save_epochs(connection, books)
    await _save_orders(connection, books)
    await _save_reservations(connection, books)
    await _insert(
        connection,
        ledger,
        [
            {
                "id": books.new_id(),
                "at": at,
                "sku": each.sku,
                "location_id": each.location,
                "bucket": each.bucket,
                "units": each.units,
                "reason": each.reason,
                "subject": each.subject,
            }
            for each in books.entries
        ],
    )
    await _insert(
        connection,
        decision,
        [
            {"id": each.id, "order_id": each.order, "decided_at": micros(each.decided_at), "body": document(each)}
            for each in books.decisions
        ],
    )
    await _insert(
        connection,
        event,
        [
            {
                "id": books.new_id(),
                "order_id": each.order.id,
                "version": each.order.version,
                "type": each.type,
                "at": at,
                "actor": each.actor,
                "cause": each.cause and each.cause[:CAUSE_CHARACTERS_MAX],
                "body": document(each.order),
            }
            for each in books.events
        ],
    )
    await claims.enqueue(connection, books.jobs, books.new_id)


async def _save_shelves(connection: AsyncConnection, books: Books, before: Mapping[ShelfKey, Shelf]) -> None:
    changed = [books.shelves[key] for key in sorted(books.changed_shelves)]
    if not changed:
        return
    rows = [
        {
            "sku": each.sku,
            "location_id": each.location,
            "held_units": each.held_units,
            "committed_units": each.committed_units,
            "settled_epoch": each.settled_epoch,
            "version": each.version + 1,
        }
        for each in changed
    ]
    statement = upsert(shelf)
    counters = ("held_units", "committed_units", "settled_epoch", "version")
    guarded = statement.on_conflict_do_update(
        index_elements=[shelf.c.sku, shelf.c.location_id],
        set_={name: statement.excluded[name] for name in counters},
        where=shelf.c.version == statement.excluded.version - 1,
    )
    written = await connection.execute(guarded.returning(shelf.c.sku), rows)
    if len(written.all()) != len(rows):
        raise ChangedMeanwhile
    noted = [
        each
        for each in changed
        if each.acknowledged != before.get((each.sku, each.location), each).acknowledged or each.version == 0
    ]
    if noted:
        keys = [(each.sku, each.location) for each in noted]
        await connection.execute(delete(acknowledged).where(tuple_(acknowledged.c.sku, acknowledged.c.location_id).in_(keys)))
        await _insert(
            connection,
            acknowledged,
            [
                {
                    "sku": each.sku,
                    "location_id": each.location,
                    "fulfillment_order_id": note.work,
                    "epoch": note.epoch,
                    "units": note.units,
                }
                for each in noted
                for note in each.acknowledged
            ],
        )


async def _save_epochs(connection: AsyncConnection, books: Books) -> None:
    if books.changed_sources:
        statement = upsert(source)
        newer = statement.on_conflict_do_update(index_elements=[source.c.name], set_={"epoch": statement.excluded.epoch})
        await connection.execute(newer, [{"name": name, "epoch": books.epochs[name]} for name in sorted(books.changed_sources)])


async def _save_orders(connection: AsyncConnection, books: Books) -> None:
    changed = [books.orders[each] for each in books.changed_orders]
    if not changed:
        return
    statement = upsert(order)
    moved = statement.on_conflict_do_update(
        index_elements=[order.c.id], set_={name: statement.excluded[name] for name in ("status", "version", "body")}
    )
    await connection.execute(
        moved,
        [
            {
                "id": each.id,
                "number": each.number,
                "channel": each.channel,
                "external_id": each.external_id,
                "status": each.status,
                "version": each.version,
                "placed_at": micros(each.placed_at),
                "body": document(each),
            }
            for each in changed
        ],
    )
    placed = {each.order.id for each in books.events if each.order.version == 1}
    await _insert(
        connection,
        order_sku,
        [
            {"sku": sku, "order_id": each.id}
            for each in changed
            if each.id in placed
            for sku in sorted({line.sku for line in each.lines})
        ],
    )
    await _save_work(connection, changed)


async def _save_work(connection: AsyncConnection, orders: Sequence[Order]) -> None:
    rows: Rows = [
        {
            "id": each.id,
            "order_id": found.id,
            "location_id": each.location,
            "source": each.source,
            "remote_ref": each.remote_ref,
            "is_followed": int(each.is_followed),
        }
        for found in orders
        for each in found.fulfillment_orders
    ]
    if rows:
        statement = upsert(work)
        moved = statement.on_conflict_do_update(
            index_elements=[work.c.id], set_={name: statement.excluded[name] for name in ("remote_ref", "is_followed")}
        )
        await connection.execute(moved, rows)


async def _save_reservations(connection: AsyncConnection, books: Books) -> None:
    changed = [books.reservations[each] for each in books.changed_reservations]
    if not changed:
        return
    statement = upsert(reservation)
    moved = statement.on_conflict_do_update(
        index_elements=[reservation.c.id],
        set_={name: statement.excluded[name] for name in ("state", "expires_at", "body")},
    )
    await connection.execute(
        moved,
        [{"id": each.id, "state": each.state, "expires_at": micros(each.expires_at), "body": document(each)} for each in changed],
    )
    await connection.execute(delete(hold).where(hold.c.reservation_id.in_([each.id for each in changed])))
    await _insert(
        connection,
        hold,
        [
            {
                "sku": line.sku,
                "location_id": line.location,
                "reservation_id": each.id,
                "units": line.units,
                "expires_at": micros(each.expires_at),
            }
            for each in changed
            if each.state is ReservationState.ACTIVE
            for line in each.lines
        ],
    )


async def _insert(connection: AsyncConnection, table: Any, rows: Rows) -> None:
    if rows:
        await connection.execute(insert(table), rows)
