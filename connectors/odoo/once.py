"""Something that is fetched once and then shared."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """A value that the first to need it fetches.

    Whoever comes meanwhile waits for the same attempt, and shares its failure; the next one after a failure tries again. A
    waiter that is canceled leaves the attempt to the others.
    """

    def __init__(self, fetch: Callable[[], Awaitable[T]]) -> None:
        self._fetch = fetch
        self._attempt: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """The value.

        Raises:
            SourceError: The attempt failed.
        """
        if self._attempt is None:
            self._attempt = asyncio.create_task(self._fetched())
            self._attempt.add_done_callback(self._forget_failure)
        return await asyncio.shield(self._attempt)

    def forget(self) -> None:
        """Fetch anew for the next one who asks."""
        self._attempt = None

    async def aclose(self) -> None:
        """Stop an attempt that is under way."""
        if self._attempt is not None and not self._attempt.done():
            self._attempt.cancel()
            await asyncio.wait([self._attempt])

    async def _fetched(self) -> T:
        return await self._fetch()

    def _forget_failure(self, attempt: asyncio.Task[T]) -> None:
        failed = attempt.cancelled() or attempt.exception() is not None
        if failed and self._attempt is attempt:
            self._attempt = None
