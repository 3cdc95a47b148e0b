"""How orders were routed, read back a page at a time."""

from gateway.domain.orders import Order
from gateway.domain.whatif import Past, history
from tests.harness import run
from tests.samples import EAST, MUG, desk, place
from tests.storages import Storage


def test_decisions_are_read_from_the_newest_back_and_each_once(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            orders = [(await on.writer.submit(place(units, of=99), returns=Order)).id for units in (1, 2, 3, 4, 5)]
            found: list[Past] = []
            while page := await on.store.past_decisions(before=found[-1].id if found else None, limit=2):
                found += page
            assert [each.order for each in found] == orders[::-1]
            (newest,) = found[0].decision.packages
            assert (newest.location, [(line.sku, line.units) for line in newest.lines]) == (EAST, [(MUG, 5)])

    run(story)


def test_what_was_decided_on_is_enough_to_decide_again(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            command = place(2, of=7)
            await on.writer.submit(command, returns=Order)
            past = await on.store.past_decisions(before=None, limit=9)
            world = command.landscape.atlas.world(command.landscape.tariff)
            (case,) = history(past, {world.digest: world})
            row = case.problem.sites.row[EAST]
            assert (case.problem.available[row].tolist(), list(case.problem.facts.skus)) == ([7], [MUG])
            assert case.taken is not None
            assert case.taken[row].tolist() == [2]
            assert history(past, {}) == [], "in a world that is not known, nothing can be said"

    run(story)
