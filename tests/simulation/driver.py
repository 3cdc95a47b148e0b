"""What the storage takes for SQLAlchemy's engines: its statements are compiled by SQLAlchemy and run by the simulated server.

SQLAlchemy's own engine and pool would do, on a dialect of this module, and take three times as long: a greenlet for each statement.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, Final, NoReturn, cast

from sqlalchemy import Select
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.ports import Clock
from gateway.storage.database import Database
from tests.simulation.loop import LIFE
from tests.simulation.server import DatabaseError, Result, Server, Transaction

GONE: Final = "08"

Values = Mapping[str, Any]
Process = Callable[[Any], Any]


class Compiler(SQLiteCompiler):
    """SQLite's SQL, and what PostgreSQL would lock, for the server to see."""

    def for_update_clause(self, select: Select[Any], **_: Any) -> str:
        wanted = select._for_update_arg
        tables: Any = select.columns_clause_froms if wanted is None or not wanted.of else wanted.of
        (table,) = {getattr(each, "table", each) for each in tables}
        skips = " SKIP LOCKED" if wanted is not None and wanted.skip_locked else ""
        return f" /* FOR UPDATE OF {table.name}{skips} */"


class Dialect(SQLiteDialect_pysqlite):
    """SQLite's, with that compiler."""

    supports_statement_cache = True
    statement_compiler = Compiler


DIALECT: Final = Dialect(paramstyle="qmark")
_COMPILED: Final[dict[Any, Any]] = {}
_RESULTS: Final[dict[Any, tuple[SimpleResultMetaData, tuple[tuple[int, Process], ...]]]] = {}


class Outcome(IteratorResult[Any]):
    """Rows as SQLAlchemy gives them."""

    rowcount = -1


class Pages:
    """Rows as SQLAlchemy streams them."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    async def partitions(self) -> AsyncIterator[Sequence[Any]]:
        """One page, of all."""
        yield self._outcome.all()


class Connection:
    """What SQLAlchemy's connection is asked for here. ``transaction`` None: every statement stands alone and reads."""

    dialect = DIALECT

    def __init__(self, server: Server, transaction: Transaction | None) -> None:
        self.server = server
        self.transaction = transaction

    async def execute(self, statement: Any, values: Values | Sequence[Values] | None = None) -> Outcome:
        """Compile it, or recall how it was compiled, and run it."""
        rows = [values] if isinstance(values, Mapping) else list(values or ())
        compiled, extracted, collected, _ = statement._compile_w_cache(
            DIALECT, compiled_cache=_COMPILED, column_keys=sorted(rows[0]) if rows else [], for_executemany=len(rows) > 1
        )
        parameters = [
            _positional(compiled, compiled.construct_params(row, extracted_parameters=extracted, _collected_params=collected))
            for row in rows or [{}]
        ]
        many = len(parameters) > 1
        if many and compiled.effective_returning:  # as SQLAlchemy does, which sends several rows at a time
            results = [await self._run(compiled.string, each, many=False) for each in parameters]
            found = Result(
                rows=[row for each in results for row in each.rows], description=results[0].description, rowcount=len(results)
            )
        else:
            found = await self._run(compiled.string, parameters if many else parameters[0], many=many)
        return _outcome(compiled, found)

    async def stream(self, statement: Any, **_: Any) -> "Pages":
        """What is read a page at a time: here in one."""
        return Pages(await self.execute(statement))

    async def exec_driver_sql(self, sql: str, parameters: Any = ()) -> None:
        """Run it as it is."""
        await self._run(sql, parameters, many=isinstance(parameters, list))

    async def _run(self, sql: str, parameters: Any, *, many: bool) -> Result:
        try:
            if self.transaction is None:
                return await self.server.answer(sql, parameters)
            return await self.server.execute(self.transaction, sql, parameters, many=many)
        except DatabaseError as error:
            _raise(error, sql, parameters)


class Engine:
    """What SQLAlchemy's engine is asked for here."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.sync_engine = SimpleNamespace(dialect=DIALECT)
        self.dialect = DIALECT

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        """For questions."""
        yield Connection(self.server, None)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Connection]:
        """A transaction: committed at the end, if there is no exception."""
        transaction = self.server.begun(LIFE.get())
        try:
            yield Connection(self.server, transaction)
            await self._commit(transaction)
        finally:
            self.server.end(transaction)

    async def _commit(self, transaction: Transaction) -> None:
        try:
            await self.server.commit(transaction)
        except DatabaseError as error:
            _raise(error, "COMMIT", ())

    async def dispose(self) -> None:
        """Nothing is open."""


def database(server: Server, clock: Clock) -> Database:
    """A gateway's own doors to the server."""
    engine = cast("AsyncEngine", Engine(server))
    return Database(reading=engine, writing=engine, clock=clock, shared=True)


def _raise(error: DatabaseError, sql: str, parameters: Any) -> NoReturn:
    gone = error.sqlstate.startswith(GONE)
    raise DBAPIError.instance(sql, parameters, error, DatabaseError, connection_invalidated=gone, dialect=DIALECT) from error


def _positional(compiled: Any, values: Values) -> tuple[Any, ...]:
    processors = compiled._bind_processors
    return tuple(processors[name](values[name]) if name in processors else values[name] for name in compiled.positiontup or ())


def _outcome(compiled: Any, found: Result) -> Outcome:
    if compiled not in _RESULTS:
        columns = compiled._result_columns if found.description else ()
        found_processors = [each[3].dialect_impl(DIALECT).result_processor(DIALECT, None) for each in columns]
        _RESULTS[compiled] = (
            SimpleResultMetaData([each[0] for each in columns]),
            tuple((place, processor) for place, processor in enumerate(found_processors) if processor is not None),
        )
    metadata, processors = _RESULTS[compiled]
    rows = [_processed(row, processors) for row in found.rows] if processors else found.rows
    outcome = Outcome(metadata, iter(rows))
    outcome.rowcount = found.rowcount
    return outcome


def _processed(row: tuple[Any, ...], processors: Sequence[tuple[int, Process]]) -> tuple[Any, ...]:
    values = list(row)
    for place, processor in processors:
        values[place] = processor(values[place])
    return tuple(values)
