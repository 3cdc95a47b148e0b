"""Karrio: one HTTP interface, self-hosted or theirs, to the rates of many carriers (https://karrio.io, API 2026.1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

from connectors.client import Client, Limits, Reply, by_status
from connectors.contract import Address, ContractBroken, Rejected, Secret, SourceError
from connectors.rates.words import CarrierRate, Parcel, Rates
from connectors.registry import Tools

RATES_PATH: Final = "/v1/proxy/rates"
END_OF_DAY: Final = time(23, 59)


@dataclass(frozen=True, slots=True, kw_only=True)
class KarrioSettings:
    """One account at a Karrio server.

    ``carrier_ids``: only these of its carrier connections are asked; empty: all. Dates without a time of day mean the end of that
    day in ``time_zone`` (IANA).
    """

    url: str
    token: Secret
    carrier_ids: tuple[str, ...] = ()
    time_zone: str = "UTC"
    attempt_timeout_s: float = 4.0
    total_timeout_s: float = 10.0
    concurrency_max: int = 8
    rate_per_s: float | None = None

    def __post_init__(self) -> None:
        if self.time_zone not in available_timezones():
            raise ValueError(f"{self.time_zone!r} is not an IANA time zone such as America/Chicago")
        self.limits()

    def limits(self) -> Limits:
        """The bounds that the client keeps."""
        return Limits(
            attempt_timeout_s=self.attempt_timeout_s,
            total_timeout_s=self.total_timeout_s,
            concurrency_max=self.concurrency_max,
            rate_per_s=self.rate_per_s,
        )


class Karrio:
    """A provider of rates."""

    def __init__(self, settings: KarrioSettings, tools: Tools) -> None:
        self._carrier_ids = settings.carrier_ids
        self._zone = ZoneInfo(settings.time_zone)
        self._client = Client(
            base_url=settings.url,
            tools=tools,
            limits=settings.limits(),
            headers={"Authorization": f"Token {settings.token}"},
            classify=classify,
        )

    async def rates(self, parcel: Parcel) -> Rates:
        """What the connected carriers would take; asking buys nothing, so it may be repeated."""
        body = rate_request(parcel, carrier_ids=self._carrier_ids)
        told = await self._client.call("POST", RATES_PATH, json=body, returns=RateReply)
        return parse_rates(told, zone=self._zone)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.aclose()


# ---------------------------------------------------------------------------------------------- to Karrio
def rate_request(parcel: Parcel, *, carrier_ids: tuple[str, ...]) -> dict[str, object]:
    """A ``RateRequest``. Nothing in it says who receives the parcel: a price needs no names."""
    asked: dict[str, object] = {
        "shipper": _address(parcel.shipper),
        "recipient": _address(parcel.recipient),
        "parcels": [{"weight": parcel.grams / 1000, "weight_unit": "KG"}],
    }
    return asked | ({"carrier_ids": list(carrier_ids)} if carrier_ids else {})


def _address(address: Address) -> dict[str, str]:
    said = {
        "address_line1": (address.lines[0] if address.lines else "")[:50],
        "city": address.city[:30],
        "state_code": (address.region or "")[:20],
        "postal_code": address.postal_code[:10],
        "country_code": address.country_code.upper(),
    }
    return {name: value for name, value in said.items() if value}


# ---------------------------------------------------------------------------------------------- from Karrio
class RateRow(Struct, frozen=True):
    """One ``Rate``."""

    carrier_name: str
    service: str | None = None
    currency: str | None = None
    total_charge: Decimal | None = None
    transit_days: int | None = None
    estimated_delivery: str | None = None


class MessageRow(Struct, frozen=True):
    """What went wrong at one carrier, or with the request."""

    carrier_name: str | None = None
    code: str | None = None
    message: str | None = None


class RateReply(Struct, frozen=True):
    """A ``RateResponse``."""

    rates: tuple[RateRow, ...]
    messages: tuple[MessageRow, ...] | None = None


class _Refusal(Struct, frozen=True):
    """An ``ErrorResponse`` has ``errors``, ``ErrorMessages`` have ``messages``."""

    errors: tuple[MessageRow, ...] | None = None
    messages: tuple[MessageRow, ...] | None = None


def classify(reply: Reply) -> SourceError | None:
    """Karrio's own reading of a reply: a refusal says why."""
    error = by_status(reply)
    if not isinstance(error, Rejected):
        return error
    try:
        refusal = reply.read(_Refusal)
    except ContractBroken:
        return error
    told = "; ".join(_told((*(refusal.errors or ()), *(refusal.messages or ()))))
    return Rejected(told[:500], reason=f"HTTP_{reply.status}") if told else error


def parse_rates(reply: RateReply, *, zone: ZoneInfo) -> Rates:
    """The rates in the order that they came in, and what the carriers without any say.

    A missing ``total_charge`` is unknown, though the specification's default is 0.

    Raises:
        ContractBroken: A price is below zero.
    """
    return Rates(rates=tuple(_rate(row, zone) for row in reply.rates), failures=_told(reply.messages or ()))


def _rate(row: RateRow, zone: ZoneInfo) -> CarrierRate:
    if row.total_charge is not None and not (row.total_charge.is_finite() and row.total_charge >= 0):
        raise ContractBroken(f"{row.carrier_name} takes {row.total_charge}")
    priced = row.total_charge is not None and row.currency is not None
    return CarrierRate(
        carrier=row.carrier_name,
        service=row.service or row.carrier_name,
        amount=row.total_charge if priced else None,
        currency=row.currency if priced else None,
        transit_days=row.transit_days if row.transit_days is not None and row.transit_days >= 0 else None,
        arrives_by=_instant(row.estimated_delivery or "", zone),
    )


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    """A date, or a date and a time with or without an offset. None: neither."""
    try:
        found = datetime.combine(date.fromisoformat(text), END_OF_DAY) if len(text) == len("2026-11-22") else None
        found = found or datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def _told(messages: Iterable[MessageRow]) -> tuple[str, ...]:
    said: Mapping[str, None] = dict.fromkeys(
        ": ".join(part for part in (each.carrier_name, each.message or each.code) if part) for each in messages
    )
    return tuple(text for text in said if text)
