"""``python -m tests.replays``: make decisions, keep them, read them back and make them again, byte by byte."""

import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from tests.harness import run
from tests.replays.decisions import keep_policies, kept, replayed_otherwise
from tests.samples import desk

TOLD_MAX = 20


@click.command()
@click.option("--decisions", default=10_000, show_default=True, help="How many.")
@click.option("--start", default=0, show_default=True, help="The first seed.")
def main(*, decisions: int, start: int) -> None:
    """Replay random decisions from a real database. The exit status is 1 if any comes out otherwise."""
    console = Console()
    began_s = time.perf_counter()
    wrong: list[str] = []

    async def story() -> None:
        with tempfile.TemporaryDirectory() as folder, Progress(console=console) as progress:
            async with desk(Path(folder)) as on:
                await keep_policies(on)
                task = progress.add_task("replaying", total=decisions)
                ids = await kept(on, count(start), decisions)
                wrong.extend(await replayed_otherwise(on, ids, lambda many: progress.advance(task, many)))

    run(story)
    for each in wrong[:TOLD_MAX]:
        console.print(each, markup=False, highlight=False, soft_wrap=True)
    took_s = time.perf_counter() - began_s
    console.print(f"{decisions:,} decisions replayed, {len(wrong)} differences, {took_s:.0f} s")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
