"""What clients would like to try."""

import re
from datetime import time
from typing import Final

import strawberry

from connectors.contract import Sku
from gateway.api.describe import described
from gateway.api.inputs.checks import UNITS_MAX, Check
from gateway.api.inputs.policies import policy_of
from gateway.api.scalars import Instant
from gateway.domain.identity import LocationId
from gateway.domain.policies import PolicyKey
from gateway.domain.rates import CENTS_MAX
from gateway.domain.whatif import LocationCosts, Supposition
from gateway.services.network import Network

LIST_MAX: Final = 100
SUPPOSE: Final = ("suppose",)
WRITTEN_TIME: Final = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")


@described
@strawberry.input
class SupposedStockInput:
    """Stock that there might be.

    Attributes:
        location: Where.
        sku: Of what.
        units: How many could be promised, 0 to 100,000.
    """

    location: strawberry.ID
    sku: str
    units: int


@described
@strawberry.input
class SupposedCostInput:
    """What it might cost more to send from a location, in cents; below zero: less.

    Attributes:
        location: From where.
        pick_cents: Each package.
        handling_cents: Each unit.
    """

    location: strawberry.ID
    pick_cents: int = 0
    handling_cents: int = 0


@described
@strawberry.input
class SupposedCutoffInput:
    """Until when a location might take orders for the day.

    Attributes:
        location: Which one.
        cutoff: Such as `16:30`, by the clock on its wall; it counts on days and in shifts in which it is open then.
    """

    location: strawberry.ID
    cutoff: str


@described
@strawberry.input
class SupposeInput:
    """How the world might be; what is left out is as it is.

    Attributes:
        stock: Stock that there might be, up to 100 shelves.
        costs: What it might cost, at up to 100 locations.
        closed: Locations that could send nothing, up to 100.
        cutoffs: Until when they might take orders, at up to 100 locations: that decides which day they can promise.
        policy: The version of a routing policy that it would go by, in force or not.
        at: When it would be ordered: that decides what locations have room for, and which rules count.
    """

    stock: list[SupposedStockInput] | None = None
    costs: list[SupposedCostInput] | None = None
    closed: list[strawberry.ID] | None = None
    cutoffs: list[SupposedCutoffInput] | None = None
    policy: strawberry.ID | None = None
    at: Instant | None = None

    def meant(self, network: Network) -> Supposition:
        """What is supposed.

        Raises:
            Refusals: Something in it is no id, or no number that makes sense.
            NotFound: There is no such location.
        """
        check = Check()
        stock, costs, closed, cutoffs = self.stock or [], self.costs or [], self.closed or [], self.cutoffs or []
        for name, given in (("stock", stock), ("costs", costs), ("closed", closed), ("cutoffs", cutoffs)):
            check.that(len(given) <= LIST_MAX, f"At most {LIST_MAX}.", (*SUPPOSE, name))
        supposed = Supposition(
            stock={
                (Sku(each.sku), place): each.units
                for number, each in enumerate(stock[:LIST_MAX])
                if (place := _stocked(each, check, str(number))) is not None
            },
            costs=tuple(
                cost
                for number, each in enumerate(costs[:LIST_MAX])
                if (cost := _cost(each, check, str(number), network)) is not None
            ),
            closed=frozenset(
                place
                for number, each in enumerate(closed[:LIST_MAX])
                if (place := check.location(each, (*SUPPOSE, "closed", str(number)))) is not None
            ),
            cutoffs=dict(
                found for number, each in enumerate(cutoffs[:LIST_MAX]) if (found := _cutoff(each, check, str(number))) is not None
            ),
            policy=None if self.policy is None else _policy(self.policy, check),
            at=check.slot(self.at, (*SUPPOSE, "at")),
        )
        check.done()
        return supposed


@described
@strawberry.input(one_of=True)
class RoutingWayInput:
    """A way of routing that can be compared: exactly one of these.

    Attributes:
        policy: A version of a routing policy, in the place of the one of its name that is in force, or else of the default.
        strategy: Every order by this strategy, whatever policies say: `exact`, `fewest_splits`, `closest` or another one.
    """

    policy: strawberry.Maybe[strawberry.ID]
    strategy: strawberry.Maybe[str]


def _stocked(given: SupposedStockInput, check: Check, number: str) -> LocationId | None:
    path = (*SUPPOSE, "stock", number)
    check.sku(given.sku, (*path, "sku"))
    check.that(0 <= given.units <= UNITS_MAX, f"Units are between 0 and {UNITS_MAX:,}.", (*path, "units"))
    return check.location(given.location, (*path, "location"))


def _cutoff(given: SupposedCutoffInput, check: Check, number: str) -> tuple[LocationId, time] | None:
    path = (*SUPPOSE, "cutoffs", number)
    key = check.location(given.location, (*path, "location"))
    written = WRITTEN_TIME.fullmatch(given.cutoff)
    check.that(written is not None, "A cutoff is written as 16:30.", (*path, "cutoff"))
    return None if key is None or written is None else (key, time.fromisoformat(given.cutoff))


def _cost(given: SupposedCostInput, check: Check, number: str, network: Network) -> LocationCosts | None:
    path = (*SUPPOSE, "costs", number)
    for name, cents in (("pickCents", given.pick_cents), ("handlingCents", given.handling_cents)):
        check.that(abs(cents) <= CENTS_MAX, f"Cents are between -{CENTS_MAX:,} and {CENTS_MAX:,}.", (*path, name))
    key = check.location(given.location, (*path, "location"))
    place = None if key is None else network.get(key)
    check.that(key is None or place is not None, "There is no such location.", (*path, "location"))
    if place is None:
        return None
    return LocationCosts(source=place.source, code=place.code, pick_cents=given.pick_cents, handling_cents=given.handling_cents)


def _policy(given: str, check: Check) -> PolicyKey | None:
    path = (*SUPPOSE, "policy")
    key = check.key("RoutingPolicy", given, path)
    found = None if key is None else policy_of(key)
    check.that(key is None or found is not None, "This is no id of a routing policy.", path)
    return found
