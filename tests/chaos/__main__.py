"""``python -m tests.chaos``: real processes, killed again and again, and what was promised is still kept."""

import asyncio
import json
import logging
import signal
import statistics
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.chaos.grounds import ground
from tests.chaos.story import Outcome, Plan, play

SEEDS = 1_000_000


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--kills", type=click.IntRange(1), default=30, help="How often a gateway is killed, about every second.")
@click.option(
    "--db", type=click.Choice(["sqlite", "postgres"]), default="sqlite", help="One gateway on a file, or two on a server."
)
@click.option("--seed", type=int, default=None, help="Which storm; without it, one that was never seen.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for machines.")
def main(*, kills: int, db: str, seed: int | None, as_json: bool) -> None:
    """Kill gateways, cut off the database, fill the disk, turn a clock, make sources fail. Exits with 1 if a promise is broken."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    logging.disable(logging.CRITICAL)  # sandboxes lose answers, and say so at length
    plan = Plan(kills=kills, gateways=2 if db == "postgres" else 1, seed=SystemRandom().randrange(SEEDS) if seed is None else seed)
    console = Console(stderr=True)
    columns = (TextColumn("kills"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with (
            tempfile.TemporaryDirectory(prefix="dom-chaos-") as folder,
            ground(Path(folder), db=db) as stands_on,
            Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress,
        ):
            bar = progress.add_task("", total=kills)
            outcome = asyncio.run(play(plan, stands_on, advance=lambda: progress.advance(bar)))
    except KeyboardInterrupt:
        console.print("Stopped.")
        sys.exit(130)
    tell(plan, db, outcome, as_json=as_json)
    sys.exit(1 if outcome.violations else 0)


def tell(plan: Plan, db: str, outcome: Outcome, *, as_json: bool) -> None:
    recovered = {"p50": round(statistics.median(outcome.recoveries_s), 2), "max": round(max(outcome.recoveries_s), 2)}
    if as_json:
        facts = {"db": db, "seed": plan.seed, "counts": outcome.counts, "recovery_s": recovered, "rest_s": round(outcome.rest_s, 1)}
        click.echo(json.dumps(facts | {"skipped": outcome.skipped, "violations": outcome.violations}))
        return
    for name, count in sorted(outcome.counts.items()):
        click.echo(f"{count:8,} {name}")
    click.echo(f"A gateway answers again {recovered['p50']} s after it was killed (median; {recovered['max']} s at most).")
    click.echo(f"Everything rested {outcome.rest_s:.1f} s after the storm.")
    for skipped in outcome.skipped:
        click.echo(f"Skipped: {skipped}.")
    for violation in outcome.violations:
        click.echo(f"VIOLATION: {violation}")
    found = f"{len(outcome.violations)} promises were broken" if outcome.violations else "No promise was broken"
    click.echo(f"{found} on {db} with {plan.kills} kills, seed {plan.seed}.")


if __name__ == "__main__":
    main()
