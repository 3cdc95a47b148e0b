"""One picture of the whole database as it was at an instant, while others go on writing to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.domain.refusals import StoreUnavailable
from gateway.storage.database import CONNECT_S, MIGRATIONS, Database

# It may take long, and holds no locks: none of the limits of those who serve customers are for it.
_UNHURRIED: Final = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "application_name": "dom verify"}


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection of its own that reads, and never writes, one unchanging state.

    While it is open, SQLite cannot shorten its log and PostgreSQL cannot clear away what was overwritten since.

    Raises:
        StoreUnavailable: There is no such file, or its schema is not the one that this program knows.
    """
    engine = _postgresql(database) if database.reading.dialect.name == "postgresql" else _sqlite(database)
    try:
        async with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                await connection.exec_driver_sql("PRAGMA query_only = ON")
                await connection.exec_driver_sql("BEGIN")
            await _check_schema(connection)
            yield connection
            await connection.rollback()
    finally:
        await engine.dispose()


def _postgresql(database: Database) -> AsyncEngine:
    connect: dict[str, Any] = {"timeout": CONNECT_S, "server_settings": _UNHURRIED}
    return create_async_engine(
        database.reading.url,
        poolclass=NullPool,
        connect_args=connect,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
    )


def _sqlite(database: Database) -> AsyncEngine:
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
