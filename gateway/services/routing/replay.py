"""Decisions made again, from what was kept of them: the same to the byte, or what differs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import msgspec

from gateway.domain.plans import Strategy
from gateway.domain.policies import BUILT_IN, RoutingPolicy, Rule, course
from gateway.domain.routing import (
    TOGETHER,
    Candidates,
    Decision,
    Inputs,
    Problem,
    Unroutable,
    World,
    chosen_together,
    decide,
    problem_of,
    ruled,
)
from gateway.domain.sourcing import DecisionRecord
from gateway.ports import Store
from gateway.services.routing.outlook import Outlook

DIFFERENCES_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A decision, and what comes of making it again.

    ``again`` is None where it cannot be made again. Every one of the ``differences``, of which at most so many are told, has a path
    into the decision, and what was there and is there now; or it says what is missing.
    """

    record: DecisionRecord
    again: Decision | None = None
    differences: tuple[str, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether it is the same to the byte."""
        return not self.differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Replays:
    """Makes decisions again."""

    store: Store
    outlook: Callable[[], Outlook]

    async def replay(self, decision_id: str) -> Replay | None:
        """That decision, made again; None: there is no such decision."""
        record = await self.store.decision(decision_id)
        if record is None or record.inputs is None:
            return None if record is None else Replay(record=record, differences=("What it was made from was not kept then.",))
        world = await self.store.world(record.inputs.world)
        policy = BUILT_IN if record.policy_version == 0 else await self.store.policy(record.policy_key)
        return replayed(record, record.inputs, world, policy, self.outlook().strategies)


def rule_of(record: DecisionRecord, policy: RoutingPolicy | None) -> Rule | None:
    """The rule that it was made by, without what was relaxed, in that version of its policy. None: it cannot be found."""
    if record.own_rule is not None or record.inputs is None or policy is None:
        return record.own_rule
    passes = course(policy, record.inputs.facts).passes
    return next((each.rule for each in passes if each.rule.name == record.rule and each.relaxed == record.relaxed), None)


def replayed(
    record: DecisionRecord,
    inputs: Inputs,
    world: World | None,
    policy: RoutingPolicy | None,
    strategies: Mapping[str, Strategy],
) -> Replay:
    """That decision, made again on these inputs, in that world, by that version of the policy."""
    rule = rule_of(record, policy)
    if world is None or rule is None:
        what = "The locations and tariffs of then" if world is None else "The policy and rule that it was made by"
        return Replay(record=record, differences=(f"{what} cannot be found.",))
    if inputs.digest != record.inputs_hash:
        return Replay(record=record, differences=("What it was made from has been changed since.",))
    try:
        again = _again(record.decision, ruled(problem_of(inputs, world), rule), strategies)
    except Unroutable as unroutable:
        return Replay(record=record, differences=(f"No plan is found any more: {unroutable}",))
    if again is None:
        return Replay(record=record, differences=("It could not be had at all.",))
    if msgspec.json.encode(again) == msgspec.json.encode(record.decision):
        return Replay(record=record, again=again)
    found = tuple(islice(_differences("decision", _spelled_out(record.decision), _spelled_out(again)), DIFFERENCES_MAX))
    if not found and isinstance(record.decision.considered, Candidates):
        found = ("It is written differently.",)
    return Replay(record=record, again=again, differences=found)


def _again(decision: Decision, problem: Problem, strategies: Mapping[str, Strategy]) -> Decision | None:
    """Decided again; of what was planned together with other orders, the same packages priced again."""
    if decision.strategy != TOGETHER:
        return decide(problem, strategies)
    return chosen_together(problem, {each.location: {line.sku: line.units for line in each.lines} for each in decision.packages})


def _spelled_out(decision: Decision) -> dict[str, Any]:
    """The decision with its candidates by location: before they were kept in columns, they were kept in rows."""
    told: dict[str, Any] = msgspec.to_builtins(decision)
    return told | {"considered": {each.location: msgspec.to_builtins(each) for each in decision.considered}}


def _differences(path: str, then: Any, now: Any) -> Iterator[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted({*then, *now}):
            yield from _differences(f"{path}.{key}", then.get(key), now.get(key))
    elif isinstance(then, list | tuple) and isinstance(now, list | tuple) and len(then) == len(now):
        for place, (before, after) in enumerate(zip(then, now, strict=True)):
            yield from _differences(f"{path}[{place}]", before, after)
    elif then != now:
        yield f"{path}: {then!r} then, {now!r} now"
