from dataclasses import replace

import pytest
from sqlalchemy import select

from gateway.domain.orders import Order
from gateway.domain.refusals import IdempotencyMismatch, Refusals
from gateway.domain.reservations import Reservation
from gateway.services.reservations import Release
from gateway.storage.documents import document
from gateway.storage.tables import request
from tests.harness import run
from tests.samples import EAST, MUG, Desk, all_of, desk, hold, once, place
from tests.storages import Storage


async def sold(on: Desk) -> int:
    shelf = (await on.store.shelves([MUG])).get((MUG, EAST))
    return shelf.committed_units if shelf is not None else 0


def test_the_same_request_twice_at_once_is_done_once_and_answered_twice(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            orders = await all_of(*(on.writer.submit(place(2, of=9), returns=Order, once=once("k")) for _ in range(5)))
            assert all(each == orders[0] for each in orders)
            assert isinstance(orders[0], Order)
            assert await sold(on) == 2

    run(story)


def test_the_same_request_again_gets_the_first_answer_byte_for_byte_even_after_a_restart(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            first = await on.writer.submit(place(2, of=9), returns=Order, once=once("k"))
            again = await on.writer.submit(place(2, of=9), returns=Order, once=once("k"))
        async with desk(storage) as on:
            on.clock.wait(3600)
            later = await on.writer.submit(place(2, of=0), returns=Order, once=once("k"))
            assert document(first) == document(again) == document(later)
            assert await sold(on) == 2
            async with on.database.reading.connect() as connection:
                assert (await connection.execute(select(request.c.answer))).scalars().all() == [document(first)]

    run(story)


def test_the_same_key_for_something_else_is_refused_in_one_batch_and_later(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            first, other = await all_of(
                on.writer.submit(place(1, of=9), returns=Order, once=once("k", "one")),
                on.writer.submit(place(2, of=9), returns=Order, once=once("k", "two")),
            )
            assert isinstance(first, Order)
            assert isinstance(other, IdempotencyMismatch)
            assert (other.key, other.path) == ("k", ("input", "idempotencyKey"))
            with pytest.raises(IdempotencyMismatch):
                await on.writer.submit(place(2, of=9), returns=Order, once=once("k", "two"))
            assert await sold(on) == 1

    run(story)


def test_keys_of_another_caller_or_for_another_operation_are_other_keys(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            keys = (once("k"), replace(once("k"), principal="other"), replace(once("k"), operation="orderCancel"))
            orders = await all_of(*(on.writer.submit(place(1, of=9), returns=Order, once=each) for each in keys))
            assert len({each.id for each in orders}) == 3

    run(story)


def test_a_refusal_is_not_kept_so_that_trying_again_can_succeed(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            with pytest.raises(Refusals):
                await on.writer.submit(place(2, of=1), returns=Order, once=once("k"))
            assert isinstance(await on.writer.submit(place(2, of=2), returns=Order, once=once("k")), Order)

    run(story)


def test_the_twin_of_a_refused_request_is_decided_for_itself(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            refused, placed = await all_of(
                on.writer.submit(place(2, of=1), returns=Order, once=once("k")),
                on.writer.submit(place(2, of=2), returns=Order, once=once("k")),
            )
            assert isinstance(refused, Refusals)
            assert isinstance(placed, Order)

    run(story)


def test_what_was_answered_stays_answered_although_the_thing_moved_on(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            held = await on.writer.submit(hold(1, of=9), returns=Reservation, once=once("hold"))
            await on.writer.submit(Release(reservation=held.id), returns=Reservation)
            assert await on.writer.submit(hold(1, of=9), returns=Reservation, once=once("hold")) == held

    run(story)
