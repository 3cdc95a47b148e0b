"""The networks of Jasin and Sinha (2015) and Ma (2023): what policies cost, by what it costs whoever knows all arrivals."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from time import perf_counter
from typing import Final

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from gateway.domain.plans.instance import Floats
from tests.benchmarks.machine import machine, versions
from tests.benchmarks.routing import parser
from tests.benchmarks.routing.places import places
from tests.benchmarks.routing.policies import (
    RANK,
    FewestSplits,
    PerLine,
    Priced,
    Weighted,
    bound_cents,
    by_highest_stock,
    closing,
    forecast,
    learned,
    opening,
    with_dummy,
)
from tests.benchmarks.routing.replay import Desk, replayed
from tests.benchmarks.routing.world import SIZES, World, drawn

PROCESSES: Final = 2
BOUND: Final = "bound"
WIDE: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What is done unless more is asked for; ``looks``: how often prices are made anew."""

    instances: int
    sequences: int
    looks: int
    scenarios: int


EFFORTS: Final = {
    "paper_s": Effort(instances=10, sequences=10, looks=40, scenarios=4),
    "paper_l": Effort(instances=1, sequences=1, looks=12, scenarios=1),
}

Policy = Callable[[World, Effort, np.random.Generator], Floats]


def _ruled(desk: Callable[[World], Desk]) -> Policy:
    return lambda world, _effort, _rng: replayed(world, desk(world), [0])


def _exact_bid(world: World, effort: Effort, _rng: np.random.Generator) -> Floats:
    desk = Priced(world=world, expected=lambda at: forecast(world, at))
    return replayed(world, desk, closing(world.arrivals.shape[1], many=effort.looks))


def _exact_bid_learned(world: World, effort: Effort, rng: np.random.Generator) -> Floats:
    desk = Priced(world=world, expected=lambda at: learned(world, at, rng, effort.scenarios))
    arrivals = world.arrivals.shape[1]
    return replayed(world, desk, sorted({*opening(arrivals), *closing(arrivals, many=effort.looks // 2)}))


RULES: Final[Mapping[str, Callable[[World], Desk]]] = {
    "exact": lambda world: Priced(world=world),
    "priority": lambda world: PerLine(order=np.broadcast_to(np.arange(float(len(world.package_cents))), world.unit_cents.shape)),
    "closest": lambda world: PerLine(order=with_dummy(world.miles)),
    "fewest_splits": lambda world: FewestSplits(then=world.miles),
    "lexicographic": lambda world: FewestSplits(then=RANK * np.arange(float(world.miles.shape[1])) + world.miles.round()),
    "weighted": lambda world: Weighted(world=world),
    "rank_ten": lambda world: Priced(world=world),  # there are no more than ten centers
}
POLICIES: Final[Mapping[str, Policy]] = {
    "exact_bid_learned": _exact_bid_learned,
    "exact_bid": _exact_bid,
    BOUND: lambda world, _effort, _rng: bound_cents(world),
    **{rule: _ruled(desk) for rule, desk in RULES.items()},
    "highest_stock": lambda world, _effort, _rng: by_highest_stock(world),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One policy on one instance."""

    benchmark: str
    policy: str
    instance: int
    sequences: int
    seed: int


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """``ratios`` are means over the instances of what a policy costs by what it must cost; ``worst`` the highest of an instance."""

    name: str
    places: str
    instances: int
    sequences: int
    seed: int
    ratios: Mapping[str, float]
    worst: Mapping[str, float]
    seconds: Mapping[str, float]
    machine: Mapping[str, str]
    versions: Mapping[str, str]


def main(argv: Sequence[str]) -> int:
    """Run it; the first word is which."""
    effort = EFFORTS[argv[0]]
    wanted = parser(__doc__ or "", instances=effort.instances, sequences=effort.sequences).parse_args(argv)
    found = measure(wanted.name, instances=wanted.instances, sequences=wanted.sequences, seed=wanted.seed)
    if wanted.as_json:
        print(msgspec.json.encode(found).decode())
    else:
        _show(found)
    return 0


def measure(name: str, *, instances: int, sequences: int, seed: int, policies: Sequence[str] = tuple(POLICIES)) -> Found:
    """All policies on all instances."""
    jobs = [
        Job(benchmark=name, policy=policy, instance=instance, sequences=sequences, seed=seed)
        for policy in {BOUND: None, **dict.fromkeys(policies)}
        for instance in range(instances)
    ]
    cents: dict[str, list[float]] = {}
    seconds: dict[str, float] = {}
    for job, costs, taken_s in _done(jobs):
        cents.setdefault(job.policy, [0.0] * instances)[job.instance] = float(costs.sum())
        seconds[job.policy] = seconds.get(job.policy, 0.0) + taken_s
    bound = np.array(cents.pop(BOUND))
    ratios = {policy: np.array(found) / bound for policy, found in sorted(cents.items(), key=lambda each: -sum(each[1]))}
    return Found(
        name=name,
        places=places(name).source,
        instances=instances,
        sequences=sequences,
        seed=seed,
        ratios={policy: round(float(ratio.mean()), 5) for policy, ratio in ratios.items()},
        worst={policy: round(float(ratio.max()), 5) for policy, ratio in ratios.items()},
        seconds={policy: round(taken_s, 1) for policy, taken_s in seconds.items()},
        machine=machine(),
        versions=versions(),
    )


def _done(jobs: Sequence[Job]) -> Iterator[tuple[Job, Floats, float]]:
    """What jobs found, as they end, with how long each took."""
    aside = Console(stderr=True)
    with (
        Progress(console=aside, transient=True, disable=not aside.is_terminal) as progress,
        ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool,
    ):
        task = progress.add_task("measuring", total=len(jobs))
        for future in as_completed([pool.submit(_run, job) for job in jobs]):
            yield future.result()
            progress.advance(task)


def _run(job: Job) -> tuple[Job, Floats, float]:
    started = perf_counter()
    rng = np.random.default_rng([job.seed, job.instance])
    world = drawn(SIZES[job.benchmark], places(job.benchmark), sequences=job.sequences, rng=rng)
    return job, POLICIES[job.policy](world, EFFORTS[job.benchmark], rng), perf_counter() - started


def _show(found: Found) -> None:
    console = Console(width=WIDE)
    runs = f"{found.instances} instances × {found.sequences} sequences, seed {found.seed}"
    console.print(f"[bold]{found.name}[/]: {found.places}; {runs}", highlight=False)
    table = Table("policy", "cost ÷ clairvoyant bound", "worst instance", "seconds of one core")
    for policy, ratio in found.ratios.items():
        table.add_row(policy, f"{ratio:.4f}", f"{found.worst[policy]:.4f}", f"{found.seconds[policy]:,.0f}")
    console.print(table)
