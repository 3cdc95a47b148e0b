"""The one real database of this process: a SQLite file in memory, made once by the real migrations, emptied between schedules."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from gateway.storage.database import opened
from gateway.storage.tables import metadata
from gateway.system import SystemClock

MEMORY: Final = Path("/dev/shm")  # noqa: S108  # where there is such a thing: what is written there never reaches a disk

Key = tuple[str, tuple[object, ...]]
"""A row: its table, and its primary key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Two doors to one file: what is committed, and the transaction that is being written. ``touched`` rows are those it wrote.

    ``counters`` are where SQLite keeps the numbers that it gave, if it does: rows are numbered from 1 again in each schedule.
    """

    reader: sqlite3.Connection
    writer: sqlite3.Connection
    at_first: dict[str, Sequence[tuple[object, ...]]]
    counters: Sequence[str]
    touched: list[Key]
    clock: "list[Callable[[], int]]"

    def emptied(self, now_micros: Callable[[], int]) -> "Disk":
        """The same, as it was when it was made; its clock shows this from now on."""
        self.clock[:] = [now_micros]
        if self.writer.in_transaction:
            self.writer.execute("ROLLBACK")
        self.writer.execute("BEGIN IMMEDIATE")
        for table in (*_TABLES, *self.counters):
            self.writer.execute(f"DELETE FROM {table}")  # noqa: S608  # our own tables
        for table, rows in self.at_first.items():
            for row in rows:
                self.writer.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608  # as above
        self.writer.execute("COMMIT")
        self.touched.clear()
        return self


@cache
def disk() -> Disk:
    """The database of this process."""
    folder = Path(tempfile.mkdtemp(prefix="simulation-", dir=MEMORY if MEMORY.is_dir() else None))
    path = folder / "dom.sqlite3"
    asyncio.run(_made(path))
    reader, writer = _connected(path), _connected(path)
    for left in folder.iterdir():  # open files live on without a name, so that nothing has to be cleared away
        left.unlink()
    folder.rmdir()
    touched: list[Key] = []
    clock: list[Callable[[], int]] = []
    for connection in (reader, writer):
        connection.create_function("dom_now", 0, lambda: clock[-1]())  # noqa: PLW0108  # another one for each schedule
    _watch(writer, touched)
    at_first: dict[str, Sequence[tuple[object, ...]]] = {
        table: rows
        for table in _TABLES
        if (rows := reader.execute(f"SELECT * FROM {table}").fetchall())  # noqa: S608  # ours
    }
    counters = [name for (name,) in reader.execute("SELECT name FROM sqlite_master WHERE name = 'sqlite_sequence'")]
    return Disk(reader=reader, writer=writer, at_first=at_first, counters=counters, touched=touched, clock=clock)


_TABLES: Final = tuple(table.name for table in reversed(metadata.sorted_tables))


async def _made(path: Path) -> None:
    async with opened(f"sqlite:///{path}", SystemClock()):
        pass


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=1_000, check_same_thread=False)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 200")
    return connection


def _watch(connection: sqlite3.Connection, touched: list[Key]) -> None:
    """Have every row that is written noted: SQLite locks the whole file, and we want to know which rows others would wait for."""

    def note(table: str, *key: Any) -> None:
        touched.append((table, key))

    connection.create_function("touched", -1, note)
    for table in metadata.sorted_tables:
        for verb, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            key = ", ".join(f"{row}.{column.name}" for column in table.primary_key.columns)
            connection.execute(
                f"CREATE TEMP TRIGGER watch_{table.name}_{verb} AFTER {verb} ON {table.name} "  # our own tables
                f"BEGIN SELECT touched('{table.name}', {key}); END"
            )
