"""Where the stories with Shopify play: the connector and the sandbox it speaks to, over real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors.contract import (
    Address,
    FulfillmentRequest,
    Method,
    RemoteLocationId,
    RequestKey,
    RequestLine,
    Secret,
    Sku,
)
from connectors.registry import Tools
from connectors.sandbox.controls import app_of
from connectors.sandbox.network import Network, seeded
from connectors.sandbox.servers import serving
from connectors.sandbox.shopify import Bucket, ShopifySandbox
from connectors.shopify import Shopify, ShopifySettings

TOOLS = Tools(now=lambda: datetime.now(UTC), monotonic=time.monotonic)
NETWORK = seeded(products=60, systems=["shopify"])
AUSTIN, PORTLAND, MIAMI = (RemoteLocationId(number) for number in ("7000001", "7000002", "7000003"))
AT_AUSTIN, AT_PORTLAND, AT_MIAMI = (NETWORK.carried_at(f"shop-{place}") for place in ("austin", "portland", "miami"))
EVERYWHERE = [sku for sku, units in AT_AUSTIN.items() if min(units, AT_PORTLAND.get(sku, 0), AT_MIAMI.get(sku, 0)) >= 4]
SKU = EVERYWHERE[0]
NOT_IN_AUSTIN = next(sku for sku, units in AT_MIAMI.items() if units >= 4 and sku not in AT_AUSTIN)
RECIPIENT = Address(
    lines=("1 Main St", "Apt 2"), city="Austin", region="TX", postal_code="78704", country_code="US", name="Ada Moore"
)


@dataclass(frozen=True)
class Scene:
    """A connector, the sandbox it speaks to, and the sandbox's controls."""

    shopify: Shopify
    sandbox: ShopifySandbox
    controls: httpx.AsyncClient
    url: str

    async def requests(self) -> int:
        count: int = (await self.controls.get("/_sandbox/journal")).json()["count"]
        return count


@asynccontextmanager
async def shopify(url: str, **settings: Any) -> AsyncIterator[Shopify]:
    defaults: dict[str, Any] = {"access_token": Secret("shopify-sandbox-token"), "client_secret": Secret("shopify-sandbox-secret")}
    connector = Shopify(ShopifySettings(url=url, **{**defaults, **settings}), TOOLS)
    try:
        yield connector
    finally:
        await connector.aclose()


def play(
    story: Callable[[Scene], Awaitable[None]],
    *,
    network: Network = NETWORK,
    services: Collection[str] = (),
    bucket: Bucket | None = None,
    **settings: Any,
) -> None:
    async def told() -> None:
        sandbox = ShopifySandbox(network, services=services, bucket=bucket)
        async with (
            serving(app_of(sandbox)) as url,
            shopify(url, **settings) as connector,
            httpx.AsyncClient(base_url=url, trust_env=False) as controls,
        ):
            await story(Scene(connector, sandbox, controls, url))

    asyncio.run(told())


def asking(
    key: str = "key-1", *, sku: Sku = SKU, units: int = 2, at: RemoteLocationId = MIAMI, method: Method = Method.SHIP
) -> FulfillmentRequest:
    return FulfillmentRequest(
        key=RequestKey(key),
        location=at,
        lines=(RequestLine(sku=sku, units=units),),
        recipient=RECIPIENT,
        method=method,
        order_number="1001",
    )
