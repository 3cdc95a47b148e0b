"""Saying what routing shall do, and when it does so."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.policies import DEFAULT, Ban, HardRules, Objective, PolicyState, RoutingPolicy, Rule, When
from gateway.domain.refusals import ContradictoryRule, Refusals
from gateway.ports import Once
from gateway.services.policies import Policies
from tests.harness import run
from tests.samples import Desk, at_work, desk

WEB, REST = Rule(name="web", when=When(channels=("web",))), Rule(name="rest")


def at(on: Desk) -> Policies:
    """One gateway's view."""
    return Policies(writer=on.writer, store=on.store, renew_every_s=0.02)


def once(operation: str, key: str) -> Once:
    return Once(principal="ann", operation=operation, key=key, request_hash="same")


async def created(policies: Policies, *rules: Rule, name: str = DEFAULT, key: str = "k") -> RoutingPolicy:
    return await policies.create(name, rules, note="a test", by="ann", once=once("create", key))


async def activated(policies: Policies, version: int, name: str = DEFAULT) -> RoutingPolicy:
    return await policies.activate((name, version), reason="now", by="ann", once=once("activate", f"{name}{version}"))


def versions(policies: Policies) -> dict[str, int]:
    return {name: policy.version for name, policy in policies.in_force.items()}


def test_a_policy_is_in_force_at_once_here_and_a_moment_later_on_other_gateways(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            here, elsewhere = at(on), at(on)
            async with at_work(elsewhere.run):
                await elsewhere.load()
                await created(here, WEB, REST)
                await here.load()
                assert [versions(each) for each in (here, elsewhere)] == [{DEFAULT: 1}] * 2, "a draft is not in force"
                await activated(here, 2)
                assert versions(here) == {DEFAULT: 2}
                while versions(elsewhere) != {DEFAULT: 2}:
                    await asyncio.sleep(0.01)
                assert elsewhere.in_force[DEFAULT].rules == (WEB, REST)

    run(story)


def test_a_policy_goes_out_of_force_when_it_is_archived(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            policies = at(on)
            await created(policies, REST, name="rush")
            await activated(policies, 1, "rush")
            assert versions(policies) == {DEFAULT: 1, "rush": 1}
            archived = await policies.archive(("rush", 1), reason="over", by="ann", once=once("archive", "k"))
            assert archived.state is PolicyState.ARCHIVED
            assert versions(policies) == {DEFAULT: 1}

    run(story)


@dataclass
class Slow:
    """A store of which the first answer comes last."""

    answers: list[tuple[RoutingPolicy, ...]]
    held: asyncio.Event = field(default_factory=asyncio.Event)

    async def policies_in_force(self) -> tuple[RoutingPolicy, ...]:
        answer = self.answers.pop(0)
        if self.answers:
            await self.held.wait()
        return answer


def test_an_answer_that_was_overtaken_does_not_bring_an_old_version_back() -> None:
    async def story() -> None:
        old, new = (RoutingPolicy(name=DEFAULT, version=version, rules=(), changes=()) for version in (1, 2))
        store: Any = Slow(answers=[(old,), (new,)])
        policies = Policies(writer=store, store=store)
        overtaken = asyncio.ensure_future(policies.load())
        await asyncio.sleep(0)
        await policies.load()
        store.held.set()
        await overtaken
        assert versions(policies) == {DEFAULT: 2}

    run(story)


def test_the_same_key_writes_one_version_however_often_it_is_sent(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            policies = at(on)
            first, again, other = [await created(policies, WEB, key=key) for key in ("k", "k", "other")]
            assert first == again
            assert (first.version, other.version) == (2, 3)

    run(story)


def test_rules_that_contradict_are_refused_all_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            policies = at(on)
            nothing = Rule(name="nothing", hard=HardRules(never_from=(Ban(),)))
            with pytest.raises(Refusals) as refused:
                await created(policies, nothing, REST)
            told = [(each.rule, each.path) for each in refused.value.each if isinstance(each, ContradictoryRule)]
            assert told == [
                ("nothing", ("input", "rules", "0", "hard", "neverFrom")),
                ("rest", ("input", "rules", "1", "when")),
            ]
            assert (await created(policies, WEB)).version == 2

    run(story)


def test_a_strategy_that_nobody_offers_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(tmp_path) as on:
            policies = at(on)
            wrong = Rule(name="wrong", objective=Objective(strategy="nearest"))
            with pytest.raises(Refusals) as refused:
                await created(policies, wrong)
            (unknown,) = refused.value.each
            assert unknown.path == ("input", "rules", "0", "objective", "strategy")
            assert "closest" in unknown.message
            closest = Rule(name="closest", objective=Objective(strategy="closest"))
            assert (await created(policies, closest)).rules == (closest,)

    run(story)
