"""A folder served over SFTP, with faults on demand. Needs the extra named ``sftp``."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, MutableSequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncssh

from connectors.sandbox.faults import HANG_S_MAX, Fault, FaultKind

USER: Final = "gateway"
PASSWORD: Final = "sftp-sandbox-password"


@dataclass(frozen=True, slots=True, kw_only=True)
class SftpServer:
    """One folder behind a socket. ``host_key`` is what its clients have to know of it; ``asked`` counts their questions.

    Of the faults there are LATENCY, HANG, STATUS (whichever: it says failure), and LOST_ANSWER: the work is done, then the
    connection drops.
    """

    port: int
    host_key: str
    active: MutableSequence[Fault]
    asked: MutableSequence[str]

    def url(self, folder: str = "") -> str:
        """The address of a folder on it."""
        return f"sftp://{USER}@127.0.0.1:{self.port}/{folder}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """What all connections share."""

    root: Path
    password: str
    renames: bool
    active: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)


@asynccontextmanager
async def serving_sftp(root: Path, *, password: str = PASSWORD, renames: bool = True) -> AsyncIterator[SftpServer]:
    """Serve that folder on loopback. ``renames``: the server can put one file in place of another, as OpenSSH's does."""
    desk = _Desk(root=root, password=password, renames=renames)
    key = asyncssh.generate_private_key("ssh-ed25519")

    def session(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return _Folder(channel, desk)

    server = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[key], server_factory=lambda: _Door(desk), sftp_factory=session, config=[]
    )
    public = key.export_public_key().decode().strip()
    try:
        yield SftpServer(port=server.get_port(), host_key=public, active=desk.active, asked=desk.asked)
    finally:
        server.close()
        for connection in desk.connections:
            connection.abort()
        await server.wait_closed()


class _Door(asyncssh.SSHServer):
    """Lets one user in."""

    def __init__(self, desk: _Desk) -> None:
        self._desk = desk

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._desk.connections.append(conn)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, self._desk.password)


class _Folder(asyncssh.SFTPServer):
    """The folder as one connection sees it."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], desk: _Desk) -> None:
        super().__init__(channel, chroot=str(desk.root).encode())
        self._desk = desk

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        lost = await self._suffered("open", path)
        file = super().open(path, pflags, attrs)
        self._lose(lost=lost)
        return file

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        lost = await self._suffered("scandir", path)
        self._lose(lost=lost)
        async for each in super().scandir(path):
            yield each

    def stat(self, path: bytes) -> Awaitable[asyncssh.SFTPAttrs]:
        return self._stat(path)

    async def _stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        lost = await self._suffered("stat", path)
        self._lose(lost=lost)
        return asyncssh.SFTPAttrs.from_local((self._desk.root / path.decode().lstrip("/")).stat())

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        if not self._desk.renames:
            raise asyncssh.SFTPOpUnsupported("only what the draft has")
        lost = await self._suffered("rename", newpath)
        super().posix_rename(oldpath, newpath)
        self._lose(lost=lost)

    async def _suffered(self, what: str, path: bytes) -> bool:
        """Wait out what is the matter. Returns whether the answer is to get lost."""
        self._desk.asked.append(f"{what} {path.decode()}")
        for fault in [each for each in self._desk.active if each.matches(self._desk.asked[-1], b"")]:
            if fault.times is not None:
                fault.times -= 1
            await asyncio.sleep(HANG_S_MAX if fault.kind is FaultKind.HANG else fault.delay_ms / 1_000)
            if fault.kind is FaultKind.STATUS:
                raise asyncssh.SFTPFailure("told to fail")
            if fault.kind is FaultKind.LOST_ANSWER:
                return True
        return False

    def _lose(self, *, lost: bool) -> None:
        if lost:
            self.connection.abort()
