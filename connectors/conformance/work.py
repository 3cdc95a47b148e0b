"""Requests: made once, looked up, followed, stopped, whatever becomes of the answers."""

from collections.abc import Awaitable

from connectors.conformance.stage import Exchange, Stage
from connectors.conformance.stock import units_at
from connectors.conformance.subject import Subject
from connectors.contract import (
    CancelOutcome,
    Idempotency,
    NotFound,
    OutcomeUnknown,
    Rejected,
    RemoteFulfillment,
    RemoteRef,
    RemoteState,
    RequestKey,
    SourceError,
    Throttled,
    Transient,
)
from connectors.sandbox.controls import SandboxOrder
from connectors.sandbox.faults import Fault, FaultKind

UNDER_WAY = frozenset({RemoteState.REQUESTED, RemoteState.ACCEPTED})
OVER = frozenset({RemoteState.REJECTED, RemoteState.CANCELED})
FAR_TOO_MANY = 900_000


def orders_of(stage: Stage, key: str) -> list[SandboxOrder]:
    """What has arrived under that key."""
    return [order for order in stage.there.orders() if order.key == key]


async def status_of(stage: Stage, ref: RemoteRef) -> RemoteFulfillment:
    """How far one request is."""
    (found,) = await stage.fulfiller.status([ref])
    return found


async def refused(request: Awaitable[RemoteFulfillment]) -> bool:
    """Whether the source turns it down, in either of the two ways."""
    try:
        return (await request).state is RemoteState.REJECTED
    except Rejected:
        return True


class Work(Subject):
    """What every ``Fulfiller`` keeps."""

    def test_a_request_arrives_once_with_its_key_and_its_lines(self) -> None:
        async def story(stage: Stage) -> None:
            answer = await stage.fulfiller.request(self.asking(units=2))
            assert answer.state in UNDER_WAY
            assert answer.key == self.asking().key
            (order,) = orders_of(stage, self.asking().key)
            assert [(line.sku, line.units) for line in order.lines] == [(self.sku, 2)]
            assert order.place == self.place

        self.play(story)

    def test_the_same_key_is_the_same_request(self) -> None:
        async def story(stage: Stage) -> None:
            if stage.connector.info.idempotency is Idempotency.NONE:
                stage.fulfiller  # noqa: B018  skips where there is none
                return
            first = await stage.fulfiller.request(self.asking())
            second = await stage.fulfiller.request(self.asking())
            assert (second.ref, second.key) == (first.ref, first.key)
            assert len(orders_of(stage, first.key or "")) == 1

        self.play(story)

    def test_after_a_lost_answer_there_is_exactly_one_order(self) -> None:
        async def story(stage: Stage) -> None:
            fulfiller = stage.fulfiller
            key = self.asking().key

            def lose(told: Exchange) -> Exchange | None:
                return None if orders_of(stage, key) else told

            stage.change(lose)
            try:
                await fulfiller.request(self.asking())
            except OutcomeUnknown:
                pass  # the one thing that can be said
            else:
                raise AssertionError("no answer to it ever came, and it is said to be known")
            assert len(orders_of(stage, key)) == 1
            stage.heal()
            if stage.connector.info.idempotency is Idempotency.NONE:
                return
            found = await fulfiller.find(key)
            assert found is not None, "it is there and cannot be found"
            assert (await fulfiller.request(self.asking())).ref == found.ref
            assert len(orders_of(stage, key)) == 1

        self.play(story)

    def test_a_request_that_fails_there_may_be_made_later_and_is_made_once(self) -> None:
        async def story(stage: Stage) -> None:
            fulfiller = stage.fulfiller
            stage.fail(Fault(kind=FaultKind.STATUS, status=503))
            try:
                await fulfiller.request(self.asking())
            except (OutcomeUnknown, Transient, Throttled):
                stage.heal()
            else:
                raise AssertionError("a source that answers 503 has taken a request")
            assert (await fulfiller.request(self.asking())).state in UNDER_WAY
            assert len(orders_of(stage, self.asking().key)) == 1

        self.play(story)

    def test_a_request_is_found_by_its_key_and_another_is_not(self) -> None:
        async def story(stage: Stage) -> None:
            if stage.connector.info.idempotency is Idempotency.NONE:
                return
            fulfiller = stage.fulfiller
            assert await fulfiller.find(self.asking().key) is None
            made = await fulfiller.request(self.asking())
            found = await fulfiller.find(self.asking().key)
            assert found is not None
            assert (found.ref, found.key) == (made.ref, made.key)
            assert await fulfiller.find(RequestKey(f"{self.asking().key}0")) is None
            assert await fulfiller.find(RequestKey(self.asking().key[:-1])) is None

        self.play(story)

    def test_a_look_up_that_fails_is_not_an_absence(self) -> None:
        async def story(stage: Stage) -> None:
            if stage.connector.info.idempotency is Idempotency.NONE:
                return
            await stage.fulfiller.request(self.asking())
            for kind in (FaultKind.HTML, FaultKind.NULL, FaultKind.THROTTLED, FaultKind.STATUS):
                stage.fail(Fault(kind=kind, retry_after_s=600))
                try:
                    found = await stage.fulfiller.find(self.asking().key)
                except SourceError:
                    stage.heal()
                else:
                    raise AssertionError(f"after {kind} it is said to be {found}, and would be asked for again")

        self.play(story)

    def test_how_far_a_request_is_can_be_followed_until_it_has_left(self) -> None:
        async def story(stage: Stage) -> None:
            made = await stage.fulfiller.request(self.asking())
            (order,) = orders_of(stage, self.asking().key)
            stage.there.accept(order.ref)
            assert (await status_of(stage, made.ref)).state is RemoteState.ACCEPTED
            stage.there.ship(order.ref, carrier="UPS", tracking_number="1Z999")
            shipped = await status_of(stage, made.ref)
            assert (shipped.state, shipped.ref) == (RemoteState.SHIPPED, made.ref)
            assert [package.tracking_number for package in shipped.packages] == ["1Z999"]
            assert all(package.shipped_at is None or package.shipped_at.utcoffset() is not None for package in shipped.packages)

        self.play(story)

    def test_a_request_that_is_turned_down_there_is_over(self) -> None:
        async def story(stage: Stage) -> None:
            made = await stage.fulfiller.request(self.asking())
            (order,) = orders_of(stage, self.asking().key)
            stage.there.reject(order.ref, "damaged")
            assert (await status_of(stage, made.ref)).state in OVER

        self.play(story)

    def test_requests_that_the_source_does_not_know_are_left_out(self) -> None:
        async def story(stage: Stage) -> None:
            made = await stage.fulfiller.request(self.asking())
            told = await stage.fulfiller.status([RemoteRef("no-such-request"), made.ref, RemoteRef("99999999")])
            assert [each.ref for each in told] == [made.ref]
            assert await stage.fulfiller.status([]) == ()

        self.play(story)

    def test_a_request_can_be_stopped_and_stopping_it_twice_is_the_same(self) -> None:
        async def story(stage: Stage) -> None:
            fulfiller = stage.fulfiller
            made = await fulfiller.request(self.asking())
            outcomes = [await fulfiller.cancel(made.ref) for _ in range(2)]
            if CancelOutcome.PENDING in outcomes:  # somebody there confirms it later
                assert set(outcomes) <= {CancelOutcome.PENDING, CancelOutcome.CANCELED}
                return
            assert outcomes == [CancelOutcome.CANCELED] * 2
            assert (await status_of(stage, made.ref)).state in OVER

        self.play(story)

    def test_what_has_left_cannot_be_stopped(self) -> None:
        async def story(stage: Stage) -> None:
            made = await stage.fulfiller.request(self.asking())
            (order,) = orders_of(stage, self.asking().key)
            stage.there.accept(order.ref)
            stage.there.ship(order.ref, carrier="UPS", tracking_number="1Z999")
            late = {CancelOutcome.TOO_LATE, CancelOutcome.REFUSED, CancelOutcome.PENDING}
            assert await stage.fulfiller.cancel(made.ref) in late
            assert (await status_of(stage, made.ref)).state is RemoteState.SHIPPED

        self.play(story)

    def test_what_is_not_there_cannot_be_stopped(self) -> None:
        async def story(stage: Stage) -> None:
            for ref in (RemoteRef("no-such-request"), RemoteRef("99999999")):
                try:
                    outcome = await stage.fulfiller.cancel(ref)
                except (NotFound, Rejected):
                    continue
                assert outcome is not CancelOutcome.CANCELED, "something that never was is said to be stopped"

        self.play(story)

    def test_what_the_source_does_not_have_is_refused_and_leaves_nothing_behind(self) -> None:
        async def story(stage: Stage) -> None:
            assert await refused(stage.fulfiller.request(self.asking(sku=self.nowhere)))
            found = await stage.fulfiller.find(self.asking().key)
            assert found is None or found.state in OVER

        self.play(story)

    def test_a_request_is_taken_whole_or_leaves_nothing_set_aside(self) -> None:
        async def story(stage: Stage) -> None:
            fulfiller, reader = stage.fulfiller, stage.reader
            before = units_at(await reader.read_stock([self.sku]), self.sku, self.location)
            if not await refused(fulfiller.request(self.asking(units=FAR_TOO_MANY))):
                return  # a source that does not look at its stock, or that somebody there decides for
            assert units_at(await reader.read_stock([self.sku]), self.sku, self.location) == before
            found = await fulfiller.find(self.asking().key)
            assert found is None or found.state in OVER

        self.play(story)

    def test_nothing_but_source_errors_comes_of_answers_that_are_not_answers(self) -> None:
        async def story(stage: Stage) -> None:
            for kind in (FaultKind.HTML, FaultKind.EMPTY_OBJECT, FaultKind.NULL, FaultKind.TRUNCATED):
                key = f"conformance-{kind}".lower()[:40]
                stage.fail(Fault(kind=kind))
                try:
                    await stage.fulfiller.request(self.asking(key))
                except SourceError:
                    stage.heal()
                else:
                    raise AssertionError(f"{kind} was taken for an answer")
                assert len(orders_of(stage, key)) <= 1

        self.play(story)
