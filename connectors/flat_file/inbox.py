"""What the warehouse has answered so far: every file of the inbox, read once and remembered."""

import asyncio
from fnmatch import fnmatchcase
from typing import Final

from cachetools import LRUCache

from connectors.client import SingleFlight
from connectors.contract import ContractBroken, RequestKey
from connectors.flat_file.folders import Entry
from connectors.flat_file.guarded import GuardedFolder
from connectors.flat_file.orders import Answer, parse_answers
from connectors.flat_file.settings import FlatFileSettings

ANSWERS: Final = "*.csv"


class Inbox:
    """The answers by order. A file with a mistake is left out as a whole until another takes its place: ``refusals``, by mark."""

    def __init__(self, folder: GuardedFolder, where: str, settings: FlatFileSettings) -> None:
        self.refusals: dict[str, ContractBroken] = {}
        self._folder = folder
        self._where = where
        self._settings = settings
        self._read: set[str] = set()
        self._answers: LRUCache[RequestKey, tuple[Answer, ...]] = LRUCache(settings.orders_max)
        self._look = SingleFlight(self._look_again)

    async def look(self) -> None:
        """Read what has come since; whoever asks meanwhile shares in it."""
        await self._look.join()

    def of(self, key: RequestKey) -> tuple[Answer, ...]:
        """All answers about an order, in the order they came."""
        return self._answers.get(key, ())

    async def aclose(self) -> None:
        """Stop reading."""
        await self._look.aclose()

    async def _look_again(self) -> None:
        files = [each for each in await self._folder.complete(self._where) if fnmatchcase(each.name, ANSWERS)]
        marks = {each.mark for each in files}
        self._read &= marks
        self.refusals = {mark: refusal for mark, refusal in self.refusals.items() if mark in marks}
        for each in sorted(files, key=lambda entry: (entry.modified_at, entry.name)):
            if each.mark not in self._read:
                await self._take(each)
                self._read.add(each.mark)

    async def _take(self, entry: Entry) -> None:
        try:
            content = await self._folder.read(self._where, entry)
            answers = await asyncio.to_thread(parse_answers, content, name=entry.name, settings=self._settings)
        except ContractBroken as refusal:
            self.refusals[entry.mark] = refusal
            return
        for answer in answers:
            self._answers[answer.key] = (*self.of(answer.key), answer)
