"""The whole gateway on one database, in front of two sandboxes. It stands still while nobody asks; its clock is turned by hand."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

import httpx
import uvloop
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from connectors.contract import Secret, Sku
from connectors.registry import spec_of
from connectors.sandbox.controls import Sandbox, SandboxOrder, app_of
from connectors.sandbox.network import PLACES, Network, Product
from connectors.sandbox.servers import serving
from connectors.sandbox.shipbob import ShipBobSandbox
from connectors.sandbox.square import SquareSandbox
from gateway.api.context import Services
from gateway.app import Parts, create_app
from gateway.demo.world import TOKENS
from gateway.domain.identity import SourceName
from gateway.domain.invariants import Difference
from gateway.domain.principals import Role
from gateway.domain.tasks import JobKind, JobRecord, JobState
from gateway.settings import Settings, SourceSettings, Stock, Store, StoreUrl, Token, Work
from tests.harness import Graph
from tests.samples import HandClock
from tests.scenarios.model.questions import EVENTS, JOBS, NETWORK, mutation
from tests.storages import NewStorage, Storage
from tests.web.served import PROTOCOL, Line

T = TypeVar("T")

EXAMPLES_MAX: Final = 250
"""So many live in one world: its sandboxes look through all that they were ever asked for."""
GOODS: Final = tuple((Sku(f"MUG-{number}"), Sku(f"CUP-{number}")) for number in range(EXAMPLES_MAX))
"""A pair for each of them."""
PATIENCE_S: Final = 20.0
JOBS_MAX: Final = 500
LATE_S: Final = 7_200.0
"""Work that nobody has accepted by then is looked at again. An example takes less; only its end takes as long."""

CONNECTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "square": {"access_token": Secret("square-sandbox-token")},
    "shipbob": {
        "token": Secret("shipbob-sandbox-token"),
        "channel_id": "1001",
        "shipping_method": "Standard",
        "rate_per_s": None,
    },
}
SAFETY_UNITS: Final[Mapping[str, int]] = {"square": 0, "shipbob": 1}
EAGER: Final = "shipbob"
"""What it is asked for it takes on at once, and off its number. The other does when somebody says so, and counts what has left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A location as its source knows it."""

    source: str
    key: str


SITES: Final[Mapping[str, Site]] = {
    "chicago-store": Site(source="square", key="store-chicago"),
    "bethlehem-pa": Site(source="shipbob", key="3pl-bethlehem"),
    "cicero-il": Site(source="shipbob", key="3pl-cicero"),
}
"""By the code of the location."""


@dataclass(frozen=True, slots=True)
class Wires(httpx.AsyncBaseTransport):
    """The network towards sources: applications in this process, by the name of their host."""

    hosts: Mapping[str, httpx.ASGITransport]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.hosts[request.url.host].handle_async_request(request)


@dataclass(kw_only=True)
class World:
    """Open until it is closed. ``goods`` are SKUs that nobody has had yet. ``is_sound``: nothing of an example is left over.

    ``cursor`` is that of the newest event heard.
    """

    storage: Storage
    runner: asyncio.Runner = field(default_factory=lambda: asyncio.Runner(loop_factory=uvloop.new_event_loop))
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    goods: list[tuple[Sku, Sku]] = field(default_factory=lambda: list(GOODS))
    is_sound: bool = True
    cursor: str = ""

    def __post_init__(self) -> None:
        self.clock = HandClock(dial=self.storage.dial)
        self.clock.show()
        self.run(self._open())

    def run(self, what: Awaitable[T]) -> T:
        """Let everything go on until this is done."""

        async def in_time() -> T:
            async with asyncio.timeout(PATIENCE_S):
                return await what

        return self.runner.get_loop().run_until_complete(in_time())  # not by its run(), which guards against Ctrl-C for 1 ms

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        return self.run(self.graph(query, **variables))

    def send(self, *asked: tuple[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The payloads of these operations with these inputs, all of them under way at once."""

        async def together() -> list[dict[str, Any]]:
            answers = await asyncio.gather(*(self.graph(mutation(operation), input=sent) for operation, sent in asked))
            return [each["payload"] for each in answers]

        return self.run(together())

    def come_to_rest(self) -> None:
        """Wait until everything that is due has been done."""
        self.run(self._at_rest())

    def hear(self, source: str) -> None:
        """It is time to ask a source how its work stands."""
        found = self.services.sources[SourceName(source)]
        self.run(self.services.tracking.catch_up(found))

    def news(self, count: int) -> list[dict[str, Any]]:
        """The next so many events, on a socket that has been open from the beginning."""
        events = self.run(self._told("live", count))
        self.cursor = events[-1]["cursor"] if events else self.cursor
        return events

    def events_since(self, cursor: str, count: int) -> list[dict[str, Any]]:
        """The first so many events after that one, for somebody who comes back with it."""

        async def told_again() -> list[dict[str, Any]]:
            await self.line.ask("again", EVENTS, after=cursor)
            found = await self._told("again", count)
            await self.line.say({"type": "complete", "id": "again"})
            return found

        return self.run(told_again())

    def jobs(self, state: str) -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = self.ask(JOBS, state=state)["jobs"]["nodes"]
        return nodes

    def differences(self) -> tuple[Difference, ...]:
        """What ``dom verify`` finds."""
        return self.run(self.services.verification.examine()).differences

    def arrived(self) -> dict[str, list[SandboxOrder]]:
        """What every source was asked for."""
        return {name: sandbox.orders() for name, sandbox in self.sandboxes.items()}

    def close(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()

    @property
    def services(self) -> Services:
        found: Services = self.app.state.services
        return found

    # ------------------------------------------------------------------------------------------ how
    async def _open(self) -> None:
        network = _network()
        self.sandboxes: Mapping[str, Sandbox] = {"square": SquareSandbox(network), "shipbob": ShipBobSandbox(network)}
        wires = Wires({name: httpx.ASGITransport(app=app_of(each)) for name, each in self.sandboxes.items()})
        self.app = create_app(_settings(self.storage), Parts(clock=self.clock, transport=wires))
        url = await self.stack.enter_async_context(serving(self.app, sockets=True))
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://gateway")
        self.graph = Graph(await self.stack.enter_async_context(client))
        known = await self.graph(NETWORK)
        self.places = {each["code"]: each["id"] for each in known["locations"]}
        self.cursor = known["orders"]["eventCursor"]
        address = url.replace("http", "ws", 1) + "/graphql"
        socket = connect(address, subprotocols=[Subprotocol(PROTOCOL)], proxy=None, ping_interval=None)
        self.line = Line(await self.stack.enter_async_context(socket))
        await self.line.begin({"Authorization": f"Bearer {TOKENS[Role.PARTNER]}"})
        await self.line.ask("live", EVENTS, after=self.cursor)

    async def _told(self, subscription: str, count: int) -> list[dict[str, Any]]:
        return [(await self.line.next(subscription))["orderEvents"] for _ in range(count)]

    async def _at_rest(self) -> None:
        while _is_due(self.clock.now(), await self.services.store.jobs(JobState.READY, after=None, limit=JOBS_MAX)):
            await asyncio.sleep(0.001)


def _is_due(now: datetime, jobs: Iterable[JobRecord]) -> bool:
    """Whether one of them is to be done now. Of those about the same only the first may be; the others wait for it."""
    first = {(each.subject, each.kind is JobKind.REMIND): each for each in reversed(tuple(jobs))}
    return any(each.run_at <= now for each in first.values())


def _network() -> Network:
    """Everything is carried everywhere, and nothing is there yet."""
    keys = [site.key for site in SITES.values()]
    skus = [sku for pair in GOODS for sku in pair]
    return Network(
        products=tuple(Product(sku=sku, name=sku, weight_grams=300, price_cents=900) for sku in skus),
        places=tuple(place for place in PLACES if place.key in keys),
        stock={(key, sku): 0 for key in keys for sku in skus},
    )


def _settings(storage: Storage) -> Settings:
    """Nothing happens by itself unless it has to, and nobody gives up waiting because the clock was turned."""
    return Settings(
        sources=tuple(_source(name, connection) for name, connection in CONNECTIONS.items()),
        tokens=tuple(Token(name=role.value.lower(), role=role, secret=Secret(secret)) for role, secret in TOKENS.items()),
        store=Store(url=StoreUrl(storage.url), wait_s_max=10 * LATE_S, verify_s=0),
        stock=Stock(deadline_s=10.0, warm_products_max=0, renew_skus_max=0, reconcile_s=0),
        work=Work(
            jobs_poll_s=0.05,
            status_poll_s=86_400.0,
            warehouses_accept_within_s=LATE_S,
            stores_accept_within_s=LATE_S,
            third_parties_accept_within_s=LATE_S,
        ),
    )


def _source(name: str, connection: Mapping[str, Any]) -> SourceSettings:
    spec = spec_of(name)
    return SourceSettings(
        name=SourceName(name),
        spec=spec,
        connection=spec.settings(url=f"http://{name}", visibility_delay_s=0.0, **connection),
        label=name,
        safety_units=SAFETY_UNITS[name],
    )


@dataclass(kw_only=True)
class Worlds:
    """One world after another: the next one when the goods of one run out, or when an example left it as nobody should find it."""

    new_storage: NewStorage
    current: World | None = None
    storages: ExitStack = field(default_factory=ExitStack)

    def inhabited(self) -> World:
        """One in which there are goods to which nothing has happened."""
        if self.current is None or not self.current.is_sound or not self.current.goods:
            self.close()
            self.current = World(storage=self.storages.enter_context(self.new_storage()))
        return self.current

    def close(self) -> None:
        if self.current is not None:
            self.current.close()
            self.current = None
        self.storages.close()
