"""The locations that were considered for an order, each with why it was not chosen, and on what that rests."""

import strawberry

from gateway.api.context import Operation
from gateway.api.describe import described
from gateway.api.locations import Location
from gateway.api.money import CostTerm, Money
from gateway.api.scalars import Instant
from gateway.domain.identity import SourceName
from gateway.domain.routing import UNKNOWN, Considered, Inputs, Reason


@described
@strawberry.type
class RoutingReason:
    """Why a location does not send what it might have sent.

    Attributes:
        code: `CLOSED`, `HARD_RULE`, `NOT_THE_PICKUP_LOCATION`, `METHOD`, `STOCK`, `SAFETY_STOCK` (enough, but for what is kept
            back), `SOURCE_UNKNOWN`, `CAPACITY`, `CUTOFF` (it would be late, and would not be, had its cutoff of today not passed),
            `PROMISE` (it would be late), `ZONE` (it is farther, and nothing else makes a difference), `DOMINATED_BY` (that location
            is no worse in anything), `COST`, `STRATEGY` (it is cheaper, but the policy does not go by cost), or the name of another
            rule.
        text: The reason in words.
        detail: Which rule.
        sku: What it lacks, or the first of it.
        needs: Units that it would have to send: of the SKU, or altogether.
        has: Units that could be promised there, or that it had room for.
        kept_back: Units of safety stock there.
        age_seconds: How long its source had said nothing; null if it never did.
        days_late: Days that it would be late; null if it could not be sent at all, too.
        cutoff: By when today it would have had to be ordered there to be in time: wall time, HH:MM.
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
    cutoff: str | None
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
            cutoff=None if reason.cutoff is None else f"{reason.cutoff:%H:%M}",
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

    @staticmethod
    def of(considered: Considered, location: Location, inputs: Inputs | None, row: int, operation: Operation) -> "RoutingCandidate":
        """The candidate as the graph shows it; ``row`` is its row in the inputs."""
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
