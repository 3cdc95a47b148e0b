"""What is to be done, and what was given up."""

from typing import Final

import strawberry

from gateway.api.context import Info
from gateway.api.describe import described
from gateway.api.enums import JobKind, JobState
from gateway.api.errors import UserError
from gateway.api.identifiers import SEQ_DIGITS_MAX, global_id, opaque, parts_of
from gateway.api.order_pages import PageInfo
from gateway.api.orders import FulfillmentOrder, Order
from gateway.api.scalars import Instant
from gateway.domain import tasks
from gateway.domain.identity import FulfillmentOrderId
from gateway.domain.refusals import Invalid
from gateway.services.fulfillments import Fulfillments

JOBS_DEFAULT: Final = 20
JOBS_MAX: Final = 100


@described
@strawberry.type
class Job:
    """Something that must happen, whatever happens to the gateway. What is done is gone.

    Attributes:
        id: Unique; give it to `jobRetry`.
        kind: What it does.
        state: Whether it is still tried.
        attempt: How often it has been tried.
        run_at: Not before then.
        error: Why it failed the last time.
    """

    id: strawberry.ID
    kind: JobKind
    state: JobState
    attempt: int
    run_at: Instant
    error: str | None
    record: strawberry.Private[tasks.JobRecord]

    @strawberry.field
    async def order(self, info: Info) -> Order | None:
        """The order that it is about."""
        found = await info.context.loaders.order_about(self.record)
        return None if found is None else Order.of(found)

    @strawberry.field
    async def fulfillment_order(self, info: Info) -> FulfillmentOrder | None:
        """The work that it is about; null where it is about an order as a whole."""
        found = await info.context.loaders.order_about(self.record)
        if found is None or self.record.kind is JobKind.ROUTE:
            return None
        return FulfillmentOrder.of(found.work(FulfillmentOrderId(self.record.subject)), Order.of(found), info.context)

    @staticmethod
    def of(job: tasks.JobRecord) -> "Job":
        """The job as the graph shows it."""
        return Job(
            id=global_id("Job", job.id),
            kind=job.kind,
            state=job.state,
            attempt=job.attempt,
            run_at=Instant(job.run_at),
            error=job.error,
            record=job,
        )


@described
@strawberry.type
class JobEdge:
    """A job on a page.

    Attributes:
        cursor: Where it stands.
        node: The job.
    """

    cursor: str
    node: Job


@described
@strawberry.type
class JobConnection:
    """One page of jobs (Relay), forward only: what is done is gone, so that there is nothing to go back to.

    Attributes:
        edges: The jobs with their cursors.
        nodes: The jobs.
        page_info: Where the page stands.
    """

    edges: list[JobEdge]
    nodes: list[Job]
    page_info: PageInfo

    @staticmethod
    async def page(fulfillments: Fulfillments, state: tasks.JobState, first: int | None, after: str | None) -> "JobConnection":
        """Those in that state, from the cursor on.

        Raises:
            Invalid: There is no such page.
        """
        size = JOBS_DEFAULT if first is None else first
        if not 1 <= size <= JOBS_MAX:
            raise Invalid(problem=f"A page has 1 to {JOBS_MAX} jobs.", path=("first",))
        jobs = await fulfillments.jobs(state, after=_position(after), limit=size + 1)
        edges = [JobEdge(cursor=opaque("j", each.id), node=Job.of(each)) for each in jobs[:size]]
        return JobConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo(
                has_next_page=len(jobs) > size,
                has_previous_page=after is not None,
                start_cursor=edges[0].cursor if edges else None,
                end_cursor=edges[-1].cursor if edges else None,
            ),
        )


@described
@strawberry.type
class JobPayload:
    """What became of the request.

    Attributes:
        job: The job; null when it was refused.
        user_errors: Why it was refused; empty when it was not.
    """

    job: Job | None
    user_errors: list[UserError]


def _position(cursor: str | None) -> str | None:
    match None if cursor is None else parts_of(cursor):
        case None:
            return None
        case ("j", job) if job.isascii() and job.isdigit() and len(job) <= SEQ_DIGITS_MAX:
            return job
        case _:
            raise Invalid(problem="This is not a cursor of `jobs`.", path=("after",))
