"""Whether a configured source works: its health, its locations, and one read beside what the source really said."""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Final, TypeVar

from connectors.contract import (
    Capability,
    Connector,
    Health,
    Observed,
    RemoteLevel,
    RemoteLocation,
    Secret,
    Sku,
    SourceError,
    StockBatch,
    StockLister,
    StockReader,
    Traffic,
    capabilities_of,
)
from connectors.registry import Tools
from gateway.settings import SourceSettings

T = TypeVar("T")

STEP_S_MAX: Final = 60.0
ANSWERS_KEPT_MAX: Final = 100
HIDDEN: Final = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was asked, and the bytes that came back, as text; credentials that the source repeats are hidden."""

    asked: str
    answered: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One SKU: what we make of it, and what the source said, look-ups included."""

    sku: Sku
    levels: tuple[RemoteLevel, ...]
    unknown: bool
    took_ms: float
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What came of it. ``problems`` empty: it works. ``read`` None: it could not be, or cannot be asked for stock at all."""

    source: str
    connector: str
    capabilities: tuple[Capability, ...]
    health: Health | None
    locations: tuple[RemoteLocation, ...]
    read: Read | None
    traffic: Mapping[str, Traffic]
    problems: tuple[str, ...]

    @property
    def is_fine(self) -> bool:
        """Whether nothing is broken."""
        return not self.problems


async def checked(source: SourceSettings, tools: Tools, sku: Sku | None) -> Check:
    """Ask the source everything once. ``sku`` None: one of those that it carries."""
    checker = _Checker(secrets=tuple(_secrets(source.connection)))
    connector = source.spec.open(source.connection, replace(tools, witness=checker.witness))
    try:
        health = await checker.step("health", connector.health())
        if health is not None and not health.ok:
            checker.problems.append(f"health: {health.detail or 'it is not well'}")
        locations = await checker.step("locations", connector.locations())
        if locations == ():
            checker.problems.append("locations: it has none, so nothing can be promised")
        read = await checker.read(connector, sku)
        return Check(
            source=source.name,
            connector=source.spec.id,
            capabilities=tuple(sorted(capabilities_of(connector))),
            health=health,
            locations=locations or (),
            read=read,
            traffic=connector.traffic() if isinstance(connector, Observed) else {},
            problems=tuple(checker.hidden(each) for each in checker.problems),
        )
    finally:
        await checker.step("closing", connector.aclose())


@dataclass(slots=True, kw_only=True)
class _Checker:
    """Collects what goes wrong instead of stopping at it, and keeps what the source says."""

    secrets: tuple[Secret, ...]
    problems: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def witness(self, asked: str, answered: bytes) -> None:
        if len(self.answers) < ANSWERS_KEPT_MAX:
            self.answers.append(Answer(asked=self.hidden(asked), answered=self.hidden(answered.decode("utf-8", "replace"))))

    def hidden(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        return text

    async def step(self, what: str, asking: Awaitable[T]) -> T | None:
        """The answer; None, if there is none, which is a problem."""
        try:
            async with asyncio.timeout(STEP_S_MAX):
                return await asking
        except (SourceError, TimeoutError) as error:
            self.problems.append(f"{what}: {str(error) or 'no answer in time'}")
        except Exception as error:  # noqa: BLE001  another author's bug is what a check is for
            self.problems.append(f"{what}: the connector crashed: {type(error).__name__}: {error}")
        return None

    async def read(self, connector: Connector, sku: Sku | None) -> Read | None:
        if not isinstance(connector, StockReader):
            return None
        asked = sku or await self._any_sku(connector)
        if asked is None:
            return None
        self.answers.clear()
        started_s = time.monotonic()
        batch: StockBatch | None = await self.step(f"stock of {asked}", connector.read_stock([asked]))
        if batch is None:
            return None
        levels = tuple(level for level in batch.levels if level.sku == asked)
        if not levels and asked not in batch.unknown:
            self.problems.append(f"stock of {asked}: it is neither carried nor unknown")
        return Read(
            sku=asked,
            levels=levels,
            unknown=asked in batch.unknown,
            took_ms=(time.monotonic() - started_s) * 1000,
            answers=tuple(self.answers),
        )

    async def _any_sku(self, connector: Connector) -> Sku | None:
        if not isinstance(connector, StockLister):
            self.problems.append("stock: it cannot list what it carries: name a SKU")
            return None
        page = await self.step("SKUs", connector.skus(None))
        if page is not None and not page.skus:
            self.problems.append("SKUs: it carries nothing")
        return page.skus[0] if page and page.skus else None


def _secrets(value: Any) -> list[Secret]:
    """Every credential in these settings, nested tables included."""
    if isinstance(value, Secret):
        return [value] if value else []
    inner: list[Any] = []
    if isinstance(value, Mapping):
        inner = list(value.values())
    elif isinstance(value, tuple):
        inner = list(value)
    elif is_dataclass(value):
        inner = [getattr(value, each.name) for each in fields(value)]
    return [secret for each in inner for secret in _secrets(each)]
