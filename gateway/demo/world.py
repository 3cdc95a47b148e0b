"""A merchant's whole network on one machine: three systems of record that keep state, and the gateway in front of them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connectors.contract import RemoteLocationId, Secret
from connectors.registry import spec_of
from connectors.sandbox.controls import app_of
from connectors.sandbox.network import seeded
from connectors.sandbox.servers import sandboxes, serving
from gateway.app import create_app
from gateway.domain.identity import SourceName
from gateway.domain.principals import Role
from gateway.ports import Correction
from gateway.settings import Server, Settings, SourceSettings, Stock, Store, StoreUrl, Token, Work

TOKENS: Final[Mapping[Role, str]] = {role: f"demo-{role.value.lower()}" for role in Role}
COUNTERS: Final = {
    RemoteLocationId(each): Correction(slot_minutes=60, pickups_per_slot=4) for each in ("LSTOREBROOKLYN", "LSTORECHICAGO")
}
"""Stores that hand over pickups by the hour."""
LABELS: Final = {"odoo": "Odoo (warehouses)", "square": "Square (stores)", "shipbob": "ShipBob (3PL)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where everything answers."""

    gateway: str
    sandboxes: Mapping[str, str]

    @property
    def graphql(self) -> str:
        """The address of the graph."""
        return f"{self.gateway}/graphql"


@asynccontextmanager
async def world(*, folder: Path, port: int, seed: int, products: int) -> AsyncIterator[World]:
    """The demo, running: real HTTP servers on loopback, the gateway's promises in a SQLite file in ``folder``."""
    network = seeded(seed=seed, products=products)
    async with AsyncExitStack() as stack:
        urls = {name: await stack.enter_async_context(serving(app_of(sandbox))) for name, sandbox in sandboxes(network).items()}
        app = create_app(demo_settings(urls, database=folder / "dom.sqlite3", port=port))
        gateway = await stack.enter_async_context(serving(app, port=port, sockets=True))
        yield World(gateway=gateway, sandboxes=urls)


def demo_settings(urls: Mapping[str, str], *, database: Path, port: int = 0) -> Settings:
    """The gateway's settings in front of these sandboxes: as in production, but for more impatient polling."""
    connections: dict[str, dict[str, Any]] = {
        "odoo": {"database": "demo", "login": "gateway", "api_key": Secret("odoo-sandbox-key")},
        "square": {"access_token": Secret("square-sandbox-token"), "visibility_delay_s": 0.0},  # a sandbox shows at once
        "shipbob": {
            "token": Secret("shipbob-sandbox-token"),
            "channel_id": "1001",
            "shipping_method": "Standard",
            "rate_per_s": None,
            "visibility_delay_s": 0.0,
        },
    }
    return Settings(
        sources=tuple(_source(name, {**connections[name], "url": url}) for name, url in urls.items()),
        tokens=tuple(Token(name=f"demo-{role.value.lower()}", role=role, secret=Secret(secret)) for role, secret in TOKENS.items()),
        server=Server(port=port),
        store=Store(url=StoreUrl(f"sqlite:///{database}")),
        stock=Stock(deadline_s=1.0, reread_s=5.0),
        work=Work(status_poll_s=0.5, jobs_poll_s=0.2),
    )


def _source(name: str, connection: dict[str, Any]) -> SourceSettings:
    spec = spec_of(name)
    return SourceSettings(
        name=SourceName(name),
        spec=spec,
        connection=spec.settings(**connection),
        label=LABELS[name],
        corrections=COUNTERS if name == "square" else {},
    )
