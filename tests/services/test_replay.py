"""Decisions made again from what was kept of them."""

from dataclasses import replace
from itertools import count
from pathlib import Path

import msgspec
import numpy as np
import pytest

from gateway.domain.policies import LEAST_COST
from gateway.domain.routing import NEVER, Inputs, World, decide, inputs_of, problem_of
from gateway.domain.sourcing import DecisionRecord
from gateway.services.routing import Landscape, Replay, Replays, replayed
from tests.domain.problems import FAR, A, candidate, problem
from tests.harness import run
from tests.replays.decisions import POLICIES, STRATEGIES, decided, keep_policies, kept, replayed_otherwise
from tests.samples import Command, desk

REPLAYED = 200


def made(seed: int = 1) -> tuple[Landscape, DecisionRecord]:
    """One that can be made, by the policy without rules."""
    return next(
        found
        for found in map(decided, count(seed))
        if found is not None and found[1].policy == "none" and found[1].decision.packages
    )


def again(seen: Landscape, record: DecisionRecord) -> Replay:
    assert record.inputs is not None
    policy = next((each for each in POLICIES if each.key == (record.policy, record.policy_version)), None)
    return replayed(record, record.inputs, seen.atlas.world(seen.tariff), policy, STRATEGIES)


def test_decisions_of_every_kind_come_out_the_same_to_the_byte(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            await keep_policies(on)
            ids = await kept(on, count(), REPLAYED)
            assert await replayed_otherwise(on, ids, lambda _: None) == []
            records = [await on.store.decision(each) for each in ids]
            assert {each.policy for each in records if each is not None} == {policy.name for policy in POLICIES}
            assert any(each.relaxed for each in records if each is not None)
            assert any(each.decision.waits for each in records if each is not None)

    run(story)


def test_what_differs_is_told_with_its_path_and_both_values() -> None:
    seen, record = made()
    dearer = replace(record, decision=replace(record.decision, cost_cents=record.decision.cost_cents + 1))
    found = again(seen, dearer)
    assert not found.identical
    was = record.decision.cost_cents
    assert found.differences == (f"decision.cost_cents: {was + 1} then, {was} now",)
    assert again(seen, record).identical


def test_inputs_that_were_tampered_with_are_noticed() -> None:
    seen, record = made()
    assert record.inputs is not None
    tampered = replace(record, inputs=replace(record.inputs, back_order_cents=5))
    assert again(seen, tampered).differences == ("What it was made from has been changed since.",)


def test_lateness_and_room_come_back_as_they_were() -> None:
    case = problem({A: 2}, replace(candidate("near", {A: 9}), room=1), candidate("far", {A: 9}, FAR), candidate("out", {A: None}))
    services = len(case.tariff.routed)
    late = np.array([[0] * services, [NEVER] + [3] * (services - 1), [1] * services])
    stated = replace(case.problem(), days_late=late, late_day_cents=250)
    world = World(sites=stated.sites.all, tariff=stated.tariff)
    kept = msgspec.json.decode(msgspec.json.encode(inputs_of(stated, world)), type=Inputs)
    again = replace(
        problem_of(kept, msgspec.json.decode(world.body, type=World)), late_day_cents=250, split_cents=stated.split_cents
    )
    assert msgspec.json.encode(decide(again)) == msgspec.json.encode(decide(stated))


def test_what_is_missing_is_said_instead_of_guessed() -> None:
    seen, record = made()
    assert record.inputs is not None
    world = seen.atlas.world(seen.tariff)
    assert replayed(record, record.inputs, None, POLICIES[0], STRATEGIES).differences == (
        "The locations and tariffs of then cannot be found.",
    )
    assert replayed(record, record.inputs, world, None, STRATEGIES).differences == (
        "The policy and rule that it was made by cannot be found.",
    )
    by_another = replace(record, rule="another")
    assert not again(seen, by_another).identical


def test_a_rule_that_is_of_no_kept_policy_is_kept_with_the_decision() -> None:
    seen, record = made()
    assert again(seen, replace(record, policy="by hand", policy_version=0)).identical is False
    assert again(seen, replace(record, policy="by hand", policy_version=0, own_rule=LEAST_COST)).identical


@pytest.mark.parametrize("missing", ["nowhere", "decision-0"])
def test_there_is_nothing_to_replay_of_a_decision_that_there_never_was(tmp_path: Path, missing: str) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            assert await Replays(store=on.store, outlook=made()[0].outlook.__class__).replay(missing) is None

    run(story)


def test_of_a_decision_that_was_kept_without_its_inputs_that_is_said(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            seen, record = made()
            await on.writer.submit(Command(does=lambda books: books.keep(replace(record, inputs=None))), returns=object)
            found = await Replays(store=on.store, outlook=lambda: seen.outlook).replay(record.id)
            assert found is not None
            assert found.differences == ("What it was made from was not kept then.",)

    run(story)


def test_a_world_is_kept_once_however_often_it_is_remembered(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            seen, _ = made()
            world = seen.atlas.world(seen.tariff)
            await on.upkeep.remember_world(world)
            await on.upkeep.remember_world(world)
            assert await on.store.world(world.digest) == world
            assert await on.store.world("another") is None

    run(story)
