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
KEPT_BEFORE = b"""{"at":"2026-06-01T12:00:00Z","available":[[9]],"back_order_cents":null,"days_late":null,
"demand":[{"sku":"A","units":2}],"destination":{"latitude":40.0,"longitude":-100.0},"excluded":{},"facts":{"area":"","channel":"web",
"customer_class":null,"method":"SHIP","placed_at":"2026-06-01T12:00:00Z","skus":["A"]},"grams":[454],"method":"SHIP",
"package_terms":{"pick":[0],"preference":[0]},"pickup_at":null,"preference":"CHEAPEST","read_at":{},"room":null,"safety_units":{},
"unit_terms":{"handling":[[0]]},"world":"0071b4db9c6cf4e77656e86cb926ea60cfaf635b778d0dace57e0737b97709e4"}"""


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


def test_a_decision_that_was_kept_before_there_were_columns_is_made_again_like_any_other() -> None:
    seen, record = made()
    in_rows = replace(record, decision=replace(record.decision, considered=tuple(record.decision.considered)))
    kept = msgspec.json.decode(msgspec.json.encode(in_rows), type=DecisionRecord)
    assert isinstance(kept.decision.considered, tuple)
    assert again(seen, kept).identical
    first, *others = kept.decision.considered
    dearer = replace(kept.decision, considered=(msgspec.structs.replace(first, regret_cents=7), *others))
    assert again(seen, replace(kept, decision=dearer)).differences == (
        f"decision.considered.{first.location}.regret_cents: 7 then, {first.regret_cents} now",
    )


def test_inputs_that_were_tampered_with_are_noticed() -> None:
    seen, record = made()
    assert record.inputs is not None
    tampered = replace(record, inputs=msgspec.structs.replace(record.inputs, back_order_cents=5))
    assert again(seen, tampered).differences == ("What it was made from has been changed since.",)


def test_what_was_kept_before_orders_had_values_and_tags_and_locations_groups_is_what_it_was() -> None:
    inputs = msgspec.json.decode(KEPT_BEFORE, type=Inputs)
    assert inputs.digest == "aced5d1f33faed2fcf3c019745ab3acb987a804d79b0074866435ab257ddd27c"
    assert (inputs.facts.value_cents, inputs.facts.tags) == (None, ())
    case = problem({A: 2}, candidate("near", {A: 9})).problem()
    world = World(sites=case.sites.all, tariff=case.tariff)
    before = msgspec.json.decode(world.body.replace(b'"groups":[],', b""), type=World)
    assert msgspec.json.encode(decide(problem_of(inputs, before))) == msgspec.json.encode(decide(replace(case, split_cents=0)))


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
