"""A folder on another machine, by SFTP. Needs the extra named ``sftp``; nothing else imports this module."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import asyncssh

from connectors.client import Inconclusive, NotSent
from connectors.contract import AuthFailed, ContractBroken, SourceError, Transient
from connectors.flat_file.folders import FILES_MAX, Entry, bounded, part_of, unchanged
from connectors.flat_file.settings import FlatFileSettings

SSH_PORT: Final = 22
KEEPALIVE_S: Final = 15
PATIENCE_SHARE: Final = 0.9  # of an attempt's time, so that it ends by itself

# How the server says that there is no such thing, and that it is not for us.
_MISSING: Final = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
_GONE: Final = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.Error, OSError)


class SftpFolder:
    """One connection, opened by the first question and again after it was lost. Nothing is taken from this machine's own SSH."""

    def __init__(self, settings: FlatFileSettings, *, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._root = settings.url.path.rstrip("/")
        self._now = now
        self._opening = asyncio.Lock()
        self._opened: tuple[asyncssh.SSHClientConnection, asyncssh.SFTPClient] | None = None

    async def listed(self, where: str) -> tuple[Entry, ...]:
        """The files in it."""
        async with self._asking(where) as sftp:
            found: list[Entry] = []
            async for each in sftp.scandir(f"{self._root}/{where}"):
                name = str(each.filename)
                if each.attrs.type == asyncssh.FILEXFER_TYPE_REGULAR and not name.startswith(".") and len(found) <= FILES_MAX:
                    found.append(_entry(name, each.attrs))
            return bounded(found)

    async def read(self, where: str, entry: Entry) -> bytes:
        """The whole of a file."""
        async with self._asking(entry.name) as sftp, sftp.open(f"{self._root}/{where}/{entry.name}", "rb") as file:
            content: bytes = await file.read(entry.size_bytes + 1)
            modified_at = _entry(entry.name, await file.stat()).modified_at
        return unchanged(entry, content=content, modified_at=modified_at)

    async def write(self, where: str, name: str, content: bytes) -> None:
        """Put a file there."""
        folder = f"{self._root}/{where}"
        part = f"{folder}/{part_of(name, self._now())}"
        async with self._asking(name) as sftp:
            async with sftp.open(part, "xb") as file:
                await file.write(content)
            try:
                await sftp.posix_rename(part, f"{folder}/{name}")
            except asyncssh.SFTPOpUnsupported:  # SFTP's own does not replace a file, which ours never need
                await sftp.rename(part, f"{folder}/{name}")

    async def find(self, where: str, name: str) -> Entry | None:
        """That file as it would be listed."""
        async with self._asking(name) as sftp:
            try:
                return _entry(name, await sftp.stat(f"{self._root}/{where}/{name}"))
            except _MISSING:
                return None

    async def aclose(self) -> None:
        """Hang up."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened[0].abort()
            await opened[0].wait_closed()

    @asynccontextmanager
    async def _asking(self, what: str) -> AsyncIterator[asyncssh.SFTPClient]:
        """The client for one question.

        Raises:
            SourceError: What goes wrong with it, in the contract's words.
        """
        sftp = await self._client()
        # A question that is canceled still waits for its handle to be closed: only without a connection it does not.
        patience_s = self._settings.attempt_timeout_s * PATIENCE_SHARE
        hanging_up = asyncio.get_running_loop().call_later(patience_s, self._forget)
        try:
            yield sftp
        except SourceError:
            raise
        except _MISSING as error:
            raise NotSent(f"there is no {what}, or no folder for it") from error
        except asyncssh.SFTPPermissionDenied as error:
            raise AuthFailed(f"{what} is not ours to use") from error
        except asyncssh.SFTPBadMessage as error:
            raise ContractBroken(f"not SFTP: {error.reason}") from error
        except _GONE as error:
            if not isinstance(error, asyncssh.SFTPError) or isinstance(error, _GONE[:2]):
                self._forget()
            raise Inconclusive(f"{what}: {_words(error)}") from error
        finally:
            hanging_up.cancel()

    async def _client(self) -> asyncssh.SFTPClient:
        async with self._opening:
            if self._opened is not None and self._opened[0].is_closed():
                self._opened = None
            if self._opened is None:
                self._opened = await self._connected()
            return self._opened[1]

    def _forget(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened[0].abort()

    async def _connected(self) -> tuple[asyncssh.SSHClientConnection, asyncssh.SFTPClient]:
        """A new connection.

        Raises:
            AuthFailed: It is not the server that was configured, or it does not take our credential.
            NotSent: There was none to be had.
        """
        settings = self._settings
        try:
            connection = await asyncssh.connect(
                settings.url.hostname or "",
                settings.url.port or SSH_PORT,
                username=settings.url.username,
                password=None if settings.password is None else str.__str__(settings.password),
                client_keys=None if settings.private_key is None else [asyncssh.import_private_key(settings.private_key)],
                known_hosts=([asyncssh.import_public_key(settings.host_key or "")], [], []),
                agent_path=None,
                config=None,
                keepalive_interval=KEEPALIVE_S,
            )
            return connection, await connection.start_sftp_client()
        except asyncssh.HostKeyNotVerifiable as error:
            raise AuthFailed("the server's host key is not the configured one") from error
        except asyncssh.PermissionDenied as error:
            raise AuthFailed("the server does not take our credential") from error
        except asyncssh.KeyImportError:  # not chained: it may quote the key
            raise AuthFailed("private_key or host_key cannot be read") from None
        except (asyncssh.Error, OSError) as error:
            raise NotSent(f"no connection: {_words(error)}") from error


def _entry(name: str, about: asyncssh.SFTPAttrs) -> Entry:
    if about.size is None or about.mtime is None:
        raise Transient(f"the server does not say how large {name} is, and how old")
    return Entry(name=name, size_bytes=about.size, modified_at=datetime.fromtimestamp(about.mtime, UTC))


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
