"""Where a test's promises are kept: a SQLite file, or a PostgreSQL database of its own. Both begin as copies of a migrated one."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it brings no types

from tests.postgres import Server, migrate


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A database of one's own. ``dial`` is the file that tells it the time, where it does not ask the gateway."""

    url: str
    dial: Path | None = None

    @property
    def is_shared(self) -> bool:
        """Whether several gateways may use it at once."""
        return not self.url.startswith("sqlite")


NewStorage = Callable[[], AbstractContextManager[Storage]]
"""One more database, there until the end of the block."""


def in_file(folder: Path) -> Storage:
    """``dom.sqlite3`` in that folder: as it was left, or else empty."""
    file = folder / "dom.sqlite3"
    if not file.exists():
        file.write_bytes(_empty_file())
    return Storage(url=f"sqlite:///{file}")


@contextmanager
def on_server(server: Server, *, migrated: bool = True) -> Iterator[Storage]:
    """A database there, with a dial if it has tables."""
    with server.database(migrated=migrated, clocked=migrated) as name:
        yield Storage(url=server.url(name), dial=server.dial(name) if migrated else None)


@asynccontextmanager
async def stranger(storage: Storage) -> AsyncIterator[Any]:
    """Somebody else at work on the same database."""
    connection = await asyncpg.connect(storage.url)
    try:
        yield connection
    finally:
        await connection.close()


@cache
def _empty_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dom.sqlite3"
        migrate(f"sqlite:///{file}")
        return file.read_bytes()
