"""``python -m tests.benchmarks NAME``: each compares with something that ran in the same run, and checks its facts."""

import asyncio
import signal
import sys
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import click
import uvloop
from rich.console import Console
from rich.progress import Progress

from tests.benchmarks import inventory_query as inventory
from tests.benchmarks import order_mix as mix
from tests.benchmarks import place_order as place
from tests.benchmarks import reserve_hot_sku as reserve
from tests.benchmarks import routing as routes
from tests.benchmarks import scale as paper
from tests.benchmarks import scale_page as tables
from tests.benchmarks import sources as nine
from tests.benchmarks import units as costs
from tests.benchmarks import writer as writing
from tests.benchmarks.databases import Kind, databases
from tests.benchmarks.report import Report
from tests.benchmarks.stage import Variant, at_work, sandboxes, variants

Advance = Callable[[], object]
WIDE = 200


def _kinds(_context: click.Context, _option: click.Parameter, chosen: str) -> list[Kind]:
    return list(Kind) if chosen == "both" else [Kind(chosen)]


def _numbers(_context: click.Context, _option: click.Parameter, given: str) -> list[int]:
    try:
        numbers = [int(each) for each in given.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise click.BadParameter("numbers from 1 with commas between them are wanted, such as 1,2,4")
    return numbers


as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object for machines.")
_CHOICES = [*(kind.value for kind in Kind), "both"]
db = click.option(
    "--db", "kinds", type=click.Choice(_CHOICES), default="both", callback=_kinds, help="All are measured turn about."
)
workers = click.option("--workers", default="1,2,4", callback=_numbers, help="Processes on PostgreSQL; SQLite has one.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
def main() -> None:
    """Measure the gateway. Servers run in processes of their own, the load in this one."""


@main.command("inventory_query")
@as_json
@db
@click.option("--rounds", default=5)
@click.option("--requests", default=100, help="Queries of each kind in a round.")
@click.option("--clients", default=16, help="Beside one alone.")
def inventory_query(*, as_json: bool, kinds: Sequence[Kind], rounds: int, requests: int, clients: int) -> None:
    """Live stock of 50 SKUs, against an endpoint with no gateway in it."""

    async def story(folder: Path, advance: Advance) -> Report:
        async with inventory.stand(folder, clients, kinds) as found:
            await inventory.measure(found, rounds=1, requests=2 * clients, clients=(1, clients), advance=lambda: None)
            return await inventory.measure(found, rounds=rounds, requests=requests, clients=(1, clients), advance=advance)

    steps = rounds * requests * (4 * len(kinds) + 2 + 2 * inventory.BARE_HOT_TIMES)
    _play(story, steps=steps, as_json=as_json)


@main.command("sources")
@as_json
@click.option("--clients", default=100, help="Who ask the same at once.")
@click.option("--pairs", default=200, help="Of a query and the same read without the gateway.")
@click.option("--deadline", "deadline_s", default=0.5, help="Seconds, where one source hangs.")
@click.option("--skus-kept", default=100_000, help="As many as are remembered, if there is memory for them.")
@click.option("--locations", default=50, help="That have each of those.")
def sources(*, as_json: bool, clients: int, pairs: int, deadline_s: float, skus_kept: int, locations: int) -> None:
    """Nine sources: requests, added latency, one that hangs, memory."""
    plan = nine.Plan(many=clients, pairs=pairs, deadline_s=deadline_s, skus_kept=skus_kept, locations=locations)
    _play(lambda folder, advance: nine.measure(folder, plan, advance), steps=plan.steps, as_json=as_json)


@main.command("reserve_hot_sku")
@as_json
@db
@workers
@click.option("--rounds", default=3)
@click.option("--attempts", default=10_000)
@click.option("--clients", default=200)
def reserve_hot_sku(
    *, as_json: bool, kinds: Sequence[Kind], workers: Sequence[int], rounds: int, attempts: int, clients: int
) -> None:
    """200 clients want the last 1,000 units."""
    compared = variants(kinds, workers)

    async def story(folder: Path, advance: Advance) -> Report:
        runs: dict[str, list[reserve.Measured]] = {each.name: [] for each in compared}
        async with sandboxes(products=40) as sources, databases(folder, kinds) as made:
            for each in compared * rounds:
                async with at_work(each, made, sources.urls) as run:
                    runs[each.name].append(await reserve.measure(run, clients=clients, attempts=attempts, advance=advance))
        return reserve.report(runs, clients=clients, attempts=attempts)

    _play(story, steps=rounds * len(compared) * attempts, as_json=as_json)


@main.command("place_order")
@as_json
@db
@workers
@click.option("--rounds", default=3)
@click.option("--orders", default=2_000)
@click.option("--orders-alone", default=500, help="With a transaction for each.")
@click.option("--clients", default=200)
def place_order(
    *, as_json: bool, kinds: Sequence[Kind], workers: Sequence[int], rounds: int, orders: int, orders_alone: int, clients: int
) -> None:
    """Durable orders of five lines, over HTTP and through the writer alone; against a transaction for each."""
    together = variants(kinds, workers)
    alone = [Variant(kind=kind, batch_max=1) for kind in kinds if any(each.kind is kind and each.workers == 1 for each in together)]

    async def story(folder: Path, advance: Advance) -> Report:
        runs: dict[Variant, list[place.Measured]] = {each: [] for each in (*together, *alone)}
        async with sandboxes(products=40) as sources, databases(folder, kinds) as made:
            await place.fill(sources)
            for each in [*together, *alone] * rounds:
                many = orders_alone if each in alone else orders
                async with at_work(each, made, sources.urls) as run:
                    runs[each].append(await place.measure(run, clients=clients, orders=many, advance=advance))
            over_http = place.report(runs, clients=clients, orders=orders)
            through_the_writer = await writing.measure(
                made, kinds=kinds, rounds=rounds, orders=orders, orders_alone=orders_alone, advance=advance, planned=(True,)
            )
        return place.both(over_http, through_the_writer)

    steps = len(together) * orders + len(alone) * orders_alone + len(kinds) * (orders + orders_alone)
    _play(story, steps=rounds * steps, as_json=as_json)


@main.command("order_mix")
@as_json
@db
@workers
@click.option("--seconds", default=30, help="Of each variant.")
@click.option("--clients", default=16)
@click.option("--followers", default=4)
@click.option("--seed", default=7, help="Of what the clients do.")
def order_mix(
    *, as_json: bool, kinds: Sequence[Kind], workers: Sequence[int], seconds: int, clients: int, followers: int, seed: int
) -> None:
    """Everything that goes on in a day, at once: and nothing may be wrong in the books afterwards."""
    compared = variants(kinds, workers)

    async def story(folder: Path, advance: Advance) -> Report:
        runs: dict[str, mix.Measured] = {}
        async with sandboxes(products=mix.PRODUCTS) as sources, databases(folder, kinds) as made:
            await mix.fill(sources)
            for each in compared:
                runs[each.name] = await mix.measure(
                    each, made, sources, seconds=seconds, clients=clients, followers=followers, seed=seed, advance=advance
                )
        return mix.report(runs, seconds=seconds, clients=clients, followers=followers)

    _play(story, steps=len(compared) * seconds, as_json=as_json)


@main.command("writer")
@as_json
@db
@click.option("--rounds", default=3)
@click.option("--orders", default=2_000)
@click.option("--orders-alone", default=500, help="With a transaction for each.")
def writer(*, as_json: bool, kinds: Sequence[Kind], rounds: int, orders: int, orders_alone: int) -> None:
    """The writer alone: transactions shared by up to 256 orders, against a transaction for each."""

    async def story(folder: Path, advance: Advance) -> Report:
        async with databases(folder, kinds) as made:
            return await writing.measure(
                made, kinds=kinds, rounds=rounds, orders=orders, orders_alone=orders_alone, advance=advance
            )

    _play(story, steps=2 * len(kinds) * rounds * (orders + orders_alone), as_json=as_json)


@main.command("units")
@as_json
@db
@click.option("--operations", default=400, help="Of each.")
@click.option("--keep", is_flag=True, help="Have `scale` calculate from them.")
def units(*, as_json: bool, kinds: Sequence[Kind], operations: int, keep: bool) -> None:
    """What one of each thing costs."""

    async def story(folder: Path, advance: Advance) -> Report:
        found: dict[Kind, costs.Units] = {}
        async with sandboxes(products=costs.PRODUCTS) as sources, databases(folder, kinds) as made:
            await place.fill(sources)
            for kind in kinds:
                found[kind] = await costs.measure(kind, made, sources, operations=operations, advance=advance)
        report = costs.report(found, operations=operations)
        if keep:
            costs.keep(costs.Kept(machine=report.machine, units=found))
        return report

    _play(story, steps=4 * len(kinds), as_json=as_json)


@main.command("scale")
@as_json
@db
@click.option("--orders-per-s", default=5.0, help="At the peak.")
@click.option("--sku-locations", default=100_000, help="SKUs times the locations that have them.")
@click.option("--subscribers", default=10, help="Who follow every event of every order.")
@click.option("--check", is_flag=True, help="Run two small merchants here instead, and compare.")
@click.option("--seconds", default=20, help="With --check: of each.")
@click.option("--page", type=click.Path(path_type=Path, exists=True), help="Write the tables of this page instead.")
def scale(
    *,
    as_json: bool,
    kinds: Sequence[Kind],
    orders_per_s: float,
    sku_locations: int,
    subscribers: int,
    check: bool,
    seconds: int,
    page: Path | None,
) -> None:
    """What a merchant needs, calculated from the unit costs that were kept."""
    known = costs.kept()

    async def story(folder: Path, advance: Advance) -> Report:
        async with sandboxes(products=costs.PRODUCTS) as sources, databases(folder, kinds) as made:
            await place.fill(sources)
            return await paper.check(known.units, kinds, made, sources, seconds=seconds, advance=advance)

    if page is not None:
        page.write_text(tables.written(page.read_text(encoding="utf-8"), known), encoding="utf-8")
    elif check:
        steps = len(kinds) * sum(round(each.orders_per_s * seconds) for each in paper.POINTS)
        _play(story, steps=steps, as_json=as_json)
    else:
        merchant = paper.Merchant(orders_per_s=orders_per_s, sku_locations=sku_locations, subscribers=subscribers)
        of_kinds = {kind: found for kind, found in known.units.items() if kind in kinds}
        _show(paper.report(merchant, paper.needs(merchant, of_kinds), known.machine), as_json=as_json)


@main.command("routing", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("name", type=click.Choice(list(routes.BENCHMARKS)))
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def routing(*, name: str, options: Sequence[str]) -> None:
    """Which location ships, by every policy; NAME --help says more."""
    sys.exit(routes.run(name, options))


def _play(story: Callable[[Path, Advance], Coroutine[Any, Any, Report]], *, steps: int, as_json: bool) -> None:
    """Run it, show what it found, and fail if a fact does not hold."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # so that what was started is stopped
    aside = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="dom-benchmark-") as folder,
        Progress(console=aside, transient=True, disable=not aside.is_terminal) as progress,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        task = progress.add_task("measuring", total=steps)
        report = runner.run(story(Path(folder), lambda: progress.advance(task)))
    _show(report, as_json=as_json)
    if report.wrong:
        sys.exit(1)


def _show(report: Report, *, as_json: bool) -> None:
    if as_json:
        click.echo(report.json())
    else:
        report.show(Console(width=None if sys.stdout.isatty() else WIDE))


if __name__ == "__main__":
    main()
