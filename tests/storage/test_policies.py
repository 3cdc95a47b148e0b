"""Routing policies where promises are kept: versions, the one in force, and two gateways that change it at once."""

from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from gateway.domain.policies import DEFAULT, PolicyState, PolicyStep, RoutingPolicy
from gateway.domain.refusals import NotAllowedInState, NotFound, Refusal
from gateway.services.policies import ChangePolicy, WritePolicy
from gateway.storage.tables import routing_policy
from tests.domain.policies.test_course import EVERYTHING
from tests.harness import run
from tests.samples import START, Desk, all_of, desk
from tests.storages import Storage

DRAFT, ACTIVE, ARCHIVED = PolicyState


async def written(on: Desk, name: str = DEFAULT) -> RoutingPolicy:
    command = WritePolicy(name=name, rules=(EVERYTHING,), note="strict", by="ann")
    return await on.writer.submit(command, returns=RoutingPolicy)


async def changed(on: Desk, version: int, step: PolicyStep, name: str = DEFAULT) -> RoutingPolicy:
    command = ChangePolicy(key=(name, version), step=step, reason="because", by="bob")
    return await on.writer.submit(command, returns=RoutingPolicy)


async def states(on: Desk, name: str | None = None) -> dict[tuple[str, int], PolicyState]:
    found = await on.store.policies(name=name, state=None, after=None, limit=100)
    return {policy.key: policy.state for policy in found}


def test_a_new_database_routes_by_a_default_without_rules(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            (found,) = await on.store.policies_in_force()
            assert (found.key, found.rules, found.author) == ((DEFAULT, 1), (), "gateway")

    run(story)


def test_a_version_comes_back_as_it_was_written_and_takes_the_place_of_the_one_in_force(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            draft = await written(on)
            assert (draft.key, draft.rules, draft.state) == ((DEFAULT, 2), (EVERYTHING,), DRAFT)
            assert await on.store.policy(draft.key) == draft
            on.clock.wait(60)
            active = await changed(on, 2, PolicyStep.ACTIVATE)
            assert await on.store.policies_in_force() == (active,)
            assert (active.rules, active.activated_at) == ((EVERYTHING,), START + timedelta(seconds=60))
            before = await on.store.policy((DEFAULT, 1))
            assert before is not None
            assert before.state is ARCHIVED
            last = before.changes[-1]
            assert (last.step, last.at, last.by) == (PolicyStep.ARCHIVE, active.activated_at, "bob")
            assert last.note == "Version 2 takes its place."
            assert [(each.step, each.by, each.note) for each in active.changes] == [
                (PolicyStep.CREATE, "ann", "strict"),
                (PolicyStep.ACTIVATE, "bob", "because"),
            ]

    run(story)


def test_an_archived_version_can_be_put_into_force_again(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            await written(on)
            await changed(on, 2, PolicyStep.ACTIVATE)
            await changed(on, 1, PolicyStep.ACTIVATE)
            assert await states(on) == {(DEFAULT, 2): ARCHIVED, (DEFAULT, 1): ACTIVE}

    run(story)


def test_what_is_refused_changes_nothing_even_beside_what_is_done(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            outcomes = await all_of(
                written(on),
                changed(on, 2, PolicyStep.ACTIVATE),
                changed(on, 2, PolicyStep.ACTIVATE),
                changed(on, 2, PolicyStep.ARCHIVE),
                changed(on, 9, PolicyStep.ACTIVATE),
                changed(on, 1, PolicyStep.ACTIVATE, name="rush"),
                written(on, "rush"),
            )
            refused = [type(each) for each in outcomes if isinstance(each, Refusal)]
            assert refused == [NotAllowedInState, NotAllowedInState, NotFound, NotFound]
            assert await states(on) == {(DEFAULT, 2): ACTIVE, (DEFAULT, 1): ARCHIVED, ("rush", 1): DRAFT}
            found = await on.store.policy((DEFAULT, 2))
            assert found is not None
            assert [each.step for each in found.changes] == [PolicyStep.CREATE, PolicyStep.ACTIVATE]

    run(story)


def test_policies_come_by_name_and_the_newest_version_first_from_wherever_one_goes_on(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            for name in ("rush", "asia", "rush"):
                await written(on, name)
            keys = [("asia", 1), (DEFAULT, 1), ("rush", 2), ("rush", 1)]
            assert list(await states(on)) == keys
            for place, key in enumerate(keys):
                rest = await on.store.policies(name=None, state=None, after=key, limit=100)
                assert [policy.key for policy in rest] == keys[place + 1 :]
            few = await on.store.policies(name="rush", state=None, after=None, limit=1)
            assert [policy.key for policy in few] == [("rush", 2)]
            drafts = await on.store.policies(name=None, state=DRAFT, after=None, limit=100)
            assert [policy.key for policy in drafts] == [("asia", 1), ("rush", 2), ("rush", 1)]

    run(story)


def test_the_database_itself_has_no_room_for_two_versions_in_force(storage: Storage) -> None:
    async def story() -> None:
        async with desk(storage) as on:
            row = {"name": DEFAULT, "version": 2, "state": ACTIVE, "body": b"{}"}
            async with on.database.writing.connect() as connection:
                with pytest.raises(IntegrityError):
                    await connection.execute(insert(routing_policy).values(row))

    run(story)


def test_gateways_that_write_and_activate_at_once_lose_no_version_and_leave_one_in_force(shared_storage: Storage) -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            one, other = [await stack.enter_async_context(desk(shared_storage)) for _ in range(2)]
            outcomes = await all_of(*(written(each) for _ in range(5) for each in (one, other)))
            versions = {each.version for each in outcomes if isinstance(each, RoutingPolicy)}
            assert versions == set(range(2, 12))
            pairs = zip(range(2, 12, 2), range(3, 12, 2), strict=True)
            for mine, theirs in pairs:
                outcomes = await all_of(changed(one, mine, PolicyStep.ACTIVATE), changed(other, theirs, PolicyStep.ACTIVATE))
                assert all(isinstance(each, RoutingPolicy) for each in outcomes), outcomes
                found = await states(one)
                assert [key for key, state in found.items() if state is ACTIVE] in ([(DEFAULT, mine)], [(DEFAULT, theirs)])
                assert {found[DEFAULT, mine], found[DEFAULT, theirs]} == {ACTIVE, ARCHIVED}

    run(story)
