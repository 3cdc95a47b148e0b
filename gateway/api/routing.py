"""Routing decisions, with every reason."""

from decimal import Decimal

import strawberry

from gateway.api.context import Operation
from gateway.api.describe import described
from gateway.api.errors import UserError
from gateway.api.identifiers import global_id
from gateway.api.locations import Location
from gateway.api.node import Node
from gateway.api.scalars import Amount, Instant
from gateway.domain.identity import LocationId
from gateway.domain.rates import CURRENCY
from gateway.domain.routing import Considered, Package
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
        name: `postage`, `handling`, `parcel` (one more of them), `waiting` or `preference`.
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


@described
@strawberry.type
class RoutingCandidate:
    """A location that was considered: chosen, or why not and by how much.

    Attributes:
        location: Which one.
        chosen: Whether it sends something.
        excluded_because: The rule or the lack that kept it out: a code, and what was needed and there.
        alone: What the order would have cost from there alone; null when it could not.
        regret: Cost of the best plan that includes this location, less the chosen plan's; null when it cannot take part.
    """

    location: Location
    chosen: bool
    excluded_because: str | None
    alone: Money | None
    regret: Money | None


@described
@strawberry.type
class RoutingDecision(Node):
    """Where an order comes from, and why.

    Attributes:
        decided_at: When.
        policy: By which rules.
        policy_version: By which version of them.
        inputs_hash: A fingerprint of everything that it was decided on.
        cost: What the plan costs.
        lower_bound: No plan costs less.
        optimality_gap: The most that a better plan could save, as a share of the cost; 0 is proven best.
        optimal: Whether it is proven best.
        plan: What each location sends.
        candidates: Every location, the chosen ones first, then by regret, then the excluded.
        explanation: The decision in sentences, for a person who has to explain it to a customer.
    """

    decided_at: Instant
    policy: str
    policy_version: int
    inputs_hash: str
    cost: Money
    lower_bound: Money
    optimality_gap: float
    optimal: bool
    plan: list[PlannedPackage]
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
        return RoutingDecision(
            id=global_id("RoutingDecision", record.id),
            decided_at=Instant(record.decided_at),
            policy=record.policy,
            policy_version=record.policy_version,
            inputs_hash=record.inputs_hash,
            cost=Money.of(decision.cost_cents),
            lower_bound=Money.of(decision.lower_bound_cents),
            optimality_gap=decision.optimality_gap,
            optimal=decision.optimal,
            plan=[_planned(package, location) for package, location in plan if location is not None],
            candidates=[_candidate(each, location) for each, location in considered if location is not None],
            explanation=record.explanation,
        )


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


def _planned(package: Package, location: Location) -> PlannedPackage:
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
    )


def _candidate(considered: Considered, location: Location) -> RoutingCandidate:
    excluded, alone, regret = considered.excluded_because, considered.alone_cents, considered.regret_cents
    return RoutingCandidate(
        location=location,
        chosen=considered.chosen,
        excluded_because=None if excluded is None else str(excluded),
        alone=None if alone is None else Money.of(alone),
        regret=None if regret is None else Money.of(regret),
    )
