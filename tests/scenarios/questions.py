"""What the stories ask again and again, and the time they live in."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.settings import Settings
from tests.harness import Graph

STOCK = """query ($skus: [String!]!, $age: Int) { inventory(skus: $skus, maxAgeSeconds: $age) {
  sku availableToPromise available reserved complete carried
  levels { sku freshness onHand available reserved allocated availableToPromise asOf location { code } source { name } }
  sources { source { name } status freshness reason asOf } } }"""

ORDER = """query ($id: ID!) { order(by: {id: $id}) { id status version canceledBecause supportedActions
  lines { sku units quantities { state units } }
  routingDecisions { id plan { location { code } lines { sku units } } }
  fulfillmentOrders { id status requestStatus remoteRef note supportedActions location { code } lines { sku units }
    remaining { sku units } rejection { reasonCode units }
    shipments { packages { carrier trackingNumber lines { sku units } } } }
  timeline { type version } } }"""

CANCEL = """mutation ($input: OrderCancelInput!) { orderCancel(input: $input) {
  order { status canceledBecause } userErrors { code message } } }"""

REJECT = """mutation ($input: FulfillmentOrderRejectInput!) { fulfillmentOrderReject(input: $input) {
  fulfillmentOrder { status requestStatus } userErrors { code message } } }"""

SHIP = """mutation ($input: FulfillmentOrderShipInput!) { fulfillmentOrderShip(input: $input) {
  fulfillmentOrder { status requestStatus remaining { sku units } } userErrors { code message } } }"""


@dataclass(slots=True)
class Ahead:
    """The machine's clock, put forward by as much as a story needs to skip."""

    by_s: float = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.by_s)

    def monotonic(self) -> float:
        return time.monotonic() + self.by_s


def forgetful(settings: Settings) -> Settings:
    """Nothing that sources said stays fresh, and whatever is asked again is asked again at once."""
    return _timed(settings, timeout_s=20.0, fresh_for_s=0.001)


def impatient(settings: Settings) -> Settings:
    """The same, and sources are given up on early, though after the deadline of an answer."""
    found = _timed(settings, timeout_s=4.0, fresh_for_s=0.001)
    return replace(found, stock=replace(found.stock, deadline_s=3.0))


def _timed(settings: Settings, *, timeout_s: float, fresh_for_s: float) -> Settings:
    timed = {"attempt_timeout_s": timeout_s, "total_timeout_s": timeout_s, "fresh_for_s": fresh_for_s}
    sources = tuple(replace(each, connection=replace(each.connection, **timed)) for each in settings.sources)
    network = replace(settings.network, retry_s=0.1)
    return replace(settings, sources=sources, network=network, work=replace(settings.work, status_poll_s=0.1))


def attentive(settings: Settings) -> Settings:
    """Sources are read for every question, and asked often how their work stands."""
    sources = tuple(replace(each, connection=replace(each.connection, fresh_for_s=0.001)) for each in settings.sources)
    return replace(settings, sources=sources, work=replace(settings.work, status_poll_s=0.1, submit_attempts_max=12))


async def item(graph: Graph, sku: str, *, age: int | None = None) -> dict[str, Any]:
    """One SKU over the whole network."""
    (found,) = (await graph(STOCK, skus=[sku], age=age))["inventory"]
    return dict(found)


def level(stock: dict[str, Any], code: str) -> dict[str, Any]:
    """What the stock of one SKU is at that location."""
    return dict(next(each for each in stock["levels"] if each["location"]["code"] == code))


def said(stock: dict[str, Any], source: str) -> dict[str, Any]:
    """What that source contributed."""
    return dict(next(each for each in stock["sources"] if each["source"]["name"] == source))


async def settled(graph: Graph, order: str, done: Callable[[dict[str, Any]], bool], *, wait_s: float = 60.0) -> dict[str, Any]:
    """The order, once it is as expected."""
    found = await graph.until(ORDER, lambda data: done(data["order"]), id=order, wait_s=wait_s)
    return dict(found["order"])


def requests_are(*statuses: str) -> Callable[[dict[str, Any]], bool]:
    """Whether the order's work has come exactly this far, oldest first."""
    return lambda order: tuple(work["requestStatus"] for work in order["fulfillmentOrders"]) == statuses


def told(done: Callable[[dict[str, Any]], bool]) -> Callable[[dict[str, Any]], bool]:
    """Whether the order is as expected and its timeline has caught up with it: events are numbered a moment later."""
    return lambda order: done(order) and len(order["timeline"]) == order["version"]


async def eventually(fact: Callable[[], Awaitable[bool]], *, wait_s: float = 60.0) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(wait_s):
        while not await fact():
            await asyncio.sleep(0.02)
