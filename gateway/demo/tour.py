"""The whole story, played against the running pieces: each step does something real, looks at what came of it, and says so."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import perf_counter

import httpx
from rich.console import Console
from rich.rule import Rule

from gateway.demo.client import NotAsTold, Visitor
from gateway.demo.steps import FOLLOW, STEPS, Facts, Guide, Step
from gateway.demo.world import World, world


async def tour(*, seed: int, products: int, as_json: bool) -> int:
    """Play the story and return the exit status: 0, if everything was as told."""
    console = Console(quiet=as_json)
    told: list[Facts] = []
    with tempfile.TemporaryDirectory(prefix="dom-tour-") as folder:
        async with world(folder=Path(folder), port=0, seed=seed, products=products) as running, _guided(running, console) as guide:
            console.print(f"\nA network of 12 locations behind three systems of record; the gateway at {running.graphql}.")
            for number, (name, title, step) in enumerate(STEPS, start=1):
                console.print()
                console.print(Rule(f"[bold]{number} · {title}", align="left"))
                told.append(await _played(name, step, guide))
                if not told[-1]["ok"]:
                    console.print(f"[bold red]Not as told:[/] {told[-1]['problem']}", highlight=False)
                    break
    ok = len(told) == len(STEPS) and all(each["ok"] for each in told)
    if as_json:
        json.dump({"ok": ok, "steps": told}, sys.stdout)
        sys.stdout.write("\n")
    console.print(f"\n[bold green]All {len(STEPS)} steps were as told.[/]\n" if ok else "\n[bold red]The tour stopped.[/]\n")
    return 0 if ok else 1


@asynccontextmanager
async def _guided(running: World, console: Console) -> AsyncIterator[Guide]:
    """A guide who has been listening to the order events since before the first order."""
    async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
        guide = Guide(visitor=Visitor(running, http), console=console)

        async def listen() -> None:
            async for data in guide.visitor.events(FOLLOW):
                guide.seen.append(data["orderEvents"])

        listening = asyncio.create_task(listen())
        try:
            yield guide
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening


async def _played(name: str, step: Step, guide: Guide) -> Facts:
    started_s = perf_counter()
    try:
        facts = await step(guide)
    except (NotAsTold, httpx.HTTPError) as error:
        return {"name": name, "ok": False, "problem": str(error), "seconds": round(perf_counter() - started_s, 3)}
    return {"name": name, "ok": True, "seconds": round(perf_counter() - started_s, 3), **facts}
