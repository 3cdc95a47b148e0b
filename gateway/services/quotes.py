"""What shipping would cost: by our own tables, by carriers that can be asked, and by sources that ship themselves."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

import structlog

from connectors.contract import Address, Method, Quote, Quoter, QuoteRequest, RequestLine, Sku, SourceError
from connectors.rates import CarrierRate, Parcel, RateProvider, Rates
from gateway.domain.identity import LocationId, SourceName
from gateway.domain.rates import CURRENCY, CarrierService, Weights
from gateway.domain.refusals import Refusal, Refusals
from gateway.domain.routing import Decision, Package, Tariff
from gateway.ports import Clock, Source, Sources
from gateway.services.network import Network
from gateway.services.routing import Routing, Wish

log = structlog.get_logger(__name__)

T = TypeVar("T")

OURS: Final = "rates"
"""What we call our own tables among those who quote."""
ANSWERS_MAX: Final = 100
TOO_LATE: Final = "TOO_LATE: no answer in time"
CRASHED: Final = "CRASHED: it failed in a way that is not foreseen; see our log"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingQuote:
    """What sending all of it by one service would cost, or the ``failure`` of whoever was to say so.

    ``provider`` is ``rates`` (our own tables), a provider of rates, or the name of the ``source``. ``locations`` are where it would
    leave from; empty: whoever quotes decides. None is not known. ``ships_by`` and ``arrives_by`` are the latest of all parcels.
    """

    provider: str
    source: SourceName | None = None
    locations: tuple[LocationId, ...] = ()
    carrier: str | None = None
    service: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    transit_days: int | None = None
    ships_by: datetime | None = None
    arrives_by: datetime | None = None
    failure: str | None = None


Answers = tuple[ShippingQuote, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes:
    """Asks everybody at once, within one deadline; who fails or is late keeps nobody else from being heard."""

    routing: Routing
    network: Network
    sources: Sources
    providers: Mapping[str, RateProvider]
    tariff: Tariff
    weights: Weights
    clock: Clock
    deadline_s: float

    async def ask(self, wish: Wish) -> Answers:
        """What sending it would cost, the cheapest first and failures last. Nothing, where nothing is sent."""
        if wish.method is not Method.SHIP:
            return ()
        by_s = asyncio.get_running_loop().time() + self.deadline_s
        answers = await asyncio.gather(
            self._from_where_we_would_send(wish, by_s),
            *(
                self._heard(ShippingQuote(provider=source.name, source=source.name), self._quoted(source, quoter, wish), by_s)
                for source in self.sources.values()
                if isinstance(quoter := source.connector, Quoter)
            ),
        )
        return tuple(sorted(chain.from_iterable(answers), key=_rank))

    # ------------------------------------------------------------------------------------------ from our locations
    async def _from_where_we_would_send(self, wish: Wish, by_s: float) -> Answers:
        """By our own tables and by providers, from the locations that the order would come from now."""
        record = await _said(OURS, self.routing.preview(wish), by_s)
        if isinstance(record, Silence):
            return tuple(ShippingQuote(provider=name, failure=record.why) for name in (OURS, *self.providers))
        asked = (
            self._heard(ShippingQuote(provider=name), self._rated(name, provider, record.decision, wish.to), by_s)
            for name, provider in self.providers.items()
        )
        return (*self._by_our_tables(record.decision), *chain.from_iterable(await asyncio.gather(*asked)))

    def _by_our_tables(self, decision: Decision) -> Answers:
        return tuple(self._by(service, decision) for service in self.tariff.services)

    def _by(self, service: CarrierService, decision: Decision) -> ShippingQuote:
        cents, leaving, arriving, days = 0, [], [], []
        for package in decision.packages:
            zone = package.zone or self.tariff.zones.farthest
            cents += service.price_cents(zone, self._grams(package))
            leaves_by = service.leaves_by(self.clock.now().astimezone(self._zone_of(package.location)))
            leaving.append(leaves_by)
            arriving.append(service.arrives_by(leaves_by, zone))
            days.append(service.transit_days[zone - 1])
        return ShippingQuote(
            provider=OURS,
            locations=_origins(decision),
            carrier=service.carrier,
            service=service.name,
            amount=Decimal(cents).scaleb(-2),
            currency=CURRENCY,
            transit_days=max(days),
            ships_by=max(leaving),
            arrives_by=max(arriving),
        )

    async def _rated(self, name: str, provider: RateProvider, decision: Decision, to: Address) -> Answers:
        """What a provider says of all packages together: the services that take every one of them."""
        parcels = [
            Parcel(shipper=shipper, recipient=to, grams=self._grams(package))
            for package in decision.packages
            if (shipper := self._address_of(package.location)) is not None
        ]
        if len(parcels) < len(decision.packages):
            return (ShippingQuote(provider=name, failure="UNKNOWN_ORIGIN: a location has no address to ship from"),)
        answers = await asyncio.gather(*(provider.rates(parcel) for parcel in parcels))
        asked = ShippingQuote(provider=name, locations=_origins(decision))
        silent = dict.fromkeys(chain.from_iterable(answer.failures for answer in answers))
        return (
            *(_together(asked, each) for each in _for_all(answers)[:ANSWERS_MAX]),
            *(ShippingQuote(provider=name, failure=reason) for reason in list(silent)[:ANSWERS_MAX]),
        )

    def _grams(self, package: Package) -> int:
        units: dict[Sku, int] = {line.sku: line.units for line in package.lines}
        return self.weights.total_grams(units)

    def _zone_of(self, location: LocationId) -> ZoneInfo:
        place = self.network.get(location)
        return ZoneInfo("UTC" if place is None else place.time_zone)

    def _address_of(self, location: LocationId) -> Address | None:
        place = self.network.get(location)
        return None if place is None else place.address

    # ------------------------------------------------------------------------------------------ from sources
    async def _quoted(self, source: Source, quoter: Quoter, wish: Wish) -> Answers:
        lines = tuple(RequestLine(sku=line.sku, units=line.units) for line in wish.lines)
        found = await quoter.quote(QuoteRequest(lines=lines, recipient=wish.to))
        return tuple(self._as_ours(source.name, quote) for quote in found[:ANSWERS_MAX])

    def _as_ours(self, source: SourceName, quote: Quote) -> ShippingQuote:
        place = None if quote.location is None else self.network.at(source, quote.location)
        return ShippingQuote(
            provider=source,
            source=source,
            locations=() if place is None else (place.id,),
            service=quote.service,
            amount=quote.amount,
            currency=None if quote.amount is None else quote.currency,
            ships_by=quote.ships_by,
            arrives_by=quote.arrives_by,
        )

    async def _heard(self, asked: ShippingQuote, answer: Awaitable[Answers], by_s: float) -> Answers:
        """The answer, or why there is none."""
        found = await _said(asked.provider, answer, by_s)
        return (replace(asked, failure=found.why),) if isinstance(found, Silence) else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """That somebody said nothing, and why."""

    why: str


async def _said(provider: str, answer: Awaitable[T], by_s: float) -> T | Silence:
    """What was answered by then, on the event loop's clock."""
    try:
        async with asyncio.timeout_at(by_s):
            return await answer
    except (SourceError, Refusal, Refusals) as failure:
        return Silence(why=str(failure))
    except TimeoutError:
        return Silence(why=TOO_LATE)
    except Exception:  # another author's bug is that provider's failure, not everybody's
        log.exception("quoter_crashed", provider=provider)
        return Silence(why=CRASHED)


def _origins(decision: Decision) -> tuple[LocationId, ...]:
    return tuple(package.location for package in decision.packages)


def _for_all(answers: Sequence[Rates]) -> list[list[CarrierRate]]:
    """The rates of each service of a carrier that has one for every parcel; of several, the cheapest."""
    found: dict[tuple[str, str], list[CarrierRate]] = defaultdict(list)
    for answer in answers:
        dearest_first = sorted(answer.rates, key=lambda rate: (rate.amount is None, rate.amount or 0), reverse=True)
        for service, rate in {(rate.carrier, rate.service): rate for rate in dearest_first}.items():
            found[service].append(rate)
    return [rates for rates in found.values() if len(rates) == len(answers)]


def _together(asked: ShippingQuote, rates: Sequence[CarrierRate]) -> ShippingQuote:
    """All parcels of one service; what is not known of one is not known of all."""
    amounts = [rate.amount for rate in rates if rate.amount is not None]
    currencies = {rate.currency for rate in rates}
    priced = len(amounts) == len(rates) and len(currencies) == 1
    days = [rate.transit_days for rate in rates if rate.transit_days is not None]
    arriving = [rate.arrives_by for rate in rates if rate.arrives_by is not None]
    return replace(
        asked,
        carrier=rates[0].carrier,
        service=rates[0].service,
        amount=sum(amounts, Decimal(0)) if priced else None,
        currency=currencies.pop() if priced else None,
        transit_days=max(days) if len(days) == len(rates) else None,
        arrives_by=max(arriving) if len(arriving) == len(rates) else None,
    )


def _rank(quote: ShippingQuote) -> tuple[bool, bool, str, Decimal, str, str]:
    """Cheapest first in each currency, then what has no price, then failures."""
    amount, currency = quote.amount, quote.currency or ""
    return quote.failure is not None, amount is None, currency, amount or Decimal(0), quote.provider, quote.service or ""
