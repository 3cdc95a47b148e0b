"""A gateway on sources that do as they are told: two places that can lose answers, take their time, and sell behind our back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from connectors.contract import (
    CancelOutcome,
    ConnectorInfo,
    FulfillmentRequest,
    Health,
    Idempotency,
    RemoteFulfillment,
    RemoteLevel,
    RemoteLocation,
    RemoteLocationId,
    RemoteRef,
    RemoteState,
    RequestKey,
    Secret,
    Sku,
    SourceError,
    SourceKind,
    StockBatch,
    StockDrop,
)
from gateway.api.context import Services
from gateway.app import Parts, create_app
from gateway.demo.world import TOKENS
from gateway.domain.fulfillments import FulfillmentOrder, RequestStatus
from gateway.domain.identity import OrderId, SourceName
from gateway.domain.orders import Order
from gateway.domain.policies import Rule
from gateway.domain.tasks import JobKind, JobRecord, JobState
from gateway.ports import Once, Source
from gateway.services.orders import Purchase
from gateway.services.oversight import Oversight
from gateway.settings import Settings, Stock, Token, Work
from gateway.storage.queries import SqlStore
from gateway.system import spread
from tests.harness import Graph
from tests.samples import HOME, MUG, HandClock, units
from tests.storages import in_file

PLACE = RemoteLocationId("1")


@dataclass(kw_only=True)
class Place:
    """A source with one location.

    ``fails`` are what the next calls of a method raise, after their effect has happened; requests wait while it is ``busy``,
    and reading its stock while it is ``counting``.
    """

    drop: StockDrop = StockDrop.ON_SHIP
    idempotency: Idempotency = Idempotency.LOOKUP
    stock: dict[Sku, int] = field(default_factory=dict)
    fails: dict[str, list[SourceError]] = field(default_factory=dict)
    known: dict[RequestKey, RemoteFulfillment] = field(default_factory=dict)
    takes_on: RemoteState = RemoteState.REQUESTED
    stops: CancelOutcome = CancelOutcome.CANCELED
    asked: list[str] = field(default_factory=list)
    as_key: RequestKey | None = None
    busy: asyncio.Event | None = None
    counting: asyncio.Event | None = None

    def __post_init__(self) -> None:
        self.info = ConnectorInfo(
            kind=SourceKind.STORE_POS,
            connector="place",
            stock_drop=self.drop,
            idempotency=self.idempotency,
            batch_skus_max=100,
            fresh_for_s=1.0,
            visibility_delay_s=0.0,
        )

    async def aclose(self) -> None:
        """Nothing is open."""

    async def health(self) -> Health:
        return Health(ok=True)

    async def locations(self) -> tuple[RemoteLocation, ...]:
        return (RemoteLocation(id=PLACE, name="Place", time_zone="UTC"),)

    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        if self.counting is not None:
            self.asked.append("read_stock")
            await self.counting.wait()
        carried = [sku for sku in skus if sku in self.stock]
        levels = tuple(RemoteLevel(sku=sku, location=PLACE, available=self.stock[sku]) for sku in carried)
        return StockBatch(levels=levels, unknown=frozenset(skus) - set(carried))

    async def request(self, request: FulfillmentRequest) -> RemoteFulfillment:
        if self.busy is not None:
            await self.busy.wait()
        if request.key not in self.known:
            ref = RemoteRef(f"r{len(self.known) + 1}")
            self.known[request.key] = RemoteFulfillment(ref=ref, key=request.key, state=self.takes_on)
        self._called("request")
        return replace(self.known[request.key], key=self.as_key or request.key)

    async def find(self, key: RequestKey) -> RemoteFulfillment | None:
        self._called("find")
        return self.known.get(key)

    async def cancel(self, ref: RemoteRef) -> CancelOutcome:
        self._called("cancel")
        if self.stops is CancelOutcome.CANCELED:
            self.now(ref, RemoteState.CANCELED)
        return self.stops

    async def status(self, refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        self._called("status")
        return tuple(each for each in self.known.values() if each.ref in refs)

    def now(self, ref: str, state: RemoteState, **more: Any) -> None:
        """Somebody there has moved it on."""
        self.known = {key: replace(each, state=state, **more) if each.ref == ref else each for key, each in self.known.items()}

    def _called(self, method: str) -> None:
        self.asked.append(method)
        if self.fails.get(method):
            raise self.fails[method].pop(0)


@dataclass(frozen=True, kw_only=True)
class Shop:
    """The gateway, its clock, and somebody who looks after its promises when told to."""

    services: Services
    graph: Graph
    clock: HandClock
    oversight: Oversight

    @property
    def store(self) -> SqlStore:
        found = self.services.store
        assert isinstance(found, SqlStore)
        return found

    async def bought(self, count: int, *, sku: Sku = MUG, key: str = "k") -> OrderId:
        """An order for so many, to be shipped."""
        purchase = Purchase(channel="web", lines=units((sku, count)), to=HOME)
        asked = Once(principal="shop", operation="orderPlace", key=key, request_hash="same")
        return (await self.services.orders.place(purchase, by="shop", once=asked)).id

    async def order(self, order: OrderId) -> Order:
        found = await self.store.order(order)
        assert found is not None
        return found

    async def until(self, order: OrderId, *statuses: RequestStatus) -> tuple[FulfillmentOrder, ...]:
        """The work of the order, oldest first, once it has come exactly this far. Time passes while jobs wait for it."""
        async with asyncio.timeout(60):
            while True:
                works = (await self.order(order)).fulfillment_orders
                if tuple(work.request_status for work in works) == statuses:
                    return works
                await asyncio.sleep(0.01)
                await self.pass_time()

    async def pass_time(self) -> None:
        """Until the next job is due, reminders apart, if none is due or being done now. Jobs of one lane are done in turn."""
        jobs = {job.subject: job for job in reversed(await self._ready())}.values()
        if jobs and all(job.run_at > self.clock.now() for job in jobs):
            self.clock.wait((min(job.run_at for job in jobs) - self.clock.now()).total_seconds())

    async def idle(self) -> None:
        """Wait until nothing is to be done now."""
        async with asyncio.timeout(60):
            while any(job.run_at <= self.clock.now() for job in await self._ready()):
                await asyncio.sleep(0.01)

    async def _ready(self) -> list[JobRecord]:
        jobs = await self.store.jobs(JobState.READY, after=None, limit=100)
        return [job for job in jobs if job.kind is not JobKind.REMIND or job.run_at <= self.clock.now()]

    async def events(self, order: OrderId) -> list[tuple[str, str, str | None]]:
        """What happened to it: type, who did it, and why."""
        version = (await self.order(order)).version
        async with asyncio.timeout(60):
            while len(told := await self.store.timeline(order, after_version=0, limit=100)) < version:
                await asyncio.sleep(0.01)
        return [(event.type, event.actor, event.cause) for event in told]


@asynccontextmanager
async def shop(
    folder: Path, places: dict[str, Place], *, tune: Callable[[Work], Work] = lambda work: work, clock: HandClock | None = None
) -> AsyncIterator[Shop]:
    """The gateway at work on these places, with time standing still unless it is told to pass."""
    clock = clock or HandClock()
    work = tune(Work(jobs_poll_s=0.02, status_poll_s=3_600))
    tokens = tuple(Token(name=role.value.lower(), role=role, secret=Secret(secret)) for role, secret in TOKENS.items())
    settings = Settings(sources=(), tokens=tokens, work=work, stock=Stock(deadline_s=15.0))  # a busy machine is no silent source
    settings = replace(settings, store=replace(settings.store, url=type(settings.store.url)(in_file(folder).url)))
    sources = {
        SourceName(name): Source(name=SourceName(name), label=name, kind=SourceKind.STORE_POS, connector=place)
        for name, place in places.items()
    }
    app = create_app(settings, Parts(clock=clock, sources=sources, spread=spread))
    async with app.router.lifespan_context(app):
        services: Services = app.state.services
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway") as client:
            yield Shop(services=services, graph=Graph(client), clock=clock, oversight=services.oversight)


async def nothing_but(on: Shop, *rules: Rule) -> None:
    """Have orders routed by these rules."""
    policies = on.services.policies
    once = Once(principal="ann", operation="test", key="create", request_hash="")
    written = await policies.create("default", rules, note="n", by="ann", once=once)
    again = Once(principal="ann", operation="test", key="activate", request_hash="")
    await policies.activate(written.key, reason="n", by="ann", once=again)
