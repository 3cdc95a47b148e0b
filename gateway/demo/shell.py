"""What a person sees of the demo: where to go, and what to paste."""

import asyncio
import signal
import tempfile
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from connectors.sandbox.network import System
from gateway.demo.world import TOKENS, World, world
from gateway.domain.principals import Role

QUERY = (
    '{ inventory(skus: [\\"SKU-0002\\"]) '
    "{ name availableToPromise complete levels { location { code } available asOf freshness } } }"
)


async def demonstrate(*, port: int, seed: int, products: int, systems: Collection[System], console: Console) -> None:
    """Run the demo until it is told to stop. A port that is taken is left for any that is free."""
    stop = asyncio.Event()
    for told in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(told, stop.set)
    with tempfile.TemporaryDirectory(prefix="dom-demo-") as folder:
        at_port = partial(world, folder=Path(folder), seed=seed, products=products, systems=systems)
        try:
            await _run(partial(at_port, port=port), console, stop)
        except OSError as error:
            if port == 0:
                raise
            console.print(f"[yellow]Port {port} is taken ({error.strerror}); another one is used.[/]")
            await _run(partial(at_port, port=0), console, stop)


async def _run(opened: Callable[[], AbstractAsyncContextManager[World]], console: Console, stop: asyncio.Event) -> None:
    async with opened() as running:
        _welcome(running, console)
        await stop.wait()
        console.print("\nStopping.")


def _welcome(running: World, console: Console) -> None:
    header = f'{{"authorization": "Bearer {TOKENS[Role.OPERATOR]}"}}'
    console.print(f"\n[bold]GraphQL[/]  {running.graphql}", highlight=False)
    console.print(f"In a browser, put {header} under Headers. Or paste:\n", highlight=False, markup=False)
    curl = (
        f"curl -s {running.graphql} -H 'authorization: Bearer {TOKENS[Role.STOREFRONT]}' "
        f"-H 'content-type: application/json' -d '{{\"query\":\"{QUERY}\"}}'"
    )
    console.print(curl, soft_wrap=True, highlight=False, markup=False)
    tokens = Table("role", "bearer token", title="\nOne token per role", title_justify="left", box=None, header_style="bold")
    for role, token in TOKENS.items():
        tokens.add_row(role.value, token)
    console.print(tokens)
    console.print("\n[italic]Behind it, on their vendors' wires. A line makes one hang, with -X DELETE it heals[/]")
    for name, url in running.sandboxes.items():
        broken = f'curl -s -X POST {url}/_sandbox/faults -d \'{{"kind":"HANG"}}\''
        console.print(f" {name:10} {broken}", soft_wrap=True, highlight=False, markup=False)
    console.print("\n`dom demo --tour` plays the whole story. Ctrl-C stops.\n", highlight=False, markup=False)
