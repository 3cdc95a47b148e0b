"""What shipping would cost, asked of many at once, some of whom fail."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.contract import Address, Method, Quote, QuoteRequest, RemoteLocation, Sku, SourceError, Throttled
from connectors.rates import CarrierRate, Parcel, Rates
from gateway.domain.identity import LocationId
from gateway.domain.rates import US_GROUND, Weights
from gateway.services.quotes import CRASHED, TOO_LATE, Quotes, ShippingQuote
from gateway.services.routing import Wish
from tests.harness import run
from tests.samples import CUP, HOME, MUG, START, units
from tests.services.shops import PLACE, Place, Shop, shop

DEPOT = Address(lines=("9 Dock Rd",), city="Chicago", region="IL", postal_code="60607", country_code="US")
FAR_OFF = replace(DEPOT, city="Seattle", region="WA", postal_code="98101")
BOTH = Wish(lines=units((MUG, 3), (CUP, 1)), to=HOME)


@dataclass(kw_only=True)
class Depot(Place):
    """A source with an address."""

    address: Address | None = DEPOT

    async def locations(self) -> tuple[RemoteLocation, ...]:
        return (RemoteLocation(id=PLACE, name="Depot", time_zone="America/Chicago", address=self.address),)


@dataclass(kw_only=True)
class Network3PL(Depot):
    """A source that says what it takes, or fails to."""

    quotes: Sequence[Quote] = ()
    failure: Exception | None = None
    heard: list[QuoteRequest] = field(default_factory=list)

    async def quote(self, request: QuoteRequest) -> tuple[Quote, ...]:
        self.heard.append(request)
        if self.failure is not None:
            raise self.failure
        return tuple(self.quotes)


@dataclass(kw_only=True)
class Carriers:
    """A provider of rates that takes so much for a kilogram. ``late``: it never answers."""

    per_kilogram: dict[str, str]
    silent: tuple[str, ...] = ()
    failure: Exception | None = None
    late: bool = False
    parcels: list[Parcel] = field(default_factory=list)

    async def rates(self, parcel: Parcel) -> Rates:
        self.parcels.append(parcel)
        if self.late:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure
        found = (
            CarrierRate(
                carrier="Post",
                service=service,
                amount=Decimal(each) * parcel.grams / 1000,
                currency="USD",
                transit_days=parcel.grams // 1000,
                arrives_by=START + timedelta(days=parcel.grams // 1000),
            )
            for service, each in self.per_kilogram.items()
        )
        return Rates(rates=tuple(found), failures=self.silent)

    async def aclose(self) -> None:
        """Nothing is open."""


def quoting(on: Shop, deadline_s: float = 5.0, grams: int = 500, **providers: Carriers) -> Quotes:
    weights = Weights(unit_grams=grams)
    return replace(on.services.quotes, providers=providers, deadline_s=deadline_s, weights=weights)


def told(folder: Path, places: dict[str, Place], story: Callable[[Shop], Awaitable[None]]) -> None:
    async def played() -> None:
        async with shop(folder, places) as on:
            await story(on)

    run(played)


def test_our_own_tables_price_every_service_from_where_it_would_leave(tmp_path: Path) -> None:
    async def story(on: Shop) -> None:
        ground, express = await quoting(on, grams=454).ask(BOTH)
        assert ground == ShippingQuote(
            provider="rates",
            locations=(LocationId(f"depot:{PLACE}"),),
            carrier="US parcel carrier",
            service="Ground",
            amount=Decimal("9.90"),
            currency="USD",
            transit_days=1,
            ships_by=datetime(2026, 3, 2, 20, tzinfo=UTC),  # 14:00 in Chicago
            arrives_by=datetime(2026, 3, 4, 5, 59, tzinfo=UTC),
        )
        assert (express.service, express.amount) == ("Express", Decimal("20.20"))
        on.clock.wait(9 * 3600)  # 15:00 there
        assert (await quoting(on).ask(BOTH))[0].ships_by == datetime(2026, 3, 3, 20, tzinfo=UTC)

    told(tmp_path, {"depot": Depot(stock={MUG: 5, CUP: 5})}, story)


def test_a_service_is_quoted_for_all_parcels_together_and_is_as_late_as_the_last(tmp_path: Path) -> None:
    post = Carriers(per_kilogram={"slow": "2", "quick": "5"}, silent=("ups: down",))

    async def story(on: Shop) -> None:
        found = await quoting(on, post=post).ask(BOTH)
        places = (LocationId(f"near:{PLACE}"), LocationId(f"far:{PLACE}"))
        slow, quick, ground, express, silent = found
        assert [each.failure for each in found] == [None] * 4 + ["ups: down"]
        assert (slow.provider, slow.service, slow.amount, slow.transit_days) == ("post", "slow", Decimal(4), 1)
        assert slow.arrives_by == START + timedelta(days=1)
        assert quick.amount == Decimal(10)
        assert ground.amount == Decimal(US_GROUND.price_cents(1, 1_500) + US_GROUND.price_cents(7, 500)) / 100
        assert (ground.transit_days, express.transit_days) == (5, 2)
        assert {each.locations for each in found[:4]} == {places}
        assert {(each.shipper.city, each.grams) for each in post.parcels} == {("Chicago", 1_500), ("Seattle", 500)}
        assert silent.provider == "post"

    told(tmp_path, {"near": Depot(stock={MUG: 5}), "far": Depot(stock={CUP: 5}, address=FAR_OFF)}, story)


def test_sources_that_ship_themselves_say_what_they_take_and_empty_is_no_failure(tmp_path: Path) -> None:
    priced = Quote(service="Standard", amount=Decimal("1.50"), currency="USD", ships_by=START, arrives_by=START, location=PLACE)
    unpriced = Quote(service="Freight", amount=None, currency="USD")
    abroad = Quote(service="Colis", amount=Decimal(1), currency="CAD")
    threepl, unwilling = Network3PL(stock={MUG: 9, CUP: 9}, quotes=(unpriced, priced, abroad)), Network3PL(stock={})

    async def story(on: Shop) -> None:
        found = [each for each in await quoting(on).ask(BOTH) if each.provider != "rates"]
        assert [(each.provider, each.source, each.service, each.amount, each.currency) for each in found] == [
            ("threepl", "threepl", "Colis", Decimal(1), "CAD"),
            ("threepl", "threepl", "Standard", Decimal("1.50"), "USD"),
            ("threepl", "threepl", "Freight", None, None),
        ]
        assert (found[1].ships_by, found[1].arrives_by, found[1].locations) == (START, START, (LocationId(f"threepl:{PLACE}"),))
        assert found[2].locations == (), "it decides itself"
        (heard,) = threepl.heard
        assert {line.sku: line.units for line in heard.lines} == {MUG: 3, CUP: 1}
        assert (heard.recipient, heard.location) == (HOME, None)

    told(tmp_path, {"threepl": threepl, "unwilling": unwilling}, story)


@pytest.mark.parametrize(
    ("failure", "told_of_it"),
    [(Throttled("slow down"), "THROTTLED: slow down"), (SourceError(), "SOURCE_ERROR"), (RuntimeError("a bug"), CRASHED)],
)
def test_whoever_fails_is_listed_with_the_reason_after_those_who_answer(
    tmp_path: Path, failure: Exception, told_of_it: str
) -> None:
    async def story(on: Shop) -> None:
        found = await quoting(on, post=Carriers(per_kilogram={}, failure=failure)).ask(BOTH)
        assert [(each.provider, each.failure) for each in found] == [
            ("rates", None),
            ("rates", None),
            ("broken", told_of_it),
            ("post", told_of_it),
        ]
        assert [each.source for each in found[2:]] == ["broken", None]

    told(tmp_path, {"depot": Depot(stock={MUG: 5, CUP: 5}), "broken": Network3PL(failure=failure)}, story)


def test_whoever_is_late_keeps_nobody_waiting_beyond_the_deadline(tmp_path: Path) -> None:
    async def story(on: Shop) -> None:
        late, prompt = Carriers(per_kilogram={}, late=True), Carriers(per_kilogram={"slow": "2"})
        found = await quoting(on, deadline_s=0.3, late=late, prompt=prompt).ask(BOTH)
        assert [(each.provider, each.failure) for each in found] == [
            ("prompt", None),
            ("rates", None),
            ("rates", None),
            ("late", TOO_LATE),
        ]

    told(tmp_path, {"depot": Depot(stock={MUG: 5, CUP: 5})}, story)


def test_what_we_could_not_send_ourselves_others_may(tmp_path: Path) -> None:
    only = Quote(service="Standard", amount=Decimal(3), currency="USD")

    async def story(on: Shop) -> None:
        first, *rest = await quoting(on, post=Carriers(per_kilogram={"slow": "2"})).ask(BOTH)
        assert (first.provider, first.amount) == ("threepl", Decimal(3))
        assert [each.provider for each in rest] == ["post", "rates"]
        assert all(each.failure is not None and each.failure.startswith("INSUFFICIENT_STOCK") for each in rest)

    told(tmp_path, {"threepl": Network3PL(stock={MUG: 1, CUP: 1}, quotes=(only,))}, story)


def test_a_place_without_an_address_can_be_priced_by_zone_but_not_asked_about(tmp_path: Path) -> None:
    async def story(on: Shop) -> None:
        ground, _, unknown = await quoting(on, post=Carriers(per_kilogram={"slow": "2"})).ask(BOTH)
        assert ground.transit_days == US_GROUND.transit_days[-1]
        assert unknown.failure is not None
        assert unknown.failure.startswith("UNKNOWN_ORIGIN")

    told(tmp_path, {"depot": Depot(stock={MUG: 5, CUP: 5}, address=None)}, story)


def test_of_two_connections_to_one_carrier_the_cheaper_counts_and_a_sum_over_currencies_is_not_known(tmp_path: Path) -> None:
    @dataclass(kw_only=True)
    class Twice(Carriers):
        async def rates(self, parcel: Parcel) -> Rates:
            cheap, dear = (CarrierRate(carrier="Post", service="slow", amount=Decimal(each), currency="USD") for each in (3, 4))
            unknown = replace(cheap, amount=None, currency=None)
            mixed = replace(cheap, service="mixed", currency="USD" if parcel.shipper == DEPOT else "CAD")
            once = replace(cheap, service="once") if parcel.shipper == DEPOT else mixed
            return Rates(rates=(dear, cheap, unknown, mixed, once))

    async def story(on: Shop) -> None:
        found = [each for each in await quoting(on, post=Twice(per_kilogram={})).ask(BOTH) if each.provider == "post"]
        assert [(each.service, each.amount, each.currency) for each in found] == [
            ("slow", Decimal(6), "USD"),
            ("mixed", None, None),
        ]

    told(tmp_path, {"near": Depot(stock={MUG: 5}), "far": Depot(stock={CUP: 5}, address=FAR_OFF)}, story)


def test_a_pickup_is_not_sent(tmp_path: Path) -> None:
    async def story(on: Shop) -> None:
        assert await quoting(on).ask(replace(BOTH, method=Method.PICKUP)) == ()

    told(tmp_path, {"depot": Network3PL(stock={MUG: 5, CUP: 5}, failure=SourceError())}, story)


def test_what_has_been_weighed_is_priced_by_what_it_weighs(tmp_path: Path) -> None:
    async def story(on: Shop) -> None:
        heavy = replace(quoting(on), weights=Weights(grams={Sku("MUG"): 10_000}, unit_grams=100))
        (ground, _) = await heavy.ask(BOTH)
        assert ground.amount == Decimal(US_GROUND.price_cents(1, 30_100)) / 100

    told(tmp_path, {"depot": Depot(stock={MUG: 5, CUP: 5})}, story)
