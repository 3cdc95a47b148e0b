"""What SQLAlchemy does not say alike for both databases: the time there, one of many, rows in bulk, insert or else update."""

import json
from collections.abc import Collection, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, String, Table, TypeDecorator, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

SQLITE_CLOCK = "dom_now"
"""A function that every SQLite connection is given: microseconds since 1970, by the clock of the store."""

ROWS_MAX: Final = 500
"""Written by one statement."""

Rows = Sequence[tuple[Any, ...]]


class store_now(FunctionElement[int]):  # noqa: N801  # it is written like a function of SQL
    """This instant by the store's own clock, in microseconds since 1970: the one clock that all gateways share."""

    type = BigInteger()
    inherit_cache = True


@compiles(store_now, "sqlite")
def _sqlite_now(_element: object, _compiler: object, **_: object) -> str:
    return f"{SQLITE_CLOCK}()"


@compiles(store_now, "postgresql")
def _postgresql_now(_element: object, _compiler: object, **_: object) -> str:
    return "(extract(epoch from clock_timestamp()) * 1000000)::bigint"


class _Many(TypeDecorator[Any]):
    """Many values as one parameter: an array where there are arrays, else JSON."""

    impl = String
    cache_ok = True

    def __init__(self, item: type[TypeEngine[Any]]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return postgresql.ARRAY(self.item()) if dialect.name == "postgresql" else String()

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else json.dumps(value)


class _AnyOf(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


@compiles(_AnyOf, "sqlite")
def _sqlite_any(element: Any, compiler: Any, **how: Any) -> str:
    column, values = (compiler.process(each, **how) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  # names and placeholders


@compiles(_AnyOf, "postgresql")
def _postgresql_any(element: Any, compiler: Any, **how: Any) -> str:
    column, values = (compiler.process(each, **how) for each in element.clauses)
    return f"{column} = ANY({values})"


def among(column: Any, values: Collection[str] | Collection[int]) -> _AnyOf:
    """Whether the column is one of these: one parameter and so one prepared statement, however many they are."""
    return _AnyOf(column, bindparam(None, sorted(values), type_=_many_like(column)))


def in_given(column: Any, parameter: str) -> _AnyOf:
    """Whether the column is one of those given, sorted, as that parameter, in a statement that is made only once.

    Making a statement takes SQLAlchemy longer than having it executed.
    """
    return _AnyOf(column, bindparam(parameter, type_=_many_like(column)))


def _many_like(column: Any) -> _Many:
    return _Many(BigInteger if column.type.python_type is int else String)


def upsert(dialect: str, table: Table) -> Any:
    """An insert in that dialect that may go on with ``on_conflict_do_update`` or ``on_conflict_do_nothing``."""
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


async def add(connection: AsyncConnection, table: Table, rows: Rows) -> None:
    """Write new rows, each a value for every column that the database does not number itself, in the order of the table."""
    await _write(connection, table, rows, ())


async def keep(connection: AsyncConnection, table: Table, rows: Rows, *, newer: tuple[str, ...]) -> None:
    """Write rows that may be there already, by primary key; of those, only the columns ``newer`` change. No key comes twice."""
    await _write(connection, table, rows, newer)


async def _write(connection: AsyncConnection, table: Table, rows: Rows, newer: tuple[str, ...]) -> None:
    """Many rows to a statement: a database takes longer to be asked for a row than to write it."""
    sql = _rendered(table, newer, connection.dialect)
    for start in range(0, len(rows), ROWS_MAX):
        part = rows[start : start + ROWS_MAX]
        if connection.dialect.name == "postgresql":
            await connection.exec_driver_sql(sql, tuple(zip(*part, strict=True)))
        else:
            row = _row(table)
            repeated = sql.replace(row, ", ".join([row] * len(part)))
            await connection.exec_driver_sql(repeated, tuple(chain.from_iterable(part)))


# Rendered once: that takes SQLAlchemy longer than having it executed.
@cache
def _rendered(table: Table, newer: tuple[str, ...], dialect: Dialect) -> str:
    """Of arrays, one for each column, where there are arrays; else of the values of one row, which can be repeated."""
    given = _given(table)
    statement = upsert(dialect.name, table)
    if dialect.name == "postgresql":
        arrays = {column.key: bindparam(column.key, type_=postgresql.ARRAY(column.type)) for column in given}
        statement = statement.from_select(given, select(*(func.unnest(each).label(name) for name, each in arrays.items())))
    if newer:
        statement = statement.on_conflict_do_update(
            index_elements=list(table.primary_key.columns), set_={name: statement.excluded[name] for name in newer}
        )
    compiled = statement.compile(dialect=dialect, column_keys=[column.key for column in given])
    if list(compiled.positiontup or ()) != [column.key for column in given]:
        raise TypeError(f"the columns of {table.name} come in another order")
    return str(compiled)


def _row(table: Table) -> str:
    return f"({', '.join('?' for _ in _given(table))})"


def _given(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column is not table.autoincrement_column]
