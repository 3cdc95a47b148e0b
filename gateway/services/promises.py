"""Reading what we have promised, together with everybody else who wants to know at the same time."""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from connectors.contract import Sku
from gateway.domain.books import ShelfKey
from gateway.domain.stock import Shelf
from gateway.ports import Store

AT_ONCE_MAX: Final = 2
SKUS_TOGETHER_MAX: Final = 5_000


@dataclass(slots=True)
class Round:
    """One read to come, and who waits for it."""

    answer: "asyncio.Future[Mapping[ShelfKey, Shelf]]"
    skus: set[Sku] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Promises:
    """What we have promised of SKUs. Whoever asks while reads are under way shares the next one.

    That one begins after they asked, so that whatever they had written before is in it. A hundred who ask for the same cost two
    reads instead of a hundred.
    """

    store: Store
    _rounds: deque[Round] = field(default_factory=deque)
    _reading: "set[asyncio.Task[None]]" = field(default_factory=set)

    async def of(self, skus: Collection[Sku]) -> Mapping[ShelfKey, Shelf]:
        """Our promises on these SKUs, and perhaps on others that somebody else asked for.

        Raises:
            StoreUnavailable: They cannot be read now.
        """
        if not skus:
            return {}
        if not self._rounds or len(self._rounds[-1].skus) >= SKUS_TOGETHER_MAX:
            self._rounds.append(Round(asyncio.get_running_loop().create_future()))
        mine = self._rounds[-1]
        mine.skus.update(skus)
        if len(self._reading) < AT_ONCE_MAX:
            task = asyncio.create_task(self._read())
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        return await asyncio.shield(mine.answer)

    async def _read(self) -> None:
        while self._rounds:
            one = self._rounds.popleft()
            try:
                one.answer.set_result(await self.store.shelves(one.skus))
            except Exception as error:  # noqa: BLE001  # whoever waits for it is told
                one.answer.set_exception(error)
                one.answer.exception()  # and it is no news to the loop, should nobody wait any more
