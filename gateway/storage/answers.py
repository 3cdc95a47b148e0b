"""Requests that were answered: the same key again gets the same answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.ports import Once
from gateway.storage.documents import micros
from gateway.storage.tables import request

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered, and to what."""

    once: Once
    body: bytes
    at: datetime


def key_of(once: Once) -> Key:
    """What makes two requests the same request."""
    return once.principal, once.operation, once.key


async def given(connection: AsyncConnection, asked: Sequence[Once]) -> dict[Key, tuple[str, bytes]]:
    """The request hash and the answer of those that were answered before."""
    if not asked:
        return {}
    columns = request.c.principal, request.c.operation, request.c.key
    query = select(*columns, request.c.request_hash, request.c.answer).where(tuple_(*columns).in_([key_of(each) for each in asked]))
    return {(row[0], row[1], row[2]): (row[3], row[4]) for row in await connection.execute(query)}


async def remember(connection: AsyncConnection, new: Sequence[Answer]) -> None:
    """Keep these answers."""
    if new:
        rows = [
            {
                "principal": each.once.principal,
                "operation": each.once.operation,
                "key": each.once.key,
                "request_hash": each.once.request_hash,
                "answer": each.body,
                "at": micros(each.at),
            }
            for each in new
        ]
        await connection.execute(insert(request), rows)
