"""Between our words and a source's: what it is asked, and what its answer means for us."""

from dataclasses import replace
from datetime import timedelta

from connectors.contract import (
    CancelOutcome,
    ContractBroken,
    Fulfiller,
    FulfillmentRequest,
    Holder,
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
from gateway.ports import Execution, Source
from gateway.services.dispatch.by_hand import ByPeople, OnHold
from gateway.services.fulfillments import Observe


def fulfiller(source: Source) -> Fulfiller:
    """What takes requests for this source: the source itself, or else people, for whom it may set goods aside."""
    connector = source.connector
    if isinstance(connector, Fulfiller):
        return connector
    return OnHold(connector) if isinstance(connector, Holder) else ByPeople()


def can_look_up(source: Source) -> bool:
    """Whether it can be known what became of a request whose answer was lost: the source says it, or nothing was sent at all."""
    by_people = source.execution is Execution.BY_PEOPLE
    return by_people or source.connector.info.idempotency is not Idempotency.NONE


def can_tell(source: Source | None, work: FulfillmentOrder) -> bool:
    """Whether this source can say what became of this work: it has named the request, or can look our key up."""
    if source is None:
        return False
    return work.remote_ref is not None or can_look_up(source)


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


async def stopped_at(
    source: Source, work: FulfillmentOrder, ref: RemoteRef | None, outcome: CancelOutcome
) -> RemoteFulfillment | None:
    """How far a request had come that the source says it stopped, if only in part: what left before does not come back.

    None: it never had it, or did not stop all that goes on.
    """
    if ref is None or outcome not in {CancelOutcome.CANCELED, CancelOutcome.PARTIAL}:
        return None
    for told in await fulfiller(source).status((ref,)):
        if told.state not in {RemoteState.REQUESTED, RemoteState.ACCEPTED}:
            return ours(told, work)
        if outcome is CancelOutcome.CANCELED:  # this answer is from before it stopped
            return ours(replace(told, state=RemoteState.CANCELED), work)
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
