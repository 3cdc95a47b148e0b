"""A folder behind all the layers of resilience: as a connector uses it."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeVar

from connectors.client import Channel, Intent
from connectors.contract import ContractBroken, Traffic
from connectors.flat_file.folders import Entry, Folder, LocalFolder, finished
from connectors.flat_file.settings import FlatFileSettings
from connectors.registry import Tools

T = TypeVar("T")


class GuardedFolder:
    """The folder of one source. ``where`` is a folder below it."""

    def __init__(self, settings: FlatFileSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        self._folder = opened(settings, tools)
        self._channel = Channel(limits=settings.limits(), tools=tools)

    async def complete(self, where: str) -> tuple[Entry, ...]:
        """The files in it that their writer is done with."""
        listed = await self._through(partial(self._folder.listed, where), Intent.READ)
        return finished(listed, done_suffix=self._settings.done_suffix)

    async def read(self, where: str, entry: Entry) -> bytes:
        """The whole of a file, which the witness sees too.

        Raises:
            ContractBroken: It is larger than we read.
        """
        if entry.size_bytes > self._settings.file_bytes_max:
            raise ContractBroken(f"{entry.name} has more than {self._settings.file_bytes_max} bytes")
        content = await self._through(partial(self._folder.read, where, entry), Intent.READ)
        self._tools.witness(f"{where}/{entry.name}", content)
        return content

    async def find(self, where: str, name: str) -> Entry | None:
        """That file as it would be listed; None: there is none."""
        return await self._through(partial(self._folder.find, where, name), Intent.READ)

    async def write(self, where: str, name: str, content: bytes) -> None:
        """Put a file there, as a whole. Repeated, it is the same file."""
        await self._through(partial(self._folder.write, where, name, content), Intent.WRITE)

    def traffic(self) -> Mapping[str, Traffic]:
        """How reading and writing fare."""
        return self._channel.traffic()

    async def aclose(self) -> None:
        """Let go of it."""
        await self._folder.aclose()

    async def _through(self, work: Callable[[], Awaitable[T]], intent: Intent) -> T:
        return await self._channel.through(lambda _timeout_s: work(), intent=intent, repeatable=True)


def opened(settings: FlatFileSettings, tools: Tools) -> Folder:
    """The folder of these settings, without I/O."""
    if not settings.is_remote:
        return LocalFolder(settings.path, now=tools.now)
    from connectors.flat_file.sftp import SftpFolder  # noqa: PLC0415 - only who speaks SFTP has what it needs

    return SftpFolder(settings, now=tools.now)
