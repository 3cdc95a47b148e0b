"""Customers who insist: each asks under one key until somebody answers, whichever gateway that is."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from gateway.domain.principals import Role
from tests.chaos.gateways import Gateway
from tests.harness import CHICAGO, line

HOT = "SKU-0001"
SKUS = (HOT, "SKU-0005", "SKU-0006", "SKU-0008", "SKU-0010")
PASSING = {"OVERLOADED", "STORE_UNAVAILABLE", "STOCK_UNKNOWN"}
AGAIN_AFTER_S = 0.05
BUG = "INTERNAL_SERVER_ERROR"

BUY = """mutation ($input: OrderPlaceInput!) { orderPlace(input: $input) {
  order { id number } userErrors { code message } } }"""
CANCEL = """mutation ($input: OrderCancelInput!) { orderCancel(input: $input) {
  order { id } userErrors { code message } } }"""
HOLD = """mutation ($input: ReservationCreateInput!) { reservationCreate(input: $input) {
  reservation { id } userErrors { code message } } }"""
RELEASE = """mutation ($input: ReservationReleaseInput!) { reservationRelease(input: $input) {
  reservation { id } userErrors { code message } } }"""

Input = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Customers:
    """What they asked for and were told. ``orders`` are those acknowledged, by key; the sets hold ids."""

    gateways: Sequence[Gateway]
    random: Random
    orders: dict[str, str] = field(default_factory=dict)
    canceled: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def shop(self, customer: int, *, think_s: float) -> None:
        """Visit after visit, until closing time."""
        visits = 0
        while not self.closing.is_set():
            visits += 1
            await self._visit(f"{customer}-{visits}")
            await asyncio.sleep(self.random.uniform(0, 2 * think_s))

    async def _visit(self, key: str) -> None:
        lines = [line(sku, self.random.randint(1, 3)) for sku in self.random.sample(SKUS, self.random.randint(1, 3))]
        held = await self._hold(key, lines) if self.random.random() < 0.4 else None
        if held is not None and self.random.random() < 0.3:
            await self._release(key, held)
            return
        order = await self._buy(key, lines, held)
        if order is not None and self.random.random() < 0.15:
            await self._cancel(key, order)

    async def _hold(self, key: str, lines: list[dict[str, Any]]) -> str | None:
        asked = {"idempotencyKey": key, "lines": lines, "ttlSeconds": 20}
        payload = await self._ask(HOLD, asked)
        return None if payload["reservation"] is None else str(payload["reservation"]["id"])

    async def _release(self, key: str, held: str) -> None:
        payload = await self._ask(RELEASE, {"idempotencyKey": key, "id": held})
        if payload["reservation"] is not None:
            self.released.add(held)

    async def _buy(self, key: str, lines: list[dict[str, Any]], held: str | None) -> str | None:
        """The order, asked for once, or at two gateways at once, or again later: it is the same order each time."""
        asked = {"idempotencyKey": key, "channel": "web", "lines": lines, "to": CHICAGO, "reservation": held}
        at_once = 2 if self.random.random() < 0.15 else 1
        found = [each["order"] for each in await asyncio.gather(*(self._ask(BUY, asked) for _ in range(at_once)))]
        if any(found) and self.random.random() < 0.3:
            found.append((await self._ask(BUY, asked))["order"])
        orders = {each["id"] for each in found if each is not None}
        if len(orders) > 1:
            self.violations.append(f"one key, {key}, several orders: {orders}")
        if not orders:
            return None
        self.orders[key] = orders.pop()
        return self.orders[key]

    async def _cancel(self, key: str, order: str) -> None:
        asked = {"idempotencyKey": key, "id": order, "reasonCode": "CUSTOMER"}
        payload = await self._ask(CANCEL, asked, role=Role.OPERATOR)
        if payload["order"] is not None:
            self.canceled.add(order)

    async def _ask(self, query: str, asked: Input, *, role: Role = Role.STOREFRONT) -> dict[str, Any]:
        """The payload, once somebody says yes or no."""
        name = query.partition("{ ")[2].partition("(")[0]
        while True:
            ready = [each for each in self.gateways if each.ready]  # as a load balancer sees it: a moment late
            if ready:
                payload = await self._asked_once(self.random.choice(ready), query, asked, role)
                codes = {error["code"] for error in payload["userErrors"]} if payload is not None else PASSING
                if payload is not None and not codes & PASSING:
                    self.counts[f"{name} {'refused' if codes else 'done'}"] += 1
                    return payload
                self.counts["asked again"] += 1
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _asked_once(self, gateway: Gateway, query: str, asked: Input, role: Role) -> dict[str, Any] | None:
        """The payload; None: no answer, or none that says yes or no."""
        try:
            answer = await gateway.graph.post({"query": query, "variables": {"input": asked}}, role=role)
            body = answer.json()
        except (httpx.HTTPError, ValueError):
            return None
        for error in body.get("errors", ()):
            if error.get("extensions", {}).get("code") == BUG:
                self.violations.append(f"a bug of {gateway.name}: {error}")
        payload: dict[str, Any] | None = next(iter((body.get("data") or {"none": None}).values()))
        return payload
