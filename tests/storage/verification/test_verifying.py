"""Verifying beside others at work, and after everything that can happen to holds and orders."""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from sqlalchemy import delete, update

from gateway.domain.invariants import Invariant
from gateway.domain.orders import Order
from gateway.domain.refusals import StoreUnavailable
from gateway.services.atlas import Atlas
from gateway.services.fulfillments import TurnDown
from gateway.storage.documents import Documents
from gateway.storage.ledgers import save
from gateway.storage.tables import job, order
from gateway.storage.verification import verify
from gateway.storage.verification.snapshot import beside
from tests.harness import run
from tests.samples import EAST, PLACES, HandClock, all_of, desk, place
from tests.services.test_promises import Promises
from tests.storage.verification.sound import OF, filled, told, work_of
from tests.storages import Storage, in_file


def test_capacity_is_given_back_where_it_was_taken_and_nothing_differs(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            limited = tuple(replace(each, units_per_day=10) for each in PLACES)
            command = place(4, of=OF)
            placed = await on.writer.submit(
                replace(command, landscape=replace(command.landscape, atlas=Atlas(locations=limited))), returns=Order
            )
            assert work_of(placed).booked
            assert (await verify(on.database)).is_clean
            refusal = TurnDown(order=placed.id, work=work_of(placed).id, reason_code="NO", by="warehouse")
            await on.writer.submit(refusal, returns=Order)
            (booked,) = work_of(placed).booked
            assert (await on.store.shelves([booked.sku]))[booked.sku, EAST].committed_units == 0
            assert told(await verify(on.database)) == set()

    run(story)


def test_an_event_that_waits_for_its_number_is_reported_after_a_minute(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            placed = await on.writer.submit(place(1, of=OF), returns=Order)
            on.clock.wait(60)
            assert (await verify(on.database)).is_clean
            on.clock.wait(1)
            assert told(await verify(on.database)) == {(Invariant.EVENTS, placed.id)}

    run(story)


def test_a_picture_is_taken_at_one_instant_while_others_write(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await filled(on)
            seen: list[str] = []
            selling = [asyncio.ensure_future(on.writer.submit(place(1, of=OF), returns=Order)) for _ in range(20)]
            reports = [await verify(on.database, advance=lambda what, *_: seen.append(what), pause_s=0.001) for _ in range(3)]
            placed = await all_of(*selling)
            assert all(isinstance(each, Order) for each in placed)
            assert [told(each) for each in reports] == [set()] * 3
            report = await verify(on.database)
            assert report.is_clean
            assert (report.checked["orders"], report.checked["reservations"]) == (23, 2)
            assert "orders" in seen

    run(story)


def test_all_differences_are_counted_and_only_so_many_are_kept(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await filled(on)
            async with on.database.writing.begin() as connection:
                await connection.execute(delete(job))
                await connection.execute(update(order).values(number=order.c.number + "X"))
            report = await verify(on.database, limit=2)
            assert report.violations == {Invariant.PROGRESS: 2, Invariant.COLUMNS: 3}
            assert len(report.differences) == 2
            assert not report.is_clean

    run(story)


def test_whoever_stops_waiting_stops_the_checking_and_the_database_closes_soundly(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await filled(on)
            checking = asyncio.ensure_future(verify(on.database, pause_s=0.001))
            await asyncio.sleep(0.002)
            checking.cancel()
            assert isinstance((await all_of(checking))[0], asyncio.CancelledError)
            assert (await verify(on.database)).is_clean

    run(story)


def test_a_database_that_is_not_there_or_of_another_version_is_away(tmp_path: Path) -> None:
    async def refused(file: Path) -> str:
        database = beside(f"sqlite:///{file}", HandClock())
        (outcome,) = await all_of(verify(database))
        await database.aclose()
        assert isinstance(outcome, StoreUnavailable)
        return outcome.reason

    async def story() -> None:
        missing = tmp_path / "nowhere.sqlite3"
        assert await refused(missing) == f"there is no file {missing}"
        assert not missing.exists()
        empty = tmp_path / "empty.sqlite3"
        empty.touch()
        assert "its schema is not ours" in await refused(empty)

    run(story)


def test_a_database_that_the_server_does_not_have_is_away(shared_storage: Storage) -> None:
    async def story() -> None:
        database = beside(shared_storage.url.replace("/test_", "/no_test_"), HandClock())
        (outcome,) = await all_of(verify(database))
        await database.aclose()
        assert isinstance(outcome, StoreUnavailable)
        assert "does not exist" in outcome.reason

    run(story)


class AllOfIt(Promises):
    """The same stories, and what they leave in a database."""

    def teardown(self) -> None:
        if not hasattr(self, "books"):
            return
        with tempfile.TemporaryDirectory() as folder:
            storage = in_file(Path(folder))

            async def story() -> None:
                async with desk(storage, clock=HandClock(at=self.books.now)) as on:
                    async with on.database.writing.begin() as connection:
                        await save(connection, self.books, Documents())
                    report = await verify(on.database)
                    assert not report.differences, "\n".join(str(each) for each in report.differences)

            run(story)


TestWhateverHappensToHoldsAndOrdersNothingDiffers = AllOfIt.TestCase
TestWhateverHappensToHoldsAndOrdersNothingDiffers.settings = settings(
    max_examples=12, stateful_step_count=40, deadline=None, phases=(Phase.generate,), suppress_health_check=[HealthCheck.too_slow]
)
