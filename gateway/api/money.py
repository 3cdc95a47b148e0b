"""Money, and what it is for."""

from decimal import Decimal

import strawberry

from gateway.api.describe import described
from gateway.api.scalars import Amount
from gateway.domain.rates import CURRENCY


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
class CostTerm:
    """One part of a price.

    Attributes:
        name: `postage`, `waiting`, `late`, `parcel` (one more of them), `pick`, `handling`, `preference`, `distance`, `rejection`
            (it may be turned down there), `bid` and `room` (what stock and work are worth to others), `markdown` or `back-order`.
        amount: What it adds.
    """

    name: str
    amount: Money
