"""Dates for products and carts: on live stock, from places that are near or far, open or closed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from connectors.contract import Address, Method, OpeningHours, RemoteLocation, Sku, StockBatch, Transient
from gateway.domain.delivery import Carrier, Promise, Schedule, Terms
from gateway.domain.identity import LocationId
from gateway.domain.locations import LocationKind
from gateway.domain.refusals import Refusals
from gateway.services.delivery import Delivery, NoPromise, ProductPromise
from gateway.services.routing import Wish
from tests.harness import run
from tests.samples import CUP, HOME, MUG, units
from tests.services.shops import PLACE, Place, Shop, shop

CHICAGO = Address(lines=("9 Dock Rd",), city="Chicago", region="IL", postal_code="60607", country_code="US")
SEATTLE = replace(CHICAGO, city="Seattle", region="WA", postal_code="98101")
NOWHERE = replace(HOME, postal_code="1010", country_code="AT")
NEAR, FAR = LocationId(f"near:{PLACE}"), LocationId(f"far:{PLACE}")
TUESDAY, MONDAY_AFTER = date(2026, 3, 3), date(2026, 3, 9)


@dataclass(kw_only=True)
class Depot(Place):
    """A source with an address, which may fall silent."""

    address: Address
    time_zone: str
    methods: frozenset[Method] = frozenset(Method)
    hours: tuple[OpeningHours, ...] = ()
    silent: bool = False

    async def locations(self) -> tuple[RemoteLocation, ...]:
        return (
            RemoteLocation(
                id=PLACE,
                name=self.time_zone,
                time_zone=self.time_zone,
                address=self.address,
                methods=self.methods,
                hours=self.hours,
            ),
        )

    async def read_stock(self, skus: Sequence[Sku]) -> StockBatch:
        if self.silent:
            raise Transient("it is down")
        return await super().read_stock(skus)


def near(**more: object) -> Depot:
    return replace(Depot(address=CHICAGO, time_zone="America/Chicago", stock={MUG: 2}), **more)  # type: ignore[arg-type]  # its fields


def far(**more: object) -> Depot:
    return replace(Depot(address=SEATTLE, time_zone="America/Los_Angeles", stock={MUG: 9}), **more)  # type: ignore[arg-type]  # likewise


def told(folder: Path, story: Callable[[Shop], Awaitable[None]], **places: Depot) -> None:
    async def played() -> None:
        async with shop(folder, {"near": near(), "far": far(), **places}) as on:
            await story(on)

    run(played)


def by_terms(on: Shop, terms: Terms) -> Delivery:
    """What would be promised by other terms."""
    timetable = replace(on.services.delivery.timetable, terms=terms)
    return replace(on.services.delivery, timetable=timetable, routing=replace(on.services.routing, timetable=timetable))


async def asked(on: Shop, count: int = 1, *, sku: Sku = MUG, to: Address = HOME, method: Method = Method.SHIP) -> ProductPromise:
    (found,) = await on.services.delivery.of_products(units((sku, count)), to, method=method)
    return found


async def promised(on: Shop, count: int = 1) -> Promise:
    found = (await asked(on, count)).promise
    assert found is not None
    return found


def test_the_soonest_is_one_place_that_has_all_of_it_and_several_only_where_none_has(tmp_path: Path) -> None:
    async def story(on: Shop) -> None:
        answers = [await asked(on, count) for count in (1, 2, 3, 9, 10, 11, 12)]
        places = [None if each.promise is None else each.promise.location for each in answers]
        assert places == [NEAR, NEAR, FAR, FAR, FAR, FAR, None]
        assert [each.split for each in answers] == [False, False, False, False, True, True, False]
        assert (answers[-1].sku, answers[-1].units, answers[-1].reason) == (MUG, 12, NoPromise.OUT_OF_STOCK)
        one, other = answers[0].promise, answers[2].promise
        assert one is not None
        assert other is not None
        assert (one.deliver_on, other.deliver_on) == (TUESDAY, MONDAY_AFTER), "a working day in zone 1, five in zone 7"
        assert one.time_zone == other.time_zone == "America/Chicago", "the clock of the closest place"
        assert one.ship_by == datetime(2026, 3, 2, 20, tzinfo=UTC)
        assert other.ship_by == datetime(2026, 3, 2, 22, tzinfo=UTC)

    told(tmp_path, story)


def test_what_was_sold_since_and_what_time_it_is_count(tmp_path: Path) -> None:
    async def story(on: Shop) -> None:
        assert (await promised(on)).deliver_on == TUESDAY
        on.clock.wait(8 * 3600 + 60)  # a minute past two in Chicago
        assert (await promised(on)).deliver_on == TUESDAY + timedelta(days=1)
        await on.bought(2)
        sold_out_near = await promised(on)
        assert (sold_out_near.location, sold_out_near.deliver_on) == (FAR, MONDAY_AFTER), "it is early in Seattle yet"

    told(tmp_path, story)


def test_unknown_is_not_out_of_stock(tmp_path: Path) -> None:
    async def story(on: Shop) -> None:
        assert [(await asked(on, count)).reason for count in (1, 2, 3)] == [None, None, NoPromise.STOCK_UNKNOWN]
        assert (await asked(on, sku=CUP)).reason is NoPromise.STOCK_UNKNOWN, "the silent one may carry it"

    told(tmp_path, story, far=far(silent=True))


def test_who_cannot_be_promised_anything_is_told_why(tmp_path: Path) -> None:
    async def story(on: Shop) -> None:
        assert (await asked(on, sku=CUP)).reason is NoPromise.NOT_CARRIED
        assert (await asked(on, to=NOWHERE)).reason is NoPromise.DESTINATION_UNKNOWN
        assert (await asked(on, to=replace(NOWHERE, latitude=48.2, longitude=16.4))).promise is not None
        assert (await asked(on, to=NOWHERE, method=Method.PICKUP)).promise is not None, "who comes for it needs no address"
        shut = Schedule(name="shut", closed=frozenset(date(2026, 2, 1) + timedelta(days=day) for day in range(300)))
        closed = by_terms(on, Terms(schedules=(replace(shut, kinds=frozenset({LocationKind.STORE})),)))
        (found,) = await closed.of_products(units((MUG, 1)), HOME)
        assert found.reason is NoPromise.NO_SERVICE

    told(tmp_path, story)


def test_what_only_others_may_hand_over_is_at_no_location_for_this(tmp_path: Path) -> None:
    async def story(on: Shop) -> None:
        assert (await asked(on, 2, method=Method.PICKUP)).promise is not None
        assert (await asked(on, 3, method=Method.PICKUP)).reason is NoPromise.NO_LOCATION

    told(tmp_path, story, far=far(methods=frozenset({Method.SHIP})))


def test_a_pickup_is_at_the_closest_place_unless_the_customer_names_one(tmp_path: Path) -> None:
    async def story(on: Shop) -> None:
        found = (await asked(on, method=Method.PICKUP)).promise
        assert found is not None
        assert (found.location, found.carrier) == (NEAR, None)
        assert found.deliver_by == datetime(2026, 3, 2, 12, tzinfo=UTC), "at once"
        (there,) = await on.services.delivery.of_products(units((MUG, 1)), HOME, method=Method.PICKUP, pickup_at=FAR)
        assert there.promise is not None
        assert there.promise.location == FAR

    told(tmp_path, story)


def test_a_cart_is_promised_as_it_would_be_routed(tmp_path: Path) -> None:
    async def story(on: Shop) -> None:
        found = await on.services.delivery.of_cart(Wish(lines=units((MUG, 2), (CUP, 1)), to=HOME))
        by_place = {each.package.location: each.promise for each in found.packages}
        assert set(by_place) == {NEAR, FAR}
        assert by_place[NEAR] == await promised(on, 2)
        assert found.deliver_by == max(each.deliver_by for each in by_place.values() if each is not None)
        assert found.confidence is None, "nobody has counted"
        counted = by_terms(on, Terms(carriers=(Carrier(on_time=0.9),)))
        sure = await counted.of_cart(Wish(lines=units((MUG, 2), (CUP, 1)), to=HOME))
        assert sure.confidence == pytest.approx(0.81)
        with pytest.raises(Refusals):
            await on.services.delivery.of_cart(Wish(lines=units((MUG, 99)), to=HOME))

    told(tmp_path, story, far=far(stock={CUP: 1}))


def test_the_board_is_made_once_a_day(tmp_path: Path) -> None:
    async def story(on: Shop) -> None:
        timetable = on.services.delivery.timetable
        board = timetable.board(on.clock.now())
        assert [each.id for each in board.locations] == [FAR, NEAR], "as routing has them: by id"
        on.clock.wait(3_600)
        assert timetable.board(on.clock.now()) is board
        on.clock.wait(24 * 3_600)
        assert timetable.board(on.clock.now()) is not board

    told(tmp_path, story)
