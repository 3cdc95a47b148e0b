"""The database behind all the layers of resilience: asked for rows, within bounds, and never written to."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec
from sqlalchemy import TextClause, event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from connectors.client import Channel, NotSent
from connectors.contract import ContractBroken, Traffic
from connectors.registry import Tools
from connectors.sql.failures import failure
from connectors.sql.settings import SqlSettings

POOL_WAIT_S: Final = 1.0
STEPS_PER_LOOK: Final = 10_000  # of SQLite's machine, some 100 µs
ROWS_PER_FETCH: Final = 5_000
APPLICATION: Final = "dom-gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a statement came to. Names are lower case."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]

    def records(self) -> list[dict[str, Any]]:
        """The rows by the names of their columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Database:
    """One database, for one event loop.

    A question is never cut off halfway: whoever gives up stops waiting, and the database ends it. A connection that is left in the
    middle of a statement can neither be used nor closed any more.
    """

    def __init__(self, settings: SqlSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        self._channel = Channel(limits=settings.limits(), tools=tools)
        self._opened: AsyncEngine | None = None
        self._under_way: set[asyncio.Task[Table]] = set()

    async def ask(self, statement: TextClause, values: Mapping[str, object], *, rows_max: int) -> Table:
        """The rows of a statement.

        Raises:
            ContractBroken: There are more than ``rows_max``, or the statement does not fit the database.
        """

        async def attempt(timeout_s: float) -> Table:
            question = asyncio.create_task(self._answer(statement, values, rows_max=rows_max, timeout_s=timeout_s))
            self._under_way.add(question)
            question.add_done_callback(self._ended)
            return await asyncio.shield(question)

        table = await self._channel.through(attempt)
        self._tools.witness(statement.text, msgspec.json.encode(table.records(), enc_hook=str))
        return table

    def version(self) -> str | None:
        """The database's version, once it was asked something."""
        numbers = None if self._opened is None else getattr(self._opened.dialect, "server_version_info", None)
        return ".".join(str(each) for each in numbers) if numbers else None

    def traffic(self) -> Mapping[str, Traffic]:
        """How asking fares."""
        return self._channel.traffic()

    async def aclose(self) -> None:
        """Let what is under way end, then hang up."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.dispose()

    def _ended(self, question: asyncio.Task[Table]) -> None:
        self._under_way.discard(question)
        if not question.cancelled():
            question.exception()  # seen: whoever waited for it may be gone

    async def _answer(self, statement: TextClause, values: Mapping[str, object], *, rows_max: int, timeout_s: float) -> Table:
        check_file(self._settings.address)
        try:
            async with asyncio.timeout(2 * timeout_s), self._engine().connect() as plain:
                connection = await plain.execution_options(**self._options())
                await self._limit(connection, timeout_s)
                return await _fetched(connection, statement, values, rows_max)
        except ContractBroken:
            raise
        except Exception as error:  # drivers raise what they like, also while connecting
            raise failure(error, hidden=self._settings.address.password) from error

    def _options(self) -> dict[str, Any]:
        return {"postgresql_readonly": True} if self._settings.address.get_backend_name() == "postgresql" else {}

    async def _limit(self, connection: AsyncConnection, timeout_s: float) -> None:
        """Have the database itself end what takes longer."""
        if connection.dialect.name == "postgresql":
            await connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, round(1000 * timeout_s))}")
        elif connection.dialect.name == "sqlite":
            until = self._tools.monotonic() + timeout_s
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.set_progress_handler(lambda: self._tools.monotonic() > until, STEPS_PER_LOOK)

    def _engine(self) -> AsyncEngine:
        """The one engine, made by the first question: importing a driver takes its time."""
        if self._opened is None:
            settings = self._settings
            self._opened = create_async_engine(
                readable(settings.address),
                pool_size=settings.concurrency_max,
                max_overflow=settings.concurrency_max,  # for what nobody waits for any more
                pool_timeout=POOL_WAIT_S,
                connect_args=_connecting(settings),
                hide_parameters=True,
            )
            if self._opened.dialect.name == "sqlite":
                event.listen(self._opened.sync_engine, "connect", _read_only)
        return self._opened


async def _fetched(connection: AsyncConnection, statement: TextClause, values: Mapping[str, object], rows_max: int) -> Table:
    """The rows, so many at a time that a runaway statement fills no memory."""
    result = await connection.stream(statement, dict(values))
    columns = tuple(name.lower() for name in result.keys())  # noqa: SIM118  not a mapping
    rows: list[Sequence[Any]] = []
    while some := await result.fetchmany(ROWS_PER_FETCH):
        rows += some
        if len(rows) > rows_max:
            raise ContractBroken(f"more than {rows_max} rows")
    return Table(columns=columns, rows=rows)


def _read_only(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()


def _connecting(settings: SqlSettings) -> dict[str, Any]:
    """What the drivers that we know are told."""
    match settings.address.drivername:
        case "postgresql+asyncpg":
            waits = {"timeout": settings.attempt_timeout_s, "command_timeout": 1.5 * settings.attempt_timeout_s}
            return {**waits, "server_settings": {"application_name": APPLICATION}}
        case "sqlite+aiosqlite":
            return {"timeout": settings.attempt_timeout_s}  # for a lock
        case _:
            return {}


def check_file(url: URL) -> None:
    """See that a SQLite file is there.

    Raises:
        NotSent: It is not: its share may not be mounted.
    """
    if (file := _file_of(url)) is not None and not file.is_file():
        raise NotSent(f"there is no file {file}")


def readable(url: URL) -> URL:
    """The same, but that a SQLite file has to be there already: SQLite would make an empty one."""
    if (file := _file_of(url)) is None:
        return url
    return url.set(database=f"file:{quote(str(file))}", query={**url.query, "mode": "rw", "uri": "true"})


def _file_of(url: URL) -> Path | None:
    path = url.database or ""
    return None if url.get_backend_name() != "sqlite" or path.startswith("file:") else Path(path)
