"""What a rule leaves of all locations at once, and what it makes them cost: as arrays with a row for each location."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from connectors.contract import Sku
from gateway.domain.identity import LocationId
from gateway.domain.policies.facts import LocationFacts, OrderFacts
from gateway.domain.policies.narrowing import Exclusion
from gateway.domain.policies.patterns import fits, in_places
from gateway.domain.policies.rule import Places, Rule, RulePart

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PLACES_KNOWN_MAX: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """The locations, each in a row of its own; which of them are where is worked out once for whatever a rule names."""

    locations: tuple[LocationFacts, ...]
    _known: dict[Places, Bools] = field(default_factory=dict, repr=False, compare=False)

    def within(self, *places: Places) -> Bools:
        """Which of them are in one of these. ``[L]``, not to be written to."""
        if len(places) == 1:
            return self._within(places[0])
        return np.logical_or.reduce([self._within(each) for each in places]) if places else np.zeros(len(self.locations), np.bool_)

    def _within(self, places: Places) -> Bools:
        known = self._known.get(places)
        if known is None:
            if len(self._known) >= PLACES_KNOWN_MAX:
                self._known.clear()
            known = self._known[places] = np.array([in_places(each, places) for each in self.locations], dtype=np.bool_)
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What a rule makes locations cost: each package ``[L]``, and each unit of each SKU ``[L, n]``."""

    pick_cents: Ints
    preference_cents: Ints
    handling_cents: Ints
    markdown_cents: Ints


def excluded(rule: Rule, order: OrderFacts, grounds: Grounds, *, miles: Floats, stock_age_s: Floats) -> dict[LocationId, Exclusion]:
    """The locations that may send nothing of this order, each with the first part of the rule that says so.

    ``miles`` from the customer and ``stock_age_s``, the age of the oldest reading that counts, are ``[L]``; NaN is not known, and
    what is not known is within nothing.
    """
    found: dict[LocationId, Exclusion] = {}
    for part, mask in reversed(list(_against(rule, order, grounds, miles, stock_age_s))):
        exclusion = Exclusion(rule=rule.name, part=part)
        found |= dict.fromkeys([grounds.locations[row].location for row in np.flatnonzero(mask).tolist()], exclusion)
    return found


def forbidden(rule: Rule, skus: Sequence[Sku], grounds: Grounds) -> Bools:
    """Which SKUs must not leave from which locations, though other things may. ``[L, n]``."""
    found = np.zeros((len(grounds.locations), len(skus)), dtype=np.bool_)
    for ban in rule.hard.never_from:
        found |= grounds.within(ban.places)[:, None] & _are(skus, ban.skus)
    return found


def weighed_all(rule: Rule, skus: Sequence[Sku], grounds: Grounds) -> Weighing:
    """What the rule makes it cost to send these from each location."""
    rows = len(grounds.locations)
    pick, preference = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    handling, markdown = np.zeros((rows, len(skus)), dtype=np.int64), np.zeros((rows, len(skus)), dtype=np.int64)
    for package in rule.weights.packages:
        here = grounds.within(package.places)
        pick[here] += package.pick_cents
        preference[here] += package.preference_cents
    for unit in rule.weights.units:
        these = grounds.within(unit.places)[:, None] & _are(skus, unit.skus)
        handling[these] += unit.handling_cents
        markdown[these] += unit.markdown_cents
    return Weighing(pick_cents=pick, preference_cents=preference, handling_cents=handling, markdown_cents=markdown)


def _against(
    rule: Rule, order: OrderFacts, grounds: Grounds, miles: Floats, stock_age_s: Floats
) -> Iterable[tuple[RulePart, Bools]]:
    asked, hard = rule.candidates, rule.hard
    if asked.places:
        yield RulePart.CANDIDATES, ~grounds.within(*asked.places)
    if asked.except_places:
        yield RulePart.CANDIDATES, grounds.within(*asked.except_places)
    if asked.miles_max is not None:
        yield RulePart.DISTANCE, ~(miles <= asked.miles_max)
    if asked.stock_age_seconds_max is not None:
        yield RulePart.STOCK_AGE, ~(stock_age_s <= asked.stock_age_seconds_max)
    if hard.never_from:
        yield RulePart.NEVER_FROM, np.logical_and.reduce(forbidden(rule, sorted(order.skus), grounds), axis=1)
    if hard.markets:
        serving = [market.places for market in hard.markets if order.country in market.countries]
        yield RulePart.MARKETS, grounds.within(*(market.places for market in hard.markets)) & ~grounds.within(*serving)


def _are(skus: Sequence[Sku], patterns: tuple[str, ...]) -> Bools:
    return np.array([fits(sku, patterns) for sku in skus], dtype=np.bool_)
