"""All sandboxes at once: prints their URLs as one line of JSON, then serves until it is told to stop."""

import asyncio
import signal
from contextlib import AsyncExitStack

import click
import msgspec

from connectors.sandbox.controls import app_of
from connectors.sandbox.network import seeded
from connectors.sandbox.servers import sandboxes, serving


@click.command(context_settings={"show_default": True})
@click.option("--seed", default=7, help="Which network.")
@click.option("--products", default=500, help="How many SKUs.")
@click.option("--port-base", default=0, help="First of consecutive ports; 0 takes any that are free.")
def main(*, seed: int, products: int, port_base: int) -> None:
    """Serve one sandbox of each vendor over one seeded network."""
    asyncio.run(_serve(seed=seed, products=products, port_base=port_base))


async def _serve(*, seed: int, products: int, port_base: int) -> None:
    stop = asyncio.Event()
    for told in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(told, stop.set)
    parts = sandboxes(seeded(seed=seed, products=products))
    async with AsyncExitStack() as servers:
        urls = {
            name: await servers.enter_async_context(serving(app_of(sandbox), port=port_base and port_base + place))
            for place, (name, sandbox) in enumerate(parts.items())
        }
        click.echo(msgspec.json.encode(urls))
        await stop.wait()


if __name__ == "__main__":
    main()
