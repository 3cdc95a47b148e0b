"""Asking sources for what they were asked to do: what goes together with our books, and what does not."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from connectors.contract import (
    CancelOutcome,
    ConnectorInfo,
    FulfillmentRequest,
    Health,
    Idempotency,
    Method,
    RemoteFulfillment,
    RemoteLocation,
    RemotePackage,
    RemoteRef,
    RemoteState,
    RequestKey,
    RequestLine,
    SourceKind,
    StockDrop,
    Transient,
)
from gateway.domain.effects import effect_astray, may_have_an_effect
from gateway.domain.fulfillments import FulfillmentOrder, FulfillmentStatus, Package, RequestStatus, Shipment
from gateway.domain.identity import FulfillmentOrderId, SourceName
from gateway.domain.invariants import Report
from gateway.ports import Source
from gateway.services.verification import FAILURES_MAX, Effects
from tests.samples import EAST, MUG, START, units

WAREHOUSE = SourceName("warehouse")
REF = RemoteRef("r-1")
LEFT = Shipment(id="s", shipped_at=START, packages=(Package(lines=units((MUG, 1))),))
AT_WORK = FulfillmentOrder(
    id=FulfillmentOrderId("0001"),
    location=EAST,
    source=WAREHOUSE,
    method=Method.SHIP,
    lines=units((MUG, 3)),
    status=FulfillmentStatus.IN_PROGRESS,
    request_status=RequestStatus.ACCEPTED,
    remote_ref=REF,
)
SENT = replace(AT_WORK, status=FulfillmentStatus.CLOSED)
STOPPED = replace(AT_WORK, status=FulfillmentStatus.CANCELED, request_status=RequestStatus.CANCELLATION_ACCEPTED)
SHORT = replace(AT_WORK, status=FulfillmentStatus.INCOMPLETE, request_status=RequestStatus.REJECTED, shipments=(LEFT,))
REFUSED = replace(AT_WORK, status=FulfillmentStatus.INCOMPLETE, request_status=RequestStatus.REJECTED, remote_ref=None)


def remote(state: RemoteState, *, ref: RemoteRef = REF, left: int = 0) -> RemoteFulfillment:
    packages = (RemotePackage(lines=(RequestLine(sku=MUG, units=left),)),) if left else ()
    return RemoteFulfillment(ref=ref, key=None, state=state, packages=packages)


@pytest.mark.parametrize(
    ("work", "found"),
    [
        (AT_WORK, remote(RemoteState.REQUESTED)),
        (AT_WORK, remote(RemoteState.SHIPPED, left=3)),
        (AT_WORK, remote(RemoteState.CANCELED)),
        (SENT, remote(RemoteState.SHIPPED)),
        (replace(SENT, unconfirmed=units((MUG, 3))), remote(RemoteState.ACCEPTED)),
        (STOPPED, remote(RemoteState.CANCELED)),
        (STOPPED, None),
        (SHORT, remote(RemoteState.SHIPPED, left=1)),
        (REFUSED, None),
        (REFUSED, remote(RemoteState.REJECTED)),
    ],
)
def test_a_source_may_be_ahead_of_us_and_may_have_forgotten_what_was_given_up(
    work: FulfillmentOrder, found: RemoteFulfillment | None
) -> None:
    assert effect_astray(work, found) is None


@pytest.mark.parametrize(
    ("work", "found", "says"),
    [
        (AT_WORK, None, "does not know"),
        (SENT, None, "does not know"),
        (AT_WORK, remote(RemoteState.ACCEPTED, ref=RemoteRef("r-2")), "twice"),
        (AT_WORK, remote(RemoteState.SHIPPED, left=4), "More left"),
        (SENT, remote(RemoteState.ACCEPTED), "all of it left"),
        (SENT, remote(RemoteState.CANCELED), "all of it left"),
        (STOPPED, remote(RemoteState.ACCEPTED), "given up"),
        (STOPPED, remote(RemoteState.SHIPPED), "given up"),
        (REFUSED, remote(RemoteState.REQUESTED), "given up"),
    ],
)
def test_what_does_not_go_together_is_told(work: FulfillmentOrder, found: RemoteFulfillment | None, says: str) -> None:
    difference = effect_astray(work, found)
    assert difference is not None
    assert says in difference.says


def test_work_that_nobody_was_asked_for_yet_need_not_be_anywhere() -> None:
    assert not may_have_an_effect(replace(AT_WORK, remote_ref=None, request_status=RequestStatus.UNSUBMITTED))


@dataclass
class Place:
    """A source with so many requests. ``asked`` counts the look-ups."""

    requests: Mapping[RequestKey, RemoteFulfillment]
    idempotency: Idempotency = Idempotency.LOOKUP
    is_down: bool = False
    asked: int = 0
    info: ConnectorInfo = field(init=False)

    def __post_init__(self) -> None:
        self.info = ConnectorInfo(
            kind=SourceKind.WAREHOUSE,
            connector="by hand",
            stock_drop=StockDrop.ON_SHIP,
            visibility_delay_s=0,
            idempotency=self.idempotency,
            batch_skus_max=1,
            fresh_for_s=1,
        )

    async def find(self, key: RequestKey) -> RemoteFulfillment | None:
        self.asked += 1
        if self.is_down:
            raise Transient("it is down")
        return self.requests.get(key)

    async def status(self, refs: Sequence[RemoteRef]) -> tuple[RemoteFulfillment, ...]:
        return tuple(each for each in self.requests.values() if each.ref in refs)

    async def request(self, request: FulfillmentRequest) -> RemoteFulfillment:
        raise NotImplementedError

    async def cancel(self, ref: RemoteRef) -> CancelOutcome:
        raise NotImplementedError

    async def aclose(self) -> None:
        raise NotImplementedError

    async def health(self) -> Health:
        raise NotImplementedError

    async def locations(self) -> tuple[RemoteLocation, ...]:
        raise NotImplementedError


@dataclass
class Books:
    """All work. ``moved`` is how some of it is by now."""

    works: Sequence[FulfillmentOrder]
    moved: Mapping[FulfillmentOrderId, FulfillmentOrder] = field(default_factory=dict)

    async def at(self, source: SourceName, *, after: FulfillmentOrderId | None, limit: int) -> tuple[FulfillmentOrder, ...]:
        return tuple(each for each in self.works if each.source == source and each.id > (after or ""))[:limit]

    async def find(self, work: FulfillmentOrderId) -> FulfillmentOrder | None:
        return self.moved.get(work) or next((each for each in self.works if each.id == work), None)


def checked(place: Place, books: Books) -> Report:
    source = Source(name=WAREHOUSE, label="Warehouse", kind=SourceKind.WAREHOUSE, connector=place)
    effects = Effects(sources={WAREHOUSE: source}, works=books, advance=lambda *_: None)
    return asyncio.run(effects.check())


def many(count: int) -> list[FulfillmentOrder]:
    return [replace(AT_WORK, id=FulfillmentOrderId(f"{number:04}"), remote_ref=RemoteRef(f"r-{number}")) for number in range(count)]


@pytest.mark.parametrize("idempotency", [Idempotency.LOOKUP, Idempotency.NONE])
def test_every_request_is_asked_for_by_our_key_or_by_its_name(idempotency: Idempotency) -> None:
    works = many(250)
    there = {RequestKey(each.id): remote(RemoteState.ACCEPTED, ref=RemoteRef(str(each.remote_ref))) for each in works}
    report = checked(Place(there, idempotency=idempotency), Books(works))
    assert (report.is_clean, report.checked, report.unchecked) == (True, {"requests at sources": 250}, ())
    del there[RequestKey("0123")]
    report = checked(Place(there, idempotency=idempotency), Books(works))
    assert [each.about for each in report.differences] == ["0123"]


def test_what_moved_while_its_source_was_asked_is_no_difference() -> None:
    assert checked(Place({}), Books([AT_WORK], moved={AT_WORK.id: STOPPED})).is_clean
    assert not checked(Place({}), Books([AT_WORK])).is_clean


def test_a_source_that_is_down_is_left_alone_and_said_to_be_unchecked() -> None:
    place = Place({}, is_down=True)
    report = checked(place, Books(many(300)))
    assert report.is_clean
    (said,) = report.unchecked
    assert said.startswith("warehouse: ")
    assert said.endswith("it is down")
    assert FAILURES_MAX <= place.asked < 20
