from datetime import timedelta

from sqlalchemy import func, select

from gateway.domain.orders import Order
from gateway.storage.tables import request
from tests.harness import run
from tests.samples import PLACES, START, desk, once, place
from tests.storages import Storage


def test_events_are_numbered_without_gaps_in_the_order_they_were_written(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            placed = [await on.writer.submit(place(1, of=9), returns=Order) for _ in range(4)]
            assert await on.store.events(after=0, limit=99) == ()
            assert await on.store.event_bounds() == (0, 0)
            assert [await on.upkeep.sequence_events(limit=5) for _ in range(3)] == [5, 3, 0]
            events = await on.store.events(after=0, limit=99)
            assert [each.seq for each in events] == list(range(1, 9))
            assert [each.order.id for each in events] == [each.id for each in placed for _ in range(2)]
            assert [each.order.version for each in events] == [1, 2] * 4
            assert {each.seq for each in await on.store.timeline(placed[1].id, after_version=1, limit=9)} == {4}
            assert await on.store.event_bounds() == (1, 8)

    run(story)


def test_what_is_past_its_time_is_forgotten_but_never_the_newest_event(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await on.writer.submit(place(1, of=9), returns=Order, once=once("old"))
            await on.upkeep.sequence_events(limit=9)
            on.clock.wait(3600)
            hour = START + timedelta(hours=1)
            assert await on.upkeep.forget(events_before=START, requests_before=START) == 0
            assert await on.upkeep.forget(events_before=hour, requests_before=hour) == 2
            assert await on.store.event_bounds() == (2, 2)
            async with on.database.reading.connect() as connection:
                assert (await connection.execute(select(func.count()).select_from(request))).scalar() == 0
            await on.writer.submit(place(1, of=9), returns=Order)
            await on.upkeep.sequence_events(limit=9)
            assert [each.seq for each in await on.store.events(after=0, limit=9)] == [2, 3, 4]

    run(story)


def test_what_is_kept_of_events_has_no_gap_although_a_clock_was_set_back(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await on.writer.submit(place(1, of=9), returns=Order)
            on.clock.wait(-3600)
            await on.writer.submit(place(1, of=9), returns=Order)
            await on.upkeep.sequence_events(limit=9)
            assert await on.upkeep.forget(events_before=START - timedelta(minutes=30), requests_before=START) == 0
            assert [each.seq for each in await on.store.events(after=0, limit=9)] == [1, 2, 3, 4]

    run(story)


def test_an_event_without_a_number_is_never_forgotten(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await on.writer.submit(place(1, of=9), returns=Order)
            assert await on.upkeep.forget(events_before=START + timedelta(days=1), requests_before=START) == 0
            assert await on.upkeep.sequence_events(limit=9) == 2

    run(story)


def test_places_are_known_after_a_restart_as_they_were_seen_last(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await on.upkeep.remember_locations(())
            await on.upkeep.remember_locations(PLACES[:1])
            await on.upkeep.remember_locations(PLACES)
        async with desk(storage) as on:
            assert await on.store.locations() == PLACES

    run(story)
