from sqlalchemy import select

from gateway.storage.statements import ROWS_MAX, add, keep
from gateway.storage.tables import ledger, location
from tests.harness import run
from tests.samples import EAST, MUG, desk
from tests.storages import Storage

MANY = 2 * ROWS_MAX + 7


def test_many_rows_are_all_written_and_numbered_in_their_order(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            rows = [(at, MUG, EAST, "HELD", at, "HELD", f"subject {at}", at if at % 2 else None, 1) for at in range(MANY)]
            async with on.database.writing.begin() as connection:
                await add(connection, ledger, rows)
                written = await connection.execute(select(*list(ledger.c)[1:]).order_by(ledger.c.number))
                assert [tuple(row) for row in written] == rows

    run(story)


def test_of_rows_that_are_there_already_only_what_is_newer_changes(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on, on.database.writing.begin() as connection:
            await keep(connection, location, [("b", "first", b"old")], newer=("body",))
            await keep(connection, location, [(name, "second", b"(?, ?, ?)") for name in "abc"], newer=("body",))
            await keep(connection, location, [], newer=("body",))
            await add(connection, location, [])
            found = await connection.execute(select(location).order_by(location.c.id))
            assert [tuple(row)[:2] for row in found] == [("a", "second"), ("b", "first"), ("c", "second")]
            bodies = await connection.execute(select(location.c.body))
            assert {bytes(body) for (body,) in bodies} == {b"(?, ?, ?)"}

    run(story)
