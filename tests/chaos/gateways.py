"""Gateways as processes that somebody starts again whenever they end."""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.harness import Graph
from tests.scenarios.processes import SECRETS

START_AGAIN_S = 0.2
LOOK_EVERY_S = 0.05
LINES_SHOWN = 15


@dataclass(slots=True, kw_only=True)
class Gateway:
    """One gateway. ``ready``: it answers. ``recoveries_s`` is how long it took each time until it did, since it had ended."""

    name: str
    command: Sequence[str]
    client: httpx.AsyncClient
    log: Path
    ready: bool = False
    recoveries_s: list[float] = field(default_factory=list)
    ended_by_itself: list[str] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None
    _killed: bool = False

    @property
    def graph(self) -> Graph:
        return Graph(self.client)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.ready = False
        if self._process is not None and self._process.poll() is None:
            self._killed = True
            self._process.kill()

    async def supervise(self) -> None:
        """Keep it running until canceled; then it ends as well."""
        since = time.monotonic()
        try:
            while True:
                process = self._start()
                if await self._came_up(process):
                    self.recoveries_s.append(time.monotonic() - since)
                    while process.poll() is None:
                        await asyncio.sleep(LOOK_EVERY_S)
                    since = time.monotonic()
                    if not self._killed:
                        self.ended_by_itself.append(f"{self.name} ended by itself with {process.poll()}: {self._last_words()}")
                self.ready = False
                await asyncio.sleep(START_AGAIN_S)
        finally:
            self.kill()
            if self._process is not None:
                self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        self._killed = False
        with self.log.open("ab") as log:  # at once: canceled in the middle of it, nobody would know of the process
            self._process = subprocess.Popen(self.command, env={**os.environ, **SECRETS}, stdout=subprocess.DEVNULL, stderr=log)  # noqa: S603  # our own
        return self._process

    async def _came_up(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until it answers. False: it ended before, as it may while its database is away."""
        while process.poll() is None:
            try:
                self.ready = (await self.client.get("/readyz", timeout=5)).status_code == 200
            except httpx.HTTPError:
                self.ready = False
            if self.ready:
                return True
            await asyncio.sleep(LOOK_EVERY_S)
        return False

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LINES_SHOWN:])


@asynccontextmanager
async def supervised(name: str, command: Sequence[str], port: int, log: Path) -> AsyncIterator[Gateway]:
    """A gateway that is kept running beside what is inside."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as client:
        gateway = Gateway(name=name, command=command, client=client, log=log)
        keeping = asyncio.create_task(gateway.supervise())
        try:
            yield gateway
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
