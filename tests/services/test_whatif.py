"""Trying things without doing them: what a service has to see to."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from connectors.contract import Sku
from gateway.domain.policies import (
    Ban,
    Candidacy,
    Fallback,
    FallbackStep,
    HardRules,
    PackageWeight,
    Places,
    Rule,
    RulePart,
    Weights,
)
from gateway.domain.refusals import GuardrailBreached, NotFound, Overloaded, Refusals
from gateway.domain.whatif import Comparison, Guardrails, going_by
from gateway.ports import Once
from gateway.services import whatif
from gateway.services.orders import Purchase
from tests.harness import run
from tests.samples import CUP, HOME, MUG, units
from tests.services.shops import Place, shop


def test_what_nobody_waits_for_any_more_is_stopped_and_the_next_may_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(*asked: object) -> Comparison:
        advance = asked[-1]
        assert callable(advance)
        begun.set()
        go_on.wait(10)
        try:
            advance()
        finally:
            ended.set()
        raise AssertionError("it went on")

    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 9})}) as on:
            await on.bought(1)
            with monkeypatch.context() as patched:
                patched.setattr(whatif, "compare", slow)
                waiting = asyncio.create_task(on.services.whatif.compare([]))
                await asyncio.to_thread(begun.wait, 10)
                with pytest.raises(Overloaded):
                    await on.services.whatif.compare([])
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                go_on.set()
                await asyncio.to_thread(ended.wait, 10)
            assert (await on.services.whatif.compare([going_by("closest")])).orders == 1

    run(story)


def test_buying_goes_on_while_orders_of_the_past_are_compared(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 99})}) as on:
            for number in range(20):
                await on.bought(1, key=f"before {number}")
            comparing = asyncio.create_task(on.services.whatif.compare([going_by("closest"), going_by("priority")]))
            bought = [await on.bought(1, key=f"meanwhile {number}") for number in range(3)]
            found = await comparing
            assert len(bought) == 3
            assert 20 <= found.orders <= 23
            assert found.unlike == 0

    run(story)


def test_a_version_that_does_not_exist_cannot_be_tried(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 9})}) as on:
            with pytest.raises(NotFound):
                await on.services.whatif.check(("default", 99), Guardrails())
            guarded = replace(on.services.whatif, guardrails=Guardrails())
            with pytest.raises(NotFound):
                await guarded.check(("default", 99))

    run(story)


def test_every_guardrail_that_breaks_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 9})}) as on:
            for number in range(4):
                await on.bought(1, key=f"{number}")
            asked = Once(principal="me", operation="routingPolicyCreate", key="k", request_hash="r")
            same = await on.services.policies.create("default", (), note="the same", by="me", once=asked)
            await on.services.whatif.check(same.key, Guardrails(cost_percent_max=0))
            await on.services.whatif.check(same.key)
            with pytest.raises(Refusals) as refused:
                await on.services.whatif.check(same.key, Guardrails(cost_percent_max=-1, packages_percent_max=-1))
            assert [type(each) for each in refused.value.each] == [GuardrailBreached] * 2
            assert [str(each) for each in refused.value.each] == [
                "GUARDRAIL_BREACHED: COST_PERCENT would be 0.0; the limit is -1.0.",
                "GUARDRAIL_BREACHED: PACKAGES_PERCENT would be 0.0; the limit is -1.0.",
            ]

    run(story)


def test_a_new_policy_that_no_order_goes_by_yet_does_nothing_to_the_others(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 9})}) as on:
            await on.bought(1)
            asked = Once(principal="me", operation="routingPolicyCreate", key="k", request_hash="r")
            nowhere = Rule(name="nowhere", candidates=Candidacy(places=(Places(codes=("gone",)),)))
            express = await on.services.policies.create("express", (nowhere,), note="a new one", by="me", once=asked)
            await on.services.whatif.check(express.key, Guardrails(unfillable_max=0))
            _, everywhere = (await on.services.whatif.compare([await on.services.whatif.changed(express.key)])).scores
            assert everywhere.unfillable == 1, "but if all orders went by it"

    run(story)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_day_of_orders_at_once_by_a_policy_with_fallbacks_is_replayed_exactly(tmp_path: Path, seed: int) -> None:
    """Lines are split, stock runs out, rules give way, orders wait: and every allocation is the one that was made."""
    random = Random(seed)
    skus = (MUG, CUP, Sku("JUG"))
    places = {name: Place(stock={sku: random.randint(0, 25) for sku in skus}) for name in ("east", "north", "west")}
    together = Rule(
        name="one package",
        hard=HardRules(packages_max=1, never_from=(Ban(skus=("JUG",), places=Places(sources=("north",))),)),
        weights=Weights(packages=(PackageWeight(places=Places(sources=("west",)), pick_cents=120),)),
        fallbacks=(
            Fallback(step=FallbackStep.RELAX, relaxes=(RulePart.PACKAGES_MAX,)),
            Fallback(step=FallbackStep.BACK_ORDER),
        ),
    )

    async def story() -> None:
        async with shop(tmp_path, places) as on:
            asked = Once(principal="me", operation="routingPolicyCreate", key="k", request_hash="r")
            written = await on.services.policies.create("default", (together,), note="one package", by="me", once=asked)
            begun = Once(principal="me", operation="routingPolicyActivate", key="k", request_hash="r")
            await on.services.policies.activate(written.key, reason="now", by="me", once=begun)

            async def buy(number: int) -> None:
                lines = [(sku, random.randint(1, 4)) for sku in random.sample(skus, random.randint(1, 3))]
                purchase = Purchase(channel="web", lines=units(*lines), to=HOME)
                bought = Once(principal="shop", operation="orderPlace", key=f"{number}", request_hash="same")
                await on.services.orders.place(purchase, by="shop", once=bought)

            for first in range(0, 40, 8):
                await asyncio.gather(*(buy(number) for number in range(first, first + 8)))
            found = await on.services.whatif.compare([going_by("exact")])
            assert found.orders > 15
            assert found.unlike == 0
            in_force, exact = found.scores
            assert in_force.split_orders + in_force.unfillable > 0, "the rule gave way, or some had to wait"
            assert exact.moved > 0

    run(story)
