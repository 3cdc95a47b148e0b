"""The group-commit writer: everything that changes goes through here, many commands to one durable transaction.

A transaction costs a disk flush, whatever it holds. So commands queue; the writer takes what has come, decides one after another
on rows it locked together, and flushes once. A lonely client waits for nobody; many take turns. Should a batch fail because another
gateway was in the way, it is tried again; should it fail for good, it is cut in half until the command at fault stands alone:
neighbors do not suffer. Should the database be away, everybody in the batch is told so.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.contract import Sku
from gateway.domain.books import Books
from gateway.domain.refusals import IdempotencyMismatch, Overloaded, Refusal, Refusals, StoreUnavailable
from gateway.domain.stock import Shelf
from gateway.ports import Clock, Command, Fenced, LostClaim, NewId, Once
from gateway.storage import answers, claims
from gateway.storage.database import Database
from gateway.storage.documents import Documents, read
from gateway.storage.failures import away, passing, told
from gateway.storage.ledgers import load, save
from gateway.storage.turns import Turns

R = TypeVar("R")

log = structlog.get_logger(__name__)

TRIES_MAX: Final = 5
OURSELVES: Final = "gateway"

Chore = Callable[[AsyncConnection], Awaitable[R]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What a transaction changed: our promises, as they are now, and whether there is something to do or to tell."""

    shelves: tuple[Shelf, ...] = ()
    jobs: bool = False
    events: bool = False

    @property
    def skus(self) -> frozenset[Sku]:
        """Of what the promises changed."""
        return frozenset(each.sku for each in self.shelves)


@dataclass(slots=True, kw_only=True, eq=False)
class Waiting:
    """A command or a chore in the queue, and who waits for it."""

    does: Command[Any] | Chore[Any]
    caller: str
    give_up_at: float
    answer: asyncio.Future[Any]
    returns: type[Any] = object
    once: Once | None = None
    fenced: Fenced | None = None

    @property
    def is_command(self) -> bool:
        """Whether it decides on the books."""
        return hasattr(self.does, "decide")

    @property
    def name(self) -> str:
        """For the log."""
        return type(self.does).__name__ if self.is_command else getattr(self.does, "__qualname__", "chore")

    def settle(self, outcome: Any) -> None:
        """Tell whoever waits for it what came of it."""
        if self.answer.done():
            return
        if isinstance(outcome, BaseException):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)

    def refuse(self, why: Exception) -> None:
        """Tell whoever waits for it that it will not be done."""
        self.settle(why)


@dataclass(slots=True, kw_only=True)
class GroupCommitWriter:
    """One per process. ``run`` does the work; ``submit`` and ``attend`` wait for it.

    ``committed`` is told after each transaction what it changed. ``batch_max`` commands share a transaction, ``queue_max`` may
    wait, each for no longer than ``wait_max_s``.
    """

    database: Database
    clock: Clock
    new_id: NewId
    committed: Callable[[Committed], None]
    batch_max: int = 256
    queue_max: int = 10_000
    wait_max_s: float = 10.0
    _turns: Turns[Waiting] = field(init=False)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._turns = Turns(size_max=self.queue_max)

    async def submit(self, command: Command[R], *, returns: type[R], once: Once | None = None, fenced: Fenced | None = None) -> R:
        """Have a command decided and its changes made durable.

        A caller that stops waiting does not stop the command: whether it was done is found out by its key.
        """
        caller = OURSELVES if once is None else once.principal
        result: R = await self._wait(command, caller, returns=returns, once=once, fenced=fenced)
        return result

    async def attend(self, chore: Chore[R]) -> R:
        """Have something done on the connection that writes, in the transaction of whatever else is waiting."""
        result: R = await self._wait(chore, OURSELVES)
        return result

    async def _wait(self, does: Command[Any] | Chore[Any], caller: str, **more: Any) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        give_up_at = self.clock.monotonic() + self.wait_max_s
        self._turns.add(Waiting(does=does, caller=caller, give_up_at=give_up_at, answer=answer, **more))
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
            for waiting in (*batch, *self._turns.clear()):
                waiting.answer.cancel()

    def _next_batch(self) -> list[Waiting]:
        """At most ``batch_max`` of what waits, no idempotency key twice: the second waits for the first one's answer."""
        batch: list[Waiting] = []
        postponed: list[Waiting] = []
        keys: set[answers.Key] = set()
        while len(batch) < self.batch_max and (waiting := self._turns.take()) is not None:
            if waiting.answer.done():
                continue
            if self.clock.monotonic() > waiting.give_up_at:
                waiting.refuse(Overloaded())
            elif waiting.once is not None and answers.key_of(waiting.once) in keys:
                postponed.append(waiting)
            else:
                batch.append(waiting)
                if waiting.once is not None:
                    keys.add(answers.key_of(waiting.once))
        for waiting in reversed(postponed):
            self._turns.put_back(waiting)
        return batch

    async def _commit(self, batch: Sequence[Waiting]) -> None:
        try:
            outcomes, committed = await self._tried(batch)
        except Exception as error:
            if (reason := away(error)) is not None:
                log.error("store_away", reason=reason, waiting=len(batch))  # noqa: TRY400  # the reason is all there is to it
                for waiting in batch:
                    waiting.refuse(StoreUnavailable(reason=reason))
            elif len(batch) > 1:
                middle = len(batch) // 2
                await self._commit(batch[:middle])
                await self._commit(batch[middle:])
            else:
                log.exception("write_failed", command=batch[0].name)
                batch[0].refuse(told(error))
            return
        for waiting, outcome in zip(batch, outcomes, strict=True):
            waiting.settle(outcome)
        self.committed(committed)

    async def _tried(self, batch: Sequence[Waiting]) -> tuple[list[Any], Committed]:
        """The outcomes of one transaction, tried again where that may help.

        What was committed although its answer was lost does not happen twice: it has a key, a claim, or changes nothing twice.
        """
        for tries in range(1, TRIES_MAX):
            try:
                return await self.database.finish(self._transact(batch))
            except Exception as error:
                dead_connection = away(error) is not None and tries == 1
                if not dead_connection and not passing(error):
                    raise
                log.info("write_again", reason=str(error), tries=tries)
        return await self.database.finish(self._transact(batch))

    async def _transact(self, batch: Sequence[Waiting]) -> tuple[list[Any], Committed]:
        """One transaction: lock, load, decide, save. The outcomes count once it is committed."""
        commands = [each for each in batch if each.is_command]
        outcomes: dict[int, Any] = {}
        committed = Committed()
        async with self.database.writing.begin() as connection:
            if commands:
                with _uncollected():
                    committed = await self._decide_all(connection, commands, outcomes)
            for waiting in batch:
                if not waiting.is_command:
                    outcomes[id(waiting)] = await waiting.does(connection)  # type: ignore[operator]  # it is a chore
        return [outcomes[id(waiting)] for waiting in batch], committed

    async def _decide_all(self, connection: AsyncConnection, batch: Sequence[Waiting], outcomes: dict[int, Any]) -> Committed:
        held = await claims.held(connection, [each.fenced.job for each in batch if each.fenced is not None])
        touched = [each.does.touches for each in batch]  # type: ignore[union-attr]  # they are commands
        books = await load(self.database, connection, touched, new_id=self.new_id)
        # Once everything is locked: whoever had the same request elsewhere, and was waited for, has answered it by now.
        given = await answers.given(connection, [each.once for each in batch if each.once is not None])
        books.expire_due()
        documents = Documents()
        new_answers: list[answers.Answer] = []
        finished: list[Fenced] = []
        for waiting in batch:
            outcome = outcomes[id(waiting)] = _decide(waiting, books, given, held)
            if isinstance(outcome, Exception):
                continue
            if waiting.once is not None and answers.key_of(waiting.once) not in given:
                new_answers.append(answers.Answer(once=waiting.once, body=documents.of(outcome), at=books.now))
            if waiting.fenced is not None:
                finished.append(waiting.fenced)
        await save(connection, books, documents)
        await answers.remember(connection, new_answers)
        await claims.finish(connection, finished)
        return Committed(
            shelves=tuple(books.shelf(*key) for key in books.changed_shelves),
            jobs=bool(books.jobs or books.retried_jobs or finished),
            events=bool(books.events),
        )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles: what a batch makes all lives until it is written, and would be walked over in vain."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _decide(waiting: Waiting, books: Books, given: dict[answers.Key, tuple[str, bytes]], held: set[claims.Claim]) -> Any:
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
            return waiting.does.decide(books)  # type: ignore[union-attr]  # it is a command
    except (Refusal, Refusals) as refusal:
        return refusal
    except Exception as error:
        log.exception("command_crashed", command=waiting.name)
        return error
