"""What must be true of all that is kept, whatever happened: the rules by name, and those that an order is held to by itself."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from connectors.contract import Sku
from gateway.domain.fulfillments import FulfillmentOrder, RequestStatus, Units, tally
from gateway.domain.identity import LocationId
from gateway.domain.orders import Order, OrderStatus
from gateway.domain.stock import NETWORK
from gateway.domain.tasks import JobKind


class Invariant(StrEnum):
    """What must be true.

    Attributes:
        READABLE: What is kept can be read.
        LEDGER: The counters of a shelf are the sums of its ledger.
        HOLDS: What is held is what active reservations hold.
        SELLABLE: When units were promised, there were as many.
        VERSIONS: Every change of a shelf was made on the one before it.
        COMMITMENTS: What is committed is what orders and their work still need.
        PROGRESS: Whatever is not finished has somebody or something to take it further.
        EVENTS: Every change of an order is told, once and in order, and the last one tells how it is.
        UNITS: What was bought is neither lost nor sent twice.
        COLUMNS: What things are found by says what they are.
        EFFECTS: What was asked of a source is there, once, and as far as we say.
    """

    READABLE = "READABLE"
    LEDGER = "LEDGER"
    HOLDS = "HOLDS"
    SELLABLE = "SELLABLE"
    VERSIONS = "VERSIONS"
    COMMITMENTS = "COMMITMENTS"
    PROGRESS = "PROGRESS"
    EVENTS = "EVENTS"
    UNITS = "UNITS"
    COLUMNS = "COLUMNS"
    EFFECTS = "EFFECTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is not as it must be. ``about`` is the id of the thing, or a shelf as ``SKU at location``."""

    invariant: Invariant
    about: str
    expected: str
    found: str
    says: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.about}: {self.says} Expected {self.expected}, found {self.found}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a verification. ``violations`` counts all differences; only so many of them are kept as ``differences``.

    ``checked`` is how many of each were looked at, ``unchecked`` says what could not be, and why.
    """

    differences: tuple[Difference, ...] = ()
    violations: Mapping[Invariant, int] = field(default_factory=dict)
    checked: Mapping[str, int] = field(default_factory=dict)
    unchecked: tuple[str, ...] = ()
    took_s: float = 0.0

    def __add__(self, other: "Report") -> "Report":
        """Both as one."""
        return Report(
            differences=(*self.differences, *other.differences),
            violations={**self.violations, **other.violations},
            checked={**self.checked, **other.checked},
            unchecked=(*self.unchecked, *other.unchecked),
            took_s=self.took_s + other.took_s,
        )

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs."""
        return not any(self.violations.values())


Promise = tuple[str, Sku, LocationId]
"""Units are committed because of something (the id of the work, or of the order as long as there is none), of a SKU, somewhere."""

_OVER: Final = frozenset({OrderStatus.FULFILLED, OrderStatus.CANCELED})
_ASKED: Final = frozenset({RequestStatus.SUBMITTED, RequestStatus.CANCELLATION_REJECTED})


def shelf_name(sku: str, location: str) -> str:
    """A shelf as it is called in differences."""
    return f"{sku} at {location or 'the network'}"


# ---------------------------------------------------------------------------------------------- commitments
def commitments(order: Order) -> dict[Promise, int]:
    """Units that must be committed because of this order, but for those that its sources have in their books.

    Units in a source's books are committed for as long as the shelf notes them: until a reading contains them.
    """
    found: dict[Promise, int] = {(order.id, sku, NETWORK): units for sku, units in tally(order.unrouted).items()}
    for work in order.fulfillment_orders:
        for sku, units in tally(_committed(work)).items():
            found[work.id, sku, work.location] = units
    return found


def _committed(work: FulfillmentOrder) -> Iterator[Units]:
    yield from work.unconfirmed
    if work.is_open and not work.in_source_books:
        yield from work.remaining
    if work.is_open or work.shipments:  # a location that sent something has worked on it
        yield from work.booked


# ---------------------------------------------------------------------------------------------- units
def units_astray(order: Order) -> Iterator[Difference]:
    """Units of this order that are lost, doubled, or not where its status says."""
    for line in order.lines:
        if not 0 <= line.canceled_units <= line.units:
            says = f"Line {line.id} has more units canceled than it has."
            yield _astray(order, f"0 to {line.units}", f"{line.canceled_units}", says)
    bought = tally(Units(sku=line.sku, units=line.units - line.canceled_units) for line in order.lines)
    yield from _too_many(order, _given(order), bought, "More of {sku} is being sent than was bought.")
    for work in order.fulfillment_orders:
        yield from _too_many(order, work.shipped, tally(work.lines), f"More of {{sku}} left than {work.id} is about.")
    if order.cancellation is not None and order.unrouted:
        units = sum(line.units for line in order.unrouted)
        yield _astray(order, "0", f"{units}", "It was called off, and units of it still look for a location.")
    status = replace(order, status=OrderStatus.PLACED).settled().status
    if status is not order.status:
        yield _astray(order, status, order.status, "Its status is not what its work makes of it.")


def _too_many(order: Order, units: Mapping[Sku, int], units_max: Mapping[Sku, int], says: str) -> Iterator[Difference]:
    for sku, found in units.items():
        if found > units_max.get(sku, 0):
            yield _astray(order, f"at most {units_max.get(sku, 0)}", f"{found}", says.format(sku=sku))


def _given(order: Order) -> dict[Sku, int]:
    """Units that left or are to leave, by SKU."""
    given: dict[Sku, int] = {}
    for work in order.fulfillment_orders:
        for sku, units in (tally(work.lines) if work.is_open else work.shipped).items():
            given[sku] = given.get(sku, 0) + units
    return given


def _astray(order: Order, expected: str, found: str, says: str) -> Difference:
    return Difference(invariant=Invariant.UNITS, about=order.id, expected=expected, found=found, says=says)


# ---------------------------------------------------------------------------------------------- progress
def standing_still(order: Order, ready: Collection[tuple[JobKind, str]]) -> Iterator[Difference]:
    """What of this order nobody will take further; ``ready`` are the jobs that wait to be done, and what they are about."""
    if order.status in _OVER:
        return
    if order.unrouted and order.parked_because is None and (JobKind.ROUTE, order.id) not in ready:
        yield _still(order.id, "a ROUTE job", "Units of it have no location, and nobody looks for one.")
    for work in order.fulfillment_orders:
        lacking = _lacking(work, ready) if work.is_open else None
        if lacking is not None:
            yield _still(work.id, lacking, f"It is {work.request_status}, and nobody takes it further.")


def _lacking(work: FulfillmentOrder, ready: Collection[tuple[JobKind, str]]) -> str | None:
    """What it would need to go on. None: it goes on, or a person has been told. One who accepted it also sees to the rest."""
    status = work.request_status
    if status is RequestStatus.UNSUBMITTED and (JobKind.SUBMIT, work.id) not in ready:
        return "a SUBMIT job"
    if status is RequestStatus.CANCELLATION_REQUESTED and (JobKind.STOP, work.id) not in ready:
        return "a STOP job"
    if status is RequestStatus.NEEDS_REVIEW and not work.note:
        return "a note that says why"
    if status in _ASKED and work.remote_ref is None:
        return "its source's name for it"
    return None


def _still(about: str, expected: str, says: str) -> Difference:
    return Difference(invariant=Invariant.PROGRESS, about=about, expected=expected, found="none", says=says)


# ---------------------------------------------------------------------------------------------- events
def as_told(order: Order) -> Order:
    """The order without what may change in silence: what sources call work, what they confirmed, and marks of our own."""
    works = (
        replace(work, remote_ref=None, submitted_at=None, unconfirmed=(), overpromised=()) for work in order.fulfillment_orders
    )
    return replace(order, fulfillment_orders=tuple(works))
