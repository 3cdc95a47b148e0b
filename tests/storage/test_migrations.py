"""A database of an earlier release, with everything in it that a merchant would miss."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from gateway.domain.books import Books
from gateway.domain.identity import FulfillmentOrderId, ReservationId, SourceName
from gateway.domain.orders import Order
from gateway.domain.reservations import Reservation
from gateway.domain.stock import Acknowledged
from gateway.ports import Fenced
from gateway.services.reservations import Release
from gateway.storage.database import MIGRATIONS, Database, parsed, postgresql, sqlite
from gateway.storage.documents import document, micros
from tests.harness import run
from tests.samples import EAST, MUG, SOURCE_OF, START, WEST, Command, Desk, HandClock, desk, hold, numbered, once, place
from tests.storages import Storage, stranger

T = TypeVar("T")

LONG_S = 1e9  # the database has its own clock here, and may be long past START
FIRST = FulfillmentOrderId("sent-first")
SECOND = FulfillmentOrderId("sent-second")


def tables_as_of(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def add(connection: Connection, table: str, *rows: dict[str, Any]) -> None:
    columns = list(rows[0])
    values = ", ".join(f":{name}" for name in columns)
    connection.execute(text(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"), list(rows))  # noqa: S608  # constants


def job(job_id: str, lane: str, state: str, attempt: int) -> dict[str, Any]:
    claim = {"attempt": attempt, "fence": attempt, "leased_until": 0, "error": "gave up" if state == "DEAD" else None}
    return {"id": job_id, "kind": "SUBMIT", "subject": job_id, "lane": lane, "state": state, "run_at": micros(START), **claim}


def a_days_work(connection: Connection) -> tuple[Order, Reservation]:
    """An order of which a source has two parts, a hold, an answer, and jobs in every state."""
    books = Books(now=START, new_id=numbered())
    order = place(3, of=9, external_id="W-1").decide(books)
    held = hold(2, of=9, at=EAST, ttl_s=LONG_S).decide(books)
    work = order.fulfillment_orders[0]
    add(connection, "source", {"name": SOURCE_OF[EAST], "epoch": 7})
    row = {"id": order.id, "number": order.number, "channel": order.channel, "external_id": order.external_id}
    more = {"status": order.status, "version": order.version, "placed_at": micros(START), "body": document(order)}
    add(connection, "customer_order", row | more)
    add(connection, "order_sku", {"sku": MUG, "order_id": order.id})
    found = {"id": work.id, "order_id": order.id, "location_id": EAST, "source": work.source, "remote_ref": "r-1", "is_followed": 1}
    add(connection, "fulfillment_order", found)
    state = {"id": held.id, "state": held.state, "expires_at": micros(held.expires_at), "body": document(held)}
    add(connection, "reservation", state)
    kept = {"sku": MUG, "location_id": EAST, "reservation_id": held.id, "units": 2, "expires_at": micros(held.expires_at)}
    add(connection, "hold", kept)
    counters = {"held_units": 2, "committed_units": 3, "settled_epoch": 2, "version": 5}
    add(connection, "shelf", *({"sku": MUG, "location_id": at, **counters} for at in (EAST, WEST)))
    noted = {"sku": MUG, "location_id": EAST}
    add(
        connection,
        "acknowledged",
        noted | {"fulfillment_order_id": SECOND, "epoch": 6, "units": 2},
        noted | {"fulfillment_order_id": FIRST, "epoch": 4, "units": 1},
    )
    posted = {"at": micros(START), "sku": MUG, "location_id": EAST, "reason": "ROUTED", "subject": order.id}
    add(
        connection,
        "ledger",
        posted | {"id": "L2", "bucket": "HELD", "units": 2},
        posted | {"id": "L1", "bucket": "COMMITTED", "units": 3},
    )
    told = {
        "order_id": order.id,
        "type": "order.placed",
        "at": micros(START),
        "actor": "shop",
        "cause": None,
        "body": document(order),
    }
    add(connection, "event", told | {"id": "E2", "version": 2, "seq": None}, told | {"id": "E1", "version": 1, "seq": 41})
    jobs = (job("04", "b", "DEAD", 9), job("03", "a", "READY", 0), job("02", "a", "READY", 1), job("01", "a", "DONE", 1))
    add(connection, "job", *jobs)
    answered = {"principal": "shop", "operation": "orderPlace", "key": "k", "request_hash": "same"}
    add(connection, "idempotent_request", answered | {"answer": document(order), "at": micros(START)})
    return order, held


async def at_revision(storage: Storage, revision: str, fill: Callable[[Connection], T]) -> T:
    """What is done to a database whose tables are those of that revision."""
    make = postgresql if storage.is_shared else sqlite
    database: Database = make(parsed(storage.url), HandClock())
    async with database.writing.begin() as connection:
        await connection.run_sync(tables_as_of, revision)
        made = await connection.run_sync(fill)
    await database.aclose()
    return made


async def in_the_first_release(storage: Storage) -> tuple[Order, Reservation]:
    return await at_revision(storage, "0001", a_days_work)


async def rows(on: Desk, query: str) -> list[tuple[Any, ...]]:
    async with on.database.reading.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


def test_a_database_of_the_first_release_is_brought_up_to_date_with_everything_in_its_place(blank_storage: Storage) -> None:
    async def story() -> None:
        order, held = await in_the_first_release(blank_storage)
        async with desk(blank_storage) as on:
            assert await on.store.order(order.id) == order
            assert await on.store.find_order(external=("web", "W-1")) == order.id
            assert [each.remote_ref for each in await on.store.open_work(SOURCE_OF[EAST], after=None, limit=9)] == ["r-1"]
            assert await on.store.reservation(ReservationId(held.id)) == held
            assert await on.store.epochs() == {SourceName(SOURCE_OF[EAST]): 7}

            shelves = await on.store.shelves([MUG])
            noted = (Acknowledged(work=FIRST, epoch=4, units=1), Acknowledged(work=SECOND, epoch=6, units=2))
            assert {at: each.acknowledged for (_, at), each in shelves.items()} == {EAST: noted, WEST: ()}
            assert {(each.committed_units, each.settled_epoch, each.version) for each in shelves.values()} == {(3, 2, 5)}
            ledger = await rows(on, "SELECT bucket, units, reason, subject, shelf_version FROM ledger ORDER BY number")
            assert ledger == [("COMMITTED", 3, "ROUTED", order.id, 0), ("HELD", 2, "ROUTED", order.id, 0)]

            backlog = await on.store.backlog()
            assert (backlog.jobs_ready, backlog.jobs_dead, backlog.events_unsequenced) == (2, 1, 1)
            (first,) = await on.upkeep.claim_jobs(limit=9, lease_s=60)
            assert (first.subject, first.attempt, first.fence) == ("02", 2, 2)

            assert await on.upkeep.sequence_events(limit=9) == 1
            assert [(each.seq, each.order.id) for each in await on.store.events(after=0, limit=9)] == [
                (41, order.id),
                (42, order.id),
            ]

    run(story)


def test_work_goes_on_in_a_database_of_the_first_release(blank_storage: Storage) -> None:
    async def story() -> None:
        order, held = await in_the_first_release(blank_storage)
        async with desk(blank_storage) as on:
            assert await on.writer.submit(place(3, of=9), returns=Order, once=once("k")) == order
            await on.writer.submit(Release(reservation=ReservationId(held.id)), returns=Reservation)
            await on.writer.submit(place(1, of=99, epoch=7), returns=Order)
            shelf = (await on.store.shelves([MUG]))[MUG, EAST]
            assert (shelf.held_units, shelf.committed_units, shelf.acknowledged) == (0, 1, ()), "the reading has what was sent"
            assert await on.upkeep.sequence_events(limit=9) == 3
            numbers = [row[0] for row in await rows(on, "SELECT number FROM ledger ORDER BY shelf_version, number")]
            assert numbers == sorted(set(numbers))

    run(story)


def jobs_with_one_done(connection: Connection) -> None:
    jobs = (job("A", "a", "READY", 0), job("B", "b", "DEAD", 9), job("C", "c", "READY", 1))
    numberless = [{name: value for name, value in each.items() if name != "id"} for each in jobs]
    add(connection, "job", *numberless)
    connection.execute(text("DELETE FROM job WHERE subject = 'A'"))


def test_jobs_keep_their_numbers_and_no_number_is_given_twice_from_then_on(blank_storage: Storage) -> None:
    async def story() -> None:
        await at_revision(blank_storage, "0002", jobs_with_one_done)
        async with desk(blank_storage) as on:
            found = await rows(on, "SELECT number, subject, state, attempt, fence, error FROM job ORDER BY number")
            assert found == [(2, "B", "DEAD", 9, 9, "gave up"), (3, "C", "READY", 1, 1, None)]
            (last,) = await on.upkeep.claim_jobs(limit=9, lease_s=60)
            await on.writer.submit(Command(does=lambda _: None), returns=type(None), fenced=Fenced(job=last))
            await on.writer.submit(place(1, of=9), returns=Order)
            assert await rows(on, "SELECT number FROM job ORDER BY number") == [(2,), (4,)]

    run(story)


def test_a_gateway_waits_for_as_long_as_the_migration_of_another_takes(
    shared_storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.storage.database.LOCK_S", 1)
    monkeypatch.setattr("gateway.storage.database.STATEMENT_S", 1)

    async def story() -> None:
        async with stranger(shared_storage) as other:
            async with other.transaction():
                await other.execute("SELECT 1 FROM migration_lock FOR UPDATE")
                starting = asyncio.create_task(opened_once(shared_storage))
                await asyncio.sleep(2.5)  # longer than any statement of a gateway at work may take: 1 s, at the client 2 s
                assert not starting.done()
            await starting

    run(story)


async def opened_once(storage: Storage) -> None:
    async with desk(storage):
        pass
