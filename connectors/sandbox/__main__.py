"""Sandboxes at work: prints where they are as one line of JSON, then serves until it is told to stop."""

import asyncio
import gc
import signal
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import msgspec

from connectors.sandbox.network import ALL, THREE, Network, System, seeded
from connectors.sandbox.servers import at_work


@click.command(context_settings={"show_default": True})
@click.option("--seed", default=7, help="Which network.")
@click.option("--products", default=500, help="How many SKUs.")
@click.option("--port-base", default=0, help="First of consecutive ports; 0 takes any that are free.")
@click.option("--system", "systems", type=click.Choice(ALL), multiple=True, default=THREE, help="Which; may be repeated.")
@click.option("--addresses", is_flag=True, help="Tell on a second line what a gateway is given as their addresses.")
def main(*, seed: int, products: int, port_base: int, systems: tuple[System, ...], addresses: bool) -> None:
    """Serve one sandbox of each system over one seeded network, and tell where their controls are."""
    network = seeded(seed=seed, products=products, systems=systems)
    asyncio.run(_serve(network, port_base=port_base, addresses=addresses))


async def _serve(network: Network, *, port_base: int, addresses: bool) -> None:
    stop = asyncio.Event()
    for told in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(told, stop.set)
    with TemporaryDirectory(prefix="dom-sandboxes-") as folder:
        async with at_work(network, Path(folder), port_base=port_base) as running:
            click.echo(msgspec.json.encode({name: each.controls for name, each in running.items()}))
            if addresses:
                click.echo(msgspec.json.encode({name: each.address for name, each in running.items()}))
            gc.freeze()  # the world stays: walking over it for garbage would make answers late
            await stop.wait()


if __name__ == "__main__":
    main()
