"""A whole network for tests: sandboxes behind real sockets, and the gateway in front of them on a SQLite file of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from connectors.sandbox.network import THREE, System, seeded
from connectors.sandbox.servers import at_work
from gateway.app import Parts, create_app
from gateway.demo.world import TOKENS, demo_settings
from gateway.domain.principals import Role
from gateway.settings import Settings

CHICAGO = {
    "name": "Ada Moore",
    "lines": ["1 Main St"],
    "city": "Chicago",
    "region": "IL",
    "postalCode": "60601",
    "countryCode": "US",
}


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Play an asynchronous story."""
    asyncio.run(story())  # type: ignore[arg-type]  # stories are coroutine functions


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The controls of one sandbox."""

    client: httpx.AsyncClient

    async def fault(self, kind: str, **more: Any) -> None:
        """Make it fail."""
        (await self.client.post("/_sandbox/faults", json={"kind": kind, **more})).raise_for_status()

    async def heal(self) -> None:
        """Make it work again."""
        (await self.client.delete("/_sandbox/faults")).raise_for_status()

    async def orders(self) -> list[dict[str, Any]]:
        """What has arrived."""
        found: list[dict[str, Any]] = (await self.client.get("/_sandbox/orders")).json()
        return found

    async def act(self, ref: str, verb: str, **more: Any) -> None:
        """``accept``, ``reject`` (reason) or ``ship`` (carrier, tracking_number)."""
        (await self.client.post(f"/_sandbox/orders/{ref}/{verb}", json=more)).raise_for_status()

    async def count(self, place: str, sku: str, units: int) -> None:
        """Somebody counted a shelf."""
        (await self.client.post("/_sandbox/stock", json={"place": place, "sku": sku, "units": units})).raise_for_status()

    async def requests(self) -> list[dict[str, Any]]:
        """The requests that came in, as the journal has them."""
        found: list[dict[str, Any]] = (await self.client.get("/_sandbox/journal")).json()["requests"]
        return found

    async def forget(self) -> None:
        """Empty the journal."""
        (await self.client.delete("/_sandbox/journal")).raise_for_status()


@asynccontextmanager
async def network(
    *, products: int = 40, systems: Collection[System] = THREE
) -> AsyncIterator[tuple[Mapping[str, str], Mapping[str, Sandbox]]]:
    """Sandboxes: their addresses, and their controls."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        running = await stack.enter_async_context(at_work(seeded(products=products, systems=systems), folder))
        controls = {
            system: Sandbox(await stack.enter_async_context(httpx.AsyncClient(base_url=each.controls, trust_env=False)))
            for system, each in running.items()
        }
        yield {system: each.address for system, each in running.items()}, controls


@dataclass(frozen=True, slots=True)
class Graph:
    """A client of the gateway."""

    client: httpx.AsyncClient

    async def __call__(self, query: str, *, role: Role = Role.OPERATOR, **variables: Any) -> dict[str, Any]:
        """The data of an operation that must succeed."""
        answer = (await self.post({"query": query, "variables": variables}, role=role)).json()
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def post(self, body: Any, *, role: Role | None = Role.OPERATOR, accept: str = "application/json") -> httpx.Response:
        """The answer to a body, whatever it is."""
        headers = {"accept": accept} | ({"authorization": f"Bearer {TOKENS[role]}"} if role is not None else {})
        return await self.client.post("/graphql", json=body, headers=headers)

    async def until(
        self, query: str, done: Callable[[dict[str, Any]], bool], *, wait_s: float = 60.0, **variables: Any
    ) -> dict[str, Any]:
        """Ask again and again until the answer is as expected."""
        async with asyncio.timeout(wait_s):
            while not done(data := await self(query, **variables)):
                await asyncio.sleep(0.05)  # what is waited for happens elsewhere
            return data


def unchanged(settings: Settings) -> Settings:
    """The demo's settings as they are."""
    return settings


def undisturbed(settings: Settings) -> Settings:
    """Nothing is read that nobody asks for, so that requests can be counted and a test notices stock when it looks; and the
    deadlines are long, so that a busy machine is no silent source."""
    stock = replace(settings.stock, feeds_s=0, renew_skus_max=0, reconcile_s=0, deadline_s=15.0)
    return replace(settings, stock=stock, network=replace(settings.network, deadline_s=20.0))


@asynccontextmanager
async def gateway(
    addresses: Mapping[str, str],
    database: Path,
    *,
    tune: Callable[[Settings], Settings] = unchanged,
    parts: Parts | None = None,
) -> AsyncIterator[Graph]:
    """The gateway in this process, without a socket of its own; ready when its sources are warm."""
    app = create_app(tune(undisturbed(demo_settings(addresses, database=database))), parts)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", timeout=30) as client:
            yield Graph(client)


@asynccontextmanager
async def world(
    folder: Path, *, products: int = 40, systems: Collection[System] = THREE, tune: Callable[[Settings], Settings] = unchanged
) -> AsyncIterator[tuple[Graph, Mapping[str, Sandbox]]]:
    """Sandboxes and gateway together."""
    async with (
        network(products=products, systems=systems) as (addresses, controls),
        gateway(addresses, folder / "dom.sqlite3", tune=tune) as graph,
    ):
        yield graph, controls


def line(sku: str, units: int) -> dict[str, Any]:
    """A line of an input."""
    return {"sku": sku, "units": units}


PLACE = """mutation ($input: OrderPlaceInput!) { orderPlace(input: $input) {
  order { id number status version supportedActions
    lines { sku units quantities { state units } }
    fulfillmentOrders { id version status requestStatus supportedActions location { code } lines { sku units } } }
  userErrors { __typename code message path
    ... on InsufficientStockError { sku requested available }
    ... on VersionConflictError { currentVersion } } } }"""


async def place(graph: Graph, *lines: dict[str, Any], key: str, role: Role = Role.STOREFRONT, **more: Any) -> dict[str, Any]:
    """Place an order to Chicago: the payload."""
    order = {"idempotencyKey": key, "channel": "web", "lines": list(lines), "to": CHICAGO, **more}
    payload: dict[str, Any] = (await graph(PLACE, role=role, input=order))["orderPlace"]
    return payload
