"""Ways for a source to fail, on demand, in front of any ASGI application; and a journal of what it was asked."""

import asyncio
import time
from collections import deque
from collections.abc import MutableSequence, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS_KEPT: Final = 1_000
HANG_S_MAX: Final = 600.0
OVERSIZED_ROWS: Final = 1_000_000
_ROWS_PER_CHUNK: Final = 1_000


class FaultKind(StrEnum):
    """How an answer goes wrong."""

    LATENCY = "LATENCY"  # right, but late
    HANG = "HANG"  # nothing comes until the client goes away
    STATUS = "STATUS"  # the vendor's route is not reached
    HTML = "HTML"  # 200 with a page for people
    TRUNCATED = "TRUNCATED"  # the work is done; half of the answer comes, framed as if it were whole
    EMPTY_OBJECT = "EMPTY_OBJECT"
    NULL = "NULL"
    OVERSIZED = "OVERSIZED"  # a million rows, streamed
    LOST_ANSWER = "LOST_ANSWER"  # the work is done, then the connection drops
    THROTTLED = "THROTTLED"
    REORDERED = "REORDERED"  # right, but every list of rows comes backwards
    STALE = "STALE"  # from a replica that stands still: what the same request was answered when such a fault first met it


class Fault(msgspec.Struct, kw_only=True):
    """One way to fail, for the requests it matches, in the order the faults were added.

    ``match`` is a substring of the path, ``match_body`` of the request's body (a vendor may have one path for all calls).
    ``times`` counts down; None: until removed. ``delay_ms`` passes before any kind. A request suffers every matching LATENCY
    up to the first fault of another kind.
    """

    kind: FaultKind
    match: str = ""
    match_body: str = ""
    times: int | None = None
    delay_ms: int = 0
    status: int = 503
    retry_after_s: int = 1

    def matches(self, path: str, body: bytes) -> bool:
        """Whether this request is to fail so."""
        return self.times != 0 and self.match in path and self.match_body.encode() in body


class Entry(msgspec.Struct, kw_only=True):
    """One request to the vendor's wire. ``at_ms`` counts from the start; ``status`` is None until, or unless, answered."""

    method: str
    path: str
    at_ms: int
    status: int | None = None


class Journal(msgspec.Struct, kw_only=True):
    """``count`` is of all requests since the journal was cleared; ``requests`` are the newest of them, oldest first."""

    count: int
    requests: list[Entry]


class Faults:
    """An ASGI application in front of another, which it lets answer unless a fault is active."""

    def __init__(self, app: ASGIApp) -> None:
        self.active: MutableSequence[Fault] = []
        self._app = app
        self._started_s = time.monotonic()
        self._entries: deque[Entry] = deque(maxlen=REQUESTS_KEPT)
        self._count = 0
        self._replica: dict[tuple[str, str, bytes, bytes], list[Message]] = {}

    def journal(self) -> Journal:
        """What has been asked so far."""
        return Journal(count=self._count, requests=list(self._entries))

    def forget(self) -> None:
        """Begin the journal anew."""
        self._entries.clear()
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        at_ms = round((time.monotonic() - self._started_s) * 1_000)
        entry = Entry(method=scope["method"], path=scope["path"], at_ms=at_ms)
        self._entries.append(entry)
        self._count += 1

        async def noting_status(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            await send(message)

        if not self.active:
            self._replica.clear()
            await self._app(scope, receive, noting_status)
            return
        body = await _whole_body(receive)
        fault = await self._suffered(scope["path"], body)
        if fault is not None and fault.kind is FaultKind.STALE:
            asked = (scope["method"], scope["path"], scope["query_string"], body)
            if asked not in self._replica:
                self._replica[asked] = await self._answered(scope, _replaying(body, receive))
            for message in self._replica[asked]:
                await noting_status(message)
            return
        await self._answer(fault, scope, _replaying(body, receive), noting_status)

    async def _suffered(self, path: str, body: bytes) -> Fault | None:
        """Wait out what matches and count it down; return the fault that decides the answer, if one does."""
        for fault in [each for each in self.active if each.matches(path, body)]:
            if fault.times is not None:
                fault.times -= 1
            await asyncio.sleep(fault.delay_ms / 1_000)
            if fault.kind is not FaultKind.LATENCY:
                return fault
        return None

    async def _answer(self, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> None:
        if fault is None:
            await self._app(scope, receive, send)
            return
        match fault.kind:
            case FaultKind.HANG:
                await _until_gone(receive)
            case FaultKind.TRUNCATED:
                whole = _body_of(await self._answered(scope, receive))
                await _respond(send, body=whole[: len(whole) // 2])
            case FaultKind.REORDERED:
                answered = await self._answered(scope, receive)
                await _respond(send, body=_backwards(_body_of(answered)), status=answered[0]["status"])
            case FaultKind.LOST_ANSWER:
                await self._answered(scope, receive)
                # A server cannot drop a connection through ASGI but by promising a body that never comes.
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
            case FaultKind.OVERSIZED:
                await _stream_rows(send)
            case _:
                await _respond(send, **_canned(fault))

    async def _answered(self, scope: Scope, receive: Receive) -> list[Message]:
        """All that the application says to this request."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        return messages


def _body_of(messages: Sequence[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages)


def _backwards(body: bytes) -> bytes:
    """The same JSON with its rows in another order. Only a list of objects is one of rows: others may be pairs or coordinates."""

    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: turned(each) for name, each in value.items()}
        if isinstance(value, list):
            rows = [turned(each) for each in value]
            return rows[::-1] if all(isinstance(each, dict) for each in rows) else rows
        return value

    return msgspec.json.encode(turned(msgspec.json.decode(body))) if body else body


def _canned(fault: Fault) -> dict[str, Any]:
    match fault.kind:
        case FaultKind.HTML:
            return {"body": b"<!DOCTYPE html><html><body><h1>Be right back</h1></body></html>", "media_type": b"text/html"}
        case FaultKind.NULL:
            return {"body": b"null"}
        case FaultKind.EMPTY_OBJECT:
            return {"body": b"{}"}
        case FaultKind.THROTTLED:
            return {"status": 429, "body": b'{"error":"slow down"}', "retry_after_s": fault.retry_after_s}
        case _:
            return {"status": fault.status, "body": b'{"error":"told to fail"}'}


async def _respond(
    send: Send, *, body: bytes, status: int = 200, media_type: bytes = b"application/json", retry_after_s: int | None = None
) -> None:
    headers = [(b"content-type", media_type), (b"content-length", str(len(body)).encode())]
    if retry_after_s is not None:
        # ShipBob prefixes its header.
        headers += [(name, str(retry_after_s).encode()) for name in (b"retry-after", b"x-retry-after")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _stream_rows(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    for first in range(0, OVERSIZED_ROWS, _ROWS_PER_CHUNK):
        rows = b",".join(b'{"id":%d,"sku":"SKU-%d","quantity":1}' % (n, n) for n in range(first, first + _ROWS_PER_CHUNK))
        await send({"type": "http.response.body", "body": (b"," if first else b"[") + rows, "more_body": True})
    await send({"type": "http.response.body", "body": b"]"})


async def _until_gone(receive: Receive) -> None:
    async with asyncio.timeout(HANG_S_MAX):
        while (await receive())["type"] != "http.disconnect":
            pass


async def _whole_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _replaying(body: bytes, receive: Receive) -> Receive:
    """The request's body once more, for an application that has not read it; afterwards what comes live."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
