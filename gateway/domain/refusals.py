"""What the gateway says no to, and why: expected, typed, named after the state of the world.

A refusal has fields, not prose; ``code`` is stable. ``path`` leads into the input that caused it, where one field did.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from connectors.contract import Sku


@dataclass(eq=False, kw_only=True)
class Refusal(Exception):
    """Something asked for cannot be done, and nothing was changed."""

    code: ClassVar[str] = "INVALID"
    says: ClassVar[str] = "That is not possible."
    path: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """One sentence for a person."""
        return self.says.format_map(vars(self))

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Refusals(Exception):
    """Several at once: every line that is short, every field that is wrong."""

    def __init__(self, each: tuple[Refusal, ...]) -> None:
        super().__init__("; ".join(str(refusal) for refusal in each))
        self.each = each


@dataclass(eq=False, kw_only=True)
class Invalid(Refusal):
    """A field holds what it must not."""

    code = "INVALID"
    says = "{problem}"
    problem: str


@dataclass(eq=False, kw_only=True)
class ContradictoryRule(Refusal):
    """A rule of a routing policy cannot be meant as it is written."""

    code = "CONTRADICTORY_RULE"
    says = "{rule}: {problem}"
    rule: str
    problem: str


@dataclass(eq=False, kw_only=True)
class GuardrailBreached(Refusal):
    """A change of policy would do more to orders like those of the past than it may, and nobody said that it is meant."""

    code = "GUARDRAIL_BREACHED"
    says = "{measure} would be {measured:,.1f}; the limit is {limit:,.1f}."
    measure: str
    measured: float
    limit: float


@dataclass(eq=False, kw_only=True)
class NotFound(Refusal):
    """There is no such thing, or it is not for the caller to see."""

    code = "NOT_FOUND"
    says = "There is no {what} {name!r}."
    what: str
    name: str


@dataclass(eq=False, kw_only=True)
class InsufficientStock(Refusal):
    """Fewer units can be promised than were asked for."""

    code = "INSUFFICIENT_STOCK"
    says = "{wanted_units} of {sku} wanted, {available_units} can be promised."
    sku: Sku
    wanted_units: int
    available_units: int


@dataclass(eq=False, kw_only=True)
class StockUnknown(Refusal):
    """Too few units are known of, and a source that may have more did not answer."""

    code = "STOCK_UNKNOWN"
    says = "Not enough of {sku} is known of, and {silent} did not answer; try again."
    sku: Sku
    silent: str


@dataclass(eq=False, kw_only=True)
class ReadingOutdated(Refusal):
    """What was read of this SKU is older than what its source has taken into its books since: read again, decide again."""

    code = "STOCK_UNKNOWN"
    says = "Stock of {sku} moved while this was decided; try again."
    sku: Sku


@dataclass(eq=False, kw_only=True)
class NoCandidate(Refusal):
    """No location may fulfill this, whatever its stock."""

    code = "NO_CANDIDATE"
    says = "{why}"
    why: str


@dataclass(eq=False, kw_only=True)
class CapacityFull(Refusal):
    """A location cannot do that much more on that local day of its. ``location`` is its code."""

    code = "CAPACITY_FULL"
    says = "{location} has room for {available_units} more units on {day}, {wanted_units} are wanted."
    location: str
    day: date
    wanted_units: int
    available_units: int


@dataclass(eq=False, kw_only=True)
class SlotFull(Refusal):
    """A location can serve nobody else in that pickup slot. ``location`` is its code."""

    code = "SLOT_FULL"
    says = "The pickup slot of {location} that begins at {slot} is full."
    location: str
    slot: datetime


@dataclass(eq=False, kw_only=True)
class NotAllowedInState(Refusal):
    """The thing is not in a state in which this can be done to it."""

    code = "NOT_ALLOWED_IN_STATE"
    says = "{action} is not possible while the {what} is {state}."
    what: str
    action: str
    state: str
    supported: tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class VersionConflict(Refusal):
    """Somebody else changed it since the caller looked."""

    code = "VERSION_CONFLICT"
    says = "Version {expected_version} was expected, it is {current_version} now."
    expected_version: int
    current_version: int


@dataclass(eq=False, kw_only=True)
class IdempotencyMismatch(Refusal):
    """The same key came before with another request."""

    code = "IDEMPOTENCY_MISMATCH"
    says = "The idempotency key {key!r} was used before with a different request."
    key: str


@dataclass(eq=False, kw_only=True)
class DuplicateExternalId(Refusal):
    """This channel placed an order under that id already."""

    code = "DUPLICATE_EXTERNAL_ID"
    says = "{channel} placed {external_id!r} already: it is order {number}."
    channel: str
    external_id: str
    number: str


@dataclass(eq=False, kw_only=True)
class ReservationExpired(Refusal):
    """The hold ran out or was used: its units are no longer kept."""

    code = "RESERVATION_EXPIRED"
    says = "Reservation {reservation} is {state}; reserve again."
    reservation: str
    state: str


@dataclass(eq=False, kw_only=True)
class Overloaded(Refusal):
    """Too much is waiting; nothing was done."""

    code = "OVERLOADED"
    says = "Too many requests are waiting; try again in a moment."


@dataclass(eq=False, kw_only=True)
class StoreUnavailable(Refusal):
    """Promises cannot be read or written now. A write may have been done all the same: its key tells."""

    code = "STORE_UNAVAILABLE"
    says = "Promises cannot be read or written now ({reason}); try again in a moment, a write under the same key."
    reason: str


@dataclass(eq=False, kw_only=True)
class NoLongerKnown(Refusal):
    """How it was then is not kept any more."""

    code = "NO_LONGER_KNOWN"
    says = "How that was before {oldest_at} is no longer kept."
    oldest_at: datetime


@dataclass(eq=False, kw_only=True)
class CursorExpired(Refusal):
    """Events are no longer kept as far back as this cursor."""

    code = "CURSOR_EXPIRED"
    says = "Events are no longer kept that far back: read `orders` again and continue from its `eventCursor`."


@dataclass(eq=False, kw_only=True)
class Forbidden(Refusal):
    """The caller's role does not include this."""

    code = "FORBIDDEN"
    says = "The role {role} may not do this; it needs {needs}."
    role: str
    needs: str
