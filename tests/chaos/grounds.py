"""What a run stands on: the database, which can be cut off, and the disk under it, which can be filled up."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.postgres import Server, migrate, server

DISK_BYTES = 1 << 30
BALLAST_STEP_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A migrated database at ``url``. ``disk`` None: it may not be filled up here; ``server`` None: it is a file."""

    url: str
    server: Server | None = None
    disk: Path | None = None

    async def cut_off(self, for_s: float) -> None:
        """Have the database's power cut for so long, if it has one of its own."""
        if self.server is not None:
            await asyncio.to_thread(self.server.stop)
            await asyncio.sleep(for_s)
            await asyncio.to_thread(self.server.start)

    async def fill_up(self, for_s: float) -> None:
        """Leave no room on the disk for so long, if it is one of its own."""
        if self.disk is None:
            return
        ballast = self.disk / "ballast"
        with ballast.open("wb") as file:
            with suppress(OSError):
                for step in range(DISK_BYTES // BALLAST_STEP_BYTES):
                    os.posix_fallocate(file.fileno(), step * BALLAST_STEP_BYTES, BALLAST_STEP_BYTES)
            until = asyncio.get_running_loop().time() + for_s
            while asyncio.get_running_loop().time() < until:  # whatever becomes free is taken as well
                with suppress(OSError):
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), 4096)
                await asyncio.sleep(0.02)
        ballast.unlink()


@contextmanager
def ground(folder: Path, *, db: str) -> Iterator[Ground]:
    """A new database of that kind, on a small disk where that is allowed."""
    with ExitStack() as stack:
        if db == "sqlite":
            disk = stack.enter_context(small_disk(folder))
            found = Ground(url=f"sqlite:///{(disk or folder) / 'dom.sqlite3'}", disk=disk)
        else:
            started = stack.enter_context(server())
            disk = stack.enter_context(small_disk(started.folder.parent))
            if disk is None:
                started.execute("CREATE DATABASE chaos")
            else:  # its log stays elsewhere: without room for that, the whole server ends
                started.give(disk)
                started.execute(f"CREATE TABLESPACE small LOCATION '{disk}'", "CREATE DATABASE chaos TABLESPACE small")
            found = Ground(url=started.url("chaos"), server=started, disk=disk)
        migrate(found.url)
        yield found


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of its own. None: mounting one is not allowed here."""
    with tempfile.TemporaryDirectory(prefix="disk-", dir=folder) as mount:
        mounting = [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", mount]
        try:
            subprocess.run(mounting, check=True, capture_output=True, timeout=10)  # noqa: S603  # our own
        except (OSError, subprocess.SubprocessError):
            yield None
            return
        try:
            yield Path(mount)
        finally:
            subprocess.run([shutil.which("umount") or "umount", "-l", mount], check=False, capture_output=True, timeout=10)  # noqa: S603  # our own
