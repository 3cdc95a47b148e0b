"""Reading our own books together."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import cast

import pytest

from connectors.contract import Sku
from gateway.domain.books import ShelfKey
from gateway.domain.identity import LocationId
from gateway.domain.refusals import StoreUnavailable
from gateway.domain.stock import Shelf
from gateway.ports import Store
from gateway.services.promises import AT_ONCE_MAX, SKUS_TOGETHER_MAX, Promises

A, B, EAST = Sku("A"), Sku("B"), LocationId("east")


@dataclass
class Shelves:
    """A store that answers when told to."""

    held: int = 0
    reads: list[frozenset[Sku]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    away: bool = False

    async def shelves(self, skus: Collection[Sku]) -> Mapping[ShelfKey, Shelf]:
        self.reads.append(frozenset(skus))
        held = self.held
        await self.gate.wait()
        if self.away:
            raise StoreUnavailable(reason="gone")
        return {(sku, EAST): Shelf(sku=sku, location=EAST, held_units=held) for sku in skus}


def test_a_hundred_who_ask_at_once_cost_a_few_reads_and_each_sees_what_was_written_before_they_asked() -> None:
    async def story() -> None:
        store = Shelves()
        promises = Promises(store=cast(Store, store))
        early = []
        for _ in range(AT_ONCE_MAX):
            early.append(asyncio.create_task(promises.of([A])))
            await asyncio.sleep(0.001)  # each begins a read of its own
        store.held = 7  # committed while those are under way
        late = [asyncio.create_task(promises.of([A, B])) for _ in range(100)]
        await asyncio.sleep(0.001)
        store.gate.set()
        assert {found[A, EAST].held_units for found in await asyncio.gather(*late)} == {7}
        assert {found[A, EAST].held_units for found in await asyncio.gather(*early)} == {0}
        assert store.reads == [frozenset({A})] * AT_ONCE_MAX + [frozenset({A, B})]

    asyncio.run(story())


def test_a_read_that_fails_is_told_to_all_who_shared_it_and_the_next_one_works() -> None:
    async def story() -> None:
        store = Shelves(away=True)
        store.gate.set()
        promises = Promises(store=cast(Store, store))
        for outcome in await asyncio.gather(promises.of([A]), promises.of([B]), return_exceptions=True):
            assert isinstance(outcome, StoreUnavailable)
        store.away = False
        assert (A, EAST) in await promises.of([A])

    asyncio.run(story())


def test_who_stops_waiting_takes_the_answer_from_nobody() -> None:
    async def story() -> None:
        store = Shelves()
        promises = Promises(store=cast(Store, store))
        patient = asyncio.create_task(promises.of([A]))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await promises.of([A])
        store.gate.set()
        assert (A, EAST) in await patient

    asyncio.run(story())


def test_one_read_does_not_grow_without_bound() -> None:
    async def story() -> None:
        store = Shelves()
        store.gate.set()
        promises = Promises(store=cast(Store, store))
        many = [Sku(f"S{number}") for number in range(SKUS_TOGETHER_MAX)]
        await asyncio.gather(promises.of(many), promises.of([A]))
        assert sorted(map(len, store.reads)) == [1, SKUS_TOGETHER_MAX]

    asyncio.run(story())
