"""One picture of the whole database as it was at an instant, while others go on writing to it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.domain.refusals import StoreUnavailable
from gateway.ports import Clock
from gateway.storage.database import CONNECT_S, MIGRATIONS, Database, parsed, postgresql, sqlite

# It may take long, and holds no locks: none of the limits of those who serve customers are for it.
_UNHURRIED: Final = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "application_name": "dom verify"}


def beside(url: str, clock: Clock) -> Database:
    """Doors to a database that others may be serving: nothing is locked, migrated or made.

    Raises:
        ValueError: It is of no kind that we know, or what it needs is not installed.
    """
    address = parsed(url)
    try:
        return (postgresql if address.get_backend_name() == "postgresql" else sqlite)(address, clock)
    except ModuleNotFoundError as error:
        raise ValueError(f"PostgreSQL needs the extra: pip install 'dom-gateway[postgres]' ({error})") from error


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection of its own that reads, and never writes, one unchanging state.

    While it is open, SQLite cannot shorten its log and PostgreSQL cannot clear away what was overwritten since.

    Raises:
        StoreUnavailable: It cannot be reached, or its schema is not the one that this program knows.
    """
    engine = _postgresql_engine(database) if database.shared else _sqlite_engine(database)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        try:
            connection = await stack.enter_async_context(engine.connect())
        except (DBAPIError, OSError) as error:  # no such database, or not for us, or nobody there
            raise StoreUnavailable(reason=str(error.orig if isinstance(error, DBAPIError) else error)) from error
        if connection.dialect.name == "sqlite":
            await connection.exec_driver_sql("PRAGMA query_only = ON")
            await connection.exec_driver_sql("BEGIN")
        await _check_schema(connection)
        yield connection
        await connection.rollback()


def _postgresql_engine(database: Database) -> AsyncEngine:
    connect: dict[str, Any] = {"timeout": CONNECT_S, "server_settings": _UNHURRIED}
    return create_async_engine(
        database.reading.url,
        poolclass=NullPool,
        connect_args=connect,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
    )


def _sqlite_engine(database: Database) -> AsyncEngine:
    """Without the lock file of those who write: in write-ahead mode readers are in nobody's way."""
    path = Path(database.reading.url.database or "")
    if not path.exists():
        raise StoreUnavailable(reason=f"there is no file {path}")
    return create_async_engine(database.reading.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")


async def _check_schema(connection: AsyncConnection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    newest = ScriptDirectory.from_config(config).get_current_head()
    is_ours = await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version"))
    found = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar() if is_ours else None
    if found != newest:
        raise StoreUnavailable(reason=f"its schema is {found or 'not ours'} and not {newest}: serve it once with this version")
