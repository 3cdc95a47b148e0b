"""One at a time, for all who ask meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from connectors.client.failures import NotSent

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs something once for everybody who wants it at that moment. Whoever gives up waiting stops nobody else's."""

    def __init__(self, run: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._run = run
        self._flight: asyncio.Task[T] | None = None

    def start(self) -> "asyncio.Task[T]":
        """The one under way, or a new one. It needs no waiter: a failure that nobody waits for is not reported."""
        if self._flight is None:
            self._flight = asyncio.create_task(self._run())
            self._flight.add_done_callback(self._landed)
        return self._flight

    async def join(self) -> T:
        """Its end.

        Raises:
            NotSent: It was stopped.
        """
        flight = self.start()
        await asyncio.wait([flight])
        if flight.cancelled():
            raise NotSent("closed")
        return flight.result()

    async def aclose(self) -> None:
        """Stop it."""
        if flight := self._flight:
            flight.cancel()
            await asyncio.wait([flight])

    def _landed(self, flight: "asyncio.Task[T]") -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # marks it as seen
