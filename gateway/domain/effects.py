"""What a source must know of work that it was asked to do, held against what it says."""

from typing import Final

from connectors.contract import RemoteFulfillment, RemoteState
from gateway.domain.fulfillments import FulfillmentOrder, FulfillmentStatus, RequestStatus
from gateway.domain.invariants import Difference, Invariant

_GIVEN_UP: Final = frozenset({RemoteState.REJECTED, RemoteState.CANCELED})


def may_have_an_effect(work: FulfillmentOrder) -> bool:
    """Whether its source was asked, as far as we know: only then must it know of it, or know nothing any more."""
    return work.remote_ref is not None or not work.is_open


def effect_astray(work: FulfillmentOrder, remote: RemoteFulfillment | None) -> Difference | None:
    """What does not go together. ``remote`` None: the source surely has no such request.

    A source may be ahead of what we have heard of it; it is never behind.
    """
    if remote is None:
        if work.remote_ref is None or work.status in {FulfillmentStatus.CANCELED, FulfillmentStatus.INCOMPLETE}:
            return None
        return _astray(work, f"request {work.remote_ref}", "none", "Its source does not know of it.")
    if work.remote_ref is not None and remote.ref != work.remote_ref:
        says = "Its source knows another request under its key: it may be done twice."
        return _astray(work, f"request {work.remote_ref}", f"request {remote.ref}", says)
    asked = sum(line.units for line in work.lines)
    left = sum(line.units for package in remote.packages for line in package.lines)
    if left > asked:
        return _astray(work, f"at most {asked} units", f"{left}", "More left than was asked for.")
    if work.is_open:
        return None
    return _over_and_yet(work, remote)


def _over_and_yet(work: FulfillmentOrder, remote: RemoteFulfillment) -> Difference | None:
    if work.status is FulfillmentStatus.CLOSED:
        if work.unconfirmed or work.request_status is RequestStatus.NEEDS_REVIEW or remote.state is RemoteState.SHIPPED:
            return None
        return _astray(work, RemoteState.SHIPPED, remote.state, "By our books all of it left.")
    may_have_sent = bool(work.shipments) and remote.state is RemoteState.SHIPPED
    if remote.state in _GIVEN_UP or may_have_sent:
        return None
    return _astray(work, "REJECTED or CANCELED", remote.state, "By our books it was given up, and its units went elsewhere.")


def _astray(work: FulfillmentOrder, expected: str, found: str, says: str) -> Difference:
    return Difference(invariant=Invariant.EFFECTS, about=work.id, expected=expected, found=found, says=says)
