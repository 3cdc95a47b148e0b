"""What a change of policy may at most do, as clients write it."""

from typing import Final

import strawberry

from gateway.api.describe import described
from gateway.api.inputs.checks import Check
from gateway.domain.whatif import Guardrails

PERCENT_MAX: Final = 1_000.0
ORDERS_MAX: Final = 5_000


@described
@strawberry.input
class RoutingGuardrailsInput:
    """What a change may at most do, had the last orders been routed by it. What is left out may be anything.

    Attributes:
        cost_percent_max: By how many percent more an order may be paid.
        packages_percent_max: By how many percent more packages an order may come in.
        unfillable_max: How many orders more may go unfilled.
        orders_min: From how many orders at least it has to be told.
    """

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
        for name, orders in (("unfillableMax", self.unfillable_max), ("ordersMin", self.orders_min)):
            check.that(orders is None or 0 <= orders <= ORDERS_MAX, f"This is between 0 and {ORDERS_MAX:,}.", (*path, name))
        check.done()
        return Guardrails(
            cost_percent_max=self.cost_percent_max,
            packages_percent_max=self.packages_percent_max,
            unfillable_max=self.unfillable_max,
            orders_min=self.orders_min,
        )
