"""Nine systems of record at once: what they are asked for, what the gateway adds to them, and what one that hangs does.

Measured are, with the sandboxes in one process and the gateway in another:

- the requests that a query costs each system, by the system's own count, against what its limit in the graph makes necessary; and
  whether as many identical queries at once as there are clients cost more than one;
- the added latency: a query, less the time that the slowest of the same connectors took for the same read in this process right
  before, and the CPU that the gateway took beyond theirs, which says the same where the machine has other things to do; beside
  that, what the next read without the gateway "added" to the one before, which is what the machine does by itself. Once as fast as
  the sandboxes are, once with one of them slow;
- one source that hangs: how late answers are, what it is asked while its breaker is open, how soon it is live again;
- the memory that a level takes in a gateway that remembers as much as it may, and whether more SKUs take more.

Requests, numbers and bounds are facts, and wrong if they are not as they must be. Times are only shown, beside the targets for an
idle machine of two cores.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.sandbox.network import System
from tests.benchmarks import sources_hung as hung
from tests.benchmarks import sources_latency as latency
from tests.benchmarks import sources_memory as memory
from tests.benchmarks import sources_requests as requests
from tests.benchmarks.report import Figures, Report
from tests.benchmarks.sources_stand import stand

PATIENT_S: Final = 120.0  # a loaded machine must not turn into partial answers
HUNG: Final[System] = "shipbob"  # it has no feed, which would be one that asks it something more
HUNG_CLIENTS: Final = 6
HUNG_SKUS: Final = 5
SLOW: Final[System] = "odoo"
SLOW_MS: Final = 100
TARGET: Final[Figures] = {"added_p50_ms": 10, "added_p99_ms": 30, "p99_beyond_deadline_ms": 20}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much of everything. ``sizes`` are SKUs of a query, of which the smallest is that whose latency is looked at.

    ``pairs`` are of a query and a read without the gateway. About the source that hangs: the gateway's ``deadline_s``,
    ``attempt_s`` for one request to it, ``pause_s`` between a client's queries, and ``open_s`` for which it is watched once its
    breaker is open. ``skus_kept`` are remembered, each at so many ``locations``.
    """

    sizes: Sequence[int] = (50, 500)
    many: int = 100
    pairs: int = 200
    deadline_s: float = 0.5
    attempt_s: float = 5.0
    pause_s: float = 0.1
    open_s: float = 12.0
    skus_kept: int = 100_000
    locations: int = 50

    @property
    def steps(self) -> int:
        """Of the progress bar; those of the hung source are not known before."""
        return len(self.sizes) * 3 + 2 * len(latency.QUERIES) * self.pairs + 1


async def measure(folder: Path, plan: Plan, advance: Callable[[], object]) -> Report:
    """All four, one after the other."""
    for name in ("all", "hung"):
        (folder / name).mkdir()
    async with stand(folder / "all", skus=max(plan.sizes), deadline_s=PATIENT_S) as found:
        asked = [await requests.measure(found, skus=size, many=plan.many, advance=advance) for size in plan.sizes]
        added = await latency.measure(found, skus=min(plan.sizes), pairs=plan.pairs, slow=SLOW, delay_ms=SLOW_MS, advance=advance)
    more = {HUNG: {"attempt_timeout_s": plan.attempt_s, "total_timeout_s": 3 * plan.attempt_s}}
    async with stand(folder / "hung", skus=HUNG_CLIENTS * HUNG_SKUS, deadline_s=plan.deadline_s, more=more) as found:
        hanging = await hung.measure(
            found,
            HUNG,
            clients=HUNG_CLIENTS,
            skus=HUNG_SKUS,
            pause_s=plan.pause_s,
            open_s=plan.open_s,
            advance=lambda: None,
        )
    kept = await memory.measured(skus=memory.fitting(plan.skus_kept, plan.locations), locations=plan.locations)
    advance()
    return report(plan, asked=asked, added=added, hanging=hanging, kept=kept)


def report(
    plan: Plan,
    *,
    asked: Sequence[requests.Asked],
    added: Mapping[str, Figures],
    hanging: hung.Measured,
    kept: memory.Memory,
) -> Report:
    """All of it together."""
    return Report(
        name="sources",
        rounds=1,
        setup=f"9 sources; {plan.pairs} pairs of {min(plan.sizes)} SKUs; {HUNG} hangs, deadline {plan.deadline_s * 1000:.0f} ms",
        figures={**_costs(asked, plan.many), **added, **hanging.figures(plan.deadline_s), "target when idle": TARGET},
        facts={**_totals(asked, plan.many), **hanging.facts(), **_taken(kept)},
        wrong=[*(what for each in asked for what in each.wrong(plan.many)), *hanging.wrong(HUNG), *kept.wrong()],
    )


def _costs(asked: Sequence[requests.Asked], many: int) -> dict[str, Figures]:
    """Requests by system."""
    return {
        system: {
            name: by_system[system]
            for each in asked
            for name, by_system in (
                (f"{each.skus}: need", each.needed),
                (f"{each.skus}: cost", each.by_one),
                (f"{each.skus}: {many} cost", each.by_many),
            )
        }
        for system in asked[0].needed
    }


def _totals(asked: Sequence[requests.Asked], many: int) -> Figures:
    without = {f"{each.skus} SKUs: of {many} queries at once, without our own books": each.without_books for each in asked}
    return without | {
        name: sum(by_system.values())
        for each in asked
        for name, by_system in (
            (f"requests that {each.skus} SKUs need", each.needed),
            (f"requests that {each.skus} SKUs cost", each.by_one),
            (f"requests that {each.skus} SKUs cost when asked for {many} times at once", each.by_many),
        )
    }


def _taken(kept: memory.Memory) -> Figures:
    return {
        "levels kept": kept.levels,
        "bytes per level": kept.bytes_per_level,
        "MiB before": kept.empty_mib,
        "MiB with all of them": kept.full_mib,
        "MiB after a fifth more SKUs were read": kept.more_mib,
        "ms for which collecting garbage stops everything then": kept.gc_ms,
    }
