"""What every request goes through before anything else: it gets an id, and its body has a bound."""

from dataclasses import dataclass

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.failures import INTERNAL
from gateway.ports import NewId
from gateway.web.graphql import refusal

log = structlog.get_logger(__name__)

REQUEST_ID_CHARACTERS_MAX = 64


@dataclass(frozen=True, slots=True)
class Bounded:
    """Reads a body whole, up to ``body_bytes_max``, before it is looked at; more is refused with 413."""

    app: ASGIApp
    body_bytes_max: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, its body read."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        chunks: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            more = message.get("more_body", False)
            if size > self.body_bytes_max:
                return await refusal(413, f"A body has at most {self.body_bytes_max:,} bytes.")(scope, receive, send)
        whole: list[Message] = [{"type": "http.request", "body": b"".join(chunks), "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        return await self.app(scope, again, send)


@dataclass(frozen=True, slots=True)
class Identified:
    """Gives every request an id: the caller's own, if it sends a plausible one. It is in every log line and in the answer.

    What crashes is answered with no more than that.
    """

    app: ASGIApp
    new_id: NewId

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under its id."""
        if scope["type"] not in {"http", "websocket"}:
            return await self.app(scope, receive, send)
        given = Headers(scope=scope).get("x-request-id", "")
        fits = given.isascii() and given.isprintable() and 0 < len(given) <= REQUEST_ID_CHARACTERS_MAX
        request_id = given if fits else self.new_id()

        started = False

        async def tagged(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                return await self.app(scope, receive, tagged)
            except Exception:
                log.exception("request_crashed", path=scope["path"])
                if started or scope["type"] != "http":
                    raise
                return await refusal(500, INTERNAL, code="INTERNAL_SERVER_ERROR")(scope, receive, tagged)
