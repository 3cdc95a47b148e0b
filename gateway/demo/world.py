"""A merchant's whole network on one machine: systems of record that keep state, and the gateway in front of them."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.contract import Secret
from connectors.sandbox.configured import configured, environment
from connectors.sandbox.network import THREE, System, seeded
from connectors.sandbox.servers import at_work, serving
from gateway.app import create_app
from gateway.configuration import sources_in
from gateway.domain.principals import Role
from gateway.settings import Server, Settings, Stock, Store, StoreUrl, Token, Work

TOKENS: Final[Mapping[Role, str]] = {role: f"demo-{role.value.lower()}" for role in Role}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where everything answers: of the sandboxes, their controls."""

    gateway: str
    sandboxes: Mapping[str, str]

    @property
    def graphql(self) -> str:
        """The address of the graph."""
        return f"{self.gateway}/graphql"


@asynccontextmanager
async def world(*, folder: Path, port: int, seed: int, products: int, systems: Collection[System] = THREE) -> AsyncIterator[World]:
    """The demo, running: real servers on loopback, the gateway's promises in a SQLite file in ``folder``."""
    network = seeded(seed=seed, products=products, systems=systems)
    async with at_work(network, folder) as sandboxes:
        addresses = {system: sandbox.address for system, sandbox in sandboxes.items()}
        app = create_app(demo_settings(addresses, database=folder / "dom.sqlite3", port=port))
        async with serving(app, port=port, sockets=True) as gateway:
            yield World(gateway=gateway, sandboxes={system: sandbox.controls for system, sandbox in sandboxes.items()})


def demo_settings(addresses: Mapping[str, str], *, database: Path, port: int = 0) -> Settings:
    """The gateway's settings in front of these sandboxes: as in production, but for more impatient polling."""
    return Settings(
        sources=sources_in(configured(addresses), environment(addresses)),
        tokens=tuple(Token(name=f"demo-{role.value.lower()}", role=role, secret=Secret(secret)) for role, secret in TOKENS.items()),
        server=Server(port=port),
        store=Store(url=StoreUrl(f"sqlite:///{database}")),
        stock=Stock(deadline_s=1.0, reread_s=5.0),
        work=Work(status_poll_s=0.5, jobs_poll_s=0.2),
    )
