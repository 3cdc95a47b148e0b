"""What is taken from the machine."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import httpx

from connectors.registry import Tools
from gateway.ports import Clock, NewId, Sources
from gateway.storage.database import Database, opened
from gateway.system import SystemClock, spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is taken from the machine; tests take it from elsewhere.

    ``transport`` replaces the network towards sources, ``sources`` the sources themselves, ``open_store`` the database.
    """

    clock: Clock = field(default_factory=SystemClock)
    new_id: NewId | None = None
    spread: Callable[[], float] = spread
    transport: httpx.AsyncBaseTransport | None = None
    sources: Sources | None = None
    open_store: Callable[[str, Clock], AbstractAsyncContextManager[Database]] = opened


def tools(parts: Parts) -> Tools:
    """What connectors are given."""
    return Tools(now=parts.clock.now, monotonic=parts.clock.monotonic, transport=parts.transport)
