"""What a verification has come to so far, and how it is told to stop."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.invariants import Difference, Invariant

PAGE_ROWS: Final = 50
"""What is read at a time; others get their turn between two pages."""

Advance = Callable[[str, int, int], None]
"""Told what is being checked, how many of it are done, and of how many."""


class Stopped(Exception):
    """Nobody waits for it any more."""


@dataclass(slots=True, kw_only=True)
class Findings:
    """Differences, of which ``limit`` are kept and all are counted. ``pause_s`` is waited after every page of documents."""

    connection: AsyncConnection
    limit: int
    pause_s: float
    advance: Advance
    differences: list[Difference] = field(default_factory=list)
    violations: Counter[Invariant] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    unchecked: list[str] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, invariant: Invariant, about: str, *, expected: object, found: object, says: str) -> None:
        """Something differs."""
        self.take(Difference(invariant=invariant, about=about, expected=str(expected), found=str(found), says=says))

    def take(self, difference: Difference) -> None:
        """This differs."""
        self.violations[difference.invariant] += 1
        if len(self.differences) < self.limit:
            self.differences.append(difference)

    async def rows(self, query: Any) -> AsyncIterator[Any]:
        """The rows, a page at a time.

        Raises:
            Stopped: Nobody waits for them any more.
        """
        result = await self.connection.stream(query, execution_options={"yield_per": PAGE_ROWS})
        async for page in result.partitions():
            for row in page:
                yield row
            if self.stopped.is_set():
                raise Stopped
            await asyncio.sleep(0)

    async def count(self, table: Table) -> int:
        """How many rows it has."""
        return int((await self.connection.execute(select(func.count()).select_from(table))).scalar_one())

    async def done(self, what: str, count: int) -> None:
        """One more document of so many was looked at; after a page of them, others have their turn."""
        self.checked[what] += 1
        if self.checked[what] % PAGE_ROWS == 0 or self.checked[what] == count:
            self.advance(what, self.checked[what], count)
            await asyncio.sleep(self.pause_s)
