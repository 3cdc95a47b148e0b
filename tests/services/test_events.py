import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.domain.events import OrderEvent
from gateway.domain.orders import Order
from gateway.domain.refusals import CursorExpired
from gateway.services.events import Events
from tests.harness import run
from tests.samples import Desk, all_of, at_work, desk, place


@asynccontextmanager
async def followed(on: Desk, *, ring_max: int = 100) -> AsyncIterator[Events]:
    """Events at work: they look again within 10 ms."""
    events = Events(
        store=on.store,
        upkeep=on.upkeep,
        clock=on.clock,
        bell=asyncio.Event(),
        poll_s=0.01,
        ring_max=ring_max,
        keep_events=timedelta(days=1),
        keep_requests=timedelta(days=1),
        heard=lambda _: None,
    )
    await events.load()
    async with at_work(events.run):
        yield events


async def sell(on: Desk, orders: int) -> list[Order]:
    return await all_of(*(on.writer.submit(place(1, of=999), returns=Order) for _ in range(orders)))


async def take(
    events: Events, count: int, *, after: int | None = 0, wanted: Callable[[OrderEvent], bool] = lambda _: True
) -> list[int]:
    found: list[int] = []
    async with asyncio.timeout(60):
        async for event in events.follow(after, wanted):
            found.append(event.seq)
            if len(found) == count:
                break
    return found


async def until_numbered(events: Events, newest: int) -> None:
    async with asyncio.timeout(60):
        while events.newest < newest:
            await asyncio.sleep(0.005)  # the relay says nothing to those who only look


@pytest.mark.parametrize("ring_max", [100, 3, 1])
def test_every_follower_gets_every_event_once_in_order_however_far_behind_he_is(tmp_path: Path, ring_max: int) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on, followed(on, ring_max=ring_max) as events:
            early = asyncio.ensure_future(take(events, 60))
            await sell(on, 10)
            await until_numbered(events, 20)
            middle = asyncio.ensure_future(take(events, 55, after=5))
            await sell(on, 20)
            await until_numbered(events, 60)
            late = await take(events, 60)
            assert await early == late == list(range(1, 61))
            assert await middle == list(range(6, 61))

    run(story)


def test_a_follower_who_dawdles_misses_nothing_when_the_ring_has_moved_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on, followed(on, ring_max=2) as events:
            await sell(on, 2)
            await until_numbered(events, 4)
            slow = events.follow(0, lambda _: True)
            found = [(await anext(slow)).seq]
            await sell(on, 250)  # more than a page
            await until_numbered(events, 504)
            async with asyncio.timeout(60):
                while len(found) < 504:
                    found.append((await anext(slow)).seq)
            assert found == list(range(1, 505))

    run(story)


def test_a_follower_from_now_on_hears_only_what_happens_next(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on, followed(on) as events:
            await sell(on, 3)
            await until_numbered(events, 6)
            following = asyncio.ensure_future(take(events, 2, after=None))
            await asyncio.sleep(0)
            await sell(on, 1)
            assert await following == [7, 8]

    run(story)


def test_what_is_not_wanted_is_left_out_and_never_gets_in_the_way(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on, followed(on, ring_max=1) as events:
            await sell(on, 5)
            assert await take(events, 5, wanted=lambda event: event.type == "order.routed") == [2, 4, 6, 8, 10]

    run(story)


def test_a_cursor_is_good_across_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            async with followed(on) as events:
                await sell(on, 2)
                assert await take(events, 3) == [1, 2, 3]
            await sell(on, 1)  # nobody numbers it now
        async with desk(tmp_path) as on, followed(on) as events:
            assert await take(events, 3, after=3) == [4, 5, 6]

    run(story)


def test_a_cursor_that_is_too_old_or_from_another_network_is_refused_and_not_skipped_over(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on, followed(on) as events:
            await sell(on, 3)
            await until_numbered(events, 6)
            on.clock.wait(60)
            await on.upkeep.forget(events_before=on.clock.now(), requests_before=on.clock.now())
            for cursor in (0, 4, 7):
                with pytest.raises(CursorExpired):
                    await take(events, 1, after=cursor)
            assert await take(events, 1, after=5) == [6]

    run(story)


def test_a_follower_is_told_when_what_comes_next_for_him_was_forgotten(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on, followed(on, ring_max=1) as events:
            await sell(on, 2)
            await until_numbered(events, 4)
            slow = events.follow(0, lambda _: True)
            assert (await anext(slow)).seq == 1
            await sell(on, 2)
            await until_numbered(events, 8)
            on.clock.wait(60)
            await on.upkeep.forget(events_before=on.clock.now(), requests_before=on.clock.now())
            assert [(await anext(slow)).seq for _ in range(3)] == [2, 3, 4], "what he has at hand already"
            with pytest.raises(CursorExpired):
                await anext(slow)

    run(story)
