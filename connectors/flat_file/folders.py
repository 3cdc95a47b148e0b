"""Folders of files: what is complete in them, and how one on this machine is read and written."""

import asyncio
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, TypeVar

from connectors.client import Inconclusive, NotSent
from connectors.contract import AuthFailed, ContractBroken, Transient

T = TypeVar("T")

FILES_MAX: Final = 10_000
THREADS_MAX: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file as its folder lists it."""

    name: str
    size_bytes: int
    modified_at: datetime

    @property
    def mark(self) -> str:
        """What tells it from another one, also from one of the same name that takes its place."""
        return f"{self.name} {self.modified_at.isoformat()} {self.size_bytes}"


class Folder(Protocol):
    """Where files are exchanged. ``where`` is a folder below it. Only ``SourceError`` leaves it; time is the caller's to keep."""

    async def listed(self, where: str) -> tuple[Entry, ...]:
        """The files in it, hidden ones left out, in no order."""

    async def read(self, where: str, entry: Entry) -> bytes:
        """The whole of a file.

        Raises:
            Transient: It is no longer the one that was listed.
        """

    async def write(self, where: str, name: str, content: bytes) -> None:
        """Put a file there that others see as a whole or not at all; one of that name is replaced."""

    async def find(self, where: str, name: str) -> Entry | None:
        """That file as it would be listed; None: there is none."""

    async def aclose(self) -> None:
        """Let go of it."""


def finished(entries: Iterable[Entry], *, done_suffix: str) -> tuple[Entry, ...]:
    """Those that their writer is done with: all, or those with a younger marker beside them."""
    if not done_suffix:
        return tuple(entries)
    by_name = {each.name: each for each in entries}
    return tuple(
        each
        for each in by_name.values()
        if (marker := by_name.get(each.name + done_suffix)) is not None and marker.modified_at >= each.modified_at
    )


def part_of(name: str, now: datetime) -> str:
    """What a file is called while it is being written: hidden, and no two at once the same."""
    return f".{name}.{now:%Y%m%d%H%M%S%f}.part"


def unchanged(entry: Entry, *, content: bytes, modified_at: datetime) -> bytes:
    """What was read, if it is the file that was listed.

    Raises:
        Transient: Somebody is writing to it, or has put another in its place.
    """
    if len(content) != entry.size_bytes or modified_at != entry.modified_at:
        raise Transient(f"{entry.name} changed while it was read")
    return content


def bounded(entries: list[Entry]) -> tuple[Entry, ...]:
    """As many as one can look through.

    Raises:
        ContractBroken: There are more.
    """
    if len(entries) > FILES_MAX:
        raise ContractBroken(f"more than {FILES_MAX} files in one folder: old ones have to be cleared away")
    return tuple(entries)


class LocalFolder:
    """A folder of this machine, or mounted on it. Its threads are its own: one that hangs with its mount holds up nobody else."""

    def __init__(self, root: Path, *, now: Callable[[], datetime]) -> None:
        self._root = root
        self._now = now
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="flat-file")

    async def listed(self, where: str) -> tuple[Entry, ...]:
        """The files in it."""

        def names() -> tuple[Entry, ...]:
            with _readable(), os.scandir(self._root / where) as found:
                files = (each for each in found if each.is_file() and not each.name.startswith("."))
                return bounded([_entry(each.name, each.stat()) for each, _ in zip(files, range(FILES_MAX + 1), strict=False)])

        return await self._beside(names)

    async def read(self, where: str, entry: Entry) -> bytes:
        """The whole of a file."""

        def content() -> bytes:
            with _readable(), (self._root / where / entry.name).open("rb") as file:
                read = file.read(entry.size_bytes + 1)
                return unchanged(entry, content=read, modified_at=_entry(entry.name, os.fstat(file.fileno())).modified_at)

        return await self._beside(content)

    async def write(self, where: str, name: str, content: bytes) -> None:
        """Put a file there, and have it outlive a power cut."""
        part = self._root / where / part_of(name, self._now())

        def written() -> None:
            with _writable():
                try:
                    with part.open("xb") as file:
                        file.write(content)
                        file.flush()
                        os.fsync(file.fileno())
                    part.replace(part.with_name(name))
                except OSError:
                    part.unlink(missing_ok=True)
                    raise
                _settle(part.parent)

        await self._beside(written)

    async def find(self, where: str, name: str) -> Entry | None:
        """That file as it would be listed."""

        def found() -> Entry | None:
            with _readable():
                try:
                    about = (self._root / where / name).stat()
                except FileNotFoundError:
                    return None
                return _entry(name, about) if stat.S_ISREG(about.st_mode) else None

        return await self._beside(found)

    async def aclose(self) -> None:
        """Take on no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _beside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _entry(name: str, about: os.stat_result) -> Entry:
    return Entry(name=name, size_bytes=about.st_size, modified_at=datetime.fromtimestamp(about.st_mtime, UTC))


def _settle(folder: Path) -> None:
    """Have a renaming outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise AuthFailed(f"{error.filename} may not be read") from error
    except OSError as error:  # a share that is not mounted looks like a folder that is not there
        raise Transient(f"{error.filename}: {error.strerror}") from error


@contextmanager
def _writable() -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise AuthFailed(f"{error.filename} may not be written") from error
    except FileNotFoundError as error:
        raise NotSent(f"there is no folder for {error.filename}") from error
    except OSError as error:  # a full disk, or a share that went away: the file may be there all the same
        raise Inconclusive(f"{error.filename}: {error.strerror}") from error
