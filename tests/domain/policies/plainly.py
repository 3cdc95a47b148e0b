"""What rules say of one location at a time: the definition, which the product follows for all of them at once."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from connectors.contract import Sku
from gateway.domain.identity import LocationId
from gateway.domain.policies import Exclusion, LocationFacts, OrderFacts, Rule, RulePart
from gateway.domain.policies.patterns import fits, in_places


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot(LocationFacts):
    """A location as it stands to an order. None: it is not known how far it is, or nothing was ever read of it."""

    miles: float | None = None
    stock_age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationWeights:
    """What a rule makes a location cost: each package, and each unit of a SKU; a SKU that is missing costs nothing more."""

    pick_cents: int = 0
    preference_cents: int = 0
    handling_cents: Mapping[Sku, int]
    markdown_cents: Mapping[Sku, int]


def narrowed(rule: Rule, order: OrderFacts, locations: Iterable[Spot]) -> dict[LocationId, Exclusion]:
    """The locations that may send nothing of this order, each with the first part of the rule that says so."""
    found = {each.location: next(_against(rule, order, each), None) for each in locations}
    return {location: Exclusion(rule=rule.name, part=part) for location, part in found.items() if part is not None}


def barred(rule: Rule, skus: Collection[Sku], location: Spot) -> frozenset[Sku]:
    """Which of these must not leave from there, though other things may."""
    bans = [ban for ban in rule.hard.never_from if in_places(location, ban.places)]
    return frozenset(sku for sku in skus if any(fits(sku, ban.skus) for ban in bans))


def weighed(rule: Rule, skus: Collection[Sku], location: Spot) -> LocationWeights:
    """What the rule makes it cost to send these from there."""
    packages = [each for each in rule.weights.packages if in_places(location, each.places)]
    units = [each for each in rule.weights.units if in_places(location, each.places)]
    return LocationWeights(
        pick_cents=sum(each.pick_cents for each in packages),
        preference_cents=sum(each.preference_cents for each in packages),
        handling_cents={sku: sum(each.handling_cents for each in units if fits(sku, each.skus)) for sku in skus if units},
        markdown_cents={sku: sum(each.markdown_cents for each in units if fits(sku, each.skus)) for sku in skus if units},
    )


def _against(rule: Rule, order: OrderFacts, location: Spot) -> Iterator[RulePart]:
    asked = rule.candidates
    if not _is_asked(rule, location):
        yield RulePart.CANDIDATES
    if asked.miles_max is not None and not _within(location.miles, asked.miles_max):
        yield RulePart.DISTANCE
    if asked.stock_age_seconds_max is not None and not _within(location.stock_age_s, asked.stock_age_seconds_max):
        yield RulePart.STOCK_AGE
    if rule.hard.never_from and barred(rule, order.skus, location) == order.skus:
        yield RulePart.NEVER_FROM
    if not _serves(rule, order.country, location):
        yield RulePart.MARKETS


def _is_asked(rule: Rule, location: Spot) -> bool:
    asked = rule.candidates
    among = not asked.places or any(in_places(location, each) for each in asked.places)
    return among and not any(in_places(location, each) for each in asked.except_places)


def _within(measured: float | None, most: int) -> bool:
    """What is not known is not within anything."""
    return measured is not None and measured <= most


def _serves(rule: Rule, country: str, location: Spot) -> bool:
    markets = [market for market in rule.hard.markets if in_places(location, market.places)]
    return not markets or any(country in market.countries for market in markets)
