"""Routing decisions, with every reason."""

import strawberry

from gateway.api.candidates import RoutingCandidate
from gateway.api.context import Operation
from gateway.api.describe import described
from gateway.api.errors import UserError
from gateway.api.identifiers import global_id
from gateway.api.locations import Location
from gateway.api.money import CostTerm, Money
from gateway.api.node import Node
from gateway.api.promises import Promise
from gateway.api.scalars import Instant
from gateway.domain.identity import LocationId
from gateway.domain.routing import Package
from gateway.domain.sourcing import DecisionRecord


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
class RoutingDecision(Node):
    """Where an order comes from, and why.

    Attributes:
        decided_at: When.
        policy: By which rules.
        policy_version: By which version of them.
        rule: By which of them; null where it was not kept.
        relaxed: The parts of it that were given up, so that there was a plan.
        strategy: How the plan was chosen: `exact` is the least cost, proven.
        price_book_version: Which prices of scarce stock counted; null: none.
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
    price_book_version: int | None
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
        rows = {location: row for row, location in enumerate(sorted(each.location for each, _ in considered))}
        return RoutingDecision(
            id=global_id("RoutingDecision", record.id),
            decided_at=Instant(record.decided_at),
            policy=record.policy,
            policy_version=record.policy_version,
            rule=record.rule or None,
            relaxed=list(record.relaxed),
            strategy=decision.strategy,
            price_book_version=record.price_book,
            inputs_hash=record.inputs_hash,
            cost=Money.of(decision.cost_cents),
            lower_bound=Money.of(decision.lower_bound_cents),
            optimality_gap=decision.optimality_gap,
            optimal=decision.optimal,
            plan=[_planned(package, location, record, operation) for package, location in plan if location is not None],
            waits=[FulfillmentLine(sku=line.sku, units=line.units) for line in decision.waits],
            candidates=[
                RoutingCandidate.of(each, location, record.inputs, rows[each.location], operation)
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
