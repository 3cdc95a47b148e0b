"""An event loop with a clock of its own: sleeping costs no time, and what runs next among all that could is drawn by lot.

One seed is one interleaving, replayed exactly. Nothing here uses threads, files or real time. Whatever runs belongs to a life (a
gateway's process): once that has ended, nothing of it ever runs again, not even a ``finally``.
"""

import asyncio
import heapq
from asyncio import AbstractEventLoop, Handle, TimerHandle
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any, Final, TypeVar

T = TypeVar("T")

TURNS_MAX: Final = 120_000
TURNS_TO_CLEAR_UP_MAX: Final = 20_000
TIMES_TOLD_TO_END: Final = 4


class Stuck(RuntimeError):
    """Nothing is scheduled, and something is waited for; or there is no end to it."""


@dataclass(eq=False, slots=True)
class Life:
    """One run of a process. While it is frozen nothing of it runs, and it does not notice: a paused machine, a long collection."""

    name: str
    alive: bool = True
    frozen_until_s: float = 0.0


LIFE: Final[ContextVar[Life | None]] = ContextVar("LIFE", default=None)


def context_of(life: Life | None) -> Context:
    """A context in which everything belongs to that life; None: to nobody's, so that it always goes on."""
    context = copy_context()
    context.run(LIFE.set, life)
    return context


class Task(asyncio.Task[T]):
    """A task whose place in a set does not depend on the memory's layout."""

    number: int

    def __hash__(self) -> int:
        return self.number


class VirtualLoop(AbstractEventLoop):
    """Runs handles in an order drawn from ``random``. Time passes only when nothing else is left to do."""

    def __init__(self, random: Random) -> None:
        self.now_s = 0.0
        self.turns = 0
        self.complaints: list[str] = []
        self._random = random.random
        self._ready: list[Handle] = []
        self._timers: list[tuple[float, int, Handle]] = []
        self._numbers = count()
        self._buried: list[Handle] = []
        self._tasks: list[Task[Any]] = []
        self._ending = False
        self._closed = False

    # ------------------------------------------------------------------------------------------ what asyncio asks for
    def time(self) -> float:
        return self.now_s

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return self._closed

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Handle:  # type: ignore[override]  # typeshed types the arguments
        handle = Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None) -> TimerHandle:  # type: ignore[override]  # as above
        return self.call_at(self.now_s + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None) -> TimerHandle:  # type: ignore[override]  # as above
        timer = TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def _timer_handle_cancelled(self, handle: TimerHandle) -> None:
        """It is dropped when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        Task.number = next(self._numbers)  # asked for while it is made: asyncio keeps tasks in a set
        task: Task[T] = Task(coro, loop=self, name=name, context=context)
        task.number = Task.number
        self._tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.complaints.append(f"{context.get('message')}: {context.get('exception')!r}")

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)

    def complained(self) -> list[str]:
        """What nobody was told of: failures of callbacks, and of tasks that nobody waits for."""
        unheard = (task for task in self._tasks if task.done() and task._log_traceback)
        return [*self.complaints, *(f"nobody heard of {task.exception()!r}" for task in unheard)]

    # ------------------------------------------------------------------------------------------ running
    def run_until_complete(self, future: Any) -> Any:
        """What comes of it.

        Raises:
            Stuck: It waits for what never comes.
        """
        task = asyncio.ensure_future(future, loop=self)
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            while not task.done():
                self._turn()
                if self.turns > TURNS_MAX:
                    raise Stuck(f"no end after {TURNS_MAX} turns, at {self.now_s:.1f} s")
            return task.result()
        finally:
            asyncio._set_running_loop(before)

    def _turn(self) -> None:
        """Run one of the handles that are ready; let time pass until there is one."""
        ready = self._ready
        while not ready:
            self._let_time_pass()
        self.turns += 1
        chosen = int(self._random() * len(ready))
        ready[chosen], ready[-1] = ready[-1], ready[chosen]
        handle = ready.pop()
        if handle._cancelled:
            return
        life = handle._context.get(LIFE)  # type: ignore[attr-defined]  # asyncio keeps it to itself
        if life is None or self._ending or (life.alive and life.frozen_until_s <= self.now_s):
            handle._run()
        elif life.alive:
            heapq.heappush(self._timers, (life.frozen_until_s, next(self._numbers), handle))
        else:
            self._buried.append(handle)  # kept, for what it refers to must not be swept up: that would run its ``finally``

    def _let_time_pass(self) -> None:
        if not self._timers:
            raise Stuck(f"nothing is scheduled any more, at {self.now_s:.1f} s")
        when, _, timer = heapq.heappop(self._timers)
        if not timer._cancelled:
            self.now_s = max(self.now_s, when)
            self._ready.append(timer)

    def clear_up(self) -> None:
        """After the end: let everything that is left, dead or not, come to its own end: nothing is left over for the next loop."""
        self._ending = True
        self._ready.extend(self._buried)
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            for _ in range(TIMES_TOLD_TO_END):
                self._end_tasks()
        finally:
            asyncio._set_running_loop(before)
            for task in self._tasks:
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # whatever is still pending is given up
            self._closed = True
            self._ready.clear()
            self._timers.clear()
            self._buried.clear()
            self._tasks.clear()

    def _end_tasks(self) -> None:
        """Tell what is left to end, and let it; what it does on its way out may have to be told once more."""
        for task in self._tasks:
            task.cancel()
        last = self.turns + TURNS_TO_CLEAR_UP_MAX
        with suppress(Stuck):
            while self.turns < last and (self._ready or not all(task.done() for task in self._tasks)):
                self._turn()
