"""Followers of everything that happens, who go on at another gateway whenever the one they listen to is gone."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from gateway.demo.world import TOKENS
from gateway.domain.principals import Role
from tests.chaos.gateways import Gateway

FOLLOW = "subscription ($after: String) { orderEvents(after: $after) { cursor version order { number } } }"
BEGIN = "{ orders(first: 1) { eventCursor } }"
AGAIN_AFTER_S = 0.1
STAYS_S = 8.0
DATA = "data: {"


@dataclass(slots=True, kw_only=True)
class Follower:
    """What one of them saw: number and version of the order, event by event."""

    gateways: Sequence[Gateway]
    random: Random
    seen: list[tuple[str, int]] = field(default_factory=list)
    connections: int = 0
    violations: list[str] = field(default_factory=list)
    _cursor: str | None = None

    async def follow(self) -> None:
        """Listen until canceled."""
        while True:
            try:
                async with asyncio.timeout(self.random.uniform(0.5, 1) * STAYS_S):
                    await self._listen(self.random.choice([each for each in self.gateways if each.ready]))
            except (httpx.HTTPError, TimeoutError, ValueError, LookupError):  # LookupError: none is ready
                await asyncio.sleep(AGAIN_AFTER_S)

    async def _listen(self, gateway: Gateway) -> None:
        if self._cursor is None:
            self._cursor = str((await gateway.graph.post({"query": BEGIN})).json()["data"]["orders"]["eventCursor"])
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {TOKENS[Role.OPERATOR]}"}
        body = {"query": FOLLOW, "variables": {"after": self._cursor}}
        async with gateway.client.stream("POST", "/graphql", json=body, headers=headers) as answer:
            self.connections += 1
            async for each in answer.aiter_lines():
                if each.startswith(DATA):
                    self._see(json.loads(each.removeprefix("data: ")))

    def _see(self, result: dict[str, Any]) -> None:
        if "errors" in result:
            codes = {error["extensions"]["code"] for error in result["errors"]}
            if "STORE_UNAVAILABLE" not in codes:
                self.violations.append(f"a follower was told {result['errors']}")
            raise ValueError(codes)
        event = result["data"]["orderEvents"]
        self._cursor = event["cursor"]
        self.seen.append((event["order"]["number"], event["version"]))
