"""``python -m tests.benchmarks NAME``: each compares with something that ran in the same run, and checks its facts."""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import click
import uvloop
from rich.console import Console
from rich.progress import Progress

from tests.benchmarks import inventory_query as inventory
from tests.benchmarks import place_order as place
from tests.benchmarks import reserve_hot_sku as reserve
from tests.benchmarks import writer as writing
from tests.benchmarks.report import Report
from tests.benchmarks.stage import gateway, sandboxes

Advance = Callable[[], object]

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object for machines.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
def main() -> None:
    """Measure the gateway. Servers run in processes of their own, the load in this one."""


@main.command("inventory_query")
@as_json
@click.option("--rounds", default=5)
@click.option("--requests", default=100, help="Queries of each kind in a round.")
@click.option("--clients", default=16, help="Beside one alone.")
def inventory_query(*, as_json: bool, rounds: int, requests: int, clients: int) -> None:
    """Live stock of 50 SKUs, against an endpoint with no gateway in it."""

    async def story(folder: Path, advance: Advance) -> Report:
        async with inventory.stand(folder, clients) as found:
            await inventory.measure(found, rounds=1, requests=2 * clients, clients=(1, clients), advance=lambda: None)
            return await inventory.measure(found, rounds=rounds, requests=requests, clients=(1, clients), advance=advance)

    _play(story, steps=rounds * requests * (6 + 2 * inventory.BARE_HOT_TIMES), as_json=as_json)


@main.command("reserve_hot_sku")
@as_json
@click.option("--rounds", default=3)
@click.option("--attempts", default=10_000)
@click.option("--clients", default=200)
def reserve_hot_sku(*, as_json: bool, rounds: int, attempts: int, clients: int) -> None:
    """200 clients want the last 1,000 units."""

    async def story(folder: Path, advance: Advance) -> Report:
        runs = []
        async with sandboxes(products=40) as sources:
            for turn in range(rounds):
                async with gateway(sources.urls, folder / str(turn)) as server:
                    database = folder / str(turn) / "dom.sqlite3"
                    runs.append(await reserve.measure(server, database, clients=clients, attempts=attempts, advance=advance))
        return reserve.report(runs, clients=clients, attempts=attempts)

    _play(story, steps=rounds * attempts, as_json=as_json)


@main.command("place_order")
@as_json
@click.option("--rounds", default=3)
@click.option("--orders", default=2_000)
@click.option("--clients", default=200)
def place_order(*, as_json: bool, rounds: int, orders: int, clients: int) -> None:
    """Durable orders of five lines."""

    async def story(folder: Path, advance: Advance) -> Report:
        runs = []
        async with sandboxes(products=40) as sources:
            await place.fill(sources)
            for turn in range(rounds):
                async with gateway(sources.urls, folder / str(turn)) as server:
                    database = folder / str(turn) / "dom.sqlite3"
                    runs.append(await place.measure(server, database, clients=clients, orders=orders, advance=advance))
        return place.report(runs, clients=clients, orders=orders)

    _play(story, steps=rounds * orders, as_json=as_json)


@main.command("writer")
@as_json
@click.option("--rounds", default=3)
@click.option("--orders", default=2_000)
@click.option("--orders-alone", default=500, help="With a transaction for each.")
def writer(*, as_json: bool, rounds: int, orders: int, orders_alone: int) -> None:
    """The writer alone: transactions shared by up to 64 orders, against a transaction for each."""

    async def story(folder: Path, advance: Advance) -> Report:
        return await writing.measure(folder, rounds=rounds, orders=orders, orders_alone=orders_alone, advance=advance)

    _play(story, steps=rounds * (orders + orders_alone), as_json=as_json)


def _play(story: Callable[[Path, Advance], Coroutine[Any, Any, Report]], *, steps: int, as_json: bool) -> None:
    """Run it, show what it found, and fail if a fact does not hold."""
    aside = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="dom-benchmark-") as folder,
        Progress(console=aside, transient=True, disable=not aside.is_terminal) as progress,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        task = progress.add_task("measuring", total=steps)
        report = runner.run(story(Path(folder), lambda: progress.advance(task)))
    if as_json:
        click.echo(report.json())
    else:
        report.show(Console())
    if report.wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
