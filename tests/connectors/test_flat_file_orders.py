"""Whole stories of orders that go out as files, and of answers that come back."""

import asyncio
from pathlib import Path

import pytest

from connectors.contract import (
    CancelOutcome,
    NotFound,
    Rejected,
    RemoteRef,
    RemoteState,
    RequestKey,
    Sku,
    StockDrop,
    Transient,
)
from connectors.sandbox.flat_file import FlatFileSandbox
from tests.connectors.mill import (
    CHARLOTTE,
    ST_LOUIS,
    TO,
    connected,
    new_mill,
    request_of,
    settings_of,
)


@pytest.fixture
def mill(tmp_path: Path) -> FlatFileSandbox:
    return new_mill(tmp_path / "mill")


def test_an_order_goes_out_and_its_tracking_comes_back(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with connected(settings_of(mill.folder, stock_drop=StockDrop.ON_ACCEPT)) as connector:
            taken = await connector.request(request_of("key-1", ("SKU-0009", 2), ("SKU-0002", 1)))
            assert (taken.ref, taken.key, taken.state) == ("key-1", "key-1", RemoteState.REQUESTED)
            assert (mill.folder / "orders" / "order-key-1.csv").read_bytes().decode() == (
                "key,order_number,location,method,sku,units,name,street,street_2,city,region,postal_code,country_code,email,phone\r\n"
                f"key-1,1001,MILL-CHARLOTTE,SHIP,SKU-0009,2,{TO}\r\n"
                f"key-1,1001,MILL-CHARLOTTE,SHIP,SKU-0002,1,{TO}\r\n"
            )
            mill.accept(taken.ref)
            assert (await connector.status([taken.ref]))[0].state is RemoteState.ACCEPTED
            batch = await connector.read_stock([Sku("SKU-0009")])
            assert [(each.on_hand, each.available) for each in batch.levels if each.location == CHARLOTTE] == [(26, 24)]
            mill.ship(taken.ref, carrier="UPS", tracking_number="1Z")
            (shipped,) = await connector.status([taken.ref, RemoteRef("nonsense")])
            assert shipped.state is RemoteState.SHIPPED
            assert [(each.carrier, each.tracking_number, each.lines) for each in shipped.packages] == [("UPS", "1Z", ())]
            assert await connector.cancel(taken.ref) is CancelOutcome.TOO_LATE
        async with connected(settings_of(mill.folder)) as another:  # the inbox is all there is to remember by
            assert await another.status([taken.ref]) == (shipped,)
            assert await another.request(request_of("key-1")) == shipped
            assert not list((mill.folder / "orders").iterdir())

    asyncio.run(story())


def test_asking_again_is_the_same_order_whether_it_was_taken_away_or_not(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with connected(settings_of(mill.folder)) as connector:
            assert await connector.find(RequestKey("key-1")) is None
            first = await connector.request(request_of())
            again = await connector.request(request_of("key-1", ("SKU-0009", 3)))
            assert (again, len(mill.orders())) == (first, 1)  # which takes the file away
            assert await connector.find(RequestKey("key-1")) == first
            assert await connector.request(request_of("key-1", ("SKU-0009", 3))) == first
            (order,) = mill.orders()
            assert [(line.sku, line.units) for line in order.lines] == [("SKU-0009", 2)]

    asyncio.run(story())


def test_an_order_that_was_cut_short_before_it_went_out_is_found_and_finished(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with connected(settings_of(mill.folder)) as connector:
            outbox = mill.folder / "orders"
            outbox.rename(mill.folder / "away")
            with pytest.raises(Transient):
                await connector.request(request_of())
            (mill.folder / "away").rename(outbox)
            found = await connector.find(RequestKey("key-1"))
            assert found is not None
            assert found.state is RemoteState.REQUESTED  # so it is asked for again
            await connector.request(request_of())
            assert [order.key for order in mill.orders()] == ["key-1"]

    asyncio.run(story())


def test_a_cancellation_waits_for_its_answer(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with connected(settings_of(mill.folder)) as connector:
            taken = await connector.request(request_of())
            assert [await connector.cancel(taken.ref) for _ in range(2)] == [CancelOutcome.PENDING] * 2
            assert (await connector.status([taken.ref]))[0].state is RemoteState.REQUESTED
            mill.look()
            assert await connector.cancel(taken.ref) is CancelOutcome.CANCELED
            assert (await connector.status([taken.ref]))[0].state is RemoteState.CANCELED
            with pytest.raises(NotFound):
                await connector.cancel(RemoteRef("nonsense"))

    asyncio.run(story())


def test_a_cancellation_that_comes_too_late_is_refused(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with connected(settings_of(mill.folder)) as connector:
            taken = await connector.request(request_of())
            mill.orders()
            assert await connector.cancel(taken.ref) is CancelOutcome.PENDING
            mill.mill.move(taken.ref, "SHIPPED")  # while the cancellation lies there
            mill.look()
            assert await connector.cancel(taken.ref) is CancelOutcome.REFUSED

    asyncio.run(story())


def test_an_order_is_turned_down_by_the_mill_or_before_it_is_sent(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with connected(settings_of(mill.folder)) as connector:
            taken = await connector.request(request_of())
            mill.look()
            mill.reject(taken.ref, "wet")
            (rejected,) = await connector.status([taken.ref])
            assert (rejected.state, rejected.reason) == (RemoteState.REJECTED, "wet")
            with pytest.raises(Rejected) as raised:
                await connector.request(request_of("key-2", ("SKU-0002", 1), place=ST_LOUIS))
            assert (raised.value.reason, raised.value.field) == ("SKU_NOT_CARRIED", "SKU-0002")
            assert await connector.find(RequestKey("key-2")) is None

    asyncio.run(story())


def test_an_answer_with_a_mistake_holds_up_no_other_and_is_told(mill: FlatFileSandbox) -> None:
    async def story() -> None:
        async with connected(settings_of(mill.folder)) as connector:
            taken = await connector.request(request_of())
            mill.drop("answers", "answer-000000.csv", "key,state\nkey-1,ACCEPTED\nkey-1,perhaps\n")
            mill.look()
            mill.accept(taken.ref)
            assert (await connector.status([taken.ref]))[0].state is RemoteState.ACCEPTED
            health = await connector.health()
            assert "answer-000000.csv, line 3: 'PERHAPS'" in health.detail
            mill.drop("answers", "answer-000000.csv", "key,state,carrier,tracking\nkey-1,shipped,UPS,1Z\n")
            assert (await connector.status([taken.ref]))[0].state is RemoteState.SHIPPED
            assert (await connector.health()).ok

    asyncio.run(story())
