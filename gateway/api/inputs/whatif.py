"""What clients would like to try."""

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
from gateway.domain.whatif import Guardrails, LocationCosts, Supposition
from gateway.services.network import Network

LIST_MAX: Final = 100
PERCENT_MAX: Final = 1_000.0
ORDERS_MAX: Final = 5_000
SUPPOSE: Final = ("suppose",)


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
class SupposeInput:
    """How the world might be; what is left out is as it is.

    Attributes:
        stock: Stock that there might be, up to 100 shelves.
        costs: What it might cost, at up to 100 locations.
        closed: Locations that could send nothing, up to 100.
        policy: The version of a routing policy that it would go by, in force or not.
        at: When it would be ordered: that decides what locations have room for, and which rules count.
    """

    stock: list[SupposedStockInput] | None = None
    costs: list[SupposedCostInput] | None = None
    closed: list[strawberry.ID] | None = None
    policy: strawberry.ID | None = None
    at: Instant | None = None

    def meant(self, network: Network) -> Supposition:
        """What is supposed.

        Raises:
            Refusals: Something in it is no id, or no number that makes sense.
            NotFound: There is no such location.
        """
        check = Check()
        stock, costs, closed = self.stock or [], self.costs or [], self.closed or []
        for name, given in (("stock", stock), ("costs", costs), ("closed", closed)):
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
        policy: A version of a routing policy, in the place of the one of its name that is in force.
        strategy: Every order by this strategy, whatever policies say: `exact`, `fewest_splits`, `closest` or another one.
    """

    policy: strawberry.Maybe[strawberry.ID]
    strategy: strawberry.Maybe[str]


@described
@strawberry.input
class RoutingGuardrailsInput:
    """What a change may at most do, had the last orders been routed by it. What is left out may be anything.

    Attributes:
        last: So many of the last orders, 1 to 5,000.
        cost_percent_max: By how many percent more an order may be paid.
        packages_percent_max: By how many percent more packages an order may come in.
        unfillable_max: How many orders more may go unfilled.
        orders_min: From how many orders at least it has to be told.
    """

    last: int = 1_000
    cost_percent_max: float | None = None
    packages_percent_max: float | None = None
    unfillable_max: int | None = None
    orders_min: int = 1

    def meant(self, path: tuple[str, ...]) -> Guardrails:
        """The guardrails.

        Raises:
            Refusals: A number makes no sense.
        """
        check = Check()
        for name, percent in (("costPercentMax", self.cost_percent_max), ("packagesPercentMax", self.packages_percent_max)):
            fits = percent is None or -100 <= percent <= PERCENT_MAX
            check.that(fits, f"This is between -100 and {PERCENT_MAX:,.0f}.", (*path, name))
        for name, orders, least in (
            ("last", self.last, 1),
            ("unfillableMax", self.unfillable_max, 0),
            ("ordersMin", self.orders_min, 0),
        ):
            check.that(
                orders is None or least <= orders <= ORDERS_MAX, f"This is between {least} and {ORDERS_MAX:,}.", (*path, name)
            )
        check.done()
        return Guardrails(
            cost_percent_max=self.cost_percent_max,
            packages_percent_max=self.packages_percent_max,
            unfillable_max=self.unfillable_max,
            orders_min=self.orders_min,
        )


def _stocked(given: SupposedStockInput, check: Check, number: str) -> LocationId | None:
    path = (*SUPPOSE, "stock", number)
    check.sku(given.sku, (*path, "sku"))
    check.that(0 <= given.units <= UNITS_MAX, f"Units are between 0 and {UNITS_MAX:,}.", (*path, "units"))
    return check.location(given.location, (*path, "location"))


def _cost(given: SupposedCostInput, check: Check, number: str, network: Network) -> LocationCosts | None:
    path = (*SUPPOSE, "costs", number)
    for name, cents in (("pickCents", given.pick_cents), ("handlingCents", given.handling_cents)):
        check.that(abs(cents) <= CENTS_MAX, f"Cents are between -{CENTS_MAX:,} and {CENTS_MAX:,}.", (*path, name))
    key = check.location(given.location, (*path, "location"))
    place = None if key is None else network.get(key)
    check.that(key is None or place is not None, "There is no such location.", (*path, "location"))
    if place is None:
        return None
    return LocationCosts(code=place.code, pick_cents=given.pick_cents, handling_cents=given.handling_cents)


def _policy(given: str, check: Check) -> PolicyKey | None:
    path = (*SUPPOSE, "policy")
    key = check.key("RoutingPolicy", given, path)
    found = None if key is None else policy_of(key)
    check.that(key is None or found is not None, "This is no id of a routing policy.", path)
    return found
