"""A database in which nothing differs."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.contract import RemoteFulfillment, RemoteRef, RemoteState, StockDrop
from gateway.domain.fulfillments import FulfillmentOrder
from gateway.domain.invariants import Invariant, Report
from gateway.domain.orders import Order
from gateway.domain.reservations import Reservation
from gateway.services.fulfillments import Observe, TurnDown
from gateway.storage.verification.findings import Findings
from tests.samples import EAST, Desk, hold, place

OF = 100


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a sound database has: orders that the east was asked for, took into its books, and turned down; and two holds."""

    asked: Order
    taken: Order
    lost: Order
    here: Reservation
    anywhere: Reservation


async def filled(on: Desk) -> Kept:
    asked, taken, lost = [await on.writer.submit(place(units, of=OF), returns=Order) for units in (3, 5, 7)]
    await on.writer.submit(observed(taken, RemoteState.ACCEPTED), returns=Order)
    (work_lost,) = lost.fulfillment_orders
    await on.writer.submit(TurnDown(order=lost.id, work=work_lost.id, reason_code="NO", by="warehouse"), returns=Order)
    here = await on.writer.submit(hold(2, of=OF, at=EAST), returns=Reservation)
    anywhere = await on.writer.submit(hold(1, of=OF), returns=Reservation)
    await on.upkeep.sequence_events(limit=100)
    found = await on.store.orders_by_id({asked.id, taken.id, lost.id})
    return Kept(asked=found[asked.id], taken=found[taken.id], lost=found[lost.id], here=here, anywhere=anywhere)


def observed(what: Order, state: RemoteState) -> Observe:
    (todo, *_) = what.fulfillment_orders
    remote = RemoteFulfillment(ref=RemoteRef(f"r-{todo.id}"), key=None, state=state)
    return Observe(order=what.id, work=todo.id, remote=remote, stock_drop=StockDrop.ON_ACCEPT, by=todo.source)


def work_of(what: Order) -> FulfillmentOrder:
    return what.fulfillment_orders[0]


def findings(connection: AsyncConnection) -> Findings:
    return Findings(connection=connection, limit=99, pause_s=0, advance=lambda *_: None)


def told(report: Report) -> set[tuple[Invariant, str]]:
    return {(each.invariant, each.about) for each in report.differences}
