"""The same orders, in the order in which they came, routed in several ways side by side."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Final

from gateway.domain.identity import LocationId
from gateway.domain.plans import Strategy
from gateway.domain.policies import Rule
from gateway.domain.whatif.cases import Case
from gateway.domain.whatif.contenders import Contender
from gateway.domain.whatif.outcomes import Outcome, measure_of, routed
from gateway.domain.whatif.scores import Score, scored
from gateway.domain.whatif.shelves import Shelves

MOVES_MAX: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An order that comes from elsewhere than in force; from nowhere, where the locations are empty.

    ``dearer_cents``: how much more it is paid; None where one of the two does not fill it.
    """

    contender: str
    order: str
    before: tuple[LocationId, ...]
    after: tuple[LocationId, ...]
    dearer_cents: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came of it.

    Attributes:
        orders: How many were routed.
        since: When the first of them was decided; None: there were none.
        until: When the last was.
        unlike: Orders that the way in force routes otherwise now than they were really routed; None: they are not real.
        scores: One of each way, that in force first.
        moves: Orders that move, of each way the ``MOVES_MAX`` whose cost differs most, those first that only one of the two fills.
    """

    orders: int
    since: datetime | None
    until: datetime | None
    unlike: int | None
    scores: tuple[Score, ...]
    moves: tuple[Move, ...]


@dataclass(slots=True, kw_only=True)
class _Run:
    """One way of routing, as far as it has come."""

    contender: Contender
    shelves: Shelves = field(default_factory=Shelves)
    outcomes: list[Outcome] = field(default_factory=list)


def compare(
    cases: Sequence[Case],
    in_force: Contender,
    others: Iterable[Contender],
    strategies: Mapping[str, Strategy],
    advance: Callable[[], object] = lambda: None,
) -> Comparison:
    """Route these orders in every way, each with the stock that it would have left, and pay all of them by the weights in force.

    ``advance`` is called after each order; what it raises ends the comparison.
    """
    runs = [_Run(contender=each) for each in (in_force, *others)]
    unlike = 0
    for case in cases:
        unlike += _played(case, runs, strategies)
        advance()
    first = runs[0].outcomes
    return Comparison(
        orders=len(cases),
        since=cases[0].problem.at if cases else None,
        until=cases[-1].problem.at if cases else None,
        unlike=unlike if all(case.taken is not None for case in cases) else None,
        scores=tuple(scored(run.contender.name, run.outcomes, first, run.shelves.emptied_in_stores()) for run in runs),
        moves=tuple(move for run in runs[1:] for move in _moves(cases, run, first)),
    )


def _played(case: Case, runs: Sequence[_Run], strategies: Mapping[str, Strategy]) -> bool:
    """Route one order in every way. Whether the first of them is unlike what really happened."""
    measure = measure_of(runs[0].contender.policy(case.policy), case.problem)
    known: dict[tuple[Rule, ...], Outcome] = {}
    unlike = False
    for run in runs:
        problem, policy = run.shelves.seen(case.problem), run.contender.policy(case.policy)
        # The same rules on the same shelves need not be asked twice.
        outcome = known.get(policy.rules) if problem is case.problem else None
        if outcome is None:
            outcome = routed(problem, policy, measure, strategies)
        if problem is case.problem:
            known[policy.rules] = outcome
        taken = outcome.taken(problem)
        if run is runs[0] and case.taken is not None:
            unlike = bool((taken != case.taken).any())
        run.shelves.take(case, problem, taken)
        run.outcomes.append(outcome)
    return unlike


def _moves(cases: Sequence[Case], run: _Run, in_force: Sequence[Outcome]) -> list[Move]:
    found = []
    for case, own, other in zip(cases, run.outcomes, in_force, strict=True):
        if own.allocation == other.allocation:
            continue
        dearer_cents = own.cents - other.cents if own.filled and other.filled else None
        weight = float("inf") if dearer_cents is None else abs(dearer_cents)
        move = Move(
            contender=run.contender.name,
            order=case.id,
            before=tuple(sorted(other.allocation)),
            after=tuple(sorted(own.allocation)),
            dearer_cents=dearer_cents,
        )
        found.append((weight, move))
    found.sort(key=itemgetter(0), reverse=True)
    return [move for _, move in found[:MOVES_MAX]]
