"""What people do about work in the graph."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gateway.domain.fulfillments import Package
from gateway.domain.identity import FulfillmentOrderId, OrderId
from gateway.domain.orders import Order
from gateway.domain.refusals import NotFound
from gateway.domain.tasks import JobKind, JobRecord, JobState
from gateway.ports import Execution, Once, Sources, Store, Writer
from gateway.services.fulfillments.said import Accept, Reject, Ship
from gateway.services.fulfillments.stuck import Retry


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfillments:
    """What people at a location, or for them, say; and the work that waits for them."""

    writer: Writer
    store: Store
    sources: Sources

    async def accept(self, work: FulfillmentOrderId, *, expected_version: int | None, by: str, once: Once) -> Order:
        """The location takes the work on."""
        order, dead = await self._order_of(work), await self._dead_jobs(work)
        command = Accept(order=order, work=work, expected_version=expected_version, by=by, dead_jobs=dead)
        return await self.writer.submit(command, returns=Order, once=once)

    async def reject(
        self, work: FulfillmentOrderId, *, expected_version: int | None, reason_code: str, by: str, once: Once
    ) -> Order:
        """The location cannot do the rest of the work. Its source is told to stop first, so that nothing is sent twice.

        Where no source can tell any more what became of it, nobody is told: the word of whoever says so is taken.
        """
        order, dead = await self._order_of(work), await self._dead_jobs(work)
        command = Reject(order=order, work=work, expected_version=expected_version, reason_code=reason_code, by=by, dead_jobs=dead)
        return await self.writer.submit(command, returns=Order, once=once)

    async def ship(
        self, work: FulfillmentOrderId, packages: tuple[Package, ...], *, expected_version: int | None, by: str, once: Once
    ) -> Order:
        """Packages left the location."""
        order, dead = await self._order_of(work), await self._dead_jobs(work)
        found = await self.store.order(order)
        source = None if found is None else self.sources.get(found.work(work).source)
        command = Ship(
            order=order,
            work=work,
            expected_version=expected_version,
            packages=packages,
            execution=Execution.BY_SOURCE if source is None else source.execution,
            by=by,
            dead_jobs=dead,
        )
        return await self.writer.submit(command, returns=Order, once=once)

    async def jobs(self, state: JobState, *, after: str | None, limit: int) -> tuple[JobRecord, ...]:
        """What is to be done, or was given up, oldest first."""
        return await self.store.jobs(state, after=after, limit=limit)

    async def about(self, jobs: Collection[JobRecord]) -> Mapping[JobRecord, OrderId]:
        """The order that each of these jobs is about; a job whose work does not exist is left out."""
        found = {job: OrderId(job.subject) for job in jobs if job.kind is JobKind.ROUTE}
        works = {job: FulfillmentOrderId(job.subject) for job in jobs if job not in found}
        orders = await self.store.orders_of_works(works.values())
        return found | {job: orders[work] for job, work in works.items() if work in orders}

    async def retry(self, job: str, *, by: str, once: Once) -> JobRecord:
        """Try a dead job again; what became of earlier attempts is looked up first, where its source can tell.

        Raises:
            NotFound: There is no such job: it was done, or never was.
            NotAllowedInState: It is not dead.
        """
        found = await self.store.job(job)
        order = None if found is None else (await self.about([found])).get(found)
        command = Retry(job=job, order=order, by=by)
        return await self.writer.submit(command, returns=JobRecord, once=once)

    async def _order_of(self, work: FulfillmentOrderId) -> OrderId:
        order = await self.store.order_of_work(work)
        if order is None:
            raise NotFound(what="fulfillment order", name=work, path=("input", "id"))
        return order

    async def _dead_jobs(self, work: FulfillmentOrderId) -> frozenset[str]:
        return frozenset(job.id for job in await self.store.dead_jobs_of(work))
