"""A database server as several gateways see one: READ COMMITTED, rows locked until the end of the transaction, failures on the way.

SQL is real and runs on SQLite, which has one writing transaction at a time. So whoever writes first has it, and others that want to
write wait; should its owner in turn have to wait for a row that another transaction has locked, its writing is taken back and done
again once the row is free. What every statement locks is known exactly: the rows that ``FOR UPDATE`` returned, and the rows that
triggers saw being written.
"""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from gateway.storage.tables import metadata
from tests.simulation.chance import Chance
from tests.simulation.disk import Disk, Key
from tests.simulation.loop import Life

FOR_UPDATE: Final = re.compile(r" /\* FOR UPDATE OF (\w+)( SKIP LOCKED)? \*/$")
LIMIT: Final = re.compile(r"\s+LIMIT \? OFFSET \?$")

Row = tuple[Any, ...]


class DatabaseError(Exception):
    """What the driver raises. ``sqlstate`` is PostgreSQL's."""

    def __init__(self, message: str, sqlstate: str = "XX000") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class OperationalError(DatabaseError):
    """Not the statement's fault."""


class IntegrityError(DatabaseError):
    """The key is there already, or something that is referred to is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement as it came, and what it locks: ``table`` None if nothing."""

    sql: str
    writes: bool
    table: str | None = None
    key_columns: int = 0
    skips_locked: bool = False
    limited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a statement came to."""

    rows: list[Row]
    description: Any
    rowcount: int


@dataclass(eq=False, slots=True)
class Transaction:
    """What one connection has under way. ``waits_for``: who has the row that it wants."""

    life: Life | None
    locks: dict[Key, None] = field(default_factory=dict)
    writes: list[tuple[Statement, Any, bool]] = field(default_factory=list)
    waits_for: "Transaction | None" = None
    over: bool = False


@dataclass(slots=True, kw_only=True)
class Server:
    """The database of one schedule. ``found`` hears of what must never happen: two transactions that wait for each other."""

    disk: Disk
    chance: Chance
    found: Callable[[str], None]
    commits: int = 0
    _locks: dict[Key, Transaction] = field(default_factory=dict)
    _owner: Transaction | None = None
    _open: list[Transaction] = field(default_factory=list)
    _waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def begun(self, life: Life | None) -> Transaction:
        """A transaction that has done nothing yet."""
        transaction = Transaction(life)
        self._open.append(transaction)
        return transaction

    async def answer(self, sql: str, parameters: Any) -> Result:
        """What is committed says this: a question without a transaction."""
        await self.chance.way_to_the_database()
        return _result(self.disk.reader.execute(sql, parameters))

    async def execute(self, transaction: Transaction, sql: str, parameters: Any, *, many: bool = False) -> Result:
        """Run a statement of a transaction, as soon as nobody stands in its way."""
        await self.chance.way_to_the_database()
        self._check(transaction)
        if self.chance.statement_fails():
            raise OperationalError("could not serialize access due to concurrent update", "40001")
        statement = read(sql)
        if statement.writes:
            return await self._write(transaction, statement, parameters, many=many)
        if statement.table is not None:
            return await self._lock(transaction, statement, parameters)
        return _result(self._door(transaction).execute(statement.sql, parameters))

    async def commit(self, transaction: Transaction) -> None:
        """Make it so. The connection may be lost on the way there, or on the way back."""
        await self.chance.way_to_the_database()
        self._check(transaction)
        if not transaction.writes:
            self.end(transaction)
            return
        lost = self.chance.commit_is_lost()
        if lost is False:
            self.end(transaction)
            raise OperationalError("connection was closed in the middle of operation", "08006")
        self.disk.writer.execute("COMMIT")
        self._owner = None
        self.commits += 1
        self.end(transaction)
        if lost:
            raise OperationalError("connection was closed in the middle of operation", "08006")
        await self.chance.way_to_the_database()

    def end(self, transaction: Transaction) -> None:
        """It is over: what it wrote and did not commit never was."""
        if transaction.over:
            return
        transaction.over = True
        self._open.remove(transaction)
        if transaction is self._owner:
            self.disk.writer.execute("ROLLBACK")
            self._owner = None
        for key in transaction.locks:
            del self._locks[key]
        self._wake()

    def hang_up(self, life: Life) -> None:
        """A process died: the server ends what it had under way."""
        for transaction in [each for each in self._open if each.life is life]:
            self.end(transaction)

    # ------------------------------------------------------------------------------------------ locking and writing
    async def _lock(self, transaction: Transaction, statement: Statement, parameters: Any) -> Result:
        """The rows, locked; looked at again whenever one was waited for."""
        limit = None
        if statement.limited:
            *parameters, limit, _offset = parameters
        while True:
            if transaction.writes and transaction is not self._owner:
                await self._own(transaction)
            found = _result(self._door(transaction).execute(statement.sql, parameters))
            rows, holder = self._taken(transaction, statement, found.rows, limit)
            if holder is None:
                return Result(rows=rows, description=found.description[statement.key_columns :], rowcount=-1)
            await self._step_aside(transaction, holder)

    def _taken(
        self, transaction: Transaction, statement: Statement, found: Sequence[Row], limit: int | None
    ) -> tuple[list[Row], Transaction | None]:
        """The rows as far as they could be locked, in the order in which they come, and who has the one that could not."""
        rows: list[Row] = []
        for row in found:
            key = (statement.table or "", row[: statement.key_columns])
            if not self._is_of_another(key, transaction):
                self._take(transaction, key)
                rows.append(row[statement.key_columns :])
            elif not statement.skips_locked:
                return rows, self._locks[key]
            if len(rows) == limit:
                break
        return rows, None

    async def _write(self, transaction: Transaction, statement: Statement, parameters: Any, *, many: bool) -> Result:
        while True:
            if transaction is not self._owner:
                await self._own(transaction)
            self.disk.writer.execute("SAVEPOINT statement")
            try:
                result = self._run(statement, parameters, many=many)
            except sqlite3.IntegrityError as error:
                raise IntegrityError(str(error), "23505") from error
            blocked = next((self._locks[key] for key in self.disk.touched if self._is_of_another(key, transaction)), None)
            if blocked is None:
                for key in self.disk.touched:
                    self._take(transaction, key)
                self.disk.writer.execute("RELEASE statement")
                transaction.writes.append((statement, parameters, many))
                return result
            self.disk.writer.execute("ROLLBACK TO statement")
            await self._step_aside(transaction, blocked)

    def _run(self, statement: Statement, parameters: Any, *, many: bool) -> Result:
        self.disk.touched.clear()
        if many:
            return _result(self.disk.writer.executemany(statement.sql, parameters))
        return _result(self.disk.writer.execute(statement.sql, parameters))

    async def _own(self, transaction: Transaction) -> None:
        """Have the writing transaction of the file; what had been written before is written again."""
        while self._owner is not None:
            await self._wait(transaction)
        self._owner = transaction
        self.disk.writer.execute("BEGIN IMMEDIATE")
        for statement, parameters, many in transaction.writes:
            self._run(statement, parameters, many=many)
            if any(key not in transaction.locks for key in self.disk.touched):
                raise AssertionError(f"another row was written when {statement.sql} was done again: this cannot be simulated so")

    async def _step_aside(self, transaction: Transaction, holder: Transaction) -> None:
        """Wait for a row, and let others write in the meantime."""
        if transaction is self._owner:
            self.disk.writer.execute("ROLLBACK")
            self._owner = None
            self._wake()
        transaction.waits_for = holder
        if _waits_for_itself(transaction):
            self.found("deadlock: two transactions of the database wait for each other")
            self.end(transaction)
            raise OperationalError("deadlock detected", "40P01")
        try:
            await self._wait(transaction)
        finally:
            transaction.waits_for = None

    async def _wait(self, transaction: Transaction) -> None:
        """Until something has changed that may be what was waited for."""
        freed = asyncio.get_running_loop().create_future()
        self._waiting.append(freed)
        await freed
        self._check(transaction)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)

    def _take(self, transaction: Transaction, key: Key) -> None:
        self._locks[key] = transaction
        transaction.locks[key] = None

    def _is_of_another(self, key: Key, transaction: Transaction) -> bool:
        return self._locks.get(key, transaction) is not transaction

    def _door(self, transaction: Transaction) -> sqlite3.Connection:
        return self.disk.writer if transaction is self._owner else self.disk.reader

    def _check(self, transaction: Transaction) -> None:
        if transaction.over:
            raise OperationalError("connection is closed", "08003")


def _waits_for_itself(transaction: Transaction) -> bool:
    """Whether whoever it waits for waits, perhaps by way of others, for it."""
    other = transaction.waits_for
    while other is not None and other is not transaction:
        other = other.waits_for
    return other is transaction


@cache
def read(sql: str) -> Statement:
    """What kind of statement this is."""
    if not sql.lstrip().startswith(("SELECT", "WITH")):
        return Statement(sql=sql, writes=True)
    clause = FOR_UPDATE.search(sql)
    if clause is None:
        return Statement(sql=sql, writes=False)
    table = metadata.tables[clause[1]]
    key = ", ".join(f"{table.name}.{column.name}" for column in table.primary_key.columns)
    unlimited, limits = LIMIT.subn("", FOR_UPDATE.sub("", sql))
    return Statement(
        sql=unlimited.replace("SELECT ", f"SELECT {key}, ", 1),
        writes=False,
        table=table.name,
        key_columns=len(table.primary_key.columns),
        skips_locked=clause[2] is not None,
        limited=bool(limits),
    )


def _result(cursor: sqlite3.Cursor) -> Result:
    rows: Sequence[Row] = cursor.fetchall() if cursor.description else ()
    return Result(rows=list(rows), description=cursor.description, rowcount=cursor.rowcount)
