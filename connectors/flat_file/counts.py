"""The newest complete stock files, kept parsed in memory."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final

from connectors.client import SingleFlight
from connectors.contract import ContractBroken, Cursor, Sku, Transient
from connectors.flat_file.folders import Entry
from connectors.flat_file.guarded import GuardedFolder
from connectors.flat_file.settings import FlatFileSettings
from connectors.flat_file.stock import Sheet, Stock, moved, name_time, parse_stock
from connectors.registry import Tools

SNAPSHOTS_TRIED: Final = 3
MOVES_KEPT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the files said when they were last looked at. ``marks`` are of the files it is made of, ``skus`` in order."""

    stock: Stock
    marks: tuple[str, ...]
    skus: tuple[Sku, ...]

    @property
    def cursor(self) -> Cursor:
        """The last file seen, and a digest of all: one may have come late, and taken its place among the earlier ones."""
        return Cursor(f"{hashlib.sha256('/'.join(self.marks).encode()).hexdigest()[:16]} {self.marks[-1]}")


class Counts:
    """What the newest complete files say. A file with a mistake counts for nothing: what was known before it goes on being so.

    A snapshot that cannot be read would otherwise have its other SKUs vanish; a delta that cannot be read, and the deltas after it,
    wait for the next snapshot. ``refusals`` are the mistakes, by the mark of their file, while it lies there.
    """

    def __init__(self, folder: GuardedFolder, *, settings: FlatFileSettings, tools: Tools) -> None:
        self.refusals: dict[str, ContractBroken] = {}
        self._folder = folder
        self._settings = settings
        self._tools = tools
        self._known: Known | None = None
        self._moves: deque[tuple[Cursor, frozenset[Sku]]] = deque(maxlen=MOVES_KEPT)
        self._looked_at: float | None = None
        self._look = SingleFlight(self._look_again)

    async def now(self) -> Known:
        """What the files say, looked at within ``list_every_s``.

        Raises:
            Transient: The folder cannot be looked at, or holds no complete file yet.
            ContractBroken: None of its files can be read.
        """
        if self._known is None or self._looked_at is None or self._age_s(self._looked_at) >= self._settings.list_every_s:
            return await self._look.join()
        return self._known

    async def moved_since(self, cursor: Cursor, known: Known) -> frozenset[Sku]:
        """What may have changed from the files that a cursor stands for to those that are known now."""
        if cursor == known.cursor:
            return frozenset()
        passed = [place for place, (reached, _) in enumerate(self._moves) if reached == cursor]
        if passed:
            return frozenset().union(*(skus for _, skus in list(self._moves)[passed[-1] + 1 :]))
        then = await self._known_then(cursor)  # by a process that is no more
        return frozenset(known.skus) if then is None else moved(then.stock, known.stock)

    async def _known_then(self, cursor: Cursor) -> Known | None:
        """What a cursor stands for, as long as all of its files lie there."""
        files = await self._files()
        last = next((place for place, each in enumerate(files) if cursor.endswith(each.mark)), None)
        then = None if last is None else await self._read(files[: last + 1])
        return then if then is not None and then.cursor == cursor else None

    async def aclose(self) -> None:
        """Stop looking."""
        await self._look.aclose()

    def _age_s(self, since_s: float) -> float:
        return self._tools.monotonic() - since_s

    async def _look_again(self) -> Known:
        looked_at, before = self._tools.monotonic(), self._known
        known = await self._read(await self._files()) or before
        if known is None:
            raise next(reversed(self.refusals.values()), Transient(f"no complete stock file in {self._settings.stock} yet"))
        if before is None or known.marks != before.marks:
            self._moves.append((known.cursor, moved(before.stock, known.stock) if before else frozenset()))
        self._known, self._looked_at = known, looked_at
        return known

    async def _files(self) -> list[Entry]:
        """The complete stock files, in the order of their times."""
        listed = await self._folder.complete(self._settings.stock)
        files = [each for each in listed if self._is_delta(each) or fnmatchcase(each.name, self._settings.snapshots)]
        self.refusals = {each.mark: refusal for each in files if (refusal := self.refusals.get(each.mark))}
        return sorted(files, key=lambda each: (self._time_of(each), each.name))

    def _is_delta(self, entry: Entry) -> bool:
        return self._settings.deltas is not None and fnmatchcase(entry.name, self._settings.deltas)

    def _time_of(self, entry: Entry) -> datetime:
        return name_time(entry.name, self._settings) or entry.modified_at

    # ------------------------------------------------------------------------------------------ putting files together
    async def _read(self, files: Sequence[Entry]) -> Known | None:
        """What the newest readable snapshot and the deltas after it say; without any snapshot, what the deltas say."""
        snapshots = [place for place, each in enumerate(files) if not self._is_delta(each)]
        for start in snapshots[-SNAPSHOTS_TRIED:][::-1] or [0]:
            plan = [each for place, each in enumerate(files) if place == start or (place > start and self._is_delta(each))]
            if (known := await self._followed(plan)) is not None:
                return known
        return None

    async def _followed(self, plan: Sequence[Entry]) -> Known | None:
        """What these say one after another, up to one that cannot be read; None, if that is the first."""
        stock, marks = self._begun(plan)
        for each in plan[len(marks) :]:
            sheet = await self._sheet(each)
            if sheet is None:
                break
            stock, marks = stock.with_sheet(sheet), (*marks, each.mark)
        return Known(stock=stock, marks=marks, skus=tuple(sorted(stock.levels))) if marks else None

    def _begun(self, plan: Sequence[Entry]) -> tuple[Stock, tuple[str, ...]]:
        """What has been read of that plan before, and of which files."""
        known = self._known
        if known is not None and known.marks == tuple(each.mark for each in plan[: len(known.marks)]):
            return known.stock, known.marks
        return Stock(), ()

    async def _sheet(self, entry: Entry) -> Sheet | None:
        """What one file says; None, if it cannot be read, which is noted."""
        if entry.mark in self.refusals:
            return None
        try:
            content = await self._folder.read(self._settings.stock, entry)
            return await asyncio.to_thread(
                parse_stock,
                content,
                name=entry.name,
                whole=not self._is_delta(entry),
                as_of=self._time_of(entry),
                latest=self._tools.now(),
                settings=self._settings,
            )
        except ContractBroken as refusal:
            self.refusals[entry.mark] = refusal
            return None
