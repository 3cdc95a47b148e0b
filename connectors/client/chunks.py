"""A long request in pieces that the source takes."""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from connectors.client.failures import CircuitOpen

T = TypeVar("T")

AT_ONCE_MAX: Final = 8
"""So many calls of one request are under way together: each has its time-out from when it is begun, and may wait for its turn."""


def chunked(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Consecutive slices of at most ``size`` items; none for no items."""
    if size < 1:
        raise ValueError(f"a chunk holds at least one item, not {size}")
    return (items[start : start + size] for start in range(0, len(items), size))


async def at_once(calls: Iterable[Awaitable[T]]) -> list[T]:
    """What all of the calls come to, in their order.

    Args:
        calls: Made as they are begun, so a generator: after a failure the others are not even made.

    Raises:
        SourceError: The first failure, which cancels what is under way. But what the breaker keeps back cancels nothing: the one
            call that it let through is its probe, and without the end of a probe it never closes.
    """
    answers: dict[int, T] = {}
    kept_back: list[CircuitOpen] = []
    waiting = enumerate(calls)

    async def one_by_one() -> None:
        while not kept_back and (turn := next(waiting, None)):
            number, call = turn
            try:
                answers[number] = await call
            except CircuitOpen as refusal:
                kept_back.append(refusal)

    try:
        async with asyncio.TaskGroup() as group:
            runners = [group.create_task(one_by_one()) for _ in range(AT_ONCE_MAX)]
    except ExceptionGroup as failures:
        failure = failures.exceptions[0]
    else:
        for each in runners:
            each.result()  # a group takes no notice of a task that somebody else has canceled
        if not kept_back:
            return [answers[number] for number in sorted(answers)]
        failure = kept_back[0]
    raise failure  # out here, where it keeps its own cause
