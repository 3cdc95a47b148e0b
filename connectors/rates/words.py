"""What is asked of a provider of rates, and what it says."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from connectors.contract import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One parcel that could be sent, packing included."""

    shipper: Address
    recipient: Address
    grams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierRate:
    """What one service of a carrier takes for it. None: it does not say; then the currency (ISO 4217) is None too.

    ``arrives_by`` is the latest that it estimates, with an offset.
    """

    carrier: str
    service: str
    amount: Decimal | None
    currency: str | None
    transit_days: int | None = None
    arrives_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What was found out; ``failures`` are the carriers that did not say, each with its reason, for a person."""

    rates: tuple[CarrierRate, ...]
    failures: tuple[str, ...] = ()


class RateProvider(Protocol):
    """Knows what carriers charge."""

    async def rates(self, parcel: Parcel) -> Rates:
        """What every carrier would take for this parcel, as the provider has it.

        Raises:
            SourceError: A subclass of it, and nothing else: nobody said anything.
        """

    async def aclose(self) -> None:
        """Let go of connections."""
