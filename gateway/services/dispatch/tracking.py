"""Asking sources how their open requests stand."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from connectors.contract import Fulfiller, RemoteFulfillment, RemoteRef, RemoteState, SourceError, StockDrop
from gateway.domain.fulfillments import FulfillmentOrder, RequestStatus
from gateway.domain.identity import FulfillmentOrderId, SourceName
from gateway.domain.orders import Order
from gateway.ports import OpenWork, Source, Sources, Store, Writer
from gateway.services.dispatch.requests import fulfiller, observed
from gateway.services.fulfillments import may_be_accepted, new_packages, shows_what_left
from gateway.services.readings import Readings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """Asks sources how their open requests stand: every ``poll_s``, ``page_size`` at a time; sooner when a webhook says so.

    A source that has more open than ``pages_max`` such pages is asked about the others the next time, and so on around.
    """

    store: Store
    writer: Writer
    sources: Sources
    readings: Readings
    poll_s: float
    page_size: int
    pages_max: int
    _asked_to: dict[SourceName, FulfillmentOrderId | None] = field(default_factory=dict)

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
        """Ask once about everything that this source has open, or about as much of it as is asked at a time."""
        for _ in range(self.pages_max):
            open_work = await self.store.open_work(source.name, after=self._asked_to.get(source.name), limit=self.page_size)
            # Noted before: where asking about one of them fails, the others have their turn.
            self._asked_to[source.name] = open_work[-1].work if len(open_work) == self.page_size else None
            await self.ask(source, open_work)
            if len(open_work) < self.page_size:
                break

    async def ask(self, source: Source, works: Sequence[OpenWork]) -> None:
        """Ask about these now, all at once, and note what is news."""
        open_work = {each.remote_ref: each for each in works}
        told = await fulfiller(source).status(tuple(open_work)) if works else ()
        orders = await self.store.orders_by_id({each.order for each in works})
        for remote in told:
            known = open_work.get(remote.ref)
            if known is not None and known.order in orders:
                order = orders[known.order]
                await self._note(order, order.work(known.work), remote, source)

    async def look_at(self, source: Source, refs: tuple[RemoteRef, ...]) -> None:
        """Ask about these requests now."""
        for ref in refs:
            known = await self.store.work_by_ref(source.name, ref)
            if known is not None:
                await self.ask(source, (known,))

    async def _note(self, order: Order, work: FulfillmentOrder, remote: RemoteFulfillment, source: Source) -> None:
        if is_news(order, work, remote, source):
            if remote.state in {RemoteState.REJECTED, RemoteState.CANCELED}:
                self.readings.doubt(source.name, [line.sku for line in work.lines])
            await self.writer.submit(observed(order, work, remote, source), returns=Order)


def is_news(order: Order, work: FulfillmentOrder, remote: RemoteFulfillment, source: Source) -> bool:
    """Whether the source says something that we did not know; deciding it again would change nothing, but cost a transaction."""
    stock_drop = source.connector.info.stock_drop
    if not work.is_open:
        return bool(work.unconfirmed) and shows_what_left(remote, stock_drop)
    if remote.short and remote.state in {RemoteState.REQUESTED, RemoteState.ACCEPTED}:
        return work.request_status is not RequestStatus.NEEDS_REVIEW
    if remote.state is RemoteState.ACCEPTED:
        more = bool(new_packages(work, remote.packages, complete=False))
        uncounted = stock_drop is StockDrop.ON_ACCEPT and not work.in_source_books
        return more or uncounted or may_be_accepted(order, work)
    return remote.state is not RemoteState.REQUESTED
