import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from gateway.storage.database import DatabaseInUse, opened
from gateway.storage.tables import metadata
from gateway.system import SystemClock
from tests.harness import run
from tests.storages import Storage

OPEN_AND_WAIT = """
import asyncio, sys
from gateway.storage.database import DatabaseInUse, opened
from gateway.system import SystemClock

async def main():
    async with opened(sys.argv[1], SystemClock()):
        print("open", flush=True)
        sys.stdin.readline()

try:
    asyncio.run(main())
except DatabaseInUse as refusal:
    print(refusal)
"""


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'deep' / 'dom.sqlite3'}"


def ours(_object: object, name: str | None, *_: object) -> bool:
    """Whether a table belongs to the schema: one is there before it, to lock while it is made."""
    return name != "migration_lock"


def test_migrations_lead_to_exactly_the_tables_that_the_code_knows(blank_storage: Storage) -> None:
    def differences(connection: Connection) -> Any:
        how = {"compare_type": True, "include_object": ours}
        return compare_metadata(MigrationContext.configure(connection, opts=how), metadata)

    async def story() -> None:
        for _ in range(2):  # a migrated database is opened like a new one
            async with opened(blank_storage.url, SystemClock()) as database, database.reading.connect() as connection:
                assert await connection.run_sync(differences) == []

    run(story)


def test_a_second_process_on_the_same_file_is_refused_until_the_first_is_gone_however_it_went(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(url(tmp_path), SystemClock()):
            pass

    command = [sys.executable, "-c", OPEN_AND_WAIT, url(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:  # noqa: S603  # our own
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        with pytest.raises(DatabaseInUse, match=r"dom\.sqlite3 is open in another dom process"):
            run(story)
        first.kill()
    run(story)


def test_what_is_committed_survives_the_power(storage: Storage) -> None:
    async def story() -> None:
        wanted, question = (DURABLE, "SHOW {}") if storage.is_shared else (DURABLE_IN_FILE, "PRAGMA {}")
        async with opened(storage.url, SystemClock()) as database:
            for engine in (database.writing, database.reading):
                async with engine.connect() as connection:
                    asked = {name: (await connection.execute(text(question.format(name)))).scalar() for name in wanted}
                    assert asked == wanted

    run(story)


DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
DURABLE_IN_FILE = {"journal_mode": "wal", "synchronous": 2}


def test_readers_do_not_stop_writers_and_see_what_is_there_when_they_ask(storage: Storage) -> None:
    async def story() -> None:
        async with opened(storage.url, SystemClock()) as database:
            count = text("SELECT count(*) FROM source")
            async with database.reading.connect() as reader:
                async with database.writing.begin() as writer:
                    await writer.execute(text("INSERT INTO source (name, epoch) VALUES ('x', 1)"))
                    assert (await reader.execute(count)).scalar() == 0, "what is not committed is not there"
                assert (await reader.execute(count)).scalar() == 1

    run(story)


def test_an_address_without_a_file_is_refused() -> None:
    async def story() -> None:
        async with opened("sqlite://", SystemClock()):
            pass

    with pytest.raises(ValueError, match="address of a SQLite file"):
        run(story)
