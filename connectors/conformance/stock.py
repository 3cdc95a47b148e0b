"""Reading stock: a number, zero and unknown are three different answers."""

from collections.abc import Iterator
from itertools import count
from math import ceil
from zoneinfo import ZoneInfo

from connectors.conformance.stage import Exchange, Stage
from connectors.conformance.subject import Subject
from connectors.contract import RemoteLevel, RemoteLocationId, Sku, StockBatch

MADE_UP_MAX = 2_000


def units_at(batch: StockBatch, sku: Sku, location: RemoteLocationId) -> int | None:
    """What can be promised there as far as this read says; None: unknown."""
    for level in batch.levels:
        if (level.sku, level.location) == (sku, location):
            return level.on_hand if level.available is None else level.available
    return None


def numbers_of(level: RemoteLevel) -> list[int | None]:
    """Everything that is counted."""
    return [level.on_hand, level.available, level.committed, level.incoming]


class Stock(Subject):
    """What every ``StockReader`` keeps."""

    def test_every_sku_asked_for_is_answered_once_and_no_other(self) -> None:
        async def story(stage: Stage) -> None:
            asked = [self.sku, self.another, self.nowhere, self.sku]
            batch = await stage.reader.read_stock(asked)
            shelves = [(level.sku, level.location) for level in batch.levels]
            assert len(shelves) == len(set(shelves)), f"a shelf is answered twice: {shelves}"
            carried = {sku for sku, _ in shelves}
            assert not carried & batch.unknown, "a SKU is both carried and unknown"
            assert carried | batch.unknown == set(asked), "not exactly the SKUs that were asked for"
            assert set(batch.names) <= set(asked), "the name of something else"

        self.play(story)

    def test_what_the_source_does_not_have_is_unknown_and_not_zero(self) -> None:
        async def story(stage: Stage) -> None:
            batch = await stage.reader.read_stock([self.nowhere])
            assert batch.unknown == {self.nowhere}
            assert batch.levels == ()

        self.play(story)

    def test_an_empty_shelf_is_zero_and_not_unknown(self) -> None:
        async def story(stage: Stage) -> None:
            stage.fake.set_stock(self.place, self.sku, 0)
            assert units_at(await stage.reader.read_stock([self.sku]), self.sku, self.location) == 0

        self.play(story)

    def test_a_count_arrives_in_whole_units_with_a_time_that_has_an_offset(self) -> None:
        async def story(stage: Stage) -> None:
            stage.fake.set_stock(self.place, self.sku, 7)
            batch = await stage.reader.read_stock([self.sku])
            assert units_at(batch, self.sku, self.location) == 7
            for level in batch.levels:
                assert all(units is None or type(units) is int for units in numbers_of(level)), f"not whole: {level}"
                assert level.as_of is None or level.as_of.utcoffset() is not None, f"a time without an offset: {level}"

        self.play(story)

    def test_asking_for_nothing_is_answered_with_nothing(self) -> None:
        async def story(stage: Stage) -> None:
            batch = await stage.reader.read_stock([])
            assert (batch.levels, batch.unknown) == ((), frozenset())

        self.play(story)

    def test_rows_that_were_not_asked_for_are_dropped(self) -> None:
        async def story(stage: Stage) -> None:
            both = [self.sku, self.another]
            await stage.reader.read_stock(both)
            kept: list[Exchange] = []

            def keep(told: Exchange) -> Exchange:
                kept.append(told)
                return told

            stage.change(keep)
            await stage.reader.read_stock(both)
            again: Iterator[Exchange] = iter(kept)
            stage.change(lambda told: next(again, told))  # as a source that ignores the filter
            batch = await stage.reader.read_stock([self.sku])
            assert {level.sku for level in batch.levels} | batch.unknown == {self.sku}

        self.play(story)

    def test_a_read_takes_as_few_requests_as_the_source_allows(self) -> None:
        async def story(stage: Stage) -> None:
            batch_max = stage.connector.info.batch_skus_max
            made_up = (Sku(f"{self.nowhere}-{number}") for number in count())
            asked = [self.sku, self.another, *(next(made_up) for _ in range(min(2 * batch_max, MADE_UP_MAX)))]
            batch = await stage.reader.read_stock(asked)
            assert len({level.sku for level in batch.levels} | batch.unknown) == len(asked)
            before = stage.requests()
            await stage.reader.read_stock(asked)
            took, allowed = stage.requests() - before, ceil(len(asked) / batch_max)
            assert took <= allowed, f"{took} requests for {len(asked)} SKUs, {batch_max} at a time"
            before = stage.requests()
            await stage.reader.read_stock([self.sku])
            assert stage.requests() - before == 1, "what is remembered is looked up again"

        self.play(story)

    def test_locations_are_the_same_each_time_and_hold_every_level(self) -> None:
        async def story(stage: Stage) -> None:
            first, second = await stage.connector.locations(), await stage.connector.locations()
            ids = [location.id for location in first]
            assert ids == [location.id for location in second], "not the same locations, or not in the same order"
            assert self.location in ids
            assert len(ids) == len(set(ids)), "a location is told twice"
            for location in first:
                assert location.id
                assert location.name
                assert location.time_zone is None or ZoneInfo(location.time_zone).key, "no time zone of that name"
            batch = await stage.reader.read_stock([self.sku, self.another])
            assert {level.location for level in batch.levels} <= set(ids), "stock at a location that is not there"

        self.play(story)
