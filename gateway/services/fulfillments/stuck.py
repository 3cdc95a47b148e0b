"""Work that was given up on, taken up again because a person says so."""

from dataclasses import dataclass, replace

from gateway.domain.books import Books
from gateway.domain.fulfillments import FulfillmentOrder, FulfillmentStep, RequestStatus
from gateway.domain.identity import OrderId
from gateway.domain.orders import Order
from gateway.domain.refusals import NotAllowedInState
from gateway.domain.tasks import JobKind, JobRecord, JobState
from gateway.ports import Touches
from gateway.services.fulfillments.outcomes import is_wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try a dead job again. ``order`` is the one whose work it is about; None: the job is gone, and with it what it was about."""

    job: str
    order: OrderId | None
    by: str

    @property
    def touches(self) -> Touches:
        """The job, and the order."""
        return Touches(orders=frozenset() if self.order is None else frozenset({self.order}), jobs=frozenset({self.job}))

    def decide(self, books: Books) -> JobRecord:
        """Take its work back to where the job can do something. Work that has gone on without it leaves it nothing to do.

        Raises:
            NotFound: There is no such job any more.
            NotAllowedInState: It is not dead.
        """
        job = books.job(self.job)
        if job.state is not JobState.DEAD:
            raise NotAllowedInState(what="job", action="RETRY", state=job.state.value, supported=())
        if self.order is not None:
            self._resume(books, books.order(self.order), job)
        books.retry(job)
        return replace(job, state=JobState.READY, attempt=1, run_at=books.now)

    def _resume(self, books: Books, order: Order, job: JobRecord) -> None:
        for work in order.fulfillment_orders:
            step = _resuming(order, work, job.kind) if work.id == job.subject else None
            if step is not None:
                resumed = replace(work.after(step), note=None)
                event = "fulfillment.resumed"
                books.record(order.with_work(resumed).settled(), event=event, actor=self.by, cause=job.kind.value)


def _resuming(order: Order, work: FulfillmentOrder, kind: JobKind) -> FulfillmentStep | None:
    """What takes the work back to where such a job can do something. None: it is elsewhere by now."""
    if work.request_status is not RequestStatus.NEEDS_REVIEW:
        return None
    wanted = is_wanted(order, work)
    if kind is JobKind.SUBMIT and wanted and work.remote_ref is None:
        return FulfillmentStep.SUBMIT_AGAIN
    return FulfillmentStep.REQUEST_CANCELLATION if kind is JobKind.STOP and not wanted else None
