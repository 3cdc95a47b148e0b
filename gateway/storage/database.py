"""Opening the database: engines, the lock against a second process on one file, and migrations."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, event, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.domain.refusals import StoreUnavailable
from gateway.ports import Clock
from gateway.storage.documents import instant, micros
from gateway.storage.failures import away
from gateway.storage.statements import SQLITE_CLOCK, store_now

T = TypeVar("T")
P = ParamSpec("P")

MIGRATIONS: Final = Path(__file__).parent / "migrations"
READERS_MAX: Final = 4
WAIT_FOR_CONNECTION_S: Final = 5
CONNECT_S: Final = 5
STATEMENT_S: Final = 15
LOCK_S: Final = 5
SQLITE_PRAGMAS: Final = (
    "page_size = 8192",  # of a new file: an order's documents are 1-3 KB, and a page of 4 KB holds one of them
    "journal_mode = WAL",
    "synchronous = FULL",
    "wal_autocheckpoint = 4000",  # pages: 32 MiB, so that copying them back is rare
    "cache_size = -65536",  # KiB: with SQLite's own 2 MiB an order costs more the more there are
    "temp_store = MEMORY",  # what undoes a statement of many rows would else go to a file, and be as much as the rows
    "busy_timeout = 10000",  # ms
)


class DatabaseInUse(RuntimeError):
    """Another process has this SQLite file open for writing. One process per file: several need PostgreSQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One database, with a door for reading and a narrower one for writing: a single connection.

    Work on it is never cut off halfway: whoever is canceled stops waiting, the work goes on to its end, and the doors close after
    it. A connection that is left in the middle of a statement cannot be used or closed any more. ``shared``: other gateways may be
    at work on it. ``clock`` is the store's own where the database has none.
    """

    reading: AsyncEngine
    writing: AsyncEngine
    clock: Clock
    shared: bool
    _under_way: set[asyncio.Task[Any]] = field(default_factory=set)

    async def now(self, connection: AsyncConnection) -> datetime:
        """This instant by the clock that all gateways share."""
        if not self.shared:
            return self.clock.now()
        return instant((await connection.execute(select(store_now()))).scalar_one())

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of the work, which is finished in any case."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Finish what is under way, then close the doors."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self.reading.dispose()
        await self.writing.dispose()

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # seen: whoever waited for it may be gone


class OnDatabase(Protocol):
    """Something whose methods work on a database."""

    @property
    def database(self) -> Database:
        """Which."""


S = TypeVar("S", bound=OnDatabase)


def question(method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]]) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """A method that only reads: never cut off halfway, and asked a second time should its connection prove dead.

    Raises:
        StoreUnavailable: The database is away.
    """

    async def asked(works: S, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(works, *args, **kwargs)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return await method(works, *args, **kwargs)

    @wraps(method)
    async def answered(works: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await works.database.finish(asked(works, *args, **kwargs))
        except Exception as error:
            if (reason := away(error)) is not None:
                raise StoreUnavailable(reason=reason) from error
            raise

    return answered


@asynccontextmanager
async def opened(url: str, clock: Clock) -> AsyncIterator[Database]:
    """The database at that address, migrated to the newest schema.

    Raises:
        DatabaseInUse: It is SQLite and another process has it.
        ValueError: It is of no kind that we know.
    """
    address = parsed(url)
    if address.get_backend_name() == "postgresql":
        async with _closing(postgresql(address, clock)) as database:
            yield database
    else:
        with _locked(_file(address)):
            async with _closing(sqlite(address, clock)) as database:
                yield database


@asynccontextmanager
async def _closing(database: Database) -> AsyncIterator[Database]:
    try:
        await migrate(database)
        yield database
    finally:
        await database.aclose()


async def prepare(url: str, clock: Clock, *, processes: int) -> None:
    """See to it that so many processes can work on this database, and migrate it, before anything else is started.

    Raises:
        DatabaseInUse: It is a SQLite file, and has another process or would have several.
        StoreUnavailable: It cannot be reached.
        ValueError: It is of no kind that we know, or what it needs is not installed.
    """
    if processes > 1 and parsed(url).get_backend_name() == "sqlite":
        raise DatabaseInUse(
            f'{processes} workers need one PostgreSQL database, such as [store] url = "postgresql://user@host/dom": '
            "a SQLite file has one process"
        )
    try:
        async with opened(url, clock):
            pass
    except ModuleNotFoundError as error:
        raise ValueError(f"PostgreSQL needs the extra: pip install 'dom-gateway[postgres]' ({error})") from error
    except Exception as error:
        if (reason := away(error)) is not None:
            raise StoreUnavailable(reason=reason) from error
        raise


def parsed(url: str) -> URL:
    """The address, with the driver that we use.

    Raises:
        ValueError: It is of no kind that we know.
    """
    try:
        address = make_url(url)
    except ArgumentError:
        address = None
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    kind = None if address is None else drivers.get(address.drivername.partition("+")[0])
    if address is None or kind is None or not address.database or address.database == ":memory:":
        wanted = "sqlite:///dom.sqlite3 or postgresql://user@host/database"
        raise ValueError(f"the address of a SQLite file or of a PostgreSQL database is needed, such as {wanted}")
    return address.set(drivername=kind)


# ---------------------------------------------------------------------------------------------- SQLite
def _file(address: URL) -> Path:
    return Path(address.database or "")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file beside the database for as long as this process writes to it; a dead process holds nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("a") as lock:
        _lock_or_refuse(lock, path)
        yield


def _lock_or_refuse(lock: TextIOWrapper, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DatabaseInUse(
            f"{path} is open in another dom process: a SQLite file has one. Stop that one, give each a file of its own, "
            "or put them on one PostgreSQL database"
        ) from None


def sqlite(address: URL, clock: Clock) -> Database:
    """Two doors to a SQLite file. One connection writes, ever."""
    reading = _sqlite_engine(address, clock, READERS_MAX, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
    writing = _sqlite_engine(address, clock, 1)
    event.listen(writing.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return Database(reading=reading, writing=writing, clock=clock, shared=False)


def _sqlite_engine(address: URL, clock: Clock, connections_max: int, **how: Any) -> AsyncEngine:
    engine = _engine(address, connections_max, pool_reset_on_return=None, **how)

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves: sqlite3 would do it too late
        connection.create_function(SQLITE_CLOCK, 0, lambda: micros(clock.now()))
        cursor = connection.cursor()
        for pragma in SQLITE_PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


# ---------------------------------------------------------------------------------------------- PostgreSQL
def postgresql(address: URL, clock: Clock) -> Database:
    """Two doors to a PostgreSQL database that other gateways use as well: rows are locked, and it has the clock."""
    limits = {
        "statement_timeout": f"{STATEMENT_S}s",
        "lock_timeout": f"{LOCK_S}s",
        "idle_in_transaction_session_timeout": f"{2 * STATEMENT_S}s",
        "application_name": "dom",
    }
    how = {"connect_args": {"timeout": CONNECT_S, "command_timeout": 2 * STATEMENT_S, "server_settings": limits}}
    # Every question is one statement and so a snapshot of its own: a transaction around it would only cost.
    reading = _engine(address, READERS_MAX, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True, **how)
    writing = _engine(address, 1, isolation_level="READ COMMITTED", **how)
    return Database(reading=reading, writing=writing, clock=clock, shared=True)


def _engine(address: URL, connections_max: int, **how: Any) -> AsyncEngine:
    return create_async_engine(
        address, pool_size=connections_max, max_overflow=0, pool_timeout=WAIT_FOR_CONNECTION_S, pool_use_lifo=True, **how
    )


# ---------------------------------------------------------------------------------------------- migrations
async def migrate(database: Database) -> None:
    """Bring the schema up to date. Of several gateways that start at once, one does it and the others wait."""

    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    if not database.shared:
        async with database.writing.begin() as connection:
            await connection.run_sync(upgrade)
        return
    patient = _without_limits(database.writing.url)
    await _make_lock(patient)
    async with patient.begin() as connection:
        await connection.exec_driver_sql("SELECT id FROM migration_lock WHERE id = 1 FOR UPDATE")
        await connection.run_sync(upgrade)


def _without_limits(address: URL) -> AsyncEngine:
    """Where a statement may take its time: a large table is made anew, or another gateway is about to do so."""
    return create_async_engine(address, poolclass=NullPool, connect_args={"timeout": CONNECT_S})


async def _make_lock(engine: AsyncEngine) -> None:
    """A row to lock; a plain one, because not every engine of the family has other locks."""
    for again in (True, False):
        try:
            async with engine.begin() as connection:
                await connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS migration_lock (id integer PRIMARY KEY)")
                await connection.exec_driver_sql("INSERT INTO migration_lock VALUES (1) ON CONFLICT DO NOTHING")
        except DBAPIError:  # two made the table at once: IF NOT EXISTS does not see the other's until it is there
            if not again:
                raise
        else:
            return
