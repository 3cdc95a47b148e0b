"""Failures: one closed set of errors, never a number made up, no wait without end, and no secret in any of it."""

from collections.abc import Iterator
from dataclasses import replace

from connectors.conformance.stage import Exchange, Stage
from connectors.conformance.stock import numbers_of, units_at
from connectors.conformance.subject import IMPATIENT_S, WRONG, Subject
from connectors.contract import AuthFailed, Observed, SourceError, Throttled, Transient
from connectors.sandbox.faults import Fault, FaultKind


async def failure(stage: Stage, subject: Subject) -> SourceError:
    """How a read fails that cannot work."""
    try:
        batch = await stage.reader.read_stock([subject.sku])
    except SourceError as error:
        return error
    raise AssertionError(f"a source that does not work was read: {batch}")


async def nothing_is_made_up(stage: Stage, subject: Subject) -> None:
    """A read either fails, or knows no number."""
    try:
        batch = await stage.reader.read_stock([subject.sku])
    except SourceError:
        return
    told = [level for level in batch.levels if any(units is not None for units in numbers_of(level))]
    assert not told, f"a number was read out of something that holds none: {told}"


def words_of(error: BaseException) -> Iterator[str]:
    """All that a log would show of an error, what led to it included."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        each = pending.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield from (str(each), repr(each), *map(repr, vars(each).values()))
            pending += [each.__cause__, None if each.__suppress_context__ else each.__context__]


class Failures(Subject):
    """What holds whatever the source does."""

    def unreadable(self, fault: Fault) -> None:
        """Something comes that is not an answer."""

        async def story(stage: Stage) -> None:
            await stage.reader.read_stock([self.sku])
            stage.fail(fault)
            await nothing_is_made_up(stage, self)
            stage.heal()

        self.play(story)

    def test_a_page_for_people_is_not_read_as_stock(self) -> None:
        self.unreadable(Fault(kind=FaultKind.HTML))

    def test_half_an_answer_is_not_read_as_stock(self) -> None:
        self.unreadable(Fault(kind=FaultKind.TRUNCATED))

    def test_an_empty_object_is_not_read_as_stock(self) -> None:
        self.unreadable(Fault(kind=FaultKind.EMPTY_OBJECT))

    def test_null_is_not_read_as_stock(self) -> None:
        self.unreadable(Fault(kind=FaultKind.NULL))

    def test_a_million_rows_are_not_read_as_stock(self) -> None:
        async def story(stage: Stage) -> None:
            await stage.reader.read_stock([self.sku])
            rows = b"[" + b",".join([b'{"id":1,"sku":"A"}'] * 1_000_000) + b"]"
            stage.change(lambda told: replace(told, body=rows))
            await nothing_is_made_up(stage, self)

        self.play(story)

    def test_a_field_that_was_renamed_is_not_read_as_zero(self) -> None:
        async def story(stage: Stage) -> None:
            await stage.reader.read_stock([self.sku])
            renamed = 0

            def rename(told: Exchange) -> Exchange:
                nonlocal renamed
                body = told.body
                for name in self.amounts:
                    renamed += body.count(name)
                    body = body.replace(name, name.replace(b'"', b'"x_', 1))
                return replace(told, body=body)

            stage.change(rename)
            try:
                batch = await stage.reader.read_stock([self.sku])
            except SourceError:
                batch = None
            assert renamed, f"no answer has a field of {self.amounts}: say how the wire names what becomes a number"
            assert batch is None or units_at(batch, self.sku, self.location) is None, "a number without a field"

        self.play(story)

    def test_silence_ends_with_the_patience_that_was_configured(self) -> None:
        async def story(stage: Stage) -> None:
            stage.fail(Fault(kind=FaultKind.HANG))
            assert isinstance(await failure(stage, self), Transient)

        self.play(story, patience_s=IMPATIENT_S)

    def test_a_lost_connection_is_transient(self) -> None:
        async def story(stage: Stage) -> None:
            stage.fail(Fault(kind=FaultKind.LOST_ANSWER))
            assert isinstance(await failure(stage, self), Transient)

        self.play(story)

    def test_a_single_fault_is_not_even_noticed_and_one_that_lasts_is_transient_and_passes(self) -> None:
        async def story(stage: Stage) -> None:
            stage.fake.set_stock(self.place, self.sku, 7)
            stage.fail(Fault(kind=FaultKind.STATUS, status=502, times=1))
            assert units_at(await stage.reader.read_stock([self.sku]), self.sku, self.location) == 7
            stage.fail(Fault(kind=FaultKind.STATUS, status=502))
            assert isinstance(await failure(stage, self), Transient)
            stage.heal()
            assert units_at(await stage.reader.read_stock([self.sku]), self.sku, self.location) == 7

        self.play(story)

    def test_a_source_that_wants_to_be_left_alone_says_for_how_long(self) -> None:
        async def story(stage: Stage) -> None:
            stage.fake.set_stock(self.place, self.sku, 7)
            stage.fail(Fault(kind=FaultKind.THROTTLED, retry_after_s=0, times=1))
            assert units_at(await stage.reader.read_stock([self.sku]), self.sku, self.location) == 7
            stage.fail(Fault(kind=FaultKind.THROTTLED, retry_after_s=600))
            error = await failure(stage, self)
            assert isinstance(error, Throttled)
            assert error.retry_after_s is not None
            assert 0 < error.retry_after_s <= 600

        self.play(story)

    def test_a_wrong_credential_is_told_as_such_and_never_shown(self) -> None:
        async def story() -> None:
            async with self.stage(credential=WRONG) as stage:
                error = await failure(stage, self)
                health = await stage.connector.health()
                assert isinstance(error, AuthFailed), repr(error)
                assert not health.ok
                self.hides(stage, *words_of(error), repr(health))

        self.alone(story)

    def test_a_source_that_repeats_our_words_does_not_have_us_repeat_the_credential(self) -> None:
        async def story() -> None:
            async with self.stage(credential=WRONG) as stage:
                for status in (400, 500, 200):
                    stage.change(lambda told, status=status: replace(told, status=status, body=told.asked))  # type: ignore[misc]  # mypy does not infer a default of a lambda
                    try:
                        said: tuple[str, ...] = (repr(await stage.reader.read_stock([self.sku])),)
                    except SourceError as error:
                        said = tuple(words_of(error))
                    self.hides(stage, *said, repr(await stage.connector.health()))

        self.alone(story)

    def hides(self, stage: Stage, *texts: str) -> None:
        """None of this holds the credential, and neither does anything that the connector shows of itself."""
        connector = stage.connector
        traffic = repr(connector.traffic()) if isinstance(connector, Observed) else ""
        for text in (*texts, traffic, repr(connector), repr(connector.info)):
            assert WRONG not in text, "the credential is shown"
