"""What the author of a connector says about it, and how a test comes by a stage."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from unittest import SkipTest

from starlette.applications import Starlette
from starlette.routing import Mount

from connectors.conformance.stage import Fake, HttpStage, Stage, Wire
from connectors.contract import (
    Address,
    Connector,
    FulfillmentRequest,
    Method,
    RawRequest,
    RemoteLocationId,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
)
from connectors.registry import ConnectorSpec, Tools
from connectors.sandbox.servers import serving

PATIENT_S: Final = 20.0
"""More than any answer of a fake takes."""
IMPATIENT_S: Final = 0.4
STORY_S_MAX: Final = 60.0
WRONG: Final = Secret("wrong-credential-0123456789abcdef")
NOWHERE: Final = "http://127.0.0.1:1"
"""Nobody listens there."""


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  the composition root of a test


class Subject:
    """One connector under test.

    Attributes:
        spec: What is registered.
        place: A place of the fake that carries both SKUs, as ``Fake.set_stock`` names it.
        location: The same place, as the source names it.
        sku: Carried there.
        another: Carried there too.
        nowhere: A SKU that the source does not have.
        amounts: The names on the wire, as bytes, of the fields that become available and on-hand units. With these renamed, no
            number may be read.
        method: How requests are to be carried out.
        recipient: Where they go.
    """

    spec: ClassVar[ConnectorSpec]
    place: ClassVar[str]
    location: ClassVar[RemoteLocationId]
    sku: ClassVar[Sku]
    another: ClassVar[Sku]
    nowhere: ClassVar[Sku] = Sku("NO-SUCH-SKU-ANYWHERE")
    amounts: ClassVar[tuple[bytes, ...]] = ()
    method: ClassVar[Method] = Method.SHIP
    recipient: ClassVar[Address] = Address(
        lines=("1 Main St",), city="Chicago", region="IL", postal_code="60601", country_code="US", name="Ada Moore"
    )

    # ------------------------------------------------------------------------------------------ what the author gives
    def fake(self) -> Fake:
        """A new fake, with at least ten units of both SKUs at the place."""
        raise SkipTest("there is no fake")

    def settings(self, url: str, patience_s: float) -> Any:
        """The connector's settings for a fake at ``url``. No call may take longer than ``patience_s``; no other bound is low."""
        raise SkipTest("there are no settings")

    def webhook(self, fake: Any) -> RawRequest | None:
        """What that fake would post when something moves, rightly signed. None: nothing is known of that."""
        return None

    def holds(self, fake: Any) -> int:
        """How many holds that fake keeps."""
        raise SkipTest("nobody says how many holds the fake keeps")

    def stage(self, *, patience_s: float = PATIENT_S, credential: Secret | None = None) -> AbstractAsyncContextManager[Stage]:
        """A stage of its own for one story. ``credential``: in place of all that the settings hold."""
        return self._http_stage(patience_s=patience_s, credential=credential)

    def absent(self) -> Connector:
        """The connector of a source that cannot be reached at all."""
        return self.spec.open(self.settings(NOWHERE, PATIENT_S), self.tools())

    # ------------------------------------------------------------------------------------------ what every test uses
    def tools(self) -> Tools:
        """The machine's clocks."""
        return Tools(now=_now, monotonic=time.monotonic)

    def play(self, story: Callable[[Stage], Awaitable[None]], *, patience_s: float = PATIENT_S) -> None:
        """One story on a stage of its own."""

        async def told() -> None:
            async with self.stage(patience_s=patience_s) as stage:
                await story(stage)

        self.alone(told)

    def alone(self, story: Callable[[], Awaitable[None]]) -> None:
        """One story that sets its own stage."""

        async def told() -> None:
            async with asyncio.timeout(STORY_S_MAX):
                await story()

        asyncio.run(told())

    def asking(self, key: str = "conformance-1", *, sku: Sku | None = None, units: int = 1) -> FulfillmentRequest:
        """A request that the source can fill."""
        return FulfillmentRequest(
            key=RequestKey(key),
            location=self.location,
            lines=(RequestLine(sku=sku or self.sku, units=units),),
            recipient=self.recipient,
            method=self.method,
            order_number="1001",
        )

    @asynccontextmanager
    async def _http_stage(self, *, patience_s: float, credential: Secret | None) -> AsyncIterator[Stage]:
        fake = self.fake()
        wire = Wire(Starlette(routes=fake.routes()))
        async with serving(Starlette(routes=[Mount("/", wire)])) as url:
            settings = self.settings(url, patience_s)
            connector = self.spec.open(settings if credential is None else with_secrets(settings, credential), self.tools())
            try:
                yield HttpStage(connector=connector, fake=fake, wire=wire)
            finally:
                await connector.aclose()


def with_secrets(value: Any, secret: Secret) -> Any:
    """The same settings with another credential in place of each."""
    if isinstance(value, Secret):
        return secret
    if isinstance(value, Mapping):
        return {key: with_secrets(each, secret) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(with_secrets(each, secret) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: with_secrets(getattr(value, each.name), secret) for each in fields(value)})
    return value
