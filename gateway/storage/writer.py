"""The group-commit writer: everything that changes goes through here, many commands to one durable transaction.

A transaction costs a disk flush, whatever it holds. So commands queue; the writer takes what has come, decides one after another
on rows it loaded together, and flushes once. A lonely client waits for nobody. Should a batch fail, it is tried once more and then
cut in half until the command at fault stands alone: neighbors do not suffer.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.contract import Sku
from gateway.domain.books import Books
from gateway.domain.refusals import IdempotencyMismatch, Overloaded, Refusal, Refusals
from gateway.ports import Clock, Command, Fenced, LostClaim, NewId, Once
from gateway.storage import answers, claims
from gateway.storage.database import Database, whole
from gateway.storage.documents import document, read
from gateway.storage.ledgers import load, save

R = TypeVar("R")

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class Waiting:
    """A command in the queue, and who waits for it."""

    command: Command[Any]
    returns: type[Any]
    once: Once | None
    fenced: Fenced | None
    give_up_at: float
    answer: asyncio.Future[Any]


@dataclass(slots=True, kw_only=True)
class GroupCommitWriter:
    """One per process. ``run`` does the work; ``submit`` waits for it.

    ``committed`` is told after each transaction on which SKUs our promises changed. ``batch_max`` commands share a transaction,
    ``queue_max`` may wait, each for no longer than ``wait_max_s``.
    """

    database: Database
    clock: Clock
    new_id: NewId
    committed: Callable[[frozenset[Sku]], None]
    batch_max: int = 64
    queue_max: int = 10_000
    wait_max_s: float = 10.0
    _queue: deque[Waiting] = field(default_factory=deque)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def submit(self, command: Command[R], *, returns: type[R], once: Once | None = None, fenced: Fenced | None = None) -> R:
        """Have a command decided and its changes made durable.

        A caller that stops waiting does not stop the command: whether it was done is found out by its key.
        """
        if len(self._queue) >= self.queue_max:
            raise Overloaded
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        give_up_at = self.clock.monotonic() + self.wait_max_s
        self._queue.append(
            Waiting(command=command, returns=returns, once=once, fenced=fenced, give_up_at=give_up_at, answer=answer)
        )
        self._arrived.set()
        return await answer

    async def run(self) -> None:
        """Write until canceled; whoever still waits then is told so."""
        batch: list[Waiting] = []
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while batch := self._next_batch():
                    await self._commit(batch)
        finally:
            for waiting in (*batch, *self._queue):
                waiting.answer.cancel()
            self._queue.clear()

    def _next_batch(self) -> list[Waiting]:
        """What has queued, at most ``batch_max``, no idempotency key twice: the second waits for the first one's answer."""
        batch: list[Waiting] = []
        postponed: list[Waiting] = []
        keys: set[tuple[str, str, str]] = set()
        while self._queue and len(batch) < self.batch_max:
            waiting = self._queue.popleft()
            if waiting.answer.done():
                continue
            if self.clock.monotonic() > waiting.give_up_at:
                waiting.answer.set_exception(Overloaded())
            elif waiting.once is not None and answers.key_of(waiting.once) in keys:
                postponed.append(waiting)
            else:
                batch.append(waiting)
                if waiting.once is not None:
                    keys.add(answers.key_of(waiting.once))
        self._queue.extendleft(reversed(postponed))
        return batch

    async def _commit(self, batch: Sequence[Waiting], *, again: bool = True) -> None:
        try:
            outcomes, skus = await self._transact(batch)
        except Exception as error:  # the database, or a bug in one of them
            if again:
                await self._commit(batch, again=False)
            elif len(batch) > 1:
                middle = len(batch) // 2
                await self._commit(batch[:middle])
                await self._commit(batch[middle:])
            else:
                log.exception("write_failed", command=type(batch[0].command).__name__)
                _settle(batch[0], error)
            return
        for waiting, outcome in zip(batch, outcomes, strict=True):
            _settle(waiting, outcome)
        self.committed(skus)

    @whole
    async def _transact(self, batch: Sequence[Waiting]) -> tuple[list[Any], frozenset[Sku]]:
        """One transaction: load, decide, save. The outcomes count once it is committed."""
        async with self.database.writing.begin() as connection:
            given = await answers.given(connection, [each.once for each in batch if each.once is not None])
            held = await claims.held(connection, [each.fenced.job for each in batch if each.fenced is not None])
            books = await load(connection, [each.command.touches for each in batch], now=self.clock.now(), new_id=self.new_id)
            before = dict(books.shelves)
            books.expire_due()
            outcomes: list[Any] = []
            new_answers: list[answers.Answer] = []
            finished: list[Fenced] = []
            for waiting in batch:
                outcome = _decide(waiting, books, given, held)
                outcomes.append(outcome)
                if isinstance(outcome, Exception):
                    continue
                if waiting.once is not None and answers.key_of(waiting.once) not in given:
                    new_answers.append(answers.Answer(once=waiting.once, body=document(outcome), at=books.now))
                if waiting.fenced is not None:
                    finished.append(waiting.fenced)
            await self._save(connection, books, before, new_answers, finished)
        return outcomes, frozenset(sku for sku, _ in books.changed_shelves)

    async def _save(
        self,
        connection: AsyncConnection,
        books: Books,
        before: dict[Any, Any],
        new_answers: list[answers.Answer],
        finished: list[Fenced],
    ) -> None:
        await save(connection, books, before)
        await answers.remember(connection, new_answers)
        await claims.finish(connection, finished)


def _decide(waiting: Waiting, books: Books, given: dict[tuple[str, str, str], tuple[str, bytes]], held: set[claims.Claim]) -> Any:
    """The outcome of one command: its result, the refusal, or the bug."""
    if waiting.fenced is not None and claims.claim_of(waiting.fenced.job) not in held:
        return LostClaim()
    if waiting.once is not None and (known := given.get(answers.key_of(waiting.once))) is not None:
        request_hash, body = known
        if request_hash != waiting.once.request_hash:
            return IdempotencyMismatch(key=waiting.once.key, path=("input", "idempotencyKey"))
        return read(body, waiting.returns)
    try:
        with books.attempt():
            return waiting.command.decide(books)
    except (Refusal, Refusals) as refusal:
        return refusal
    except Exception as error:
        log.exception("command_crashed", command=type(waiting.command).__name__)
        return error


def _settle(waiting: Waiting, outcome: Any) -> None:
    if waiting.answer.done():
        return
    if isinstance(outcome, Exception):
        waiting.answer.set_exception(outcome)
    else:
        waiting.answer.set_result(outcome)
