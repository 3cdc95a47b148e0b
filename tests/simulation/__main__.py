"""``python -m tests.simulation``: play schedules until one finds something, or show that planted bugs are found."""

import json
import sys
import time

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.simulation.bugs import BUGS
from tests.simulation.runner import Verdict, judge, judged, kept_seeds

BUG_SEEDS_MAX = 1_000


@click.command()
@click.option("--seeds", default=200, show_default=True, help="How many schedules.")
@click.option("--start", default=0, show_default=True, help="The first seed.")
@click.option("--workers", default=2, show_default=True, help="Processes.")
@click.option("--bug", type=click.Choice(sorted(BUGS)), help="Plant this bug first.")
@click.option("--bugs", "all_bugs", is_flag=True, help="Plant each bug in turn, and say which seed finds it.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for a machine.")
def main(*, seeds: int, start: int, workers: int, bug: str | None, all_bugs: bool, as_json: bool) -> None:
    """Play the gateway in a simulated world: one seed, one schedule, the same each time."""
    console = Console(stderr=as_json)
    if all_bugs:
        sys.exit(0 if _all_found(console, min(seeds, BUG_SEEDS_MAX), start, workers) else 1)
    wanted = [*([] if bug else kept_seeds()), *range(start, start + seeds)]
    began_s = time.perf_counter()
    wrong: list[Verdict] = []
    orders = 0
    with _progress(console) as progress:
        task = progress.add_task("playing", total=len(wanted), wrong=0)
        for verdict in judged(wanted, workers=workers, bug=bug):
            orders += verdict.orders
            if verdict.violations:
                wrong.append(verdict)
                progress.console.print(str(verdict), markup=False, highlight=False, soft_wrap=True)
            progress.update(task, advance=1, wrong=len(wrong))
    took_s = time.perf_counter() - began_s
    if as_json:
        found = [{"seed": each.seed, "violations": each.violations} for each in wrong]
        click.echo(json.dumps({"seeds": len(wanted), "orders": orders, "took_s": round(took_s, 1), "wrong": found}))
    console.print(f"{len(wanted)} schedules, {orders} orders, {len(wrong)} wrong, {len(wanted) / took_s:.1f} schedules/s")
    sys.exit(1 if wrong else 0)


def _all_found(console: Console, seeds: int, start: int, workers: int) -> bool:
    """Whether each planted bug is found, by a seed that finds nothing without it."""
    missed = 0
    with _progress(console) as progress:
        task = progress.add_task("planting", total=len(BUGS), wrong=0)
        for name, bug in BUGS.items():
            verdicts = judged(range(start, start + seeds), workers=workers, bug=name)
            found = next((each for each in verdicts if each.violations and not judge(each.seed).violations), None)
            missed += found is None
            when = f"not in {seeds} seeds"
            if found is not None:
                when = f"in {found.seed - start + 1} seeds, by {found.seed}: {found.violations[0]}"
            progress.console.print(f"{name:<24} {bug.says:<60} {when}"[:240], markup=False, highlight=False, soft_wrap=True)
            progress.update(task, advance=1, wrong=missed)
    console.print(f"{len(BUGS) - missed} of {len(BUGS)} planted bugs found")
    return missed == 0


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TextColumn("{task.fields[wrong]} wrong"), console=console, disable=not console.is_terminal)


if __name__ == "__main__":
    main()
