"""The driver between SQLAlchemy and the simulated server: everything goes on in the one thread there is."""

from collections.abc import Iterator, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import Select, Table, create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL, Engine
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util.concurrency import await_

from gateway.ports import Clock
from gateway.storage.database import READERS_MAX, Database
from tests.simulation.loop import LIFE
from tests.simulation.server import DatabaseError, IntegrityError, OperationalError, Result, Server, Transaction

ADDRESS: Final = URL.create("sqlite+inline")
GONE: Final = "08"


class Connection:
    """What a gateway holds of the server. ``asks_only``: every statement stands alone and reads."""

    def __init__(self, server: Server, *, asks_only: bool) -> None:
        self.server = server
        self.asks_only = asks_only
        self.transaction: Transaction | None = None
        self.isolation_level: str | None = None

    def cursor(self) -> "Cursor":
        return Cursor(self)

    def run(self, sql: str, parameters: Any, *, many: bool) -> Result:
        if self.asks_only:
            return await_(self.server.answer(sql, parameters))
        if self.transaction is None:
            self.transaction = self.server.begun(LIFE.get())
        return await_(self.server.execute(self.transaction, sql, parameters, many=many))

    def commit(self) -> None:
        transaction, self.transaction = self.transaction, None
        if transaction is not None:
            await_(self.server.commit(transaction))

    def rollback(self) -> None:
        transaction, self.transaction = self.transaction, None
        if transaction is not None:
            self.server.end(transaction)

    def close(self) -> None:
        self.rollback()


class Cursor:
    """One statement, and its rows."""

    arraysize = 1
    lastrowid = None
    server_side = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: Iterator[tuple[Any, ...]] = iter(())
        self.description: Any = None
        self.rowcount = -1

    def execute(self, sql: str, parameters: Any = ()) -> None:
        self._keep(self._connection.run(sql, parameters, many=False))

    def executemany(self, sql: str, parameters: Any) -> None:
        self._keep(self._connection.run(sql, parameters, many=True))

    def _keep(self, result: Result) -> None:
        self._rows = iter(result.rows)
        self.description = result.description
        self.rowcount = result.rowcount

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> Sequence[tuple[Any, ...]]:
        return [row for row, _ in zip(self._rows, range(size or self.arraysize), strict=False)]

    def fetchall(self) -> Sequence[tuple[Any, ...]]:
        return list(self._rows)

    def close(self) -> None:
        """Nothing is left open."""

    async def _async_soft_close(self) -> None:
        """As above."""


class Compiler(SQLiteCompiler):
    """SQLite's SQL, and what PostgreSQL would lock, for the server to see."""

    def for_update_clause(self, select: Select[Any], **_: Any) -> str:
        wanted = select._for_update_arg
        tables = wanted.of if wanted is not None and wanted.of else [each for each in select.get_final_froms() if isinstance(each, Table)]
        (table,) = {each.table for each in tables}
        skips = " SKIP LOCKED" if wanted is not None and wanted.skip_locked else ""
        return f" /* FOR UPDATE OF {table.name}{skips} */"


class Dialect(SQLiteDialect_pysqlite):
    """SQLite without a thread, and with PostgreSQL's errors."""

    driver = "inline"
    is_async = True
    supports_statement_cache = True
    statement_compiler = Compiler

    @classmethod
    def import_dbapi(cls) -> Any:
        import sqlite3  # noqa: PLC0415  # what SQLAlchemy wants to know of its version

        errors = {"InterfaceError", "InternalError", "DataError", "NotSupportedError", "ProgrammingError"}
        return SimpleNamespace(
            **{name: type(name, (DatabaseError,), {}) for name in errors},
            Error=DatabaseError,
            DatabaseError=DatabaseError,
            OperationalError=OperationalError,
            IntegrityError=IntegrityError,
            paramstyle="qmark",
            sqlite_version=sqlite3.sqlite_version,
            sqlite_version_info=sqlite3.sqlite_version_info,
            Binary=bytes,
        )

    def initialize(self, connection: Any) -> None:
        """Nothing has to be asked."""
        self.server_version_info = self.dbapi.sqlite_version_info  # type: ignore[union-attr]  # it was imported
        self.default_isolation_level = self.isolation_level = None

    def on_connect(self) -> None:
        """Nothing has to be told."""

    def set_isolation_level(self, dbapi_connection: Any, level: str) -> None:
        """There is one."""

    def get_isolation_level(self, dbapi_connection: Any) -> Any:
        return "SERIALIZABLE"

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        return isinstance(e, DatabaseError) and e.sqlstate.startswith(GONE)


registry.register("sqlite.inline", __name__, "Dialect")


@cache
def dialect() -> Dialect:
    """One for all schedules: what it compiled once is compiled."""
    found = create_engine(ADDRESS, poolclass=AsyncAdaptedQueuePool).dialect
    found.initialize(None)  # type: ignore[arg-type]  # nothing is asked
    assert isinstance(found, Dialect)
    return found


_COMPILED: Final[dict[Any, Any]] = {}


def database(server: Server, clock: Clock) -> Database:
    """A gateway's own doors to the server."""
    return Database(
        reading=_engine(server, connections_max=READERS_MAX, asks_only=True),
        writing=_engine(server, connections_max=1, asks_only=False),
        clock=clock,
        shared=True,
    )


def _engine(server: Server, *, connections_max: int, asks_only: bool) -> AsyncEngine:
    pool = AsyncAdaptedQueuePool(
        lambda: Connection(server, asks_only=asks_only), pool_size=connections_max, max_overflow=0, dialect=dialect(), use_lifo=True
    )
    engine = Engine(pool, dialect(), ADDRESS)
    engine.update_execution_options(compiled_cache=_COMPILED)
    return AsyncEngine(engine)
