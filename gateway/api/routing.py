"""Routing decisions, with every reason."""

from decimal import Decimal

import strawberry

from gateway.api.context import Operation
from gateway.api.describe import described
from gateway.api.errors import UserError
from gateway.api.identifiers import global_id
from gateway.api.locations import Location
from gateway.api.node import Node
from gateway.api.promises import Promise
from gateway.api.scalars import Amount, Instant
from gateway.domain.identity import LocationId, SourceName
from gateway.domain.rates import CURRENCY
from gateway.domain.routing import UNKNOWN, Considered, Inputs, Package, Reason
from gateway.domain.sourcing import DecisionRecord


@described
@strawberry.type
class Money:
    """An amount in a currency.

    Attributes:
        amount: How much, exactly.
        currency_code: ISO 4217.
    """

    amount: Amount
    currency_code: str

    @staticmethod
    def of(cents: int) -> "Money":
        """So many cents."""
        return Money(amount=Amount(Decimal(cents).scaleb(-2)), currency_code=CURRENCY)


@described
@strawberry.type
class FulfillmentLine:
    """So many units of one SKU.

    Attributes:
        sku: Of what.
        units: How many.
    """

    sku: str
    units: int


@described
@strawberry.type
class CostTerm:
    """One part of a price.

    Attributes:
        name: `postage`, `waiting`, `late`, `parcel` (one more of them), `pick`, `handling`, `preference`, `distance`, `rejection`
            (it may be turned down there), `bid` and `room` (what stock and work are worth to others), `markdown` or `back-order`.
        amount: What it adds.
    """

    name: str
    amount: Money


@described
@strawberry.type
class PlannedPackage:
    """What one location is to send, or to hand over.

    Attributes:
        location: From where.
        lines: What.
        zone: The postal zone, 1 (near) to 8 (far); null for a pickup.
        miles: How far it goes as the crow flies, if that is known.
        transit_days: Working days of the carrier on the way.
        carrier: Who carries it; null for a pickup, and where it was not kept.
        service: By which of the carrier's services; null for a pickup, and where it was not kept.
        cost: What it costs altogether.
        costs: What it costs, part by part.
        promise: What the customer is promised of it, and how that came about; null when nobody can say.
    """

    location: Location
    lines: list[FulfillmentLine]
    zone: int | None
    miles: float | None
    transit_days: int
    carrier: str | None
    service: str | None
    cost: Money
    costs: list[CostTerm]
    promise: Promise | None


@described
@strawberry.type
class RoutingReason:
    """Why a location does not send what it might have sent.

    Attributes:
        code: `CLOSED`, `HARD_RULE`, `NOT_THE_PICKUP_LOCATION`, `METHOD`, `STOCK`, `SAFETY_STOCK` (enough, but for what is kept
            back), `SOURCE_UNKNOWN`, `CAPACITY`, `PROMISE` (it would be late), `ZONE` (it is farther, and nothing else makes a
            difference), `DOMINATED_BY` (that location is no worse in anything), `COST`, `STRATEGY` (it is cheaper, but the policy
            does not go by cost), or the name of another rule.
        text: The reason in words.
        detail: Which rule.
        sku: What it lacks, or the first of it.
        needs: Units that it would have to send: of the SKU, or altogether.
        has: Units that could be promised there, or that it had room for.
        kept_back: Units of safety stock there.
        age_seconds: How long its source had said nothing; null if it never did.
        days_late: Days that it would be late; null if it could not be sent at all, too.
        zone: The postal zone from there.
        compared_with: The location that sends instead what this one could have sent.
        differences: What that would have cost more from here, part by part; what is alike is left out.
    """

    code: str
    text: str
    detail: str | None
    sku: str | None
    needs: int | None
    has: int | None
    kept_back: int | None
    age_seconds: int | None
    days_late: int | None
    zone: int | None
    compared_with: Location | None
    differences: list[CostTerm]

    @staticmethod
    def of(reason: Reason, operation: Operation) -> "RoutingReason":
        """The reason as the graph shows it."""
        than = None if reason.than is None else operation.services.network.get(reason.than)
        return RoutingReason(
            code=str(reason.code),
            text=str(reason),
            detail=reason.detail or None,
            sku=reason.sku,
            needs=reason.needs,
            has=reason.has,
            kept_back=reason.kept_back,
            age_seconds=reason.age_s,
            days_late=reason.days,
            zone=reason.zone,
            compared_with=None if than is None else operation.places.location(than),
            differences=[CostTerm(name=name, amount=Money.of(cents)) for name, cents in reason.terms],
        )


@described
@strawberry.type
class RoutingShortage:
    """What a location would have needed.

    Attributes:
        sku: Of what.
        needs: So many units, at least.
        has: So many could be promised there; null: nobody knew.
    """

    sku: str
    needs: int
    has: int | None


@described
@strawberry.type
class RoutingCounterfactual:
    """The least that a location would have needed to be chosen. With one unit less of anything, it would not have been.

    Attributes:
        saves: What the order would have cost less; zero: it would have been as cheap in fewer parcels.
        short: The stock that it would have needed.
        room: Units that it would have needed room for; null: it has enough.
    """

    saves: Money
    short: list[RoutingShortage]
    room: int | None


@described
@strawberry.type
class SeenStock:
    """Stock, as it was seen when this was decided.

    Attributes:
        sku: Of what.
        available: Units that could be promised there; below zero where too many were; null: nobody knew.
        read_at: When its source had been asked.
        age_seconds: How old that was.
    """

    sku: str
    available: int | None
    read_at: Instant | None
    age_seconds: float | None


@described
@strawberry.type
class RoutingCandidate:
    """A location that was considered: chosen, or why not and by how much.

    Attributes:
        location: Which one.
        chosen: Whether it sends something.
        excluded_because: The rule or the lack that kept it out: a code, and what was needed and there.
        reason: Why it was not chosen, though it may have been able to take part; null if it was.
        alone: What the order would have cost from there alone; null when it could not.
        regret: Cost of the best plan that includes this location, less the chosen plan's; null when it cannot take part.
        cheaper: A package from there would have had to cost so much less for it to be chosen; null: no telling.
        counterfactual: What else it would have needed to be chosen; null: nothing that it could have had.
    """

    location: Location
    chosen: bool
    excluded_because: str | None
    reason: RoutingReason | None
    alone: Money | None
    regret: Money | None
    cheaper: Money | None
    counterfactual: RoutingCounterfactual | None
    inputs: strawberry.Private[Inputs | None]
    row: strawberry.Private[int]
    source: strawberry.Private[SourceName]

    @strawberry.field
    def stock(self) -> list[SeenStock]:
        """What it had of each line, as it was seen then; empty where that was not kept."""
        if self.inputs is None:
            return []
        read_at = self.inputs.read_at.get(self.source)
        return [
            SeenStock(
                sku=line.sku,
                available=None if units == UNKNOWN else units,
                read_at=None if read_at is None else Instant(read_at),
                age_seconds=None if read_at is None else (self.inputs.at - read_at).total_seconds(),
            )
            for line, units in zip(self.inputs.demand, self.inputs.available[self.row], strict=True)
        ]


@described
@strawberry.type
class RoutingDecision(Node):
    """Where an order comes from, and why.

    Attributes:
        decided_at: When.
        policy: By which rules.
        policy_version: By which version of them.
        rule: By which of them; null where it was not kept.
        relaxed: The parts of it that were given up, so that there was a plan.
        strategy: How the plan was chosen: `exact` is the least cost, proven.
        inputs_hash: A fingerprint of everything that it was decided on.
        cost: What the plan costs.
        lower_bound: No plan costs less.
        optimality_gap: The most that a better plan could save, as a share of the cost; 0 is proven best.
        optimal: Whether it is proven best.
        plan: What each location sends.
        waits: What comes from nowhere yet.
        candidates: Every location, the chosen ones first, then by regret, then the excluded.
        explanation: The decision in sentences, for a person who has to explain it to a customer.
    """

    decided_at: Instant
    policy: str
    policy_version: int
    rule: str | None
    relaxed: list[str]
    strategy: str
    inputs_hash: str
    cost: Money
    lower_bound: Money
    optimality_gap: float
    optimal: bool
    plan: list[PlannedPackage]
    waits: list[FulfillmentLine]
    candidates: list[RoutingCandidate]
    explanation: str

    @staticmethod
    def of(record: DecisionRecord, operation: Operation) -> "RoutingDecision":
        """The decision as the graph shows it; locations that are gone are left out."""
        decision = record.decision

        def at(location: LocationId) -> Location | None:
            place = operation.services.network.get(location)
            return None if place is None else operation.places.location(place)

        plan = [(package, at(package.location)) for package in decision.packages]
        considered = [(each, at(each.location)) for each in decision.considered]
        # Every site was considered, and sites come by id: so do the rows of what was seen.
        rows = {location: row for row, location in enumerate(sorted(each.location for each in decision.considered))}
        return RoutingDecision(
            id=global_id("RoutingDecision", record.id),
            decided_at=Instant(record.decided_at),
            policy=record.policy,
            policy_version=record.policy_version,
            rule=record.rule or None,
            relaxed=list(record.relaxed),
            strategy=decision.strategy,
            inputs_hash=record.inputs_hash,
            cost=Money.of(decision.cost_cents),
            lower_bound=Money.of(decision.lower_bound_cents),
            optimality_gap=decision.optimality_gap,
            optimal=decision.optimal,
            plan=[_planned(package, location, record, operation) for package, location in plan if location is not None],
            waits=[FulfillmentLine(sku=line.sku, units=line.units) for line in decision.waits],
            candidates=[
                _candidate(each, location, record.inputs, rows[each.location], operation)
                for each, location in considered
                if location is not None
            ],
            explanation=record.explanation,
        )


@described
@strawberry.type
class RoutingReplay:
    """A decision, made again from what was kept of it.

    Attributes:
        identical: Whether it came out the same, to the byte.
        decision: How it was kept.
        differences: What came out otherwise, or what of it is missing; empty when it is identical.
    """

    identical: bool
    decision: RoutingDecision
    differences: list[str]

    @staticmethod
    async def of(decision_id: str, operation: Operation) -> "RoutingReplay | None":
        """Make it again; null: there is no such decision."""
        found = await operation.services.replays.replay(decision_id)
        if found is None:
            return None
        decision = RoutingDecision.of(found.record, operation)
        return RoutingReplay(identical=found.identical, decision=decision, differences=list(found.differences))


@described
@strawberry.type
class RoutingPreview:
    """What would happen; nothing is stored.

    Attributes:
        decision: Where it would come from; null when it could not come from anywhere.
        user_errors: Why it could not; empty when it could.
    """

    decision: RoutingDecision | None
    user_errors: list[UserError]


def _planned(package: Package, location: Location, record: DecisionRecord, operation: Operation) -> PlannedPackage:
    promised = next((each for each in record.promises if each.location == package.location), None)
    return PlannedPackage(
        location=location,
        lines=[FulfillmentLine(sku=line.sku, units=line.units) for line in package.lines],
        zone=package.zone,
        miles=package.miles,
        transit_days=package.transit_days,
        carrier=package.carrier,
        service=package.service,
        cost=Money.of(package.cost_cents),
        costs=[CostTerm(name=term.name, amount=Money.of(term.cents)) for term in package.costs],
        promise=Promise.of(promised, operation),
    )


def _candidate(
    considered: Considered, location: Location, inputs: Inputs | None, row: int, operation: Operation
) -> RoutingCandidate:
    excluded, needed = considered.excluded_because, considered.counterfactual
    reason = excluded or considered.against
    return RoutingCandidate(
        location=location,
        chosen=considered.chosen,
        excluded_because=None if excluded is None else str(excluded),
        reason=None if reason is None else RoutingReason.of(reason, operation),
        alone=_money(considered.alone_cents),
        regret=_money(considered.regret_cents),
        cheaper=_money(considered.cheaper_cents),
        counterfactual=None
        if needed is None
        else RoutingCounterfactual(
            saves=Money.of(needed.saves_cents),
            short=[RoutingShortage(sku=each.sku, needs=each.needs, has=each.has) for each in needed.short],
            room=needed.room,
        ),
        inputs=inputs,
        row=row,
        source=location.place.source,
    )


def _money(cents: int | None) -> Money | None:
    return None if cents is None else Money.of(cents)
