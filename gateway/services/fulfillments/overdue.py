"""Work that its location has not accepted in time."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from gateway.domain.books import Books
from gateway.domain.fulfillments import FulfillmentOrder, RequestStatus
from gateway.domain.orders import Order
from gateway.domain.tasks import JobKind, NewJob
from gateway.ports import Touches
from gateway.services.fulfillments.elsewhere import Elsewhere
from gateway.services.fulfillments.outcomes import OnWork, recalled
from gateway.services.routing import Landscape

NOT_ACCEPTED_IN_TIME: Final = "NOT_ACCEPTED_IN_TIME"
GATEWAY: Final = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind(OnWork):
    """A location should have accepted by now."""

    within: timedelta
    landscape: Landscape

    @property
    def touches(self) -> Touches:
        """The order, our promises on its SKUs, and the days of other locations that have limits."""
        return Touches(orders=frozenset({self.order}), skus=self.landscape.made_up(None, None))

    def decide(self, books: Books) -> Order:
        """Take the work back, if it really is late and somebody else can do it; else only say, once, that it is late.

        Whether it is late is told by the instants in the books, whenever and however often this is asked.
        """
        order = books.order(self.order)
        work = order.work(self.work)
        if not is_overdue(books, work, self.within):
            return order
        if Elsewhere(books=books, landscape=self.landscape).takes(order, work):
            return recalled(books, order, work, NOT_ACCEPTED_IN_TIME, GATEWAY, event="fulfillment.recalled")
        if work.note == NOT_ACCEPTED_IN_TIME:
            return order
        late = replace(work, note=NOT_ACCEPTED_IN_TIME, version=work.version + 1)
        event = "fulfillment.overdue"
        return books.record(order.with_work(late).settled(), event=event, actor=GATEWAY, cause=NOT_ACCEPTED_IN_TIME)


def is_overdue(books: Books, work: FulfillmentOrder, within: timedelta) -> bool:
    """Whether the location has been asked, has not answered, and has had that long to."""
    asked_at = work.submitted_at
    return work.request_status is RequestStatus.SUBMITTED and asked_at is not None and books.now >= asked_at + within


def remind(books: Books, work: FulfillmentOrder, within: timedelta) -> None:
    """See to it that it is noticed if the location does not accept in time. Has a lane of its own: it holds up nothing."""
    if work.request_status is RequestStatus.SUBMITTED:
        lane = f"due:{work.id}"
        books.jobs.append(NewJob(kind=JobKind.REMIND, subject=work.id, lane=lane, run_at=books.now + within))
