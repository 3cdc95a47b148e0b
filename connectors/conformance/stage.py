"""Where a connector is tested: the connector, the fake of its source, and what may go wrong between the two."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable
from unittest import SkipTest

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.contract import (
    Connector,
    Fulfiller,
    Holder,
    Quoter,
    StockFeed,
    StockLister,
    StockReader,
    WebhookReceiver,
)
from connectors.sandbox.controls import SandboxOrder
from connectors.sandbox.faults import Fault, Faults


class Fake(Protocol):
    """A stand-in for the source that keeps state, on the event loop of the tests. Every ``Sandbox`` is one."""

    def routes(self) -> list[BaseRoute]:
        """The source's wire; empty for one that is not asked over HTTP."""

    def set_stock(self, place: str, sku: str, units: int) -> None:
        """Somebody counted: so many are there now."""


@runtime_checkable
class TakesOrders(Protocol):
    """What the fake of a source that takes requests can do besides."""

    def orders(self) -> Sequence[SandboxOrder]:
        """What has arrived, oldest first."""

    def accept(self, ref: str) -> None:
        """Somebody there takes the order on."""

    def reject(self, ref: str, reason: str) -> None:
        """Somebody there turns the order down."""

    def ship(self, ref: str, *, carrier: str, tracking_number: str) -> None:
        """The goods leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request as it arrived, path, headers and body together, and how the fake answers it."""

    asked: bytes
    status: int
    body: bytes


Change = Callable[[Exchange], Exchange | None]
"""What becomes of an answer on its way. None: the work is done, and the connection drops."""


class Wire:
    """The fake's wire as an ASGI application, with everything that can happen to an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.change: Change | None = None
        self.faults = Faults(self._answer)
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        await self.faults(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.change is None:
            await self._app(scope, receive, send)
            return
        asked, answered = await _exchanged(self._app, scope, receive)
        start, *parts = answered
        body = b"".join(part.get("body", b"") for part in parts)
        told = self.change(Exchange(asked=asked, status=start["status"], body=body))
        if told is None:
            # A server cannot drop a connection through ASGI but by promising a body that never comes.
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
            return
        headers = [(name, value) for name, value in start.get("headers", ()) if name.lower() != b"content-length"]
        length = (b"content-length", str(len(told.body)).encode())
        await send({"type": "http.response.start", "status": told.status, "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": told.body})


async def _exchanged(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[bytes, list[Message]]:
    """All that was asked, and the messages of the answer."""
    heard: list[bytes] = [scope["path"].encode(), scope.get("query_string", b"")]
    heard += [name + b": " + value for name, value in scope["headers"]]
    answered: list[Message] = []

    async def listen() -> Message:
        message = await receive()
        heard.append(message.get("body", b""))
        return message

    async def keep(message: Message) -> None:
        answered.append(message)

    await app(scope, listen, keep)
    return b"\n".join(heard), answered


class Stage:
    """A connector and the fake it speaks to. What a stage has no means for is skipped."""

    def __init__(self, *, connector: Connector, fake: Fake) -> None:
        self.connector = connector
        self.fake = fake

    # ------------------------------------------------------------------------------------------ between the two
    def requests(self) -> int:
        """How often the source has been asked so far."""
        raise SkipTest("on this stage nobody counts requests")

    def fail(self, fault: Fault) -> None:
        """Fail so from now on."""
        raise SkipTest(f"on this stage nothing fails by {fault.kind}")

    def change(self, change: Change | None) -> None:
        """Change answers so from now on. None: no longer."""
        raise SkipTest("on this stage no answer can be changed")

    def heal(self) -> None:
        """Work again."""
        raise SkipTest("on this stage nothing fails")

    # ------------------------------------------------------------------------------------------ what it can do
    @property
    def reader(self) -> StockReader:
        """The connector, if it can be asked for stock."""
        if not isinstance(self.connector, StockReader):
            raise SkipTest("this connector cannot be asked for stock")
        return self.connector

    @property
    def lister(self) -> StockLister:
        """The connector, if it can list SKUs."""
        if not isinstance(self.connector, StockLister):
            raise SkipTest("this connector cannot list what the source carries")
        return self.connector

    @property
    def feed(self) -> StockFeed:
        """The connector, if it can tell changes."""
        if not isinstance(self.connector, StockFeed):
            raise SkipTest("this connector cannot tell what has moved")
        return self.connector

    @property
    def fulfiller(self) -> Fulfiller:
        """The connector, if it takes requests."""
        if not isinstance(self.connector, Fulfiller):
            raise SkipTest("this connector takes no requests")
        return self.connector

    @property
    def holder(self) -> Holder:
        """The connector, if it can set goods aside."""
        if not isinstance(self.connector, Holder):
            raise SkipTest("this connector cannot set goods aside")
        return self.connector

    @property
    def quoter(self) -> Quoter:
        """The connector, if it can say what shipping costs."""
        if not isinstance(self.connector, Quoter):
            raise SkipTest("this connector does not say what shipping would cost")
        return self.connector

    @property
    def receiver(self) -> WebhookReceiver:
        """The connector, if it takes webhooks."""
        if not isinstance(self.connector, WebhookReceiver):
            raise SkipTest("this connector takes no webhooks")
        return self.connector

    @property
    def there(self) -> TakesOrders:
        """The fake, as the people there see it."""
        if not isinstance(self.fake, TakesOrders):
            raise SkipTest("this fake takes no orders")
        return self.fake


class HttpStage(Stage):
    """A fake behind a socket."""

    def __init__(self, *, connector: Connector, fake: Fake, wire: Wire) -> None:
        super().__init__(connector=connector, fake=fake)
        self._wire = wire

    def requests(self) -> int:
        """How often the source has been asked so far."""
        return self._wire.faults.journal().count

    def fail(self, fault: Fault) -> None:
        """Fail so from now on."""
        self._wire.faults.active.append(fault)

    def change(self, change: Change | None) -> None:
        """Change answers so from now on. None: no longer."""
        self._wire.change = change

    def heal(self) -> None:
        """Work again."""
        self._wire.faults.active.clear()
        self._wire.change = None
