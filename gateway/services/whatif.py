"""What would happen if things were otherwise: to one order, or to all orders of the past."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Final

from gateway.domain.plans.strategies import UnknownStrategy
from gateway.domain.policies import PolicyKey, RoutingPolicy
from gateway.domain.refusals import GuardrailBreached, Invalid, NotFound, Overloaded, Refusals
from gateway.domain.routing import Code, World
from gateway.domain.sourcing import DecisionRecord
from gateway.domain.stock import Reading
from gateway.domain.whatif import (
    UNGUARDED,
    Comparison,
    Contender,
    Guardrails,
    Past,
    Supposition,
    activated,
    breaches,
    compare,
    dearer,
    going_by,
    history,
    ruled_by,
    strategies_of,
)
from gateway.ports import Store
from gateway.services.policies import Policies
from gateway.services.routing import Landscape, Routing, Shelves, Wish, check_pickup, foreseen
from gateway.services.routing.stating import facts

IN_FORCE: Final = "in force"
LAST_DEFAULT: Final = 1_000
LAST_MAX: Final = 5_000
PAGE: Final = 100  # what is decoded in one go holds up everybody else
CONTENDERS_MAX: Final = 5


class _Stopped(Exception):
    """Nobody waits for the comparison any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Tries things without doing them. One comparison at a time: it takes a processor.

    ``guardrails`` are those of changes of policy that come with none.
    """

    routing: Routing
    policies: Policies
    store: Store
    guardrails: Guardrails = UNGUARDED
    _comparing: asyncio.Lock = field(default_factory=asyncio.Lock)

    # ------------------------------------------------------------------------------------------ one order
    async def preview(self, wish: Wish, supposition: Supposition) -> DecisionRecord:
        """Where it would come from if it were ordered now, or then, and the world were so; nothing is stored.

        Raises:
            Refusals: It could not come from anywhere.
            NotFound: There is no such policy or location.
        """
        await check_pickup(wish, self.routing.network)
        tried = None if supposition.policy is None else await self._policy(supposition.policy)
        skus = frozenset(line.sku for line in wish.lines)

        async def decide_on(landscape: Landscape) -> DecisionRecord:
            seen = replace(landscape, at=supposition.at or landscape.at)
            shelves = await self.store.shelves(skus | seen.made_up(wish.pickup_at, wish.pickup_slot))
            seen, shelves = _stocked(seen, shelves, supposition)
            if supposition.cutoffs and seen.prospects is not None:
                seen = replace(seen, prospects=seen.prospects.with_cutoffs(supposition.cutoffs, seen.at))
            seen, meant = _ruled(seen, wish, supposition, tried)
            closed = dict.fromkeys(supposition.closed, Code.CLOSED.value)
            return foreseen(seen, meant, shelves, closed, decision_id=self.routing.new_id())

        return await self.routing.decided(skus, decide_on)

    # ------------------------------------------------------------------------------------------ many orders
    def in_force(self) -> Contender:
        """As orders are routed now."""
        return Contender(name=IN_FORCE, policies=self.policies.in_force)

    async def changed(self, key: PolicyKey) -> Contender:
        """As orders would be routed by that version: in the place of the one of its name in force, or else of the default.

        Raises:
            NotFound: There is no such version.
        """
        return ruled_by(await self._policy(key), self.policies.in_force)

    def going_by(self, strategy: str) -> Contender:
        """As orders would be routed if only that strategy counted.

        Raises:
            Invalid: It is not installed.
        """
        try:
            return going_by(strategy)
        except UnknownStrategy as error:
            raise Invalid(problem=str(error), path=("ways",)) from error

    async def compare(self, others: Sequence[Contender], *, last: int = LAST_DEFAULT) -> Comparison:
        """Route the last so many orders again, as now and in each of these ways.

        Raises:
            Invalid: Too many.
            Overloaded: Another comparison is under way.
        """
        if not 1 <= last <= LAST_MAX:
            raise Invalid(problem=f"Between 1 and {LAST_MAX:,} orders can be compared.", path=("last",))
        if len(others) > CONTENDERS_MAX:
            raise Invalid(problem=f"At most {CONTENDERS_MAX} ways can be compared with that in force.", path=("ways",))
        if self._comparing.locked():
            raise Overloaded
        async with self._comparing:
            past, worlds = await recorded(self.store, last)
            return await _in_thread(past, worlds, self.in_force(), others)

    async def check(self, key: PolicyKey, given: Guardrails | None = None, *, last: int = LAST_DEFAULT) -> None:
        """See to it that this version would keep the guardrails, had it been in force for the last so many orders.

        Raises:
            Refusals: It would not; each is a ``GuardrailBreached``.
        """
        guardrails = self.guardrails if given is None else given
        if guardrails == UNGUARDED:
            return
        other = activated(await self._policy(key), self.policies.in_force)
        found = breaches(guardrails, await self.compare((other,), last=last))
        if found:
            raise Refusals(
                tuple(GuardrailBreached(measure=each.measure.value, measured=each.measured, limit=each.limit) for each in found)
            )

    async def _policy(self, key: PolicyKey) -> RoutingPolicy:
        found = await self.store.policy(key)
        if found is None:
            raise NotFound(what="routing policy", name=f"{key[0]}@{key[1]}")
        return found


async def recorded(store: Store, last: int) -> tuple[list[Past], dict[str, World]]:
    """The last so many decisions, oldest first, and the worlds that they were made in, by digest."""
    past: list[Past] = []
    while len(past) < last:
        page = await store.past_decisions(before=past[-1].id if past else None, limit=min(PAGE, last - len(past)))
        past += page
        if len(page) < PAGE:
            break
    digests = {each.inputs.world for each in past if each.inputs is not None}
    worlds = {digest: await store.world(digest) for digest in sorted(digests)}
    return past[::-1], {digest: world for digest, world in worlds.items() if world is not None}


async def _in_thread(
    past: Iterable[Past], worlds: dict[str, World], in_force: Contender, others: Sequence[Contender]
) -> Comparison:
    """Compare beside the event loop, and stop when nobody waits for it any more."""
    stopped = Event()

    def advance() -> None:
        time.sleep(0)  # lets go of the interpreter: whoever buys something must not wait for us
        if stopped.is_set():
            raise _Stopped

    def compared() -> Comparison:
        return compare(history(past, worlds), in_force, others, strategies, advance)

    strategies = strategies_of((in_force, *others))
    try:
        return await asyncio.to_thread(compared)
    finally:
        stopped.set()


def _stocked(seen: Landscape, shelves: Shelves, supposition: Supposition) -> tuple[Landscape, Shelves]:
    """The world with that stock: as if it had just been read, and nothing of it were promised."""
    found = dict(seen.readings)
    for (sku, location), units in supposition.stock.items():
        place = seen.places.get(location)
        if place is None:
            raise NotFound(what="location", name=location, path=("suppose", "stock"))
        safety_units = seen.safety_units.get(place.source, 0)
        found[sku, location] = Reading(sku=sku, location=location, epoch=0, read_at=seen.at, available=units + safety_units)
    left = {key: shelf for key, shelf in shelves.items() if key not in supposition.stock}
    return replace(seen, readings=found), left


def _ruled(seen: Landscape, wish: Wish, supposition: Supposition, tried: RoutingPolicy | None) -> tuple[Landscape, Wish]:
    """The world with that policy in force, with those costs, and the wish to be routed by it."""
    policy = dearer(tried or seen.outlook.policy(wish.policy), supposition.costs, facts(seen, wish))
    strategies = strategies_of([Contender(name=policy.name, otherwise=policy)])
    outlook = replace(
        seen.outlook,
        policies={**seen.outlook.policies, policy.name: policy},
        strategies={**seen.outlook.strategies, **strategies},
    )
    return replace(seen, outlook=outlook), replace(wish, policy=policy.name)
