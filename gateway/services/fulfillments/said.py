"""What people at a location, or for them, say of its work."""

from dataclasses import dataclass, replace

from gateway.domain.books import Books
from gateway.domain.fulfillments import FulfillmentAction, FulfillmentOrder, FulfillmentStep, Package, RequestStatus
from gateway.domain.orders import Order
from gateway.domain.refusals import NotAllowedInState
from gateway.domain.tasks import JobState
from gateway.ports import Execution, Touches
from gateway.services.fulfillments.outcomes import OnWork, recalled, shipped, turned_down
from gateway.services.orders import check_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(OnWork):
    """Somebody says how work stands. ``dead_jobs`` were given up on it: they are over once somebody has said."""

    expected_version: int | None
    by: str
    dead_jobs: frozenset[str] = frozenset()

    @property
    def touches(self) -> Touches:
        """The order, our promises on its SKUs, and what was given up."""
        return Touches(orders=frozenset({self.order}), jobs=self.dead_jobs)

    def _found(self, books: Books) -> tuple[Order, FulfillmentOrder]:
        """The work as it is. A dead job about it looks once more, and finds that it is not called for any longer."""
        order = books.order(self.order)
        work = order.work(self.work)
        check_version(self.expected_version, work.version)
        for job in sorted(self.dead_jobs & books.known_jobs.keys()):
            if books.job(job).state is JobState.DEAD:
                books.retry(books.job(job))
        return order, work


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(Said):
    """Somebody at the location says that they will do it."""

    def decide(self, books: Books) -> Order:
        """The source's own number is only taken to contain it once the source itself says so."""
        order, work = self._found(books)
        accepted = replace(work.after(FulfillmentStep.ACCEPT), note=None, recalled_because=None)
        return books.record(order.with_work(accepted).settled(), event="fulfillment.accepted", actor=self.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject(Said):
    """Somebody at the location says that they cannot."""

    reason_code: str

    def decide(self, books: Books) -> Order:
        """Ask the source to stop; when it has, the units go elsewhere. Where no source can tell, the person's word is taken."""
        order, work = self._found(books)
        if FulfillmentAction.REJECT not in work.supported_actions:
            supported = tuple(action.value for action in work.supported_actions)
            raise NotAllowedInState(what="fulfillment order", action="REJECT", state=work.request_status.value, supported=supported)
        if work.request_status is RequestStatus.NEEDS_REVIEW and work.unanswerable:
            return turned_down(books, order, work, self.reason_code, self.by)
        return recalled(books, order, work, self.reason_code, self.by, event="fulfillment.rejection_requested")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ship(Said):
    """Somebody at the location says that packages left. Of work that only people do, nobody else will say so."""

    packages: tuple[Package, ...]
    execution: Execution = Execution.BY_SOURCE

    def decide(self, books: Books) -> Order:
        """Only what has not left before can leave. A parcel with a number that its source has told already is that parcel."""
        order, work = self._found(books)
        packages = tuple(each for each in self.packages if each.tracking_number is None or each.tracking_number not in work.numbers)
        if not packages:
            return order
        last_word = self.execution is not Execution.BY_SOURCE
        after = shipped(books, order, work, packages, confirmed=last_word)
        if self.execution is Execution.BY_PEOPLE_ON_HOLDS and not after.work(work.id).is_open:
            books.release(work)
        return books.record(after.settled(), event="fulfillment.shipped", actor=self.by)
