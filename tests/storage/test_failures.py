"""The database is away, full, or in the way: nothing is promised that is not kept, and work goes on by itself afterwards."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from gateway.domain.books import Books
from gateway.domain.orders import Order
from gateway.domain.refusals import Overloaded, StoreUnavailable
from gateway.services.orders import Cancel
from gateway.storage.tables import event, job, ledger, order, request
from tests.harness import run
from tests.postgres import Server, server
from tests.samples import EAST, MUG, Command, Desk, all_of, desk, hold, once, place
from tests.storages import Storage, in_file, on_server, stranger


@pytest.fixture(scope="module")
def frail() -> Iterator[Server]:
    """A server of our own, to be ended."""
    with server() as started:
        yield started


async def counted(on: Desk) -> dict[str, int]:
    """How many rows there are of everything that an order leaves behind."""
    found = {}
    async with on.database.reading.connect() as connection:
        for table in (order, ledger, event, job, request):
            found[table.name] = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
    return found


async def sold(on: Desk) -> int:
    shelf = (await on.store.shelves([MUG])).get((MUG, EAST))
    return shelf.committed_units if shelf is not None else 0


async def keep_trying(on: Desk, key: str) -> Order:
    """What a client does: the same again, until there is an answer."""
    while True:
        try:
            return await on.writer.submit(place(1, of=9_999), returns=Order, once=once(key))
        except (StoreUnavailable, Overloaded):
            await asyncio.sleep(0.02)


async def back(on: Desk) -> None:
    """Wait until it takes orders again."""
    async with asyncio.timeout(60):
        await keep_trying(on, "back")


# ---------------------------------------------------------------------------------------------- away
def test_while_the_database_is_away_everybody_is_told_so_within_seconds_and_work_goes_on_when_it_is_back(frail: Server) -> None:
    async def story(storage: Storage) -> None:
        async with desk(storage) as on:
            first = await on.writer.submit(place(1, of=9_999), returns=Order, once=once("first"))
            await asyncio.to_thread(frail.stop)
            try:
                async with asyncio.timeout(60):
                    outcomes = await all_of(
                        *(on.writer.submit(place(1, of=9_999), returns=Order) for _ in range(3)),
                        on.store.order(first.id),
                        on.store.backlog(),
                        on.upkeep.claim_jobs(limit=1, lease_s=60),
                    )
                assert [type(each) for each in outcomes] == [StoreUnavailable] * 6
            finally:
                await asyncio.to_thread(frail.start)
            await back(on)
            assert await on.store.order(first.id) == first
            assert await on.writer.submit(place(1, of=0), returns=Order, once=once("first")) == first
            assert await sold(on) == 2

    with on_server(frail) as storage:
        run(lambda: story(storage))


def test_power_cuts_of_the_database_under_load_lose_and_double_nothing(frail: Server) -> None:
    async def story(storage: Storage) -> None:
        async with desk(storage, batch_max=5) as on:
            orders: dict[str, Order] = {}
            stopped = False

            async def buy(customer: int) -> None:
                for number in range(1_000):
                    key = f"{customer}-{number}"
                    orders[key] = await keep_trying(on, key)
                    if stopped and number >= 3:
                        return

            async with asyncio.timeout(60), asyncio.TaskGroup() as customers:
                for customer in range(6):
                    customers.create_task(buy(customer))
                for _ in range(2):
                    before = len(orders)
                    while len(orders) < before + 10:
                        await asyncio.sleep(0.01)
                    await asyncio.to_thread(frail.stop)
                    await asyncio.to_thread(frail.start)
                stopped = True
            found = await on.store.orders_by_id([each.id for each in orders.values()])
            assert {each.id: each for each in orders.values()} == found
            assert len(found) == len(orders) == (await counted(on))["customer_order"] == await sold(on)

    with on_server(frail) as storage:
        run(lambda: story(storage))


def test_a_connection_that_is_cut_off_is_not_noticed_by_who_asks(shared_storage: Storage) -> None:
    async def story() -> None:
        async with desk(shared_storage) as on:
            placed = await on.writer.submit(place(1, of=9), returns=Order)
            await as_a_stranger(shared_storage, CUT_OFF)
            assert await on.store.order(placed.id) == placed
            assert isinstance(await on.writer.submit(place(1, of=9), returns=Order), Order)

    run(story)


CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


async def as_a_stranger(storage: Storage, *statements: str) -> None:
    async with stranger(storage) as connection:
        for each in statements:
            await connection.execute(each)


def test_a_database_that_may_only_be_read_says_so_and_takes_orders_again_when_it_may(shared_storage: Storage) -> None:
    """As a standby that a failover has not promoted yet."""

    async def story() -> None:
        async with desk(shared_storage) as on:
            first = await on.writer.submit(place(1, of=9), returns=Order)
            name = shared_storage.url.partition("@/")[2].partition("?")[0]
            await as_a_stranger(shared_storage, f"ALTER DATABASE {name} SET default_transaction_read_only = on", CUT_OFF)
            with pytest.raises(StoreUnavailable):
                await on.writer.submit(place(1, of=9), returns=Order)
            assert await on.store.order(first.id) == first
            promote = f"ALTER DATABASE {name} RESET default_transaction_read_only"
            await as_a_stranger(shared_storage, "SET default_transaction_read_only = off", promote, CUT_OFF)
            await back(on)
            assert await sold(on) == 2

    run(story)


def test_when_every_connection_is_in_use_readers_are_told_so(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.storage.database.WAIT_FOR_CONNECTION_S", 0.1)
    monkeypatch.setattr("gateway.storage.database.READERS_MAX", 1)

    async def story() -> None:
        async with desk(storage) as on:
            async with on.database.reading.connect():
                with pytest.raises(StoreUnavailable, match="every connection is in use"):
                    await on.store.backlog()
            await on.store.backlog()

    run(story)


# ---------------------------------------------------------------------------------------------- in the way
def test_who_gets_into_a_deadlock_with_somebody_else_tries_again(shared_storage: Storage) -> None:
    async def story() -> None:
        async with desk(shared_storage) as on:
            orders = sorted([await on.writer.submit(place(1, of=9), returns=Order) for _ in range(2)], key=lambda each: each.id)
            name = shared_storage.url.partition("@/")[2].partition("?")[0]
            await as_a_stranger(shared_storage, f"ALTER DATABASE {name} SET deadlock_timeout = '50ms'", CUT_OFF)
            async with stranger(shared_storage) as other, other.transaction():
                await other.execute("SET deadlock_timeout = '60s'")  # the one who waits this long is not the one who gives way
                await other.execute(f"SELECT 1 FROM customer_order WHERE id = '{orders[1].id}' FOR UPDATE")  # noqa: S608  # our own
                cancels = [Cancel(order=each.id, expected_version=None, reason_code="C", by="agent") for each in orders]
                canceling = [asyncio.ensure_future(on.writer.submit(each, returns=Order)) for each in cancels]
                async with asyncio.timeout(60):
                    await someone_waits(shared_storage)
                    await other.execute(f"SELECT 1 FROM customer_order WHERE id = '{orders[0].id}' FOR UPDATE")  # noqa: S608  # our own
            canceled = await all_of(*canceling)
            assert [(type(each), each.version) for each in canceled] == [(Order, 3)] * 2

    run(story)


def test_whoever_loses_every_race_is_told_to_come_back_and_neighbors_notice_nothing(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await on.writer.submit(place(1, of=9), returns=Order)

            def too_late(books: Books) -> None:
                books.shelves[MUG, EAST] = replace(books.shelf(MUG, EAST), version=99)
                books.changed_shelves[MUG, EAST] = None

            outcomes = await all_of(
                on.writer.submit(place(1, of=9), returns=Order),
                on.writer.submit(Command(does=too_late, touches=hold(1, of=1).touches), returns=type(None), once=once("late")),
                on.writer.submit(place(1, of=9), returns=Order),
            )
            assert [type(each) for each in outcomes] == [Order, StoreUnavailable, Order]
            assert await sold(on) == 3
            assert isinstance(await on.writer.submit(place(1, of=9), returns=Order, once=once("late")), Order), "under the same key"

    run(story)


def test_who_waits_too_long_for_somebody_else_is_told_to_come_back_and_neighbors_notice_nothing(
    shared_storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.storage.database.LOCK_S", 0.05)

    async def story() -> None:
        async with desk(shared_storage) as on:
            stuck = await on.writer.submit(place(1, of=9), returns=Order)
            cancel = Cancel(order=stuck.id, expected_version=None, reason_code="C", by="agent")
            async with stranger(shared_storage) as other, other.transaction():
                await other.execute(f"SELECT 1 FROM customer_order WHERE id = '{stuck.id}' FOR UPDATE")  # noqa: S608  # our own
                outcomes = await all_of(
                    on.writer.submit(place(1, of=9), returns=Order),
                    on.writer.submit(cancel, returns=Order),
                    on.writer.submit(place(1, of=9), returns=Order),
                )
            assert [type(each) for each in outcomes] == [Order, StoreUnavailable, Order]
            assert (await on.writer.submit(cancel, returns=Order)).cancellation is not None

    run(story)


async def someone_waits(storage: Storage) -> None:
    """Return when somebody waits for a row that somebody else has."""
    async with stranger(storage) as connection:
        while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.001)


# ---------------------------------------------------------------------------------------------- full
FILE_IS = {
    "full": ("max_page_count = {pages}", "max_page_count = 1000000", "database or disk is full"),
    "read-only": ("query_only = ON", "query_only = OFF", "attempt to write a readonly database"),
}


@pytest.mark.parametrize("state", FILE_IS)
def test_a_file_that_cannot_be_written_takes_nothing_by_halves_and_everything_once_it_can(tmp_path: Any, state: str) -> None:
    breaks, mends, reason = FILE_IS[state]

    async def story() -> None:
        async with desk(in_file(tmp_path), batch_max=4) as on:

            async def set_to(pragma: str) -> None:
                async with on.database.writing.connect() as connection:
                    raw = (await connection.get_raw_connection()).driver_connection
                    assert raw is not None
                    pages = await (await raw.execute("PRAGMA page_count")).fetchone()
                    await raw.execute("PRAGMA " + pragma.format(pages=pages[0]))

            await on.writer.submit(place(1, of=9_999), returns=Order)
            await set_to(breaks)
            refused: list[Any] = []
            while not any(isinstance(each, StoreUnavailable) for each in refused):  # there may be room in pages that are begun
                before = await counted(on)
                refused = await all_of(*(on.writer.submit(place(1, of=9_999), returns=Order) for _ in range(4)))
            assert {type(each) for each in refused} == {StoreUnavailable}
            assert refused[0].reason == reason
            assert await counted(on) == before
            await set_to(mends)
            assert isinstance(await on.writer.submit(place(1, of=9_999), returns=Order), Order)
            assert await sold(on) == before["customer_order"] + 1

    run(story)
