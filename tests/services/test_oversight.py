"""Stock that others sold from under our promises."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import CancelOutcome, OutcomeUnknown, RemoteState, Sku, StockDrop
from gateway.domain.fulfillments import RequestStatus as R
from gateway.domain.identity import FulfillmentOrderId, LocationId, OrderId, SourceName
from gateway.domain.stock import Acknowledged, Shelf
from gateway.services.fulfillments import short_units
from gateway.services.fulfillments.overpromised import OVERPROMISED
from gateway.services.oversight import SKUS_AT_ONCE_MAX, SKUS_WAITING_MAX, Moved
from tests.harness import run
from tests.samples import CUP, EAST, MUG, reading
from tests.services.shops import Place, Shop, shop

COUNTS = st.integers(0, 9)


async def looked(on: Shop, *, seconds: float = 2.0) -> frozenset[str]:
    """What is in doubt after what was read of mugs is no longer fresh, they were read again, and somebody has looked."""
    on.clock.wait(seconds)
    await on.services.routing.survey([MUG])
    return frozenset(await on.oversight.look([MUG]))


async def said(on: Shop, order: OrderId) -> list[str | None]:
    return [cause for kind, _, cause in await on.events(order) if kind == "fulfillment.overpromised"]


def test_the_newest_work_that_nobody_has_accepted_goes_elsewhere_until_the_rest_is_covered(tmp_path: Path) -> None:
    async def story() -> None:
        east, west = Place(stock={MUG: 9}), Place(stock={MUG: 0})
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            orders = [await on.bought(3, key=str(number)) for number in range(3)]
            for order in orders:
                await on.until(order, R.SUBMITTED)
            assert await looked(on) == frozenset()
            east.stock[MUG], west.stock[MUG] = 5, 9
            await looked(on)
            await on.until(orders[0], R.SUBMITTED)
            for order in orders[1:]:
                first, second = await on.until(order, R.REJECTED, R.SUBMITTED)
                assert first.rejection is not None
                assert (first.rejection.reason_code, second.source) == (OVERPROMISED, "west")
            assert [await said(on, order) for order in orders] == [[], ["1 of MUG short"], ["3 of MUG short"]]
            assert on.oversight.overpromised_units == 4
            await looked(on)
            assert on.oversight.overpromised_units == 4

    run(story)


def test_work_that_nobody_else_could_do_stays_and_each_shortfall_is_said_once(tmp_path: Path) -> None:
    async def story() -> None:
        east = Place(stock={MUG: 4})
        async with shop(tmp_path, {"east": east, "west": Place(stock={MUG: 1})}) as on:
            order = await on.bought(4)
            (work,) = await on.until(order, R.SUBMITTED)
            for _ in range(2):
                east.stock[MUG] = 2
                await looked(on)
                await looked(on)
                east.stock[MUG] = 4
                await looked(on)
            assert await said(on, order) == ["2 of MUG short"] * 2
            (work,) = await on.until(order, R.SUBMITTED)
            assert (work.overpromised, "cancel" in east.asked) == ((), False)

    run(story)


def test_no_more_is_taken_back_than_others_can_send(tmp_path: Path) -> None:
    async def story() -> None:
        east, west = Place(stock={MUG: 6}), Place(stock={MUG: 0})
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            older, newer = await on.bought(3, key="older"), await on.bought(3, key="newer")
            for order in (older, newer):
                await on.until(order, R.SUBMITTED)
            east.stock[MUG], west.stock[MUG] = 2, 4
            await looked(on)
            await on.until(newer, R.REJECTED, R.SUBMITTED)
            await on.until(older, R.SUBMITTED)
            assert [await said(on, order) for order in (older, newer)] == [["1 of MUG short"], ["3 of MUG short"]]

    run(story)


def test_accepted_work_is_never_taken_away_and_neither_are_holds(tmp_path: Path) -> None:
    async def story() -> None:
        east, west = Place(stock={MUG: 5}, takes_on=RemoteState.ACCEPTED), Place(stock={MUG: 0})
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            order = await on.bought(3)
            await on.until(order, R.ACCEPTED)
            east.stock[MUG], west.stock[MUG] = 1, 9
            await looked(on)
            await on.until(order, R.ACCEPTED)
            assert await said(on, order) == ["2 of MUG short"]
            assert "cancel" not in east.asked

    run(story)


@pytest.mark.parametrize("drop", StockDrop)
def test_a_number_that_dropped_for_our_own_sale_before_we_heard_is_no_shortfall(tmp_path: Path, drop: StockDrop) -> None:
    """The last units are taken on, or shipped; stock is read; only then does the news come."""

    async def story() -> None:
        east, west = Place(stock={MUG: 3}, drop=drop), Place(stock={MUG: 0})
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            order = await on.bought(3)
            await on.until(order, R.SUBMITTED)
            east.now("r1", RemoteState.ACCEPTED if drop is StockDrop.ON_ACCEPT else RemoteState.SHIPPED)
            east.stock[MUG], west.stock[MUG] = 0, 9
            assert await looked(on) == frozenset()
            assert await said(on, order) == []
            assert "cancel" not in east.asked
            assert (await on.order(order)).fulfillment_orders[0].request_status is R.ACCEPTED

    run(story)


def test_an_early_dropping_source_that_may_have_taken_work_on_unheard_is_given_the_benefit_of_the_doubt(tmp_path: Path) -> None:
    async def story() -> None:
        lost = [OutcomeUnknown("no answer")]
        east = Place(stock={MUG: 3}, drop=StockDrop.ON_ACCEPT, takes_on=RemoteState.ACCEPTED, fails={"request": list(lost)})
        async with shop(tmp_path, {"east": east, "west": Place(stock={MUG: 9})}) as on:
            order = await on.bought(3)
            east.stock[MUG] = 0
            assert await looked(on, seconds=0.0) <= {MUG}
            assert await said(on, order) == []
            await on.until(order, R.ACCEPTED)
            assert await looked(on) == frozenset()
            assert await said(on, order) == []

    run(story)


def test_a_source_that_does_not_say_how_its_requests_stand_leaves_it_in_doubt(tmp_path: Path) -> None:
    async def story() -> None:
        east, west = Place(stock={MUG: 3}), Place(stock={MUG: 0})
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            order = await on.bought(3)
            await on.until(order, R.SUBMITTED)
            east.stock[MUG], west.stock[MUG] = 0, 9
            east.fails["status"] = [OutcomeUnknown("down")]
            assert await looked(on) == {MUG}
            assert await said(on, order) == []
            assert await looked(on) == frozenset()
            assert await said(on, order) == ["3 of MUG short"]

    run(story)


def test_a_source_that_says_its_stock_moved_is_asked_although_nobody_else_does(tmp_path: Path) -> None:
    async def story() -> None:
        east, west = Place(stock={MUG: 3}), Place(stock={MUG: 0})
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            order = await on.bought(3)
            await on.until(order, R.SUBMITTED)
            east.stock[MUG], west.stock[MUG] = 0, 9
            on.services.readings.doubt(SourceName("east"), [MUG])
            on.clock.wait(2)
            await on.oversight.look([MUG])
            await on.until(order, R.REJECTED, R.SUBMITTED)

    run(story)


def test_work_that_cannot_be_stopped_any_more_stays_where_it_is(tmp_path: Path) -> None:
    async def story() -> None:
        east, west = Place(stock={MUG: 3}, stops=CancelOutcome.REFUSED), Place(stock={MUG: 0})
        async with shop(tmp_path, {"east": east, "west": west}) as on:
            order = await on.bought(3)
            await on.until(order, R.SUBMITTED)
            east.stock[MUG], west.stock[MUG] = 0, 9
            await looked(on)
            await on.until(order, R.CANCELLATION_REJECTED)
            await looked(on)
            assert await said(on, order) == ["3 of MUG short"]

    run(story)


@given(available=st.integers(-5, 9), held=COUNTS, committed=COUNTS, noted=COUNTS, unanswered=COUNTS)
def test_never_more_is_short_than_was_promised_and_nothing_that_the_number_may_contain(
    available: int, held: int, committed: int, noted: int, unanswered: int
) -> None:
    noted = min(noted, committed)
    acknowledged = (Acknowledged(work=FulfillmentOrderId("w"), units=noted, epoch=3),) if noted else ()
    shelf = Shelf(sku=MUG, location=LocationId(EAST), held_units=held, committed_units=committed, acknowledged=acknowledged)
    short = short_units(reading(MUG, EAST, available, epoch=1), shelf, unanswered_units=unanswered)
    surely = max(held + committed - noted - unanswered, 0)
    assert 0 <= short <= surely
    assert short == 0 or surely - short == max(available, 0)
    assert short_units(None, shelf) == short_units(reading(MUG, EAST, None), shelf) == 0


def test_a_reading_that_is_older_than_what_was_settled_tells_nothing() -> None:
    shelf = Shelf(sku=MUG, location=EAST, committed_units=5, settled_epoch=2)
    assert short_units(reading(MUG, EAST, 0, epoch=1), shelf) == 0
    assert short_units(reading(MUG, EAST, 0, epoch=2), shelf) == 5


def test_what_moved_twice_is_looked_at_once_and_what_is_in_doubt_waits_its_turn() -> None:
    moved = Moved()
    moved.notice([MUG, CUP, MUG])
    assert moved.stirred.is_set()
    assert moved.take() == (MUG, CUP)
    moved.put_back([CUP])
    assert not moved.stirred.is_set()
    assert (moved.take(), moved.take()) == ((CUP,), ())


def test_more_than_can_be_looked_at_at_once_comes_in_turns_and_never_grows_without_bound() -> None:
    moved = Moved()
    moved.notice([Sku(str(number)) for number in range(SKUS_WAITING_MAX + 5)])
    turns = 0
    while moved.stirred.is_set():
        assert len(moved.take()) == SKUS_AT_ONCE_MAX
        turns += 1
    assert turns * SKUS_AT_ONCE_MAX == SKUS_WAITING_MAX
