"""Holds: all or nothing, once, and given back as often as one likes."""

from connectors.conformance.stage import Exchange, Stage
from connectors.conformance.stock import units_at
from connectors.conformance.subject import Subject
from connectors.contract import HoldRequest, OutcomeUnknown, Rejected, RemoteRef, RequestKey, RequestLine, SourceError
from connectors.sandbox.faults import Fault, FaultKind

FAR_TOO_MANY = 900_000


class Holds(Subject):
    """What every ``Holder`` keeps."""

    def holding(self, key: str = "conformance-1", *, units: int = 2, of_another: int = 1) -> HoldRequest:
        """Some of both."""
        lines = (RequestLine(sku=self.sku, units=units), RequestLine(sku=self.another, units=of_another))
        return HoldRequest(key=RequestKey(key), location=self.location, lines=lines)

    def test_what_is_held_is_set_aside_once_for_each_key(self) -> None:
        async def story(stage: Stage) -> None:
            holder = stage.holder
            before = units_at(await stage.reader.read_stock([self.sku]), self.sku, self.location)
            assert before is not None
            first, second = await holder.hold(self.holding()), await holder.hold(self.holding())
            assert (first.ref, first.key, first.lines) == (second.ref, second.key, second.lines)
            assert (first.key, first.lines) == (self.holding().key, self.holding().lines)
            assert units_at(await stage.reader.read_stock([self.sku]), self.sku, self.location) == before - 2

        self.play(story)

    def test_all_of_it_is_held_or_nothing(self) -> None:
        async def story(stage: Stage) -> None:
            holder = stage.holder
            before = units_at(await stage.reader.read_stock([self.sku]), self.sku, self.location)
            try:
                await holder.hold(self.holding(of_another=FAR_TOO_MANY))
            except Rejected:
                assert units_at(await stage.reader.read_stock([self.sku]), self.sku, self.location) == before
                assert await holder.find_hold(self.holding().key) is None
            else:
                raise AssertionError("more was held than there is")

        self.play(story)

    def test_a_hold_is_found_by_its_key_and_another_is_not(self) -> None:
        async def story(stage: Stage) -> None:
            holder = stage.holder
            assert await holder.find_hold(self.holding().key) is None
            made = await holder.hold(self.holding())
            assert await holder.find_hold(self.holding().key) == made
            assert await holder.find_hold(RequestKey(f"{self.holding().key}0")) is None
            assert await holder.find_hold(RequestKey(self.holding().key[:-1])) is None

        self.play(story)

    def test_a_look_up_of_a_hold_that_fails_is_not_an_absence(self) -> None:
        async def story(stage: Stage) -> None:
            await stage.holder.hold(self.holding())
            for kind in (FaultKind.HTML, FaultKind.NULL, FaultKind.THROTTLED, FaultKind.STATUS):
                stage.fail(Fault(kind=kind, retry_after_s=600))
                try:
                    found = await stage.holder.find_hold(self.holding().key)
                except SourceError:
                    stage.heal()
                else:
                    raise AssertionError(f"after {kind} it is said to be {found}, and would be held again")

        self.play(story)

    def test_a_hold_is_given_back_once_however_often_it_is_released(self) -> None:
        async def story(stage: Stage) -> None:
            holder = stage.holder
            before = units_at(await stage.reader.read_stock([self.sku]), self.sku, self.location)
            made = await holder.hold(self.holding())
            for _ in range(2):
                await holder.release(made.ref)
                assert units_at(await stage.reader.read_stock([self.sku]), self.sku, self.location) == before
            assert await holder.find_hold(self.holding().key) is None
            await holder.release(RemoteRef("no-such-hold"))

        self.play(story)

    def test_after_a_lost_answer_there_is_one_hold(self) -> None:
        async def story(stage: Stage) -> None:
            holder = stage.holder
            before = self.holds(stage.fake)

            def lose(told: Exchange) -> Exchange | None:
                return None if self.holds(stage.fake) > before else told

            stage.change(lose)
            try:
                await holder.hold(self.holding())
            except OutcomeUnknown:
                stage.heal()
            except SourceError as error:
                raise AssertionError(f"its outcome is unknown, and it is told as {error!r}") from error
            else:
                raise AssertionError("no answer to it ever came, and it is said to be known")
            stock = await stage.reader.read_stock([self.sku])
            made = await holder.hold(self.holding())
            assert await holder.find_hold(self.holding().key) == made
            again = await stage.reader.read_stock([self.sku])
            first, second = (units_at(each, self.sku, self.location) for each in (stock, again))
            assert first is not None
            assert second is not None
            assert first - second in {0, 2}, "held twice"
            await holder.release(made.ref)
            assert self.holds(stage.fake) == before

        self.play(story)
