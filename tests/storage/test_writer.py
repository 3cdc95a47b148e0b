import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import NullPool, event, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.domain.books import Books
from gateway.domain.fulfillments import tally
from gateway.domain.identity import OrderId, ReservationId
from gateway.domain.orders import Order
from gateway.domain.refusals import InsufficientStock, Invalid, NotFound, Overloaded, Refusals
from gateway.domain.reservations import Reservation
from gateway.ports import Touches
from gateway.services.orders import Cancel
from gateway.storage.database import parsed
from gateway.storage.documents import Documents
from gateway.storage.failures import ChangedMeanwhile
from gateway.storage.ledgers import load, save
from gateway.storage.tables import ledger, order
from tests.harness import run
from tests.samples import EAST, MUG, START, Command, Desk, all_of, desk, hold, numbered, once, place
from tests.storages import Storage


def crash(_books: Books) -> None:
    raise ZeroDivisionError("a bug")


async def held_and_committed(on: Desk) -> dict[str, tuple[int, int]]:
    shelves = (await on.store.shelves([MUG])).values()
    return {each.location: (each.held_units, each.committed_units) for each in shelves if each.held_units or each.committed_units}


async def ledger_sums(on: Desk) -> dict[tuple[str, str, str], int]:
    query = select(ledger.c.sku, ledger.c.location_id, ledger.c.bucket, func.sum(ledger.c.units)).group_by(*list(ledger.c)[2:5])
    async with on.database.reading.connect() as connection:
        return {(row[0], row[1], row[2]): row[3] for row in await connection.execute(query) if row[3]}


@asynccontextmanager
async def standing_still(storage: Storage) -> AsyncIterator[None]:
    """Whoever writes has to wait."""
    engine = create_async_engine(parsed(storage.url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as elsewhere:
        await elsewhere.execute(text("BEGIN" if storage.is_shared else "BEGIN IMMEDIATE"))
        if storage.is_shared:
            await elsewhere.execute(text("LOCK TABLE shelf"))
        yield
        await elsewhere.execute(text("ROLLBACK"))


def test_200_customers_who_want_one_of_50_at_once_get_exactly_50(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            asked = (on.writer.submit(hold(1, of=50, at=EAST), returns=Reservation) for _ in range(200))
            outcomes = await all_of(*asked)
            got = [each for each in outcomes if isinstance(each, Reservation)]
            refused = [each for each in outcomes if isinstance(each, Refusals)]
            assert (len(got), len(refused)) == (50, 150)
            assert all(isinstance(each, InsufficientStock) for refusals in refused for each in refusals.each)
            assert await held_and_committed(on) == {EAST: (50, 0)}
            assert len(on.commits) == 1, "they share a transaction"

    run(story)


def test_a_lonely_customer_waits_for_nobody_and_a_crowd_shares_its_commits(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage, batch_max=10) as on:
            await on.writer.submit(place(1, of=100), returns=Order)
            assert on.commits == [frozenset({MUG})]
            await all_of(*(on.writer.submit(place(1, of=100), returns=Order) for _ in range(30)))
            assert len(on.commits) == 4

    run(story)


def test_a_refusal_and_a_bug_fail_alone(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            outcomes = await all_of(
                on.writer.submit(place(3, of=5), returns=Order),
                on.writer.submit(place(3, of=5), returns=Order),
                on.writer.submit(Command(does=crash), returns=type(None)),
                on.writer.submit(place(2, of=5), returns=Order),
                on.writer.submit(Cancel(order=OrderId("no"), expected_version=None, reason_code="", by=""), returns=Order),
            )
            assert [type(each) for each in outcomes] == [Order, Refusals, ZeroDivisionError, Order, NotFound]
            assert await held_and_committed(on) == {EAST: (0, 5)}
            assert len(on.commits) == 1

    run(story)


def test_a_row_that_the_database_refuses_fails_alone(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            first = await on.writer.submit(place(1, of=100), returns=Order)

            def same_number(books: Books) -> Order:
                twin = replace(first, id=OrderId(books.new_id()), fulfillment_orders=())
                return books.record(twin, event="order.placed", actor="bug")

            neighbors = [on.writer.submit(place(1, of=100), returns=Order) for _ in range(12)]
            poison = on.writer.submit(Command(does=same_number), returns=Order)
            outcomes = await all_of(*neighbors[:5], poison, *neighbors[5:])
            failed = outcomes.pop(5)
            assert isinstance(failed, IntegrityError)
            assert all(isinstance(each, Order) for each in outcomes)
            assert await held_and_committed(on) == {EAST: (0, 13)}

    run(story)


def test_a_damaged_row_fails_only_who_asks_for_it(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            broken = await on.writer.submit(place(1, of=100), returns=Order)
            async with on.database.writing.begin() as connection:
                await connection.execute(update(order).values(body=b'{"id": 7}'))
            cancel = Cancel(order=broken.id, expected_version=None, reason_code="C", by="agent")
            *placed, canceled = await all_of(
                *(on.writer.submit(place(1, of=100), returns=Order) for _ in range(5)), on.writer.submit(cancel, returns=Order)
            )
            assert all(isinstance(each, Order) for each in placed)
            assert type(canceled).__name__ == "ValidationError"
            assert [(each["event"], each["command"]) for each in on.logs] == [("write_failed", "Cancel")]

    run(story)


def test_an_answer_that_cannot_be_kept_fails_only_who_asked_for_it(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            odd = on.writer.submit(Command(does=lambda _: object()), returns=object, once=once("odd"))
            failed, placed = await all_of(odd, on.writer.submit(place(1, of=9), returns=Order))
            assert isinstance(failed, TypeError)
            assert isinstance(placed, Order)

    run(story)


def test_a_caller_who_leaves_stops_neither_the_writer_nor_a_neighbor(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            leaving = asyncio.ensure_future(on.writer.submit(place(1, of=10), returns=Order))
            staying = asyncio.ensure_future(on.writer.submit(place(1, of=10), returns=Order))
            await asyncio.sleep(0)
            leaving.cancel()
            assert isinstance(await staying, Order)
            assert leaving.cancelled()
            assert isinstance(await on.writer.submit(place(1, of=10), returns=Order), Order)

    run(story)


def test_a_full_queue_is_said_at_once_and_not_waited_for(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage, queue_max=3) as on:
            outcomes = await all_of(*(on.writer.submit(place(1, of=10), returns=Order) for _ in range(5)))
            assert [type(each) for each in outcomes] == [Order, Order, Order, Overloaded, Overloaded]
            assert await held_and_committed(on) == {EAST: (0, 3)}

    run(story)


def test_who_waited_too_long_is_told_so_and_nothing_is_done_for_him(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage, wait_max_s=5) as on:
            late = asyncio.ensure_future(on.writer.submit(place(1, of=10), returns=Order))
            await asyncio.sleep(0)
            on.clock.wait(6)
            with pytest.raises(Overloaded):
                await late
            assert await held_and_committed(on) == {}

    run(story)


def test_when_the_writer_stops_nobody_waits_for_ever(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage, batch_max=1) as on:
            async with standing_still(storage):
                waiting = [asyncio.ensure_future(on.writer.submit(place(1, of=10), returns=Order)) for _ in range(2)]
                async with asyncio.timeout(60):
                    while len(on.writer._turns) != 1:
                        await asyncio.sleep(0)
                on.working.cancel()
            async with asyncio.timeout(60):
                outcomes = await all_of(*waiting)
            assert [type(each) for each in outcomes] == [asyncio.CancelledError] * 2

    run(story)


def test_a_shelf_that_somebody_else_changed_is_read_again_and_never_sold_twice(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await on.writer.submit(place(1, of=5), returns=Order)
            meddled: list[int] = []

            @event.listens_for(on.database.writing.sync_engine, "before_cursor_execute")
            def meddle(connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
                if statement.startswith("INSERT INTO shelf") and not meddled:
                    meddled.append(1)
                    cursor.execute("UPDATE shelf SET version = version + 1, committed_units = 5")

            assert isinstance(await on.writer.submit(place(4, of=5), returns=Order), Order)
            assert meddled
            assert await held_and_committed(on) == {EAST: (0, 5)}, "what was written on top of the other's change was taken back"

    run(story)


def test_what_was_decided_on_rows_that_changed_since_is_not_written(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await on.writer.submit(place(1, of=5), returns=Order)
            async with on.database.writing.begin() as connection:
                books = await load(on.database, connection, [Touches(skus=frozenset({MUG}))], new_id=numbered())
            place(4, of=5).decide(books)
            await on.writer.submit(place(4, of=5), returns=Order)
            with pytest.raises(ChangedMeanwhile):
                async with on.database.writing.begin() as connection:
                    await save(connection, books, Documents())
            assert await held_and_committed(on) == {EAST: (0, 5)}

    run(story)


def test_the_ledger_of_a_busy_day_adds_up_to_the_counters(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage, batch_max=7) as on:
            holds = await all_of(*(on.writer.submit(hold(2, of=60), returns=Reservation) for _ in range(10)))
            kept = [ReservationId(each.id) for each in holds if isinstance(each, Reservation)]
            placed = await all_of(
                *(on.writer.submit(place(2, of=60, reservation=each), returns=Order) for each in kept[:6]),
                *(on.writer.submit(place(3, of=60), returns=Order) for _ in range(20)),
            )
            orders = [each for each in placed if isinstance(each, Order)]
            assert sum(line.units for each in orders for line in each.lines) == 6 * 2 + 13 * 3
            on.clock.wait(61)
            canceling = (Cancel(order=each.id, expected_version=None, reason_code="C", by="agent") for each in orders[:4])
            await all_of(*(on.writer.submit(each, returns=Order) for each in canceling))
            await on.writer.submit(place(5, of=60), returns=Order)
            open_units = sum(tally(work.lines)[MUG] for each in orders for work in each.fulfillment_orders) + 5
            assert await ledger_sums(on) == {(MUG, EAST, "COMMITTED"): open_units}
            assert await held_and_committed(on) == {EAST: (0, open_units)}
            for each in orders:
                read = await on.store.order(each.id)
                assert read is not None
                assert read.version == (3 if each in orders[:4] else 2)

    run(story)


def test_a_command_that_may_not_be_written_leaves_the_database_as_it_was(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:

            def half(books: Books) -> None:
                books.hold(Reservation(id=ReservationId("r"), lines=(), created_at=START, expires_at=START))
                place(2, of=9).decide(books)
                raise Invalid(problem="changed my mind")

            with pytest.raises(Invalid):
                await on.writer.submit(Command(does=half, touches=Touches(skus=frozenset({MUG}))), returns=type(None))
            assert await ledger_sums(on) == {}
            assert await on.store.reservation(ReservationId("r")) is None

    run(story)


def test_the_collector_is_at_work_again_after_a_batch_however_it_went(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            seen: list[bool] = []

            def look(_books: Books) -> None:
                seen.append(gc.isenabled())
                raise ZeroDivisionError("a bug")

            with pytest.raises(ZeroDivisionError):
                await on.writer.submit(Command(does=look), returns=type(None))
            assert seen == [False]
            assert gc.isenabled()

    run(story)
