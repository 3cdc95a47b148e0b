"""A second try beside one that is slow: the first good answer counts."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from connectors.contract import Throttled, Transient

T = TypeVar("T")


async def first_good(
    first: Coroutine[Any, Any, T], again: Callable[[], Coroutine[Any, Any, T]], *, after_s: float, sensible: Callable[[], bool]
) -> T:
    """The first answer that is final; where there is none, the failure of ``first``. Whoever loses is canceled.

    Args:
        first: Started at once.
        again: Started ``after_s`` later, if the first has not ended by then and ``sensible`` says so at that moment.
        after_s: Seconds.
        sensible: Asked at most once.

    The idea is from Dean and Barroso, "The Tail at Scale", CACM 56(2), 2013.
    """
    racers = [asyncio.create_task(first)]
    try:
        await asyncio.wait(racers, timeout=after_s)
        if not racers[0].done() and sensible():
            racers.append(asyncio.create_task(again()))
        running = set(racers)
        while running:
            ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for each in ended:
                if not isinstance(each.exception(), Transient | Throttled):
                    return each.result()
        return racers[0].result()
    finally:
        for each in racers:
            each.cancel()
        await asyncio.gather(*racers, return_exceptions=True)
