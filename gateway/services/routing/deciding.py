"""Where what is wished for would come from, on what was seen and what is promised."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from connectors.contract import Sku
from gateway.domain.capacity import day_named
from gateway.domain.delivery import Promise
from gateway.domain.fulfillments import Units, tally
from gateway.domain.identity import LocationId, OrderId
from gateway.domain.locations import Location
from gateway.domain.policies import LEAST_COST, Course, FallbackStep, Pass, RoutingPolicy, course
from gateway.domain.refusals import NoCandidate, Refusal, Refusals
from gateway.domain.routing import (
    BACK_ORDER_CENTS,
    LACKS,
    Constraint,
    Decision,
    Demand,
    Package,
    Problem,
    Unroutable,
    decide,
    explain,
    inputs_of,
    ruled,
)
from gateway.domain.sourcing import DecisionRecord
from gateway.services.routing.landscape import Landscape, Shelves
from gateway.services.routing.stating import facts, state
from gateway.services.routing.wish import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """What was decided, by which policy and rule, and on what.

    ``problem`` is as it was before the rule was applied. Without a decision, all of it ``waits``.
    """

    policy: RoutingPolicy
    course: Course
    by: Pass
    problem: Problem | None = None
    decision: Decision | None = None
    waits: tuple[Units, ...] = ()
    promises: tuple[Promise, ...] = ()


def route(seen: Landscape, wish: Wish, shelves: Shelves, excluded: Mapping[LocationId, str]) -> Routed:
    """Decide where it comes from, by the first of the merchant's rules that leaves anything.

    Raises:
        Refusals: It cannot come from anywhere, and may not wait; one for each SKU that is short, or each location that is full.
        ReadingOutdated: Somebody decided on a newer reading in the meantime.
    """
    policy = seen.outlook.policy(wish.policy)
    way = course(policy, facts(seen, wish))
    short = seen.short_in_network(tally(wish.lines), shelves)
    full = _slot_full(seen, wish, shelves)
    if full or (short and way.ending is None):
        raise Refusals((*(seen.refusal(sku, *units) for sku, units in short.items()), *full))
    wanted = tally(wish.lines)
    waits = {sku: units - available for sku, (units, available) in short.items()}
    demand = tuple(Demand(sku=sku, units=rest) for sku, units in wanted.items() if (rest := units - waits.get(sku, 0)))
    if not demand or (waits and way.ending is FallbackStep.PARK):
        return Routed(policy=policy, course=way, by=way.passes[0], waits=_units(wanted))
    found = Routed(policy=policy, course=way, by=way.passes[0], waits=_units(waits))
    return _by_turns(seen, wish, shelves, found, problem=state(seen, wish, demand, shelves, excluded=excluded))


def _by_turns(seen: Landscape, wish: Wish, shelves: Shelves, found: Routed, *, problem: Problem) -> Routed:
    """The decision by the first pass that leaves anything; else what waits, if anything may."""
    why: Unroutable | None = None
    for by in found.course.passes:
        try:
            decision = decide(ruled(problem, by.rule), seen.outlook.strategies)
            return replace(found, by=by, problem=problem, decision=decision, promises=promises(seen, wish, decision))
        except Unroutable as unroutable:
            why = why or unroutable
    if found.course.ending is None:
        raise Refusals(_why(seen, wish, shelves, why)) from why
    if found.course.ending is FallbackStep.PARK:
        return replace(found, waits=_units(tally(wish.lines)))
    problem = replace(problem, back_order_cents=BACK_ORDER_CENTS)
    decision = decide(ruled(problem, by.rule), seen.outlook.strategies)
    waiting = tally((*found.waits, *(Units(sku=line.sku, units=line.units) for line in decision.waits)))
    found = replace(found, by=by, problem=problem, waits=_units(waiting))
    return replace(found, decision=decision, promises=promises(seen, wish, decision)) if decision.packages else found


def foreseen(
    seen: Landscape, wish: Wish, shelves: Shelves, excluded: Mapping[LocationId, str], *, decision_id: str
) -> DecisionRecord:
    """Where it would come from, as it would be kept.

    Raises:
        Refusals: It could not come from anywhere.
        NoCandidate: Nothing of it could be sent; its policy would let it wait.
        ReadingOutdated: Somebody decided on a newer reading in the meantime.
    """
    found = record(seen, route(seen, wish, shelves, excluded), order=None, decision_id=decision_id, at=seen.at)
    if found is None:
        raise NoCandidate(why="Nothing could be sent; the policy would let the order wait.")
    return found


def promises(seen: Landscape, wish: Wish, decision: Decision) -> tuple[Promise, ...]:
    """What the customer can be promised of each package; nothing of those that nobody can say anything of."""
    if seen.prospects is None:
        return ()
    prospect = seen.prospects.of(wish.to, seen.at, wish.method)
    found = (
        prospect.by(package.location, package.carrier, package.service, sum(line.units for line in package.lines))
        for package in decision.packages
    )
    return tuple(each for each in found if each is not None)


def fits(seen: Landscape, decision: Decision, wish: Wish, shelves: Shelves, excluded: Mapping[LocationId, str]) -> bool:
    """Whether a decision that was made without looking at these shelves is what is wished for, and nothing in it is taken.

    Raises:
        ReadingOutdated: Somebody decided on a newer reading in the meantime.
    """
    wanted = tally(wish.lines)
    places = {package.location for package in decision.packages}
    return (
        len(places) == len(decision.packages)
        and _sent(decision) == wanted
        and all(_fits(seen, package, wish, shelves, excluded) for package in decision.packages)
        and not seen.short_in_network(wanted, shelves)
    )


def record(seen: Landscape, routed: Routed, *, order: OrderId | None, decision_id: str, at: datetime) -> DecisionRecord | None:
    """The decision as it is kept, with its explanation and what it was made on. None: there is none, all of it waits."""
    if routed.problem is None or routed.decision is None:
        return None
    inputs = inputs_of(routed.problem, seen.atlas.world(routed.problem.tariff))
    return DecisionRecord(
        id=decision_id,
        order=order,
        decided_at=at,
        policy=routed.policy.name,
        policy_version=routed.policy.version,
        rule=routed.by.rule.name,
        relaxed=tuple(part.value for part in routed.by.relaxed),
        inputs_hash=inputs.digest,
        decision=routed.decision,
        explanation=explain(routed.decision, seen.atlas.names, seen.outlook.odds),
        inputs=inputs,
        promises=routed.promises,
        price_book=None if seen.outlook.prices is None else seen.outlook.prices.version,
        own_rule=routed.by.rule if routed.policy.version == 0 and routed.by.rule != LEAST_COST else None,
    )


def _sent(decision: Decision) -> dict[Sku, int]:
    return tally(Units(sku=line.sku, units=line.units) for package in decision.packages for line in package.lines)


def _units(units: Mapping[Sku, int]) -> tuple[Units, ...]:
    return tuple(Units(sku=sku, units=count) for sku, count in units.items())


def _fits(seen: Landscape, package: Package, wish: Wish, shelves: Shelves, excluded: Mapping[LocationId, str]) -> bool:
    place = seen.places.get(package.location)
    if place is None or not _may(place, wish, excluded):
        return False
    for line in package.lines:
        if (seen.promisable((line.sku, place.id), shelves) or 0) < line.units:
            return False
    units = sum(line.units for line in package.lines)
    return not seen.full(place, seen.bookings(place, units, slot=wish.pickup_slot, kept=wish.kept), shelves)


def _slot_full(seen: Landscape, wish: Wish, shelves: Shelves) -> tuple[Refusal, ...]:
    if wish.pickup_at is None or wish.pickup_slot is None:
        return ()
    place = seen.places[wish.pickup_at]
    booked = seen.bookings(place, 1, slot=wish.pickup_slot, kept=wish.kept)
    return seen.full(place, [each for each in booked if day_named(each.sku) is None], shelves)


def _why(seen: Landscape, wish: Wish, shelves: Shelves, unroutable: Unroutable | None) -> tuple[Refusal, ...]:
    if unroutable is None:
        return ()
    if Constraint.ROOM in unroutable.constraints:
        return _why_full(seen, wish, shelves)
    if unroutable.constraints:
        return (
            NoCandidate(why=f"No plan keeps to every rule; one would if this gave way: {' or '.join(unroutable.constraints)}."),
        )
    excluded = [each.excluded_because for each in unroutable.considered]
    rules = {str(reason) for reason in excluded if reason is not None and reason.code not in LACKS}
    if all(reason is not None and str(reason) in rules for reason in excluded):
        return (NoCandidate(why=f"No location can do this: {', '.join(sorted(rules))}."),)
    return tuple(seen.refusal(sku, *units) for sku, units in unroutable.short.items())


def _why_full(seen: Landscape, wish: Wish, shelves: Shelves) -> tuple[Refusal, ...]:
    """The locations that would have done, had they had room."""
    units = sum(line.units for line in wish.lines)
    limited = (each for each in seen.atlas.limited if wish.pickup_at in {None, each.id})
    return tuple(
        refusal
        for place in limited
        for refusal in seen.full(place, seen.bookings(place, units, slot=wish.pickup_slot, kept=wish.kept), shelves)
    )


def _may(place: Location, wish: Wish, excluded: Mapping[LocationId, str]) -> bool:
    """Whether no rule but those of stock and capacity is against it."""
    here = wish.pickup_at in {None, place.id}
    return place.active and here and place.id not in excluded and wish.method in place.methods
