"""The `dom` command."""

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final

import click
import msgspec
import structlog
import uvicorn
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table
from starlette.applications import Starlette

from connectors.contract import Sku
from connectors.registry import Tools, UnknownConnector, spec_of
from connectors.sandbox.network import ALL, THREE
from gateway import __version__, connecting, simulating
from gateway.api.schema import schema_of
from gateway.app import Parts, create_app, open_sources
from gateway.configuration import Misconfigured, load
from gateway.demo.shell import demonstrate
from gateway.demo.tour import tour
from gateway.domain.invariants import Report
from gateway.domain.plans.strategies import UnknownStrategy
from gateway.domain.refusals import StoreUnavailable
from gateway.domain.whatif import Comparison, compare, strategies_of
from gateway.services.verification import Effects
from gateway.settings import Queries, Settings
from gateway.storage.database import DatabaseInUse, prepare
from gateway.storage.queries import SqlStore
from gateway.storage.verification import verify
from gateway.storage.verification.snapshot import beside, snapshot
from gateway.storage.verification.works import SqlWorks
from gateway.system import SystemClock

DIFFERENT: Final = 1
BROKEN: Final = 1
MISTAKEN: Final = 2
CONFIG_OF_WORKERS: Final = "DOM_CONFIG"

# Without the values of local variables: they are slow to draw and may hold credentials.
_FOR_PEOPLE: Final = (structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),)
_FOR_MACHINES: Final = (structlog.processors.format_exc_info, structlog.processors.JSONRenderer())
STOP_WITHIN_S: Final = 5
GARBAGE: Final = (10_000, 20, 20)
"""How much is made before it is looked through for cycles: more than one query needs, which is not garbage yet."""
DEFAULT_CONFIG: Final = Path("dom.toml")
SIMULATED: Final = 1_000


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, prog_name="dom")
def main() -> None:
    """Distributed order management: one graph over the live stock of warehouses, stores and 3PLs."""


@main.command()
@click.option("--tour", "guided", is_flag=True, help="Play the whole story against the running pieces, then stop.")
@click.option("--json", "as_json", is_flag=True, help="With --tour: one JSON object for machines.")
@click.option("--port", default=8080, help="Where the gateway answers; 0 takes any that is free.")
@click.option("--seed", default=7, help="Which network.")
@click.option("--products", default=500, help="How many SKUs.")
@click.option("--all-sources", is_flag=True, help="Nine systems of record instead of three.")
def demo(*, guided: bool, as_json: bool, port: int, seed: int, products: int, all_sources: bool) -> None:
    """Run a whole network on this machine: systems of record that keep state, and the gateway."""
    _log(quiet=True)
    if as_json and not guided:
        raise click.UsageError("--json goes with --tour.")
    if all_sources and guided:
        raise click.UsageError("The tour is about three sources.")
    if guided:
        sys.exit(asyncio.run(tour(seed=seed, products=products, as_json=as_json)))
    try:
        systems = ALL if all_sources else THREE
        asyncio.run(demonstrate(port=port, seed=seed, products=products, systems=systems, console=Console()))
    except KeyboardInterrupt:
        click.echo("Stopped.")


@main.command()
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), default=Path("dom.toml"), help="What is where.")
@click.option("--check", is_flag=True, help="Only read the configuration, and say what is wrong with it.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, help="How many processes; several need PostgreSQL.")
def serve(*, config: Path, check: bool, workers: int) -> None:
    """Serve the graph over the sources of a configuration file."""
    settings = _settings(config)
    if check:
        click.echo(f"{config} is fine: {len(settings.sources)} sources, {len(settings.tokens)} tokens.")
        return
    _log(quiet=False)
    try:
        asyncio.run(prepare(settings.store.url, SystemClock(), processes=workers))
    except (DatabaseInUse, StoreUnavailable, ValueError) as error:
        click.echo(str(error), err=True)
        sys.exit(MISTAKEN)
    server = settings.server
    click.echo(f"GraphQL at http://{server.host}:{server.port}/graphql", err=True)
    os.environ[CONFIG_OF_WORKERS] = str(config.resolve())
    uvicorn.run(
        "gateway.__main__:application",
        factory=True,
        workers=workers,
        host=server.host,
        port=server.port,
        ws="websockets-sansio",
        ws_max_size=server.body_bytes_max,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )


def application() -> Starlette:
    """The gateway of one worker process, which reads the configuration for itself."""
    _log(quiet=False)
    app = create_app(_settings(Path(os.environ[CONFIG_OF_WORKERS])))
    _leave_alone_what_stays()
    return app


def _leave_alone_what_stays() -> None:
    """Spare the collector of cycles what is there now, code and graph: nothing is answered while it walks over all of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


@main.command(name="verify")
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), default=Path("dom.toml"), help="What is where.")
@click.option("--sources", "ask_sources", is_flag=True, help="Also ask every source for all that it was ever asked to do.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for machines.")
@click.option("--limit", type=click.IntRange(min=1), default=100, help="How many differences to show; all are counted.")
def verify_all(*, config: Path, ask_sources: bool, as_json: bool, limit: int) -> None:
    """Recompute everything that must be true from the ledger, the events and the documents. Exits with 1 if anything differs.

    It only reads, in one snapshot: gateways may go on serving the same database.
    """
    settings = _settings(config)
    _log(quiet=True)
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("")

        def advance(what: str, done: int, of: int | None) -> None:
            progress.update(bar, description=what, completed=done, total=of)

        try:
            report = asyncio.run(_verified(settings, advance, ask_sources=ask_sources, limit=limit))
        except (StoreUnavailable, ValueError) as error:
            click.echo(str(error), err=True)
            sys.exit(MISTAKEN)
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        _tell(report, Console())
    sys.exit(0 if report.is_clean else DIFFERENT)


async def _verified(settings: Settings, advance: Callable[..., None], *, ask_sources: bool, limit: int) -> Report:
    database = beside(settings.store.url, SystemClock())
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.aclose)
        report = await verify(database, advance=advance, limit=limit)
        if ask_sources:
            sources = await open_sources(settings, Parts(), stack)
            report += await Effects(sources=sources, works=SqlWorks(database=database), advance=advance).check()
        return report


def _tell(report: Report, console: Console) -> None:
    table = Table("rule", "about", "expected", "found", "what differs", box=None, header_style="bold")
    for each in report.differences:
        table.add_row(*(escape(part) for part in (each.invariant, each.about, each.expected, each.found, each.says)))
    if report.differences:
        console.print(table)
    for unchecked in report.unchecked:
        console.print(f"Could not be checked: {unchecked}", markup=False, highlight=False, soft_wrap=True)
    checked = ", ".join(f"{count:,} {what}" for what, count in report.checked.items())
    total = sum(report.violations.values())
    came_to = f"{total:,} differences" if total else "nothing differs"
    console.print(f"{came_to}: {checked}, in {report.took_s:.1f} s", markup=False, highlight=False, soft_wrap=True)


@main.command()
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="Whose orders; dom.toml, where there is one.")
@click.option("--demo", "made_up", is_flag=True, help="Orders to a made-up network, as also where there is no configuration.")
@click.option(
    "--policy", "policies", multiple=True, metavar="NAME[@VERSION]", help="A version of a policy, drafts too; or the newest."
)
@click.option("--strategy", "strategies", multiple=True, metavar="NAME", help="A rule of thumb, such as fewest_splits or closest.")
@click.option("--orders", type=click.IntRange(1, 100_000), help="So many simulated orders instead of past ones.")
@click.option("--last", type=click.IntRange(1, 100_000), default=1_000, help="So many of the last orders.")
@click.option("--seed", default=7, help="Which simulated orders.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for machines.")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Also draw cost against packages into this file.")
def simulate(
    *,
    config: Path | None,
    made_up: bool,
    policies: tuple[str, ...],
    strategies: tuple[str, ...],
    orders: int | None,
    last: int,
    seed: int,
    as_json: bool,
    svg: Path | None,
) -> None:
    """Route past or simulated orders in several ways, and compare what comes of it. It only reads.

    Each way has the stock that it would have left. All are paid by the weights in force.
    """
    _log(quiet=True)
    found = None if made_up else config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    try:
        if found is None:
            if policies:
                raise click.UsageError("A made-up network has no policies: --strategy, or --config.")
            ground = simulating.made_up_ground(orders=orders or SIMULATED, seed=seed, strategies=strategies)
        else:
            asked = partial(
                simulating.recorded_ground, last=last, orders=orders, seed=seed, policies=policies, strategies=strategies
            )
            ground = asyncio.run(_recorded(_settings(found), asked))
        comparison = _compared(ground)
        if svg is not None:
            svg.write_text(simulating.picture(comparison, ground.about), encoding="utf-8")
    except (simulating.Untried, UnknownStrategy, StoreUnavailable, ValueError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(MISTAKEN)
    if as_json:
        click.echo(msgspec.json.encode({"about": ground.about, "comparison": comparison}))
    else:
        simulating.tell(comparison, ground.about, Console())


async def _recorded(settings: Settings, asked: Callable[[SqlStore], Awaitable[simulating.Ground]]) -> simulating.Ground:
    database = beside(settings.store.url, SystemClock())
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.aclose)
        async with snapshot(database):  # there is such a database, and it is one of ours
            return await asked(SqlStore(database=database))


def _compared(ground: simulating.Ground) -> Comparison:
    strategies = strategies_of((ground.in_force, *ground.others))
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task(ground.about, total=len(ground.cases))
        return compare(ground.cases, ground.in_force, ground.others, strategies, partial(progress.advance, bar))


@main.group(name="connectors")
def kinds_of_sources() -> None:
    """Kinds of sources, what each wants to know, and whether a configured one works."""


@kinds_of_sources.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array for machines.")
def list_kinds(*, as_json: bool) -> None:
    """Every kind of source that is installed, broken ones with the reason."""
    found = connecting.kinds()
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        connecting.tell_kinds(found, Console())


@kinds_of_sources.command()
@click.argument("kind")
@click.option("--json", "as_json", is_flag=True, help="The settings as JSON Schema.")
def describe(*, kind: str, as_json: bool) -> None:
    """What a kind of source wants to know."""
    try:
        spec = spec_of(kind)
    except UnknownConnector as error:
        click.echo(str(error), err=True)
        sys.exit(MISTAKEN)
    if as_json:
        click.echo(msgspec.json.encode(connecting.schema(spec)))
    else:
        connecting.tell_knobs(spec, connecting.knobs(spec), Console())


@kinds_of_sources.command()
@click.argument("name")
@click.option("--sku", help="Which SKU to read; without it, the first that the source lists.")
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), default=Path("dom.toml"), help="What is where.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for machines.")
def check(*, name: str, sku: str | None, config: Path, as_json: bool) -> None:
    """Ask a configured source for health, locations and one SKU, beside what it really says. Exits with 1 if anything is broken."""
    settings = _settings(config)
    source = next((each for each in settings.sources if each.name == name), None)
    if source is None:
        click.echo(f"{config} has no source {name!r}; it has {', '.join(each.name for each in settings.sources)}", err=True)
        sys.exit(MISTAKEN)
    _log(quiet=True)
    clock = SystemClock()
    tools = Tools(now=clock.now, monotonic=clock.monotonic)
    told = asyncio.run(connecting.checked(source, tools, None if sku is None else Sku(sku)))
    if as_json:
        click.echo(msgspec.json.encode(told))
    else:
        connecting.tell_check(told, Console())
    sys.exit(0 if told.is_fine else BROKEN)


@main.group()
def schema() -> None:
    """The graph's schema."""


@schema.command(name="print")
def print_schema() -> None:
    """Print the served schema in GraphQL's schema language."""
    click.echo(schema_of(Queries()).as_str())


def _settings(config: Path) -> Settings:
    try:
        return load(config, os.environ)
    except Misconfigured as error:
        for mistake in error.mistakes:
            click.echo(str(mistake), err=True)
        sys.exit(MISTAKEN)


def _log(*, quiet: bool) -> None:
    """Log to standard error: as JSON lines for machines, as colored lines where a person looks."""
    level = logging.ERROR if quiet else logging.INFO
    person = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *(_FOR_PEOPLE if person else _FOR_MACHINES),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=level if quiet else logging.WARNING, stream=sys.stderr)


if __name__ == "__main__":
    main()
