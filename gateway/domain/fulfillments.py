"""Work for one location, and its life: two axes, one table.

``FulfillmentStatus`` says how the work stands, ``RequestStatus`` how far the handshake with the location has come. A pair and an
action that are not in ``TRANSITIONS`` do not go together; ``supportedActions`` in the graph is read off the same table.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from connectors.contract import Method, RemoteRef, Sku
from gateway.domain.identity import FulfillmentOrderId, LocationId, SourceName
from gateway.domain.refusals import NotAllowedInState


class FulfillmentStatus(StrEnum):
    """How the work stands.

    Attributes:
        OPEN: Nobody works on it yet.
        IN_PROGRESS: The location works on it.
        INCOMPLETE: The location could not do all of it; the rest went elsewhere.
        CLOSED: All of it left.
        CANCELED: It was stopped because the order was canceled.
    """

    OPEN = "OPEN"
    IN_PROGRESS = "IN_PROGRESS"
    INCOMPLETE = "INCOMPLETE"
    CLOSED = "CLOSED"
    CANCELED = "CANCELED"


class RequestStatus(StrEnum):
    """How far the handshake with the location has come.

    Attributes:
        UNSUBMITTED: The location has not been asked yet.
        SUBMITTED: The location has been asked and has not answered.
        ACCEPTED: The location does it.
        REJECTED: The location does not do it.
        CANCELLATION_REQUESTED: The location has been asked to stop.
        CANCELLATION_ACCEPTED: The location stopped.
        CANCELLATION_REJECTED: The location could not stop any more.
        NEEDS_REVIEW: Nobody but a person can find out what happened.
    """

    UNSUBMITTED = "UNSUBMITTED"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    CANCELLATION_REQUESTED = "CANCELLATION_REQUESTED"
    CANCELLATION_ACCEPTED = "CANCELLATION_ACCEPTED"
    CANCELLATION_REJECTED = "CANCELLATION_REJECTED"
    NEEDS_REVIEW = "NEEDS_REVIEW"


class FulfillmentStep(StrEnum):
    """What can happen to a fulfillment order."""

    SUBMIT = "SUBMIT"
    SUBMIT_AGAIN = "SUBMIT_AGAIN"
    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    SHIP_PART = "SHIP_PART"
    SHIP_REST = "SHIP_REST"
    REQUEST_CANCELLATION = "REQUEST_CANCELLATION"
    CONFIRM_CANCELLATION = "CONFIRM_CANCELLATION"
    REFUSE_CANCELLATION = "REFUSE_CANCELLATION"
    PARK = "PARK"


State = tuple[FulfillmentStatus, RequestStatus]

_OPEN, _BUSY = FulfillmentStatus.OPEN, FulfillmentStatus.IN_PROGRESS
_REFUSED: State = (FulfillmentStatus.INCOMPLETE, RequestStatus.REJECTED)
_ACCEPTED: State = (_BUSY, RequestStatus.ACCEPTED)
_SHIPPED: State = (FulfillmentStatus.CLOSED, RequestStatus.ACCEPTED)


def _at_work(status: FulfillmentStatus, request: RequestStatus) -> dict[tuple[State, FulfillmentStep], State]:
    """What a location that has the request may do with it, and what may be asked of it."""
    state = (status, request)
    return {
        (state, FulfillmentStep.REJECT): _REFUSED,
        (state, FulfillmentStep.SHIP_PART): _ACCEPTED,
        (state, FulfillmentStep.SHIP_REST): _SHIPPED,
        (state, FulfillmentStep.REQUEST_CANCELLATION): (status, RequestStatus.CANCELLATION_REQUESTED),
        (state, FulfillmentStep.PARK): (status, RequestStatus.NEEDS_REVIEW),
    }


def _being_canceled(status: FulfillmentStatus) -> dict[tuple[State, FulfillmentStep], State]:
    """A location that was asked to stop may still have been quicker."""
    state = (status, RequestStatus.CANCELLATION_REQUESTED)
    return {
        (state, FulfillmentStep.CONFIRM_CANCELLATION): (FulfillmentStatus.CANCELED, RequestStatus.CANCELLATION_ACCEPTED),
        (state, FulfillmentStep.REFUSE_CANCELLATION): (status, RequestStatus.CANCELLATION_REJECTED),
        (state, FulfillmentStep.REJECT): _REFUSED,
        (state, FulfillmentStep.SHIP_PART): (_BUSY, RequestStatus.CANCELLATION_REQUESTED),
        (state, FulfillmentStep.SHIP_REST): (FulfillmentStatus.CLOSED, RequestStatus.CANCELLATION_REJECTED),
        (state, FulfillmentStep.PARK): (status, RequestStatus.NEEDS_REVIEW),
    }


_UNSUBMITTED: State = (_OPEN, RequestStatus.UNSUBMITTED)

TRANSITIONS: Final[Mapping[tuple[State, FulfillmentStep], State]] = {
    (_UNSUBMITTED, FulfillmentStep.SUBMIT): (_OPEN, RequestStatus.SUBMITTED),
    (_UNSUBMITTED, FulfillmentStep.REJECT): _REFUSED,
    (_UNSUBMITTED, FulfillmentStep.REQUEST_CANCELLATION): (_OPEN, RequestStatus.CANCELLATION_REQUESTED),
    (_UNSUBMITTED, FulfillmentStep.PARK): (_OPEN, RequestStatus.NEEDS_REVIEW),
    ((_OPEN, RequestStatus.NEEDS_REVIEW), FulfillmentStep.SUBMIT_AGAIN): _UNSUBMITTED,
    ((_OPEN, RequestStatus.SUBMITTED), FulfillmentStep.ACCEPT): _ACCEPTED,
    ((_OPEN, RequestStatus.NEEDS_REVIEW), FulfillmentStep.ACCEPT): _ACCEPTED,
    ((_BUSY, RequestStatus.NEEDS_REVIEW), FulfillmentStep.ACCEPT): _ACCEPTED,
    **_at_work(_OPEN, RequestStatus.SUBMITTED),
    **_at_work(_BUSY, RequestStatus.ACCEPTED),
    **_at_work(_OPEN, RequestStatus.CANCELLATION_REJECTED),
    **_at_work(_BUSY, RequestStatus.CANCELLATION_REJECTED),
    **_at_work(_OPEN, RequestStatus.NEEDS_REVIEW),
    **_at_work(_BUSY, RequestStatus.NEEDS_REVIEW),
    **_being_canceled(_OPEN),
    **_being_canceled(_BUSY),
}


class FulfillmentAction(StrEnum):
    """What a client may ask for.

    Attributes:
        ACCEPT: Say that the location does it.
        REJECT: Say that the location cannot do the rest of it.
        SHIP: Say that packages left.
    """

    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    SHIP = "SHIP"


_STEP_OF: Final[Mapping[FulfillmentAction, FulfillmentStep]] = {
    FulfillmentAction.ACCEPT: FulfillmentStep.ACCEPT,
    FulfillmentAction.REJECT: FulfillmentStep.REQUEST_CANCELLATION,  # its source must stop first
    FulfillmentAction.SHIP: FulfillmentStep.SHIP_REST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """So many units of one SKU."""

    sku: Sku
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One parcel, or one hand-over at the counter."""

    lines: tuple[Units, ...]
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """What left a location at one time."""

    id: str
    shipped_at: datetime
    packages: tuple[Package, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A location does not do the rest of the work: it said so, or has stopped because we asked it to."""

    reason_code: str
    units: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfillmentOrder:
    """Work for one location.

    ``id`` is also the key under which the source knows the request; ``remote_ref`` is the source's own name for it, once it has
    one, and ``submitted_at`` when we learnt of that. ``in_source_books``: the source has counted what remains as ours.
    ``unconfirmed`` is what left by a person's word alone, so that the source's number does not show it yet. ``booked`` is what it
    took of the location's capacity.

    ``recalled_because``: once its source has stopped, what remains goes elsewhere, for this reason. None while it is being stopped:
    the order was canceled. ``overpromised`` are SKUs that the location turned out to be short of. ``note`` is for a person: why it
    waits for review, or what holds it up. ``ship_by`` and ``deliver_by`` are what the customer was promised of it; None: nothing.
    ``unanswerable``: its source cannot tell what became of it; a person's word is taken.
    """

    id: FulfillmentOrderId
    location: LocationId
    source: SourceName
    method: Method
    lines: tuple[Units, ...]
    status: FulfillmentStatus = FulfillmentStatus.OPEN
    request_status: RequestStatus = RequestStatus.UNSUBMITTED
    remote_ref: RemoteRef | None = None
    submitted_at: datetime | None = None
    shipments: tuple[Shipment, ...] = ()
    rejection: Rejection | None = None
    in_source_books: bool = False
    unconfirmed: tuple[Units, ...] = ()
    booked: tuple[Units, ...] = ()
    recalled_because: str | None = None
    overpromised: tuple[Sku, ...] = ()
    note: str | None = None
    unanswerable: bool = False
    ship_by: datetime | None = None
    deliver_by: datetime | None = None
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether units of it may still leave."""
        return self.status in {FulfillmentStatus.OPEN, FulfillmentStatus.IN_PROGRESS}

    @property
    def is_followed(self) -> bool:
        """Whether its source still has something to say that matters."""
        return self.is_open or bool(self.unconfirmed)

    @property
    def is_undecided(self) -> bool:
        """Whether its source has yet to say that it does it."""
        waits = self.request_status is RequestStatus.NEEDS_REVIEW and not self.unanswerable
        return self.request_status is RequestStatus.SUBMITTED or waits

    @property
    def supported_actions(self) -> tuple[FulfillmentAction, ...]:
        """What a client may ask for now."""
        return tuple(action for action, step in _STEP_OF.items() if (self._state, step) in TRANSITIONS)

    @property
    def shipped(self) -> dict[Sku, int]:
        """Units that left, by SKU."""
        return tally(line for shipment in self.shipments for package in shipment.packages for line in package.lines)

    @property
    def numbers(self) -> frozenset[str]:
        """The tracking numbers of what left, where there are any."""
        told = (package.tracking_number for shipment in self.shipments for package in shipment.packages)
        return frozenset(number for number in told if number is not None)

    @property
    def remaining(self) -> tuple[Units, ...]:
        """What has not left yet; nothing of a SKU is left out."""
        shipped = self.shipped
        rest = (Units(sku=line.sku, units=line.units - shipped.get(line.sku, 0)) for line in self.lines)
        return tuple(line for line in rest if line.units > 0)

    def after(self, step: FulfillmentStep) -> "FulfillmentOrder":
        """The same work after this happened to it.

        Raises:
            NotAllowedInState: The table has no such row.
        """
        state = TRANSITIONS.get((self._state, step))
        if state is None:
            raise NotAllowedInState(
                what="fulfillment order",
                action=step.value,
                state=f"{self.status.value} and {self.request_status.value}",
                supported=tuple(action.value for action in self.supported_actions),
            )
        return replace(self, status=state[0], request_status=state[1], version=self.version + 1)

    @property
    def _state(self) -> State:
        return self.status, self.request_status


def tally(lines: Iterable[Units]) -> dict[Sku, int]:
    """Units by SKU, in order of first mention."""
    found: dict[Sku, int] = {}
    for line in lines:
        found[line.sku] = found.get(line.sku, 0) + line.units
    return found
