"""Sources that take no requests: people do the work, and say so in the graph. Where goods can be set aside, that comes first."""

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.contract import (
    CancelOutcome,
    FulfillmentRequest,
    Holder,
    HoldRequest,
    RemoteFulfillment,
    RemoteHold,
    RemoteRef,
    RemoteState,
    RequestKey,
)


class ByPeople:
    """Nothing is sent, and so nothing is there: what was asked is what people find in the graph."""

    async def request(self, request: FulfillmentRequest) -> RemoteFulfillment:
        """It waits for somebody to accept it."""
        return RemoteFulfillment(ref=RemoteRef(request.key), key=request.key, state=RemoteState.REQUESTED)

    async def find(self, _key: RequestKey) -> RemoteFulfillment | None:
        """Nothing; asking again does no harm."""
        return None

    async def cancel(self, _ref: RemoteRef) -> CancelOutcome:
        """People see in the graph that it is over."""
        return CancelOutcome.CANCELED

    async def status(self, _refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        """Only people know."""
        return ()


@dataclass(frozen=True, slots=True)
class OnHold:
    """The goods are set aside at the source, which is as good as a yes: nobody else can have them. People do the rest."""

    holder: Holder

    async def request(self, request: FulfillmentRequest) -> RemoteFulfillment:
        """Set all of it aside; a source that cannot turns the work down."""
        return _accepted(await self.holder.hold(HoldRequest(key=request.key, location=request.location, lines=request.lines)))

    async def find(self, key: RequestKey) -> RemoteFulfillment | None:
        """What is set aside."""
        found = await self.holder.find_hold(key)
        return None if found is None else _accepted(found)

    async def cancel(self, ref: RemoteRef) -> CancelOutcome:
        """Give it back."""
        await self.holder.release(ref)
        return CancelOutcome.CANCELED

    async def status(self, _refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        """Only people know."""
        return ()


def _accepted(hold: RemoteHold) -> RemoteFulfillment:
    return RemoteFulfillment(ref=hold.ref, key=hold.key, state=RemoteState.ACCEPTED)
