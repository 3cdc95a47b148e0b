"""Orders as they stood when they were decided, and orders as they might come."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final

import msgspec
import numpy as np

from connectors.contract import Method, Sku
from gateway.domain.identity import OrderId
from gateway.domain.plans import Ints
from gateway.domain.policies import DEFAULT
from gateway.domain.routing import Inputs, Package, Problem, Sites, World, problem_of

OF_THE_ORDER_ALONE: Final = "REJECTED_BEFORE"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One order to be routed, before any policy was applied.

    Attributes:
        id: Which order, or which decision where there was no order.
        problem: What it was decided on.
        policy: The name of the policy that it goes by.
        taken: What was really taken for it; None: it is not real, and takes nothing but what it is given. ``[L, n]``
    """

    id: str
    problem: Problem
    policy: str = DEFAULT
    taken: Ints | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was decided, as far as it matters afterwards."""

    packages: tuple[Package, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A decision as it is kept, without its reasons. ``inputs`` None: what it was made on was not kept."""

    id: str
    order: OrderId | None
    policy: str
    decision: Sent
    inputs: Inputs | None = None


def history(past: Iterable[Past], worlds: Mapping[str, World]) -> list[Case]:
    """These decisions, oldest first, as orders that can be routed again; those of which too little was kept are left out.

    What was decided again as a whole, as after a location has turned it down, is in it as it was decided last.
    """
    sites = {digest: Sites(all=world.sites) for digest, world in worlds.items()}
    last = {(each.order or each.id, each.inputs.demand): each for each in past if each.inputs is not None}
    return [
        _case(each, each.inputs, worlds, sites)
        for each in sorted(last.values(), key=attrgetter("id"))
        if each.inputs is not None and each.inputs.world in worlds
    ]


def _case(past: Past, inputs: Inputs, worlds: Mapping[str, World], sites: Mapping[str, Sites]) -> Case:
    problem = replace(problem_of(inputs, worlds[inputs.world]), sites=sites[inputs.world], back_order_cents=None)
    column = {line.sku: number for number, line in enumerate(problem.demand)}
    taken = np.zeros_like(problem.available)
    for package in past.decision.packages:
        for line in package.lines:
            taken[problem.sites.row[package.location], column[line.sku]] = line.units
    return Case(id=past.order or past.id, problem=problem, policy=past.policy, taken=taken)


def resampled(history: Sequence[Case], orders: int, random: np.random.Generator) -> list[Case]:
    """Orders that might come next: what one customer bought, sent to where another lives, from the stock that was seen last.

    Drawn from those that were decided in the newest world. Nothing arrives anywhere, and no day ends.
    """
    if not history:
        return []
    newest = history[-1].problem
    drawn_from = [each for each in history if each.problem.sites is newest.sites]
    stock = {line.sku: each.problem.available[:, at] for each in drawn_from for at, line in enumerate(each.problem.demand)}
    bought, sent = random.integers(len(drawn_from), size=(2, orders)).tolist()
    return [
        _mixed(f"simulated-{number}", drawn_from[one], drawn_from[other], newest, stock)
        for number, (one, other) in enumerate(zip(bought, sent, strict=True), start=1)
    ]


def _mixed(name: str, bought: Case, sent: Case, newest: Problem, stock: dict[Sku, Ints]) -> Case:
    problem = replace(
        bought.problem,
        at=newest.at,
        available=np.column_stack([stock[line.sku] for line in bought.problem.demand]),
        read_at=newest.read_at,
        excluded={place: why for place, why in newest.excluded.items() if why.code != OF_THE_ORDER_ALONE},
        room=None,
    )
    to = sent.problem
    if problem.method is to.method is Method.SHIP:
        facts = msgspec.structs.replace(problem.facts, area=to.facts.area)
        problem = replace(problem, facts=facts, destination=to.destination, days_late=to.days_late, missed=to.missed)
    return Case(id=name, problem=problem, policy=bought.policy)
