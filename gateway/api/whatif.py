"""What would happen if things were otherwise."""

from collections.abc import Sequence

import strawberry

from gateway.api.context import Info, Operation
from gateway.api.describe import described
from gateway.api.enums import GuardrailMeasure
from gateway.api.errors import user_errors
from gateway.api.identifiers import global_id, key_of
from gateway.api.inputs.guardrails import RoutingGuardrailsInput
from gateway.api.inputs.policies import policy_of
from gateway.api.inputs.purchases import RoutingInput
from gateway.api.inputs.whatif import RoutingWayInput, SupposeInput
from gateway.api.locations import Location
from gateway.api.money import CostTerm, Money
from gateway.api.routing import RoutingDecision, RoutingPreview
from gateway.api.scalars import Instant
from gateway.domain import whatif
from gateway.domain.identity import LocationId
from gateway.domain.policies import PolicyKey
from gateway.domain.principals import Right
from gateway.domain.refusals import NotFound, Refusal, Refusals
from gateway.services.whatif import LAST_DEFAULT


@described
@strawberry.type
class RoutingDifference:
    """A mean difference to what is in force, order by order, with its 95 % confidence interval. Below zero is less.

    Attributes:
        mean: The mean: of costs in cents, of the rest in what is counted.
        low: The lower end of the interval; null where there is too little to say.
        high: The upper end.
        percent: The mean as a share of what it is in force; null where that is nothing.
    """

    mean: float
    low: float | None
    high: float | None
    percent: float | None

    @staticmethod
    def of(found: whatif.Interval | None, share: float | None = None) -> "RoutingDifference | None":
        """The interval as the graph shows it."""
        if found is None:
            return None
        return RoutingDifference(mean=found.mean, low=found.low, high=found.high, percent=None if share is None else 100 * share)


@described
@strawberry.type
class RoutingScore:
    """What one way of routing comes to. Means are over the orders that it fills; null where there are none.

    Attributes:
        name: Which: `in force`, a policy and its version, or a strategy.
        filled: Orders of which everything is sent.
        unfillable: Orders of which something waits, or cannot be sent at all.
        cost: What all filled orders are paid, by the weights that are in force.
        costs: The same, part by part.
        cost_per_order: The mean.
        packages_per_order: The mean.
        split_orders: Filled orders that come in several packages.
        miles_per_order: The mean of the miles of all packages, where they are known.
        promises_kept: The share of promised dates that are kept; null where nothing was promised.
        emptied_in_stores: Shelves of stores that it emptied.
        moved: Orders that come from elsewhere than in force.
        compared: Orders that both fill, from which the differences are told.
        dearer: How many cents more an order is paid.
        more_packages: How many packages more.
        farther: How many miles farther.
    """

    name: str
    filled: int
    unfillable: int
    cost: Money
    costs: list[CostTerm]
    cost_per_order: Money | None
    packages_per_order: float | None
    split_orders: int
    miles_per_order: float | None
    promises_kept: float | None
    emptied_in_stores: int
    moved: int
    compared: int
    dearer: RoutingDifference | None
    more_packages: RoutingDifference | None
    farther: RoutingDifference | None

    @staticmethod
    def of(score: whatif.Score) -> "RoutingScore":
        """The score as the graph shows it."""
        return RoutingScore(
            name=score.name,
            filled=score.filled,
            unfillable=score.unfillable,
            cost=Money.of(score.cost_cents),
            costs=[CostTerm(name=name, amount=Money.of(cents)) for name, cents in score.costs.items()],
            cost_per_order=None if score.cost_per_order_cents is None else Money.of(round(score.cost_per_order_cents)),
            packages_per_order=score.packages_per_order,
            split_orders=score.split_orders,
            miles_per_order=score.miles_per_order,
            promises_kept=score.promises_kept,
            emptied_in_stores=score.emptied_in_stores,
            moved=score.moved,
            compared=score.compared,
            dearer=RoutingDifference.of(score.dearer, score.dearer_share),
            more_packages=RoutingDifference.of(score.more_packages, score.more_packages_share),
            farther=RoutingDifference.of(score.farther),
        )


@described
@strawberry.type
class RoutingMove:
    """An order that comes from elsewhere than in force.

    Attributes:
        way: Which way of routing moves it, by its name.
        order: Which order.
        before: From where it comes in force; empty: from nowhere.
        after: From where it comes instead.
        dearer: How much more it is paid; null where one of the two does not fill it.
    """

    way: str
    order: strawberry.ID
    before: list[Location]
    after: list[Location]
    dearer: Money | None


@described
@strawberry.type
class RoutingBreach:
    """A guardrail that a change would not keep.

    Attributes:
        measure: What it looks at.
        measured: What it would be.
        limit: What it may be.
    """

    measure: GuardrailMeasure
    measured: float
    limit: float


@described
@strawberry.type
class RoutingComparison:
    """The last orders, routed again in several ways, each with the stock that it would have left.

    Orders that were refused were never routed, and are not among them. Differences are paired: the same orders both ways.

    Attributes:
        orders: How many were routed again.
        since: When the first was routed; null: there are none.
        until: When the last was.
        unlike: Orders that what is in force routes otherwise than they were routed; 0 where it always was in force.
        scores: One of each way, that in force first.
        moves: Orders that move, of each way up to 50: first those that only one of the two fills, then where the cost differs most.
        breaches: The guardrails that the first way beside that in force would not keep.
    """

    orders: int
    since: Instant | None
    until: Instant | None
    unlike: int | None
    scores: list[RoutingScore]
    moves: list[RoutingMove]
    breaches: list[RoutingBreach]

    @staticmethod
    def of(found: whatif.Comparison, guardrails: whatif.Guardrails | None, operation: Operation) -> "RoutingComparison":
        """The comparison as the graph shows it; locations that are gone are left out."""
        breached = () if guardrails is None else whatif.breaches(guardrails, found)
        return RoutingComparison(
            orders=found.orders,
            since=None if found.since is None else Instant(found.since),
            until=None if found.until is None else Instant(found.until),
            unlike=found.unlike,
            scores=[RoutingScore.of(each) for each in found.scores],
            moves=[_move(each, operation) for each in found.moves],
            breaches=[RoutingBreach(measure=each.measure, measured=each.measured, limit=each.limit) for each in breached],
        )


async def routing_preview(info: Info, input: RoutingInput, suppose: SupposeInput | None = None) -> RoutingPreview:
    """Where something would come from if it were ordered now. Nothing is stored or kept.

    Args:
        input: What is to go where.
        suppose: How the world might be instead.
    """
    operation = info.context
    operation.must(Right.READ_STOCK)
    if suppose is not None and suppose.policy is not None:
        operation.must(Right.READ_POLICIES)
    try:
        if suppose is None:
            record = await operation.services.routing.preview(input.meant())
        else:
            supposed = suppose.meant(operation.services.network)
            record = await operation.services.whatif.preview(input.meant(), supposed)
    except (Refusal, Refusals) as refused:
        return RoutingPreview(decision=None, user_errors=user_errors(refused))
    return RoutingPreview(decision=RoutingDecision.of(record, operation), user_errors=[])


async def routing_comparison(info: Info, ways: list[RoutingWayInput], last: int = LAST_DEFAULT) -> RoutingComparison:
    """What the last orders would have come to, had they been routed otherwise. One comparison at a time.

    Args:
        ways: How else, up to 5; what is in force is always compared with.
        last: So many of the last orders, up to 5,000.
    """
    operation = info.context
    operation.must(Right.READ_POLICIES)
    others = [await _contender(each, operation) for each in ways]
    return RoutingComparison.of(await operation.services.whatif.compare(others, last=last), None, operation)


async def routing_policy_preview(
    info: Info, id: strawberry.ID, last: int = LAST_DEFAULT, guardrails: RoutingGuardrailsInput | None = None
) -> RoutingComparison:
    """What the last orders would have come to by this version of a policy, and which guardrails it would not keep.

    Args:
        id: Which version.
        last: So many of the last orders, up to 5,000.
        guardrails: What it may at most do; without them, those of the configuration.
    """
    operation = info.context
    operation.must(Right.READ_POLICIES)
    trying = operation.services.whatif
    meant = trying.guardrails if guardrails is None else guardrails.meant(("guardrails",))
    found = await trying.compare([await trying.changed(_policy(id))], last=last)
    return RoutingComparison.of(found, meant, operation)


async def _contender(way: RoutingWayInput, operation: Operation) -> whatif.Contender:
    if way.strategy is not None:
        return operation.services.whatif.going_by(way.strategy.value)
    return await operation.services.whatif.changed(_policy("" if way.policy is None else way.policy.value))


def _policy(id: str) -> PolicyKey:
    found = policy_of(key_of("RoutingPolicy", id, what="routing policy", path=("id",)))
    if found is None:
        raise NotFound(what="routing policy", name=id, path=("id",))
    return found


def _move(move: whatif.Move, operation: Operation) -> RoutingMove:
    return RoutingMove(
        way=move.contender,
        order=global_id("Order", move.order),
        before=_places(move.before, operation),
        after=_places(move.after, operation),
        dearer=None if move.dearer_cents is None else Money.of(move.dearer_cents),
    )


def _places(locations: Sequence[LocationId], operation: Operation) -> list[Location]:
    found = (operation.services.network.get(each) for each in locations)
    return [operation.places.location(place) for place in found if place is not None]
