"""A person decides where an order comes from."""

from dataclasses import dataclass, replace

from gateway.domain.books import Books
from gateway.domain.fulfillments import FulfillmentAction, FulfillmentOrder, RequestStatus
from gateway.domain.identity import LocationId, OrderId
from gateway.domain.orders import Direction, Order
from gateway.domain.refusals import Invalid, NoCandidate, NotAllowedInState, NotFound
from gateway.domain.tasks import JobState
from gateway.ports import Once, Store, Touches, Writer
from gateway.services.directions import as_directed, served
from gateway.services.fulfillments.elsewhere import Elsewhere
from gateway.services.fulfillments.outcomes import recalled
from gateway.services.network import Network
from gateway.services.orders import check_version
from gateway.services.routing import Landscape, Routing, allocate


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerouting:
    """Manual override: what people say counts for more than policies do. Who, when and why is kept with the order's events."""

    writer: Writer
    store: Store
    routing: Routing
    network: Network

    async def direct(
        self,
        order: OrderId,
        locations: tuple[LocationId, ...],
        *,
        expected_version: int | None,
        reason: str,
        by: str,
        once: Once,
    ) -> Order:
        """Have all of the order that has not left come from these locations.

        Raises:
            NotFound: There is no such order, or no such location.
            Refusal: It cannot come from there; nothing was changed.
        """
        for place, location in enumerate(locations):
            await self.network.require(location, path=("input", "locations", str(place)))
        found = await self.store.order(order)
        if found is None:
            raise NotFound(what="order", name=order, path=("input", "id"))
        dead_jobs = frozenset(job.id for job in await self.store.dead_jobs_of(order))

        async def direct_on(landscape: Landscape) -> Order:
            command = Direct(
                order=order,
                locations=locations,
                expected_version=expected_version,
                reason=reason,
                by=by,
                landscape=landscape,
                dead_jobs=dead_jobs,
            )
            return await self.writer.submit(command, returns=Order, once=once)

        return await self.routing.decided({line.sku for line in found.lines}, direct_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """Have an order come from these locations. ``dead_jobs`` are those that waited for somebody to say so."""

    order: OrderId
    locations: tuple[LocationId, ...]
    expected_version: int | None
    reason: str
    by: str
    landscape: Landscape
    dead_jobs: frozenset[str] = frozenset()

    @property
    def touches(self) -> Touches:
        """The order, our promises on its SKUs, and the days of all locations."""
        skus = self.landscape.made_up(None, None)
        return Touches(orders=frozenset({self.order}), skus=skus, jobs=self.dead_jobs)

    def decide(self, books: Books) -> Order:
        """What has no location gets one now; what another location has not sent is asked back, and comes here once that stopped.

        Raises:
            NotAllowedInState: Nothing of the order is to be sent any more.
            Refusal: The locations cannot send it.
        """
        order = books.order(self.order)
        check_version(self.expected_version, order.version)
        self._check(order)
        said = Direction(locations=self.locations, reason=self.reason, by=self.by, at=books.now)
        now = self._routed(books, replace(order, directed=said, parked_because=None))
        leaving = tuple(work for work in order.fulfillment_orders if self._is_to_leave(work))
        if now.unrouted == order.unrouted and not leaving:
            problem = "Nothing of it is left that could come from there, or all of it does already."
            raise Invalid(problem=problem, path=("input", "locations"))
        elsewhere = Elsewhere(books=books, landscape=as_directed(self.landscape, now))
        now = books.record((now if leaving else served(now)).settled(), event="order.directed", actor=self.by, cause=self.reason)
        for work in leaving:
            if not elsewhere.takes(now, work):
                place = self.landscape.places[work.location]
                raise NoCandidate(why=f"These locations cannot take over what {place.code} has.", path=("input", "locations"))
            now = recalled(books, now, now.work(work.id), self.reason, self.by, event="fulfillment.recalled")
        for job in sorted(self.dead_jobs & books.known_jobs.keys()):
            if books.job(job).state is JobState.DEAD:
                books.retry(books.job(job))
        return now

    def _check(self, order: Order) -> None:
        if not order.supported_actions:
            raise NotAllowedInState(what="order", action="REROUTE", state=order.status.value, supported=())
        if order.pickup_at is not None:
            raise Invalid(problem="A pickup comes from where the customer picks it up.", path=("input", "id"))

    def _routed(self, books: Books, order: Order) -> Order:
        lines = order.unrouted
        if not lines:
            return order
        routed = allocate(books, order, as_directed(self.landscape, order), lines=lines)
        books.demand(order.id, lines, routed=True)
        return routed

    def _is_to_leave(self, work: FulfillmentOrder) -> bool:
        asked_back = work.request_status in {RequestStatus.CANCELLATION_REQUESTED, RequestStatus.NEEDS_REVIEW}
        may_be = FulfillmentAction.REJECT in work.supported_actions and not asked_back
        return work.is_open and may_be and work.location not in self.locations
