"""Loading the books for a batch of commands, and writing down what they changed: a few bulk statements, however many commands.

Rows are locked before they are read, always in the same order: jobs, orders, holds, shelves, sources, policies; each kind by its
key. Two gateways can so wait for each other, but never both at once.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.contract import Sku
from gateway.domain.books import Books, ShelfKey
from gateway.domain.capacity import is_made_up
from gateway.domain.identity import LocationId, OrderId, ReservationId, SourceName
from gateway.domain.orders import Order
from gateway.domain.reservations import Reservation, ReservationState
from gateway.domain.stock import NETWORK, Acknowledged, Shelf
from gateway.ports import NewId, Touches
from gateway.storage import claims
from gateway.storage.database import Database
from gateway.storage.documents import Documents, document, micros, read
from gateway.storage.failures import ChangedMeanwhile
from gateway.storage.policies import load_policies, save_policies
from gateway.storage.statements import add, in_given, keep, store_now, upsert
from gateway.storage.tables import decision, event, hold, ledger, order, order_sku, reservation, shelf, source, work

CAUSE_CHARACTERS_MAX = 200

_acknowledged = msgspec.json.Decoder(tuple[Acknowledged, ...])
_NOTHING_ACKNOWLEDGED = document(())


# ---------------------------------------------------------------------------------------------- loading
async def load(database: Database, connection: AsyncConnection, touched: Sequence[Touches], *, new_id: NewId) -> Books:
    """Everything that these commands must see, locked; holds on their SKUs whose time is up included."""
    jobs = await claims.load_jobs(connection, _all(each.jobs for each in touched))
    orders = await load_orders(connection, _all(each.orders for each in touched), lock=True)
    skus = _all(each.skus for each in touched) | {sku for found in orders.values() for sku in found.skus}
    due = await _due_reservations(connection, skus)
    reservations = await load_reservations(connection, _all(each.reservations for each in touched) | due, lock=True)
    skus |= {line.sku for found in reservations.values() for line in found.lines}
    sources = _all(each.sources for each in touched) | {
        each.source for found in orders.values() for each in found.fulfillment_orders
    }
    shelves = await _lock_shelves(connection, skus)
    epochs = await _lock_epochs(connection, sources)
    numbers = await _numbers(connection, _all(each.external_ids for each in touched))
    policies = await load_policies(connection, _all(each.policies for each in touched))
    return Books(
        now=await database.now(connection),  # last: whoever was waited for has written what is older
        new_id=new_id,
        orders=orders,
        reservations=reservations,
        shelves=shelves,
        epochs=epochs,
        numbers_by_external_id=numbers,
        known_jobs=jobs,
        policies=policies,
    )


async def load_orders(connection: AsyncConnection, orders: Collection[OrderId], *, lock: bool = False) -> dict[OrderId, Order]:
    """Those of these orders that exist."""
    if not orders:
        return {}
    found = await connection.execute(_ORDERS_LOCKED if lock else _ORDERS, {"orders": sorted(orders)})
    return {each.id: each for each in (read(row[0], Order) for row in found)}


async def load_reservations(
    connection: AsyncConnection, reservations: Collection[ReservationId], *, lock: bool = False
) -> dict[ReservationId, Reservation]:
    """Those of these holds that exist."""
    if not reservations:
        return {}
    found = await connection.execute(_RESERVATIONS_LOCKED if lock else _RESERVATIONS, {"reservations": sorted(reservations)})
    return {each.id: each for each in (read(row[0], Reservation) for row in found)}


async def _lock_shelves(connection: AsyncConnection, skus: Collection[Sku]) -> dict[ShelfKey, Shelf]:
    """Our promises on these SKUs, and each SKU as a whole: what has no row yet cannot be locked, so the row for all of it is made.

    Without it, one gateway could bind the last unit at a location while another holds it for the network, and neither would see
    the other's new row. It is made before any shelf is locked: to wait for another's, holding some, may be to wait for ever.
    """
    goods = [sku for sku in sorted(skus) if not is_made_up(sku)]
    known = {row[0] for row in await connection.execute(_KNOWN, {"skus": goods})} if goods else set()
    whole = {"location_id": NETWORK, "held_units": 0, "committed_units": 0, "settled_epoch": 0, "version": 0}
    rows = [{"sku": sku, "acknowledged": _NOTHING_ACKNOWLEDGED, **whole} for sku in goods if sku not in known]
    if rows:
        await connection.execute(upsert(connection.dialect.name, shelf).on_conflict_do_nothing(), rows)
    return await load_shelves(connection, skus, lock=True)


async def load_shelves(connection: AsyncConnection, skus: Collection[Sku], *, lock: bool = False) -> dict[ShelfKey, Shelf]:
    """Our promises on these SKUs, everywhere, in one statement; pairs that never had any are left out.

    Locked, they count what is held as it stands: whoever writes ends the holds whose time is up. Else those are left out.
    """
    if not skus:
        return {}
    rows = await connection.execute(_SHELVES_LOCKED if lock else _SHELVES, {"skus": sorted(skus)})
    return {
        (Sku(sku), LocationId(location)): Shelf(
            sku=Sku(sku),
            location=LocationId(location),
            held_units=int(held_units),
            committed_units=committed_units,
            settled_epoch=settled_epoch,
            version=version,
            acknowledged=() if acknowledged == _NOTHING_ACKNOWLEDGED else _acknowledged.decode(acknowledged),
        )
        for sku, location, held_units, committed_units, settled_epoch, version, acknowledged in rows
    }


async def load_epochs(connection: AsyncConnection) -> dict[SourceName, int]:
    """How many acknowledgments of each source have been committed."""
    return {SourceName(row.name): row.epoch for row in await connection.execute(_EPOCHS)}


async def _lock_epochs(connection: AsyncConnection, sources: Collection[SourceName]) -> dict[SourceName, int]:
    if not sources:
        return {}
    rows = await connection.execute(_EPOCHS_LOCKED, {"sources": sorted(sources)})
    return {SourceName(row.name): row.epoch for row in rows}


async def _due_reservations(connection: AsyncConnection, skus: Collection[Sku]) -> set[ReservationId]:
    if not skus:
        return set()
    return {ReservationId(row[0]) for row in await connection.execute(_DUE, {"skus": sorted(skus)})}


async def _numbers(connection: AsyncConnection, external: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    if not external:
        return {}
    channels, ids = sorted({channel for channel, _ in external}), sorted({each for _, each in external})
    rows = await connection.execute(_NUMBERS, {"channels": channels, "ids": ids})
    return {(row.channel, str(row.external_id)): row.number for row in rows}


_ORDERS: Final = select(order.c.body).where(in_given(order.c.id, "orders")).order_by(order.c.id)
_ORDERS_LOCKED: Final = _ORDERS.with_for_update()
_RESERVATIONS: Final = select(reservation.c.body).where(in_given(reservation.c.id, "reservations")).order_by(reservation.c.id)
_RESERVATIONS_LOCKED: Final = _RESERVATIONS.with_for_update()
_EPOCHS: Final = select(source.c.name, source.c.epoch).order_by(source.c.name)
_EPOCHS_LOCKED: Final = _EPOCHS.where(in_given(source.c.name, "sources")).with_for_update()
_KNOWN: Final = select(shelf.c.sku).where(in_given(shelf.c.sku, "skus"), shelf.c.location_id == NETWORK)
_DUE: Final = select(hold.c.reservation_id).distinct().where(in_given(hold.c.sku, "skus"), hold.c.expires_at <= store_now())
_NUMBERS: Final = select(order.c.channel, order.c.external_id, order.c.number).where(
    in_given(order.c.channel, "channels"), in_given(order.c.external_id, "ids")
)


def _shelves(held_units: ColumnElement[int]) -> Select[Any]:
    counters = (shelf.c.committed_units, shelf.c.settled_epoch, shelf.c.version, shelf.c.acknowledged)
    return (
        select(shelf.c.sku, shelf.c.location_id, held_units, *counters)
        .where(in_given(shelf.c.sku, "skus"))
        .order_by(shelf.c.sku, shelf.c.location_id)
    )


_OVER: Final = select(func.coalesce(func.sum(hold.c.units), 0)).where(
    hold.c.sku == shelf.c.sku, hold.c.location_id == shelf.c.location_id, hold.c.expires_at <= store_now()
)
_SHELVES: Final = _shelves(shelf.c.held_units - _OVER.scalar_subquery())
_SHELVES_LOCKED: Final = _shelves(shelf.c.held_units).with_for_update()


def _all(sets: Iterable[frozenset[Any]]) -> set[Any]:
    return set().union(*sets)


# ---------------------------------------------------------------------------------------------- saving
async def save(connection: AsyncConnection, books: Books, documents: Documents) -> None:
    """Write down everything that changed.

    Raises:
        ChangedMeanwhile: Somebody else was quicker; the transaction must be rolled back.
    """
    await _save_shelves(connection, books)
    await _save_epochs(connection, books)
    await _save_orders(connection, books, documents)
    await _save_reservations(connection, books)
    await _save_ledger(connection, books)
    await add(connection, decision, [(each.id, each.order, micros(each.decided_at), document(each)) for each in books.decisions])
    await _save_events(connection, books, documents)
    await save_policies(connection, books)
    await claims.enqueue(connection, books.jobs)
    await claims.retry(connection, books.retried_jobs)


async def _save_shelves(connection: AsyncConnection, books: Books) -> None:
    """Each only if it is as it was loaded: the last guard, should a lock ever fail us."""
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
            "acknowledged": document(each.acknowledged),
        }
        for each in changed
    ]
    written = await connection.execute(_guarded(connection.dialect.name), rows)
    if len(written.all()) != len(rows):
        raise ChangedMeanwhile


@cache
def _guarded(dialect: str) -> Any:
    statement = upsert(dialect, shelf)
    counters = ("held_units", "committed_units", "settled_epoch", "version", "acknowledged")
    return statement.on_conflict_do_update(
        index_elements=[shelf.c.sku, shelf.c.location_id],
        set_={name: statement.excluded[name] for name in counters},
        where=shelf.c.version == statement.excluded.version - 1,
    ).returning(shelf.c.sku)


async def _save_epochs(connection: AsyncConnection, books: Books) -> None:
    """Upwards only: of two gateways that count a source's first acknowledgment at once, one must count again."""
    if not books.changed_sources:
        return
    rows = [{"name": name, "epoch": books.epochs[name]} for name in sorted(books.changed_sources)]
    written = await connection.execute(_newer(connection.dialect.name), rows)
    if len(written.all()) != len(rows):
        raise ChangedMeanwhile


@cache
def _newer(dialect: str) -> Any:
    statement = upsert(dialect, source)
    return statement.on_conflict_do_update(
        index_elements=[source.c.name], set_={"epoch": statement.excluded.epoch}, where=source.c.epoch < statement.excluded.epoch
    ).returning(source.c.name)


async def _save_orders(connection: AsyncConnection, books: Books, documents: Documents) -> None:
    changed = [books.orders[each] for each in sorted(books.changed_orders)]
    await keep(
        connection,
        order,
        [
            (
                each.id,
                each.number,
                each.channel,
                each.external_id,
                each.status,
                each.version,
                micros(each.placed_at),
                documents.of(each),
            )
            for each in changed
        ],
        newer=("status", "version", "body"),
    )
    placed = {each.order.id for each in books.events if each.order.version == 1}
    skus = [(line.sku, each.id) for each in changed if each.id in placed for line in each.lines]
    await add(connection, order_sku, list(dict.fromkeys(skus)))
    await keep(
        connection,
        work,
        [
            (each.id, found.id, each.location, each.source, each.remote_ref, int(each.is_followed))
            for found in changed
            for each in found.fulfillment_orders
        ],
        newer=("remote_ref", "is_followed"),
    )


async def _save_reservations(connection: AsyncConnection, books: Books) -> None:
    changed = [books.reservations[each] for each in sorted(books.changed_reservations)]
    if not changed:
        return
    rows = [(each.id, each.state, micros(each.expires_at), document(each)) for each in changed]
    await keep(connection, reservation, rows, newer=("state", "expires_at", "body"))
    await connection.execute(_UNHOLD, {"reservations": [each.id for each in changed]})
    await add(
        connection,
        hold,
        [
            (each.id, line.sku, line.location, line.units, micros(each.expires_at))
            for each in changed
            if each.state is ReservationState.ACTIVE
            for line in each.lines
        ],
    )


_UNHOLD: Final = delete(hold).where(in_given(hold.c.reservation_id, "reservations"))


async def _save_ledger(connection: AsyncConnection, books: Books) -> None:
    now = micros(books.now)
    await add(
        connection,
        ledger,
        [
            (
                now if each.at is None else micros(each.at),
                each.sku,
                each.location,
                each.bucket,
                each.units,
                each.reason,
                each.subject,
                each.sellable_units,
                books.shelf(each.sku, each.location).version + 1,
            )
            for each in books.entries
        ],
    )


async def _save_events(connection: AsyncConnection, books: Books, documents: Documents) -> None:
    now = micros(books.now)
    await add(
        connection,
        event,
        [
            (
                None,
                each.order.id,
                each.order.version,
                each.type,
                now,
                each.actor,
                each.cause and each.cause[:CAUSE_CHARACTERS_MAX],
                documents.of(each.order),
            )
            for each in books.events
        ],
    )
