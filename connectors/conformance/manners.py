"""Manners: what a connector declares, how it feels, and how it goes."""

import asyncio
from dataclasses import is_dataclass
from typing import Any

from connectors.conformance.stage import Stage
from connectors.conformance.subject import IMPATIENT_S, NOWHERE, PATIENT_S, WRONG, Subject, with_secrets
from connectors.contract import Capability, Observed, SourceError, capabilities_of
from connectors.sandbox.faults import Fault, FaultKind

AT_ONCE = 20


class Manners(Subject):
    """What every ``Connector`` keeps."""

    def test_what_it_declares_makes_sense(self) -> None:
        async def story(stage: Stage) -> None:
            info = stage.connector.info
            assert (info.connector, info.kind) == (self.spec.id, self.spec.kind)
            assert info.batch_skus_max >= 1
            assert info.fresh_for_s > 0
            assert info.visibility_delay_s >= 0
            assert info.rate_per_s is None or info.rate_per_s > 0
            assert info.concurrency_max is None or info.concurrency_max >= 1
            assert capabilities_of(stage.connector) - {Capability.WEBHOOKS}, "it can do nothing"

        self.play(story)

    def test_its_settings_cannot_be_changed_and_show_no_secret(self) -> None:
        settings = with_secrets(self.settings(NOWHERE, PATIENT_S), WRONG)
        kind: Any = type(settings)
        assert is_dataclass(kind)
        assert getattr(kind, "__dataclass_params__").frozen, "settings are a frozen dataclass"  # noqa: B009  mypy does not know it
        assert WRONG not in repr(settings)

    def test_it_is_well_while_its_source_is(self) -> None:
        async def story(stage: Stage) -> None:
            health = await stage.connector.health()
            assert health.ok, health.detail
            expires_at = health.credential_expires_at
            assert expires_at is None or expires_at.utcoffset() is not None

        self.play(story)

    def test_a_source_that_is_unwell_is_an_answer_and_no_error(self) -> None:
        async def story(stage: Stage) -> None:
            for kind in (FaultKind.STATUS, FaultKind.HTML, FaultKind.NULL, FaultKind.LOST_ANSWER, FaultKind.THROTTLED):
                stage.fail(Fault(kind=kind, retry_after_s=600))
                health = await stage.connector.health()
                assert not health.ok, f"well in spite of {kind}"
                assert health.detail
                stage.heal()

        self.play(story)

    def test_a_source_that_says_nothing_is_an_answer_too(self) -> None:
        async def story(stage: Stage) -> None:
            stage.fail(Fault(kind=FaultKind.HANG))
            assert not (await stage.connector.health()).ok

        self.play(story, patience_s=IMPATIENT_S)

    def test_a_source_that_is_not_there_is_no_surprise(self) -> None:
        async def story() -> None:
            connector = self.absent()
            try:
                assert not (await connector.health()).ok
                try:
                    await connector.locations()
                except SourceError as error:
                    assert str(error)
                else:
                    raise AssertionError("locations of a source that is not there")
            finally:
                await connector.aclose()

        self.alone(story)

    def test_many_who_ask_at_once_hear_the_same_and_one_who_leaves_harms_no_other(self) -> None:
        async def story(stage: Stage) -> None:
            reads = [asyncio.ensure_future(stage.reader.read_stock([self.sku])) for _ in range(AT_ONCE)]
            await asyncio.sleep(0)
            reads[0].cancel()
            _, *others = await asyncio.gather(*reads, return_exceptions=True)
            assert all(told == others[0] for told in others)
            assert not isinstance(others[0], BaseException), repr(others[0])

        self.play(story)

    def test_it_tells_how_asking_it_goes(self) -> None:
        async def story(stage: Stage) -> None:
            if not isinstance(stage.connector, Observed):
                return
            await stage.reader.read_stock([self.sku])
            traffic = stage.connector.traffic()
            assert set(traffic) == {"READ", "WRITE"}
            assert traffic["READ"].calls >= 1
            assert traffic["READ"].in_flight == 0

        self.play(story)

    def test_it_can_be_closed_before_it_was_used_and_twice(self) -> None:
        async def story() -> None:
            async with self.stage() as stage:
                await stage.connector.aclose()
                await stage.connector.aclose()
            async with self.stage() as stage:
                await stage.reader.read_stock([self.sku])
                await stage.connector.aclose()
                await stage.connector.aclose()

        self.alone(story)
