"""Requests that were answered: the same key again gets the same answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.ports import Once
from gateway.storage.documents import micros
from gateway.storage.statements import add, in_given
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
    wanted = {key_of(each) for each in asked}
    principals, operations, keys = (sorted(set(part)) for part in zip(*wanted, strict=True))
    rows = await connection.execute(_GIVEN, {"principals": principals, "operations": operations, "keys": keys})
    found = {(row[0], row[1], row[2]): (row[3], row[4]) for row in rows}
    return {key: answer for key, answer in found.items() if key in wanted}


_GIVEN: Final = select(request.c.principal, request.c.operation, request.c.key, request.c.request_hash, request.c.answer).where(
    in_given(request.c.principal, "principals"), in_given(request.c.operation, "operations"), in_given(request.c.key, "keys")
)


async def remember(connection: AsyncConnection, new: Sequence[Answer]) -> None:
    """Keep these answers. In the order of their keys: two gateways that were sent the same ones do not wait for each other."""
    ordered = sorted(new, key=lambda each: key_of(each.once))
    await add(connection, request, [(*key_of(each.once), each.once.request_hash, each.body, micros(each.at)) for each in ordered])
