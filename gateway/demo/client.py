"""The demo's own client: it asks the gateway as anybody would, and plays the people at the other end of each sandbox."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx

from gateway.demo.world import TOKENS, World
from gateway.domain.principals import Role

POLL_S: Final = 0.05
PATIENCE_S: Final = 20.0


class NotAsTold(AssertionError):
    """The gateway did something else than the story says."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who walks through the demo."""

    world: World
    http: httpx.AsyncClient

    async def ask(self, query: str, *, role: Role = Role.OPERATOR, **variables: Any) -> Any:
        """The data of an operation.

        Raises:
            NotAsTold: It has errors.
        """
        answer = await self.http.post(
            self.world.graphql,
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {TOKENS[role]}"},
        )
        content = answer.json()
        if "errors" in content:
            raise NotAsTold(json.dumps(content["errors"]))
        return content["data"]

    async def until(self, query: str, done: Callable[[Any], bool], **variables: Any) -> Any:
        """Ask again until the answer is as expected.

        Raises:
            NotAsTold: It never was.
        """
        data = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not done(data := await self.ask(query, **variables)):
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise NotAsTold(f"after {PATIENCE_S:.0f} s it still is {json.dumps(data)}") from None
        return data

    async def events(self, query: str, **variables: Any) -> AsyncIterator[Any]:
        """What a subscription says, as server-sent events."""
        headers = {"authorization": f"Bearer {TOKENS[Role.PARTNER]}", "accept": "text/event-stream"}
        body = {"query": query, "variables": variables}
        async with self.http.stream("POST", self.world.graphql, json=body, headers=headers, timeout=None) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data:") and (payload := line.removeprefix("data:").strip()):
                    yield json.loads(payload)["data"]

    # ------------------------------------------------------------------------------------------ the other end
    async def fault(self, sandbox: str, kind: str, **more: Any) -> None:
        """Make a sandbox fail."""
        await self._control(sandbox, "POST", "faults", {"kind": kind, **more})

    async def heal(self, sandbox: str) -> None:
        """Make it work again."""
        await self._control(sandbox, "DELETE", "faults")

    async def requests(self, sandbox: str) -> int:
        """How many requests came in since the journal was emptied."""
        journal = await self._control(sandbox, "GET", "journal")
        return int(journal["count"])

    async def forget(self) -> None:
        """Empty the journals of all sandboxes."""
        for sandbox in self.world.sandboxes:
            await self._control(sandbox, "DELETE", "journal")

    async def orders(self, sandbox: str) -> list[dict[str, Any]]:
        """What has arrived at a sandbox."""
        found: list[dict[str, Any]] = await self._control(sandbox, "GET", "orders")
        return found

    async def act(self, sandbox: str, ref: str, verb: str, **more: Any) -> None:
        """Do what people there do with an order: ``accept``, ``reject`` or ``ship``."""
        await self._control(sandbox, "POST", f"orders/{ref}/{verb}", more)

    async def _control(self, sandbox: str, method: str, path: str, body: Any = None) -> Any:
        answer = await self.http.request(method, f"{self.world.sandboxes[sandbox]}/_sandbox/{path}", json=body)
        answer.raise_for_status()
        return answer.json()
