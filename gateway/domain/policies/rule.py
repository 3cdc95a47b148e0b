"""What a rule of a routing policy says, as data.

These texts are also the descriptions of the graph. Patterns match whole texts, letter by letter; `*` stands for any run of
characters. What is empty does not narrow.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from connectors.contract import Method
from gateway.domain.locations import LocationKind


class RulePart(StrEnum):
    """A part of a rule that can leave an order without any location, and that a second pass can do without.

    Attributes:
        CANDIDATES: Which locations are asked.
        DISTANCE: How far away they may be.
        STOCK_AGE: How old what is known of their stock may be.
        NEVER_FROM: What must never leave from where.
        MARKETS: Which countries a location serves.
        TOGETHER: What has to leave from one location.
        WHOLE_LINES: That no line is split.
        PACKAGES_MAX: How many packages there may be.
    """

    CANDIDATES = "CANDIDATES"
    DISTANCE = "DISTANCE"
    STOCK_AGE = "STOCK_AGE"
    NEVER_FROM = "NEVER_FROM"
    MARKETS = "MARKETS"
    TOGETHER = "TOGETHER"
    WHOLE_LINES = "WHOLE_LINES"
    PACKAGES_MAX = "PACKAGES_MAX"


class Criterion(StrEnum):
    """One thing that plans are compared by.

    Attributes:
        PACKAGES: The fewest packages first.
        MILES: The fewest miles of all packages first.
        RANK: The locations that the rule prefers most first.
        COST: The least cost first. It comes last: nothing after it could decide anything.
    """

    PACKAGES = "PACKAGES"
    MILES = "MILES"
    RANK = "RANK"
    COST = "COST"


class FallbackStep(StrEnum):
    """What to do when a rule leaves nothing.

    Attributes:
        RELAX: Try again without some parts of the rule.
        NEXT_RULE: Go by the next rule that matches the order, and do what it says; where none does, go on here.
        BACK_ORDER: Let the order wait for stock.
        PARK: Let the order wait for a person.
        AUTO_CANCEL: Cancel what still waits after so many hours.
    """

    RELAX = "RELAX"
    NEXT_RULE = "NEXT_RULE"
    BACK_ORDER = "BACK_ORDER"
    PARK = "PARK"
    AUTO_CANCEL = "AUTO_CANCEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Locations that fit every part of this.

    Attributes:
        codes: Patterns of their codes, or of what their source calls them, such as `stores:L8GT0ZX`.
        kinds: What they are to customers.
        sources: Patterns of the names of the systems that speak for them.
        groups: Patterns of the groups that the merchant has put them in: one of a location's groups fits one.
    """

    codes: tuple[str, ...] = ()
    kinds: tuple[LocationKind, ...] = ()
    sources: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Orders that fit every part of this.

    Attributes:
        channels: Patterns of who sold them.
        methods: How the goods reach the customer.
        customer_classes: Patterns of what the channel says of the customer; an order of which it says nothing does not fit.
        skus: Patterns: at least one line fits one.
        only_skus: Patterns: every line fits one.
        tags: Patterns: at least one line is of a SKU that has a tag which fits one.
        destinations: Postal areas, such as `US:606`, `CA:M5V` or `DE`; what lies in one of them fits.
        placed_from: Placed at or after.
        placed_to: Placed before.
        value_cents_from: The customer pays so much for the goods, or more; an order of which nobody said how much does not fit.
        value_cents_to: The customer pays less for the goods; an order of which nobody said how much does not fit.
    """

    channels: tuple[str, ...] = ()
    methods: tuple[Method, ...] = ()
    customer_classes: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    only_skus: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    value_cents_from: int | None = None
    value_cents_to: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidacy:
    """Which locations are asked.

    Attributes:
        places: Those in one of these.
        except_places: Not those in one of these.
        miles_max: Nothing farther from the customer; where the distance is not known, neither.
        stock_age_seconds_max: Nothing whose stock was read longer ago; where it was never read, neither.
    """

    places: tuple[Places, ...] = ()
    except_places: tuple[Places, ...] = ()
    miles_max: int | None = None
    stock_age_seconds_max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """What must never leave from where.

    Attributes:
        skus: Patterns of what; without any, nothing at all.
        places: From where.
    """

    skus: tuple[str, ...] = ()
    places: Places = Places()


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Countries that locations serve. A location in several markets serves all their countries, one in none serves every country.

    Attributes:
        countries: ISO 3166-1 alpha-2, such as US.
        places: Which locations.
    """

    countries: tuple[str, ...]
    places: Places = Places()


@dataclass(frozen=True, slots=True, kw_only=True)
class HardRules:
    """What a plan must keep, whatever it costs.

    Attributes:
        together: Groups of patterns of SKUs: what an order has of one group leaves from one location.
        never_from: What must never leave from where.
        markets: Which countries locations serve.
        packages_max: At most so many packages; 1 is one location for all of it.
        whole_lines: No line is split between locations.
    """

    together: tuple[tuple[str, ...], ...] = ()
    never_from: tuple[Ban, ...] = ()
    markets: tuple[Market, ...] = ()
    packages_max: int | None = None
    whole_lines: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageWeight:
    """What each package of some locations weighs in a decision. A location of which several speak has the sum.

    Attributes:
        places: Which locations.
        pick_cents: What picking and packing it costs there.
        preference_cents: What we would pay for it to come from there rather than from elsewhere; below zero: from anywhere else.
    """

    places: Places = Places()
    pick_cents: int = 0
    preference_cents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitWeight:
    """What each unit from some locations weighs in a decision. A unit of which several speak has the sum.

    Attributes:
        skus: Patterns of what; without any, everything.
        places: Which locations.
        handling_cents: What handling it costs there.
        markdown_cents: What it would lose in value there if it stayed.
    """

    skus: tuple[str, ...] = ()
    places: Places = Places()
    handling_cents: int = 0
    markdown_cents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What things are worth, in cents, so that they can be compared. What is null costs what it costs without a policy.

    Attributes:
        split_cents: Each package after the first.
        late_cents_per_day: Each day after the promise.
        waiting_cents_per_unit_day: Each day that one unit is under way.
        packages: What packages of some locations cost more, or are worth.
        units: What units from some locations cost more, or are worth.
    """

    split_cents: int | None = None
    late_cents_per_day: int | None = None
    waiting_cents_per_unit_day: int | None = None
    packages: tuple[PackageWeight, ...] = ()
    units: tuple[UnitWeight, ...] = ()


EXACT: Final = "exact"
LEXICOGRAPHIC: Final = "lexicographic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """How the plan is chosen among those that keep the hard rules.

    Attributes:
        strategy: `exact` is the least cost, proven. Others are rules of thumb: `priority`, `closest`, `highest_stock`,
            `fewest_splits`, `weighted`, `rank_ten`, what is installed by the entry point `dom.strategies`, and `lexicographic`,
            which goes by the criteria.
        criteria: For `lexicographic`: what plans are compared by, the next only among equals of the one before.
    """

    strategy: str = EXACT
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """One thing to do when a rule leaves nothing.

    Attributes:
        step: What to do.
        relaxes: For `RELAX`: which parts to do without, beside those that an earlier one does without.
        after_hours: For `AUTO_CANCEL`: how long after the order was placed.
    """

    step: FallbackStep
    relaxes: tuple[RulePart, ...] = ()
    after_hours: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How some orders are routed.

    Attributes:
        name: Unique in its policy; explanations name it.
        when: Which orders.
        candidates: Which locations are asked.
        hard: What a plan must keep.
        weights: What things are worth.
        objective: How the plan is chosen.
        fallbacks: What to do, in turn, when nothing is left. At the end of them it is as without a policy: an order that cannot be
            promised is refused.
        batch_minutes: Orders wait to be routed together, every so many minutes; null: each is routed as it comes.
    """

    name: str
    when: When = When()
    candidates: Candidacy = Candidacy()
    hard: HardRules = HardRules()
    weights: Weights = Weights()
    objective: Objective = Objective()
    fallbacks: tuple[Fallback, ...] = ()
    batch_minutes: int | None = None


LEAST_COST: Final = Rule(name="least cost")
"""By which orders are routed that no rule of their policy matches."""
