"""Prices of scarce stock, learnt from what is sold, over real sockets and a real database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectors.contract import Method, Sku
from gateway.domain.expectation import Outlet, Sale, expected, priced
from gateway.domain.geography import Centroids, GeoPoint, PostalArea
from gateway.domain.identity import LocationId, OrderId
from gateway.domain.policies import Objective, OrderFacts, Rule
from gateway.domain.pricing import PriceBook, PriceMode, PricingTerms
from gateway.domain.rates import Weights
from gateway.domain.routing import Demand, Site, Sites, Tariff
from gateway.services.pricing import PriceBooks
from gateway.services.routing import compare
from gateway.settings import Settings
from tests.harness import line, place, run, world
from tests.samples import MUG, desk
from tests.services.shops import Place, nothing_but, shop

NOBODY: Any = None
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
EAST, WEST = GeoPoint(latitude=40, longitude=-75), GeoPoint(latitude=37, longitude=-120)
SITES = Sites.of(
    (
        Site(location=LocationId("east"), position=EAST, methods=frozenset({Method.SHIP})),
        Site(location=LocationId("west"), position=WEST, methods=frozenset({Method.SHIP})),
    )
)
RARE, COMMON = Sku("RARE"), Sku("COMMON")
WEEK = timedelta(days=7)


def sale(number: int, destination: GeoPoint, *skus: Sku, days_ago: float = 1) -> Sale:
    facts = OrderFacts(
        channel="web", method=Method.SHIP, skus=frozenset(skus), area=PostalArea("US:1"), placed_at=NOW, customer_class=None
    )
    lines = tuple(Demand(sku=sku, units=1) for sku in skus)
    return Sale(order=OrderId(str(number)), at=NOW - timedelta(days=days_ago), lines=lines, facts=facts, destination=destination)


def outlet(*, rare: tuple[int, int], room: tuple[int | None, int | None] = (None, None)) -> Outlet:
    return Outlet(
        sites=SITES,
        tariff=Tariff(),
        stock={RARE: np.array(rare), COMMON: np.array([10_000, 10_000])},
        units_per_day=room,
        grams={},
        unit_grams=454,
    )


def test_what_is_scarce_where_it_is_wanted_has_a_price_there_and_what_is_plenty_has_none() -> None:
    sales = [sale(number, EAST, RARE) for number in range(60)] + [sale(100 + number, WEST, COMMON) for number in range(60)]
    book = priced(sales, outlet(rare=(5, 5_000)), now=NOW, half_life=WEEK, horizon=WEEK, version=1)
    dearer_from_the_west = book.bid_cents(LocationId("east"), RARE)
    assert 300 < dearer_from_the_west < 700, "about what the longer way costs more"
    assert book.bid_cents(LocationId("west"), RARE) == 0
    assert all(book.bid_cents(site.location, COMMON) == 0 for site in SITES.all)
    assert book.bound_cents > 0
    again = priced(sales, outlet(rare=(5, 5_000)), now=NOW, half_life=WEEK, horizon=WEEK, version=1)
    assert again == book, "the same for the same input"


def test_a_location_that_can_do_little_a_day_has_a_price_for_its_room() -> None:
    sales = [sale(number, EAST, COMMON) for number in range(70)]
    book = priced(sales, outlet(rare=(0, 0), room=(2, None)), now=NOW, half_life=WEEK, horizon=WEEK, version=1)
    assert book.room_cents(LocationId("east")) > 300
    assert book.room_cents(LocationId("west")) == 0


def test_old_sales_count_less_and_a_constant_stream_is_expected_to_go_on() -> None:
    stream = [sale(number, EAST, COMMON, days_ago=number / 10) for number in range(1, 281)]
    counts = expected(stream, now=NOW, half_life=WEEK, horizon=WEEK)
    assert counts.sum() == pytest.approx(70, rel=0.05), "ten a day for a week"
    assert counts[0] > 2 * counts[-1]


def test_nothing_sold_has_no_prices() -> None:
    book = priced([], outlet(rare=(1, 1)), now=NOW, half_life=WEEK, horizon=WEEK, version=4)
    assert (book.version, book.bids, book.rooms, book.bound_cents) == (4, {}, {}, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: PricingTerms(every_s=0),
        lambda: PricingTerms(sales_min=0),
        lambda: PricingTerms(sales_min=9, sales_max=8),
        lambda: PricingTerms(half_life_days=0),
        lambda: PricingTerms(horizon_days=400),
    ],
)
def test_terms_that_make_no_sense_cannot_be_made(wrong: Callable[[], PricingTerms]) -> None:
    with pytest.raises(ValueError):
        wrong()


BOOK = """{ priceBook { mode version stale bound { amount } inShadow { orders moved }
  locations { location { code } room { amount } bids { sku price { amount } } } } }"""
DECIDED = "query ($id: ID!) { order(by: {id: $id}) { routingDecisions { plan { costs { name } } } } }"


@pytest.mark.parametrize("mode", [PriceMode.SHADOW, PriceMode.ON])
def test_a_gateway_learns_prices_from_its_orders_and_goes_by_them_only_where_it_is_told_to(tmp_path: Path, mode: PriceMode) -> None:
    def learning(settings: Settings) -> Settings:
        return replace(settings, prices=PricingTerms(mode=mode, every_s=1, sales_min=3, horizon_days=365, half_life_days=365))

    async def story() -> None:
        async with world(tmp_path, tune=learning) as (graph, _):
            assert (await graph(BOOK))["priceBook"] is None
            for number in range(4):
                assert (await place(graph, line("SKU-0003", 2), key=f"{number}"))["userErrors"] == []
            book = (await graph.until(BOOK, lambda answer: answer["priceBook"] is not None))["priceBook"]
            assert (book["mode"], book["stale"], book["version"] >= 1) == (mode.name, False, True)
            assert "SKU-0003" in {bid["sku"] for each in book["locations"] for bid in each["bids"]}
            after = await place(graph, line("SKU-0003", 1), key="after")
            (decided,) = (await graph(DECIDED, id=after["order"]["id"]))["order"]["routingDecisions"]
            terms = {cost["name"] for package in decided["plan"] for cost in package["costs"]}
            if mode is PriceMode.ON:
                assert book["inShadow"] is None
                assert "bid" in terms
            else:
                assert "bid" not in terms
                await graph.until(BOOK, lambda answer: answer["priceBook"]["inShadow"]["orders"] >= 1)

    run(story)


def test_a_book_that_is_too_old_counts_for_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            books = PriceBooks(
                store=on.store,
                upkeep=on.upkeep,
                inventory=NOBODY,
                network=NOBODY,
                centroids=Centroids(points={}),
                tariff=Tariff(),
                weights=Weights(),
                clock=on.clock,
                terms=PricingTerms(mode=PriceMode.ON, every_s=60),
            )
            book = priced([], outlet(rare=(1, 1)), now=on.clock.now(), half_life=WEEK, horizon=WEEK, version=1)
            await on.upkeep.keep_price_book(book)
            await on.upkeep.keep_price_book(replace(book, bound_cents=99))
            await books.renew()
            in_force = [books.in_force]
            on.clock.wait(3 * 60)
            in_force.append(books.in_force)
            on.clock.wait(1)
            assert [*in_force, books.in_force] == [book, book, None], "the first of a version stays, until it is too old"
            assert books.newest == book

    run(story)


@pytest.mark.parametrize(("strategy", "looked_at"), [("exact", True), ("priority", False)])
def test_prices_in_shadow_look_at_what_the_merchant_s_own_rules_decided_but_not_at_rules_of_thumb(
    strategy: str, tmp_path: Path, *, looked_at: bool
) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 5}), "west": Place(stock={MUG: 5})}) as on:
            await nothing_but(on, Rule(name="ours", objective=Objective(strategy=strategy)))
            order = await on.bought(1)
            (record,) = (await on.store.decisions([order]))[order]
            policy = await on.store.policy(record.policy_key)
            (package,) = record.decision.packages
            dear = {package.location: {MUG: 100_000}}
            book = PriceBook(version=1, built_at=NOW, horizon=WEEK, bids=dear, rooms={}, bound_cents=0)
            seen = on.services.network.atlas().world(Tariff())
            found = compare(record, policy, seen, book)
            assert (found is not None) is looked_at
            assert found is None or (found.moved, found.spared_cents) == (True, 100_000)

    run(story)
