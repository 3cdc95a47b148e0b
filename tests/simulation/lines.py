"""The unreliable lines that lead to the places, and the connectors that keep their contract over them."""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from connectors.contract import (
    CancelOutcome,
    ConnectorInfo,
    FulfillmentRequest,
    Health,
    Idempotency,
    OutcomeUnknown,
    RemoteFulfillment,
    RemoteLocation,
    RemoteLocationId,
    RemoteRef,
    RequestKey,
    Sku,
    SourceError,
    StockBatch,
    Transient,
)
from tests.simulation.chance import Chance
from tests.simulation.loop import context_of
from tests.simulation.sources import Place

T = TypeVar("T")

PATIENCE_S: Final = 4.0
STALL_S: Final = (18.0, 36.0)
"""Longer than the lease of a job, so that somebody else does it meanwhile, and not much longer, so that it is still news."""
ON_THE_WAY_S_MAX: Final = 3.0
"""Less than anybody's patience: who asks again after it looks up first, and finds what has arrived by then."""


@dataclass(slots=True, kw_only=True)
class Exchange(Generic[T]):
    """One question on its way to a place, and its answer on the way back to ``asker``."""

    place: Place
    chance: Chance
    question: Callable[[], T]
    answer: asyncio.Future[T]
    asker: Context
    silent: bool

    def send(self, *, heard: bool = True) -> None:
        """It will arrive, whatever becomes of whoever sent it. What comes of it is not ``heard`` if it is sent a second time."""
        asyncio.get_running_loop().call_later(self._way_s(), self._arrive, heard, context=context_of(None))

    def _arrive(self, heard: bool) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() < self.place.down_until_s:
            return
        outcome: T | SourceError
        try:
            outcome = self.question()
        except SourceError as error:
            outcome = error
        if heard and not self.silent:
            loop.call_later(self._way_s(), self._come_back, outcome, context=self.asker)

    def _come_back(self, outcome: T | SourceError) -> None:
        if self.answer.done():
            return
        if isinstance(outcome, SourceError):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)

    def _way_s(self) -> float:
        """Mostly a moment; now and then so long that others overtake."""
        slow = self.chance.happens(0.1)
        return self.chance.seconds(0.0, ON_THE_WAY_S_MAX if slow else 0.2)


@dataclass(slots=True, kw_only=True)
class Line:
    """The way to one place and back: slow, and not always one. ``stall`` freezes whoever asks, for so many seconds."""

    place: Place
    chance: Chance
    stall: Callable[[float], None]

    async def ask(self, question: Callable[[], T], *, writes: bool = False) -> T:
        """What the place answers.

        Raises:
            SourceError: What it says instead, or what is known when it says nothing.
        """
        loop = asyncio.get_running_loop()
        if loop.time() < self.place.down_until_s:
            raise Transient(f"{self.place.name} is down")
        weather = self.chance.weather
        exchange = Exchange(
            place=self.place,
            chance=self.chance,
            question=question,
            answer=loop.create_future(),
            asker=copy_context(),
            silent=self.chance.fails(weather.answer_is_lost if writes else weather.answer_is_lost / 2),
        )
        if not self.chance.fails(weather.request_is_lost):
            exchange.send()
        if self.place.idempotency is Idempotency.KEY and self.chance.fails(weather.delivered_twice):
            exchange.send(heard=False)
        if writes and self.chance.fails(weather.asker_stalls):
            self.stall(self.chance.seconds(*STALL_S))
        try:
            async with asyncio.timeout(PATIENCE_S):
                said: T = await exchange.answer
        except TimeoutError:
            problem = f"{self.place.name} says nothing"
            raise (OutcomeUnknown(problem) if writes else Transient(problem)) from None
        return said


@dataclass(slots=True, kw_only=True)
class SimulatedConnector:
    """Keeps the connectors' contract over such a line."""

    line: Line
    info: ConnectorInfo

    async def aclose(self) -> None:
        """Nothing is open."""

    async def health(self) -> Health:
        return Health(ok=True)

    async def locations(self) -> tuple[RemoteLocation, ...]:
        name = self.line.place.name
        return await self.line.ask(lambda: (RemoteLocation(id=RemoteLocationId("1"), name=name, time_zone="UTC"),))

    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        return await self.line.ask(lambda: self.line.place.batch(skus))

    async def warm(self, products_max: int) -> int:
        return 0

    async def request(self, request: FulfillmentRequest) -> RemoteFulfillment:
        return await self.line.ask(lambda: self.line.place.take(request), writes=True)

    async def find(self, key: RequestKey) -> RemoteFulfillment | None:
        return await self.line.ask(lambda: self.line.place.find(key))

    async def cancel(self, ref: RemoteRef) -> CancelOutcome:
        return await self.line.ask(lambda: self.line.place.stop(ref), writes=True)

    async def status(self, refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        return await self.line.ask(lambda: self.line.place.told(refs))
