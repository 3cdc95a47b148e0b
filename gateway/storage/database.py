"""Opening the database: engines, pragmas, the lock against a second process, and migrations."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

T = TypeVar("T")
P = ParamSpec("P")

MIGRATIONS = Path(__file__).parent / "migrations"
READERS_MAX = 4
BUSY_TIMEOUT_MS = 10_000


class DatabaseInUse(RuntimeError):
    """Another process has this SQLite file open for writing. One process per file: several need PostgreSQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One database, with a door for reading and a narrower one for writing: a single connection.

    Work on it is never cut off halfway: whoever is canceled stops waiting, the work goes on to its end, and the doors close after
    it. A connection that is left in the middle of a statement cannot be used or closed any more.
    """

    reading: AsyncEngine
    writing: AsyncEngine
    _under_way: set[asyncio.Task[Any]] = field(default_factory=set)

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


def whole(method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]]) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """A method that is never cut off halfway."""

    @wraps(method)
    async def finished(works: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await works.database.finish(method(works, *args, **kwargs))

    return finished


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """The database at that SQLAlchemy address, migrated to the newest schema.

    Raises:
        DatabaseInUse: It is SQLite and another process has it.
    """
    with _locked(_file(url)):
        writing = _engine(url, connections_max=1)
        event.listen(writing.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        # Every question is one statement and so a snapshot of its own: a transaction around it would only cost.
        reading = _engine(url, connections_max=READERS_MAX, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
        database = Database(reading=reading, writing=writing)
        try:
            await _migrate(writing)
            yield database
        finally:
            await database.aclose()


def free_or_refuse(url: str) -> None:
    """See to it that no other process has this database, before anything else is started.

    Raises:
        DatabaseInUse: One has.
        ValueError: The address is not that of a SQLite file.
    """
    with _locked(_file(url)):
        pass


def _file(url: str) -> Path:
    """The file behind the address."""
    parsed = make_url(url)
    if parsed.drivername != "sqlite+aiosqlite" or not parsed.database or parsed.database == ":memory:":
        raise ValueError(f"{url}: the address of a SQLite file is needed, such as sqlite+aiosqlite:///dom.sqlite3")
    return Path(parsed.database)


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
        raise DatabaseInUse(f"{path} is open in another dom process; stop that one, or give each a file of its own") from None


def _engine(url: str, *, connections_max: int, **how: Any) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=connections_max, max_overflow=0, pool_timeout=10, pool_reset_on_return=None, **how)

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves: sqlite3 would do it too late
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.close()

    return engine


async def _migrate(engine: AsyncEngine) -> None:
    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
