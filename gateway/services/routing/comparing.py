"""What prices of scarce stock would have made of a decision that was made without them."""

from dataclasses import dataclass, replace

from gateway.domain.policies import RoutingPolicy
from gateway.domain.pricing import PriceBook
from gateway.domain.routing import EXACT, Decision, Unroutable, World, choose, problem_of, ruled
from gateway.domain.sourcing import DecisionRecord
from gateway.services.routing.replay import rule_of
from gateway.services.routing.stating import price_terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Whether it would have come from elsewhere, what that costs more, and what the stock it would have left is worth to others."""

    moved: bool
    paid_cents: int
    spared_cents: int


def compare(record: DecisionRecord, policy: RoutingPolicy | None, world: World, book: PriceBook) -> Compared | None:
    """Decide again with these prices, by that version of its policy.

    None: it was made in another world, by a rule of thumb or one that cannot be found, together with others, or by prices already.
    """
    rule = rule_of(record, policy)
    if rule is None or record.inputs is None or record.inputs.world != world.digest or record.inputs.unit_terms:
        return None
    if (record.decision.strategy, rule.objective.strategy) != (EXACT, EXACT):
        return None
    problem = problem_of(record.inputs, world)
    skus = [line.sku for line in problem.demand]
    try:
        choice = choose(ruled(replace(problem, unit_terms=price_terms(book, problem.sites, skus)), rule))
    except Unroutable:
        return None
    packages, _ = choice.pricing.packages(choice.plan)
    other = replace(record.decision, packages=packages)
    worth, other_worth = _worth(record.decision, book), _worth(other, book)
    cents = sum(package.cost_cents for package in packages) - other_worth
    return Compared(
        moved={each.location for each in packages} != {each.location for each in record.decision.packages},
        paid_cents=cents - record.decision.cost_cents,
        spared_cents=worth - other_worth,
    )


def _worth(decision: Decision, book: PriceBook) -> int:
    """What all that it takes is worth to others."""
    return sum(
        line.units * (book.bid_cents(package.location, line.sku) + book.room_cents(package.location))
        for package in decision.packages
        for line in package.lines
    )
