"""Many schedules, on several processes, and the seeds that once found something."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from tests.simulation.world import play

SEEDS: Final = Path(__file__).with_name("seeds.txt")
LINES_SHOWN: Final = 60
CHUNK: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one seed: what was wrong, and how it came to that."""

    seed: int
    violations: tuple[str, ...]
    trace: tuple[str, ...]
    orders: int
    digest: str

    def __str__(self) -> str:
        wrong = "\n".join(f"  {each}" for each in self.violations)
        story = "\n".join(f"    {each}" for each in self.trace)
        return f"seed {self.seed}:\n{wrong}\n{story}"


def judge(seed: int, bug: str | None = None) -> Verdict:
    """Play that seed; of the story, only the end is kept, and only if something was wrong."""
    played = play(seed, bug)
    shown = played.trace[-LINES_SHOWN:] if played.violations else ()
    return Verdict(
        seed=seed,
        violations=played.violations,
        trace=tuple(str(each)[:300] for each in shown),
        orders=played.orders,
        digest=played.digest,
    )


def judged(seeds: Iterable[int], *, workers: int, bug: str | None = None) -> Iterator[Verdict]:
    """What came of each seed, as it comes. Whoever stops asking stops the rest."""
    if workers == 1:
        yield from (judge(seed, bug) for seed in seeds)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            yield from pool.map(partial(judge, bug=bug), seeds, chunksize=CHUNK)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def kept_seeds() -> dict[int, str]:
    """Seeds that once found something, and what."""
    lines = (line.partition("#")[0].strip() for line in SEEDS.read_text(encoding="utf-8").splitlines())
    return {int(seed): why.strip() for seed, _, why in (line.partition(" ") for line in lines if line)}
