"""Work that must happen: asking sources to do it, to stop it, and finding locations for what has none.

A job is written in the transaction that calls for it and is done when the transaction that records its outcome says so. A crash in
between leads to another attempt, which first looks up what became of the one before.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

import structlog

from connectors.contract import (
    CancelOutcome,
    Fulfiller,
    FulfillmentRequest,
    Idempotency,
    Rejected,
    RemoteFulfillment,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    SourceError,
    StockDrop,
    Throttled,
    Unsupported,
)
from gateway.domain.books import Books
from gateway.domain.fulfillments import FulfillmentOrder, RequestStatus
from gateway.domain.identity import FulfillmentOrderId, OrderId
from gateway.domain.orders import Order
from gateway.domain.tasks import Job, JobKind, JobState, retry_delay
from gateway.ports import Clock, Command, Fenced, LostClaim, Source, Sources, Store, Touches, Upkeep, Writer
from gateway.services.bells import rung
from gateway.services.fulfillments import Observe, Park, Stopped, TurnDown, shows_what_left
from gateway.services.network import Network
from gateway.services.orders import Reroute
from gateway.services.readings import Readings
from gateway.services.routing import Landscape, Routing

R = TypeVar("R")

log = structlog.get_logger(__name__)

JOB_DEADLINE_S: Final = 45.0
LEASE_S: Final = 60.0
ATTEMPTS_MAX: Final = 12
REROUTE_AFTER: Final = timedelta(seconds=30)
ASK_AGAIN_AFTER: Final = timedelta(seconds=5)


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

    ``spread`` gives numbers in [0.5, 1], so that retries of many do not come together.
    """

    store: Store
    upkeep: Upkeep
    writer: Writer
    sources: Sources
    network: Network
    readings: Readings
    routing: Routing
    clock: Clock
    spread: Callable[[], float]
    bell: asyncio.Event
    concurrency_max: int
    poll_s: float

    async def run(self) -> None:
        """Do jobs until canceled."""
        running: set[asyncio.Task[None]] = set()

        def ended(task: asyncio.Task[None]) -> None:
            running.discard(task)
            self.bell.set()

        async with asyncio.TaskGroup() as tasks:
            while True:
                self.bell.clear()
                jobs = await self._claim(self.concurrency_max - len(running))
                for job in jobs:
                    task = tasks.create_task(self._do(job))
                    running.add(task)
                    task.add_done_callback(ended)
                if not jobs:
                    await rung(self.bell, self.poll_s)

    async def _claim(self, limit: int) -> tuple[Job, ...]:
        if limit < 1:
            return ()
        try:
            return await self.upkeep.claim_jobs(limit=limit, lease_s=LEASE_S)
        except Exception:  # the database is away: it comes back, or the operator does
            log.exception("jobs_unreachable")
            return ()

    async def _do(self, job: Job) -> None:
        """One job, whatever happens: it ends, or it comes again."""
        handlers: Mapping[JobKind, Callable[[Job], Awaitable[None]]] = {
            JobKind.SUBMIT: self._submit,
            JobKind.STOP: self._stop,
            JobKind.ROUTE: self._route,
        }
        try:
            async with asyncio.timeout(JOB_DEADLINE_S):
                await handlers[job.kind](job)
        except LostClaim:
            log.info("claim_lost", job=job.id, kind=job.kind)
        except (SourceError, TimeoutError) as error:
            log.warning("job_failed", job=job.id, kind=job.kind, attempt=job.attempt, reason=str(error) or "no answer in time")
            await self._come_again(job, error)
        except Exception as error:  # a bug must not take the others with it; an operator sees it here and in the job
            log.exception("job_crashed", job=job.id, kind=job.kind)
            await self._come_again(job, error)

    # ------------------------------------------------------------------------------------------ the three kinds
    async def _submit(self, job: Job) -> None:
        order, work = await self._look(job)
        if work.request_status is not RequestStatus.UNSUBMITTED:
            return await self._finish(job, Nothing())
        source = self.sources[work.source]
        fulfiller = _fulfiller(source)
        key = RequestKey(work.id)
        # Outside the try: a look-up that is refused says nothing about the work, which may well be there.
        known = await self._known(source, key) if job.attempt > 1 else None
        if known is None or known.state is RemoteState.REQUESTED:  # not there, or left halfway: asking again finishes it
            try:
                known = await fulfiller.request(self._request(order, work))
            except Rejected as refusal:
                if known is None:
                    reason = refusal.reason or refusal.detail or "REJECTED"
                    self.readings.doubt(source.name, [line.sku for line in work.lines])
                    return await self._finish(job, TurnDown(order=order.id, work=work.id, reason_code=reason, by=source.name))
        if known.state is RemoteState.REJECTED:
            self.readings.doubt(source.name, [line.sku for line in work.lines])
        return await self._finish(job, _observed(order, work, known, source))

    async def _stop(self, job: Job) -> None:
        order, work = await self._look(job)
        if work.request_status is not RequestStatus.CANCELLATION_REQUESTED:
            return await self._finish(job, Nothing())
        source = self.sources[work.source]
        fulfiller = _fulfiller(source)
        remote_ref = work.remote_ref
        if remote_ref is None:
            known = await self._known(source, RequestKey(work.id))
            remote_ref = None if known is None else known.ref
        try:
            outcome = CancelOutcome.CANCELED if remote_ref is None else await fulfiller.cancel(remote_ref)
        except Rejected:
            outcome = CancelOutcome.REFUSED
        if outcome is CancelOutcome.PENDING:
            later = Fenced(job=job, then=JobState.READY, run_at=self.clock.now() + ASK_AGAIN_AFTER, attempts=1)
            return await self.writer.submit(Nothing(), returns=type(None), fenced=later)
        return await self._finish(job, Stopped(order=order.id, work=work.id, outcome=outcome, by=source.name))

    async def _route(self, job: Job) -> None:
        order = await self.store.order(OrderId(job.subject))
        if order is None or not order.unrouted:
            return await self._finish(job, Nothing())
        again = Fenced(job=job, then=JobState.READY, run_at=self.clock.now() + REROUTE_AFTER)
        unrouted = order.id

        async def reroute_on(landscape: Landscape) -> Order:
            return await self.writer.submit(Reroute(order=unrouted, landscape=landscape), returns=Order, fenced=again)

        routed = await self.routing.decided({line.sku for line in order.unrouted}, reroute_on)
        if not routed.unrouted:
            await self._finish(job, Nothing())
        return None

    # ------------------------------------------------------------------------------------------ what they share
    async def _look(self, job: Job) -> tuple[Order, FulfillmentOrder]:
        work = FulfillmentOrderId(job.subject)
        order_id = await self.store.order_of_work(work)
        order = None if order_id is None else await self.store.order(order_id)
        if order is None:
            raise LookupError(f"job {job.id} is about {work}, which does not exist")
        return order, order.work(work)

    async def _known(self, source: Source, key: RequestKey) -> RemoteFulfillment | None:
        if source.connector.info.idempotency is Idempotency.NONE:
            raise Unsupported("an earlier attempt may have had an effect, and this source cannot look it up")
        return await _fulfiller(source).find(key)

    async def _finish(self, job: Job, command: Command[object]) -> None:
        await self.writer.submit(command, returns=object, fenced=Fenced(job=job))

    async def _come_again(self, job: Job, error: Exception) -> None:
        """Later, with growing patience; after the last attempt a person must look. Should that fail too, the lease runs out."""
        reason = str(error) or "no answer in time"
        asked = error.retry_after_s if isinstance(error, Throttled) else None
        given_up = job.kind is not JobKind.ROUTE and (job.attempt >= ATTEMPTS_MAX or isinstance(error, Unsupported))
        run_at = self.clock.now() + retry_delay(job.attempt, spread=self.spread(), asked=asked)
        fenced = Fenced(job=job, then=JobState.DEAD if given_up else JobState.READY, run_at=run_at, error=reason)
        try:
            if given_up:
                order, work = await self._look(job)
                command: Command[object] = Park(order=order.id, work=work.id, note=reason, by=work.source)
            else:
                command = Nothing()
            await self.writer.submit(command, returns=object, fenced=fenced)
        except LostClaim:
            log.info("claim_lost", job=job.id, kind=job.kind)
        except Exception:
            log.exception("job_stuck", job=job.id, kind=job.kind)

    def _request(self, order: Order, work: FulfillmentOrder) -> FulfillmentRequest:
        location = self.network.get(work.location)
        if location is None:
            raise LookupError(f"{work.location} is not known any more")
        return FulfillmentRequest(
            key=RequestKey(work.id),
            location=location.remote_id,
            lines=tuple(RequestLine(sku=line.sku, units=line.units) for line in work.lines),
            recipient=order.to,
            method=work.method,
            order_number=order.number,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """Asks sources how their open requests stand: every ``poll_s``, ``page_size`` at a time; sooner when a webhook says so."""

    store: Store
    writer: Writer
    sources: Sources
    readings: Readings
    poll_s: float
    page_size: int

    async def run(self) -> None:
        """Ask until canceled. A source that is slow or dead holds up no other."""
        async with asyncio.TaskGroup() as tasks:
            for source in self.sources.values():
                if isinstance(source.connector, Fulfiller):
                    tasks.create_task(self._follow(source))

    async def _follow(self, source: Source) -> None:
        while True:
            await asyncio.sleep(self.poll_s)
            try:
                await self.catch_up(source)
            except SourceError as error:
                log.warning("status_unknown", source=source.name, reason=str(error))
            except Exception:  # a bug in one source's answers must not stop the others
                log.exception("tracking_crashed", source=source.name)

    async def catch_up(self, source: Source) -> None:
        """Ask once about everything that this source has open."""
        after: FulfillmentOrderId | None = None
        while open_work := await self.store.open_work(source.name, after=after, limit=self.page_size):
            works = {each.remote_ref: each for each in open_work}
            told = await _fulfiller(source).status(tuple(works))
            orders = await self.store.orders_by_id({each.order for each in open_work})
            for remote in told:
                known = works.get(remote.ref)
                if known is not None and known.order in orders:
                    order = orders[known.order]
                    await self._note(order, order.work(known.work), remote, source)
            after = open_work[-1].work

    async def look_at(self, source: Source, refs: tuple[RemoteRef, ...]) -> None:
        """Ask about these requests now."""
        for ref in refs:
            known = await self.store.work_by_ref(source.name, ref)
            order = None if known is None else await self.store.order(known.order)
            if known is not None and order is not None:
                for remote in await _fulfiller(source).status((known.remote_ref,)):
                    await self._note(order, order.work(known.work), remote, source)

    async def _note(self, order: Order, work: FulfillmentOrder, remote: RemoteFulfillment, source: Source) -> None:
        if is_news(work, remote, source):
            if remote.state is RemoteState.REJECTED:
                self.readings.doubt(source.name, [line.sku for line in work.lines])
            await self.writer.submit(_observed(order, work, remote, source), returns=Order)


def is_news(work: FulfillmentOrder, remote: RemoteFulfillment, source: Source) -> bool:
    """Whether the source says something that we did not know; deciding it again would change nothing, but cost a transaction."""
    stock_drop = source.connector.info.stock_drop
    if not work.is_open:
        return bool(work.unconfirmed) and shows_what_left(remote, stock_drop)
    if remote.short and remote.state in {RemoteState.REQUESTED, RemoteState.ACCEPTED}:
        return work.request_status is not RequestStatus.NEEDS_REVIEW
    if remote.state is RemoteState.ACCEPTED:
        known = {package.tracking_number for shipment in work.shipments for package in shipment.packages}
        more = any(package.lines and package.tracking_number not in known for package in remote.packages)
        uncounted = stock_drop is StockDrop.ON_ACCEPT and not work.in_source_books
        return more or uncounted or work.request_status is RequestStatus.SUBMITTED
    return remote.state is not RemoteState.REQUESTED


def _observed(order: Order, work: FulfillmentOrder, remote: RemoteFulfillment, source: Source) -> Observe:
    return Observe(order=order.id, work=work.id, remote=remote, stock_drop=source.connector.info.stock_drop, by=source.name)


def _fulfiller(source: Source) -> Fulfiller:
    if not isinstance(source.connector, Fulfiller):
        raise Unsupported(f"{source.name} takes no requests")
    return source.connector
