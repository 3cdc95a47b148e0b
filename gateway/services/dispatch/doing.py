"""Work that must happen: asking sources to do it, to stop it, finding locations for what has none, and missing what never comes.

A job is written in the transaction that calls for it and is done when the transaction that records its outcome says so. A crash in
between leads to another attempt, which first looks up what became of the one before.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar

import structlog

from connectors.contract import (
    CancelOutcome,
    Holder,
    Rejected,
    RemoteFulfillment,
    RemoteState,
    RequestKey,
    SourceError,
    SourceKind,
    Throttled,
    Transient,
    Unsupported,
)
from gateway.domain.books import Books
from gateway.domain.fulfillments import FulfillmentOrder, RequestStatus
from gateway.domain.identity import FulfillmentOrderId, OrderId
from gateway.domain.orders import Order
from gateway.domain.refusals import Overloaded, ReadingOutdated, StoreUnavailable
from gateway.domain.tasks import Job, JobKind, JobState, retry_delay
from gateway.ports import Clock, Command, Fenced, LostClaim, Source, Sources, Store, Touches, Upkeep, Writer
from gateway.services.bells import rung
from gateway.services.dispatch.requests import asked, can_look_up, can_tell, fulfiller, looked_up, observed, stopped_at
from gateway.services.fulfillments import Park, Remind, Stopped, TurnDown
from gateway.services.network import Network
from gateway.services.orders import Reroute
from gateway.services.readings import Readings
from gateway.services.routing import Landscape, Routing
from gateway.services.waves import Waves

R = TypeVar("R")

log = structlog.get_logger(__name__)

LEASE_PER_DEADLINE: Final = 4 / 3  # nobody takes over what may still be going on
REROUTE_AFTER: Final = timedelta(seconds=30)

ASKED: Final[Mapping[JobKind, RequestStatus]] = {
    JobKind.SUBMIT: RequestStatus.UNSUBMITTED,
    JobKind.STOP: RequestStatus.CANCELLATION_REQUESTED,
}
"""How far the handshake is while such a job has something to do."""

AFTER_A_DECISION: Final = 2
"""The attempt that comes of a person's having a dead job tried again."""

PASSING: Final = (SourceError, TimeoutError, Overloaded, ReadingOutdated, StoreUnavailable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Nothing is left to do: the job is over."""

    @property
    def touches(self) -> Touches:
        """Nothing."""
        return Touches()

    def decide(self, _books: Books) -> None:
        """Change nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """Does jobs, ``concurrency_max`` at a time; looks for new ones when something was committed, and every ``poll_s``.

    An attempt is given up after ``deadline_s``; a job that a crash cut short is taken over a third later. After ``attempts_max`` of
    its kind a person must look; a kind without one is tried for ever.

    ``spread`` gives numbers in [0.5, 1], so that retries of many do not come together. ``accept_within`` is how long locations may
    take to accept, by the kind of their source.
    """

    store: Store
    upkeep: Upkeep
    writer: Writer
    sources: Sources
    network: Network
    readings: Readings
    routing: Routing
    waves: Waves
    clock: Clock
    spread: Callable[[], float]
    bell: asyncio.Event
    concurrency_max: int
    poll_s: float
    deadline_s: float
    attempts_max: Mapping[JobKind, int]
    accept_within: Mapping[SourceKind, timedelta]

    async def run(self) -> None:
        """Do jobs until canceled."""
        running: set[asyncio.Task[None]] = set()

        def ended(task: asyncio.Task[None]) -> None:
            running.discard(task)
            self.bell.set()

        async with asyncio.TaskGroup() as tasks:
            while True:
                self.bell.clear()
                until_s = self.clock.monotonic() + self.deadline_s
                jobs = await self._claim(self.concurrency_max - len(running))
                for job in jobs:
                    task = tasks.create_task(self._do(job, until_s))
                    running.add(task)
                    task.add_done_callback(ended)
                if not jobs:
                    await rung(self.bell, self.poll_s)

    async def _claim(self, limit: int) -> tuple[Job, ...]:
        if limit < 1:
            return ()
        try:
            return await self.upkeep.claim_jobs(limit=limit, lease_s=self.deadline_s * LEASE_PER_DEADLINE)
        except Exception:  # the database is away: it comes back, or the operator does
            log.exception("jobs_unreachable")
            return ()

    async def _do(self, job: Job, until_s: float) -> None:
        """One job, whatever happens: it ends, or it comes again."""
        handlers: Mapping[JobKind, Callable[[Job], Awaitable[None]]] = {
            JobKind.SUBMIT: partial(self._submit, until_s=until_s),
            JobKind.STOP: self._stop,
            JobKind.ROUTE: self._route,
            JobKind.REMIND: self._remind,
            JobKind.RELEASE: self._release,
        }
        try:
            async with asyncio.timeout(self.deadline_s):
                await handlers[job.kind](job)
        except LostClaim:
            log.info("claim_lost", job=job.id, kind=job.kind)
        except PASSING as error:
            log.warning("job_failed", job=job.id, kind=job.kind, attempt=job.attempt, reason=str(error) or "no answer in time")
            await self._come_again(job, error)
        except Exception as error:  # a bug must not take the others with it; an operator sees it here and in the job
            log.exception("job_crashed", job=job.id, kind=job.kind)
            await self._come_again(job, error)

    # ------------------------------------------------------------------------------------------ the kinds
    async def _submit(self, job: Job, *, until_s: float) -> None:
        order, work = await self._look(job)
        if work.request_status is not RequestStatus.UNSUBMITTED:
            return await self._finish(job, await self._no_longer_wanted(job, order, work))
        source = self._source(work)
        # Outside the try: a look-up that is refused says nothing about the work, which may well be there.
        known = await self._earlier(job, work, source)
        if known is None or known.state is RemoteState.REQUESTED:  # not there, or left halfway: asking again finishes it
            try:
                location = await self.network.require(work.location, path=())
                if self.clock.monotonic() > until_s:  # a process that slept wakes up here, and another has asked since
                    raise TimeoutError
                known = await asked(source, order, work, location)
            except Rejected as refusal:
                if known is None:
                    reason = refusal.reason or refusal.detail or "REJECTED"
                    self.readings.doubt(source.name, [line.sku for line in work.lines])
                    return await self._finish(job, TurnDown(order=order.id, work=work.id, reason_code=reason, by=source.name))
        if known.state is RemoteState.REJECTED:
            self.readings.doubt(source.name, [line.sku for line in work.lines])
        return await self._finish(job, observed(order, work, known, source, self.accept_within[source.kind]))

    async def _stop(self, job: Job) -> None:
        order, work = await self._look(job)
        if work.request_status is not RequestStatus.CANCELLATION_REQUESTED:
            return await self._finish(job, await self._no_longer_wanted(job, order, work))
        source = self._source(work)
        remote_ref = work.remote_ref
        if remote_ref is None:
            known = await looked_up(source, work)
            remote_ref = None if known is None else known.ref
        try:
            outcome = CancelOutcome.CANCELED if remote_ref is None else await fulfiller(source).cancel(remote_ref)
        except Rejected:
            outcome = CancelOutcome.REFUSED
        if outcome is CancelOutcome.PENDING:
            raise Transient("the cancellation is pending")
        if outcome in {CancelOutcome.CANCELED, CancelOutcome.PARTIAL}:
            self.readings.doubt(source.name, [line.sku for line in work.lines])
        told = await stopped_at(source, work, remote_ref, outcome)
        if told is not None:
            return await self._finish(job, observed(order, work, told, source))
        command = Stopped(order=order.id, work=work.id, outcome=outcome, remote_ref=remote_ref, by=source.name)
        return await self._finish(job, command)

    async def _route(self, job: Job) -> None:
        order = await self.store.order(OrderId(job.subject))
        if order is None or not order.unrouted:
            return await self._finish(job, Nothing())
        again = Fenced(job=job, then=JobState.READY, after=REROUTE_AFTER)
        unrouted, skus = order.id, {line.sku for line in order.lines}  # all: more of them may come back before it is decided

        plan = await self.waves.plan(order)

        async def reroute_on(landscape: Landscape) -> Order:
            command = Reroute(order=unrouted, landscape=landscape, plan=plan)
            return await self.writer.submit(command, returns=Order, fenced=again)

        routed = await self.routing.decided(skus, reroute_on)
        if not routed.unrouted:
            await self._finish(job, Nothing())
        elif routed.parked_because is not None:
            parked = Fenced(job=job, then=JobState.DEAD, error=routed.parked_because)
            await self.writer.submit(Nothing(), returns=object, fenced=parked)
        return None

    async def _remind(self, job: Job) -> None:
        """A clock that jumps has this happen early or late; whether the location is late is decided by the books."""
        order, work = await self._look(job)
        if work.request_status is not RequestStatus.SUBMITTED or work.submitted_at is None:
            return await self._finish(job, Nothing())
        within, now = self.accept_within[self._source(work).kind], self.clock.now()
        due_at = work.submitted_at + within
        again = Fenced(job=job, then=JobState.READY, after=due_at - now if due_at > now else within)

        async def remind_on(landscape: Landscape) -> Order:
            command = Remind(order=order.id, work=work.id, within=within, landscape=landscape)
            return await self.writer.submit(command, returns=Order, fenced=again)

        reminded = await self.routing.decided({line.sku for line in work.lines}, remind_on)
        if reminded.work(work.id).request_status is not RequestStatus.SUBMITTED:
            await self._finish(job, Nothing())
        return None

    async def _release(self, job: Job) -> None:
        _, work = await self._look(job)
        holder = self._source(work).connector
        if isinstance(holder, Holder) and (held := await holder.find_hold(RequestKey(work.id))) is not None:
            await holder.release(held.ref)
        return await self._finish(job, Nothing())

    # ------------------------------------------------------------------------------------------ what they share
    async def _look(self, job: Job) -> tuple[Order, FulfillmentOrder]:
        work = FulfillmentOrderId(job.subject)
        order_id = await self.store.order_of_work(work)
        order = None if order_id is None else await self.store.order(order_id)
        if order is None:
            raise LookupError(f"job {job.id} is about {work}, which does not exist")
        return order, order.work(work)

    def _source(self, work: FulfillmentOrder) -> Source:
        source = self.sources.get(work.source)
        if source is None:
            raise LookupError(f"{work.source} is not configured any more")
        return source

    async def _earlier(self, job: Job, work: FulfillmentOrder, source: Source) -> RemoteFulfillment | None:
        """What became of earlier attempts. Where nobody can look, a person may have decided to ask once more all the same."""
        decided = job.attempt == AFTER_A_DECISION and work.unanswerable and not can_look_up(source)
        return None if job.attempt == 1 or decided else await looked_up(source, work)

    async def _no_longer_wanted(self, job: Job, order: Order, work: FulfillmentOrder) -> Command[object]:
        """What is left of a job whose work went on without it."""
        if job.attempt == 1 and work.request_status is RequestStatus.CANCELLATION_REQUESTED:  # so its source never heard of it
            return Stopped(order=order.id, work=work.id, outcome=CancelOutcome.CANCELED, by=work.source)
        source = self.sources.get(work.source)
        by_word = work.request_status is RequestStatus.ACCEPTED and work.remote_ref is None
        if not by_word or not work.is_followed or source is None or not can_look_up(source):
            return Nothing()
        known = await looked_up(source, work)
        return Nothing() if known is None else observed(order, work, known, source)

    async def _finish(self, job: Job, command: Command[object]) -> None:
        await self.writer.submit(command, returns=object, fenced=Fenced(job=job))

    async def _come_again(self, job: Job, error: Exception) -> None:
        """Later, with growing patience; after the last attempt a person must look. Should that fail too, the lease runs out."""
        reason = str(error) or "no answer in time"
        wished_s = error.retry_after_s if isinstance(error, Throttled) else None
        given_up = job.kind in self.attempts_max and (job.attempt >= self.attempts_max[job.kind] or isinstance(error, Unsupported))
        after = retry_delay(job.attempt, spread=self.spread(), asked=wished_s)
        fenced = Fenced(job=job, then=JobState.DEAD if given_up else JobState.READY, after=after, error=reason)
        try:
            command = await self._park(job, reason) if given_up else Nothing()
            await self.writer.submit(command, returns=object, fenced=fenced)
        except LostClaim:
            log.info("claim_lost", job=job.id, kind=job.kind)
        except Exception:
            log.exception("job_stuck", job=job.id, kind=job.kind)

    async def _park(self, job: Job, note: str) -> Command[object]:
        order, work = await self._look(job)
        unanswerable = not can_tell(self.sources.get(work.source), work)
        return Park(order=order.id, work=work.id, asked=ASKED[job.kind], note=note, unanswerable=unanswerable, by=work.source)
