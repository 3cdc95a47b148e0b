"""What must always be so, looked at from above: our books as they are committed, and the shelves as they really are."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.contract import RequestKey, Sku, StockDrop
from gateway.domain.fulfillments import FulfillmentOrder, RequestStatus, Units, tally
from gateway.domain.identity import OrderId
from gateway.domain.orders import Order, OrderStatus
from gateway.domain.reservations import Reservation, ReservationState
from gateway.domain.stock import NETWORK
from gateway.storage.documents import micros, read
from gateway.storage.verification import examine
from gateway.storage.verification.findings import Findings
from tests.simulation.clients import Crowd, Follower
from tests.simulation.disk import Disk
from tests.simulation.driver import Connection
from tests.simulation.server import Server
from tests.simulation.sources import Place, Request

_DUE: Final = """SELECT kind, subject, attempt, error FROM job WHERE state = 'READY' AND (run_at <= ? OR leased_until > ?)
AND NOT EXISTS (
    SELECT 1 FROM job AS earlier WHERE earlier.lane = job.lane AND earlier.state = 'READY' AND earlier.number < job.number
)"""
"""Jobs that are under way or should be: the first of their lanes."""

SWEPT_WITHIN: Final = timedelta(seconds=45)
ENDED: Final = frozenset({OrderStatus.FULFILLED, OrderStatus.CANCELED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Our books, as they are committed."""

    at: datetime
    orders: Mapping[OrderId, Order]
    holds: Sequence[Reservation]

    @property
    def works(self) -> Iterator[tuple[Order, FulfillmentOrder]]:
        """All work of all orders."""
        for order in self.orders.values():
            for work in order.fulfillment_orders:
                yield order, work


def picture(disk: Disk, at: datetime) -> Picture:
    """Our books as they are now."""
    orders = [read(body, Order) for (body,) in disk.reader.execute("SELECT body FROM customer_order ORDER BY id").fetchall()]
    holds = [read(body, Reservation) for (body,) in disk.reader.execute("SELECT body FROM reservation ORDER BY id").fetchall()]
    return Picture(
        at=at,
        orders={order.id: order for order in orders},
        holds=[each for each in holds if each.state is ReservationState.ACTIVE and each.expires_at > at],
    )


# ---------------------------------------------------------------------------------------------- at any time
def oversold(now: Picture, places: Sequence[Place]) -> Iterator[str]:
    """Promises that cannot be kept. Nobody but us takes anything off these shelves, so there must never be one."""
    wanted: dict[Sku, int] = defaultdict(int)
    there: dict[Sku, int] = defaultdict(int)
    for place in places:
        owed = _owed_at(now, place)
        for sku, units in place.stock.items():
            there[sku] += units
            wanted[sku] += owed[sku]
            if owed[sku] > units:
                yield f"oversold: {owed[sku]} of {sku} promised at {place.name}, which has {units}"
    for line in _anywhere(now):
        wanted[line.sku] += line.units
    back = _put_back(now, places)
    for sku, units in wanted.items():
        if units > there[sku] + back[sku]:
            yield f"oversold: {units} of {sku} promised in all, and there are {there[sku]}"


def _owed_at(now: Picture, place: Place) -> Counter[Sku]:
    """Units that are to leave there or are kept there."""
    owed: Counter[Sku] = Counter()
    known: dict[RequestKey, Request] = {}
    for request in place.requests.values():
        known[request.key] = request
        if request.is_open:
            owed.update(request.rest)
    for _, work in now.works:
        if work.source == place.name and work.is_open and RequestKey(work.id) not in known:
            owed.update(tally(work.remaining))
    for hold in now.holds:
        owed.update(tally(Units(sku=line.sku, units=line.units) for line in hold.lines if line.location == f"{place.name}:1"))
    return owed


def _anywhere(now: Picture) -> Iterator[Units]:
    """Units that are kept, or owed, wherever they are to come from."""
    for hold in now.holds:
        yield from (Units(sku=line.sku, units=line.units) for line in hold.lines if line.location == NETWORK)
    for order in now.orders.values():
        yield from order.unrouted


def _put_back(now: Picture, places: Sequence[Place]) -> Counter[Sku]:
    """Units that a place put back on its shelf although their order still wants them.

    It shows them at once and we hear of it later: another customer may rightly have bought them in between.
    """
    back: Counter[Sku] = Counter()
    owners = {RequestKey(work.id): order for order, work in now.works}
    for place in places:
        if place.drop is StockDrop.ON_ACCEPT:
            for key, units in place.given_up.items():
                if key in owners and owners[key].cancellation is None:
                    back.update(units)
    return back


# ---------------------------------------------------------------------------------------------- at the end
def unrest(now: Picture, disk: Disk, followers: Sequence[Follower]) -> Iterator[str]:
    """What is still to happen."""
    for order in now.orders.values():
        going_on = [work for work in order.fulfillment_orders if work.is_open]
        waiting = [work for work in going_on if work.request_status is RequestStatus.NEEDS_REVIEW]
        if len(waiting) < len(going_on) or (not waiting and order.status not in ENDED and not order.backordered):
            yield f"{order.id} is {order.status} and {[work.request_status.value for work in order.fulfillment_orders]}"
        yield from (f"{work.id} waits for review and does not say why" for work in waiting if not work.note)
    for kind, subject, attempt, error in disk.reader.execute(_DUE, (micros(now.at), micros(now.at))).fetchall():
        yield f"job {kind} of {subject} is due, attempt {attempt}: {error}"
    over = "SELECT id FROM reservation WHERE state = 'ACTIVE' AND expires_at < ?"
    for (hold,) in disk.reader.execute(over, (micros(now.at - SWEPT_WITHIN),)).fetchall():
        yield f"hold {hold} is over, and nobody has noticed"
    numbered, events = disk.reader.execute("SELECT count(seq), count(*) FROM event").fetchone()
    if numbered != events:
        yield f"{events - numbered} of {events} events have no number"
    yield from (f"{each.name} is at {each.position} of {events}" for each in followers if each.position != events)


async def wrong(now: Picture, server: Server, places: Sequence[Place], crowd: Crowd) -> list[str]:
    """What is wrong when all is over: all that ``dom verify`` finds, and what only somebody can know who sees all sides."""
    seen = [*_lost_or_doubled(now, crowd), *_not_as_sent(now, places)]  # at once: places go on while the rest is examined
    connection = cast("AsyncConnection", Connection(server, None))
    findings = Findings(connection=connection, limit=10, pause_s=0.0, advance=lambda _what, _done, _of: None)
    report = await examine(findings, now=now.at, monotonic=asyncio.get_running_loop().time)
    return [*map(str, report.differences), *seen]


def _lost_or_doubled(now: Picture, crowd: Crowd) -> Iterator[str]:
    """Whoever was told that he has an order has it, and one only."""
    for key, order in crowd.promised.items():
        if order not in now.orders:
            yield f"{order} was promised for {key} and is not there"
    for name, count in Counter(order.to.name for order in now.orders.values()).items():
        if count > 1:
            yield f"{count} orders were placed for {name}"
    for order in crowd.called_off:
        if order in now.orders and now.orders[order].cancellation is None:
            yield f"{order} was called off and does not know of it"


def _not_as_sent(now: Picture, places: Sequence[Place]) -> Iterator[str]:
    """What we say that left is what left; no place has work that we have given up."""
    requests = {request.key: (place, request) for place in places for request in place.requests.values()}
    for _, work in now.works:
        found = requests.pop(RequestKey(work.id), None)
        sent = {} if found is None else {sku: units for sku, units in found[1].sent.items() if units}
        if work.request_status is not RequestStatus.NEEDS_REVIEW and sent != work.shipped:
            yield f"{work.source} sent {sent} for {work.id}, and we say {work.shipped}"
        if found is not None and found[1].is_open and not work.is_open:
            yield f"{work.source} still works on {work.id}, which is {work.status}"
    yield from (f"{place.name} has {key}, which is nobody's" for key, (place, _) in requests.items())
