"""Between our words and a source's: what it is asked, and what its answer means for us."""

from dataclasses import replace
from datetime import timedelta

from connectors.contract import (
    ContractBroken,
    Fulfiller,
    FulfillmentRequest,
    Idempotency,
    RemoteFulfillment,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    Unsupported,
)
from gateway.domain.fulfillments import FulfillmentOrder
from gateway.domain.locations import Location
from gateway.domain.orders import Order
from gateway.ports import Source
from gateway.services.fulfillments import Observe


def fulfiller(source: Source) -> Fulfiller:
    """What takes requests for this source.

    Raises:
        Unsupported: It takes none.
    """
    if not isinstance(source.connector, Fulfiller):
        raise Unsupported(f"{source.name} takes no requests")
    return source.connector


def can_look_up(source: Source) -> bool:
    """Whether this source can say what became of a request whose answer was lost."""
    return source.connector.info.idempotency is not Idempotency.NONE


async def asked(source: Source, order: Order, work: FulfillmentOrder, at: Location) -> RemoteFulfillment:
    """What the source answers to our request."""
    request = FulfillmentRequest(
        key=RequestKey(work.id),
        location=at.remote_id,
        lines=tuple(RequestLine(sku=line.sku, units=line.units) for line in work.lines),
        recipient=order.to,
        method=work.method,
        order_number=order.number,
    )
    return ours(await fulfiller(source).request(request), work)


async def looked_up(source: Source, work: FulfillmentOrder) -> RemoteFulfillment | None:
    """What the source knows under our key. None: nothing, surely.

    Raises:
        Unsupported: It cannot look that up, so that nobody but a person can know.
    """
    if not can_look_up(source):
        raise Unsupported("an earlier attempt may have had an effect, and this source cannot look it up")
    found = await fulfiller(source).find(RequestKey(work.id))
    return None if found is None else ours(found, work)


async def stopped_at(source: Source, work: FulfillmentOrder, ref: RemoteRef | None) -> RemoteFulfillment | None:
    """How far a request had come that the source says it stopped: what left before does not come back. None: it never had it."""
    for told in () if ref is None else await fulfiller(source).status((ref,)):
        is_going_on = told.state in {RemoteState.REQUESTED, RemoteState.ACCEPTED}  # an answer from before it stopped
        return ours(replace(told, state=RemoteState.CANCELED) if is_going_on else told, work)
    return None


def ours(remote: RemoteFulfillment, work: FulfillmentOrder) -> RemoteFulfillment:
    """The answer, if it is about this work.

    Raises:
        ContractBroken: It is about something else: to follow that would be to ship somebody else's order.
    """
    if remote.key is not None and remote.key != RequestKey(work.id):
        raise ContractBroken(f"asked about {work.id}, it answered about {remote.key}")
    return remote


def observed(
    order: Order, work: FulfillmentOrder, remote: RemoteFulfillment, source: Source, accept_within: timedelta | None = None
) -> Observe:
    """The command that notes what the source says."""
    return Observe(
        order=order.id,
        work=work.id,
        remote=remote,
        stock_drop=source.connector.info.stock_drop,
        by=source.name,
        accept_within=accept_within,
    )
