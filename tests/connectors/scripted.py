"""A source that follows a script, on a virtual clock: waiting costs nothing, and is exact."""

import asyncio
import selectors
from collections.abc import Awaitable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
import pytest

from connectors.client import Client, Intent, Limits
from connectors.contract import SourceError
from connectors.registry import Tools

T = TypeVar("T")
Step = httpx.Response | type[Exception]
STOCK = {"A": 3}
READ, WRITE = Intent.READ, Intent.WRITE
LOST, REFUSED = httpx.ReadError, httpx.ConnectError
BEGINNING = datetime(2026, 11, 22, 9, tzinfo=UTC)


class Leaps(selectors.SelectSelector):
    """Nobody sleeps: when nothing is ready, the clock jumps to what comes next."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("deadlock: nothing is scheduled")
        self.now_s += max(0.0, timeout)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.leaps = Leaps()
        super().__init__(self.leaps)

    def time(self) -> float:
        return self.leaps.now_s


def now_s() -> float:
    return asyncio.get_running_loop().time()


def run(story: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(story)


def answer(status: int = 200, json: object = STOCK, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=json, headers={name.replace("_", "-"): value for name, value in headers.items()})


class Source:
    """A source that follows a script; its last line is repeated. ``asked_at_s`` is when it was asked."""

    def __init__(self, *script: Step, takes_s: float = 0.0) -> None:
        self.script = list(script)
        self.takes_s = takes_s
        self.asked_at_s: list[float] = []
        self.requests: list[httpx.Request] = []
        self.at_once = self.at_once_max = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked_at_s.append(now_s())
        self.requests.append(request)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.at_once -= 1
        if isinstance(step, httpx.Response):
            return httpx.Response(step.status_code, headers=step.headers, content=step.content)
        raise step("scripted")

    def client(self, limits: Limits | None = None, **settings: Any) -> Client:
        return Client(base_url="https://source.test/api", tools=self.tools(), limits=limits, **settings)

    def tools(self) -> Tools:
        return Tools(now=lambda: BEGINNING + timedelta(seconds=now_s()), monotonic=now_s, transport=httpx.MockTransport(self))


def ask(client: Client, intent: Intent = READ, **more: Any) -> Coroutine[Any, Any, dict[str, int]]:
    return client.call("POST", "/stock", returns=dict[str, int], intent=intent, **more)


async def failure_of(story: Awaitable[object]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await story
    return caught.value
